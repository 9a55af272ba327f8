"""What the settings of a router do, seen on packets and hosts: typed at the console, looked at from outside.

    hostA 192.168.1.10 -- R1 203.0.113.1 -- internet -- 198.51.100.2 R2 -- 192.168.2.10 hostB
"""
import re
import subprocess
import time

import pexpect
import pytest

from conftest import site_fixture
from rig import LAB, until

site = site_fixture("router")
bare = site_fixture("routerbare", bare=True)
pytestmark = pytest.mark.xdist_group("router")

SCAPY = "import logging; logging.getLogger('scapy').setLevel(40)\nfrom scapy.all import *\nconf.verb = 0\n"


@pytest.fixture(autouse=True)
def as_it_was(site):
    """Each test begins with the lab's configuration, whatever became of the one before."""
    before = {router: running(site, router) for router in ("R1", "R2")}
    yield
    for router in before:
        if without_keys(running(site, router)) != without_keys(before[router]):
            subprocess.run([LAB, "restart", "--name", site.name, router], check=True)


def without_keys(text):
    return re.sub(r"isakmp key 6 \S+", "isakmp key", text)


def configure(site, node, *lines):
    site.configure(node, *lines)


def up(site):
    until(lambda: site.ping(count=1, wait=2) == (1, 1), 30, "passing")


def plain_ping(site, size, node="hostA"):
    """One ping without DF; True if the answer came."""
    return "1 received" in site.run(node, "ping", "-n", "-c", "1", "-W", "30", "-M", "dont", "-s", str(size), "192.168.2.10", check=False)


def renew(site):
    """New SAs, as what was configured last wants them."""
    site.console("R1", "clear crypto session")
    site.run("hostA", "ip", "route", "flush", "cache")
    up(site)


def matches(site, acl, node="R1"):
    """Sequence number -> matches of a list's lines."""
    screen = site.show(node, f"show access-lists {acl}")
    return {int(n): int(count or 0) for n, count in re.findall(r"^ +(\d+) [^(\n]*(?:\((\d+) match(?:es)?\))?$", screen, re.M)}


def scapy(site, node, script):
    return site.run(node, "/usr/bin/python3", "-c", SCAPY + script)


def outer(wire, display_filter="esp && ip.src==203.0.113.1", *fields):
    return [line.split("\t") for line in wire.read(display_filter, *fields)]


# Access-groups


def test_access_group_in_denies_counts_and_logs(site):
    up(site)
    site.configure("R1", "access-list 110 deny icmp any host 192.168.2.10 echo log", "access-list 110 permit ip any any",
                   "interface GigabitEthernet0/1", "ip access-group 110 in")
    assert site.ping(count=4, wait=1)[1] == 0
    assert site.ping(to="192.168.1.1", count=2) == (2, 2)
    assert matches(site, 110) == {10: 4, 20: 2}
    site.log_has("R1", r"%SEC-6-IPACCESSLOGDP: list 110 denied icmp 192\.168\.1\.10 -> 192\.168\.2\.10 \(8/0\)")
    assert "Inbound  access list is 110" in site.show("R1", "show ip interface GigabitEthernet0/1")
    site.console("R1", "clear access-list counters 110")
    assert matches(site, 110) == {10: 0, 20: 0}
    site.configure("R1", "interface GigabitEthernet0/1", "no ip access-group 110 in", "no access-list 110")
    assert site.ping(count=2) == (2, 2)


def test_access_group_out_is_for_what_leaves(site):
    site.configure("R1", "ip access-list standard B-ONLY", "deny host 192.168.2.10", "permit any", "interface GigabitEthernet0/1",
                   "ip access-group B-ONLY out")
    assert site.ping(count=3, wait=1)[1] == 0  # the answers do not get out to hostA
    assert site.ping(to="203.0.113.254", count=1, wait=1)[1] == 0  # not routed back by the internet: only R1 knows hostA
    assert matches(site, "B-ONLY")[10] == 3
    site.configure("R1", "interface GigabitEthernet0/1", "no ip access-group B-ONLY out")
    assert site.ping(count=2) == (2, 2)
    site.configure("R1", "no ip access-list standard B-ONLY")


# Sends packets, and says what came of them: the wanted number of answers, and more if they come soon.
ANSWERS = """
import threading, time
def answers(*packets, wanted=0):
    listening, got, frames = threading.Event(), [], [bytes(p) for p in packets]
    sniffer = AsyncSniffer(iface='eth0', filter='icmp and ip src 192.168.1.1', started_callback=listening.set, prn=got.append)
    sniffer.start(); listening.wait()
    line = conf.L2socket(iface='eth0')
    for frame in frames: line.outs.send(frame)
    until = time.monotonic() + 30
    while len(got) < wanted and time.monotonic() < until: time.sleep(0.02)
    time.sleep(1.5)
    print(*(f'{a[ICMP].type}/{a[ICMP].code}:{a[ICMP].payload.dst}' for a in sniffer.stop()))
here, there = Ether(dst=getmacbyip('192.168.1.1')), IP(src='192.168.1.10', dst='192.168.2.10')
"""


