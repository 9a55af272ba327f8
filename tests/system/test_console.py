"""The console through a pseudo-terminal: golden transcripts, and what management programs lean on.

    pseudo-terminal -- postern -- configd, platformd (console_rig.py)
"""
import os
import re
import shutil
import subprocess
import time

import pytest

import console_rig

pytestmark = pytest.mark.xdist_group("console")
GOLDEN = f"{os.path.dirname(os.path.realpath(__file__))}/golden"


@pytest.fixture(scope="module")
def router():
    made = console_rig.Router()
    try:
        yield made
    finally:
        made.down()


@pytest.fixture
def bare():
    """Only configd."""
    made = console_rig.Router(("configd",))
    try:
        yield made
    finally:
        made.down()


def play(router, name):
    console = router.console()
    try:
        console.play(f"{GOLDEN}/console_{name}.txt")
        assert b"\x1b" not in console.all, "an escape sequence reached the terminal"
    finally:
        console.close()


@pytest.mark.parametrize("name", ["modes", "more"])
def test_golden(bare, name):
    play(bare, name)


def test_golden_files(bare):
    flash = f"{bare.data}/flash"
    with open(f"{flash}/add.cfg", "w") as file:
        file.write("interface Loopback7\n ip address 10.7.7.7 255.255.255.255\n!\nend\n")
    with open(f"{flash}/bad.cfg", "w") as file:
        file.write("hostname R3\nthis is nothing\ninterface Loopback8\n ip address 10.8.8.8 255.0.255.0\n")
    play(bare, "files")


def test_golden_show():
    router = console_rig.Router()
    try:
        play(router, "show")
    finally:
        router.down()


# ---- Line ends, echo, width: clients.md A and B ----

@pytest.fixture
def console(router):
    made = router.console()
    made.read(rb"[>#]$")
    yield made
    made.close()


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n", "\r\0"])
def test_every_line_end_is_one(console, end):
    got = console.type("show privilege" + end + "show privilege" + end, rb"(?s)level is .*level is \d+\r\n[^\r\n]*[>#]$")
    assert got.count(b">show privilege\r\n") + got.count(b"#show privilege\r\n") == 1
    assert len(re.findall(rb"(?m)^[\w.-]+[>#]", got)) == 2, got


def test_lone_nul_is_nothing(console):
    console.child.send("\0")
    assert console.type("\r", rb"[>#]$").count(b"\r\n") == 1


@pytest.mark.parametrize("term", ["vt100", "dumb", "xterm"])
@pytest.mark.parametrize("width", ["511", "0"])
def test_long_echo_is_exact(router, term, width):
    console = router.console(term=term)
    try:
        console.read(rb">$")
        console.type(f"terminal width {width}\r", rb">$")
        line = "show " + "x" * 400
        got = console.type(line + "\r", rb"marker\.\r\n\r\n\S+>$")
        assert got.startswith(line.encode() + b"\r\n"), got
        assert b"\x1b" not in console.all
    finally:
        console.close()


def test_typed_ahead_is_echoed_once(console):
    got = console.type("show clock\rshow privilege\rshow history\r", rb"show history\r\n(  .*\r\n)+\S+[>#]$")
    for line in (b"show clock\r\n", b"show privilege\r\n"):
        assert got.count(b">" + line) + got.count(b"#" + line) + got.startswith(line) == 1, got


def test_terminal_lengths_and_widths_of_clients(console):
    for line in ("terminal length 0", "terminal width 0", "terminal width 512", "terminal width 132", "terminal width 511"):
        assert console.command(line) == "", line


def test_session_preparation_of_netmiko(router):
    """The library itself cannot log in without SSH; its prompts and patterns are these."""
    console = router.console(size=(1000, 511))
    try:
        console.read(rb"[>#]$")
        assert re.search(rb"terminal width 511", console.type("terminal width 511\n", rb"[>#]$"))
        console.command("enable")
        assert console.command("show privilege") == "Current privilege level is 15\n"
        assert "(config)#" in console.type("configure terminal\n", rb"\)#$").decode()
        assert re.search(rb"#$", console.type("end\n", rb"(?<!\))#$"))
    finally:
        console.close()


