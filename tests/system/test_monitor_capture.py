"""`monitor capture`: what the router says was on its wires is what a stranger on the same wires saw.

    hostA 192.168.1.10 -- gi0/1 R1 gi0/0 203.0.113.1 -- internet -- 198.51.100.2 R2 -- 192.168.2.10 hostB
"""
import os
import re
import subprocess

import pytest

from conftest import site_fixture
from rig import Capture, ROOT, until

site = site_fixture("moncap")
pytestmark = pytest.mark.xdist_group("moncap")


@pytest.fixture(autouse=True)
def no_capture_left(site):
    yield
    site.console("R1", "monitor capture CAP stop", "no monitor capture CAP")


def exported(site, name="CAP.pcap"):
    """The file as this side of the namespace sees it; `read` as of any capture."""
    site.console("R1", f"delete flash:{name}", name, "")
    screen = site.console("R1", f"monitor capture CAP export flash:{name}")
    assert "Exported Successfully" in screen, screen
    return Capture(site, f"/var/tmp/postern-lab/{site.name}/R1/data/flash/{name}")


def start(site, *lines):
    screen = site.console("R1", *(f"monitor capture CAP {line}" for line in (*lines, "start")))
    assert "Started capture point : CAP" in screen, screen


def stop(site):
    """What was received, dropped, oversized."""
    screen = site.console("R1", "monitor capture CAP stop")
    assert "Stopped capture point : CAP" in screen
    return tuple(int(n) for n in re.findall(r"Packets \w+ - (\d+)", screen))


def test_both_sides_of_the_encryption_are_seen_as_a_stranger_sees_them(site):
    start(site, "interface GigabitEthernet0/0 both", "interface GigabitEthernet0/1 both")
    with site.capture() as wire:
        assert site.ping(count=4) == (4, 4)
    received, dropped, oversized = stop(site)
    assert received > 20 and (dropped, oversized) == (0, 0)
    ours = exported(site)
    assert os.stat(ours.path).st_mode & 0o777 == 0o600
    outer = 'frame.interface_name == "GigabitEthernet0/0" && (esp || isakmp)'
    fields = ("ip.src", "ip.dst", "ip.id", "ip.len", "esp.spi", "esp.sequence", "isakmp.ispi", "isakmp.messageid")
    for sender in ("203.0.113.1", "198.51.100.2"):          # what crosses in both directions at once has no order
        assert ours.read(f"{outer} && ip.src == {sender}", *fields) == wire.read(f"(esp || isakmp) && ip.src == {sender}", *fields)
    assert len(ours.read(outer + " && esp")) == 8
    assert len(ours.read("frame.interface_name == \"GigabitEthernet0/0\" && esp && frame.packet_flags_direction == 2")) == 4
    assert ours.read("frame.interface_name == \"GigabitEthernet0/0\" && icmp && ip.addr == 192.168.1.10") == []
    assert len(ours.read("frame.interface_name == \"GigabitEthernet0/1\" && icmp")) == 8
    assert ours.read("_ws.malformed || ip.checksum.status == 0 || udp.checksum.status == 0",
                     options=("-o", "ip.check_checksum:TRUE", "-o", "udp.check_checksum:TRUE")) == []


def test_show_says_the_same(site):
    start(site, "interface gi0/0 both", "match ipv4 any any")
    assert site.ping(count=2) == (2, 2)
    stop(site)
    show = site.show("R1", "show monitor capture CAP buffer brief")
    spis = re.findall(r"ESP \d+ ESP \(SPI=0x(\w{8})\), seq=(\d+)", show)
    packets = exported(site).read("esp", "esp.spi", "esp.sequence")
    assert [f"0x{spi}\t{seq}" for spi, seq in spis] == packets and len(packets) == 4
    sas = site.show("R1", "show crypto ipsec sa | include spi:")
    assert {int(spi, 16) for spi, _ in spis} <= {int(spi, 16) for spi in re.findall(r"0x(\w+)\(", sas)}
    detailed = site.show("R1", "show monitor capture CAP buffer detailed")
    assert sorted(re.findall(r"ESP \(SPI.*\n +Interface GigabitEthernet0/0, (in|out)", detailed)) == ["in", "in", "out", "out"]
    assert "match ipv4 any any" in site.show("R1", "show monitor capture CAP parameter")
    assert "Status : Inactive" in site.show("R1", "show monitor capture CAP")
    assert "monitor capture" not in site.show("R1", "show running-config")
    site.console("R1", "monitor capture CAP clear")
    assert "Buffer is empty" in site.show("R1", "show monitor capture CAP buffer")


