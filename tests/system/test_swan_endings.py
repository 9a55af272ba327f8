"""A tunnel with strongSwan: how it starts, each way in which it ends, and what a map's entry says beside its peer and its sets. Each time
both ends agree afterwards, nothing leaves in clear, and the next packet starts again.

    hostA 192.168.1.10 -- R1 203.0.113.1 Postern -- internet -- 198.51.100.2 R2 strongSwan, its own ESP in UDP -- 192.168.2.10 hostB
"""
import re

import pytest

from rig import until
from swan import R1, swan_fixture

site = swan_fixture("swan-endings")
pytestmark = pytest.mark.xdist_group("swan-endings")

NETS = "local_ts = 192.168.2.0/24; remote_ts = 192.168.1.0/24; esp_proposals = aes256-sha256"


@pytest.fixture(scope="module", autouse=True)
def connection(site):
    site.peer({"site": NETS})


def entry(site, *lines):
    site.configure("R1", "crypto map VPN 10", *lines)
    site.show("R1", "show crypto ipsec sa | include interface")         # an answer is never older than the lines before it


def children(site):
    """strongSwan's installed CHILD_SAs."""
    return len(re.findall(r"INSTALLED, TUNNEL", site.run("R2", "swanctl", "--list-sas")))


def ended(site, wire, seconds=30):
    """No SA at either end, and no packet in clear; then the next packet starts again, and both have the same SAs."""
    until(lambda: site.pairs() == ((set(), set()), (set(), set())), seconds, "no IPsec SA at either end")
    assert wire.clear_text() == []


def again(site):
    site.up()
    until(site.agree, 20, "both have the same SAs")


def block(site, on):
    """IKE no longer passes the internet, ESP in UDP does: its first word is no non-ESP marker."""
    rules = "table ip endings { chain watch { type filter hook forward priority 0; udp dport 500 drop; udp dport 4500 @th,64,32 0 drop; }; }"
    site.run("internet", "nft", rules if on else "delete table ip endings")


def test_by_hand(site):
    site.quiet()
    assert "Negotiation begun for 1 flow, 0 already up" in site.console("R1", "crypto session connect map VPN 10")
    until(site.agree, 20, "SAs without any packet")
    assert re.search(r"#pkts encaps: 0,", site.show("R1", "show crypto ipsec sa"))
    again(site)


@pytest.mark.parametrize("what", ["sa", "session", "sa peer 198.51.100.2"])
def test_clear(site, what):
    again(site)
    with site.capture("clear") as wire:
        site.console("R1", f"clear crypto {what}")
        ended(site, wire)
    again(site)


@pytest.mark.parametrize("what", ["--child site", "--ike postern"])
def test_delete_by_the_peer(site, what):
    again(site)
    with site.capture("delete") as wire:
        site.run("R2", "swanctl", "--terminate", *what.split(), "--timeout", "10", check=False)
        ended(site, wire)
    assert site.ike_sas() == ((0, 0) if "ike" in what else (1, 1))
    again(site)


def test_delete_of_a_pair_that_strongswan_cannot_install(site):
    """It names our SPI (RFC 2408 3.15 means its own): R1 keeps no SA that the peer does not have."""
    site.peer({"site": "local_ts = 192.168.2.64/26; remote_ts = 192.168.1.0/24; esp_proposals = aes256-sha256"})
    site.configure("R1", "no ip access-list extended SITE-B", "ip access-list extended SITE-B",
                   "permit ip 192.168.1.0 0.0.0.255 192.168.2.64 0.0.0.63")
    site.ping(to="192.168.2.70", count=1, wait=1)
    site.logged("unable to install IPsec policies", "R2")
    until(lambda: site.pairs() == ((set(), set()), (set(), set())), 20, "no IPsec SA at either end")
    site.configure("R1", "no ip access-list extended SITE-B", "ip access-list extended SITE-B",
                   "permit ip 192.168.1.0 0.0.0.255 192.168.2.0 0.0.0.255")
    site.peer({"site": NETS})
    again(site)


