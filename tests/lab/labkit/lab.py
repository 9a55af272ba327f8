"""The verbs of the lab. Each returns an exit status."""
import os
import signal
import subprocess
import sys
import time

from . import capture as recorder
from . import net, peers, router
from .base import Lab, LabError, STATE, start_time

HERE = os.path.dirname(os.path.realpath(__file__))
CONFIGS = os.path.dirname(HERE)
PEERS = ("postern", "strongswan", "strongswan-kernel", "libreswan")


def up(args):
    if os.geteuid() != 0:
        raise LabError("network namespaces need root: try again with sudo")
    if args.nat in ("r2", "both") and args.peer in peers.GUESTS:
        raise LabError(f"--nat {args.nat}: {args.peer} is not on this side of the wire")
    lab = Lab(args.name)
    if net.present(lab):
        raise LabError(f"lab '{lab.name}' is up already (lab down --name {lab.name})")
    lab.remove()                                 # what a machine that was switched off has left
    os.makedirs(STATE, exist_ok=True)
    facts = {"bin": os.path.realpath(router.root_of(args.bin)), "peer": args.peer, "nodes": {}}
    try:
        lab.save(facts)
        net.up(lab, without=peers.nodes_elsewhere(args.peer), nats={"both": ("r1", "r2")}.get(args.nat, (args.nat,) if args.nat else ()))
        r1 = args.r1 or f"{CONFIGS}/{'bare' if args.bare else 'R1'}.cfg"
        facts["nodes"]["R1"] = router.start(lab, "R1", r1, facts["bin"])
        lab.save(facts)
        if args.peer == "postern":
            r2 = args.r2 or f"{CONFIGS}/{'bare-R2' if args.bare else 'R2'}.cfg"
            facts["nodes"]["R2"] = router.start(lab, "R2", r2, facts["bin"])
        else:
            facts["nodes"]["R2"] = peers.start(lab, args.peer, args.r2)
        lab.save(facts)
        if args.owner:
            watch(lab, args.owner)
    except BaseException:
        take_down(lab)
        raise
    return 0


def watch(lab, owner):
    """A process that takes the lab down when `owner` ends, however it ends."""
    if os.fork():
        return
    os.setsid()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    null = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(null, fd)
    born = start_time(owner)
    while born and start_time(owner) == born and lab.exists:
        time.sleep(0.2)
    if lab.exists:
        take_down(lab)
    os._exit(0)


def node_words(lab, facts, node, command):
    """The words that run `command` in a node."""
    if node not in net.NODES:
        raise LabError(f"no node '{node}': {' '.join(net.NODES)}")
    here = facts["nodes"].get(node, {})
    if here.get("kind") == "postern":
        return router.enter(here, *command)
    elsewhere = peers.enter(lab, facts, node, command)
    return elsewhere or ["ip", "netns", "exec", lab.netns(node), *command]


def execute(args):
    command = args.command[1:] if args.command[:1] == ["--"] else args.command
    if not command:
        raise LabError("exec NODE COMMAND")
    lab = Lab(args.name)
    return subprocess.run(node_words(lab, lab.load(), args.node, command)).returncode


def console(args):
    lab = Lab(args.name)
    facts = lab.load()
    here = facts["nodes"].get(args.node, {})
    if here.get("kind") != "postern":
        raise LabError(f"{args.node} is not a Postern router")
    words = router.console(facts["bin"], here, args.tty, args.words)
    return subprocess.run(words).returncode


def capture(args):
    lab = Lab(args.name)
    facts = lab.load()
    if args.stop:
        return stop_capture(lab, facts)
    if not args.file:
        raise LabError("capture FILE.pcapng")
    path = os.path.realpath(args.file)
    dumper = recorder.start(lab, path, args.seconds)
    if not args.background:
        try:
            return 0 if dumper.wait() == 0 else 1
        except KeyboardInterrupt:
            dumper.send_signal(signal.SIGINT)
            dumper.wait()
            return 0
    facts.setdefault("captures", []).append({"pid": dumper.pid, "start": start_time(dumper.pid), "file": path})
    lab.save(facts)
    return 0


def stop_capture(lab, facts):
    for one in facts.pop("captures", []):
        recorder.stop(lab, one["pid"], one["start"], one["file"])
    lab.save(facts)
    return 0


def restart(args):
    lab = Lab(args.name)
    facts = lab.load()
    here = facts["nodes"].get(args.node, {})
    if here.get("kind") != "postern":
        raise LabError(f"{args.node} is not a Postern router")
    router.stop(here)
    for name in os.listdir(lab.node_dir(args.node, "run")):
        os.unlink(lab.node_dir(args.node, "run", name))
    facts["nodes"][args.node] = router.boot(lab, args.node, facts["bin"])
    lab.save(facts)
    return 0


def down(args):
    lab = Lab(args.name)
    if lab.exists:
        take_down(lab)
    return 0


def take_down(lab):
    facts = lab.load() if lab.exists else {"nodes": {}}
    stop_capture(lab, facts)
    for node, here in facts["nodes"].items():
        if here.get("kind") == "postern":
            router.stop(here)
        else:
            peers.stop(lab, here)
    net.down(lab)
    lab.remove()


if __name__ == "__main__":
    sys.exit("run tests/lab/lab")
