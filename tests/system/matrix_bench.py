"""The lab that a peer's column of the matrix runs in: R1's console, R2's daemon, the hosts, and the internet link between."""
import json
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.append(os.path.join(HERE, "..", "lab"))

from labkit import lab as kit, peers                            # noqa: E402
from labkit.base import Lab, LabError                           # noqa: E402,F401
import matrix_rows                                              # noqa: E402
from matrix_peers import Libreswan, Postern, StrongSwan, refused         # noqa: E402

ROOT = os.path.realpath(f"{HERE}/../..")
LAB = f"{ROOT}/tests/lab/lab"
BACKENDS = {"native": ("strongswan", "kernel-libipsec"), "strongswan-kernel": ("strongswan", "kernel"),
            "libreswan": ("libreswan", "kernel"), "postern": ("postern", "its own")}
LABS = {"native": "strongswan"}             # the lab's name of a peer, where it is another one
# What crosses the internet link, counted: ESP, ESP in UDP (its first word is no non-ESP marker), site traffic in clear.
COUNTERS = """table ip matrix {
	counter seen_esp {}
	counter seen_ah {}
	counter seen_udp {}
	counter seen_clear {}
	chain watch {
		type filter hook forward priority 0;
		ip protocol 50 counter name "seen_esp"
		ip protocol 51 counter name "seen_ah"
		ip protocol icmp ip saddr 203.0.113.1 counter name "seen_clear"
		udp dport 4500 @th,64,32 != 0 counter name "seen_udp"
		ip saddr 192.168.0.0/16 counter name "seen_clear"
	}
}
"""


class Bench:
    """One lab with one peer, and the rows that go through it."""

    def __init__(self, kind, bin_dir):
        self.kind, self.tried = kind, set()
        self.lab = Lab(f"matrix-{kind}-{os.getpid()}")
        up = [LAB, "up", "--name", self.lab.name, "--owner", str(os.getpid()), "--bin", bin_dir,
              "--peer", LABS.get(kind, kind)]
        done = subprocess.run(up, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"lab up: {done.stderr.strip()}")
        self.facts = self.lab.load()
        subprocess.run([*self.words("internet"), "nft", "-f", "-"], input=COUNTERS, text=True, check=True)
        folder = self.facts["nodes"]["R2"].get("dir")
        words = lambda command: kit.node_words(self.lab, self.facts, "R2", list(command))   # noqa: E731
        if kind == "postern":
            self.peer = Postern(lambda *lines: self.console(*lines, node="R2"))
        else:
            self.peer = Libreswan(words, folder) if kind == "libreswan" else StrongSwan(words, folder, encap=kind == "native")

    def words(self, node, *command):
        return kit.node_words(self.lab, self.facts, node, list(command))

    def console(self, *lines, node="R1"):
        typed = "enable\nterminal length 0\n" + "\n".join(lines) + "\n"
        return subprocess.run([LAB, "console", "--name", self.lab.name, node], input=typed, capture_output=True, text=True,
                              timeout=60).stdout.replace("\r", "")

    def configure(self, row):
        return refused(self.console(*row.lines("SITE-B"), "end", "clear crypto sa", "clear crypto isakmp",
                                    "show crypto ipsec sa | include interface"))        # an answer is never older than the lines before it

    def ping(self, row, count=3, backwards=False):
        """Pings from hostA to hostB until so many came back; returns how many did. The first ones may find a slow peer's SAs not yet
        installed: it has them only after the third message of quick mode. `backwards`: from hostB to hostA."""
        ends = [("R1", "203.0.113.1"), ("R2", "198.51.100.2")] if row.transport else [("hostA", "192.168.1.10"), ("hostB", "192.168.2.10")]
        (start, _), (_, to) = reversed(ends) if backwards else ends
        said = subprocess.run(self.words(start, "ping", "-n", "-c", str(count), "-i", "0.25", "-w", "20", to), capture_output=True, text=True).stdout
        found = re.search(r"(\d+) received", said)
        return int(found.group(1)) if found else 0

    def counters(self):
        listed = subprocess.run([*self.words("internet"), "nft", "-j", "reset", "counters", "table", "ip", "matrix"],
                                capture_output=True, text=True, check=True).stdout
        return {entry["counter"]["name"][5:]: entry["counter"]["packets"] for entry in json.loads(listed)["nftables"] if "counter" in entry}

    def judge(self, row, role):
        """None when the row passes, else why not."""
        wrong = self.peer.load(row) or self.configure(row)
        if wrong:
            return wrong
        self.counters()
        if role == "initiator":
            wrong = self.peer.initiate()
            if wrong:
                return wrong
        got = self.ping(row)
        seen = self.counters()
        if got < 2:
            return f"{got} pings came back in 40 s; {self.why()}"
        return self.formed(row, seen) or self.shown() or self.peer.check(row)

    def formed(self, row, seen):
        """What crossed the internet link is of the row's form. What left at once may cross it as one segment."""
        form = "udp" if self.kind == "native" else "ah" if row.ah else "esp"
        if seen[form] < 2 or any(seen[other] for other in ("udp", "esp", "ah") if other != form) or seen["clear"]:
            return f"on the wire: {seen}"
        return None

    def shown(self, phase1=True):
        """What R1's console says of the SAs."""
        screen = self.console("show crypto isakmp sa", "show crypto ipsec sa")
        if bool(re.search(r"203\.0\.113\.1.*QM_IDLE.*ACTIVE|198\.51\.100\.2.*QM_IDLE.*ACTIVE", screen)) != phase1:
            return f"R1 shows {'no' if phase1 else 'an'} IKE SA"
        encaps, decaps = (re.search(rf"#pkts {word}: (\d+)", screen) for word in ("encaps", "decaps"))
        if not encaps or not decaps or int(encaps.group(1)) < 2 or int(decaps.group(1)) < 2:
            return "R1 shows no packets through its IPsec SA"
        return None

    def disproved(self, row, role, lacks):
        """Tries, once for each reason and role, what the peer is said not to have. None, or how it was not as said."""
        proof = self.peer.proof(row) if hasattr(self.peer, "proof") and type(row) is matrix_rows.Row else None
        if proof is None or (lacks, role) in self.tried:
            return None
        self.tried.add((lacks, role))
        self.revive()
        self.console("clear logging", "")
        before = len(self.peer.log())
        if row.judge(self, role) is None:
            return f"it passes, though {lacks}"
        said = self.peer.log()[before:] + self.console("show logging")
        return None if re.search(proof, said, re.M) else f"{lacks}? No log says so: {said[-300:]}"

    def why(self):
        said = self.console("show logging")
        lines = [line for line in said.splitlines() if "%CRYPTO" in line and "SESSION_STATUS" not in line]
        return lines[-1].strip() if lines else "no log line"

    def revive(self):
        """Starts the peer's daemon again when a row has killed it."""
        if self.peer.alive():
            return
        start = [f"{peers.QEMU}/peer-ike", "start", self.peer.folder]
        if self.kind == "native":
            subprocess.run(["ip", "netns", "exec", self.lab.netns("R2"), *start, "libipsec"], check=True)
        else:
            peers.guest(self.facts["nodes"]["R2"], *start, peers.GUESTS[self.kind])

    def down(self):
        subprocess.run([LAB, "down", "--name", self.lab.name], check=False)


