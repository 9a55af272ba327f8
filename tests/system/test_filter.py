"""The filter with real packets, without IKE: configd and datapathd alone on a router made of three namespaces.

    inside 192.168.1.10 -- gi0-1 192.168.1.1 R 203.0.113.1 gi0-0 -- outside 203.0.113.254 (and whatever lies behind)

The two ends are raw sockets: what is sent is written byte by byte, what arrives is what crossed the router.
"""
import ctypes
import logging
import os
import re
import select
import socket
import struct
import subprocess
import sys
import tempfile
import time

import pytest

sys.path.insert(0, os.path.dirname(__file__))
import rig  # noqa: E402

logging.getLogger("scapy.runtime").setLevel(logging.ERROR)
from scapy.all import AH, ARP, ESP, ICMP, IP, TCP, UDP, Ether, Raw, fragment  # noqa: E402

pytestmark = [
    pytest.mark.xdist_group("filter"),
    pytest.mark.skipif(os.geteuid() != 0, reason="needs namespaces"),
]

INSIDE, OUTSIDE, SERVER = "192.168.1.10", "203.0.113.254", "198.51.100.9"
MAC = {"gi0-0": "02:00:00:00:00:01", "out0": "02:00:00:00:00:02", "gi0-1": "02:00:00:00:01:01", "in0": "02:00:00:00:01:02"}
ACL_DUMP, DROP_DUMP, CLEAR_COUNTERS, NOT_IPSEC = 66, 67, 69, 8
libc = ctypes.CDLL(None, use_errno=True)


def sh(*lines):
    for line in lines:
        subprocess.run(line.split(), check=True, capture_output=True)


class Wire:
    """A raw socket on an interface of another namespace. `address`: the router's there."""

    def __init__(self, netns, device, own_address, address):
        self.question = bytes(Ether(src=MAC[device], dst="ff:ff:ff:ff:ff:ff") / ARP(hwsrc=MAC[device], psrc=own_address, pdst=address))
        own = os.open("/proc/self/ns/net", os.O_RDONLY)
        other = os.open(f"/run/netns/{netns}", os.O_RDONLY)
        try:
            assert libc.setns(other, 0x40000000) == 0
            self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0800))
            self.socket.bind((device, 0x0800))
            self.arp = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0806))
            self.arp.bind((device, 0x0806))
            self.arp.settimeout(60)
        finally:
            libc.setns(own, 0x40000000)
            os.close(own)
            os.close(other)

    def send(self, *packets, to):
        """Sends, and waits until the router's kernel has worked on all of it: on one processor it answers an ARP request only then."""
        frames = [bytes(Ether(src="02:00:00:00:99:99", dst=MAC[to]) / packet) for packet in packets]
        allowed = os.sched_getaffinity(0)
        os.sched_setaffinity(0, {min(allowed)})
        try:
            for frame in frames:
                self.socket.send(frame)
            self.arp.send(self.question)
            while self.arp.recv(100)[20:22] != b"\0\2":
                pass
        finally:
            os.sched_setaffinity(0, allowed)

    def received(self, wait=0.3):
        """The IP packets that arrive until it is quiet for `wait` seconds."""
        got = []
        while select.select([self.socket], [], [], wait)[0]:
            frame, address = self.socket.recvfrom(65536)
            if address[2] != socket.PACKET_OUTGOING:
                got.append(Ether(frame)[IP])
        return got


