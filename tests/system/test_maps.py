"""Crypto maps in their whole sense: entries that are keyed by hand, what a map says beside its entries, interfaces that come and go.

    hostA 192.168.1.10 -- R1 203.0.113.1 -- internet -- 198.51.100.2 R2 -- 192.168.2.10 hostB
"""
import re

import pytest

from conftest import site_fixture
from rig import until

manual = site_fixture("manual", bare=True)
pytestmark = pytest.mark.xdist_group("maps")

R1, R2 = "203.0.113.1", "198.51.100.2"
CIPHER = {R1: "00112233445566778899aabbccddeeff", R2: "ffeeddccbbaa99887766554433221100"}      # by sender
AUTH = {R1: "000102030405060708090a0b0c0d0e0f10111213", R2: "131211100f0e0d0c0b0a09080706050403020100"}
SPI = {R1: 1000, R2: 2000}


def keyed_by_hand(site, transform="esp-aes esp-sha-hmac", ah=False, esp=True, extra=()):
    """Both routers with the mirror image of one entry; the keys are the sender's."""
    for router, own, peer, net, other in (("R1", R1, R2, "192.168.1.0", "192.168.2.0"), ("R2", R2, R1, "192.168.2.0", "192.168.1.0")):
        keys = []
        for way, sender in (("inbound", peer), ("outbound", own)):
            if ah:
                keys.append(f"set session-key {way} ah {SPI[sender] + 1} {AUTH[sender]}")
            if esp:
                keys.append(f"set session-key {way} esp {SPI[sender]} cipher {CIPHER[sender]} authenticator {AUTH[sender]}")
        site.configure(router, f"crypto ipsec transform-set HAND {transform}", "exit",
                       f"access-list 101 permit ip {net} 0.0.0.255 {other} 0.0.0.255",
                       "crypto map VPN 10 ipsec-manual", f"set peer {peer}", *keys, "set transform-set HAND", "match address 101", *extra,
                       "interface GigabitEthernet0/0", "crypto map VPN")

def take_away(site):
    for router in ("R1", "R2"):
        site.configure(router, "interface GigabitEthernet0/0", "no crypto map", "exit", "no crypto map VPN", "no access-list 101",
                       "no crypto ipsec transform-set HAND")


def esp_preferences():
    """tshark's table of the SAs: it opens and verifies them by itself."""
    words = ["-o", "esp.enable_encryption_decode:TRUE", "-o", "esp.enable_authentication_check:TRUE"]
    for sender, receiver in ((R1, R2), (R2, R1)):
        words += ["-o", f'uat:esp_sa:"IPv4","{sender}","{receiver}","0x{SPI[sender]:08x}","AES-CBC [RFC3602]","0x{CIPHER[sender]}",'
                        f'"HMAC-SHA-1-96 [RFC2404]","0x{AUTH[sender]}"']
    return words


def ipsec_sas(site, router):
    """The SPIs that a router has, by section: {"inbound esp": ["0x3E8"], ...}."""
    screen = site.show(router, "show crypto ipsec sa")
    found = {}
    for section, rest in re.findall(r"(inbound \w+|outbound \w+) sas:\n((?:(?!(?:in|out)bound \w+ sas:|ident \()[\s\S])*)", screen):
        found.setdefault(section, []).extend(re.findall(r"spi: (0x[0-9A-F]+)", rest))
    return found


def test_keys_set_by_hand_carry_the_first_packet_and_no_word_is_said(manual):
    with manual.capture("manual") as wire:
        keyed_by_hand(manual)
        assert manual.ping(count=4) == (4, 4)
    assert wire.clear_text() == []
    assert wire.read("isakmp") == []
    opened = esp_preferences()
    echoes = wire.read("esp && icmp.type==8 && ip.src==192.168.1.10", "esp.spi", "icmp.seq", options=opened)
    assert [line.split("\t") for line in echoes] == [["0x000003e8", str(n)] for n in range(1, 5)]
    assert len(wire.read("esp && icmp.type==0 && ip.src==192.168.2.10", options=opened)) == 4
    assert len(wire.read("esp.icv_good==1", options=opened)) == 8