def test_denied_packets_are_answered_as_administratively_prohibited(site):
    """ICMP 3/13 with the router's address, for hosts and for both directions of an access-group; one in 500 ms; never about ICMP
    errors, later fragments or broadcasts."""
    site.configure("R1", "access-list 110 deny ip host 192.168.1.10 any", "access-list 110 permit ip any any",
              "interface GigabitEthernet0/1", "ip access-group 110 in")
    assert "From 192.168.1.1 icmp_seq=1 Packet filtered" in site.run("hostA", "ping", "-n", "-c", "1", "-W", "30", "192.168.2.10", check=False)
    time.sleep(1)
    assert scapy(site, "hostA", ANSWERS + "answers(here/there/UDP(dport=9), here/there/UDP(dport=9), wanted=1)").split() == ["3/13:192.168.2.10"]
    assert scapy(site, "hostA", ANSWERS + """
answers(here/there/ICMP(type=3, code=1)/IP(src='192.168.2.10', dst='192.168.1.10')/UDP(),
        here/IP(src='192.168.1.10', dst='192.168.2.10', frag=100)/(b'x' * 64),
        Ether(dst='ff:ff:ff:ff:ff:ff')/IP(src='192.168.1.10', dst='192.168.1.255')/UDP(dport=9),
        Ether(dst='01:00:5e:00:00:09')/IP(src='192.168.1.10', dst='224.0.0.9')/UDP(dport=520))""").split() == []
    assert matches(site, 110)[10] == 7
    site.configure("R1", "interface GigabitEthernet0/1", "no ip access-group in", "no access-list 110")
    site.configure("R1", "access-list 110 deny udp any any", "access-list 110 permit ip any any",
              "interface GigabitEthernet0/0", "ip access-group 110 out")
    assert scapy(site, "hostA", ANSWERS + "answers(here/there/UDP(dport=9), wanted=1)").split() == ["3/13:192.168.2.10"]
    site.configure("R1", "interface GigabitEthernet0/0", "no ip access-group out", "no access-list 110")


def test_no_error_about_a_decrypted_packet_leaves_in_clear(site):
    """The outbound list denies what came out of the tunnel, or it expires. The answer carries its head: it leaves encrypted, from an
    inside address, whichever address the kernel took (R1's first interface is the inside one, the sysctl takes the outside one)."""
    up(site)
    site.configure("R1", "access-list 110 deny icmp any host 192.168.1.10 echo", "access-list 110 permit ip any any",
              "interface GigabitEthernet0/1", "ip access-group 110 out")
    deny = ["ping", "-n", "-c", "1", "-W", "30", "192.168.1.10"]
    expire = ["traceroute", "-n", "-q", "1", "-w", "30", "-f", "2", "-m", "2", "192.168.1.10"]
    for source in ("1", "0"):
        site.run("R1", "sysctl", "-q", "-w", f"net.ipv4.icmp_errors_use_inbound_ifaddr={source}")
        time.sleep(1)
        with site.capture() as wire:
            assert "From 192.168.1.1 icmp_seq=1 Packet filtered" in site.run("hostB", *deny, check=False)
            assert " 2  192.168.1.1 " in site.run("hostB", *expire)
        assert outer(wire, "icmp") == []
    site.run("R1", "sysctl", "-q", "-w", "net.ipv4.icmp_errors_use_inbound_ifaddr=1")
    assert matches(site, 110)[10] == 2
    site.configure("R1", "interface GigabitEthernet0/1", "no ip access-group out", "no access-list 110")
    assert " 2  192.168.2.1 " in site.run("hostA", "traceroute", "-n", "-q", "1", "-w", "30", "-f", "2", "-m", "2", "192.168.2.10")


def test_an_error_that_no_crypto_list_takes_is_not_sent(site):
    """The list permits no ICMP error: the answer about a decrypted packet has nowhere to go."""
    for router, line in (("R1", "permit icmp 192.168.1.0 0.0.0.255 192.168.2.0 0.0.0.255 echo-reply"),
                         ("R2", "permit icmp 192.168.2.0 0.0.0.255 192.168.1.0 0.0.0.255 echo")):
        acl = "SITE-B" if router == "R1" else "SITE-A"
        site.configure(router, f"no ip access-list extended {acl}", f"ip access-list extended {acl}", line)
    site.configure("R1", "access-list 110 deny icmp any host 192.168.1.10 echo", "access-list 110 permit ip any any",
              "interface GigabitEthernet0/1", "ip access-group 110 out")
    with site.capture() as wire:
        until(lambda: site.ping(node="hostB", to="192.168.1.10", count=1, wait=1) and matches(site, 110)[10] >= 2, 30, "denied at R1")
    assert outer(wire, "icmp") == []
    assert outer(wire, "esp && ip.src==203.0.113.1") == []


def test_access_group_on_the_outside_sees_esp_and_then_the_clear_packet(site):
    up(site)
    site.configure("R1", "ip access-list extended OUTSIDE", "permit udp host 198.51.100.2 any eq isakmp", "permit esp host 198.51.100.2 any",
                   "deny ip any any", "interface GigabitEthernet0/0", "ip access-group OUTSIDE in")
    assert site.ping(count=3, wait=1)[0] == 3
    until(lambda: matches(site, "OUTSIDE")[20] >= 3, 10, "the answers' ESP")
    answer = scapy(site, "internet", "a = sr1(IP(src='203.0.113.254', dst='203.0.113.1')/ICMP(), timeout=30); print(a.src, a.type, a.code)")
    assert answer.strip() == "203.0.113.1 3 13"
    site.configure("R1", "ip access-list extended OUTSIDE", "no 20")
    assert site.ping(count=2, wait=1)[1] == 0  # ESP itself is denied
    site.configure("R1", "interface GigabitEthernet0/0", "no ip access-group OUTSIDE in", "no ip access-list extended OUTSIDE")
    up(site)


