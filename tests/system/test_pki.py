"""Key pairs and certificates at the console: IOS's dialogues, openssl as the certification authority."""
import os
import re
import subprocess

import pytest

from authority import Authority, enroll
from console_rig import Router


@pytest.fixture(scope="module")
def router():
    r = Router()
    yield r
    r.down()


@pytest.fixture
def ca(tmp_path):
    return Authority(tmp_path / "ca")


def config(router, text):
    return router.script("enable\nconfigure terminal\n" + text + "\nend\nexit\n", timeout=60)


def enrolled(router, ca, name, keys):
    return enroll(lambda text: config(router, text), ca, name, keys.format(name), f"CN={name},O=Acme", f"{name.lower()}.example.com")


def test_generate_asks_for_the_modulus(router):
    said = config(router, "crypto key generate rsa\n2048")
    assert "The name for the keys will be: Router" in said
    assert "How many bits in the modulus [1024]: 2048" in said
    assert "% Generating 2048 bit RSA keys, keys will be non-exportable..." in said
    assert "[OK] (elapsed time was" in said
    shown = router.script("enable\nshow crypto key mypubkey rsa\n")
    assert "Key name: Router\nKey type: RSA KEYS" in shown.replace("\r", "")
    assert "30820122 300D0609 2A864886" in shown
    assert "crypto key" not in router.script("enable\nshow running-config\n").split("show running-config")[1]


def test_label_modulus_replace_and_zeroize(router):
    assert "[OK]" in config(router, "crypto key generate rsa general-keys label L1 modulus 1024")
    said = config(router, "crypto key generate rsa label L1 modulus 2048\nno")
    assert "% You already have RSA keys defined named L1." in said and "[OK]" not in said
    assert "[OK]" in config(router, "crypto key generate ec keysize 384 label L1")
    said = config(router, "crypto key zeroize rsa L1\nyes")
    assert "% Keys to be removed are named 'L1'." in said
    shown = router.script("enable\nshow crypto key mypubkey all L1\n")
    assert "EC KEYS" in shown and "RSA KEYS" not in shown
    assert "No RSA keys found" in config(router, "crypto key zeroize rsa L1")


def test_keys_go_out_and_come_in(router):
    config(router, "crypto key generate ec keysize 256 label OUT exportable\ncrypto key generate ec keysize 256 label STAY")
    assert "is not exportable" in config(router, "crypto key export ec STAY pem terminal aes secret99")
    said = config(router, "crypto key export ec OUT pem terminal aes secret99")
    public = re.search(r"-----BEGIN PUBLIC KEY-----.*?-----END PUBLIC KEY-----", said, re.S).group(0)
    private = re.search(r"-----BEGIN ENCRYPTED PRIVATE KEY-----.*?-----END ENCRYPTED PRIVATE KEY-----", said, re.S).group(0)
    wrong = f"crypto key import ec IN pem terminal secret98\n{public}\nquit\n{private}\nquit"
    assert "% Key pair import failed" in config(router, wrong)
    assert "% Key pair import succeeded." in config(router, wrong.replace("secret98", "secret99"))
    data = [s.split("Key Data:")[1].split("Router")[0] for s in
            (router.script(f"enable\nshow crypto key mypubkey ec {n}\n") for n in ("OUT", "IN"))]
    assert data[0] == data[1] and len(data[0]) > 100


@pytest.mark.parametrize("kind", ["rsa", "ec"])
def test_a_certificate_from_request_to_running_config(router, ca, kind):
    name = f"CA-{kind.upper()}"
    make = f"crypto key generate rsa label {name} modulus 2048" if kind == "rsa" else f"crypto key generate ec keysize 256 label {name}"
    config(router, make)
    signed = enrolled(router, ca, name, "rsakeypair {0}" if kind == "rsa" else "eckeypair {0}")
    text = subprocess.run(["openssl", "x509", "-noout", "-subject", "-ext", "subjectAltName"], input=signed, capture_output=True,
                          text=True, check=True).stdout
    assert f"CN = {name}" in text and f"DNS:{name.lower()}.example.com" in text
    shown = router.script(f"enable\nshow crypto pki certificates {name}\nshow crypto pki trustpoints {name}\n").replace("\r", "")
    assert f"    Name: {name}\n    cn={name}\n    o=Acme" in shown
    assert "CA Certificate\n  Status: Available" in shown
    assert f"Associated Trustpoints: {name}" in shown and "Certificate configured." in shown
    running = router.script("enable\nshow running-config\n").replace("\r", "")
    block = re.search(rf"crypto pki certificate chain {name}\n.*?quit\n certificate ca.*?quit\n", running, re.S)
    assert block, running
    # The same text typed again is the same configuration; and it survives configd.
    config(router, f"no crypto pki certificate chain {name}\n{block.group(0)}")
    assert block.group(0) in router.script("enable\nshow running-config\n").replace("\r", "")
    exported = config(router, f"crypto pki export {name} pem terminal")
    assert ca.pem.strip() in exported.replace("\r", "")


