"""What must be seen when the other side is dead, or configured otherwise, and that it recovers by itself.

    hostA 192.168.1.10 -- R1 203.0.113.1 -- internet -- 198.51.100.2 R2 -- 192.168.2.10 hostB
"""
import re

import pytest

from conftest import site_fixture
from rig import until

site = site_fixture("failures")
pytestmark = pytest.mark.xdist_group("failures")


@pytest.fixture(autouse=True)
def fresh(site):
    for router in ("R1", "R2"):
        site.console(router, "clear crypto session", "clear logging", "")
    yield
    for router in ("R1", "R2"):
        site.console(router, "clear crypto session")


def state_becomes(site, router, pattern):
    return until(lambda: re.search(pattern, site.show(router, "show crypto isakmp sa")), 15,
                 lambda: f"{pattern} at {router}:\n" + site.show(router, "show crypto isakmp sa"))


def log_has(site, router, pattern):
    return site.log_has(router, pattern)


def test_wrong_key(site):
    site.configure("R2", "no crypto isakmp key postern-lab address 203.0.113.1", "crypto isakmp key another address 203.0.113.1")
    with site.capture("key") as wire:
        assert site.ping(count=2, wait=1)[1] == 0
        state_becomes(site, "R1", r"198\.51\.100\.2\s+203\.0\.113\.1\s+MM_KEY_EXCH")
        log_has(site, "R2", r"%CRYPTO-4-IKMP_BAD_MESSAGE: IKE message from 203\.0\.113\.1\s+failed its sanity check or is malformed")
    assert wire.clear_text() == []
    site.configure("R2", "no crypto isakmp key another address 203.0.113.1", "crypto isakmp key postern-lab address 203.0.113.1")
    until(lambda: site.ping(count=1, wait=2) == (1, 1), 40, "passing with the right key")


def test_no_common_proposal(site):
    site.configure("R2", "crypto isakmp policy 10", "encr 3des")
    assert site.ping(count=2, wait=1)[1] == 0
    state_becomes(site, "R1", r"198\.51\.100\.2\s+203\.0\.113\.1\s+MM_NO_STATE")
    said = log_has(site, "R2", r"%CRYPTO-6-IKMP_MODE_FAILURE: Processing of Main mode failed with peer at 203\.0\.113\.1.*")
    assert "aes" in said.group(0) and "3des" in said.group(0), said.group(0)
    site.configure("R2", "crypto isakmp policy 10", "encr aes 256")
    until(lambda: site.ping(count=1, wait=2) == (1, 1), 40, "passing with the right policy")


def test_no_common_transform_set(site):
    site.configure("R2", "crypto ipsec transform-set TS esp-aes 128 esp-sha-hmac")
    with site.capture("transform") as wire:
        assert site.ping(count=2, wait=1)[1] == 0
        state_becomes(site, "R1", r"QM_IDLE")
        log_has(site, "R2", r"%CRYPTO-6-IKMP_MODE_FAILURE: Processing of Quick mode failed with peer at 203\.0\.113\.1")
    assert wire.clear_text() == []
    site.configure("R2", "crypto ipsec transform-set TS esp-aes 256 esp-sha256-hmac")
    until(lambda: site.ping(count=1, wait=2) == (1, 1), 40, "passing with the right transform-set")


def test_access_list_that_is_no_mirror(site):
    site.configure("R2", "ip access-list extended SITE-A", "no 10", "10 permit ip 192.168.2.0 0.0.0.255 192.168.99.0 0.0.0.255")
    assert site.ping(count=2, wait=1)[1] == 0
    said = log_has(site, "R2", r"%CRYPTO-6-IKMP_MODE_FAILURE: Processing of Quick mode failed with peer at 203\.0\.113\.1.*")
    assert "192.168.1.0" in said.group(0), said.group(0)
    site.configure("R2", "ip access-list extended SITE-A", "no 10", "10 permit ip 192.168.2.0 0.0.0.255 192.168.1.0 0.0.0.255")
    until(lambda: site.ping(count=1, wait=2) == (1, 1), 40, "passing with the right access-list")


def test_dead_peer_nothing_in_clear_and_the_next_peer_is_tried(site):
    """By an entry of its own: an entry that has had a tunnel begins with the peer that was good."""
    site.configure("R1", "crypto isakmp key postern-lab address 198.51.100.77", "crypto map VPN 5 ipsec-isakmp", "set peer 198.51.100.77",
                   "set peer 198.51.100.2", "set transform-set TS", "match address SITE-B")
    with site.capture("dead") as wire:
        until(lambda: site.ping(count=1, wait=2) == (1, 1), 90, "passing by the second peer")
    assert wire.clear_text() == []
    assert wire.read("isakmp && ip.dst==198.51.100.77")
    site.configure("R1", "no crypto map VPN 5", "no crypto isakmp key postern-lab address 198.51.100.77")
    until(lambda: site.ping(count=1, wait=2) == (1, 1), 40, "passing again")


def test_deny_overlap_and_several_entries(site):
    """A deny goes on to the next entry; what no entry permits is sent in clear."""
    site.configure("R1", "ip access-list extended SITE-B", "no 10", "10 deny icmp 192.168.1.0 0.0.0.255 host 192.168.2.10",
                   "20 permit ip 192.168.1.0 0.0.0.255 192.168.2.0 0.0.0.255", "exit",
                   "ip access-list extended PING", "permit icmp host 192.168.1.10 host 192.168.2.10", "exit",
                   "crypto map VPN 20 ipsec-isakmp", "set peer 198.51.100.2", "set transform-set TS", "match address PING")
    site.configure("R2", "ip access-list extended PING", "permit icmp host 192.168.2.10 host 192.168.1.10", "exit",
                   "ip access-list extended SITE-A", "no 10", "10 deny icmp host 192.168.2.10 192.168.1.0 0.0.0.255",
                   "20 permit ip 192.168.2.0 0.0.0.255 192.168.1.0 0.0.0.255", "exit",
                   "crypto map VPN 20 ipsec-isakmp", "set peer 203.0.113.1", "set transform-set TS", "match address PING")
    with site.capture("deny") as wire:
        assert site.ping(count=3) == (3, 3)
    assert wire.clear_text() == []
    screen = site.show("R1", "show crypto ipsec sa")
    flow = screen[screen.index("(192.168.1.10/255.255.255.255/1/0)"):]
    assert re.search(r"#pkts encaps: 3,", flow), screen
    for router, list_name, one, other in (("R1", "SITE-B", "192.168.1.0", "192.168.2.0"), ("R2", "SITE-A", "192.168.2.0", "192.168.1.0")):
        site.configure(router, "no crypto map VPN 20", "no ip access-list extended PING", f"ip access-list extended {list_name}", "no 10",
                       "no 20", f"10 permit ip {one} 0.0.0.255 {other} 0.0.0.255")
    until(lambda: site.ping(count=1, wait=2) == (1, 1), 40, "passing again")