def test_changed_configuration(site):
    again(site)
    with site.capture("changed") as wire:
        entry(site, "no match address")
        until(lambda: children(site) == 0, 30, "strongSwan has none")
    entry(site, "match address SITE-B")
    again(site)
    assert wire.clear_text() == []


def test_shutdown_of_the_interface(site):
    """Nothing can be said any more: strongSwan learns of it by the INITIAL-CONTACT of the next phase 1."""
    again(site)
    site.configure("R1", "interface GigabitEthernet0/0", "shutdown")
    until(lambda: site.pairs()[0] == (set(), set()), 20, "R1 has no SA")
    site.configure("R1", "interface GigabitEthernet0/0", "no shutdown")
    again(site)
    assert children(site) == 1


def test_idle_time(site):
    entry(site, "set security-association idle-time 60")
    site.quiet()
    again(site)
    with site.capture("idle") as wire:
        ended(site, wire, 120)
    entry(site, "no set security-association idle-time")
    again(site)


def test_dead_peer(site):
    site.configure("R1", "crypto isakmp keepalive 10 2 periodic")
    site.quiet()
    again(site)
    with site.capture("dead") as wire:
        block(site, True)
        until(lambda: site.pairs()[0] == (set(), set()), 90, "R1 has no SA")
        block(site, False)
    assert wire.clear_text() == []
    site.configure("R1", "no crypto isakmp keepalive")
    again(site)
    until(lambda: children(site) == 1, 30, "strongSwan has let go of the old pair")


def routes(site):
    return dict(re.findall(r"^S\s+([\d./]+) \[1/0\] via ([\d.]+)", site.show("R1", "show ip route"), re.M))


def test_reverse_route(site):
    entry(site, "reverse-route")
    site.quiet()
    until(lambda: routes(site) == {}, 10, "no SA, no route")
    site.initiate()
    until(lambda: routes(site).get("192.168.2.0/24") == "203.0.113.254", 10, "the route to what the peer named")
    assert site.ping("hostB", "192.168.1.10") == (3, 3)
    entry(site, "reverse-route static")
    site.quiet()
    assert routes(site).get("192.168.2.0/24") == "203.0.113.254"
    entry(site, "no reverse-route")
    until(lambda: routes(site) == {}, 10, "no route is left")
    again(site)


def test_access_groups_of_the_entry(site):
    again(site)
    site.configure("R1", "ip access-list extended COMES", "deny icmp any any echo", "permit ip any any", "exit",
                   "ip access-list extended LEAVES", "deny icmp any any echo", "permit ip any any", "exit")
    entry(site, "set ip access-group COMES in")
    assert site.ping("hostB", "192.168.1.10", count=2, wait=1)[1] == 0
    assert site.ping() == (3, 3)                    # what comes back are no echo requests
    entry(site, "no set ip access-group COMES in", "set ip access-group LEAVES out")
    with site.capture("groups") as wire:
        assert site.ping(count=2, wait=1)[1] == 0
    assert wire.clear_text() == [] and wire.read("esp") == []
    assert site.ping("hostB", "192.168.1.10") == (3, 3)
    entry(site, "no set ip access-group LEAVES out")
    again(site)


def test_isakmp_profile(site):
    """The profile's keyring and identity serve the entry; a peer whom it does not match is none of it."""
    site.configure("R1", "crypto keyring RING", "pre-shared-key address 198.51.100.2 key postern-lab", "exit", "crypto isakmp profile SWAN",
                   "keyring RING", "match identity address 198.51.100.2 255.255.255.255", "self-identity fqdn r1.example.org", "exit",
                   "no crypto isakmp key postern-lab address 198.51.100.2")
    entry(site, "set isakmp-profile SWAN")
    site.quiet()
    again(site)
    assert "r1.example.org" in site.run("R2", "swanctl", "--list-sas")
    assert " ISAKMP profile: SWAN\n" in site.show("R1", "show crypto isakmp peers")
    site.quiet()
    site.initiate()
    assert site.ping("hostB", "192.168.1.10") == (3, 3)
    site.configure("R1", "crypto isakmp profile OTHER", "keyring RING", "match identity address 198.51.100.9 255.255.255.255")
    entry(site, "set isakmp-profile OTHER")
    site.quiet()
    with site.capture("profile") as wire:
        assert site.ping(count=2, wait=1)[1] == 0
    assert wire.clear_text() == []
    entry(site, "no set isakmp-profile OTHER")
    site.configure("R1", "crypto isakmp key postern-lab address 198.51.100.2", "no crypto isakmp profile OTHER", "no crypto isakmp profile SWAN",
                   "no crypto keyring RING")
    site.quiet()
    again(site)