def test_the_router_shows_them_and_hides_the_keys(manual):
    sas = ipsec_sas(manual, "R1")
    assert sas["inbound esp"] == ["0x7D0"] and sas["outbound esp"] == ["0x3E8"]
    screen = manual.show("R1", "show crypto map")
    assert 'Crypto Map IPv4 "VPN" 10 ipsec-manual' in screen and "incomplete" not in screen, screen
    for command in ("show running-config", "show crypto map", "show archive log config all", "show logging"):
        screen = manual.show("R1", command).lower()
        assert CIPHER[R1] not in screen and AUTH[R1] not in screen, command
    assert re.search(r"set session-key inbound esp 2000 cipher 6 \S+ authenticator 6 \S+", manual.show("R1", "show running-config"))
    assert manual.show("R1", "show crypto isakmp sa").count("ACTIVE") == 0


def test_programs_restart_and_the_keys_are_there_again(manual):
    for program in ("ikemgrd", "datapathd"):
        manual.kill("R1", program)
        until(lambda: manual.ping(count=1, wait=2) == (1, 1), 30, f"traffic after {program}")
    assert ipsec_sas(manual, "R1")["inbound esp"] == ["0x7D0"]


def test_a_changed_key_takes_the_sa_down(manual):
    other = "aa" * 16
    manual.configure("R1", "crypto map VPN 10", f"set session-key outbound esp 1000 cipher {other} authenticator {AUTH[R1]}")
    with manual.capture("changed") as wire:
        assert manual.ping(count=2, wait=1)[1] == 0
    assert wire.clear_text() == []
    manual.configure("R2", "crypto map VPN 10", f"set session-key inbound esp 1000 cipher {other} authenticator {AUTH[R1]}")
    until(lambda: manual.ping(count=1, wait=1) == (1, 1), 10, "both have the new key")
    manual.configure("R2", "crypto map VPN 10", "no set session-key inbound esp")
    until(lambda: not ipsec_sas(manual, "R2").get("inbound esp"), 10, "R2 has no SA")
    assert "no inbound esp session key" in manual.show("R2", "show crypto map")
    manual.configure("R2", "crypto map VPN 10", f"set session-key inbound esp 1000 cipher {other} authenticator {AUTH[R1]}")
    until(lambda: manual.ping(count=1, wait=1) == (1, 1), 10, "both have the new key")


def test_shutdown_ends_the_sas_and_no_shutdown_brings_them_back(manual):
    manual.configure("R1", "interface GigabitEthernet0/0", "shutdown")
    until(lambda: not ipsec_sas(manual, "R1").get("inbound esp"), 10, "no SA is left")
    manual.configure("R1", "interface GigabitEthernet0/0", "no shutdown")
    until(lambda: manual.ping(count=1, wait=2) == (1, 1), 30, "traffic is back")


def opened_by_scapy(path):
    """How many AH packets scapy finds authentic with the keys, both ways; it fails on one that is not."""
    from scapy.all import IP, rdpcap
    from scapy.layers.ipsec import AH, SecurityAssociation
    authentic = 0
    for packet in rdpcap(path):
        if AH in packet:
            ip = IP(bytes(packet[IP]))
            sa = SecurityAssociation(AH, spi=SPI[ip.src] + 1, auth_algo="HMAC-SHA1-96", auth_key=bytes.fromhex(AUTH[ip.src]))
            sa.decrypt(ip)
            authentic += 1
    return authentic


@pytest.mark.parametrize("transform, ah, esp", [("ah-sha-hmac", True, False), ("ah-sha-hmac esp-aes esp-sha-hmac", True, True)],
                         ids=["ah", "ah+esp"])