# ---- A pipe, a script, -c ----

def test_script_is_echoed_and_unpaged(router):
    screen = router.script("enable\nterminal length 5\nshow running-config\nshow running-config ?\nexit\n")
    assert "More" not in screen
    assert re.search(r"^\S+#show running-config\nBuilding configuration\.\.\.\n", screen, re.M)
    assert re.search(r"^  all +\S", screen, re.M)
    assert screen.rstrip().endswith("exit")


def test_command_and_its_status(router):
    assert router.command("show privilege") == (0, "Current privilege level is 15\n")
    status, said = router.command("show nothing")
    assert status == 1 and "% Invalid input detected at '^' marker." in said
    status, said = router.command("show running-config | include ^end$")
    assert (status, said) == (0, "end\n")


def test_user_of_a_vty_has_no_privilege(router):
    screen = router.script("enable\nshow privilege\nconfigure terminal\nexit\n", "--tty", "vty 0", "--user", "nobody")
    assert "level is 1\n" in screen and "% No password set" in screen


# ---- Programs that die ----

def test_configd_restarts_under_the_console(bare):
    console = bare.console()
    try:
        console.read(rb">$")
        console.command("enable")
        console.command("configure terminal")
        console.command("hostname BEFORE")
        bare.kill("configd")
        got = console.type("hostname AFTER\r", rb"#$").decode()
        assert "configd is not answering" in got
        bare.start("configd")
        got = console.type("\r", rb"BEFORE\S*#$").decode()
        assert "started again" in got
        console.command("end")
        assert "hostname BEFORE" in console.command("show running-config | include ^hostname")
    finally:
        console.close()


def test_programs_that_are_away_are_named(bare):
    for command, program in (("show version", "platformd"), ("show crypto isakmp sa", "ikemgrd"), ("show crypto ipsec sa", "datapathd"),
                             ("clear crypto sa", "ikemgrd"), ("show crypto engine brief", "datapathd")):
        status, said = bare.command(command)
        assert status == 1 and f"% {program} is not answering" in said, said


# ---- Log lines ----

def test_log_lines_come_between_what_is_typed(router):
    console, other = router.console(), router.console("--tty", "con 0")
    try:
        console.read(rb"[>#]$")
        other.read(rb"[>#]$")
        other.command("enable")
        console.child.send("show pri")
        console.read(rb"show pri$")
        other.type("configure terminal\r", rb"\)#$")
        other.type("ip route 10.77.0.0 255.255.0.0 Null0\r", rb"\)#$")
        other.child.send("end\r")
        got = console.read(rb"CONFIG_I: Configured from console[^\r]*\r\n\S+[>#]show pri$")
        assert re.search(rb"show pri\r\n|^\r\n", got)
        assert b"Current privilege level" in console.type("vilege\r", rb"level is \d+\r\n\S+[>#]$")
    finally:
        console.close()
        other.close()


def test_exit_ends_with_status_0(bare):
    console = bare.console()
    try:
        console.read(rb">$")
        console.child.send("exit\r")
        console.child.expect(console_rig.pexpect.EOF, timeout=60)
        assert b"Sanitizer" not in console.child.before
        console.child.close()
        assert console.child.exitstatus == 0
    finally:
        console.close()


# ---- Ping ----

def test_ping_is_stopped_by_the_escape(router):
    console = router.console()
    try:
        console.read(rb"[>#]$")
        console.type("ping 10.99.99.99 repeat 1000 timeout 1\r", rb"seconds:\r\n[.U]")
        got = console.type("\x1e", rb"Success rate is 0 percent \(0/\d+\)\r\n\S+[>#]$")
        assert b"0/1000" not in got
    finally:
        console.close()


