"""Revocation, with openssl's own responder and a web server: of strongSwan's certificate and of the CA above it.

    hostA 192.168.1.10 -- R1 203.0.113.1 -- internet -- 198.51.100.2 strongSwan (R2) -- 192.168.2.10 hostB
                                            203.0.113.254: openssl ocsp (2560), CRLs (8080)
"""
import contextlib
import os
import re
import signal

import pytest

from authority import Authority, enroll
from conftest import site_fixture
from rig import until
from strongswan import Strongswan

site = site_fixture("revocation", peer="strongswan")
pytestmark = pytest.mark.xdist_group("revocation")

SERVER = "203.0.113.254"
ALT = "subjectAltName=IP:198.51.100.2"
AIA = f"authorityInfoAccess=OCSP;URI:http://{SERVER}:2560/"
CRL = f"crlDistributionPoints=URI:http://{SERVER}:8080/crl.der"
SUB_CRL = f"crlDistributionPoints=URI:http://{SERVER}:8080/sub/crl.der"


@pytest.fixture(scope="module")
def ca(site, tmp_path_factory):
    ca = Authority(tmp_path_factory.mktemp("ca"))
    said = site.console("R1", "configure terminal", "crypto key generate ec keysize 256 label EC", "end")
    assert "[OK]" in said, said
    enroll(lambda text: site.console("R1", "configure terminal", *text.split("\n"), "end"), ca, "ROOT", "eckeypair EC", "CN=R1,O=Acme",
           extensions=("keyUsage=critical,digitalSignature", CRL))
    site.configure("R1", "crypto isakmp policy 10", "authentication ecdsa-sig")
    ca.issue("r2", "ec", "/O=Acme/CN=R2", (ALT, AIA, CRL))
    return ca


@pytest.fixture(scope="module")
def swan(site):
    return Strongswan(site)


@pytest.fixture(autouse=True)
def fresh(site):
    site.console("R1", "clear crypto session", "clear logging", "")
    yield
    site.console("R1", "clear crypto session", "configure terminal", "crypto pki trustpoint ROOT", "no ocsp url", "no ocsp disable-nonce",
                 "revocation-check none", "end")


def trustpoint(site, *lines):
    site.configure("R1", "crypto pki trustpoint ROOT", *lines)


@contextlib.contextmanager
def serving(site, words, ready):
    """A server in the internet, from the line that says that it listens on."""
    server = site.start("internet", "sh", "-c", f"echo $$; exec {words} 2>&1", stdin=-3)
    try:
        pid, line = int(server.stdout.readline()), " "
        while line and not re.search(ready, line):
            line = server.stdout.readline()
        assert line, f"{words} has ended"
        yield
    finally:
        os.kill(pid, signal.SIGTERM)
        server.communicate()


def responder(site, ca, signer="ca"):
    """openssl's responder over the CA's index; `signer`: NAME.pem and NAME.key."""
    return serving(site, f"openssl ocsp -port 2560 -index {ca.dir}/index.txt -CA {ca.dir}/ca.pem -ndays 1 "
                   f"-rsigner {ca.dir}/{signer}.pem -rkey {ca.dir}/{signer}.key", "ACCEPT|[Ww]aiting")


def web(site, ca):
    return serving(site, f"/usr/bin/python3 -u -m http.server --bind {SERVER} --directory {ca.dir} 8080", "Serving HTTP")


def passes(site):
    until(lambda: site.ping(count=1, wait=2) == (1, 1), 60, "passing:\n" + site.show("R1", "show logging"))


def refused(site, swan, *patterns):
    """strongSwan asks, and gets no SA; the log says why."""
    said = swan.control("--initiate", "--child", "site", "--timeout", "30", check=False)
    assert "completed successfully" not in said, said
    for pattern in patterns:
        log_has(site, pattern)
    assert "QM_IDLE" not in site.show("R1", "show crypto isakmp sa")


def log_has(site, pattern):
    until(lambda: re.search(pattern, site.show("R1", "show logging")), 40, f"{pattern} in\n" + site.show("R1", "show logging"))


def serial(ca, name):
    return ca.run("x509", "-in", f"{name}.pem", "-noout", "-serial").strip().split("=")[1]


def http(wire, display_filter, *fields):
    return wire.read(display_filter, *fields, options=("-d", "tcp.port==2560,http"))


