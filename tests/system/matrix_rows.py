"""The rows of the matrix: every encryption, hash and group of `crypto isakmp policy`, and every transform."""
from dataclasses import dataclass, replace
from typing import Optional

ESN = "extended sequence numbers"
PHASES = "encryption x hash x group, both phases"
ENCRYPTIONS = ["des", "3des", "aes", "aes 192", "aes 256"]
HASHES = ["md5", "sha", "sha256", "sha384", "sha512"]
GROUPS = ["1", "2", "5", "14", "15", "16", "19", "20", "21", "24"]
METHODS = {"psk": "pre-share", "rsa": "rsa-sig", "ec": "ecdsa-sig"}
AEADS = ["gcm", "gcm 192", "gcm 256", "gmac", "gmac 192", "gmac 256"]


@dataclass(frozen=True)
class Ike:
    """What the peer is configured with for IKE, beside the algorithms; R1's `authentication` follows `auth`."""
    auth: str = "psk"               # psk, rsa, ec
    certificate: str = ""           # one of Bench.certified's, if not the method's
    aggressive: bool = False
    fragmentation: bool = False
    key: str = "postern-lab"
    remote: str = "203.0.113.1"     # where R1 is seen
    dpd: int = 0                    # seconds
    life: int = 0                   # seconds of phase 2, when not its default
    drafts: bool = False            # of NAT traversal
    client: bool = False            # of XAUTH and Mode-Config


@dataclass(frozen=True)
class Row:
    encryption: str
    hash: str
    group: str
    esp_cipher: Optional[str]
    esp_hash: Optional[str]
    pfs: Optional[str] = None
    ah: Optional[str] = None
    transport: bool = False         # the traffic is that of the two gateways themselves
    esn: bool = False
    ike: Ike = Ike()
    of: Optional[str] = None        # the capability, where it is not the protection

    @property
    def capability(self):
        return self.of or f"{self.kind}, {'transport' if self.transport else 'tunnel'}"

    def lacks(self, peer, _role):
        return peer.lacks(self)

    def judge(self, bench, role):
        return bench.judge(self, role)

    def lines(self, site, own="203.0.113.1", other="198.51.100.2"):
        """A Postern's configuration; `site` is its list of what passes between the sites."""
        return ["configure terminal", "crypto isakmp policy 10", f"encryption {self.encryption}", f"hash {self.hash}",
                f"authentication {METHODS[self.ike.auth]}", f"group {self.group}", "exit", f"crypto ipsec transform-set TS {self.transform}",
                f"mode {'transport' if self.transport else 'tunnel'}", "esn" if self.esn else "no esn", "exit",
                "ip access-list extended ENDS", f"10 permit ip host {own} host {other}", "exit", "crypto map VPN 10",
                f"match address {'ENDS' if self.transport else site}", f"set pfs group{self.pfs}" if self.pfs else "no set pfs"]

    @property
    def kind(self):
        return "+".join(word for word, there in (("AH", self.ah), ("ESP", self.esp_cipher)) if there)

    @property
    def transform(self):
        words = [f"ah-{mac(self.ah)}"] if self.ah else []
        words += [f"esp-{self.esp_cipher}"] if self.esp_cipher else []
        words += [f"esp-{mac(self.esp_hash)}"] if self.esp_hash else []
        return " ".join(words)

    @property
    def name(self):
        pfs = f" pfs group{self.pfs}" if self.pfs else ""
        mode = " transport" if self.transport else ""
        return f"{self.encryption}/{self.hash}/group{self.group} {self.transform}{mode}{' esn' if self.esn else ''}{pfs}"


def mac(word):
    return f"{word}-mac" if word == "aes-xcbc" else f"{word}-hmac"


def product():
    """Encryption x hash x group in both phases: the same three in ESP, the group for PFS, too."""
    rows = [Row(e, h, g, e, h, g, of=PHASES) for e in ENCRYPTIONS for h in HASHES for g in GROUPS]
    rows += [Row("aes 256", "sha256", "19", aead, None) for aead in AEADS]
    rows += [Row("aes", "sha", "14", "null", h) for h in HASHES]
    return rows + protections()


