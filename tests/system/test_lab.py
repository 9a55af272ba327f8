"""The lab itself: it comes up, tells by its exit status, several exist at once, and nothing is left behind."""
import os
import re
import signal
import subprocess

import pexpect
import pytest

from rig import BIN, LAB, ROOT, until

pytestmark = pytest.mark.xdist_group("lab")


def left_of(name):
    namespaces = [line for line in os.listdir("/run/netns") if line.startswith(f"pl-{name}-")] if os.path.isdir("/run/netns") else []
    folder = [f"/var/tmp/postern-lab/{name}"] if os.path.exists(f"/var/tmp/postern-lab/{name}") else []
    return namespaces + folder


def tour():
    child = pexpect.spawn(f"{ROOT}/tests/lab/tour --bin {BIN}", encoding="utf-8", timeout=300, dimensions=(24, 100))
    child.expect(r"lab console --name (run-\d+) R2")
    name = child.match.group(1)
    child.expect("R1>")
    return child, name


def test_tour_ends_with_the_console():
    child, name = tour()
    assert left_of(name)
    child.send("exit\r")
    child.expect(pexpect.EOF)
    assert left_of(name) == []


def test_tour_leaves_nothing_after_a_crash():
    child, name = tour()
    os.kill(child.pid, signal.SIGKILL)
    child.close(force=True)
    until(lambda: left_of(name) == [], 10, f"left: {left_of(name)}")


def test_tour_leaves_nothing_after_a_hangup():
    child, name = tour()
    child.ptyproc.fileobj.close()           # the terminal is gone
    until(lambda: left_of(name) == [], 10, f"left: {left_of(name)}")


def test_two_labs_at_once_bare_and_wrong_use():
    names = [f"two-{os.getpid()}-{n}" for n in (1, 2)]
    try:
        for name in names:
            subprocess.run([LAB, "up", "--name", name, "--bare", "--bin", BIN], check=True)
        assert subprocess.run([LAB, "up", "--name", names[0], "--bin", BIN], capture_output=True).returncode == 1
        said = subprocess.run([LAB, "console", "--name", names[1], "R2"], input="enable\nshow ip interface brief\n", capture_output=True,
                              text=True, check=True).stdout
        assert re.search(r"GigabitEthernet0/0\s+198\.51\.100\.2\s+YES", said), said
        assert subprocess.run([LAB, "exec", "--name", names[0], "hostA", "ping", "-c1", "192.168.1.1"], capture_output=True).returncode == 0
        assert subprocess.run([LAB, "exec", "--name", names[0], "hostA", "false"]).returncode == 1
        assert subprocess.run([LAB, "exec", "--name", names[0], "nobody", "true"], capture_output=True).returncode == 1
    finally:
        for name in names:
            subprocess.run([LAB, "down", "--name", name], check=True)
    assert [left for name in names for left in left_of(name)] == []
    assert subprocess.run([LAB, "exec", "--name", names[0], "R1", "true"], capture_output=True).returncode == 1
    assert subprocess.run([LAB, "sideways"], capture_output=True).returncode == 2
