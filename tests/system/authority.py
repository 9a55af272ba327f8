"""A certification authority made of files, with the openssl command; and a router's way to a certificate through its console."""
import os
import re
import subprocess


class Authority:
    """A CA. Keys and certificates are files of its folder."""

    def __init__(self, folder, subject="/O=Acme/CN=Root", kind="ec"):
        self.dir = str(folder)
        os.makedirs(self.dir, exist_ok=True)
        self.key("ca.key", kind)
        self.run("req", "-x509", "-new", "-key", "ca.key", "-subj", subject, "-days", "3650", "-sha256", "-out", "ca.pem")
        self.revoked = []

    def run(self, *words, text=None):
        done = subprocess.run(["openssl", *words], cwd=self.dir, capture_output=True, text=True, input=text)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def subordinate(self, folder, subject):
        """A CA below this one."""
        below = Authority(folder, subject)
        request = below.run("req", "-new", "-key", "ca.key", "-subj", subject)
        with open(f"{below.dir}/ca.pem", "w") as file:
            file.write(self.sign(request, ("basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign,cRLSign"), "3650"))
        return below

    def key(self, name, kind):
        """kind: ec, rsa, or rsa with its bits."""
        if kind == "ec":
            self.run("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", name)
        else:
            self.run("genrsa", "-traditional", "-out", name, kind.removeprefix("rsa") or "2048")

    def sign(self, request, extensions=("keyUsage=critical,digitalSignature",), days="365"):
        """The certificate for a request, PEM; `extensions` are added to what the request wants."""
        with open(f"{self.dir}/extensions", "w") as file:
            file.write("\n".join(extensions) + "\n")
        return self.run("x509", "-req", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", days, "-sha256",
                        "-copy_extensions", "copyall", "-extfile", "extensions", text=request)

    def issue(self, name, kind, subject, extensions=(), days="365"):
        """A key and a certificate as files: NAME.key, NAME.pem."""
        self.key(f"{name}.key", kind)
        request = self.run("req", "-new", "-key", f"{name}.key", "-subj", subject)
        with open(f"{self.dir}/{name}.pem", "w") as file:
            file.write(self.sign(request, ("keyUsage=critical,digitalSignature", *extensions), days))

    def below(self, name, subject, extensions=()):
        """A CA below this one, in a folder of its own; its certificate is here, too: NAME.pem."""
        ca = Authority(f"{self.dir}/{name}", subject)
        request = ca.run("req", "-new", "-key", "ca.key", "-subj", subject)
        signed = self.sign(request, ("basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign,cRLSign", *extensions))
        for path in (f"{ca.dir}/ca.pem", f"{self.dir}/{name}.pem"):
            with open(path, "w") as file:
                file.write(signed)
        return ca

    def index(self, good=(), revoked=()):
        """Writes index.txt, what `openssl ocsp` answers from; other certificates are unknown to it."""
        lines = ""
        for kind, names in (("V", good), ("R", revoked)):
            for name in names:
                serial = self.run("x509", "-in", f"{name}.pem", "-noout", "-serial").strip().split("=")[1]
                lines += f"{kind}\t401231235959Z\t{'250101000000Z' if kind == 'R' else ''}\t{serial}\tunknown\t/CN={name}\n"
        with open(f"{self.dir}/index.new", "w") as file:
            file.write(lines)
        os.rename(f"{self.dir}/index.new", f"{self.dir}/index.txt")

    def crl(self, *names):
        """Writes crl.der: certificates of these files are revoked."""
        for name in ("index.txt", "crlnumber"):
            with open(f"{self.dir}/{name}", "w") as file:
                file.write("01\n" if name == "crlnumber" else "")
        with open(f"{self.dir}/ca.cnf", "w") as file:
            file.write("[ca]\ndefault_ca=a\n[a]\ndatabase=index.txt\ncrlnumber=crlnumber\ndefault_md=sha256\ndefault_crl_days=30\n"
                       "certificate=ca.pem\nprivate_key=ca.key\n")
        for name in names:
            self.run("ca", "-config", "ca.cnf", "-revoke", name)
        self.run("ca", "-config", "ca.cnf", "-gencrl", "-out", "crl.pem")
        self.run("crl", "-in", "crl.pem", "-outform", "DER", "-out", "crl.der")

    @property
    def pem(self):
        with open(f"{self.dir}/ca.pem") as file:
            return file.read()


def request_of(said):
    """The request that `crypto pki enroll` has shown (enrollment terminal pem)."""
    found = re.search(r"Certificate Request follows:\s+(-----BEGIN CERTIFICATE REQUEST-----.*?-----END CERTIFICATE REQUEST-----)",
                      said, re.S)
    assert found, said
    return found.group(1) + "\n"


def enroll(console, ca, name, keys, subject, fqdn=None, revocation="none", extensions=("keyUsage=critical,digitalSignature",), days="365"):
    """Gets a router a trustpoint with both certificates. `console(text)` types lines of global configuration."""
    said = console(f"""crypto pki trustpoint {name}
 enrollment terminal pem
 subject-name {subject}
 fqdn {fqdn or 'none'}
 {keys}
 revocation-check {revocation}
crypto pki authenticate {name}
{ca.pem}quit
yes
crypto pki enroll {name}
yes
no""")
    assert "Trustpoint CA certificate accepted." in said, said
    signed = ca.sign(request_of(said), extensions, days)
    said = console(f"crypto pki import {name} certificate\n{signed}\nquit")
    assert "% Router Certificate successfully imported" in said, said
    return signed
