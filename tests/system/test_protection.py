"""ESP, AH, AH around ESP, in tunnel and in transport mode, between two Posterns: what the wire shows and what the console says.

    hostA 192.168.1.10 -- R1 203.0.113.1 -- internet -- 198.51.100.2 R2 -- 192.168.2.10 hostB
"""
import re

import pytest

from conftest import site_fixture
from rig import until

site = site_fixture("protection")
pytestmark = pytest.mark.xdist_group("protection")

R1, R2 = "203.0.113.1", "198.51.100.2"
ESP = ["esp-aes esp-sha-hmac", "esp-gcm 256", "esp-aes-ctr 256 esp-sha256-hmac", "esp-camellia 192 esp-aes-xcbc-mac", "esp-null esp-md5-hmac"]
AH = ["ah-md5-hmac", "ah-sha-hmac", "ah-sha256-hmac", "ah-sha384-hmac", "ah-sha512-hmac", "ah-aes-xcbc-mac"]
BOTH = ["ah-sha-hmac esp-aes 256", "ah-sha256-hmac esp-aes esp-sha-hmac", "ah-md5-hmac esp-gcm"]
CASES = [(transform, "tunnel", False) for transform in ESP + AH + BOTH]
CASES += [(transform, "transport", False) for transform in ESP[:3] + AH[1:3] + BOTH]
CASES += [(ESP[0], "tunnel", True), (AH[2], "transport", True), (BOTH[1], "tunnel", True)]


@pytest.fixture(scope="module", autouse=True)
def ends(site):
    for router, own, peer in (("R1", R1, R2), ("R2", R2, R1)):
        site.configure(router, "ip access-list extended ENDS", f"permit icmp host {own} host {peer}")


def protect(site, transform, mode, esn, ends=True):
    """The same transform-set at both; in transport mode (or with `ends`) the traffic is that of the two routers."""
    for router in ("R1", "R2"):
        site.configure(router, f"crypto ipsec transform-set WIRE {transform}", f"mode {mode}", "esn" if esn else "no esn", "exit",
                       "crypto map VPN 10",
                       "set transform-set WIRE",
                       f"match address {'ENDS' if mode == 'transport' and ends else 'SITE-B' if router == 'R1' else 'SITE-A'}")
    for router in ("R1", "R2"):
        site.console(router, "clear crypto sa")


def sas(site, router):
    """The SAs of each head: {"inbound esp": [text], ...}."""
    screen = site.show(router, "show crypto ipsec sa")
    found = {}
    for way, kind, text in re.findall(r"(inbound|outbound) (esp|ah) sas:\n((?:      .*\n)*)", screen):
        found.setdefault(f"{way} {kind}", []).extend(re.findall(r"spi: (0x[0-9A-F]+)\(\d+\)\n\s+transform: (.*?) ,\n\s+in use settings =\{(\w+)", text))
    return found


@pytest.mark.parametrize("transform, mode, esn", CASES)
def test_on_the_wire_and_on_the_screen(site, transform, mode, esn):
    protect(site, transform, mode, esn)
    with site.capture("kinds") as wire:
        if mode == "transport":
            assert site.ping("R1", R2, count=5) == (5, 5)
        else:
            assert site.ping(count=5) == (5, 5)
    ah, esp = "ah-" in transform, "esp-" in transform
    seen = wire.read("ah || esp", "ip.proto")
    assert len(seen) == 10
    assert {line.split(",")[0] for line in seen} == {"51" if ah else "50"}, seen        # AH is around ESP
    assert len(wire.read("ah")) == (10 if ah else 0) and len(wire.read("esp")) == (10 if esp else 0)
    assert wire.read("icmp && !ah && !esp") == []
    for router in ("R1", "R2"):
        have = sas(site, router)
        for kind, there in (("esp", esp), ("ah", ah)):
            for way in ("inbound", "outbound"):
                assert len(have.get(f"{way} {kind}", [])) == there, (router, have)     # one pair, though ESP may overtake message 3
        assert {one[2] for some in have.values() for one in some} == {mode.capitalize()}, have
    one, other = sas(site, "R1"), sas(site, "R2")
    for kind in ("esp", "ah"):
        assert {sa[0] for sa in one.get(f"inbound {kind}", [])} == {sa[0] for sa in other.get(f"outbound {kind}", [])}


def test_transport_falls_back_to_tunnel_for_what_lies_behind(site):
    protect(site, "esp-aes esp-sha-hmac", "transport", False, ends=False)
    assert site.ping(count=3) == (3, 3)
    assert {one[2] for some in sas(site, "R1").values() for one in some} == {"Tunnel"}


def test_both_of_a_bundle_go_and_come_back(site):
    protect(site, "ah-sha-hmac esp-aes", "tunnel", False)
    assert site.ping(count=2) == (2, 2)
    site.console("R1", "clear crypto sa")
    until(lambda: not any(sas(site, "R2").values()), 10, "R2 has no SA of the bundle left")
    assert not any(sas(site, "R1").values())
    assert site.ping(count=2) == (2, 2)
    counts = {name: len(some) for name, some in sas(site, "R2").items()}
    assert len(counts) == 4 and set(counts.values()) == {1}, counts


def test_set_that_ikev1_cannot_negotiate(site):
    screen = site.console("R1", "configure terminal", "crypto ipsec transform-set NEW esp-chacha20-poly1305", "end",
                          "show crypto ipsec transform-set NEW")
    assert "% NOTE: IKEv1 cannot negotiate this transform set: it has no number for esp-chacha20-poly1305" in screen
    assert "Transform set NEW: { esp-chacha20-poly1305  }" in screen
    site.configure("R1", "no crypto ipsec transform-set NEW")