def test_changed_list_acts_at_once_and_keeps_its_numbers(site):
    site.configure("R1", "ip access-list extended GROWING", "permit ip any any", "interface GigabitEthernet0/1", "ip access-group GROWING in")
    assert site.ping(count=1) == (1, 1)
    site.configure("R1", "ip access-list extended GROWING", "5 deny icmp any any echo")
    assert site.ping(count=1, wait=1)[1] == 0
    site.configure("R1", "ip access-list resequence GROWING 100 5")
    screen = site.show("R1", "show access-lists GROWING")
    assert re.findall(r"^ +(\d+) (?:permit|deny)", screen, re.M) == ["100", "105"], screen
    assert site.ping(count=1, wait=1)[1] == 0
    site.configure("R1", "ip access-list extended GROWING", "no 100")
    assert site.ping(count=1) == (1, 1)
    site.configure("R1", "interface GigabitEthernet0/1", "no ip access-group GROWING in", "no ip access-list extended GROWING")


# Interfaces


def test_a_port_that_the_box_lacks_is_no_valid_input(site):
    screen = site.console("R1", "configure terminal", "interface GigabitEthernet0/9", "end")
    assert re.search(r"^R1\(config\)#interface GigabitEthernet0/9\n {38}\^\n% Invalid input detected at '\^' marker\.\n", screen, re.M), screen
    assert "0/9" not in site.show("R1", "show running-config")
    site.run("R1", "ip", "link", "add", "gi0-9", "type", "veth", "peer", "name", "far9")
    until(lambda: "Invalid" not in site.console("R1", "configure terminal", "interface GigabitEthernet0/9", "end"), 10, "the new card")
    site.run("R1", "ip", "link", "del", "gi0-9")
    until(lambda: site.show("R1", "show ip interface brief").count("GigabitEthernet0/9") == 1, 10, "the card's line")
    site.configure("R1", "no interface GigabitEthernet0/9")
    assert "0/9" not in site.show("R1", "show running-config")


# Sizes


def listener(site, *words):
    """tcpdump at hostB, which hears from now on."""
    dump = site.start("hostB", "timeout", "120", "tcpdump", "-n", "-l", "--immediate-mode", "-i", "eth0", *words)
    for line in iter(dump.stdout.readline, ""):
        if "listening on" in line:
            return dump
    raise AssertionError("tcpdump has ended")


def syn_mss(site):
    """The MSS that hostB sees in a SYN of hostA."""
    listen = listener(site, "-c", "1", "tcp[tcpflags] & tcp-syn != 0 and dst port 5050")
    site.run("hostA", "timeout", "60", "bash", "-c", "exec 3<>/dev/tcp/192.168.2.10/5050", check=False)       # refused
    return int(re.search(r"mss (\d+)", listen.communicate(timeout=120)[0]).group(1))


def test_adjust_mss(site):
    up(site)
    assert syn_mss(site) == 1460
    site.configure("R1", "interface GigabitEthernet0/1", "ip tcp adjust-mss 1234")
    assert syn_mss(site) == 1234
    site.configure("R1", "interface GigabitEthernet0/1", "no ip tcp adjust-mss")
    assert syn_mss(site) == 1460


def test_ip_mtu(site):
    site.configure("R1", "interface GigabitEthernet0/0", "ip mtu 1300")
    try:
        assert "MTU is 1300 bytes" in site.show("R1", "show ip interface GigabitEthernet0/0")
        renew(site)
        with site.capture("ipmtu") as wire:
            assert plain_ping(site, 1400)
        assert max(int(line) for line in wire.read("esp && ip.src==203.0.113.1", "ip.len")) <= 1300
        plain = int(re.search(r"plaintext mtu (\d+), path mtu 1300, ip mtu 1300", site.show("R1", "show crypto ipsec sa")).group(1))
        # The interface's own limit is told first, then that of the tunnel on it.
        said = site.run("hostA", "ping", "-n", "-c", "3", "-W", "30", "-i", "0.5", "-M", "do", "-s", "1250", "192.168.2.10", check=False)
        assert re.search(rf"mtu ?= ?{plain}\b", said), said
    finally:
        site.configure("R1", "interface GigabitEthernet0/0", "no ip mtu")
    renew(site)


@pytest.mark.parametrize("df, plain, inner_df", [("copy", "0", "1"), ("set", "1", "1"), ("clear", "0", "0")])
def test_df_bit(site, df, plain, inner_df):
    site.configure("R1", f"crypto ipsec df-bit {df}")
    renew(site)
    with site.capture("df-" + df) as wire:
        assert plain_ping(site, 100)
        assert site.ping(count=1, size=200, df=True) == (1, 1)
    assert [row[0] for row in outer(wire, "esp && ip.src==203.0.113.1", "ip.flags.df")] == [plain, inner_df]
    site.configure("R1", "no crypto ipsec df-bit")


