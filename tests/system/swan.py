"""A strongSwan as R2 whose connection a test changes while the lab runs.

    hostA 192.168.1.10 -- R1 203.0.113.1 Postern -- internet -- 198.51.100.2 R2 strongSwan, its own ESP in UDP -- 192.168.2.10 hostB
"""
import re

import pytest

import rig
from rig import until

R1, R2 = "203.0.113.1", "198.51.100.2"
CONNECTION = """connections {
	postern {
		version = 1
		local_addrs = %(own)s
		remote_addrs = %(peer)s
		encap = yes
		proposals = aes256-sha256-modp2048
		%(more)s
		local { auth = psk }
		remote { auth = psk }
		children {
			%(children)s
		}
	}
}
secrets {
	ike-r1 { secret = postern-lab }
}
"""


class Swan(rig.Site):
    def __init__(self, name, **options):
        super().__init__(name, peer="strongswan", **options)
        self.folder = f"/var/tmp/postern-lab/{self.name}/R2/ike"

    def peer(self, children, peer=R1, own=R2, more=""):
        """Ends what is up; from now on strongSwan has these children: {name: "key = value; …"}."""
        text = "\n".join(f"{name} {{ {lines.replace('; ', chr(10))} }}" for name, lines in children.items())
        self.quiet()
        with open(f"{self.folder}/swanctl.conf", "w") as file:
            file.write(CONNECTION % {"own": own, "peer": peer, "children": text, "more": more})
        self.run("R2", "swanctl", "--load-all", "--noprompt")

    def quiet(self):
        """No SA at either end."""
        self.run("R2", "swanctl", "--terminate", "--ike", "postern", "--force", "--timeout", "5", check=False)
        self.console("R1", "clear crypto session", "clear logging", "")
        until(lambda: self.ike_sas() == (0, 0), 20, "no SA at either end")

    def ike_sas(self):
        """How many IKE SAs R1 and R2 have."""
        return (len(re.findall(r"QM_IDLE\s+\d+ ACTIVE$", self.show("R1", "show crypto isakmp sa"), re.M)),
                len(re.findall(r"ESTABLISHED, IKEv1", self.run("R2", "swanctl", "--list-sas"))))

    def initiate(self, child="site", check=True):
        return self.run("R2", "swanctl", "--initiate", "--child", child, "--timeout", "120", check=check)

    def pairs(self):
        """What both have of SAs: ({(inbound SPI, outbound SPI)} of R1, the same of R2 seen from R1)."""
        screen = self.show("R1", "show crypto ipsec sa")
        spis = {way: [int(spi, 16) for part in re.findall(rf"{way} esp sas:\n((?:      .*\n)*)", screen)
                      for spi in re.findall(r"^ +spi: (0x\w+)", part, re.M)] for way in ("inbound", "outbound")}
        listed = self.run("R2", "swanctl", "--list-sas")
        return ((set(spis["inbound"]), set(spis["outbound"])),
                ({int(spi, 16) for spi in re.findall(r"^\s+out ([0-9a-f]{8})", listed, re.M)},
                 {int(spi, 16) for spi in re.findall(r"^\s+in  ([0-9a-f]{8})", listed, re.M)}))

    def agree(self):
        """Both have SAs, and the same ones."""
        ours, theirs = self.pairs()
        return bool(ours[0]) and ours == theirs

    def up(self, **options):
        """Traffic starts a tunnel, and passes; strongSwan can read the first packets a little later than it says so."""
        until(lambda: self.ping(count=3, wait=2, **options) == (3, 3), 90, "three packets and their answers")

    def said(self):
        """strongSwan's log."""
        with open(f"{self.folder}/log", errors="replace") as file:
            return file.read()

    def logged(self, pattern, node="R1", seconds=20):
        """Waits for a line of the log."""
        read = (lambda: self.show("R1", "show logging")) if node == "R1" else self.said
        return until(lambda: re.search(pattern, read()), seconds, lambda: f"{pattern} in the log of {node}:\n{read()[-3000:]}")


def swan_fixture(name):
    @pytest.fixture(scope="module")
    def site():
        made = Swan(name)
        try:
            yield made
        finally:
            made.down()
    return site
