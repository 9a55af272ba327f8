"""SCEP at the console: IOS's dialogues; the CA is scep_server.py, whose judge of each message is the openssl command.

    pseudo-terminal -- postern -- configd, ikemgrd -- HTTP -- 127.0.0.1: scep_server.py   (one network namespace)
"""
import os
import re
import subprocess
import time

import pytest

from console_rig import HERE, Router

PEOPLE = "subject-name CN=R1,O=Acme\nfqdn none\nserial-number none\nip-address none\nrevocation-check none"


class Scep:
    """A router, and a CA on its own loopback."""

    def __init__(self, folder):
        self.dir = str(folder)
        self.router = Router(("configd", "platformd", "ikemgrd"))
        self.ca = subprocess.Popen(self.router.words("/usr/bin/python3", f"{HERE}/scep_server.py", self.dir, "127.0.0.1", "80"),
                                   stdout=subprocess.PIPE, text=True)
        assert self.ca.stdout.readline().strip().isdigit()

    def config(self, text):
        return self.router.script("enable\nconfigure terminal\n" + text + "\nend\nexit\n", timeout=120).replace("\r", "")

    def show(self, command):
        return self.router.script(f"enable\n{command}\n", timeout=60).replace("\r", "")

    def trustpoint(self, name, path="", more=""):
        return self.config(f"crypto pki trustpoint {name}\nenrollment url http://127.0.0.1{path}\n{PEOPLE}\nrsakeypair K\n{more}")

    def enrolled(self, name, path="", more="", password="x", authenticate="yes\n"):
        """Authenticates and asks for a certificate; returns the screen."""
        self.trustpoint(name, path, more)
        said = self.config(f"crypto pki authenticate {name}\n{authenticate}")
        assert "Trustpoint CA certificate accepted." in said, said
        said = self.config(f"crypto pki enroll {name}\n{password}\n{password}\nyes" if password else f"crypto pki enroll {name}\nyes")
        assert "% Certificate request sent to Certificate Authority" in said, said
        return said

    def status(self, name):
        return self.show(f"show crypto pki trustpoints status {name}")

    def until(self, what, seconds=60):
        end = time.monotonic() + seconds
        while not (got := what()):
            assert time.monotonic() < end, self.show("show logging")[-3000:]
            time.sleep(0.2)
        return got

    def granted(self, name, seconds=60):
        return self.until(lambda: "Last enrollment status: Granted" in self.status(name), seconds)

    def said(self, pattern):
        return self.until(lambda: re.search(pattern, self.show("show logging")))

    def operations(self, how):
        with open(f"{self.dir}/log") as file:
            return [line.split() for line in file if line.startswith(how + " ")]

    def down(self):
        self.ca.terminate()
        self.ca.wait()
        self.router.down()


@pytest.fixture(scope="module")
def scep(tmp_path_factory):
    s = Scep(tmp_path_factory.mktemp("ca"))
    said = s.config("hostname R1\nlogging buffered 65536\ncrypto key generate rsa label K modulus 2048\n"
                    "crypto key generate ec keysize 256 label E")
    assert said.count("[OK]") == 2, said
    yield s
    s.down()


@pytest.fixture(scope="module")
def waiting(scep):
    """A request that waits for the administrator from the first test on: its minute passes while the others run."""
    scep.enrolled("LATER", "/manual", "enrollment retry period 1\nenrollment retry count 3")
    scep.until(lambda: "Last enrollment status: Pending" in scep.status("LATER"))
    return scep


def test_what_is_pending_is_shown_and_not_asked_twice(waiting):
    shown = waiting.show("show crypto pki certificates")
    assert re.search(r"Certificate\n  Subject:\n    cn=R1\n    o=Acme\n   Status: Pending\n   Key Usage: General Purpose\n"
                     r"   Certificate Request Fingerprint MD5: (?:[0-9A-F]{8} ){3}[0-9A-F]{8}\n"
                     r"   Certificate Request Fingerprint SHA1: (?:[0-9A-F]{8} ){4}[0-9A-F]{8}\n   Associated Trustpoint: LATER\n",
                     shown), shown
    assert re.search(r"Next enrollment attempt:\n    \d\d:\d\d:\d\d UTC", waiting.status("LATER"))
    assert "pending already" in waiting.config("crypto pki enroll LATER")
    open(f"{waiting.dir}/approved", "w").close()


