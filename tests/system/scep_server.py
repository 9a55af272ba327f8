"""A certification authority that speaks SCEP (RFC 8894), for tests. The openssl command checks, decrypts and encrypts every message;
only the outermost signature, which carries attributes that the command cannot make, is put together here, and then checked by it.

    scep_server.py FOLDER ADDRESS PORT      prints its process id when it listens

The first part of the path says how it behaves; /cgi-bin is the well-behaved one:
    cgi-bin  grants            manual  PENDING until FOLDER/approved is there      reject  FAILURE, badRequest
    ra       has an RA         old     knows no GetCACaps, takes GET alone         time    FAILURE, badTime
    evil     signs by another  nonce   answers with a nonce of its own             other   grants for another key
    secret   wants the challenge password "sesame"
FOLDER/log gets a line for each operation: behaviour, operation, method, message type, transaction.
"""
import base64
import http.server
import os
import re
import subprocess
import sys
import tempfile
import urllib.parse

from authority import Authority

ATTRIBUTE = "2.16.840.1.113733.1.9."
BEHAVIOURS = ("cgi-bin", "ra", "evil", "secret", "manual", "old", "nonce", "reject", "time", "other")
CAPS = "AES\nPOSTPKIOperation\nRenewal\nSHA-256\nSCEPStandard\n"


def openssl(*words, data=b"", check=True):
    done = subprocess.run(["openssl", *words], input=data, capture_output=True)
    assert not check or done.returncode == 0, (words, done.stderr.decode())
    return done.stdout


# ---- DER ----