def test_fragmentation_before_and_after(site):
    for when, df, sizes in (("before", "copy", [False, False]), ("after", "copy", [True, True]), ("before", "set", [False, False]),
                            ("after", "set", [True, True])):
        site.configure("R1", f"crypto ipsec fragmentation {when}-encryption", f"crypto ipsec df-bit {df}")
        renew(site)
        with site.capture(when) as wire:
            assert plain_ping(site, 1460)
        rows = outer(wire, "ip.src==203.0.113.1 && ip.proto==50", "ip.flags.mf", "ip.frag_offset", "ip.len")
        assert [row[0] == "1" or row[1] != "0" for row in rows] == sizes, (when, df, rows)
        assert all(int(row[2]) <= 1500 for row in rows)
    site.configure("R1", "no crypto ipsec fragmentation", "no crypto ipsec df-bit")
    renew(site)


def test_df_clear_carries_what_is_too_big(site):
    site.configure("R1", "crypto ipsec df-bit clear")
    renew(site)
    assert site.ping(count=2, size=1472, df=True) == (2, 2)
    site.configure("R1", "no crypto ipsec df-bit")
    renew(site)


def test_path_mtu_is_learned_from_the_way(site):
    """A router on the internet says what it cannot pass: believed for an SA of ours only, and told to the host."""
    renew(site)
    until(lambda: "path mtu 1500" in site.show("R1", "show crypto ipsec sa"), 10, "what the test before this one changed is forgotten")
    screen = site.show("R1", "show crypto ipsec sa")
    spi = int(re.search(r"current outbound spi: 0x[0-9A-F]+\((\d+)\)", screen).group(1))
    error = ("send(IP(src='203.0.113.254', dst='203.0.113.1')/ICMP(type=3, code=4, nexthopmtu=%d)/"
             "IP(src='203.0.113.1', dst='198.51.100.2', proto=50, flags='DF', len=1500)/Raw((%d).to_bytes(4, 'big') + b'\\0\\0\\0\\1'), iface='r1')")
    scapy(site, "internet", error % (1100, spi ^ 1))             # had it been believed, it would be smaller than what follows
    scapy(site, "internet", error % (1200, spi))
    screen = until(lambda: (lambda s: s if "path mtu 1500" not in s else None)(site.show("R1", "show crypto ipsec sa")), 10, "learned")
    assert "path mtu 1200" in screen, screen
    plain = int(re.search(r"plaintext mtu (\d+)", screen).group(1))
    assert plain < 1200
    said = site.run("hostA", "ping", "-n", "-c", "1", "-W", "30", "-M", "do", "-s", "1300", "192.168.2.10", check=False)
    assert re.search(rf"mtu ?= ?{plain}\b", said), said
    site.run("hostA", "ip", "route", "flush", "cache")
    with site.capture("learned") as wire:
        assert site.ping(count=1, size=plain - 28, df=True) == (1, 1)
    assert int(wire.read("esp && ip.src==203.0.113.1", "ip.len")[0]) <= 1200
    renew(site)


def test_router_that_sends_what_is_too_big_has_no_new_route(site):
    before = site.show("R1", "show ip route")
    screen = site.console("R1", "ping 192.168.2.10 source GigabitEthernet0/1 size 1500 df-bit repeat 2")
    assert "MM" in screen, screen
    assert site.show("R1", "show ip route") == before


# What the outer header takes over: RFC 4301, 5.1.2 and RFC 6040


@pytest.mark.parametrize("tos", [0xB8, 0x28 | 1, 0x48 | 2])
def test_dscp_and_ecn_are_copied_out(site, tos):
    up(site)
    with site.capture("tos") as wire:
        site.run("hostA", "ping", "-n", "-c", "1", "-Q", str(tos), "192.168.2.10")
    rows = outer(wire, "esp && ip.src==203.0.113.1", "ip.dsfield")
    assert int(rows[0][0], 16) == tos


def test_congestion_on_the_way_is_told_inside(site):
    """CE set on the outer header between the routers arrives at hostB if the packet was ECN-capable, else the packet is dropped."""
    renew(site)
    rule = ("table ip congested { chain c { type filter hook forward priority 0; ip saddr 203.0.113.1 meta l4proto esp ip ecn set ce; }; }")
    site.run("internet", "nft", rule)
    try:
        listen = listener(site, "-v", "-c", "1", "icmp[icmptype] == icmp-echo")
        site.run("hostA", "ping", "-n", "-c", "1", "-W", "30", "-Q", "2", "192.168.2.10")
        assert "tos 0x3" in listen.communicate(timeout=120)[0]
        assert "1 received" not in site.run("hostA", "ping", "-n", "-c", "1", "-W", "1", "-Q", "0", "192.168.2.10", check=False)
    finally:
        site.run("internet", "nft", "delete", "table", "ip", "congested")
    up(site)


# Negotiated settings


@pytest.mark.parametrize("size", [64, 128, 256, 512, 1024])
def test_replay_window(site, size):
    site.configure("R1", f"crypto ipsec security-association replay window-size {size}")
    renew(site)
    assert f"replay window size: {size}\n" in site.show("R1", "show crypto ipsec sa detail")
    site.configure("R1", "no crypto ipsec security-association replay window-size")