def test_the_mistakes_of_a_beginner(scep):
    scep.trustpoint("BAD", ":81")
    assert "% You must authenticate the Certificate Authority before you can enroll" in scep.config("crypto pki enroll BAD")
    said = scep.config("crypto pki authenticate BAD")
    assert "% Error in receiving Certificate Authority certificate: status = FAIL, cert length = 0\n" \
        "% http://127.0.0.1:81: the server cannot be reached" in said, said
    for url, why in (("http://127.0.0.1/nowhere/at/all?x", "Invalid URL"), ("https://127.0.0.1/", "Enrollment is over HTTP"),
                     ("127.0.0.1", "Enrollment is over HTTP"), ("http://127.0.0.1:0", "the port is a number")):
        # A question mark is typed behind Ctrl-V on a terminal; a script has none.
        assert why in scep.config(f"crypto pki trustpoint BAD\nenrollment url {url}"), url
    assert "url http://127.0.0.1:81\n" in scep.show("show running-config")
    scep.config("crypto pki trustpoint BAD\nenrollment url http://127.0.0.1/none")
    said = scep.config("crypto pki authenticate BAD")
    assert "its answer is not 200 OK" in said, said
    scep.config("crypto pki trustpoint BAD\nenrollment url http://no-such-host.invalid/")
    assert "has no address" in scep.config("crypto pki authenticate BAD")
    assert "is not configured" in scep.config("crypto pki authenticate NOBODY")
    assert "Automatic enrollment is not supported" in scep.config("crypto pki trustpoint BAD\nauto-enroll 70")


def test_fingerprint_in_place_of_the_question(scep):
    right = subprocess.run(["openssl", "x509", "-in", f"{scep.dir}/ca/ca.pem", "-noout", "-fingerprint", "-sha1"], check=True,
                           capture_output=True, text=True).stdout.split("=")[1].strip().replace(":", "")
    wrong = right[:-1] + ("0" if right[-1] != "0" else "1")
    assert "32 (MD5), 40 (SHA1)" in scep.trustpoint("FP", more="fingerprint 0011")
    scep.trustpoint("FP", more=f"fingerprint {wrong}")
    said = scep.config("crypto pki authenticate FP")
    assert "fingerprints did not match" in said and "accepted" not in said, said
    assert "CA Certificate" not in scep.show("show crypto pki certificates FP")
    scep.trustpoint("FP", more=f"fingerprint {' '.join(right[i:i + 8] for i in range(0, 40, 8)).lower()}")
    said = scep.config("crypto pki authenticate FP")
    assert "Certificate validated - fingerprints matched.\nTrustpoint CA certificate accepted." in said, said
    assert f"fingerprint {right}\n" in scep.show("show running-config")
    assert "% Please delete your existing CA certificate first." in scep.config("crypto pki authenticate FP")