def test_an_access_list_chooses_and_its_changes_count_at_once(site):
    site.configure("R1", "ip access-list extended ONLY", "permit icmp host 192.168.1.10 any")
    start(site, "interface gi0/1 both access-list ONLY")
    assert site.ping(count=2) == (2, 2)
    site.configure("R1", "ip access-list extended ONLY", "permit icmp any host 192.168.1.10")
    assert site.ping(count=2) == (2, 2)
    site.configure("R1", "no ip access-list extended ONLY")
    assert site.ping(count=2) == (2, 2)
    stop(site)
    seen = [line.split("\t")[0] for line in exported(site).read("", "ip.src", "frame.protocols")]
    assert seen[:2] == ["192.168.1.10"] * 2 and sorted(seen[2:]) == ["192.168.1.10"] * 2 + ["192.168.2.10"] * 2, seen


def test_one_direction(site):
    start(site, "interface gi0/1 in", "match ipv4 any any")
    assert site.ping(count=3) == (3, 3)
    stop(site)
    assert set(exported(site).read("icmp", "ip.src")) == {"192.168.1.10"}
    start(site, "clear", "interface gi0/1 out")
    assert site.ping(count=3) == (3, 3)
    stop(site)
    assert set(exported(site).read("icmp", "ip.src")) == {"192.168.2.10"}


def test_limits_end_a_capture_and_the_log_says_which(site):
    start(site, "interface gi0/1 in match ipv4 any any", "limit packets 2 packet-length 64")
    assert site.ping(count=4, size=400) == (4, 4)
    until(lambda: "CAP disabled. Reason : Packet limit reached" in site.show("R1", "show logging"), 10, "the end")
    assert exported(site).read("", "frame.len", "frame.cap_len") == ["442\t64", "442\t64"]
    site.console("R1", "no monitor capture CAP limit", "monitor capture CAP limit duration 1", "monitor capture CAP start")
    until(lambda: "Reason : Capture duration expired" in site.show("R1", "show logging"), 20, "the end")
    assert "Status : Inactive" in site.show("R1", "show monitor capture CAP")


def load(site, megabytes):
    """A TCP stream from hostA to hostB."""
    listen = site.start("hostB", "python3", "-c", (
        "import socket;s=socket.create_server(('192.168.2.10',7000));print('up',flush=True);c=s.accept()[0];n=0\n"
        "while d:=c.recv(1<<20): n+=len(d)\nprint(n)"))
    assert listen.stdout.readline() == "up\n"
    site.run("hostA", "python3", "-c", (
        f"import socket;c=socket.create_connection(('192.168.2.10',7000));c.sendall(bytes({megabytes}<<20));c.close()"))
    assert int(listen.communicate(timeout=300)[0]) == megabytes << 20


def test_super_packets_stand_in_the_file_as_they_are_on_the_wire(site):
    start(site, "interface gi0/0 both", "interface gi0/1 both", "buffer size 40")
    load(site, 6)
    received, dropped, _ = stop(site)
    ours = exported(site)
    assert received > 8000 and dropped == 0
    assert ours.read("frame.len > 1514") == []
    assert ours.read("!icmp && (tcp.checksum.status == 0 || ip.checksum.status == 0)",
                     options=("-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE")) == []


def test_a_linear_buffer_ends_and_a_circular_one_keeps_the_newest(site):
    start(site, "interface gi0/1 both", "buffer size 1")
    load(site, 3)
    site.log_has("R1", "CAP disabled. Reason : Capture buffer full")
    first = site.show("R1", "show monitor capture CAP buffer | include TCP").split("\n")[0]
    assert "[SYN]" in first
    start(site, "clear", "buffer size 1 circular")
    load(site, 3)
    site.console("R1", "monitor capture CAP stop")
    screen = site.show("R1", "show monitor capture CAP buffer | include TCP")
    assert "FIN" in screen and "[SYN]" not in screen
    assert exported(site).read("_ws.malformed") == []


@pytest.mark.parametrize("line, answer", [
    ("monitor capture CAP start", "% Capture CAP does not exist"),
    ("show monitor capture CAP", "% Capture CAP does not exist"),
    ("monitor capture CAP interface gi0/9 both", "% Interface GigabitEthernet0/9 does not exist"),
    ("monitor capture CAP access-list NOSUCH", "% Access list NOSUCH does not exist"),
    ("monitor capture CAP buffer size 101", "% Invalid input detected"),
    ("monitor capture CAP interface gi0/0", "% Incomplete command."),
])
def test_what_cannot_be_is_refused(site, line, answer):
    assert answer in site.console("R1", line)
    assert "does not exist" in site.console("R1", "show monitor capture CAP")