def test_replayed_packet_is_dropped_and_counted(site):
    renew(site)
    script = ("import threading\ngot = sniff(iface='r1', filter='esp and dst host 198.51.100.2', count=3, timeout=60,"
              " started_callback=lambda: print('ready', flush=True))\n[sendp(Ether(src=p.src, dst=getmacbyip('198.51.100.2'))/p[IP], iface='r2') for p in got]\n")
    again = site.start("internet", "/usr/bin/python3", "-u", "-c", SCAPY + script)
    again.stdout.readline()
    assert site.ping(count=3) == (3, 3)
    again.communicate(timeout=120)
    until(lambda: re.search(r"replay failed \(rcv\): [3-9]", site.show("R2", "show crypto ipsec sa detail")), 10, "counted")
    site.log_has("R2", "%CRYPTO-4-PKT_REPLAY_ERR")


def test_pfs_with_the_same_group_and_refused_with_another(site):
    for router in ("R1", "R2"):
        site.configure(router, "crypto map VPN 10", "set pfs group14")
    renew(site)
    for router in ("R1", "R2"):
        assert "PFS (Y/N): Y, DH group: group14" in site.show(router, "show crypto ipsec sa")
    site.configure("R1", "crypto map VPN 10", "set pfs group5")  # R2 wants at least group 14
    site.console("R1", "clear crypto sa")
    assert site.ping(count=1, wait=3)[1] == 0
    until(lambda: re.search(r"Processing of Quick mode failed with peer at 203\.0\.113\.1", site.show("R2", "show logging")), 10, "refused")
    site.configure("R2", "crypto map VPN 10", "no set pfs")  # any group that is offered will do
    renew(site)
    assert "DH group: group5" in site.show("R1", "show crypto ipsec sa")
    site.configure("R1", "crypto map VPN 10", "no set pfs")
    renew(site)
    assert "PFS (Y/N): N, DH group: none" in site.show("R1", "show crypto ipsec sa")


def test_lifetimes_are_the_smaller_of_both_ends(site):
    site.configure("R1", "crypto map VPN 10", "set security-association lifetime seconds 900", "set security-association lifetime kilobytes 8192")
    site.configure("R2", "crypto ipsec security-association lifetime seconds 600")
    renew(site)
    for router in ("R1", "R2"):
        kb, s = re.search(r"remaining key lifetime \(k/sec\): \((\d+)/(\d+)\)", site.show(router, "show crypto ipsec sa")).groups()
        assert 300 < int(s) <= 600 and 8000 <= int(kb) <= 8192, (router, kb, s)
    site.configure("R1", "crypto map VPN 10", "no set security-association lifetime seconds", "no set security-association lifetime kilobytes")
    site.configure("R2", "no crypto ipsec security-association lifetime seconds")
    renew(site)


def test_changes_under_live_sas(site):
    """A transform-set is for new SAs; a list takes down what it no longer permits; a map taken off ends all."""
    renew(site)
    spi = re.search(r"current outbound spi: (0x[0-9A-F]+)", site.show("R1", "show crypto ipsec sa")).group(1)
    site.configure("R1", "crypto ipsec transform-set TS esp-aes 256 esp-sha-hmac")
    assert site.ping(count=2) == (2, 2)
    assert f"current outbound spi: {spi}" in site.show("R1", "show crypto ipsec sa")
    site.configure("R1", "crypto ipsec transform-set TS esp-aes 256 esp-sha256-hmac")
    site.configure("R1", "ip access-list extended SITE-B", "no 10", "10 permit ip host 192.168.1.99 192.168.2.0 0.0.0.255")
    until(lambda: spi not in site.show("R1", "show crypto ipsec sa"), 20, "cleared")
    site.configure("R1", "ip access-list extended SITE-B", "no 10", "10 permit ip 192.168.1.0 0.0.0.255 192.168.2.0 0.0.0.255")
    up(site)
    site.configure("R1", "interface GigabitEthernet0/0", "no crypto map")
    until(lambda: "No SAs found" in site.show("R1", "show crypto ipsec sa"), 10, "no IPsec SA is left")
    until(lambda: "QM_IDLE" not in site.show("R1", "show crypto isakmp sa"), 10, "no IKE SA is left")
    site.configure("R1", "interface GigabitEthernet0/0", "crypto map VPN")
    up(site)


def test_isakmp_switched_off_answers_nobody(site):
    site.configure("R1", "no crypto isakmp enable")
    site.log_has("R1", "ISAKMP is OFF")
    assert site.ping(count=1, wait=1)[1] == 0
    with site.capture("off") as wire:
        assert site.ping("hostB", "192.168.1.10", count=1, wait=1)[1] == 0
        wire.wait_for("isakmp && ip.src==198.51.100.2")
    assert not wire.read("isakmp && ip.src==203.0.113.1")
    site.configure("R1", "crypto isakmp enable")
    up(site)


# Interfaces and routes


def test_secondary_address_and_loopback_answer(site):
    site.configure("R1", "interface GigabitEthernet0/1", "ip address 192.168.7.1 255.255.255.0 secondary",
                   "interface Loopback5", "ip address 10.5.5.5 255.255.255.255")
    assert "Secondary address 192.168.7.1/24" in site.show("R1", "show ip interface GigabitEthernet0/1")
    assert site.ping(to="192.168.7.1", count=2) == (2, 2)
    assert site.ping(to="10.5.5.5", count=2) == (2, 2)
    assert re.search(r"^Loopback5 +10\.5\.5\.5 +YES manual up +up *$", site.show("R1", "show ip interface brief"), re.M)
    site.configure("R1", "interface Loopback5", "shutdown")
    assert site.ping(to="10.5.5.5", count=1, wait=1)[1] == 0
    site.configure("R1", "no interface Loopback5", "interface GigabitEthernet0/1", "no ip address 192.168.7.1 255.255.255.0 secondary")
    assert site.ping(to="192.168.7.1", count=1, wait=1)[1] == 0


