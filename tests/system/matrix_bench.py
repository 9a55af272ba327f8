"""The lab that a peer's column of the matrix runs in: R1's console, R2's daemon, the hosts, and the internet link between."""
import json
import os
import re
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.append(os.path.join(HERE, "..", "lab"))

from authority import Authority, enroll                         # noqa: E402
from labkit import capture as recorder, lab as kit, peers       # noqa: E402
from labkit.base import Lab, LabError, start_time               # noqa: E402,F401
import matrix_rows                                              # noqa: E402
from matrix_peers import Libreswan, Postern, StrongSwan, refused, spis         # noqa: E402

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


# What the internet may be besides: a NAT before either router (R1 is seen as 192.0.2.1, R2 as 192.0.2.129), or a link that takes no
# long packets and no fragments of IP.
NAT = """	chain in_NAME {
		type nat hook prerouting priority dstnat;
		ip daddr OUTSIDE udp dport { 500, 4500 } dnat to INSIDE
	}
	chain out_NAME {
		type nat hook postrouting priority srcnat;
		ip saddr INSIDE meta l4proto udp snat to OUTSIDE:20000-40000 fully-random
	}
"""
R1_NAT = NAT.replace("NAME", "r1").replace("OUTSIDE", "192.0.2.1").replace("INSIDE", "203.0.113.1")
R2_NAT = NAT.replace("NAME", "r2").replace("OUTSIDE", "192.0.2.129").replace("INSIDE", "198.51.100.2")
WATCH = "	chain watch {\n		type filter hook forward priority -10;\n%s\n	}\n"
PATHS = {"r1": R1_NAT, "r2": R2_NAT, "both": R1_NAT + R2_NAT, "narrow": WATCH % "udp length > 1300 drop\n		ip frag-off & 0x1fff != 0 drop",
         "cut": WATCH % "udp dport { 500, 4500 } drop"}
# All of conntrack's entries of a namespace are forgotten (ctnetlink: IPCTNL_MSG_CT_DELETE).
FORGET = """import socket, struct
line = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12)
line.send(struct.pack("=IHHIIBBH", 20, 0x102, 5, 1, 0, 2, 0, 0))
line.recv(4096)"""


def wait(condition, seconds):
    """The value of `condition` once it holds, or what it had at the end."""
    end = time.monotonic() + seconds
    while not (value := condition()) and time.monotonic() < end:
        time.sleep(0.3)
    return value


