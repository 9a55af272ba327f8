"""Two gateways and two hosts as network namespaces, and engines with SAs put by hand.

    hostA 192.168.1.10 -- gwA 203.0.113.1 -- 203.0.113.2 gwB -- 192.168.2.10 hostB
"""
import os
import re
import signal
import subprocess
import tempfile
import time

BUILD = os.environ.get("BUILD", os.path.join(os.path.dirname(__file__), "..", "..", "build"))
GCM128, NULL, DES, TDES, AES128, AES192, AES256 = 7, 1, 2, 3, 4, 5, 6
MD5, SHA1, SHA256, SHA384, SHA512 = 1, 2, 3, 4, 5
XCBC, CMAC, CHACHA = 6, 7, 16
KEY_LEN = {0: 0, NULL: 0, DES: 8, TDES: 24, 4: 16, 5: 24, 6: 32, 7: 20, 8: 28, 9: 36, 10: 20, 11: 28, 12: 36,
           13: 20, 14: 28, 15: 36, CHACHA: 36, 17: 16, 18: 24, 19: 32}
AUTH_LEN = {0: 0, MD5: 16, SHA1: 20, SHA256: 32, SHA384: 48, SHA512: 64, XCBC: 16, CMAC: 16}

FILTER = """
table netdev postern_static {
	chain out {
		type filter hook egress device "wan" priority 0;
		%(mangle)s
		ip saddr %(local)s ip protocol { 50, 51 } accept
		ip saddr %(local)s ip protocol 17 meta mark 0x5053544e accept
		ip saddr %(inside)s ip daddr %(outside)s fwd to ptap0
	}
	chain in {
		type filter hook ingress device "wan" priority 0;
		ip daddr %(local)s ip protocol { 50, 51 } ip frag-off & 0x3fff == 0 drop
	}
}
"""


PINGER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lab", "pinger")
MARK = """import socket, sys
line = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
line.bind(("wan", 0))
line.send(bytes.fromhex(sys.argv[1]))"""
RECORD_HEADER = 16                      # of a packet in a capture file


def until(condition, seconds=60):
    """Waits until `condition` holds, and returns its value; after so many seconds what it is then."""
    end = time.monotonic() + seconds
    while not (value := condition()) and time.monotonic() < end:
        time.sleep(0.02)
    return value


def run(*cmd, **kw):
    kw.setdefault("check", True)
    return subprocess.run(cmd, text=True, capture_output=True, **kw)


class Net:
    """The four namespaces; `prefix` keeps several apart."""

    def __init__(self, prefix="eng"):
        self.prefix = f"{prefix}{os.getpid()}"
        self.dir = tempfile.mkdtemp(prefix="engine-")
        self.engines = []
        for n in ("hostA", "gwA", "gwB", "hostB"):
            run("ip", "netns", "add", self.ns(n))
            self.x(n, "ip", "link", "set", "lo", "up")
        self.link("hostA", "lan", "192.168.1.10/24", "gwA", "lan", "192.168.1.1/24")
        self.link("gwA", "wan", "203.0.113.1/24", "gwB", "wan", "203.0.113.2/24")
        self.link("gwB", "lan", "192.168.2.1/24", "hostB", "lan", "192.168.2.10/24")
        for gw in ("gwA", "gwB"):
            self.x(gw, "sysctl", "-qw", "net.ipv4.ip_forward=1")
        self.x("hostA", "ip", "route", "add", "default", "via", "192.168.1.1")
        self.x("hostB", "ip", "route", "add", "default", "via", "192.168.2.1")
        self.x("gwA", "ip", "route", "add", "192.168.2.0/24", "via", "203.0.113.2")
        self.x("gwB", "ip", "route", "add", "192.168.1.0/24", "via", "203.0.113.1")

    def ns(self, node):
        return f"{self.prefix}-{node}"

    def link(self, a, an, aa, b, bn, ba):
        run("ip", "link", "add", an, "netns", self.ns(a), "type", "veth", "peer", "name", bn, "netns", self.ns(b))
        for node, name, addr in ((a, an, aa), (b, bn, ba)):
            self.x(node, "ip", "addr", "add", addr, "dev", name)
            self.x(node, "ip", "link", "set", name, "up")

    def x(self, node, *cmd, **kw):
        return run("ip", "netns", "exec", self.ns(node), *cmd, **kw)

    def popen(self, node, *cmd, **kw):
        return subprocess.Popen(["ip", "netns", "exec", self.ns(node), *cmd], text=True, **kw)

    def ping(self, n=1, size=56, discover=None, wait=30, node="hostA", to="192.168.2.10"):
        """How many of `n` pings are answered."""
        extra = ("-M", discover) if discover else ()
        said = self.x(node, PINGER, "-c", str(n), "-i", "0.01", "-W", str(wait), "-s", str(size), *extra, to).stdout
        return int(re.search(r"(\d+) received", said).group(1))

    def close(self):
        for e in list(self.engines):
            e.stop()
        for n in ("hostA", "gwA", "gwB", "hostB"):
            run("ip", "netns", "del", self.ns(n), check=False)
        run("rm", "-rf", self.dir)