def test_static_route_falls_back_by_distance(site):
    site.run("internet", "ip", "addr", "add", "10.50.0.1/32", "dev", "lo")
    site.configure("R1", "interface Loopback6", "ip address 10.66.0.1 255.255.255.0", "exit", "ip route 10.50.0.0 255.255.0.0 Loopback6",
                   "ip route 10.50.0.0 255.255.0.0 203.0.113.254 200")
    assert "10.50.0.0/16 is directly connected, Loopback6" in site.show("R1", "show ip route")
    assert "Success rate is 0 percent" in site.console("R1", "ping 10.50.0.1 repeat 1 timeout 1")
    site.configure("R1", "interface Loopback6", "shutdown")
    assert "10.50.0.0/16 [200/0] via 203.0.113.254" in site.show("R1", "show ip route")
    assert 'distance 200' in site.show("R1", "show ip route 10.50.0.1")
    assert "Success rate is 100 percent" in site.console("R1", "ping 10.50.0.1 repeat 1 timeout 1")
    assert "% Network not in table" in site.show("R1", "show ip route 172.16.0.1")
    assert "Routing entry for 0.0.0.0/0, supernet" in site.show("R1", "show ip route 0.0.0.0")
    site.configure("R1", "no ip route 10.50.0.0 255.255.0.0 Loopback6", "no ip route 10.50.0.0 255.255.0.0 203.0.113.254", "no interface Loopback6")


def test_history_of_a_script(site):
    assert re.search(r"^  show clock\n  show history$", site.console("R1", "show clock", "show history"), re.M)


def test_null_route_swallows(site):
    with site.capture("null") as wire:
        site.ping(to="10.60.0.1", count=1, wait=1)
        site.configure("R1", "ip route 10.60.0.0 255.255.0.0 Null0")
        assert "10.60.0.0/16 is directly connected, Null0" in site.show("R1", "show ip route")
        site.ping(to="10.60.0.2", count=1, wait=1)
    assert wire.read("ip.dst==10.60.0.1 && icmp.type==8") and not wire.read("ip.dst==10.60.0.2")
    site.configure("R1", "no ip route 10.60.0.0 255.255.0.0")


def test_shutdown_under_traffic(site):
    renew(site)
    with site.capture("shut") as wire:
        with site.flow(wait=2) as flow:
            up(site)
            site.configure("R1", "interface GigabitEthernet0/0", "shutdown")
            assert re.search(r"^GigabitEthernet0/0 +203\.0\.113\.1 +YES manual administratively down +down", site.show("R1", "show ip interface brief"), re.M)
            assert "Gateway of last resort is not set" in site.show("R1", "show ip route")
            site.configure("R1", "interface GigabitEthernet0/0", "no shutdown")
            up(site)
    assert 0 < flow.received < flow.sent
    assert wire.clear_text() == []
    site.log_has("R1", "%LINK-5-CHANGED: Interface GigabitEthernet0/0, changed state to administratively down")
    site.log_has("R1", "%LINEPROTO-5-UPDOWN: Line protocol on Interface GigabitEthernet0/0, changed state to up")


# Saving, copying, starting again


def running(site, node):
    """The configuration without what tells its size and its last change."""
    screen = site.show(node, "show running-config")
    return screen[screen.index("version "):screen.index("\nend\n") + 5]


def test_saved_configuration_comes_back_after_power_off(site):
    site.configure("R1", "interface Loopback9", "description kept", "ip address 10.9.9.9 255.255.255.255")
    assert "[OK]" in site.console("R1", "write memory")
    before = running(site, "R1")
    site.configure("R1", "interface Loopback9", "description not kept")
    subprocess.run([LAB, "restart", "--name", site.name, "R1"], check=True)
    assert running(site, "R1") == before
    assert re.findall(r"^(?:Gig|Loop)\S+", site.show("R1", "show ip interface brief"), re.M) == ["GigabitEthernet0/0", "GigabitEthernet0/1", "Loopback9"]
    up(site)
    site.configure("R1", "no interface Loopback9")
    assert "[OK]" in site.console("R1", "copy running-config startup-config", "")
    assert "Loopback9" not in site.show("R1", "show startup-config")


def test_copied_file_names_its_bad_lines(site):
    with open(f"/var/tmp/postern-lab/{site.name}/R1/data/flash/bad.cfg", "w") as file:
        file.write("! a file\nhostname R1\ninterface GigabitEthernet0/1\n description good\n ip adress 10.0.0.1 255.0.0.0\n"
                   " mtu 99999\nip route 10.77.0.0 255.255.0.0\nip route 10.78.0.0 255.255.0.0 203.0.113.254\nend\n")
    screen = site.console("R1", "copy flash:bad.cfg running-config", "")
    assert re.search(r"^ ip adress 10\.0\.0\.1 255\.0\.0\.0\n {6}\^\n% line 5: Invalid input detected at '\^' marker\.$", screen, re.M), screen
    assert re.search(r"^ mtu 99999\n {5}\^\n% line 6: Invalid input", screen, re.M), screen
    assert re.search(r"^% line 7: Incomplete command", screen, re.M), screen
    assert re.search(r"^\d+ bytes copied in", screen, re.M), screen
    text = running(site, "R1")
    assert " description good\n" in text and "ip route 10.78.0.0 255.255.0.0 203.0.113.254\n" in text and "10.77" not in text
    site.configure("R1", "no ip route 10.78.0.0 255.255.0.0", "interface GigabitEthernet0/1", "description site A")
    screen = site.console("R1", "copy flash:none.cfg running-config", "")
    assert "%Error opening flash:none.cfg (No such file or directory)" in screen


