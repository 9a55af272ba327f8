"""Peers that fall silent: the next `set peer` is tried, and the `default` one comes back. One strongSwan, two addresses; dead is what
sends and receives nothing any more.

    hostA 192.168.1.10 -- R1 203.0.113.1 -- internet -- 198.51.100.2, 198.51.100.3 R2 -- 192.168.2.10 hostB
"""
import os
import re
import tempfile

import pytest

import rig
from rig import until

pytestmark = pytest.mark.xdist_group("dpd")

PEER = """    peer%(n)s {
        version = 1
        local_addrs = 198.51.100.%(n)s
        remote_addrs = 203.0.113.1
        encap = yes
        dpd_delay = 0
        proposals = aes256-sha256-modp2048
        local { auth = psk
            id = 198.51.100.%(n)s }
        remote { auth = psk
            id = 203.0.113.1 }
        children { peer%(n)s {
            local_ts = 192.168.2.0/24
            remote_ts = 192.168.1.0/24
            esp_proposals = aes256-sha256
        } }
    }
"""
DEAD = """table ip dead%(n)s {
    chain in { type filter hook input priority -10; ip daddr 198.51.100.%(n)s drop; }
    chain out { type filter hook output priority -10; ip saddr 198.51.100.%(n)s drop; }
}"""


@pytest.fixture(scope="module")
def site():
    with tempfile.NamedTemporaryFile("w", suffix=".conf", delete=False) as file:
        file.write("connections {\n" + "".join(PEER % {"n": n} for n in (2, 3)) + "}\nsecrets {\n    ike-one { secret = postern-lab }\n}\n")
    try:
        made = rig.Site("dpd", peer="strongswan", r2=file.name)
    finally:
        os.unlink(file.name)
    try:
        made.run("R2", "ip", "addr", "add", "198.51.100.3/24", "dev", "gi0-0")
        made.configure("R1", "crypto isakmp key postern-lab address 198.51.100.3", "crypto map VPN 10", "no set peer 198.51.100.2",
                       "set peer 198.51.100.2 default", "set peer 198.51.100.3")
        yield made
    finally:
        made.down()


def dies(site, n):
    """Its last words are not heard either."""
    site.run("R2", "nft", DEAD % {"n": n})
    site.run("R2", "swanctl", "--terminate", "--ike", f"peer{n}", "--force", check=False)


def falls_over(site, dead, other):
    """The dead one is noticed, and traffic passes by the other; returns what was seen on the wire."""
    site.console("R1", "clear logging", "")
    with site.capture(f"to-{other}") as wire:
        dies(site, dead)
        until(lambda: site.ping(count=1, wait=1) == (1, 1), 120, f"passing by 198.51.100.{other}")
        assert site.ping(count=3) == (3, 3)
    assert wire.clear_text() == []
    log = site.show("R1", "show logging")
    assert re.search(rf"%CRYPTO-4-IKMP_PEER_DEAD: Peer 198\.51\.100\.{dead} does not answer \d+ R-U-THERE", log), log
    assert wire.read(f"esp && ip.dst==198.51.100.{other}")
    peers = site.show("R1", "show crypto session")
    assert re.search(rf"^Peer: 198\.51\.100\.{other} port ", peers, re.M), peers
    assert f"198.51.100.{dead} port" not in peers, peers


def test_the_next_peer_and_back(site):
    """The first is found dead by periodic questions, the second by traffic without an answer."""
    site.configure("R1", "crypto isakmp keepalive 10 2 periodic")
    until(lambda: site.ping(count=1, wait=2) == (1, 1), 60, "the first packet")
    assert re.search(r"^Peer: 198\.51\.100\.2 port ", site.show("R1", "show crypto session"), re.M)
    falls_over(site, 2, 3)
    site.configure("R1", "crypto isakmp keepalive 10 2 on-demand")
    site.run("R2", "nft", "delete", "table", "ip", "dead2")
    falls_over(site, 3, 2)
    site.run("R2", "nft", "delete", "table", "ip", "dead3")