class Router:
    def __init__(self, config):
        self.id = f"flt{os.getpid()}"
        self.dir = tempfile.mkdtemp(prefix="postern-filter-")
        os.chmod(self.dir, 0o755)
        for folder in ("run", "data"):
            os.mkdir(f"{self.dir}/{folder}")
        self.programs = []
        self.spaces = [f"{self.id}-{n}" for n in ("r", "in", "out")]
        router, inside, outside = self.spaces
        self.links(router, inside, outside)
        self.inside, self.outside = Wire(inside, "in0", INSIDE, "192.168.1.1"), Wire(outside, "out0", OUTSIDE, "203.0.113.1")
        self.start("configd", "--initial", self.file("first.cfg", config))
        self.start("datapathd")
        rig.until(lambda: "gi0-0" in self.nft("list", "ruleset"), 60, "the filter")

    def links(self, router, inside, outside):
        for space in self.spaces:
            sh(f"ip netns add {space}", f"ip -n {space} link set lo up")
        for device, peer, space in (("gi0-0", "out0", outside), ("gi0-1", "in0", inside)):
            sh(f"ip -n {router} link add {device} address {MAC[device]} type veth peer name {peer} netns {space} address {MAC[peer]}",
               f"ip -n {router} link set {device} up", f"ip -n {space} link set {peer} up",
               f"ip netns exec {router} sysctl -qw net.ipv6.conf.{device}.disable_ipv6=1")
        sh(f"ip -n {router} addr add 203.0.113.1/24 dev gi0-0", f"ip -n {router} addr add 192.168.1.1/24 dev gi0-1",
           f"ip -n {router} route add default via {OUTSIDE}",
           f"ip -n {router} neigh add {OUTSIDE} lladdr {MAC['out0']} dev gi0-0",
           f"ip -n {router} neigh add {INSIDE} lladdr {MAC['in0']} dev gi0-1",
           f"ip netns exec {router} sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.rp_filter=0")

    def file(self, name, text):
        path = f"{self.dir}/{name}"
        with open(path, "w") as file:
            file.write(text)
        return path

    def start(self, program, *options):
        log = open(f"{self.dir}/{program}.log", "a")
        command = ["ip", "netns", "exec", self.spaces[0], f"{rig.BIN}/{program}", "--run-dir", f"{self.dir}/run", "--data-dir",
                   f"{self.dir}/data", *options]
        # Only a sanitizer build looks at it: its leak checker needs what the filter forbids.
        process = subprocess.Popen(command, stderr=log, stdout=log, env={**os.environ, "POSTERN_NO_SECCOMP": "1"})
        self.programs.append(process)
        rig.until(lambda: os.path.exists(f"{self.dir}/run/{program}"), 60, program)
        return process

    def down(self):
        for process in reversed(self.programs):
            process.terminate()
        statuses = [process.wait(60) for process in self.programs]
        for space in self.spaces:
            subprocess.run(["ip", "netns", "del", space])
        said = self.log("datapathd")
        subprocess.run(["rm", "-rf", self.dir])
        assert not re.search(r"Sanitizer|runtime error", said), said
        return statuses

    def log(self, program="datapathd"):
        with open(f"{self.dir}/{program}.log", errors="replace") as file:
            return file.read()

    def nft(self, *words):
        return subprocess.run(["ip", "netns", "exec", self.spaces[0], "nft", *words], capture_output=True, text=True).stdout

    def ask(self, kind, body=b""):
        """One question to datapathd; the bodies of the answer."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as door:
            door.settimeout(60)
            door.connect(f"{self.dir}/run/datapathd")
            door.send(struct.pack("<IIIhH", kind, len(body), 1, 0, 0) + body)
            bodies = []
            while True:
                answer = door.recv(65536)
                _, _, _, status, flags = struct.unpack_from("<IIIhH", answer)
                if not flags & 1:
                    assert status == 0
                    return bodies
                bodies.append(answer[16:])

    def matches(self, name):
        """{line: matches} of a list."""
        found = {}
        for body in self.ask(ACL_DUMP):
            acl, seq, count = struct.unpack_from("<80sI4xQ", body)
            if acl.rstrip(b"\0").decode() == name:
                found[seq] = found.get(seq, 0) + count
        return found

    def not_ipsec(self):
        return {body[0]: struct.unpack_from("<8xQ", body)[0] for body in self.ask(DROP_DUMP)}[NOT_IPSEC]

    def configure(self, *lines):
        """Types lines at the console, and waits until the filter is the new one."""
        typed = "enable\nconfigure terminal\n" + "\n".join(lines) + "\nend\n"
        subprocess.run(["ip", "netns", "exec", self.spaces[0], f"{rig.BIN}/postern", "--run-dir", f"{self.dir}/run", "--data-dir",
                        f"{self.dir}/data"], input=typed, text=True, capture_output=True, timeout=120)


LONG = [f"{'permit' if n % 2 else 'deny'} tcp host 10.1.{n // 250}.{n % 250} any eq {1000 + n}" for n in range(1000)]
CONFIG = f"""
hostname R
crypto isakmp policy 10
 authentication pre-share
