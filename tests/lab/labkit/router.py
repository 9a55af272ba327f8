"""A Postern router in the lab: its programs under runit, in network, mount, process and host-name namespaces of their own.

The folder of the node, outside:      inside it is:
    run/                                  /run/postern
    data/                                 /var/lib/postern
    etc/                                  /run/postern-etc (initial.cfg, passwd, group, the services)
    log/                                  /var/log/postern
"""
import glob
import os
import shutil
import signal
import subprocess
import time

from .base import LabError, ROOT, run, start_time

USERS = {"postern-config": 9001, "postern-ike": 9002, "postern-keys": 9003, "postern-data": 9004}
DIRS = {"run": "/run/postern", "data": "/var/lib/postern", "etc": "/run/postern-etc", "log": "/var/log/postern"}
COMMON = "--run-dir /run/postern --data-dir /var/lib/postern"
SERVICES = {
    "configd": "--user postern-config --keys-group postern-keys --ike-user postern-ike --initial /run/postern-etc/initial.cfg",
    "datapathd": "--user postern-data --ike-user postern-ike",
    "ikemgrd": "--user postern-ike --keys-user postern-keys",
    "platformd": "--set-hostname --service-dir /run/postern-etc/service",
}


def start(lab, node, config, bin_dir):
    """Boots router `node` with the IOS text of file `config`; returns its facts for the lab."""
    for name in DIRS:
        os.makedirs(lab.node_dir(node, name), exist_ok=True)
    os.chmod(lab.node_dir(node, "run"), 0o755)
    shutil.copy(config, lab.node_dir(node, "etc", "initial.cfg"))
    write_accounts(lab, node)
    write_services(lab, node, bin_dir)
    return boot(lab, node, bin_dir)


def boot(lab, node, bin_dir):
    """Starts the node's first process and waits until its programs answer and the configuration is in force."""
    init = subprocess.Popen(
        ["ip", "netns", "exec", lab.netns(node), "unshare", "--mount", "--uts", "--pid", "--fork", "--kill-child", "--mount-proc",
         "--propagation", "private", "bash", lab.node_dir(node, "etc", "init"), lab.node_dir(node)],
        stdin=subprocess.DEVNULL, stdout=open(lab.node_dir(node, "log", "init"), "a"), stderr=subprocess.STDOUT,
        start_new_session=True)
    facts = {"kind": "postern", "outer": init.pid, "start": start_time(init.pid)}
    until = time.monotonic() + 150
    while time.monotonic() < until:
        if init.poll() is not None:
            break
        if ready(lab, node):
            facts["pid"] = inner_pid(init.pid)
            for question in ("show ip interface brief", "show access-lists", "show crypto isakmp sa"):      # each answers with what was configured before
                run(*console(bin_dir, facts, "con 0", ["-c", question]), check=False, stdin=subprocess.DEVNULL)
            return facts
        time.sleep(0.05)
    stop(facts)
    raise LabError(f"{node} did not start; its programs said:\n{last_words(lab, node)}")


def ready(lab, node):
    folder = lab.node_dir(node, "run")
    return all(os.path.exists(f"{folder}/{name}") for name in (*SERVICES, "running.db")) and configured(lab, node)


def configured(lab, node):
    """platformd has set the addresses of the configuration, if it has any."""
    with open(lab.node_dir(node, "etc", "initial.cfg")) as file:
        wanted = [line.split()[2] for line in file if line.strip().startswith("ip address ")]
    have = run("ip", "-n", lab.netns(node), "-o", "addr", check=False).stdout
    return any(address in have for address in wanted) or not wanted


def last_words(lab, node):
    text = ""
    for path in sorted(glob.glob(lab.node_dir(node, "log", "*"))):
        with open(path, errors="replace") as file:
            text += f"-- {os.path.basename(path)}\n" + "".join(file.readlines()[-12:])
    return text


def inner_pid(outer):
    """The first process of the node as seen from outside: the child of unshare."""
    for _ in range(100):
        with open(f"/proc/{outer}/task/{outer}/children") as file:
            children = file.read().split()
        if children:
            return int(children[0])
        time.sleep(0.02)
    raise LabError("the router's first process is gone")


def write_accounts(lab, node):
    for name in ("passwd", "group"):
        with open(f"/etc/{name}") as file:
            lines = [line for line in file if not line.startswith("postern")]
        for user, number in USERS.items():
            lines.append(f"{user}:x:{number}:{number}::/nonexistent:/usr/sbin/nologin\n" if name == "passwd" else f"{user}:x:{number}:\n")
        with open(lab.node_dir(node, "etc", name), "w") as file:
            file.writelines(lines)


def write_services(lab, node, bin_dir):
    """runit's service folders, and the script that is process 1."""
    for name, options in SERVICES.items():
        if not os.access(f"{bin_dir}/{name}", os.X_OK):
            raise LabError(f"{bin_dir}/{name} is not there: run make first")
        folder = lab.node_dir(node, "etc", "service", name)
        os.makedirs(folder, exist_ok=True)
        script(f"{folder}/run", f"exec 2>>/var/log/postern/{name}\n{sanitizers(bin_dir)}exec {bin_dir}/{name} {COMMON} {options}\n")
    binds = "\n".join(f"mkdir -p {inside} && mount --bind \"$dir/{name}\" {inside}" for name, inside in DIRS.items())
    accounts = "\n".join(f"mount --bind \"$dir/etc/{name}\" /etc/{name}" for name in ("passwd", "group"))
    script(lab.node_dir(node, "etc", "init"), f"""dir=$(mktemp -d /tmp/postern.XXXXXX)
mount --bind "$1" "$dir"
for folder in /run /var/lib /var/log; do mount -t tmpfs -o mode=755 node $folder; done
{binds}
{accounts}
umount "$dir"
rmdir "$dir"
chown -R postern-config: /run/postern /var/lib/postern
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
exec runsvdir -P /run/postern-etc/service
""")


def sanitizers(bin_dir):
    """A build with sanitizers makes system calls of its own, and cannot look for leaks in confinement."""
    return "export ASAN_OPTIONS=detect_leaks=0 POSTERN_NO_SECCOMP=1\n" if "-san/" in bin_dir else ""


def script(path, text):
    with open(path, "w") as file:
        file.write("#!/bin/bash\n" + text)
    os.chmod(path, 0o755)


def enter(facts, *command):
    """The words that run `command` inside the router."""
    return ["nsenter", "-t", str(facts["pid"]), "-n", "-m", "-u", "-p", "--", *command]


def stop(facts):
    """Ends the node's process 1, and with it all others."""
    for pid in filter(None, (facts.get("outer"),)):
        if start_time(pid) == facts["start"]:
            os.kill(pid, signal.SIGKILL)         # --kill-child takes process 1 along
            until = time.monotonic() + 60
            while start_time(pid) == facts["start"] and time.monotonic() < until:
                try:
                    os.waitpid(pid, os.WNOHANG)
                except ChildProcessError:
                    pass
                time.sleep(0.02)


def console(bin_dir, facts, tty, words):
    return enter(facts, *(["env", "ASAN_OPTIONS=detect_leaks=0", "POSTERN_NO_SECCOMP=1"] if "-san/" in bin_dir else []),
                 f"{bin_dir}/postern", "--run-dir", "/run/postern", "--data-dir", "/var/lib/postern", "--tty", tty, *words)


def root_of(bin_dir):
    return bin_dir or f"{ROOT}/build/bin"
