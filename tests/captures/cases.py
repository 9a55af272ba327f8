"""The cases that an engineer studies, a row each: what both routers are told, what traffic starts them, and what to look at.

    hostA 192.168.1.10 -- R1 203.0.113.1 -- internet -- 198.51.100.2 R2 -- 192.168.2.10 hostB
"""
import dataclasses

OUTSIDE = {"R1": "203.0.113.1", "R2": "198.51.100.2"}
NETS = {"R1": "192.168.1.0", "R2": "192.168.2.0"}
HOSTS = {"R1": "192.168.1.10", "R2": "192.168.2.10"}
LISTS = {"R1": "SITE-B", "R2": "SITE-A"}
OTHER = {"R1": "R2", "R2": "R1"}
NAME = "r1.postern.example"

# Words of a transform-set: what they are in an ESP or AH proposal (RFC 2407 4.4.3, 4.4.4, 4.5; RFC 4868, RFC 3602).
ESP_CIPHERS = {"esp-aes 256": (12, 256), "esp-aes": (12, 128), "esp-3des": (3, None), "esp-gcm 256": (20, 256), "esp-null": (11, None)}
AUTHS = {"esp-sha-hmac": 2, "esp-sha256-hmac": 5, "esp-sha512-hmac": 7}
AH = {"ah-sha-hmac": (3, 2), "ah-sha256-hmac": (5, 5), "ah-sha512-hmac": (7, 7)}


def setup(router):
    """What holds for all cases, on top of the lab's configuration."""
    return ["logging buffered 1000000", "ip access-list extended ROUTERS", f"permit icmp host {OUTSIDE[router]} host {OUTSIDE[OTHER[router]]}", "exit"]


@dataclasses.dataclass(frozen=True)
class Case:
    name: str
    title: str
    transforms: tuple = ("esp-aes 256", "esp-sha256-hmac")
    transport: bool = False      # between the routers themselves; else between the hosts behind them
    pfs: int = 0                 # group
    aggressive: bool = False
    look: tuple = ()             # (display filter, which of its packets, what to look at)

    @property
    def ah(self):
        return next((t for t in self.transforms if t in AH), None)

    @property
    def cipher(self):
        return next((t for t in self.transforms if t in ESP_CIPHERS), None)

    @property
    def auth(self):
        return next((t for t in self.transforms if t in AUTHS), None)

    def lines(self, router):
        """The configuration, whatever the case before it was."""
        lines = [f"crypto ipsec transform-set TS {' '.join(self.transforms)}", f"mode {'transport' if self.transport else 'tunnel'}",
                 "exit", "crypto map VPN 10 ipsec-isakmp", f"match address {'ROUTERS' if self.transport else LISTS[router]}",
                 f"set pfs group{self.pfs}" if self.pfs else "no set pfs", "exit"]
        return lines + AGGRESSIVE[router][self.aggressive]


# R1 says its name in the first message, which lets R2 find the key for it; R2 answers as what it is by default.
AGGRESSIVE = {
    "R1": {True: [f"crypto isakmp peer address {OUTSIDE['R2']}", f"set aggressive-mode client-endpoint fqdn {NAME}",
                  "set aggressive-mode password postern-lab", "exit"],
           False: [f"no crypto isakmp peer address {OUTSIDE['R2']}"]},
    "R2": {True: [f"crypto isakmp key postern-lab hostname {NAME}"], False: [f"no crypto isakmp key postern-lab hostname {NAME}"]},
}