def test_a_running_capture_is_not_changed(site):
    assert "no interface specified" in site.console("R1", "monitor capture CAP match any", "monitor capture CAP start")
    start(site, "interface gi0/0 both")
    for line in ("buffer size 5", "clear", "start", "interface gi0/1 in", "export flash:X.pcap"):
        assert "% Capture CAP is active; stop it first" in site.console("R1", f"monitor capture CAP {line}"), line
    assert "% Capture CAP is active" in site.console("R1", "no monitor capture CAP")
    screen = site.console("R1", "monitor capture CAP stop", "monitor capture CAP export tftp:X.pcap", "monitor capture CAP export flash:../x")
    assert screen.count("(Invalid argument)") == 2


DECODE = f"{ROOT}/tests/captures/decode"


def decoded(path, display_filter, *fields, options=()):
    done = subprocess.run([DECODE, path, "-n", *options, "-Y", display_filter, "-T", "fields", *(w for f in fields for w in ("-e", f))],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return [line for line in done.stdout.split("\n") if line]


def keys_in(path):
    done = subprocess.run(["capinfos", "-k", path], capture_output=True, text=True)
    return re.findall(r"uat:(\w+):(.*)", done.stdout)


def test_with_keys_wireshark_opens_ike_and_esp(site):
    site.console("R1", "clear crypto session")
    assert site.ping(count=1) == (1, 1)                        # an SA from before the switch: its keys are not kept
    site.console("R1", "debug crypto keys")
    assert "Keys of new SAs are kept" in site.show("R1", "show debugging")
    site.console("R1", "clear crypto session")
    start(site, "interface gi0/0 both")
    assert site.ping(count=2) == (2, 2)
    stop(site)
    site.console("R1", "clear crypto session")
    assert site.ping(count=1) == (1, 1)                        # kept as well, but no packet of the capture is theirs
    screen = site.console("R1", "monitor capture CAP export flash:K.pcap with-keys", "n", "dir")
    assert "who has the file reads that traffic" in screen and "Exported" not in screen and "K.pcap\n" not in screen.split("dir\n")[1]
    screen = site.console("R1", "monitor capture CAP export flash:K.pcap with-keys", "")
    assert re.search(r"\d+ keys are in the file\nExported Successfully", screen), screen
    path = f"/var/tmp/postern-lab/{site.name}/R1/data/flash/K.pcap"
    assert os.stat(path).st_mode & 0o777 == 0o600
    keys = keys_in(path)
    assert [table for table, _ in keys].count("ikev1_decryption_table") == 1
    spis = set(Capture(site, path).read("esp", "esp.spi"))
    assert {line.split('"')[7] for table, line in keys if table == "esp_sa"} == spis
    assert decoded(path, "esp && icmp", "esp.icv_good", "icmp.type", "ip.src") == [
        "1\t8\t203.0.113.1,192.168.1.10", "1\t0\t198.51.100.2,192.168.2.10"] * 2
    assert len(decoded(path, "isakmp.exchangetype == 32 && isakmp.typepayload == 5", "isakmp.id.data.ipv4_addr")) >= 2
    assert decoded(path, "_ws.expert.severity >= 0x600000", "_ws.expert.message") == []
    logs = site.show("R1", "show logging") + site.show("R1", "show monitor capture") + site.show("R1", "show debugging")
    for word in re.findall(r"[0-9a-f]{32,}", str(keys)):
        assert word not in logs.lower()
    site.console("R1", "no debug crypto keys")
    assert "No keys of these packets' SAs are kept" in site.console("R1", "monitor capture CAP export flash:K2.pcap with-keys", "")
    assert "%CRYPTO-5-KEYEXPORT: Keys of new IPsec SAs are kept no longer" in site.show("R1", "show logging")


def test_undebug_all_forgets_the_keys_and_a_capture_without_keys_has_none(site):
    site.console("R1", "debug crypto keys", "clear crypto session")
    start(site, "interface gi0/0 both")
    assert site.ping(count=1) == (1, 1)
    stop(site)
    assert keys_in(exported(site).path) == []
    site.console("R1", "undebug all")
    assert site.show("R1", "show debugging").strip() == ""
    assert "No keys of these packets' SAs are kept" in site.console("R1", "monitor capture CAP export flash:K2.pcap with-keys", "")


def test_memory_is_bounded_over_all_captures(site):
    three = [line for name in "ABC" for line in (f"monitor capture {name} interface gi0/0 both", f"monitor capture {name} buffer size 90",
                                                 f"monitor capture {name} start")]
    screen = site.console("R1", *three)
    assert screen.count("Started capture point") == 2
    assert "% Unable to activate Capture C: the buffers of all captures may have 200 MB together" in screen
    screen = site.console("R1", "monitor capture A stop", "no monitor capture A", "monitor capture C start", "monitor capture B stop",
                          "monitor capture C stop", "no monitor capture B", "no monitor capture C", "show monitor capture")
    assert "Started capture point : C" in screen and "Status Information" not in screen


def test_a_capture_outlives_its_interface_and_ends_with_datapathd(site):
    site.configure("R1", "interface Loopback9", "ip address 10.9.9.9 255.255.255.255")
    start(site, "interface Loopback9 both", "match ipv4 any any")
    site.configure("R1", "no interface Loopback9")
    site.configure("R1", "interface Loopback9", "ip address 10.9.9.9 255.255.255.255")
    assert "Status : Active" in site.show("R1", "show monitor capture CAP")
    site.kill("R1", "datapathd")
    until(lambda: "does not exist" in site.show("R1", "show monitor capture CAP"), 30, "the new datapathd")
    assert site.ping(count=2, wait=20)[1] >= 1


def test_only_privilege_15_captures(site):
    screen = site.console("R1", "monitor capture CAP match any", "disable", "monitor capture CAP start", "show monitor capture", "debug crypto keys")
    assert screen.count("% Invalid input detected") == 3


def test_with_nothing_to_see_the_engine_goes_its_quick_way_again(site):
    """A capture on the sending host, started by nobody of ours, sees the engine's packets only while a capture runs."""
    def seen_by_a_stranger_here():
        dump = site.start("R1", "sh", "-c", "echo $$; exec tcpdump -n -l --immediate-mode -i gi0-0 esp or icmp")
        pid = dump.stdout.readline().strip()
        lines = iter(dump.stdout.readline, "")
        assert any("listening on" in line for line in lines)
        assert site.ping(count=3) == (3, 3)
        site.run("R1", "ping", "-n", "-c", "1", "203.0.113.254")                  # what has crossed before it has been seen
        seen = []
        for line in lines:
            if "203.0.113.254 > 203.0.113.1: ICMP echo reply" in line:
                break
            seen.append(line)
        site.run("R1", "kill", pid)
        dump.communicate(timeout=300)
        return sum("203.0.113.1 > 198.51.100.2: ESP" in line for line in seen)
    assert site.ping(count=1) == (1, 1)
    assert seen_by_a_stranger_here() == 0
    start(site, "interface gi0/0 both")
    assert seen_by_a_stranger_here() == 3
    stop(site)
    assert seen_by_a_stranger_here() == 0


encapsulated = site_fixture("moncapudp", peer="strongswan")


def test_esp_in_udp_is_seen_packet_by_packet_in_both_directions(encapsulated):
    """strongSwan's own ESP comes in UDP; both ends send and take runs of packets as one where they can."""
    site = encapsulated
    site.console("R1", "debug crypto keys")
    start(site, "interface gi0/0 both", "buffer size 40")
    until(lambda: site.ping(count=1) == (1, 1), 30, "an answer through the new tunnel")
    load(site, 3)
    received, dropped, _ = stop(site)
    site.console("R1", "monitor capture CAP export flash:CAP.pcap with-keys", "")
    path = f"/var/tmp/postern-lab/{site.name}/R1/data/flash/CAP.pcap"
    ours = Capture(site, path)
    assert dropped == 0 and received > 2200
    assert ours.read("frame.len > 1514") == []
    assert ours.read("udp.checksum.status == 0 || ip.checksum.status == 0", options=("-o", "ip.check_checksum:TRUE", "-o", "udp.check_checksum:TRUE")) == []
    opened = decoded(path, "udp.port == 4500 && esp", "esp.icv_good", "frame.packet_flags_direction", "esp.sequence", options=("--disable-protocol", "tcp"))
    assert {line.split("\t")[0] for line in opened} == {"1"}
    for direction in ("0x00000001", "0x00000002"):           # every packet, once
        numbers = [int(line.split("\t")[2]) for line in opened if line.split("\t")[1] == direction]
        assert sorted(numbers) == list(range(1, len(numbers) + 1)) and len(numbers) > 10        # an acknowledgement may be for many
    site.console("R1", "undebug all")