@pytest.mark.parametrize("user", [0, 65534])
def test_confined_console_pings_and_traces(router, user):
    """The filter of the console binds its children, too; root or not, they need no privilege."""
    program = shutil.copy(f"{console_rig.BIN}/postern", router.dir)
    postern = [program, "--run-dir", router.run, "--data-dir", router.data]
    words = router.words("setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", *postern)
    for command, wanted in (("ping 127.0.0.1 repeat 3", "!!!\nSuccess rate is 100 percent (3/3)"),
                            ("traceroute 127.0.0.1", "  1 127.0.0.1 ")):
        done = subprocess.run([*words, "-c", command], capture_output=True, text=True, timeout=300)
        assert done.returncode == 0 and wanted in done.stdout, done.stdout + done.stderr


@pytest.mark.skipif("-san/" in console_rig.BIN, reason="the leak checker traces its own process")
def test_console_is_confined(router):
    console = router.console()
    try:
        console.read(rb"[>#]$")
        with open(f"/proc/{console.child.pid}/status") as file:
            status = file.read()
        assert re.search(r"^NoNewPrivs:\t1$", status, re.M) and re.search(r"^Seccomp:\t2$", status, re.M)
    finally:
        console.close()


def test_exec_timeout_ends_an_idle_console(bare):
    bare.script("enable\nconfigure terminal\nline con 0\nexec-timeout 0 2\nend\nexit\n")
    console = bare.console()
    try:
        console.read(rb">$")
        console.child.expect(console_rig.pexpect.EOF, timeout=60)
    finally:
        console.close()


# ---- The layouts, by the expressions of those who parse them (clients.md, H) ----

def test_show_version_for_discovery(router):
    _, said = router.command("show version")
    assert re.match(r"^.*Software,*\s+\((\S+)\),\sVersion\s(.+?),*\s+RELEASE.*\(fc\d+\)", said)
    assert re.search(r"^(Cisco )?IOS .* Software,? \(([A-Za-z0-9_-]*)\), .*Version\s+(.*)$", said, re.M)
    assert re.search(r"(?m)^\S+ uptime is \d+ ", said)
    assert re.search(r"(?m)^System image file is \"[^\"]+\"$", said)
    assert re.search(r"(?m)^[Cc]isco (.+) \(revision", said)
    assert re.search(r"(\S+(?:\sseries)?)\s+(?:\(([\S ]+)\)\s+processor|\(revision[^)]+\)).*\s+with (\S+k) bytes", said, re.I)
    assert re.search(r"(?m)^Processor board ID \S+$", said)


def test_show_interfaces_for_facts(router):
    router.script("enable\nconf t\ninterface Loopback5\ndescription five\nip address 10.5.5.5 255.255.255.255\nend\nexit\n")
    end = time.monotonic() + 60
    while "Internet address is 10.5.5.5/32" not in router.command("show interfaces Loopback5")[1]:
        assert time.monotonic() < end, "the address was not set"
    _, said = router.command("show interfaces")
    names = re.findall(r"(?m)^(\S+?)\s+is\s+(.+?),\s+line\s+protocol\s+is\s+(\S+)", said)
    assert "Loopback5" in [name for name, _, _ in names]
    assert re.search(r"(?m)^\s+Hardware.+address\s+is\s+([0-9a-f.]{14})", said)
    assert re.search(r"(?m)^\s+MTU\s+(\d+).+BW\s+(\d+)\s+([KMG]?b)", said)
    assert re.search(r"(?m)^\s+Description:\s+five$", said)
    assert re.search(r"Internet address is 10.5.5.5/32", said)
    assert len(re.findall(r"(\d+) packets input.* (\d+) bytes", said)) == len(names)
    _, brief = router.command("show ip interface brief")
    assert re.search(r"(?m)^Loopback5 +10\.5\.5\.5 +YES \w+ +up +up$", brief)
    _, described = router.command("show interfaces description")
    assert re.search(r"(?m)^Lo5 +up +up +five$", described)
    _, connected = router.command("show ip route connected")
    assert re.search(r"(?m)^C +10\.5\.5\.5/32 is directly connected, Loopback5$", connected)
    assert "Loopback5" not in router.command("show ip route static")[1]
