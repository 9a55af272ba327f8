"""Quick mode with strongSwan, both roles: identities, PFS, lifetimes, several SAs and several sets, as a user types them.

    hostA 192.168.1.10 -- R1 203.0.113.1 Postern -- internet -- 198.51.100.2 R2 strongSwan, its own ESP in UDP -- 192.168.2.10 hostB
                                                                192.168.2.1

Where selectors are narrow, the far end is R2's inner address: kernel-libipsec wants an address of its own in each.
"""
import re

import pytest

from rig import until
from swan import R2, swan_fixture

site = swan_fixture("quick")
pytestmark = pytest.mark.xdist_group("quick")

THERE = "192.168.2.1"
NETS = "local_ts = 192.168.2.0/24; remote_ts = 192.168.1.0/24"
ECHO = """
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("192.168.2.1", 5001)); s.settimeout(300); print("bound", flush=True)
while (got := s.recvfrom(100))[0] != b"end":
    s.sendto(*got)
"""
ASK = """
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(2)
for _ in range(60):
    s.sendto(b"hello", ("192.168.2.1", 5001))
    try: print(s.recv(100).decode()); s.sendto(b"end", ("192.168.2.1", 5001)); break
    except TimeoutError: pass
"""
# What R1's list says, what strongSwan has, how R1 shows it.
IDENTITIES = {
    "address": ("ip host 192.168.1.10 host 192.168.2.1", ("192.168.2.1/32", "192.168.1.10/32"),
                ("192.168.1.10/255.255.255.255/0/0", "192.168.2.1/255.255.255.255/0/0")),
    "subnet": ("ip 192.168.1.0 0.0.0.255 192.168.2.0 0.0.0.127", ("192.168.2.0/25", "192.168.1.0/24"),
               ("192.168.1.0/255.255.255.0/0/0", "192.168.2.0/255.255.255.128/0/0")),
    "protocol": ("udp 192.168.1.0 0.0.0.255 192.168.2.0 0.0.0.255", ("192.168.2.0/24[udp]", "192.168.1.0/24[udp]"),
                 ("192.168.1.0/255.255.255.0/17/0", "192.168.2.0/255.255.255.0/17/0")),
    "port": ("udp host 192.168.1.10 host 192.168.2.1 eq 5001", ("192.168.2.1/32[udp/5001]", "192.168.1.10/32[udp]"),
             ("192.168.1.10/255.255.255.255/17/0", "192.168.2.1/255.255.255.255/17/5001")),
}


def crypto_list(site, *lines):
    site.configure("R1", "no ip access-list extended SITE-B", "ip access-list extended SITE-B", *(f"permit {line}" for line in lines))


def entry(site, *lines):
    site.configure("R1", "crypto map VPN 10", *lines)


def udp_passes(site):
    serve = site.start("R2", "/usr/bin/python3", "-c", ECHO)
    assert serve.stdout.readline() == "bound\n"
    said = site.run("hostA", "/usr/bin/python3", "-c", ASK).strip()
    serve.wait(400)
    return said == "hello"


@pytest.mark.parametrize("begins", ["R1", "R2"])
@pytest.mark.parametrize("kind", IDENTITIES)
def test_identities(site, kind, begins):
    line, (local, remote), shown = IDENTITIES[kind]
    crypto_list(site, line)
    site.peer({"site": f"local_ts = {local}; remote_ts = {remote}; esp_proposals = aes256-sha256"})
    with site.capture(f"ids-{kind}") as wire:
        if begins == "R2":
            site.initiate()
        if "udp" in line:
            assert udp_passes(site)
        else:
            site.up(to=THERE)
    assert wire.read("udp.dstport==5001 && !esp || icmp.type==8 && !esp") == []
    screen = site.show("R1", "show crypto ipsec sa")
    assert f"local  ident (addr/mask/prot/port): ({shown[0]})" in screen and f"remote ident (addr/mask/prot/port): ({shown[1]})" in screen, screen
    listed = site.run("R2", "swanctl", "--list-sas")
    assert re.search(rf"local  {re.escape(local)}\n\s+remote {re.escape(remote)}\n", listed), listed
    assert site.agree()


