"""strongSwan as the router's peer, with certificates."""
import os

from rig import ROOT

PEER = "%s/tests/qemu/peer-ike" % ROOT


class Strongswan:
    """R2's configuration, and its log."""

    def __init__(self, site):
        self.site = site
        self.dir = f"/var/tmp/postern-lab/{site.name}/R2/ike"

    def load(self, ca, name, proposal="aes256-sha256-modp2048", identity=None, aggressive="no", others=()):
        """`name`: its key and certificate; `others`: files of CAs between that and the root, which it sends along."""
        for folder in ("x509", "x509ca", "private"):
            for file in os.listdir(f"{self.dir}/{folder}") if os.path.isdir(f"{self.dir}/{folder}") else ():
                os.unlink(f"{self.dir}/{folder}/{file}")
        for folder in ("x509", "x509ca", "private"):
            os.makedirs(f"{self.dir}/{folder}", exist_ok=True)
        for source, target in (("ca.pem", "x509ca/ca.pem"), (f"{name}.pem", "x509/own.pem"), (f"{name}.key", "private/own.key"),
                               *((other, f"x509ca/{other}") for other in others)):
            with open(f"{ca.dir}/{source}") as one, open(f"{self.dir}/{target}", "w") as other:
                other.write(one.read())
        own = f"id = {identity}" if identity else ""
        with open(f"{self.dir}/swanctl.conf", "w") as file:
            file.write(CONF.format(proposal=proposal, own=own, aggressive=aggressive))
        self.control("--terminate", "--ike", "postern", "--force", check=False)
        self.control("--load-all", "--clear")

    def control(self, *words, check=True):
        return self.site.run("R2", PEER, "in", self.dir, "swanctl", *words, check=check)

    def log(self):
        with open(f"{self.dir}/log") as file:
            return file.read()


CONF = """connections {{
	postern {{
		version = 1
		aggressive = {aggressive}
		local_addrs = 198.51.100.2
		remote_addrs = 203.0.113.1
		encap = yes
		proposals = {proposal}
		local {{
			auth = pubkey
			certs = own.pem
			{own}
		}}
		remote {{
			auth = pubkey
			id = %any
		}}
		children {{
			site {{
				local_ts = 192.168.2.0/24
				remote_ts = 192.168.1.0/24
				esp_proposals = aes256-sha256
			}}
		}}
	}}
}}
"""