def test_ah_with_keys_set_by_hand(manual, transform, ah, esp):
    take_away(manual)
    with manual.capture("ah") as wire:
        keyed_by_hand(manual, transform, ah, esp)
        assert manual.ping(count=3) == (3, 3)
    assert len(wire.read("ah && ip.src==203.0.113.1 && ah.spi==0x3e9")) == 3
    assert len(wire.read("ah && esp" if esp else "ah && icmp")) == 6
    assert opened_by_scapy(wire.path) == 6
    sas = ipsec_sas(manual, "R1")
    assert sas["inbound ah"] == ["0x7D1"] and sas.get("inbound esp", []) == (["0x7D0"] if esp else [])
    take_away(manual)
    until(lambda: not ipsec_sas(manual, "R1"), 10, "no SA is left")


negotiated = site_fixture("maps")


def test_local_address_is_that_of_ike_and_esp(negotiated):
    site = negotiated
    site.run("internet", "ip", "route", "add", "10.255.0.1/32", "via", R1)
    site.configure("R1", "interface Loopback0", "ip address 10.255.0.1 255.255.255.255", "exit", "crypto map VPN local-address Loopback0")
    site.configure("R2", "crypto isakmp key postern-lab address 10.255.0.1", "crypto map VPN 10", f"no set peer {R1}", "set peer 10.255.0.1")
    with site.capture("local") as wire:
        assert site.ping(count=3) == (3, 3)
    assert wire.clear_text() == []
    assert wire.read(f"(isakmp || esp) && ip.addr=={R1}") == []
    assert len(wire.read("esp && ip.src==10.255.0.1")) == 3 and len(wire.read("isakmp && ip.dst==10.255.0.1")) > 0
    screen = site.show("R1", "show crypto ipsec sa")
    assert "Crypto map tag: VPN, local addr 10.255.0.1" in screen and f"local crypto endpt.: 10.255.0.1, remote crypto endpt.: {R2}" in screen
    assert 'Crypto Map: "VPN" idb: Loopback0 local address: 10.255.0.1' in site.show("R1", "show crypto map")


def encapsulated(site):
    """Packets that R1's first flow has sent."""
    return int(re.search(r"#pkts encaps: (\d+)", site.show("R1", "show crypto ipsec sa")).group(1))


def test_one_map_on_two_interfaces_shares_the_sas_of_its_local_address(negotiated):
    """What leaves by the other interface is in the same tunnel: hostA's own network is behind Gi0/1, where the map is now too."""
    site = negotiated
    spis = ipsec_sas(site, "R1")
    site.configure("R1", "interface GigabitEthernet0/1", "crypto map VPN")
    assert site.show("R1", "show crypto map").count("GigabitEthernet0/") >= 2
    assert ipsec_sas(site, "R1") == spis
    site.run("R1", "ip", "route", "add", "192.168.2.77/32", "via", "192.168.1.10")
    before = encapsulated(site)
    site.run("R1", "ping", "-n", "-c", "2", "-W", "1", "-I", "192.168.1.1", "192.168.2.77", check=False)
    until(lambda: encapsulated(site) >= before + 2, 10, "both pings")
    assert encapsulated(site) == before + 2
    assert site.show("R1", "show crypto ipsec sa").count("local  ident") == 1
    site.run("R1", "ip", "route", "del", "192.168.2.77/32")
    site.configure("R1", "interface GigabitEthernet0/1", "no crypto map")
    assert ipsec_sas(site, "R1") == spis


def test_shutdown_of_the_local_interface_ends_what_was_negotiated(negotiated):
    site = negotiated
    assert site.ping(count=1) == (1, 1)
    site.configure("R1", "interface Loopback0", "shutdown")
    for router in ("R1", "R2"):
        until(lambda: not ipsec_sas(site, router).get("inbound esp"), 20, f"{router} has no SA")
    with site.capture("shut") as wire:
        assert site.ping(count=2, wait=1)[1] == 0
    assert wire.clear_text() == []
    site.configure("R1", "interface Loopback0", "no shutdown")
    until(lambda: site.ping(count=1, wait=2) == (1, 1), 30, "traffic is back")