def test_files_in_flash(site):
    screen = site.console("R1", "copy running-config flash:kept.cfg", "", "dir flash:/kept.cfg", "more flash:kept.cfg")
    assert re.search(r"^Directory of flash:/kept\.cfg$.*^ *\d+  -rw- .* kept\.cfg$.*^\d+ bytes total \(\d+ bytes free\)$", screen, re.M | re.S), screen
    assert running(site, "R1") in screen
    site.configure("R1", "interface Loopback7", "exit", "hostname Other")
    screen = site.console("R1", "copy flash:kept.cfg running-config", "")
    assert "line" not in screen and "bytes copied" in screen, screen
    site.configure("R1", "no interface Loopback7")
    assert running(site, "R1").startswith("version") and "\nhostname R1\n" in running(site, "R1")
    screen = site.console("R1", "delete flash:kept.cfg", "", "", "dir flash:kept.cfg", "more flash:../keys.db")
    assert "%Error opening flash:/kept.cfg (File not found)" in screen and "%Error opening flash:../keys.db (" in screen, screen


class Terminal:
    def __init__(self, site, node="R1"):
        self.child = pexpect.spawn(LAB, ["console", "--name", site.name, node], encoding="utf-8", timeout=120, dimensions=(40, 120))

    def type(self, text, expect=r"[>#]$"):
        self.child.send(text)
        self.child.expect(expect)
        return self.child.before

    def __enter__(self):
        self.child.expect(r">$")
        self.type("enable\r", r"#$")
        return self

    def __exit__(self, *_):
        self.child.close(force=True)


def test_debug_comes_in_bursts_below_the_prompt(site):
    up(site)
    with Terminal(site) as t:
        t.type("debug crypto isakmp\r", r"ISAKMP debugging is on\r\nR1#$")
        assert "Crypto ISAKMP debugging is on" in site.show("R1", "show debugging")
        t.type("clear crypto session\r", r"#$")
        console = site.run("R1", "pgrep", "-x", "postern").strip()
        site.run("R1", "kill", "-STOP", console)                # so that the lines come at once, however slowly they are said
        try:
            assert site.ping(count=1) == (1, 1)
        finally:
            site.run("R1", "kill", "-CONT", console)
        screen = t.type("", r"QM done, SPI[\s\S]*R1#$")
        assert "KE payload" in screen and "NONCE payload" in screen and "encryption AES-CBC" in screen
        assert screen.count("R1#") < screen.count("ISAKMP:") / 4, screen
        t.type("undebug all\r", r"turned off\r\nR1#$")
    assert "KEYEXPORT" not in site.show("R1", "show logging")


def test_reload(site):
    site.configure("R1", "interface Loopback8", "description lost")
    with Terminal(site) as t:
        t.type("reload\r", r"System configuration has been modified\. Save\? \[yes/no\]: $")
        t.type("no\r", r"Proceed with reload\? \[confirm\]$")
        t.type("n", r"R1#$")
        assert "Loopback8" in running(site, "R1")
        t.type("reload\r", r"Save\? \[yes/no\]: $")
        t.type("no\r", r"Proceed with reload\? \[confirm\]$")
        t.type("\r", pexpect.EOF)
    until(lambda: site.console("R1", "show privilege").count("R1#") > 1, 20, "the console again")
    until(lambda: "%SYS-5-RESTART" in site.show("R1", "show logging"), 20, "started again")
    until(lambda: "Loopback8" not in running(site, "R1"), 20, "the startup configuration is in force")
    assert re.search(r"^System returned to ROM by reload", site.show("R1", "show version"), re.M)
    up(site)


def test_enable_secret_and_local_login(site):
    site.configure("R2", "enable secret open sesame", "username ann privilege 3 secret pass", "line con 0", "login local")
    child = pexpect.spawn(LAB, ["console", "--name", site.name, "R2"], encoding="utf-8", timeout=120, dimensions=(40, 120))
    try:
        for name, word in (("ann", "wrong"), ("bob", "pass"), ("ann", "pass")):
            child.expect("Username: $")
            child.send(f"{name}\r")
            child.expect("Password: $")
            child.send(f"{word}\r")
            child.expect("% Login invalid" if (name, word) != ("ann", "pass") else "R2#$")
        child.send("show privilege\r")
        child.expect("Current privilege level is 3\r\n")
        child.send("enable\r")
        child.expect("Password: $")
        child.send("open sesame\r")
        child.expect("R2#$")
        for line in ("configure terminal", "line con 0", "no login", "no enable secret", "no username ann", "end"):
            child.send(f"{line}\r")
            child.expect(r"R2[^\r\n]*#$")
    finally:
        child.close(force=True)
    assert "secret" not in running(site, "R2")


