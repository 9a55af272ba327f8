"""The rows of the matrix: every encryption, hash and group of `crypto isakmp policy`, and every transform."""
from dataclasses import dataclass, replace
from typing import Optional

ENCRYPTIONS = ["des", "3des", "aes", "aes 192", "aes 256"]
HASHES = ["md5", "sha", "sha256", "sha384", "sha512"]
GROUPS = ["1", "2", "5", "14", "15", "16", "19", "20", "21", "24"]
AEADS = ["gcm", "gcm 192", "gcm 256", "gmac", "gmac 192", "gmac 256"]


@dataclass(frozen=True)
class Row:
    encryption: str
    hash: str
    group: str
    esp_cipher: str
    esp_hash: Optional[str]
    pfs: Optional[str] = None

    @property
    def transform(self):
        return f"esp-{self.esp_cipher}" + (f" esp-{self.esp_hash}-hmac" if self.esp_hash else "")

    @property
    def name(self):
        pfs = f" pfs group{self.pfs}" if self.pfs else ""
        return f"{self.encryption}/{self.hash}/group{self.group} {self.transform}{pfs}"


def product():
    """Encryption x hash x group in both phases: the same three in ESP, the group for PFS, too."""
    rows = [Row(e, h, g, e, h, g) for e in ENCRYPTIONS for h in HASHES for g in GROUPS]
    rows += [Row("aes 256", "sha256", "19", aead, None) for aead in AEADS]
    rows += [Row("aes", "sha", "14", "null", h) for h in HASHES]
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
        rows.append(Row(ENCRYPTIONS[i % 5], HASHES[(i + i // 5) % 5], GROUPS[i % 10], esp, esp_hash, GROUPS[(i + 3) % 10] if i % 2 else None))
    return rows


# What a guest in the slice runs: libreswan has no DES, no groups 1, 2 and 24.
LIBRESWAN_SLICE = [
    Row("aes 256", "sha256", "14", "aes 256", "sha256", "14"),
    Row("3des", "sha", "5", "3des", "sha"),
    Row("aes", "sha512", "19", "gcm 256", None, "15"),
]
