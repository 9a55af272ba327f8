"""Phase 1 as a user types it: aggressive mode, dead peers, NAT, fragments, with strongSwan and between two Posterns.

    hostA 192.168.1.10 -- R1 203.0.113.1 [-- NAT 192.0.2.1] -- internet -- [NAT 192.0.2.129 --] 198.51.100.2 R2 -- 192.168.2.10 hostB
"""
import os
import re
import tempfile

import pytest

import rig
from rig import until

pytestmark = pytest.mark.xdist_group("phase1")

# R1 as a strongSwan sees it: by the name that it gives itself, from any address.
SWAN = """
connections {
    postern {
        version = 1
        aggressive = %(aggressive)s
        local_addrs = 198.51.100.2
        remote_addrs = %(remote)s
        encap = yes
        fragmentation = %(fragmentation)s
        dpd_delay = 0
        proposals = aes256-sha256-modp2048
        local { auth = psk
            id = %(own)s }
        remote { auth = psk
            id = %(peer)s }
        children {
            site {
                local_ts = 192.168.2.0/24
                remote_ts = 192.168.1.0/24
                esp_proposals = aes256-sha256
            }
        }
    }
}
secrets {
    ike-one { secret = postern-lab }
}
"""


def swan(name, aggressive="no", remote="203.0.113.1", own="198.51.100.2", peer="203.0.113.1", fragmentation="no", **options):
    with tempfile.NamedTemporaryFile("w", suffix=".conf", delete=False) as file:
        file.write(SWAN % {"aggressive": aggressive, "remote": remote, "own": own, "peer": peer, "fragmentation": fragmentation})
    try:
        return rig.Site(name, peer="strongswan", r2=file.name, **options)
    finally:
        os.unlink(file.name)


def fixture(make):
    @pytest.fixture(scope="module")
    def site():
        made = make()
        try:
            yield made
        finally:
            made.down()
    return site


named = fixture(lambda: swan("phase1-named", aggressive="yes", peer="r1.example.org", own="gw.example.org"))
behind = fixture(lambda: swan("phase1-behind", remote="192.0.2.1", nat="r1"))
pair = fixture(lambda: rig.Site("phase1-pair"))
both = fixture(lambda: rig.Site("phase1-both", nat="both"))
moving = fixture(lambda: rig.Site("phase1-moving", nat="r1"))


def exchanges(wire):
    """(source, exchange type) of each ISAKMP message, repetitions left out."""
    lines = dict.fromkeys(wire.read("isakmp", "ip.src", "udp.payload", "isakmp.exchangetype"))
    return [(line.split("\t")[0], int(line.split("\t")[-1])) for line in lines]


def up(site):
    """strongSwan can read the first packet a little later than it says so."""
    until(lambda: site.ping(count=1, wait=2) == (1, 1), 30, "the first packet")
    assert site.ping(count=3) == (3, 3)


def quiet(site):
    """No SA at either end."""
    site.console("R1", "clear crypto session", "clear logging", "")
    if "strongswan" in site.run("R2", "sh", "-c", "pgrep -l charon && echo strongswan; true"):
        site.run("R2", "swanctl", "--terminate", "--ike", "postern", "--force", check=False)


def test_aggressive_mode_begun_by_us(named):
    named.configure("R1", "crypto isakmp peer address 198.51.100.2", "set aggressive-mode client-endpoint fqdn r1.example.org",
                    "set aggressive-mode password postern-lab")
    with named.capture("begun") as wire:
        up(named)
    assert "IKMP_AGGRESSIVE_PSK" in named.show("R1", "show logging")
    modes = exchanges(wire)
    assert [mode for _, mode in modes[:3]] == [4, 4, 4], modes
    assert [source for source, _ in modes[:3]] == ["203.0.113.1", "198.51.100.2", "203.0.113.1"]
    assert "r1.example.org" in "".join(wire.read("isakmp.exchangetype==4", "isakmp.id.data.fqdn"))
    assert wire.clear_text() == []
    assert "r1.example.org" in named.run("R2", "swanctl", "--list-sas")
    peers = named.show("R1", "show crypto isakmp peers")
    assert re.search(r"^Peer: 198\.51\.100\.2 Port: 4500 Local: 203\.0\.113\.1\n Phase1 id: gw\.example\.org", peers), peers
    assert re.search(r"Vendor IDs: .*DPD", peers), peers


