"""How tunnels start by hand, and each way in which they end: afterwards both ends have nothing, and the next packet starts again.

    hostA 192.168.1.10 -- R1 203.0.113.1 -- internet -- 198.51.100.2 R2 -- 192.168.2.10 hostB
"""
import re

import pytest

from conftest import site_fixture
from rig import until

site = site_fixture("endings")
pytestmark = pytest.mark.xdist_group("endings")


def spis(site, router):
    return re.findall(r"^ +spi: (0x[0-9A-F]+)", site.show(router, "show crypto ipsec sa"), re.M)


def ike(site, router):
    return re.findall(r"QM_IDLE\s+(\d+) ACTIVE$", site.show(router, "show crypto isakmp sa"), re.M)


def up(site):
    assert site.ping(count=2) == (2, 2)
    until(lambda: len(spis(site, "R1")) >= 2 and len(spis(site, "R2")) >= 2, 20, "SAs at both ends")


def gone(site, seconds=20, routers=("R1", "R2")):
    for router in routers:
        until(lambda r=router: not spis(site, r), seconds, f"{router} has no IPsec SA left")


def agree(site):
    """Each inbound SA of one is an outbound SA of the other."""
    have = {}
    for router in ("R1", "R2"):
        screen = site.show(router, "show crypto ipsec sa")
        have[router] = {way: set(re.findall(r"spi: (0x\w+)", "".join(re.findall(rf"{way} (?:esp|ah) sas:\n((?:      .*\n)*)", screen))))
                        for way in ("inbound", "outbound")}
    return have["R1"]["inbound"] == have["R2"]["outbound"] and have["R1"]["outbound"] == have["R2"]["inbound"]


def again(site):
    """The next packet starts a tunnel, and both have the same SAs."""
    up(site)
    until(lambda: agree(site), 20, "both have the same SAs")


def block(site, on):
    """IKE no longer passes the internet, ESP does."""
    site.run("internet", "nft", "add table ip endings" if on else "delete table ip endings")
    if on:
        site.run("internet", "nft", "add chain ip endings watch { type filter hook forward priority 0; }")
        site.run("internet", "nft", "add rule ip endings watch udp dport 500 drop")


def test_by_hand(site):
    said = site.console("R1", "crypto session connect map VPN 10")
    assert "Negotiation begun for 1 flow, 0 already up" in said
    until(lambda: len(spis(site, "R1")) == 2 and len(spis(site, "R2")) == 2, 20, "SAs without any packet")
    until(lambda: agree(site), 20, "both have the same SAs")
    assert re.search(r"#pkts encaps: 0,", site.show("R1", "show crypto ipsec sa"))
    assert "0 flows, 1 already up" in site.console("R1", "crypto session connect map VPN")
    assert '% Crypto map with tag "OTHER" does not exist.' in site.console("R1", "crypto session connect map OTHER")
    assert "% Crypto map VPN has no entry 20" in site.console("R1", "crypto session connect map VPN 20")


@pytest.mark.parametrize("router", ["R1", "R2"])
@pytest.mark.parametrize("what", ["sa", "session", "sa peer", "sa map VPN"])
def test_clear_ends_both(site, router, what):
    up(site)
    peer = "198.51.100.2" if router == "R1" else "203.0.113.1"
    site.console(router, f"clear crypto {what}" + (f" {peer}" if what == "sa peer" else ""))
    gone(site)
    if what == "session":
        until(lambda: ike(site, "R1") == ike(site, "R2") == [], 20, "no IKE SA is left")
    again(site)


def test_changed_configuration(site):
    up(site)
    site.configure("R1", "crypto map VPN 10", "no match address")
    gone(site)
    site.configure("R1", "crypto map VPN 10", "match address SITE-B")
    again(site)


def test_list_that_no_longer_permits(site):
    up(site)
    site.configure("R2", "ip access-list extended SITE-A", "5 permit ip 10.0.0.0 0.0.0.255 10.9.0.0 0.0.0.255", "no 10")
    gone(site)
    site.configure("R2", "ip access-list extended SITE-A", "permit ip 192.168.2.0 0.0.0.255 192.168.1.0 0.0.0.255", "no 5")
    again(site)


def test_shutdown_of_the_interface(site):
    up(site)
    site.configure("R1", "interface GigabitEthernet0/0", "shutdown")
    gone(site, routers=["R1"])
    site.configure("R1", "interface GigabitEthernet0/0", "no shutdown")
    again(site)


def test_volume(site):
    """R2 refuses every renewal: the SAs end at their limit, and nothing leaves in clear."""
    site.configure("R1", "crypto ipsec security-association lifetime kilobytes 2560")
    site.console("R1", "clear crypto session")
    up(site)
    site.configure("R2", "crypto ipsec transform-set TS esp-3des esp-md5-hmac")
    with site.capture("volume") as wire:
        until(lambda: site.ping(count=2200, interval=0.001, size=1400, wait=1) and not spis(site, "R1"), 120, "the volume ends")
    assert wire.clear_text() == []
    gone(site, 60)
    site.configure("R2", "crypto ipsec transform-set TS esp-aes 256 esp-sha256-hmac")
    site.configure("R1", "no crypto ipsec security-association lifetime kilobytes")
    until(lambda: site.ping(count=1, wait=2)[1] == 1, 60, "a tunnel with the limit gone")
    again(site)


def test_idle_time(site):
    site.configure("R1", "crypto map VPN 10", "set security-association idle-time 60")
    site.console("R1", "clear crypto sa")
    up(site)
    until(lambda: not spis(site, "R1"), 100, "the idle SAs of R1 end")
    gone(site)
    site.configure("R1", "crypto map VPN 10", "no set security-association idle-time")
    again(site)


def test_dead_peer(site):
    site.configure("R1", "crypto isakmp keepalive 10 2 periodic")
    site.console("R1", "clear crypto session")
    up(site)
    block(site, True)
    gone(site, 60, routers=["R1"])
    block(site, False)
    site.configure("R1", "no crypto isakmp keepalive")
    until(lambda: site.ping(count=1, wait=2)[1] == 1, 60, "a tunnel after the block")
    again(site)


def test_lifetime(site):
    """No renewal is possible: both ends let go at the same time."""
    for router in ("R1", "R2"):
        site.configure(router, "crypto ipsec security-association lifetime seconds 120")
        site.console(router, "clear crypto session")
    up(site)
    block(site, True)
    gone(site, 150)
    block(site, False)
    for router in ("R1", "R2"):
        site.configure(router, "no crypto ipsec security-association lifetime seconds")
    until(lambda: site.ping(count=1, wait=2)[1] == 1, 60, "a tunnel after the block")
    again(site)