NOTHING = r"Certificate received from 198\.51\.100\.2 is bad: nothing could be learned of the revocation of certificate cn=R2,o=Acme"


def test_good_revoked_and_unknown(site, ca, swan):
    swan.load(ca, "r2", proposal="aes256-sha256-modp2048")
    trustpoint(site, "revocation-check ocsp")
    ca.index(good=["r2"])
    with responder(site, ca):
        with site.capture("ocsp") as wire:
            passes(site)
        # tshark's view: our question and the answer, with the same nonce; the tunnel after it.
        asked, answered = (http(wire, f"ocsp && ip.src == {one}", "ocsp.ReOcspNonce") for one in ("203.0.113.1", SERVER))
        assert asked and min(map(len, asked)) >= 32 and set(asked) == set(answered), (asked, answered)
    assert wire.clear_text() == []
    site.console("R1", "clear crypto session")
    ca.index(revoked=["r2"])
    with responder(site, ca):
        refused(site, swan, rf"%PKI-3-CERTIFICATE_REVOKED: Certificate chain validation has failed\.  The certificate \(SN: {serial(ca, 'r2')}\) "
                "is revoked", r"%CRYPTO-5-IKMP_INVAL_CERT: Certificate received from 198\.51\.100\.2 is bad: certificate cn=R2,o=Acme has been")
        until(lambda: "N(INVAL_CERT)" in swan.log(), 20, lambda: "INVAL_CERT:\n" + swan.log()[-2000:])
    site.console("R1", "clear logging", "")
    ca.index()
    with responder(site, ca):
        refused(site, swan, r"%PKI-3-OCSP_FAIL: OCSP check for trustpoint ROOT failed\. Reason : the responder does not know the certificate",
                NOTHING)


def test_fall_through(site, ca, swan):
    """ocsp crl none: the next one when the one before taught nothing."""
    swan.load(ca, "r2")
    trustpoint(site, "revocation-check ocsp")
    refused(site, swan, r"%PKI-3-OCSP_FAIL: OCSP check for trustpoint ROOT failed\. Reason : .*http://203\.0\.113\.254:2560/", NOTHING)
    trustpoint(site, "revocation-check ocsp crl")
    site.console("R1", "clear logging", "")
    refused(site, swan, r"%PKI-3-CRL_FETCH_FAIL: CRL fetch for trustpoint ROOT failed\. Reason : .*http://203\.0\.113\.254:8080/crl\.der", NOTHING)
    trustpoint(site, "revocation-check ocsp crl none")
    passes(site)
    log_has(site, rf"%PKI-4-REVOCATION_NOT_CHECKED: The certificate \(SN: {serial(ca, 'r2')}\) is accepted without a revocation check")
    site.console("R1", "clear crypto session")
    ca.crl("r2.pem")
    with web(site, ca):
        refused(site, swan, r"%PKI-3-CERTIFICATE_REVOKED", "cn=R2,o=Acme has been revoked")
        assert re.search(rf"cn=Root.*\n(?:.*\n)*.*http://{SERVER}:8080/crl.der", site.show("R1", "show crypto pki crls"))
        # What OCSP knows is what counts.
        ca.index(good=["r2"])
        with responder(site, ca):
            passes(site)


def test_signers(site, ca, swan):
    swan.load(ca, "r2")
    for name, extensions in (("delegated", ("extendedKeyUsage=OCSPSigning",)), ("other", ("extendedKeyUsage=serverAuth",)), ("plain", ())):
        ca.issue(name, "ec", f"/O=Acme/CN={name}", extensions)
    stranger = Authority(f"{ca.dir}/stranger")
    stranger.issue("delegated", "ec", "/O=Acme/CN=delegated", ("extendedKeyUsage=OCSPSigning",))
    trustpoint(site, "revocation-check ocsp")
    ca.index(good=["r2"])
    with responder(site, ca, "delegated"):
        passes(site)
    for signer in ("other", "plain", "stranger/delegated", "stranger/ca"):
        site.console("R1", "clear crypto session", "clear logging", "")
        with responder(site, ca, signer):
            refused(site, swan, r"OCSP_FAIL: .*Reason : it is signed neither by the CA nor by a responder that it has delegated", NOTHING)