def der(tag, *parts):
    body = b"".join(parts)
    n = len(body)
    length = bytes([n]) if n < 128 else bytes([0x80 | (n.bit_length() + 7) // 8]) + n.to_bytes((n.bit_length() + 7) // 8, "big")
    return bytes([tag]) + length + body


def oid(text):
    numbers = [int(n) for n in text.split(".")]
    out = bytes([numbers[0] * 40 + numbers[1]])
    for n in numbers[2:]:
        digits = [n & 0x7f]
        while n := n >> 7:
            digits.insert(0, n & 0x7f | 0x80)
        out += bytes(digits)
    return der(6, out)


def elements(data):
    """(tag, whole, body) of each element."""
    while data:
        n, at = data[1], 2
        if n & 0x80:
            at, n = 2 + (n & 0x7f), int.from_bytes(data[2:2 + (n & 0x7f)], "big")
        yield data[0], data[:at + n], data[at:at + n]
        data = data[at + n:]


def issuer_and_serial(certificate):
    tbs = next(elements(next(elements(certificate))[2]))[2]
    parts = [e for e in elements(tbs) if e[0] != 0xa0]
    return der(0x30, parts[2][1], parts[0][1])


SHA256, RSA, DATA = (der(0x30, oid(o), der(5)) if o != "1.2.840.113549.1.7.1" else oid(o) for o in
                     ("2.16.840.1.101.3.4.2.1", "1.2.840.113549.1.1.1", "1.2.840.113549.1.7.1"))


def signed(content, attributes, certificate, key):
    """SignedData over `content` (None: without content) with SCEP's attributes."""
    digest = openssl("dgst", "-sha256", "-binary", data=content or b"")
    listed = [der(0x30, oid("1.2.840.113549.1.9.3"), der(0x31, DATA)),
              der(0x30, oid("1.2.840.113549.1.9.4"), der(0x31, der(4, digest)))]
    listed += [der(0x30, oid(ATTRIBUTE + str(number)), der(0x31, value)) for number, value in attributes.items()]
    listed = b"".join(sorted(listed))
    signature = openssl("dgst", "-sha256", "-sign", key, data=der(0x31, listed))
    plain = openssl("x509", "-in", certificate, "-outform", "DER")
    info = der(0x30, der(2, b"\1"), issuer_and_serial(plain), SHA256, der(0xa0, listed), RSA, der(4, signature))
    inner = der(0x30, DATA) if content is None else der(0x30, DATA, der(0xa0, der(4, content)))
    body = der(0x30, der(2, b"\1"), der(0x31, SHA256), inner, der(0xa0, plain), der(0x31, info))
    message = der(0x30, oid("1.2.840.113549.1.7.2"), der(0xa0, body))
    words = ["cms", "-verify", "-inform", "DER", "-binary", "-noverify"]
    if content is None:
        with tempfile.NamedTemporaryFile() as nothing:
            openssl(*words, "-content", nothing.name, data=message)
    else:
        assert openssl(*words, data=message) == content
    return message


# ---- The authority ----

class Ca:
    def __init__(self, folder):
        self.dir = folder
        self.ca = self.made("ca", "/O=Acme/CN=SCEP Root")
        self.evil = self.made("evil", "/O=Acme/CN=SCEP Root")
        if not os.path.exists(f"{folder}/ca/ra.pem"):
            self.ca.key("ra.key", "rsa")
            request = self.ca.run("req", "-new", "-key", "ra.key", "-subj", "/O=Acme/CN=SCEP RA")
            with open(f"{folder}/ca/ra.pem", "w") as file:
                file.write(self.ca.sign(request, ("keyUsage=critical,digitalSignature,keyEncipherment", "basicConstraints=CA:FALSE")))

    def made(self, name, subject):
        there = os.path.exists(f"{self.dir}/{name}/ca.pem")
        if there:
            authority = Authority.__new__(Authority)
            authority.dir = f"{self.dir}/{name}"
            return authority
        return Authority(f"{self.dir}/{name}", subject, "rsa")

    def pair(self, how):
        """Certificate and key that speak for the CA."""
        name = {"ra": "ca/ra", "evil": "evil/ca"}.get(how, "ca/ca")
        return f"{self.dir}/{name}.pem", f"{self.dir}/{name}.key"

    def certificates(self, how):
        if how == "ra":
            return openssl("crl2pkcs7", "-nocrl", "-certfile", f"{self.dir}/ca/ra.pem", "-certfile", f"{self.dir}/ca/ca.pem",
                           "-outform", "DER")
        return openssl("x509", "-in", f"{self.dir}/ca/ca.pem", "-outform", "DER")

    def operation(self, how, message, method):
        with tempfile.TemporaryDirectory() as scratch:
            signer = f"{scratch}/signer.pem"
            content = openssl("cms", "-verify", "-inform", "DER", "-binary", "-noverify", "-signer", signer, data=message)
            said = attributes(message)
            certificate, key = self.pair("ra" if how == "ra" else "")
            inner = openssl("cms", "-decrypt", "-provider", "default", "-provider", "legacy", "-inform", "DER", "-binary", "-recip", certificate, "-inkey", key, data=content)
            self.log(how, "PKIOperation", method, said[2], said[7])
            return self.answer(how, said, inner, signer, scratch)

    def answer(self, how, said, inner, signer, scratch):
        saved = f"{self.dir}/request-{said[7]}"
        if said[2] != "20":
            with open(saved, "wb") as file:
                file.write(inner)
        with open(saved, "rb") as file:
            request = openssl("req", "-inform", "DER", "-verify", data=file.read())
        if said[2] == "20":
            assert openssl("asn1parse", "-inform", "DER", data=inner).count(b"commonName") >= 2
        text = openssl("req", "-noout", "-text", data=request).decode()
        status = {"manual": "0" if os.path.exists(f"{self.dir}/approved") else "3", "reject": "2", "time": "2"}.get(how, "0")
        if how == "secret" and not re.search(r"challengePassword\s*:\s*sesame$", text, re.M):
            status = "2"
        reply = {2: der(19, b"3"), 3: der(19, status.encode()), 7: der(19, said[7].encode()), 5: der(4, os.urandom(16)),
                 6: der(4, os.urandom(16) if how == "nonce" else bytes.fromhex(said[5]))}
        if status == "2":
            reply[4] = der(19, b"3" if how == "time" else b"2")
        content = self.granted(how, request, signer, scratch) if status == "0" else None
        return signed(content, reply, *self.pair(how))

    def granted(self, how, request, signer, scratch):
        if how == "other":
            self.ca.key("other.key", "rsa")
            request = self.ca.run("req", "-new", "-key", "other.key", "-subj", "/O=Acme/CN=Somebody else").encode()
        with open(f"{scratch}/new.pem", "w") as file:
            file.write(self.ca.sign(request.decode(), ("keyUsage=critical,digitalSignature,keyEncipherment",)))
        bag = openssl("crl2pkcs7", "-nocrl", "-certfile", f"{scratch}/new.pem", "-outform", "DER")
        return openssl("cms", "-encrypt", "-binary", "-outform", "DER", "-des3" if how == "old" else "-aes128", signer, data=bag)

    def log(self, *words):
        with open(f"{self.dir}/log", "a") as file:
            file.write(" ".join(words) + "\n")


def attributes(message):
    """SCEP's signed attributes by their last number; octet strings as hexadecimal text."""
    text = openssl("asn1parse", "-inform", "DER", data=message).decode()
    found = re.findall(re.escape(ATTRIBUTE) + r"(\d)\n[^\n]*SET[^\n]*\n[^\n]*(?:PRINTABLESTRING\s+:|OCTET STRING\s+\[HEX DUMP\]:)(\S+)", text)
    return {int(number): value for number, value in found}


class Door(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.serve("GET", None)

    def do_POST(self):
        self.serve("POST", self.rfile.read(int(self.headers["Content-Length"])))

    def serve(self, method, body):
        parts = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(parts.query))
        how, operation = parts.path.split("/")[1], query.get("operation")
        ca = self.server.ca
        answer = None
        if parts.path not in (f"/{known}/pkiclient.exe" for known in BEHAVIOURS):
            pass
        elif operation == "GetCACert":
            ca.log(how, operation, method)
            answer = ca.certificates(how)
        elif operation == "GetCACaps" and how != "old":
            answer = CAPS.encode()
        elif operation == "PKIOperation" and (method == "GET" or how != "old"):
            answer = ca.operation(how, body if method == "POST" else base64.b64decode(query["message"]), method)
        self.send_response(200 if answer else 404)
        self.send_header("Content-Length", str(len(answer or b"")))
        self.end_headers()
        self.wfile.write(answer or b"")

    def log_message(self, *words):
        pass


def main():
    folder, address, port = sys.argv[1:]
    server = http.server.ThreadingHTTPServer((address, int(port)), Door)
    server.ca = Ca(folder)
    print(os.getpid(), flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