crypto isakmp key k address 198.51.100.2
crypto ipsec transform-set TS esp-aes esp-sha-hmac
crypto map VPN 10 ipsec-isakmp
 set peer 198.51.100.2
 set transform-set TS
 match address FIRST
crypto map VPN 20 ipsec-isakmp
 set peer 198.51.100.3
 set transform-set TS
 match address SECOND
interface GigabitEthernet0/0
 ip address 203.0.113.1 255.255.255.0
 ip access-group FROM-OUTSIDE in
 crypto map VPN
 no shutdown
interface GigabitEthernet0/1
 ip address 192.168.1.1 255.255.255.0
 ip access-group TO-INSIDE out
 ip tcp adjust-mss 1300
 no shutdown
ip access-list extended FIRST
 deny ip any 192.168.7.0 0.0.0.255
 permit ip 192.168.1.0 0.0.0.255 192.168.0.0 0.0.255.255
ip access-list extended SECOND
 permit tcp 192.168.1.0 0.0.0.255 192.168.7.0 0.0.0.255 eq 443
ip access-list extended FROM-OUTSIDE
 permit esp any host 203.0.113.1
 permit tcp any any established
 permit icmp any any echo-reply
 deny tcp any any eq 23 log
 permit udp any any eq 53 5000
 deny udp any any range 6000 6100
 permit udp any any dscp ef
 permit ip 192.168.0.0 0.0.255.255 any
 deny icmp any any fragments
 permit icmp any host {INSIDE} time-exceeded
ip access-list extended TO-INSIDE
 deny tcp any any eq 5001
 permit ip any any
ip access-list extended LONG
 {chr(10).join(LONG)}
 permit ip any any
end
"""


@pytest.fixture(scope="module")
def router():
    made = Router(CONFIG)
    try:
        yield made
    finally:
        made.down()


def into(router, *packets):
    """Sends from outside; what arrives inside."""
    router.inside.received(0.05)
    router.outside.send(*packets, to="gi0-0")
    return router.inside.received()


def out(router, *packets):
    """Sends from inside; what arrives outside, without the router's own answers to those that it denied."""
    router.outside.received(0.05)
    router.inside.send(*packets, to="gi0-1")
    return [p for p in router.outside.received() if not (ICMP in p and p[ICMP].type == 3 and p[ICMP].code == 13)]


def change(router, name, before, **wanted):
    """By how much each line's matches have grown; lines are named l10, l20 ..."""
    now = router.matches(name)
    grown = {f"l{seq}": now[seq] - before.get(seq, 0) for seq in now if now[seq] != before.get(seq, 0)}
    assert grown == wanted


def server(to=INSIDE, **options):
    return IP(src=SERVER, dst=to, **options)


def test_first_match_wins_and_is_counted(router):
    before = router.matches("FROM-OUTSIDE")
    assert len(into(router, server() / TCP(sport=80, dport=1025, flags="A"))) == 1
    assert into(router, server() / TCP(sport=80, dport=1025, flags="S")) == []       # the implicit deny
    assert into(router, server() / TCP(sport=80, dport=23, flags="S")) == []
    assert len(into(router, server() / TCP(sport=80, dport=23, flags="A"))) == 1     # established comes first
    assert len(into(router, server() / ICMP(type=0))) == 1
    assert into(router, server() / ICMP(type=8)) == []
    change(router, "FROM-OUTSIDE", before, l20=2, l30=1, l40=1)


def test_port_lists_ranges_and_dscp(router):
    before = router.matches("FROM-OUTSIDE")
    arrived = into(router, *(server() / UDP(sport=9, dport=port) for port in (53, 54, 5000, 5999, 6000, 6100, 6101)))
    assert [p.dport for p in arrived] == [53, 5000]
    arrived = into(router, *(server(tos=46 << 2) / UDP(sport=9, dport=port) for port in (6000, 6101)))
    assert [p.dport for p in arrived] == [6101]
    change(router, "FROM-OUTSIDE", before, l50=2, l60=3, l70=1)