_MAIN = (
    ("isakmp.exchangetype == 2", 0, "the offer: one proposal (ISAKMP), transforms with cipher, hash, group, method, lifetime; vendor IDs. "
                                    "The responder's SPI (cookie) is zero"),
    ("isakmp.exchangetype == 2", 1, "the choice: one transform, unchanged; from here both cookies name the SA"),
    ("isakmp.exchangetype == 2", 2, "Diffie-Hellman value and nonce; NAT-D are hashes of the addresses: equal at the other end if no NAT is between"),
    ("isakmp.exchangetype == 2", 4, "encrypted (flag E): who the initiator is, and HASH_I, which proves that it has the pre-shared key; INITIAL-CONTACT"),
    ("isakmp.exchangetype == 2", 5, "the same of the responder: the ISAKMP SA stands"),
)
_AGGRESSIVE = (
    ("isakmp.exchangetype == 4", 0, "all at once: offer, Diffie-Hellman value, nonce and, readable for anybody, who the initiator is"),
    ("isakmp.exchangetype == 4", 1, "the choice, the other value and nonce, the responder's identity and HASH_R. Whoever has these two messages can try "
                                    "keys offline: that is why a pre-shared key must be strong here"),
    ("isakmp.exchangetype == 4", 2, "HASH_I, encrypted: the initiator has the key as well. Three messages instead of six"),
)
_QUICK = (
    ("isakmp.exchangetype == 32", 0, "quick mode, under phase 1's key and with a message ID of its own: HASH(1), the offer with the SPI that the "
                                     "initiator wants to receive with, nonce, and the two IDs: the traffic"),
    ("isakmp.exchangetype == 32", 1, "the choice with the responder's SPI, same IDs"),
    ("isakmp.exchangetype == 32", 2, "HASH(3): the initiator was really there"),
)
_ESP = (
    ("esp", 0, "SPI of the packet = SPI that R2 gave in quick mode; sequence number 1; ICV good. Inside, decrypted: {inside}"),
    ("esp", 1, "the answer, under the other direction's SPI; each direction counts its own sequence"),
)
_AH = (
    ("ah", 0, "nothing is encrypted: next header says what is inside ({inside}); SPI and sequence as in quick mode; the ICV covers the outer header too"),
    ("ah", 1, "the answer, under the other direction's SPI"),
)
_BOTH = (
    ("esp", 0, "AH outside, ESP inside: two SPIs, two sequence numbers, one packet. Inside, decrypted: {inside}"),
    ("esp", 1, "the answer, under the other direction's two SPIs"),
)
_MODE = (("isakmp.exchangetype == 32", 0, "the attribute Encapsulation-Mode says Transport, and the IDs are the routers' own addresses and ICMP: "
                                          "transport mode is for the traffic of the two ends"),)
_PAIR = (("isakmp.exchangetype == 32", 0, "two proposals with the same number, AH and ESP: the responder takes both or none; each has its SPI"),)
_TUNNEL, _TRANSPORT = "a whole IP packet between the hosts, which the wire does not show", "ICMP itself: the addresses outside are the ends'"


def _inside(look, inside):
    return tuple((f, n, text.format(inside=inside)) for f, n, text in look)


CASES = (
    Case("main-mode", "Main mode with a pre-shared key (RFC 2409, 5.4)", look=_MAIN),
    Case("aggressive-mode", "Aggressive mode with a pre-shared key (RFC 2409, 5.4)", aggressive=True, look=_AGGRESSIVE),
    Case("quick-mode", "Quick mode with PFS (RFC 2409, 5.5)", pfs=14,
         look=_QUICK[:1] + (("isakmp.exchangetype == 32", 0, "KE: a new Diffie-Hellman exchange, so that phase 1's key alone does not open this (PFS); "
                             "the group stands in the transform's attributes"),) + _QUICK[1:] + _inside(_ESP[:1], _TUNNEL)),
    Case("esp-tunnel", "ESP in tunnel mode (RFC 4303)", look=_QUICK + _inside(_ESP, _TUNNEL)),
    Case("esp-transport", "ESP in transport mode (RFC 4303)", transport=True, look=_MODE + _inside(_ESP, _TRANSPORT)),
    Case("ah-tunnel", "AH in tunnel mode (RFC 4302)", transforms=("ah-sha256-hmac",), look=_inside(_AH, "4: a whole IP packet, readable")),
    Case("ah-transport", "AH in transport mode (RFC 4302)", transforms=("ah-sha256-hmac",), transport=True,
         look=_MODE + _inside(_AH, "1: ICMP, readable")),
    Case("ah-esp-tunnel", "AH around ESP in tunnel mode (RFC 4301, 4.4.2.1 and appendix E)", transforms=("ah-sha-hmac", "esp-aes", "esp-sha256-hmac"),
         look=_PAIR + _inside(_BOTH, _TUNNEL)),
    Case("ah-esp-transport", "AH around ESP in transport mode (RFC 4301, 4.4.2.1)", transforms=("ah-sha-hmac", "esp-aes", "esp-sha256-hmac"),
         transport=True, look=_MODE + _PAIR + _inside(_BOTH, _TRANSPORT)),
)