def test_keys_travel_between_routers_with_one_master_key(site):
    """A type 6 key is worth nothing without the router's master key, and moves to another that has the same."""
    line = re.search(r"^crypto isakmp key 6 \S+ address 198\.51\.100\.2$", running(site, "R1"), re.M).group(0)
    assert "postern-lab" not in running(site, "R1") + site.show("R1", "show crypto isakmp key")
    moved = line.replace("address 198.51.100.2", "address 10.99.0.1")
    assert "% The key is not encrypted with the master key of this router" in site.console("R2", "configure terminal", moved)
    for router in ("R1", "R2"):
        site.configure(router, "key config-key password-encrypt a master for both")
    line = re.search(r"^crypto isakmp key 6 \S+ address 198\.51\.100\.2$", running(site, "R1"), re.M).group(0)
    moved = line.replace("address 198.51.100.2", "address 203.0.113.1")
    site.configure("R2", "no crypto isakmp key 0 postern-lab address 203.0.113.1", moved)
    assert moved in running(site, "R2")
    assert "a master for both" not in running(site, "R2") + site.show("R2", "show logging") + site.show("R2", "show history")
    renew(site)


def in_files(site, words, node="R1"):
    """Which of these words stand in a file of the router's databases, or in what SQLite puts beside them."""
    found = site.run(node, "sh", "-c", "grep -aoFhe " + " -e ".join(f"'{word}'" for word in words) + " /var/lib/postern/*.db* /run/postern/*.db*",
                     check=False)
    return set(found.split())


def test_keys_lie_sealed_on_the_disk(site):
    """Who has the databases has no secret of them; what opens them is a file that only configd and the keys process read."""
    keys = {"postern-lab", "KeyOfAPeer", "KeyOfAGroup", "KeyOfAProfile"}
    configure(site, "R1", "hostname FindMe", "crypto isakmp key KeyOfAPeer address 10.99.0.9", "crypto isakmp client configuration group CLIENTS",
              "key KeyOfAGroup", "crypto keyring KEYS", "pre-shared-key address 10.99.0.10 key KeyOfAProfile",
              "crypto map HAND 10 ipsec-manual", "set session-key inbound esp 300 cipher 4b65794f66436970686572313233343536",
              "username ann secret KeyOfAUser")
    site.console("R1", "write memory")
    assert in_files(site, {"FindMe", *keys, "KeyOfCipher123456", "KeyOfAUser", "$9$"}) == {"FindMe"}
    assert site.run("R1", "stat", "-c", "%a %U %G", "/var/lib/postern/machine.key").split() == ["640", "postern-config", "postern-keys"]
    assert site.run("R1", "stat", "-c", "%a %U %G", "/var/lib/postern/keys.db").split() == ["640", "postern-config", "postern-keys"]
    configure(site, "R1", "hostname R1", "no crypto isakmp key KeyOfAPeer address 10.99.0.9", "no crypto keyring KEYS", "no crypto map HAND",
              "no crypto isakmp client configuration group CLIENTS", "no username ann")
    site.console("R1", "write memory")


def test_the_master_key_is_asked_for_and_its_loss_costs_the_keys(site):
    with Terminal(site) as t:
        t.type("configure terminal\r", r"config\)#$")
        t.type("key config-key password-encrypt first master key\r", r"config\)#$")
        t.type("key config-key password-encrypt\r", "Old key: $")
        t.type("no such key\r", "New key: $")
        t.type("second master key\r", "Confirm key: $")
        t.type("second master key\r", r"% The old key is not the one that is set\r\nR1\(config\)#$")
        t.type("key config-key password-encrypt\r", "Old key: $")
        t.type("first master key\r", "New key: $")
        t.type("second master key\r", "Confirm key: $")
        t.type("second monster key\r", r"% The keys do not match\r\nR1\(config\)#$")
        t.type("key config-key password-encrypt\r", "Old key: $")
        t.type("first master key\r", "New key: $")
        t.type("second master key\r", "Confirm key: $")
        t.type("second master key\r", r"^\r\nR1\(config\)#$")
        renew(site)
        key = re.search(r"^crypto isakmp key 6 .*$", running(site, "R1"), re.M).group(0)
        t.type("no key config-key password-encrypt\r",
               r"WARNING: All type 6 encrypted keys will become unusable\r\nContinue with master key deletion \? \[yes/no\]: $")
        t.type("no\r", r"config\)#$")
        t.type("no key config-key password-encrypt\r", r"deletion \? \[yes/no\]: $")
        t.type("yes\r", r"config\)#$")
        assert key in running(site, "R1")
        site.console("R1", "clear crypto session")
        until(lambda: site.ping(count=1, wait=1) and "encrypted with a master key that was deleted" in site.show("R1", "show logging"), 40,
              "a key that cannot be used is told of")
        t.type("password encryption aes\r", r"Please configure a configuration-key with \"key config-key\"\r\n")
        t.type("", r"config\)#$")
        assert "\npassword encryption aes\n" in running(site, "R1")
        t.type("no password encryption aes\r", r"config\)#$")
        t.type("key config-key password-encrypt\r", "New key: $")
        t.type("second master key\r", "Confirm key: $")
        t.type("second master key\r", r"config\)#$")
    renew(site)
    assert key in running(site, "R1")


def test_running_configuration_fed_to_an_empty_router_gives_itself(site, bare):
    site.configure("R1", "key config-key password-encrypt a master for both")
    bare.configure("R1", "key config-key password-encrypt a master for both")
    text = running(site, "R1")
    bare.configure("R1", *text.splitlines()[:-1])
    assert running(bare, "R1") == text
