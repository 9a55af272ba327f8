"""Keys set by hand, against a kernel's own IPsec: the SAs and policies that `ip xfrm` puts into R2, and R1's mirror image of them.

    R1 203.0.113.1, crypto map … ipsec-manual -- internet -- 198.51.100.2 R2, ip xfrm state, ip xfrm policy
"""
import re
from dataclasses import dataclass

import matrix_rows
from matrix_peers import LOCAL, LOCAL_NET, REMOTE, REMOTE_NET, Peer, refused

# Our word, the kernel's name, bytes of the key; a hash's bits on the wire.
CIPHERS = {"des": ("cbc(des)", 8), "3des": ("cbc(des3_ede)", 24), "aes": ("cbc(aes)", 16), "aes 192": ("cbc(aes)", 24), "aes 256": ("cbc(aes)", 32),
           "camellia": ("cbc(camellia)", 16), "camellia 192": ("cbc(camellia)", 24), "camellia 256": ("cbc(camellia)", 32),
           "null": ("ecb(cipher_null)", 0)}
HASHES = {"md5": ("hmac(md5)", 16, 96), "sha": ("hmac(sha1)", 20, 96), "sha256": ("hmac(sha256)", 32, 128), "sha384": ("hmac(sha384)", 48, 192),
          "sha512": ("hmac(sha512)", 64, 256), "aes-xcbc": ("xcbc(aes)", 16, 96)}
ESP_SPI, AH_SPI = {LOCAL: 2000, REMOTE: 1000}, {LOCAL: 2001, REMOTE: 1001}       # by sender
# Counters (GCM, CTR …) are refused with keys set by hand.
ESP_KINDS = [("des", "md5"), ("3des", "sha"), ("aes", "sha"), ("aes 192", "sha384"), ("aes 256", "sha512"), ("camellia 256", "sha256"),
             ("aes", "aes-xcbc"), ("null", "sha256")]
BOTH_KINDS = [("sha", "aes", None), ("sha256", "aes 256", "sha256"), ("md5", "3des", "md5"), ("aes-xcbc", "camellia", "sha")]


@dataclass(frozen=True)
class Row(matrix_rows.Row):
    """Keys set by hand at both ends. The role is who sends first."""

    @property
    def capability(self):
        return f"keys by hand: {super().capability}"

    @property
    def name(self):
        return f"keys by hand {self.transform}{' transport' if self.transport else ''}"

    def lacks(self, peer, _role):
        return {"postern": None, "libreswan": "keys by hand need no daemon, and its kernel is that of strongswan, kernel"}.get(
            peer.name, None if getattr(peer, "kernel", False) else "kernel-libipsec takes SAs from charon only")

    def judge(self, bench, role):
        here = Hand(bench) if bench.kind == "postern" else Kernel(bench.peer)
        try:
            return here.load(self) or refused(bench.console(*console_lines(self, REMOTE, LOCAL, "SITE-B"))) or self.carried(bench, role) or here.check(self)
        finally:
            here.clean()
            bench.console(*console_lines_away())

    def carried(self, bench, role):
        bench.counters()
        got, seen = bench.ping(self, backwards=role == "initiator"), bench.counters()
        if got < 2:
            return f"{got} pings came back in 40 s; {bench.why()}"
        return bench.formed(self, seen) or bench.shown(phase1=False)


def rows_of(_kind, only_slice):
    """{ESP, AH, AH+ESP} x {tunnel, transport}; of the slice each kind and each mode."""
    def row(**kinds):
        return Row("", "", "", **{"esp_cipher": None, "esp_hash": None, **kinds})
    rows, wanted = [], [("esp-aes esp-sha-hmac", False), ("ah-sha256-hmac", True)]
    wanted += [("ah-sha256-hmac esp-aes 256 esp-sha256-hmac", transport) for transport in (False, True)]
    for transport in (False, True):
        rows += [row(esp_cipher=cipher, esp_hash=auth, transport=transport) for cipher, auth in ESP_KINDS]
        rows += [row(ah=ah, transport=transport) for ah in matrix_rows.AH_KINDS]
        rows += [row(ah=ah, esp_cipher=cipher, esp_hash=auth, transport=transport) for ah, cipher, auth in BOTH_KINDS]
    return [one for one in rows if (one.transform, one.transport) in wanted] if only_slice else rows


def key(sender, kind, length):
    """A key of one direction and purpose; with odd parity, and none of DES's weak ones."""
    base = sum(kind.encode()) + (1 if sender == LOCAL else 101)
    return bytes((i * 37 + base) % 251 & 0xfe | (bin((i * 37 + base) % 251 & 0xfe).count("1") + 1) % 2 for i in range(length)).hex()