class Capture:
    """What gwB sees on its outside link. It ends behind a frame of its own: once that is in the file, all before it is."""

    def __init__(self, net, name, what="", options=("-Q", "in")):
        self.net, self.path = net, os.path.join(net.dir, name + ".pcap")
        expression = [f"({what}) or ether proto 0x88b5"] if what else []
        self.p = net.popen("gwB", "tcpdump", "-Z", "root", "--immediate-mode", "-U", *options, "-i", "wan", "-w", self.path, *expression,
                           stderr=subprocess.PIPE)
        if not any("listening on" in line for line in iter(self.p.stderr.readline, "")):
            raise RuntimeError("tcpdump has ended")

    def stop(self):
        frame = b"\x01\x80\xc2\x00\x00\x0e" + os.urandom(6) + b"\x88\xb5" + os.urandom(46)
        self.net.x("gwA", "/usr/bin/python3", "-c", MARK, frame.hex())
        if not until(lambda: frame in self.bytes()):
            raise RuntimeError("the capture does not end")
        self.p.terminate()
        self.p.communicate(timeout=60)
        os.truncate(self.path, self.bytes().index(frame) - RECORD_HEADER)
        return self.path

    def bytes(self):
        with open(self.path, "rb") as file:
            return file.read()


class Engine:
    """static_sa in a gateway."""

    def __init__(self, net, gw, encap=0, cipher=GCM128, auth=0, ah=0, transport=0, env=None, nft=True, mangle="", **more):
        a = gw == "gwA"
        self.net, self.gw = net, gw
        seed = {True: 0x10, False: 0x60}

        def key(first, n, base=0):
            return bytes((seed[first] + base + i) & 0xff for i in range(n)).hex()

        local, remote = ("203.0.113.1", "203.0.113.2") if a else ("203.0.113.2", "203.0.113.1")
        inside, outside = ("192.168.1.0/24", "192.168.2.0/24") if a else ("192.168.2.0/24", "192.168.1.0/24")
        if transport:
            inside, outside = local, remote
        conf = {
            "interface": "wan", "local": local, "remote": remote, "inside": inside, "outside": outside, "encap": encap,
            "cipher": cipher, "auth": auth, "window": 1024, "spi_in": 0x1000 + (2 if a else 1), "spi_out": 0x1000 + (1 if a else 2),
        }
        for name, first in (("in", not a), ("out", a)):
            if KEY_LEN[cipher]:
                conf["key_" + name] = key(first, KEY_LEN[cipher])
            if AUTH_LEN[auth]:
                conf["auth_" + name] = key(first, AUTH_LEN[auth], 0x40)
            if ah:
                conf["ah_" + name] = key(first, AUTH_LEN[ah], 0x80)
        if ah:
            conf.update(ah=ah, ah_spi_in=0x2000 + (2 if a else 1), ah_spi_out=0x2000 + (1 if a else 2))
        conf["transport"] = transport
        conf.update(more)
        self.conf = conf
        self.killed = False
        path = os.path.join(net.dir, gw + ".conf")
        with open(path, "w", encoding="ascii") as f:
            f.writelines(f"{k} {v}\n" for k, v in conf.items())
        self.err = open(os.path.join(net.dir, gw + ".err"), "w+", encoding="utf-8")
        self.p = net.popen(gw, os.path.join(BUILD, "bench", "static_sa"), path, stdout=subprocess.PIPE, stderr=self.err,
                           env={**os.environ, **(env or {})})
        net.engines.append(self)
        self.detail = self.p.stdout.readline().strip()
        ready = self.p.stdout.readline().strip()
        if ready != "ready":
            self.err.seek(0)
            raise RuntimeError(f"{gw}: {self.err.read()}")
        if nft:
            net.x(gw, "nft", "-f", "-", input=FILTER % {"inside": inside, "outside": outside, "local": local, "mangle": mangle})

    def stats(self):
        os.kill(self.p.pid, signal.SIGHUP)
        out = {}
        for line in self.p.stdout:
            if line.strip() == "end":
                break
            k, v = line.split()
            out[k] = int(v)
        return out

    def kill(self):
        self.killed = True
        self.p.kill()
        self.p.wait(60)

    def stop(self):
        if self in self.net.engines:
            self.net.engines.remove(self)
        self.p.terminate()
        self.p.wait(60)
        self.net.x(self.gw, "nft", "delete", "table", "netdev", "postern_static", check=False)
        self.net.x(self.gw, "ip", "link", "del", "ptap0", check=False)
        self.err.close()
        return 0 if self.killed else self.p.returncode


class Pair:
    def __init__(self, net, **kw):
        only_b = {k[2:]: kw.pop(k) for k in list(kw) if k.startswith("b_")}
        self.a = Engine(net, "gwA", **kw)
        self.b = Engine(net, "gwB", **{**kw, **only_b})

    def stop(self):
        return self.a.stop(), self.b.stop()