def test_aggressive_mode_begun_by_strongswan(named):
    """Refused while nothing is configured for it; then by a profile that knows the name."""
    quiet(named)
    named.configure("R1", "no crypto isakmp peer address 198.51.100.2")
    with named.capture("refused") as wire:
        named.run("R2", "timeout", "6", "swanctl", "--initiate", "--child", "site", check=False)
    assert {source for source, _ in exchanges(wire)} == {"198.51.100.2"}
    named.run("R2", "swanctl", "--terminate", "--ike", "postern", "--force", check=False)
    named.configure("R1", "crypto keyring RING", "pre-shared-key hostname gw.example.org key postern-lab", "exit",
                    "crypto isakmp profile SWAN", "keyring RING", "match identity host domain example.org",
                    "self-identity fqdn r1.example.org")
    with named.capture("answered") as wire:
        named.run("R2", "timeout", "120", "swanctl", "--initiate", "--child", "site")
        assert named.ping("hostB", "192.168.1.10") == (3, 3)
    modes = exchanges(wire)
    assert [mode for _, mode in modes[:3]] == [4, 4, 4], modes
    assert modes[0][0] == "198.51.100.2"
    assert " ISAKMP profile: SWAN\n" in named.show("R1", "show crypto isakmp peers")


def test_dead_strongswan(named):
    """Killed without a word: on-demand keepalives find it dead because traffic gets no answer."""
    quiet(named)
    named.configure("R1", "crypto isakmp keepalive 10 2", "crypto isakmp peer address 198.51.100.2",
                    "set aggressive-mode client-endpoint fqdn r1.example.org", "set aggressive-mode password postern-lab")
    up(named)
    named.run("R2", "pkill", "-9", "-x", "charon")
    with named.capture("dead") as wire:
        with named.flow(interval=0.5, wait=1):
            named.log_has("R1", r"%CRYPTO-4-IKMP_PEER_DEAD: Peer 198\.51\.100\.2 does not answer 6 R-U-THERE", seconds=60)
    until(lambda: "QM_IDLE" not in named.show("R1", "show crypto isakmp sa"), 20, "its SA is gone")
    assert wire.clear_text() == []


def test_we_behind_a_nat(behind):
    with behind.capture("behind") as wire:
        up(behind)
    assert wire.clear_text() == []
    assert {line for line in wire.read("udp.port==4500 && ip.src==192.0.2.1", "ip.src")} == {"192.0.2.1"}
    assert re.search(r"192\.0\.2\.1\[(?!4500)\d+\]", behind.run("R2", "swanctl", "--list-sas"))
    detail = behind.show("R1", "show crypto isakmp sa detail")
    assert re.search(r"ACTIVE.* D?N", detail), detail


def test_nat_keepalive(behind):
    behind.configure("R1", "crypto isakmp nat keepalive 5")
    up(behind)
    with behind.capture("keepalive") as wire:
        wire.wait_for("udpencap.nat_keepalive && ip.src==192.0.2.1", count=3, seconds=60)
    times = [float(line) for line in wire.read("udpencap.nat_keepalive && ip.src==192.0.2.1", "frame.time_epoch")]
    assert times[-1] - times[0] > 5 * (len(times) - 1) - 1         # not more often than told


def nats(site):
    site.configure("R1", "crypto isakmp key postern-lab address 192.0.2.129", "crypto map VPN 10", "no set peer 198.51.100.2",
                   "set peer 192.0.2.129")
    site.configure("R2", "crypto isakmp key postern-lab address 192.0.2.1", "crypto map VPN 10", "no set peer 203.0.113.1",
                   "set peer 192.0.2.1")


def test_both_behind_nats(both):
    nats(both)
    with both.capture("both") as wire:
        assert both.ping(count=3) == (3, 3)
        assert both.ping("hostB", "192.168.1.10") == (3, 3)
    assert wire.clear_text() == []
    assert wire.read("esp") == [] or all("UDP" in line or "ESP" in line for line in wire.read("esp"))
    for router in ("R1", "R2"):
        assert re.search(r"ACTIVE.* D?N", both.show(router, "show crypto isakmp sa detail"))


def test_a_mapping_that_changes(moving):
    """The NAT forgets; the next packet of ours comes from another port, and all answers but the first, which is on its way already,
    find it."""
    moving.configure("R2", "crypto isakmp key postern-lab address 192.0.2.1", "crypto map VPN 10", "no set peer 203.0.113.1",
                     "set peer 192.0.2.1")
    moving.run("nat1", "sysctl", "-qw", "net.netfilter.nf_conntrack_udp_timeout=3", "net.netfilter.nf_conntrack_udp_timeout_stream=3")
    with moving.capture("changed") as wire:
        assert moving.ping(count=2) == (2, 2)
        for _ in range(2):
            moving.run("internet", "sleep", "5")
            assert moving.ping(count=5, wait=2)[1] >= 4
    assert len(set(wire.read("udp && ip.src==192.0.2.1", "udp.srcport"))) >= 3
    assert len([mode for _, mode in exchanges(wire) if mode == 32]) == 3            # one pair all the time