def test_a_foreign_certificate_is_refused(router, ca, tmp_path):
    config(router, "crypto key generate ec keysize 256 label FOREIGN")
    enrolled(router, ca, "FOREIGN", "eckeypair {0}")
    other = Authority(tmp_path / "other", "/O=Evil/CN=Root")
    other.key("x.key", "ec")
    signed = other.sign(other.run("req", "-new", "-key", "x.key", "-subj", "/CN=x"))
    said = config(router, f"crypto pki import FOREIGN certificate\n{signed}\nquit")
    assert "CA has not issued it" in said
    said = config(router, f"crypto pki trustpoint T2\n enrollment terminal\ncrypto pki authenticate T2\n{signed}quit")
    assert "not one of a certification authority" in said
    assert "% Error in reading the certificate" in config(router, "crypto pki authenticate T2\nMIIB\nquit")


def test_self_signed(router):
    said = config(router, """crypto key generate rsa label SS modulus 2048
crypto pki trustpoint SS
 enrollment selfsigned
 subject-name CN=self,O=Acme
 rsakeypair SS
 revocation-check none
crypto pki enroll SS
yes""")
    assert "Router Self Signed Certificate successfully created" in said
    assert "Persistent self-signed certificate trust point\n    Using key label SS" in \
        router.script("enable\nshow crypto pki trustpoints SS\n").replace("\r", "")


def test_pkcs12_in_and_out(router, ca, tmp_path):
    ca.key("p.key", "rsa")
    signed = ca.sign(ca.run("req", "-new", "-key", "p.key", "-subj", "/O=Acme/CN=P12"))
    with open(f"{ca.dir}/p.pem", "w") as f:
        f.write(signed)
    ca.run("pkcs12", "-export", "-inkey", "p.key", "-in", "p.pem", "-certfile", "ca.pem", "-passout", "pass:secret99", "-out",
           f"{router.data}/flash/p.p12")
    os.chmod(f"{router.data}/flash/p.p12", 0o644)
    assert "wrong password" in config(router, "crypto pki import P12 pkcs12 flash:p.p12 password secret98")
    assert "Imported PKCS12 file successfully" in config(router, "crypto pki import P12 pkcs12 flash:p.p12 password secret99")
    said = config(router, "crypto pki export P12 pkcs12 terminal password another1")
    text = re.search(r"Exported pkcs12 follows:\s+(.*?)---End", said, re.S).group(1)
    der = subprocess.run(["openssl", "base64", "-d"], input=text.replace("\r", "").encode(), capture_output=True, check=True).stdout
    back = subprocess.run(["openssl", "pkcs12", "-passin", "pass:another1", "-nodes"], input=der, capture_output=True, check=True).stdout
    assert b"CN = P12" in back and b"PRIVATE KEY" in back


def test_a_certificate_that_ends_soon_is_told(router, ca):
    config(router, "crypto key generate ec keysize 256 label SOON")
    enroll(lambda text: config(router, text), ca, "SOON", "eckeypair SOON", "CN=SOON,O=Acme", days="5")
    said = router.script("enable\nshow logging\n")
    assert re.search(r"%PKI-1-CERT_EXPIRY_ALERT: ID Certificate belonging to trustpoint SOON will expire in (4 Days 23|5 Days 0) hours", said), said
    assert "Issuer-name cn=Root,o=Acme Subject-name cn=SOON,o=Acme Serial-number" in said, said


def test_zeroize_takes_the_certificate_along(router, ca):
    config(router, "crypto key generate ec keysize 256 label GONE")
    enrolled(router, ca, "GONE", "eckeypair {0}")
    config(router, "crypto key zeroize ec GONE\nyes")
    shown = router.script("enable\nshow crypto pki certificates GONE\n")
    assert "CA Certificate" in shown and "General Purpose" not in shown