def test_url_of_the_trustpoint_and_no_nonce(site, ca, swan):
    ca.issue("silent", "ec", "/O=Acme/CN=R2", (ALT, "authorityInfoAccess=OCSP;URI:http://203.0.113.253:1/"))
    swan.load(ca, "silent")
    trustpoint(site, "revocation-check ocsp", f"ocsp url http://{SERVER}:2560/r", "ocsp disable-nonce")
    assert f" ocsp url http://{SERVER}:2560/r\n ocsp disable-nonce\n revocation-check ocsp\n" in site.show("R1", "show running-config")
    ca.index(good=["silent"])
    with responder(site, ca):
        with site.capture("no-nonce") as wire:
            passes(site)
    assert set(http(wire, "http.request.method == POST", "http.request.uri")) == {"/r"}
    assert len(http(wire, "ocsp", "ip.src")) >= 2 and http(wire, "ocsp.ReOcspNonce", "ip.src") == []


def test_a_revoked_ca_below_the_root(site, ca, swan):
    """strongSwan shows its certificate and Sub's; R1 trusts Root. Sub stands in Root's list."""
    sub = ca.below("sub", "/O=Acme/CN=Sub", (CRL,))
    sub.issue("leaf", "ec", "/O=Acme/CN=R2", (ALT, SUB_CRL))
    for kind in ("pem", "key"):
        os.rename(f"{sub.dir}/leaf.{kind}", f"{ca.dir}/leaf.{kind}")
    swan.load(ca, "leaf", others=["sub.pem"])
    trustpoint(site, "revocation-check crl")
    ca.crl()
    sub.crl()
    with web(site, ca):
        site.console("R1", "configure terminal", "crypto pki crl request ROOT", "end")
        passes(site)
        lists = site.show("R1", "show crypto pki crls")
        assert "cn=Root o=Acme" in lists and "cn=Sub o=Acme" in lists, lists
        site.console("R1", "clear crypto session")
        # A list that is kept is good for its time; the console asks for the new one.
        ca.crl("sub.pem")
        site.console("R1", "configure terminal", "crypto pki crl request ROOT", "end")
        until(lambda: f"CRL DER is {os.path.getsize(f'{ca.dir}/crl.der')} bytes" in site.show("R1", "show crypto pki crls"), 30, "the new list")
        refused(site, swan, rf"%PKI-3-CERTIFICATE_REVOKED: .*\(SN: {serial(ca, 'sub')}\) is revoked",
                r"is bad: certificate cn=Sub,o=Acme has been revoked")
    said = site.console("R1", "configure terminal", "crypto pki crl request NOBODY", "end")
    assert "% CRL request failed: there is no such trustpoint" in said
    site.console("R1", "configure terminal", "crypto pki crl request ROOT", "end")
    log_has(site, rf"%PKI-3-CRL_FETCH_FAIL: CRL fetch for trustpoint ROOT failed\. Reason : .* \(http://{SERVER}:8080/crl\.der\)")


def test_the_identity_must_stand_in_the_certificate(site, ca, swan):
    """strongSwan finds its certificate by a name with a wildcard, and says that name."""
    ca.issue("named", "ec", "/O=Acme/CN=R2", ("subjectAltName=DNS:r2.example.com",))
    swan.load(ca, "named", identity="*.example.com")
    refused(site, swan, r"Certificate received from 198\.51\.100\.2 is bad: identity \*\.example\.com does not stand in certificate cn=R2,o=Acme")
    until(lambda: "N(INVAL_ID)" in swan.log(), 20, lambda: "INVAL_ID:\n" + swan.log()[-2000:])
    # The name does stand there, but the profile wants another.
    swan.load(ca, "named", identity="r2.example.com")
    site.configure("R1", "crypto isakmp profile P", "match identity host r3.example.com", "exit", "crypto map VPN 10 ipsec-isakmp",
                   "set isakmp-profile P")
    try:
        assert site.ping(count=2, wait=1)[1] == 0
        log_has(site, r"identity r2\.example\.com is not one of ISAKMP profile P")
        site.configure("R1", "crypto isakmp profile P", "match identity host r2.example.com")
        passes(site)
    finally:
        site.configure("R1", "crypto map VPN 10 ipsec-isakmp", "no set isakmp-profile P", "exit", "no crypto isakmp profile P")