def console_lines(row, own, peer, site):
    """A Postern's entry. What is keyed by hand stands in a map of its own, which takes the place of the other at the interface."""
    keys = []
    for way, sender in (("inbound", peer), ("outbound", own)):
        if row.ah:
            keys.append(f"set session-key {way} ah {AH_SPI[sender]} {key(sender, 'ah', HASHES[row.ah][1])}")
        if row.esp_cipher:
            words = [f"cipher {key(sender, 'cipher', CIPHERS[row.esp_cipher][1]) or '00'}"]
            words += [f"authenticator {key(sender, 'auth', HASHES[row.esp_hash][1])}"] if row.esp_hash else []
            keys.append(f"set session-key {way} esp {ESP_SPI[sender]} {' '.join(words)}")
    return ["configure terminal", "ip access-list extended ENDS", f"10 permit ip host {own} host {peer}", "exit",
            f"crypto ipsec transform-set HAND {row.transform}", f"mode {'transport' if row.transport else 'tunnel'}", "exit",
            "crypto map HAND 10 ipsec-manual", f"set peer {peer}", *keys, "set transform-set HAND",
            f"match address {'ENDS' if row.transport else site}", "exit", "interface GigabitEthernet0/0", "crypto map HAND", "end",
            "clear crypto session", "show crypto ipsec sa | include interface"]         # an answer is never older than the lines before it


def console_lines_away():
    return ["configure terminal", "interface GigabitEthernet0/0", "no crypto map", "exit", "no crypto map HAND", "interface GigabitEthernet0/0",
            "crypto map VPN", "end", "show crypto ipsec sa | include interface"]


class Hand:
    """R2 is a second Postern."""

    def __init__(self, bench):
        self.bench = bench

    def load(self, row):
        return refused(self.bench.console(*console_lines(row, LOCAL, REMOTE, "SITE-A"), node="R2"))

    def check(self, row):
        screen = self.bench.console("show crypto ipsec sa", node="R2")
        kinds = [kind for kind, there in (("ah", row.ah), ("esp", row.esp_cipher)) if there]
        missing = [kind for kind in kinds if not re.search(rf"inbound {kind} sas:\n\s+spi: 0x", screen)]
        return f"R2 has no SA of {missing}" if missing else None

    def clean(self):
        self.bench.console(*console_lines_away(), node="R2")


class Kernel(Peer):
    """R2's kernel, without any daemon's help."""

    def __init__(self, peer):
        super().__init__(peer.words, peer.folder)

    def batch(self, text):
        """Lines of `ip -batch`; None, or what it says is wrong."""
        self.write("xfrm", text)
        done = self.run("ip", "-batch", f"{self.folder}/xfrm")
        return f"ip xfrm: {done.stdout.strip()}" if done.returncode else None

    def load(self, row):
        lines = ["xfrm state flush", "xfrm policy flush"]
        for src, dst, ways, near, far in ((LOCAL, REMOTE, ["out"], LOCAL_NET, REMOTE_NET), (REMOTE, LOCAL, ["in", "fwd"], REMOTE_NET, LOCAL_NET)):
            mode, templates = "transport" if row.transport else "tunnel", ""
            for proto, algorithms, spi in self.parts(row, src):
                lines.append(f"xfrm state add src {src} dst {dst} proto {proto} spi {spi} reqid 1 mode {mode} {algorithms}")
                templates += f" tmpl src {src} dst {dst} proto {proto} reqid 1 mode {mode}"
                mode = "transport"                      # AH around ESP is one more header
            nets = f"src {src} dst {dst}" if row.transport else f"src {near} dst {far}"
            lines += [f"xfrm policy add {nets} dir {way}{templates}" for way in ways]
        return self.batch("\n".join(lines) + "\n")

    @staticmethod
    def parts(row, sender):
        """ESP is inside, so it comes first. AH's ICV is padded to 4 bytes in IPv4 (RFC 4302 3.3.3.2.1), the kernel's own way is 8."""
        if row.esp_cipher:
            name, length = CIPHERS[row.esp_cipher]
            text = f'enc {name} {"0x" + key(sender, "cipher", length) if length else chr(34) * 2}'
            if row.esp_hash:
                auth, length, bits = HASHES[row.esp_hash]
                text += f" auth-trunc {auth} 0x{key(sender, 'auth', length)} {bits}"
            yield "esp", text, ESP_SPI[sender]
        if row.ah:
            auth, length, bits = HASHES[row.ah]
            yield "ah", f"auth-trunc {auth} 0x{key(sender, 'ah', length)} {bits} flag align4", AH_SPI[sender]

    def check(self, row):
        """Every SA has carried packets, and found nothing wrong with them."""
        text = self.run("ip", "-s", "xfrm", "state").stdout
        packets = [int(n) for n in re.findall(r"lifetime current:\s+\d+\(bytes\), (\d+)\(packets\)", text)]
        wrong = re.findall(r"replay-window (\d+) replay (\d+) failed (\d+)", text)
        if len(packets) != 2 * (bool(row.esp_cipher) + bool(row.ah)) or min(packets, default=0) < 2:
            return f"SAs of the kernel counted {packets} packets"
        if any(replay != "0" or failed != "0" for _, replay, failed in wrong):
            return f"SAs of the kernel counted replays and failures: {wrong}"
        return None

    def clean(self):
        self.batch("xfrm state flush\nxfrm policy flush\n")