def test_fragments(router):
    """A later fragment matches what permits by its addresses, passes over denies that look at ports, and meets `fragments`."""
    before = router.matches("FROM-OUTSIDE")
    whole = server(id=7) / UDP(sport=9, dport=53) / Raw(b"x" * 3000)
    assert len(into(router, *fragment(whole, 1400))) == 3
    denied = server(id=8) / UDP(sport=9, dport=6000) / Raw(b"x" * 2000)
    assert [p.frag for p in into(router, *fragment(denied, 1400))] != [0]
    change(router, "FROM-OUTSIDE", before, l50=3 + 1, l60=1)
    before = router.matches("FROM-OUTSIDE")
    # permit icmp echo-reply takes its later fragments too; a line for other ICMP would be `deny ... fragments`
    assert len(into(router, *fragment(server(id=9) / ICMP(type=0) / Raw(b"x" * 2000), 1400))) == 2
    change(router, "FROM-OUTSIDE", before, l30=2)


def test_log_line(router):
    into(router, server() / TCP(sport=4321, dport=23, flags="S"))
    line = r"%SEC-6-IPACCESSLOGP: list FROM-OUTSIDE denied tcp 198\.51\.100\.9\(4321\) -> 192\.168\.1\.10\(23\), 1 packet"
    rig.until(lambda: re.search(line, router.log()), 3, "the log line")


def test_outbound_list_sees_forwarded_packets_only(router):
    before = router.matches("TO-INSIDE")
    assert into(router, server() / TCP(sport=80, dport=5001, flags="A")) == []
    assert len(into(router, server() / TCP(sport=80, dport=5002, flags="A"))) == 1
    change(router, "TO-INSIDE", before, l10=1, l20=1)
    before = router.matches("TO-INSIDE")
    router.inside.received(0.05)
    connecting = subprocess.Popen(["ip", "netns", "exec", router.spaces[0], "bash", "-c", f": > /dev/tcp/{INSIDE}/5001"], stderr=subprocess.DEVNULL)
    rig.until(lambda: any(TCP in p and p.dport == 5001 for p in router.inside.received()), 20, "the router's own SYN")
    connecting.kill()
    connecting.wait()
    change(router, "TO-INSIDE", before)


def mss(packet):
    return dict(packet[TCP].options).get("MSS")


def test_adjust_mss(router):
    syn = IP(src=INSIDE, dst=SERVER) / TCP(sport=1, dport=2, flags="S", options=[("MSS", 1460)])
    assert [mss(p) for p in out(router, syn)] == [1300]
    small = IP(src=INSIDE, dst=SERVER) / TCP(sport=1, dport=2, flags="S", options=[("MSS", 1000)])
    assert [mss(p) for p in out(router, small)] == [1000]
    back = server() / TCP(sport=2, dport=1, flags="SA", options=[("MSS", 1460)])
    assert [mss(p) for p in into(router, back)] == [1300]


def test_crypto_map_takes_what_it_permits(router):
    """Permit: to the engine, never out in clear. Deny: the next entry of the map; no entry: in clear."""
    def packet(to, **ports):
        return IP(src=INSIDE, dst=to) / TCP(flags="S", **ports)
    assert out(router, packet("192.168.2.1", sport=1, dport=2)) == []
    assert len(out(router, packet("192.168.7.1", sport=1, dport=80))) == 1
    assert out(router, packet("192.168.7.1", sport=1, dport=443)) == []
    assert len(out(router, packet(SERVER, sport=1, dport=2))) == 1
    assert router.matches("FIRST").get(10, 0) >= 2


def test_clear_text_that_should_have_been_encrypted(router):
    before, lines = router.not_ipsec(), router.matches("FROM-OUTSIDE")
    clear = IP(src="192.168.2.1", dst=INSIDE) / UDP(sport=1, dport=7)
    assert into(router, *[clear] * 20) == []
    rig.until(lambda: router.not_ipsec() - before == 20, 3, "the exact count")
    change(router, "FROM-OUTSIDE", lines, l80=20)
    line = r"%CRYPTO-4-RECVD_PKT_NOT_IPSEC: Rec'd packet not an IPSEC packet\. \(ip\) vrf/dest_addr= /192\.168\.1\.10, " \
           r"src_addr= 192\.168\.2\.1, prot= 17"
    rig.until(lambda: re.search(line, router.log()), 3, "the log line")
    assert len(re.findall(line, router.log())) == 1
    # The same from a network that the first entry denies and the second does not name is clear text by right.
    assert len(into(router, IP(src="192.168.7.1", dst=INSIDE) / UDP(sport=1, dport=7))) == 1
    assert into(router, IP(src="192.168.7.1", dst=INSIDE) / TCP(sport=443, dport=7, flags="A")) == []