def test_aggressive_mode_between_two_posterns_behind_nats(both):
    quiet(both)
    both.console("R2", "clear crypto session", "")
    both.configure("R1", "crypto isakmp peer address 192.0.2.129", "set aggressive-mode client-endpoint user-fqdn r1@example.org")
    both.configure("R2", "crypto isakmp profile R1", "match identity user r1@example.org")
    with both.capture("aggressive") as wire:
        assert both.ping(count=3) == (3, 3)
    assert [mode for _, mode in exchanges(wire)[:3]] == [4, 4, 4]
    assert "Phase1 id: r1@example.org" in both.show("R2", "show crypto isakmp peers")


def test_nat_transparency_off(pair):
    pair.configure("R1", "no crypto ipsec nat-transparency udp-encapsulation")
    with pair.capture("off") as wire:
        assert pair.ping(count=2) == (2, 2)
    assert not any("RFC 3947" in line for line in wire.read("isakmp.exchangetype==2", "isakmp.vid_string"))
    pair.configure("R1", "crypto ipsec nat-transparency udp-encapsulation")


def test_nat_transparency_off_behind_a_nat(moving):
    """The NAT is not looked for, and ESP goes without UDP: through this one it comes."""
    moving.configure("R1", "no crypto ipsec nat-transparency udp-encapsulation")
    moving.console("R1", "clear crypto session", "")
    moving.console("R2", "clear crypto session", "")
    with moving.capture("off") as wire:
        until(lambda: moving.ping(count=1, wait=2) == (1, 1), 40, "the first packet")
        assert moving.ping(count=3) == (3, 3)
    assert wire.clear_text() == []
    assert wire.read("esp && !udp && ip.src==192.0.2.1") and wire.read("esp && !udp && ip.dst==192.0.2.1")
    moving.configure("R1", "crypto ipsec nat-transparency udp-encapsulation")
    moving.console("R1", "clear crypto session", "")
    with moving.capture("on") as wire:
        until(lambda: moving.ping(count=1, wait=2) == (1, 1), 40, "the first packet in UDP")
    assert wire.read("udp.port==4500 && esp")


def test_names_and_wildcard_keys(pair):
    """Main mode: a wildcard key, identities by host name, checked by a profile's match."""
    pair.console("R1", "clear crypto session", "")
    for router, peer in (("R1", "198.51.100.2"), ("R2", "203.0.113.1")):
        pair.configure(router, f"no crypto isakmp key postern-lab address {peer}", "crypto keyring ALL",
                       "pre-shared-key address 0.0.0.0 0.0.0.0 key wild", "exit", "crypto isakmp identity hostname",
                       "crypto isakmp profile SITES", "keyring ALL", "match identity host R1", "match identity host R2",
                       f"match identity address {peer}")
    assert pair.ping(count=2) == (2, 2)
    assert "Phase1 id: R2\n ISAKMP profile: SITES" in pair.show("R1", "show crypto isakmp peers")
    pair.configure("R2", "hostname OTHER")
    pair.console("R1", "clear crypto session", "")
    assert pair.ping(count=2, wait=1)[1] == 0
    until(lambda: "no ISAKMP profile matches" in pair.show("R1", "show logging"), 20, "the refusal of the name in the log")
    pair.configure("R2", "hostname R2")
    until(lambda: pair.ping(count=1, wait=2) == (1, 1), 60, "passing again")


def test_call_admission(pair):
    assert pair.ping(count=1) == (1, 1)
    pair.configure("R1", "crypto call admission limit ike sa 50")
    screen = pair.show("R1", "show crypto call admission statistics")
    assert re.search(r"Max IKE SAs:\s+50 Max in nego:\s+1000", screen), screen
    assert re.search(r"Total IKE SA Count:\s+\d+ active:\s+1 ", screen), screen


def test_periodic_keepalives_on_the_wire(pair):
    pair.configure("R1", "crypto isakmp keepalive 10 periodic")
    assert pair.ping(count=1) == (1, 1)
    with pair.capture("periodic") as wire:
        until(lambda: sorted(source for source, mode in exchanges(wire) if mode == 5).count("203.0.113.1") >= 2 <=
              [source for source, mode in exchanges(wire) if mode == 5].count("198.51.100.2"), 40, "keepalives and their answers")
    assert "IKMP_PEER_DEAD" not in pair.show("R1", "show logging")
