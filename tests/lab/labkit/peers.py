"""Other vendors' gateways as R2.

strongswan            natively, with its own ESP: tunnel mode in UDP only
strongswan-kernel     in a virtual machine with Debian's kernel: native ESP; hostB is in there, too
libreswan             the same
"""
import os
import shutil
import time

from . import net
from .base import ROOT, run

QEMU = f"{ROOT}/tests/qemu"
CACHE = os.environ.get("POSTERN_CACHE", f"{ROOT}/build/qemu")        # kernel and libreswan, fetched once
GUESTS = {"strongswan-kernel": "charon", "libreswan": "pluto"}
CONFIGS = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))


def nodes_elsewhere(peer):
    """Nodes that are not namespaces of this machine."""
    return ("R2", "hostB") if peer in GUESTS else ()


def start(lab, peer, config):
    return start_guest(lab, peer, config) if peer in GUESTS else start_native(lab, config)


def start_native(lab, config):
    netns = lab.netns("R2")
    for dev, addr in (("gi0-0", "198.51.100.2/24"), ("gi0-1", "192.168.2.1/24")):
        run("ip", "-n", netns, "addr", "add", addr, "dev", dev)
        run("ip", "-n", netns, "link", "set", dev, "up")
    run("ip", "-n", netns, "route", "add", "default", "via", "198.51.100.254")
    net.sysctl(lab, "R2", "net.ipv4.ip_forward=1", "net.ipv4.conf.all.rp_filter=0", "net.ipv4.conf.default.rp_filter=0")
    folder = lab.node_dir("R2", "ike")
    os.makedirs(folder, exist_ok=True)
    shutil.copy(config or f"{CONFIGS}/R2.swanctl.conf", f"{folder}/swanctl.conf")
    daemon = os.path.splitext(config)[0] + ".strongswan.conf" if config else ""
    if os.path.exists(daemon):
        shutil.copy(daemon, f"{folder}/strongswan.conf")
    run("ip", "netns", "exec", netns, f"{QEMU}/peer-ike", "start", folder, "libipsec", env=environment())
    run(f"{QEMU}/peer-ike", "in", folder, "swanctl", "--load-all", env=environment())
    return {"kind": "native", "dir": folder}


def start_guest(lab, peer, config):
    run(f"{QEMU}/fetch", CACHE, "libreswan" if peer == "libreswan" else "", env=environment())
    state = lab.node_dir("guest")
    run(f"{QEMU}/peer-guest", "up", "--state", state, "--kernel", f"{CACHE}/kernel", "--netns", lab.netns("internet"),
        "--addr", "198.51.100.2/24", "--gw", "198.51.100.254", "--inner", "192.168.2.1/24",
        *(["--libreswan", f"{CACHE}/libreswan"] if peer == "libreswan" else []), env=environment())
    here = {"kind": "guest", "state": state, "dir": f"{state}/share/ike"}
    try:
        os.makedirs(here["dir"])
        if peer == "libreswan":
            shutil.copy(config or f"{CONFIGS}/R2.ipsec.conf", f"{here['dir']}/ipsec.conf")
            secrets = os.path.splitext(config)[0] + ".secrets" if config else f"{CONFIGS}/R2.ipsec.secrets"
            shutil.copy(secrets, f"{here['dir']}/ipsec.secrets")
        else:
            shutil.copy(config or f"{CONFIGS}/R2-kernel.swanctl.conf", f"{here['dir']}/swanctl.conf")
        guest(here, f"{QEMU}/peer-ike", "start", here["dir"], GUESTS[peer])
        if peer != "libreswan":
            guest(here, f"{QEMU}/peer-ike", "in", here["dir"], "swanctl", "--load-all")
    except BaseException:
        stop(lab, here)
        raise
    return here


def environment():
    return {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root"}


def guest(here, *command):
    return run(f"{QEMU}/peer-guest", "exec", "--state", here["state"], "-t", "120", "--", *command, env=environment())


def enter(lab, facts, node, command):
    """The words that run `command` in R2 or, where that is in the guest, in hostB; None: an ordinary namespace."""
    here = facts["nodes"].get("R2", {})
    if here.get("kind") == "native" and node == "R2":
        return [f"{QEMU}/peer-ike", "in", here["dir"], *command]
    if here.get("kind") == "guest" and node in ("R2", "hostB"):
        inside = ["ip", "netns", "exec", "hostB", *command] if node == "hostB" else [f"{QEMU}/peer-ike", "in", here["dir"], *command]
        return [f"{QEMU}/peer-guest", "exec", "--state", here["state"], "-t", "600", "--", *inside]
    return None


def stop(lab, here):
    if here["kind"] == "guest":
        run(f"{QEMU}/peer-guest", "down", "--state", here["state"], check=False, env=environment())
    else:
        run(f"{QEMU}/peer-ike", "stop", here["dir"], check=False, env=environment())
    time.sleep(0.1)