ESP_KINDS = [("des", "md5"), ("3des", "sha"), ("aes", "sha"), ("aes 192", "sha384"), ("aes 256", "sha256"), ("aes 256", "sha512"),
             ("aes", "aes-xcbc"), ("gcm", None), ("gcm 192", None), ("gcm 256", None), ("gmac", None), ("gmac 192", None), ("gmac 256", None),
             ("aes-ctr", "sha"), ("aes-ctr 192", "sha512"), ("aes-ctr 256", "sha256"), ("aes-ctr", "aes-xcbc"),
             ("camellia", "sha"), ("camellia 192", "md5"), ("camellia 256", "sha256"), ("camellia", "aes-xcbc"),
             ("null", "sha256"), ("null", "aes-xcbc")]
AH_KINDS = HASHES + ["aes-xcbc"]
BOTH_KINDS = [("sha", "aes", None), ("sha256", "aes", "sha"), ("md5", "gcm 256", None), ("sha512", "3des", "md5"),
              ("sha384", "camellia 256", "sha384"), ("aes-xcbc", "aes-ctr", "sha")]
ESN_KINDS = [("aes", "sha256", None), ("gcm 256", None, None), ("null", "sha512", None), (None, None, "sha"), (None, None, "sha256"),
             ("aes", "sha", "sha256")]


def protections():
    """{ESP, AH, AH+ESP} x {tunnel, transport} x algorithms, and extended sequence numbers, under one phase 1."""
    def row(**kinds):
        return Row("aes 256", "sha256", "14", **{"esp_cipher": None, "esp_hash": None, **kinds})
    rows = []
    for transport in (False, True):
        rows += [row(esp_cipher=cipher, esp_hash=auth, transport=transport) for cipher, auth in ESP_KINDS]
        rows += [row(ah=ah, transport=transport) for ah in AH_KINDS]
        rows += [row(ah=ah, esp_cipher=cipher, esp_hash=auth, transport=transport) for ah, cipher, auth in BOTH_KINDS]
    for transport in (False, True):
        rows += [row(esp_cipher=cipher, esp_hash=auth, ah=ah, transport=transport, esn=True, of=ESN) for cipher, auth, ah in ESN_KINDS]
    return rows


def protections_slice():
    """What a guest runs of them in a test run: each kind in each mode."""
    wanted = ("esp-aes-ctr 256", "ah-sha256-hmac", "ah-sha-hmac esp-aes", "ah-sha-hmac")
    rows, seen = [], set()
    for row in protections():
        if row.transform.startswith(wanted) and (row.kind, row.transport) not in seen:
            seen.add((row.kind, row.transport))
            rows.append(row)
    return rows


def without_ecp_pfs(rows):
    """For a peer that has the elliptic curves in phase 1 only."""
    return [replace(row, pfs=None) if row.pfs in ("19", "20", "21") else row for row in rows]


def diagonal(count, first=0):
    """`count` rows that have every encryption, hash and group among them, as far as `count` goes; some with PFS."""
    rows = []
    for i in range(first, first + count):
        esp, esp_hash = ENCRYPTIONS[(i + 2) % 5], HASHES[(i * 2 + 1) % 5]
        if i % 4 == 3:
            esp, esp_hash = AEADS[i // 4 % 3], None
        rows.append(Row(ENCRYPTIONS[i % 5], HASHES[(i + i // 5) % 5], GROUPS[i % 10], esp, esp_hash, GROUPS[(i + 3) % 10] if i % 2 else None, of=PHASES))
    return rows


# What a guest in the slice runs: libreswan has no DES, no groups 1, 2 and 24.
LIBRESWAN_SLICE = [
    Row("aes 256", "sha256", "14", "aes 256", "sha256", "14", of=PHASES),
    Row("3des", "sha", "5", "3des", "sha", of=PHASES),
    Row("aes", "sha512", "19", "gcm 256", None, "15", of=PHASES),
]


def rows_of(kind, only_slice):
    if not only_slice:
        return without_ecp_pfs(product()) if kind == "libreswan" else product()
    return {"native": diagonal(12), "strongswan-kernel": diagonal(4, 2), "libreswan": LIBRESWAN_SLICE,
            "postern": diagonal(4, 2)}[kind] + protections_slice()
