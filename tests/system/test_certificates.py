"""Main mode and aggressive mode with certificates against strongSwan, both roles: good ones, and each way in which one can be bad.
Revocation: test_revocation.py.

    hostA 192.168.1.10 -- R1 203.0.113.1 -- internet -- 198.51.100.2 strongSwan (R2) -- 192.168.2.10 hostB
"""
import re

import pytest

from scep_lab import LabCa
from authority import Authority, enroll
from conftest import site_fixture
from rig import until
from strongswan import Strongswan

site = site_fixture("certificates", peer="strongswan")
pytestmark = pytest.mark.xdist_group("certificates")

R1 = "CN=R1,O=Acme"


def typed(site):
    return lambda text: site.console("R1", "configure terminal", *text.split("\n"), "end")


@pytest.fixture(scope="module")
def setup(site, tmp_path_factory):
    ca = Authority(tmp_path_factory.mktemp("ca"))
    swan = Strongswan(site)
    console = typed(site)
    said = console("crypto key generate rsa label RSA modulus 2048\ncrypto key generate ec keysize 256 label EC")
    assert said.count("[OK]") == 2, said
    enroll(console, ca, "CA-RSA", "rsakeypair RSA", R1)
    enroll(console, ca, "CA-EC", "eckeypair EC", R1)
    ca.issue("rsa", "rsa", "/O=Acme/CN=R2", ("subjectAltName=IP:198.51.100.2",))
    ca.issue("ec", "ec", "/O=Acme/CN=R2", ("subjectAltName=IP:198.51.100.2",))
    return ca, swan


@pytest.fixture(autouse=True)
def fresh(site):
    site.console("R1", "clear crypto session", "clear logging", "")
    yield
    site.console("R1", "clear crypto session")


def method(site, word):
    site.configure("R1", "crypto isakmp policy 10", f"authentication {word}")


def passes(site):
    until(lambda: site.ping(count=1, wait=2) == (1, 1), 30, lambda: "passing:\n" + site.show("R1", "show logging"))


def log_has(site, pattern):
    return site.log_has("R1", pattern, 20)


@pytest.mark.parametrize("word, name, short", [("rsa-sig", "rsa", "rsig"), ("ecdsa-sig", "ec", "ecds")])
def test_both_roles(site, setup, word, name, short):
    ca, swan = setup
    method(site, word)
    swan.load(ca, name)
    with site.capture(word) as wire:
        passes(site)
        screen = site.show("R1", "show crypto isakmp sa detail")
        assert re.search(rf"aes\s+sha256\s+{short}", screen), screen
        site.console("R1", "clear crypto session")
        swan.control("--terminate", "--ike", "postern", "--force", check=False)
        said = swan.control("--initiate", "--child", "site", check=False)
        assert "completed successfully" in said, said + swan.log()[-3000:]
        assert site.ping("hostB", "192.168.1.10", count=3) == (3, 3)
    assert wire.clear_text() == []
    screen = site.show("R1", "show crypto isakmp sa")
    assert "QM_IDLE" in screen


AGGRESSIVE = ("crypto isakmp peer address 198.51.100.2", "set aggressive-mode client-endpoint ipv4-address 203.0.113.1")


def modes(wire):
    """(source, exchange) of each message, without what NAT traversal adds; a message sent twice is one."""
    lines = dict.fromkeys(wire.read("isakmp && isakmp.exchangetype", "ip.src", "udp.payload", "isakmp.exchangetype"))
    return [(line.split("\t")[0], line.split("\t")[-1]) for line in lines]


@pytest.mark.parametrize("word, name, short", [("rsa-sig", "rsa", "rsig"), ("ecdsa-sig", "ec", "ecds")])
def test_aggressive_mode_both_roles(site, setup, word, name, short):
    ca, swan = setup
    method(site, word)
    swan.load(ca, name, aggressive="yes")
    site.configure("R1", *AGGRESSIVE)
    try:
        with site.capture(f"aggressive-{word}") as wire:
            passes(site)
        assert [mode for _, mode in modes(wire)[:4]] == ["4", "4", "4", "32"], modes(wire)
        assert modes(wire)[0][0] == "203.0.113.1"
        assert wire.clear_text() == []
        screen = site.show("R1", "show crypto isakmp sa detail")
        assert re.search(rf"aes\s+sha256\s+{short}", screen), screen
    finally:
        site.console("R1", "configure terminal", "no crypto isakmp peer address 198.51.100.2", "end", "clear crypto session")
    # Nothing is configured for the answer.
    swan.control("--terminate", "--ike", "postern", "--force", check=False)
    with site.capture(f"answered-{word}") as wire:
        said = swan.control("--initiate", "--child", "site", check=False)
        assert "completed successfully" in said, said + swan.log()[-3000:]
        assert site.ping("hostB", "192.168.1.10", count=3) == (3, 3)
    first = next(i for i, one in enumerate(modes(wire)) if one == ("198.51.100.2", "4"))
    assert [mode for _, mode in modes(wire)[first:first + 4]] == ["4", "4", "4", "32"], modes(wire)
    assert wire.clear_text() == []
    assert "QM_IDLE" in site.show("R1", "show crypto isakmp sa")