def test_access_groups_of_an_entry_see_the_clear_packets(negotiated):
    site = negotiated
    site.configure("R1", "ip access-list extended LEAVES", "deny udp any any eq 7", "permit ip any any", "exit",
                   "ip access-list extended COMES", "deny icmp any any echo", "permit ip any any", "exit",
                   "crypto map VPN 10", "set ip access-group LEAVES out", "set ip access-group COMES in")
    assert site.ping(count=2) == (2, 2)                                     # the answers are no echo requests
    before = encapsulated(site)
    with site.capture("groups") as wire:
        assert site.ping("hostB", "192.168.1.10", count=2, wait=1)[1] == 0
        for port in ("7", "8"):
            site.run("hostA", "/usr/bin/python3", "-c", f"import socket; socket.socket(2, 2).sendto(b'x', ('192.168.2.10', {port}))")
    assert wire.clear_text() == []
    until(lambda: encapsulated(site) >= before + 1, 10, "the datagram that is permitted")
    assert encapsulated(site) == before + 1
    lists = site.show("R1", "show access-lists")
    assert re.search(r"deny udp any any eq echo \(1 match", lists) and re.search(r"deny icmp any any echo \(2 match", lists), lists
    site.configure("R1", "crypto map VPN 10", "no set ip access-group LEAVES out", "no set ip access-group COMES in")
    assert site.ping("hostB", "192.168.1.10", count=2) == (2, 2)


def routes(site, router="R1"):
    """The static routes that `show ip route` names, as {prefix: next hop}."""
    return dict(re.findall(r"^S\s+([\d./]+) \[1/0\] via ([\d.]+)", site.show(router, "show ip route"), re.M))


def test_reverse_route_follows_the_sas(negotiated):
    site = negotiated
    site.configure("R1", "ip route 192.0.2.0 255.255.255.0 203.0.113.254", "crypto map VPN 10", "reverse-route")
    site.console("R1", "clear crypto sa")
    until(lambda: set(routes(site)) == {"192.0.2.0/24"}, 10, "no SA, no route")
    assert site.ping(count=1) == (1, 1)
    until(lambda: routes(site).get("192.168.2.0/24") == "203.0.113.254", 10, "the route to the networks behind R2")
    for program in ("datapathd", "ikemgrd"):
        site.kill("R1", program)
        until(lambda: site.ping(count=1, wait=2) == (1, 1), 30, f"traffic after {program}")
        until(lambda: routes(site).get("192.168.2.0/24") == "203.0.113.254", 10, "the route is there (again)")
    assert site.run("R1", "ip", "route", "show", "proto", "181").split()[:3] == ["192.168.2.0/24", "via", "203.0.113.254"]
    # Without the SA the route goes; `static` keeps it; what somebody else routes stays as it is.
    site.configure("R1", "crypto map VPN 10", "no match address")
    until(lambda: set(routes(site)) == {"192.0.2.0/24"}, 10, "the route went with the SA")
    site.configure("R1", "crypto map VPN 10", "match address SITE-B", "reverse-route static")
    until(lambda: routes(site).get("192.168.2.0/24") == "203.0.113.254", 10, "the route of the list")
    site.configure("R1", "crypto map VPN 10", "no reverse-route", "exit", "no ip route 192.0.2.0 255.255.255.0 203.0.113.254")
    until(lambda: routes(site) == {}, 10, "no route is left")
    until(lambda: site.ping(count=1, wait=2) == (1, 1), 30, "traffic")