def test_a_range_from_the_peer_is_taken_within_the_list(site):
    """ID_IPV4_ADDR_RANGE (RFC 2407 4.6.2.8): inside a permit line it is its own selector, beyond it is refused."""
    crypto_list(site, "ip 192.168.1.0 0.0.0.255 192.168.2.0 0.0.0.63")
    site.peer({"site": "local_ts = 192.168.2.1-192.168.2.20; remote_ts = 192.168.1.10-192.168.1.11; esp_proposals = aes256-sha256",
               "wide": "local_ts = 192.168.2.1-192.168.2.70; remote_ts = 192.168.1.10-192.168.1.11; esp_proposals = aes256-sha256"})
    site.initiate()
    assert site.ping("hostB", "192.168.1.10") == (3, 3)
    assert site.ping() == (3, 3)
    assert site.agree()
    assert re.search(r"local  192\.168\.2\.1\.\.192\.168\.2\.20\n", site.run("R2", "swanctl", "--list-sas"))
    assert site.show("R1", "show crypto isakmp sa").count("QM_IDLE") == 1
    site.initiate("wide", check=False)
    site.logged(r"IKMP_MODE_FAILURE: Processing of Quick mode failed with peer at 198\.51\.100\.2.*192\.168\.2\.1-192\.168\.2\.70")
    site.logged(r"received INVALID_ID_INFORMATION error notify", "R2")


# Our `set pfs`, strongSwan's groups, who begins; who says what when it does not fit (nothing: it fits).
PFS = [("group14", "-modp2048", "R1", None), ("group14", "-modp2048", "R2", None), (None, "", "R1", None), (None, "-modp2048", "R2", None),
       ("group14", "-modp4096", "R2", None),            # at least our group, as on IOS
       ("group14", "", "R2", "R1"), ("group14", "-modp1024", "R2", "R1"), ("group14", "", "R1", "R2"), ("group2", "-modp2048", "R1", "R2"),
       (None, "-modp2048", "R1", "R2")]


@pytest.mark.parametrize("ours, theirs, begins, refuses", PFS)
def test_pfs(site, ours, theirs, begins, refuses):
    crypto_list(site, "ip 192.168.1.0 0.0.0.255 192.168.2.0 0.0.0.255")
    entry(site, f"set pfs {ours}" if ours else "no set pfs")
    site.peer({"site": f"{NETS}; esp_proposals = aes256-sha256{theirs}"})
    if refuses is None:
        if begins == "R2":
            site.initiate()
        site.up()
        group = theirs.strip("-").upper().replace("MODP", "MODP_")
        assert (f"/{group}" if group else "HMAC_SHA2_256_128\n") in site.run("R2", "swanctl", "--list-sas")
        assert f"PFS (Y/N): {'Y' if theirs else 'N'}" in site.show("R1", "show crypto ipsec sa")
        assert site.agree()
    elif refuses == "R1":
        assert "NO_PROPOSAL_CHOSEN" in site.initiate(check=False)
        site.logged(rf"IKMP_MODE_FAILURE: Processing of Quick mode failed with peer at 198\.51\.100\.2: no proposal matched \(they offered .*"
                    rf"wants .* with pfs {ours}")
    else:
        with site.capture("pfs") as wire:
            assert site.ping(count=2, wait=1)[1] == 0
        assert wire.clear_text() == []
        site.logged(r"IKMP_MODE_FAILURE: Processing of Quick mode failed with peer at 198\.51\.100\.2: the peer says NO-PROPOSAL-CHOSEN")
    entry(site, "no set pfs")


def lifetimes(site):
    """(kilobytes, seconds) that R1 shows as remaining."""
    found = re.search(r"remaining key lifetime \(k/sec\): \((\d+)/(\d+)\)", site.show("R1", "show crypto ipsec sa"))
    return int(found.group(1)), int(found.group(2))