def test_level_per_host(site):
    """A pair for each two hosts under the one line, each within strongSwan's networks."""
    entry(site, "set security-association level per-host")
    site.run("hostA", "ip", "address", "add", "192.168.1.11/24", "dev", "eth0")
    site.peer({"one": "local_ts = 192.168.2.1/32; remote_ts = 192.168.1.10/32; esp_proposals = aes256-sha256",
               "two": "local_ts = 192.168.2.1/32; remote_ts = 192.168.1.11/32; esp_proposals = aes256-sha256"})
    with site.capture("per-host") as wire:
        for source in ("192.168.1.10", "192.168.1.11"):
            until(lambda s=source: "1 received" in site.run("hostA", "ping", "-n", "-c", "1", "-W", "2", "-I", s, "192.168.2.1", check=False), 30,
                  f"an answer to {source}")
    assert wire.read("icmp.type==8 && !esp") == []
    assert site.agree() and len(site.pairs()[0][0]) == 2
    listed = site.run("R2", "swanctl", "--list-sas")
    for source in ("192.168.1.10", "192.168.1.11"):
        assert re.search(rf"local  192\.168\.2\.1/32\n\s+remote {source}/32\n", listed), listed
    site.run("hostA", "ip", "address", "del", "192.168.1.11/24", "dev", "eth0")
    entry(site, "no set security-association level per-host")
    site.peer({"site": NETS})
    again(site)


def test_local_address(site):
    site.run("internet", "ip", "route", "add", "10.255.0.1/32", "via", R1)
    site.configure("R1", "interface Loopback0", "ip address 10.255.0.1 255.255.255.255", "exit", "crypto map VPN local-address Loopback0")
    site.peer({"site": NETS}, peer="10.255.0.1")
    with site.capture("local") as wire:
        again(site)
    assert wire.clear_text() == [] and wire.read(f"udp.port==4500 && ip.addr=={R1}") == []
    assert "local crypto endpt.: 10.255.0.1" in site.show("R1", "show crypto ipsec sa")
    # The map on the other interface, too: still the one pair of its local address.
    site.configure("R1", "interface GigabitEthernet0/1", "crypto map VPN")
    again(site)
    assert len(site.pairs()[0][0]) == 1
    site.configure("R1", "interface GigabitEthernet0/1", "no crypto map", "exit", "no crypto map VPN local-address", "no interface Loopback0")
    site.peer({"site": NETS})
    again(site)


def test_dynamic_entry_last(site):
    """What no entry before it takes is the dynamic one's, and only when the peer begins; what an entry takes never is."""
    site.configure("R1", "crypto dynamic-map ROAD 10", "set transform-set TS", "exit", "crypto map VPN 65000 ipsec-isakmp dynamic ROAD")
    again(site)
    assert "dynamic" not in site.show("R1", "show crypto ipsec sa").lower()
    entry(site, "no match address")
    site.quiet()
    site.ping(count=1, wait=1)
    assert site.ike_sas() == (0, 0)                  # it begins nothing
    site.initiate()
    with site.capture("dynamic") as wire:
        assert site.ping("hostB", "192.168.1.10") == (3, 3)
        assert site.ping() == (3, 3)
    assert wire.clear_text() == [] and site.agree()
    entry(site, "match address SITE-B")
    site.configure("R1", "no crypto map VPN 65000")
    site.quiet()
    again(site)