def test_changes_are_taken_up_while_traffic_flows(negotiated):
    """What does not touch the pair that carries the traffic loses no packet of it, and nothing leaves in clear at any moment."""
    site = negotiated
    assert site.ping(count=1) == (1, 1)
    spis = ipsec_sas(site, "R1")
    with site.capture("changes") as wire, site.flow(interval=0.02) as flow:
        for router, net, other in (("R1", "192.168.1.0", "192.168.2.0"), ("R2", "192.168.2.0", "192.168.1.0")):
            site.configure(router, "crypto map VPN 10", "description changed", "set pfs group14",
                           "set security-association lifetime seconds 1800", "set security-association lifetime kilobytes 100000")
            site.configure(router, "ip access-list extended SITE-B" if router == "R1" else "ip access-list extended SITE-A",
                           f"permit ip {net} 0.0.0.255 10.77.0.0 0.0.255.255")
            site.configure(router, "ip access-list extended ALL", "permit ip any any", "exit", "crypto map VPN 10", "set ip access-group ALL in",
                           "set ip access-group ALL out", "reverse-route", "no reverse-route", "no set ip access-group ALL in",
                           "no set ip access-group ALL out")
            site.configure(router, "crypto map VPN 5 ipsec-isakmp", "set peer 192.0.2.99", "set transform-set TS", "match address NONE", "exit",
                           "ip access-list extended NONE", f"permit ip {net} 0.0.0.255 172.30.0.0 0.0.255.255")
    assert flow.received == flow.sent > 0
    assert wire.clear_text() == []
    after = ipsec_sas(site, "R1")
    assert all(set(spis[section]) <= set(after[section]) for section in ("inbound esp", "outbound esp"))
    for router in ("R1", "R2"):
        site.configure(router, "no crypto map VPN 5")


def test_one_map_on_two_interfaces_has_sas_for_each(negotiated):
    site = negotiated
    site.configure("R1", "no crypto map VPN local-address")
    site.configure("R2", "crypto map VPN 10", "no set peer 10.255.0.1", f"set peer {R1}")
    site.configure("R1", "interface GigabitEthernet0/1", "crypto map VPN")
    screen = site.show("R1", "show crypto ipsec sa")
    assert re.findall(r"^interface: (\S+)\n.*local addr ([\d.]+)", screen, re.M) == [("GigabitEthernet0/0", R1), ("GigabitEthernet0/1", "192.168.1.1")]
    site.configure("R1", "interface GigabitEthernet0/1", "no crypto map")
    until(lambda: site.ping(count=1, wait=2) == (1, 1), 20, "traffic")
    assert re.search(rf"local crypto endpt\.: {R1}, remote crypto endpt\.: {R2}", site.show("R1", "show crypto ipsec sa"))


def test_shutdown_of_the_interface_ends_its_sas_at_both_ends(negotiated):
    site = negotiated
    assert site.ping(count=1) == (1, 1)
    site.configure("R1", "interface GigabitEthernet0/0", "shutdown")
    for router in ("R1", "R2"):
        until(lambda: not ipsec_sas(site, router).get("inbound esp"), 20, f"{router} has no SA")
    site.configure("R1", "interface GigabitEthernet0/0", "no shutdown")
    until(lambda: site.ping("hostB", "192.168.1.10", count=1, wait=2) == (1, 1), 40, "the other end starts again")


def test_a_dynamic_map_protects_what_was_negotiated(negotiated):
    """The policy is the data path's: it outlives ikemgrd, has its route, and what comes in clear in its place is dropped."""
    site = negotiated
    site.configure("R1", "crypto dynamic-map ROAD 10", "set transform-set TS", "reverse-route", "exit",
                   "crypto map VPN 65000 ipsec-isakmp dynamic ROAD", "no crypto map VPN 10")
    with site.capture("dynamic") as wire:
        assert site.ping("hostB", "192.168.1.10", count=3) == (3, 3)
        assert site.ping(count=2) == (2, 2)
        until(lambda: routes(site).get("192.168.2.0/24") == "203.0.113.254", 10, "the route to the networks behind R2")
        site.kill("R1", "ikemgrd")
        assert site.ping(count=3) == (3, 3)
    assert wire.clear_text() == []
    site.run("internet", "ip", "route", "replace", "192.168.1.0/24", "via", R1)
    site.configure("R2", "interface GigabitEthernet0/0", "no crypto map")
    with site.capture("clear") as wire:
        assert site.ping("hostB", "192.168.1.10", count=2, wait=1)[1] == 0
    assert len(wire.read("icmp.type==8 && ip.dst==192.168.1.10")) == 2
    until(lambda: "RECVD_PKT_NOT_IPSEC" in site.show("R1", "show logging"), 10, "the log line")