class Wire:
    """What crosses the internet link at R1 while the block runs, as tshark reads it with R1's keys."""

    def __init__(self, lab, folder, keys):
        self.lab, self.path, self.keys = lab, f"{folder}/wire.pcapng", keys
        self.tables = f"{folder}/tables"
        os.makedirs(self.tables, exist_ok=True)

    def __enter__(self):
        if os.path.exists(self.path):
            os.unlink(self.path)
        self.dumper = recorder.start(self.lab, self.path, None)
        self.born = start_time(self.dumper.pid)
        return self

    def __exit__(self, *_):
        recorder.stop(self.lab, self.dumper.pid, self.born, self.path)
        self.dumper.wait()

    def rows(self, display_filter, *fields):
        """One list of fields per packet that matches, of all that has crossed until now."""
        recorder.settle(self.lab, self.path, lambda: start_time(self.dumper.pid) == self.born)
        if os.path.exists(self.keys):
            with open(self.keys) as source, open(f"{self.tables}/ikev1_decryption_table", "w") as table:
                table.writelines(dict.fromkeys(line for line in source if not line.startswith("#")))
        done = subprocess.run(["tshark", "-n", "-r", self.path, "-Y", display_filter, "-T", "fields", *(w for f in fields for w in ("-e", f))],
                              capture_output=True, text=True, env={**os.environ, "WIRESHARK_CONFIG_DIR": self.tables})
        return [line.split("\t") for line in done.stdout.split("\n") if line]

    def messages(self):
        """[source, exchange] of each message, repetitions left out."""
        lines = dict.fromkeys(map(tuple, self.rows("isakmp.exchangetype", "ip.src", "isakmp.exchangetype", "udp.payload")))
        return [list(line[:2]) for line in lines]


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

        self.node_dir = f"{os.path.dirname(self.lab.node_dir('R1'))}"
        self.console("debug crypto isakmp export flash:ike.keys")

    def capture(self):
        return Wire(self.lab, self.node_dir, self.lab.node_dir("R1", "data", "flash", "ike.keys"))

    def path(self, name):
        """The internet is one of PATHS, or an ordinary one."""
        inside = self.words("internet")
        subprocess.run([*inside, "nft", "destroy table ip path"], check=False, capture_output=True)
        subprocess.run([*inside, "nft", "delete table ip path"], check=False, capture_output=True)
        if name:
            subprocess.run([*inside, "nft", "-f", "-"], input="table ip path {\n" + PATHS[name] + "}\n", text=True, check=True)
        subprocess.run([*inside, "/usr/bin/python3", "-c", FORGET], check=False)

    def certified(self):
        """Certificates of one authority for both ends, made once."""
        if self.peer.certificates:
            return None
        ca = Authority(f"{self.node_dir}/ca")
        below = ca.subordinate(f"{self.node_dir}/below", "/O=Acme/CN=Below")
        routers = ["R1", "R2"] if self.kind == "postern" else ["R1"]
        for router in routers:
            def typed(text, router=router):
                return self.console("configure terminal", *text.split("\n"), "end", node=router)
            typed("crypto key generate rsa label RSA modulus 3072\ncrypto key generate ec keysize 256 label EC")
            subject = f"CN={router},OU={'a department with a long name ' * 2},O=Acme".replace(" ,", ",")
            enroll(typed, below if router == "R2" else ca, "CA-RSA", "rsakeypair RSA", subject)        # R2's has a chain, always
            enroll(typed, ca, "CA-EC", "eckeypair EC", subject)
        for name, kind, by in (("rsa", "rsa", ca), ("ec", "ec", ca), ("big", "rsa4096", ca), ("chain", "rsa", below)):
            by.issue(name, kind, "/O=Acme/CN=R2", ("subjectAltName=IP:198.51.100.2",))
            self.peer.certificates[name] = (f"{by.dir}/{name}.key", f"{by.dir}/{name}.pem", f"{by.dir}/ca.pem" if by is below else None,
                                            f"{ca.dir}/ca.pem")
        return None

    def forget(self):
        """The peer loses all that it has negotiated."""
        if self.kind == "postern":
            self.lose("R2")
        else:
            self.peer.kill()
            self.revive()

    def forget_r1(self):
        self.lose("R1")

    def lose(self, router):
        """A Postern's SAs of both phases, while nothing of it reaches the other end."""
        self.path("cut")
        self.console("clear crypto session", node=router)
        wait(lambda: not spis(self.console("show crypto ipsec sa", node=router)), 20)
        self.path("")

    def volume(self):
        """About half a megabyte each way."""
        subprocess.run(self.words("hostA", "ping", "-n", "-q", "-c", "400", "-i", "0.002", "-s", "1300", "-W", "1", "192.168.2.10"),
                       capture_output=True, check=False, timeout=120)

    def words(self, node, *command):
        return kit.node_words(self.lab, self.facts, node, list(command))

    def console(self, *lines, node="R1"):
        """The screen. A program that a busy machine keeps from answering in time is asked again: what is typed here may be typed twice."""
        typed = "enable\nterminal length 0\n" + "\n".join(lines) + "\n"
        for _ in range(5):
            screen = subprocess.run([LAB, "console", "--name", self.lab.name, node], input=typed, capture_output=True, text=True,
                                    timeout=120).stdout.replace("\r", "")
            if "is not answering" not in screen:
                break
        return screen

    def configure(self, row):
        return refused(self.console(*row.lines("SITE-B"), "end", "clear crypto sa", "clear crypto isakmp",
                                    "show crypto ipsec sa | include interface"))        # an answer is never older than the lines before it

    def ping(self, row, count=3, backwards=False, limit=20, to="192.168.2.10"):
        """Pings from hostA to `to`, by default hostB, until so many came back; returns how many did. The first ones may find a slow
        peer's SAs not yet installed: it has them only after the third message of quick mode. `backwards`: from hostB to hostA."""
        ends = [("R1", "203.0.113.1"), ("R2", "198.51.100.2")] if row.transport else [("hostA", "192.168.1.10"), ("hostB", to)]
        (start, _), (_, to) = reversed(ends) if backwards else ends
        said = subprocess.run(self.words(start, "ping", "-n", "-c", str(count), "-i", "0.25", "-w", str(limit), to),
                              capture_output=True, text=True).stdout
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
        if bool(re.search(r"203\.0\.113\.1 .*QM_IDLE.*ACTIVE", screen)) != phase1:
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
        if self.kind != "native":           # the kernel keeps what the daemon had
            peers.guest(self.facts["nodes"]["R2"], "sh", "-c", "ip xfrm state flush; ip xfrm policy flush")
        if self.kind == "native":
            subprocess.run(["ip", "netns", "exec", self.lab.netns("R2"), *start, "libipsec"], check=True)
        else:
            peers.guest(self.facts["nodes"]["R2"], *start, peers.GUESTS[self.kind])

    def down(self):
        subprocess.run([LAB, "down", "--name", self.lab.name], check=False)