def test_the_dialogue(scep):
    """As on IOS, with everything that a request can say."""
    scep.config("interface GigabitEthernet0/0\nip address 192.0.2.1 255.255.255.0")
    scep.config("crypto pki trustpoint ALL\nenrollment url http://127.0.0.1\nsubject-name CN=R1,O=Acme\nrsakeypair K\nrevocation-check none\n"
                "crypto pki authenticate ALL\nyes")
    said = scep.config("crypto pki enroll ALL\nsesame\nSesame\nsesame\nsesame\nyes\nyes\ngi0/0\nyes")
    assert re.search(r"""%
% Start certificate enrollment \.\. 
% Create a challenge password\. You will need to verbally provide this
   password to the CA Administrator in order to revoke your certificate\.
   For security reasons your password will not be saved in the configuration\.
   Please make a note of it\.

Password: 
Re-enter password: 
% The passwords do not match: try again
Password: 
Re-enter password: 

% The subject name in the certificate will include: CN=R1,O=Acme
% The subject name in the certificate will include: R1
% Include the router serial number in the subject name\? \[yes/no\]: yes
% The serial number in the certificate will be: \S+
% Include an IP address in the subject name\? \[no\]: yes
Enter Interface name or IP Address\[\]: gi0/0
Request certificate from CA\? \[yes/no\]: yes
% Certificate request sent to Certificate Authority
""", said), said
    assert "sesame" not in said.lower()
    scep.granted("ALL")
    text = subprocess.run(["openssl", "x509", "-noout", "-text"], input=certificate_of(scep, "ALL"), capture_output=True, text=True,
                          check=True).stdout
    assert "DNS:R1, IP Address:192.0.2.1" in text and re.search(r"Subject: .*serialNumber = \S+", text), text


def certificate_of(scep, name):
    said = scep.config(f"crypto pki export {name} pem terminal")
    return re.search(r"General Purpose Certificate:\n(-----BEGIN.*?-----END CERTIFICATE-----\n)", said, re.S).group(1)


@pytest.mark.parametrize("how, more, password, method", [("cgi-bin", "", "x", "POST"), ("ra", "", "x", "POST"), ("old", "", "x", "GET"),
                                                         ("secret", "password sesame", None, "POST")])
def test_granted(scep, how, more, password, method):
    name = how.upper()
    scep.enrolled(name, f"/{how}", more, password)
    scep.granted(name)
    done = subprocess.run(["openssl", "verify", "-CAfile", f"{scep.dir}/ca/ca.pem"], input=certificate_of(scep, name), text=True,
                          capture_output=True)
    assert done.returncode == 0, done.stderr
    assert scep.operations(how)[-1][1:4] == ["PKIOperation", method, "19"]
    assert "sesame" not in scep.show("show running-config") + scep.show("show logging")
    if how == "ra":
        shown = scep.show("show crypto pki certificates RA")
        assert "RA Signature Certificate\n" in shown and "RA KeyEncipher Certificate\n" in shown, shown
        # What was stored is configuration: typed again it is the same.
        running = scep.show("show running-config")
        block = re.search(r"crypto pki certificate chain RA\n.*?\n!", running, re.S).group(0)
        assert " certificate ra-sign " in block and " certificate ra-encrypt " in block
        scep.config("no crypto pki certificate chain RA\n" + block)
        assert block in scep.show("show running-config")


def test_renewal_is_signed_with_the_present_certificate(scep):
    scep.enrolled("AGAIN", "/cgi-bin")
    scep.granted("AGAIN")
    first = certificate_of(scep, "AGAIN")
    said = scep.config("crypto pki enroll AGAIN\nno")
    assert "Trustpoint AGAIN has already enrolled and has a router cert issued to it.\n" \
        "If you successfully re-enroll this trustpoint,the existing certificate will be replaced.\n\n" \
        "Do you want to continue with re-enrollment? [yes/no]: no" in said and "Start" not in said, said
    scep.config("crypto pki enroll AGAIN\nyes\nx\nx\nyes")
    scep.until(lambda: certificate_of(scep, "AGAIN") != first)
    assert scep.operations("cgi-bin")[-1][3] == "17"


@pytest.mark.parametrize("how, why", [("reject", "badRequest"), ("time", "badTime: the router's clock"), ("secret", "challenge password")])
def test_rejected(scep, how, why):
    name = f"NO-{how.upper()}"
    scep.enrolled(name, f"/{how}")
    scep.said(rf"%PKI-6-CERTREJECT: Certificate enrollment request was rejected by Certificate Authority \(trustpoint {name}\): .*{why}")
    assert "Last enrollment status: Rejected" in scep.status(name)
    assert "Certificate Usage: General Purpose" not in scep.show(f"show crypto pki certificates {name}")