def test_esp_is_the_engines(router):
    """ESP to the router: counted by the access-group, and the kernel's copy ends here. Other routers' ESP goes its way."""
    before = router.matches("FROM-OUTSIDE")
    esp = IP(src="198.51.100.2", dst="203.0.113.1") / ESP(spi=4000, seq=1, data=b"x" * 64)
    into(router, esp)
    change(router, "FROM-OUTSIDE", before, l10=1)
    rig.until(lambda: "RECVD_PKT_INV_SPI" in router.log(), 5, "the engine to have had it")
    assert not any(ICMP in p for p in router.outside.received())     # nor does the kernel complain of an unknown protocol
    assert len(out(router, IP(src=INSIDE, dst=SERVER) / ESP(spi=5, seq=1, data=b"x" * 64))) == 1
    into(router, IP(src="198.51.100.2", dst="203.0.113.1") / AH(spi=1, seq=1, icv=b"x" * 12) / UDP())


def test_counts_survive_a_change_of_the_filter(router):
    into(router, server() / ICMP(type=0))
    before = router.matches("FROM-OUTSIDE")
    ruleset = router.nft("list", "ruleset")
    router.configure("access-list 150 deny ip any any", "interface GigabitEthernet0/1", "ip access-group 150 in")
    rig.until(lambda: "in_gi0-1" in router.nft("list", "ruleset"), 5, "the new filter")
    assert ruleset != router.nft("list", "ruleset")
    assert router.matches("FROM-OUTSIDE") == before
    assert out(router, IP(src=INSIDE, dst=SERVER) / ICMP()) == []
    router.configure("interface GigabitEthernet0/1", "no ip access-group 150 in")
    rig.until(lambda: "in_gi0-1" not in router.nft("list", "ruleset"), 5, "the old filter")
    assert len(out(router, IP(src=INSIDE, dst=SERVER) / ICMP())) == 1
    router.ask(CLEAR_COUNTERS, b"FROM-OUTSIDE".ljust(80, b"\0") + bytes(17))
    assert router.matches("FROM-OUTSIDE") == {}


def test_thousand_lines(router):
    """Few rules, and the right line counted."""
    router.configure("interface GigabitEthernet0/1", "ip access-group LONG in")
    rig.until(lambda: "10.1.3.249" in router.nft("list", "ruleset"), 60, "the long list")
    rules = [line for line in router.nft("list", "ruleset").splitlines() if "vmap @g" in line]
    assert len(rules) < 20
    def packet(n):
        return IP(src=f"10.1.{n // 250}.{n % 250}", dst=SERVER) / TCP(sport=1, dport=1000 + n, flags="S")
    assert [p.src for p in out(router, packet(777), packet(778), packet(5))] == ["10.1.3.27", "10.1.0.5"]
    matches = router.matches("LONG")
    assert {seq: matches[seq] for seq in (10 * 778, 10 * 779, 10 * 6)} == {7780: 1, 7790: 1, 60: 1}
    router.configure("interface GigabitEthernet0/1", "no ip access-group LONG in")


def test_never_in_clear_when_the_program_dies(router):
    """The rules and the TAP stay: what should be protected is dropped, all else passes; the next program goes on."""
    protected = IP(src=INSIDE, dst="192.168.2.1") / UDP(sport=1, dport=2)
    datapathd = router.programs[-1]
    subprocess.run(["pkill", "-9", "-P", str(datapathd.pid)])
    datapathd.kill()
    datapathd.wait()
    assert out(router, protected) == []
    assert len(out(router, IP(src=INSIDE, dst=SERVER) / UDP(sport=1, dport=2))) == 1
    os.unlink(f"{router.dir}/run/datapathd")
    router.start("datapathd")
    for _ in range(20):
        assert [p for p in out(router, protected) if p.dst == "192.168.2.1"] == []
        time.sleep(0.02)
    assert len(out(router, IP(src=INSIDE, dst=SERVER) / UDP(sport=1, dport=2))) == 1