def test_lifetimes_that_are_ours(site):
    """The peer offers more than we want: RESPONDER-LIFETIME says so, and here the shorter counts. Then we offer, and it takes ours."""
    crypto_list(site, "ip 192.168.1.0 0.0.0.255 192.168.2.0 0.0.0.255")
    entry(site, "set security-association lifetime seconds 600", "set security-association lifetime kilobytes 10000")
    site.peer({"site": f"{NETS}; esp_proposals = aes256-sha256; life_time = 3600; rekey_time = 3000; life_bytes = 50000000"})
    before = len(site.said())
    site.initiate()
    site.up()
    kb, seconds = lifetimes(site)
    assert 9000 < kb <= 10000 and 300 < seconds <= 600, (kb, seconds)
    assert re.search(r"parsed QUICK_MODE response \d+ \[ HASH SA No ID ID N\(.*24576.*\)", site.said()[before:]), site.said()[before:]
    site.quiet()
    before = len(site.said())
    site.up()
    site.logged(r"received 600s lifetime, configured 3600s", "R2")
    site.logged(r"received 10000000 lifebytes, configured 50000000", "R2")
    assert site.agree()


def test_lifetimes_that_are_the_peers(site):
    """It offers less than we want: its lifetimes count, and nothing need be said."""
    crypto_list(site, "ip 192.168.1.0 0.0.0.255 192.168.2.0 0.0.0.255")
    entry(site, "no set security-association lifetime seconds", "no set security-association lifetime kilobytes")
    site.peer({"site": f"{NETS}; esp_proposals = aes256-sha256; life_time = 900; rekey_time = 800; life_bytes = 20480000"})
    before = len(site.said())
    site.initiate()
    site.up()
    kb, seconds = lifetimes(site)
    assert 20000 < kb <= 20480 and 600 < seconds <= 900, (kb, seconds)
    assert "24576" not in site.said()[before:]


def test_several_lines_have_an_sa_each_under_one_ike_sa(site):
    """Of an entry's lines each has its own pair; both ends begin some of them."""
    hosts = range(21, 27)
    for n in hosts:
        site.run("hostA", "ip", "address", "add", f"192.168.1.{n}/24", "dev", "eth0")
        site.run("R2", "ip", "address", "add", f"192.168.2.{n}/24", "dev", "gi0-1")
    crypto_list(site, *(f"ip host 192.168.1.{n} host 192.168.2.{n}" for n in hosts))
    site.peer({f"c{n}": f"local_ts = 192.168.2.{n}/32; remote_ts = 192.168.1.{n}/32; esp_proposals = aes256-sha256" for n in hosts})
    with site.capture("several") as wire:
        for n in hosts:
            if n % 2:
                site.initiate(f"c{n}")
            until(lambda n=n: "1 received" in site.run("hostA", "ping", "-n", "-c", "1", "-W", "2", "-I", f"192.168.1.{n}", f"192.168.2.{n}", check=False),
                  30, f"line of {n}")
    assert wire.read("icmp && !esp") == []
    assert site.ike_sas() == (1, 1)
    assert site.agree()
    assert len(site.pairs()[0][0]) == len(hosts)
    site.console("R1", "clear crypto sa")
    until(lambda: site.pairs() == ((set(), set()), (set(), set())), 20, "all ended at both ends")


SETS = {"S1": ("esp-aes 256 esp-sha512-hmac", "aes256-sha512"), "S2": ("esp-gcm 256", "aes256gcm16"), "S3": ("esp-aes esp-sha256-hmac", "aes128-sha256"),
        "S4": ("esp-3des esp-sha-hmac", "3des-sha1"), "S5": ("esp-camellia esp-sha-hmac", "camellia128-sha1"), "S6": ("esp-aes 192 esp-md5-hmac", "aes192-md5")}


@pytest.mark.parametrize("name", SETS)
def test_one_of_six_sets(site, name):
    """All six are in our offer, and the peer takes the only one that it has; and the reverse."""
    crypto_list(site, "ip 192.168.1.0 0.0.0.255 192.168.2.0 0.0.0.255")
    site.configure("R1", *(line for one, (words, _) in SETS.items() for line in (f"crypto ipsec transform-set {one} {words}", "exit")),
                   "crypto map VPN 10", f"set transform-set {' '.join(SETS)}")
    site.peer({"site": f"{NETS}; esp_proposals = {SETS[name][1]}"})
    site.up()
    assert site.agree()
    site.quiet()
    site.initiate()
    site.up()
    assert site.agree()
    if name == list(SETS)[-1]:
        entry(site, "set transform-set TS")
        assert f"current_peer {R2}" in site.show("R1", "show crypto ipsec sa")