@pytest.mark.parametrize("how, why", [("evil", "not signed by the certification authority"), ("nonce", "recipientNonce"),
                                      ("other", "no certificate in it has this router's key")])
def test_what_the_ca_has_not_said_is_not_believed(scep, how, why):
    name = f"NO-{how.upper()}"
    scep.enrolled(name, f"/{how}")
    scep.said(rf"%PKI-\d-(INVALIDANSWER|CERTFAIL): .*{name}: the CA's answer was not accepted: .*{why}")
    assert "Certificate Usage: General Purpose" not in scep.show(f"show crypto pki certificates {name}")


def test_an_elliptic_key_cannot_be_enrolled(scep):
    scep.trustpoint("EC", more="no rsakeypair\neckeypair E")
    scep.config("crypto pki authenticate EC\nyes")
    assert "SCEP needs an RSA key pair" in scep.config("crypto pki enroll EC\nx\nx\nyes")


def test_removing_is_asked(scep):
    scep.trustpoint("GONE")
    scep.config("crypto pki authenticate GONE\nyes")
    question = "% Removing an enrolled trustpoint will destroy all certificates\n received from the related Certificate Authority.\n\n" \
        "Are you sure you want to do this? [yes/no]: "
    said = scep.config("no crypto pki trustpoint GONE\nno")
    assert question + "no\n" in said and "crypto pki trustpoint GONE" in scep.show("show running-config")
    said = scep.config("no cry ca trust GONE\nyes")
    assert question + "yes\n% Be sure to ask the CA administrator to revoke your certificates.\n" in said, said
    assert "trustpoint GONE" not in scep.show("show running-config")
    scep.trustpoint("EMPTY")
    assert "Removing" not in scep.config("no crypto pki trustpoint EMPTY")


def test_a_server_that_is_down(scep):
    """Nobody there: said, and tried again, until it is called off."""
    scep.enrolled("DOWN", "/cgi-bin")
    scep.granted("DOWN")
    scep.config("crypto pki trustpoint DOWN\nenrollment url http://127.0.0.1:81/")
    scep.config("crypto pki enroll DOWN\nyes\nx\nx\nyes")
    scep.said(r"%PKI-3-SOCKETSEND: Failed to send out message to CA server of trustpoint DOWN: GetCACaps: the server cannot be reached")
    assert re.search(r"Reason: GetCACaps: the server cannot be reached.*\n  Next enrollment attempt:\n    .*\(try 1 of 10\)", scep.status("DOWN"))
    assert "pending already" in scep.config("crypto pki enroll DOWN\nyes")
    scep.config("no crypto pki enroll DOWN")
    assert "Status: Pending" not in scep.show("show crypto pki certificates DOWN")
    assert "no enrollment request" in scep.config("no crypto pki enroll DOWN")
    scep.config("crypto pki enroll DOWN\nyes\nx\nx\nyes")
    scep.until(lambda: "Next enrollment attempt" in scep.status("DOWN"))


def test_granted_by_hand(waiting):
    """The administrator said yes in the meantime; configd was killed and started again while the request waited."""
    waiting.router.kill("configd")
    waiting.router.start("configd")
    waiting.granted("LATER", 300)
    waiting.said(r"%PKI-6-CERTRET: Certificate received from Certificate Authority \(trustpoint LATER\)")
    assert [o[3] for o in waiting.operations("manual") if o[1] == "PKIOperation"] == ["19", "20"]
    done = subprocess.run(["openssl", "verify", "-CAfile", f"{waiting.dir}/ca/ca.pem"], input=certificate_of(waiting, "LATER"), text=True,
                          capture_output=True)
    assert done.returncode == 0 and os.path.exists(f"{waiting.dir}/approved"), done.stderr
    assert "Pending" not in waiting.show("show crypto pki certificates LATER")