def test_aggressive_mode_switched_off(site, setup):
    ca, swan = setup
    method(site, "rsa-sig")
    swan.load(ca, "rsa", aggressive="yes")
    site.configure("R1", "crypto isakmp aggressive-mode disable")
    try:
        with site.capture("aggressive-off") as wire:
            said = swan.control("--initiate", "--child", "site", "--timeout", "5", check=False)
        assert "completed successfully" not in said, said
        assert {source for source, mode in modes(wire) if mode == "4"} == {"198.51.100.2"}, modes(wire)
    finally:
        site.configure("R1", "no crypto isakmp aggressive-mode disable")


def test_identity_by_distinguished_name(site, setup):
    ca, swan = setup
    method(site, "rsa-sig")
    ca.issue("dn", "rsa", "/O=Acme/CN=Only a name")
    swan.load(ca, "dn")
    site.configure("R1", "crypto isakmp identity dn")
    passes(site)
    site.configure("R1", "no crypto isakmp identity")


def test_enrolled_over_scep(site, setup, tmp_path):
    """R1's certificate comes from a CA on the internet, R2's from the same CA by hand: a tunnel, both roles. (Of several
    certificates that fit a router shows the first trustpoint's: A-SCEP comes before CA-RSA.)"""
    swan = setup[1]
    method(site, "rsa-sig")
    ca = LabCa(site, "internet", "203.0.113.254", tmp_path)
    try:
        said = typed(site)("crypto key generate rsa label SCEP modulus 2048\ncrypto pki trustpoint A-SCEP\n"
                           "enrollment url http://203.0.113.254/ra\nsubject-name CN=R1,O=Acme\nfqdn none\nserial-number none\n"
                           "ip-address none\nrsakeypair SCEP\npassword sesame\nrevocation-check none\n"
                           "crypto pki authenticate A-SCEP\nyes\ncrypto pki enroll A-SCEP\nyes")
        assert "% Certificate request sent to Certificate Authority" in said, said
        until(lambda: "Last enrollment status: Granted" in site.show("R1", "show crypto pki trustpoints status A-SCEP"), 120,
              "a certificate:\n" + site.show("R1", "show logging"))
        ca.authority.issue("r2", "rsa", "/O=Acme/CN=R2", ("subjectAltName=IP:198.51.100.2",))
        swan.load(ca.authority, "r2")
        passes(site)
        site.console("R1", "clear crypto session")
        swan.control("--terminate", "--ike", "postern", "--force", check=False)
        said = swan.control("--initiate", "--child", "site", check=False)
        assert "completed successfully" in said, said + swan.log()[-3000:]
        assert re.search(r"remote.*CN=R1", swan.control("--list-sas")), swan.control("--list-sas")
    finally:
        site.console("R1", "clear crypto session", "configure terminal", "no crypto pki trustpoint A-SCEP", "yes", "end")
        ca.stop()


def test_wrong_authority(site, setup, tmp_path):
    ca, swan = setup
    method(site, "rsa-sig")
    other = Authority(tmp_path / "other", "/O=Evil/CN=Root")
    other.issue("evil", "rsa", "/O=Acme/CN=R2", ("subjectAltName=IP:198.51.100.2",))
    swan.load(other, "evil")
    assert site.ping(count=2, wait=1)[1] == 0
    # strongSwan, the responder, does not trust ours; asked by it, we do not trust its.
    swan.control("--initiate", "--child", "site", "--timeout", "5", check=False)
    log_has(site, r"%CRYPTO-5-IKMP_INVAL_CERT: Certificate received from 198\.51\.100\.2 is bad: no authenticated trustpoint")
    log_has(site, r"%CRYPTO-6-IKMP_MODE_FAILURE: Processing of Main mode failed with peer at 198\.51\.100\.2")
    until(lambda: re.search(r"parsed INFORMATIONAL_V1 .* N\(INVAL_CA|INVAL_CERTAUTH|INVALID_CERT_AUTHORITY", swan.log()), 20, lambda: swan.log()[-2000:])


def test_expired(site, setup):
    ca, swan = setup
    method(site, "rsa-sig")
    ca.issue("old", "rsa", "/O=Acme/CN=R2", ("subjectAltName=IP:198.51.100.2",), days="-1")
    swan.load(ca, "old")
    swan.control("--initiate", "--child", "site", "--timeout", "5", check=False)
    log_has(site, r"Certificate received from 198\.51\.100\.2 is bad: certificate cn=R2,o=Acme has expired")
    until(lambda: re.search(r"N\(INVAL_CERT\)", swan.log()), 20, lambda: swan.log()[-2000:])


def test_wrong_name(site, setup):
    ca, swan = setup
    method(site, "rsa-sig")
    ca.issue("name", "rsa", "/O=Acme/CN=R2", ("subjectAltName=DNS:r2.example.com",))
    swan.load(ca, "name", identity="r2.example.com")
    passes(site)
    site.console("R1", "clear crypto session")
    # A map that wants another one.
    site.configure("R1", "crypto pki certificate map NOT 10", "subject-name co somebody else", "exit", "crypto isakmp profile P",
                   "match certificate NOT", "exit", "crypto map VPN 10 ipsec-isakmp", "set isakmp-profile P")
    assert site.ping(count=2, wait=1)[1] == 0
    log_has(site, r"identity r2\.example\.com is not one of ISAKMP profile P")
    site.configure("R1", "crypto pki certificate map NOT 10", "no subject-name co somebody else", "subject-name co cn=r2,o=acme")
    passes(site)
    site.configure("R1", "crypto map VPN 10 ipsec-isakmp", "no set isakmp-profile P", "exit", "no crypto isakmp profile P",
                   "no crypto pki certificate map NOT 10")
