"""What a capture says, in the terms in which the router's shows and log lines are to say it."""
import ipaddress

from cases import OTHER, OUTSIDE
from wire import Wire

IKE_CIPHERS = {"7": "aes", "5": "3des", "1": "des"}
IKE_HASHES = {"1": "md5", "2": "sha", "4": "sha256", "5": "sha384", "6": "sha512"}
IKE_METHODS = {"1": "psk", "3": "rsig"}
IKE_GROUPS = {"1": "1", "2": "2", "5": "5", "14": "14", "19": "19", "20": "20"}
# Transform of an ESP proposal with its key length -> word of show, word of debug, IV bytes.
ESP_WORDS = {("12", "256"): ("esp-256-aes", "esp-aes 256", 16), ("12", "128"): ("esp-aes", "esp-aes", 16), ("3", None): ("esp-3des", "esp-3des", 8),
             ("20", "256"): ("esp-gcm 256", "esp-gcm 256", 8), ("11", None): ("esp-null", "esp-null", 0)}
AUTH_WORDS = {"1": "md5-hmac", "2": "sha-hmac", "5": "sha256-hmac", "6": "sha384-hmac", "7": "sha512-hmac"}
PROTOCOLS = {"2": "ah", "3": "esp"}
ENCAPSULATION = {"1": "Tunnel", "2": "Transport"}


class Facts:
    def __init__(self, shot):
        self.case, self.wire = shot.case, Wire(shot.path)
        self.phase_1 = self.wire.messages(4 if shot.case.aggressive else 2)
        self.quick = self.wire.messages(32)
        self.messages = sorted(self.phase_1 + self.quick, key=lambda m: int(m["frame.number"][0]))
        self.packets = self.wire.rows("(ah || esp) && !isakmp", "ip.src", "ip.dst", "ah.spi", "esp.spi", "ah.sequence", "esp.sequence")
        self.offer, self.choice = self.quick[0], self.quick[1]

    def proposals(self, message):
        """(protocol, transform words of show, of debug, mode, SPI of who sent it, IV bytes) of each proposal."""
        made, auths, keys = [], list(message["isakmp.ipsec.attr.auth_algorithm"]), list(message["isakmp.ipsec.attr.key_length"])
        for i, protocol in enumerate(message["isakmp.prop.protoid"]):
            transform = message["isakmp.trans.id"][i]
            spi = int(message["isakmp.spi"][i], 16)
            if PROTOCOLS[protocol] == "ah":
                shown = said = "ah-" + AUTH_WORDS[auths.pop(0)]
                iv = None
            else:
                key = keys.pop(0) if transform in ("12", "20") else None
                shown, said, iv = ESP_WORDS[transform, key]
                if auths:
                    word = "esp-" + AUTH_WORDS[auths.pop(0)]
                    shown, said = f"{shown} {word}", f"{said} {word}"
            made.append((PROTOCOLS[protocol], shown, said, ENCAPSULATION[message["isakmp.ipsec.attr.encap_mode"][i]], spi, iv))
        return made

    def inbound(self, router):
        """The SAs that `router` receives with: it gave their SPIs."""
        return self.proposals(self.offer if self.offer["ip.src"][0] == OUTSIDE[router] else self.choice)

    def outbound(self, router):
        return self.inbound(OTHER[router])

    def sent(self, router):
        return sum(src[0] == OUTSIDE[router] for src, *_ in self.packets)

    def ident(self, router):
        """The ID payload of `router`'s side: address, mask, protocol, port."""
        mine = 0 if self.offer["ip.src"][0] == OUTSIDE[router] else 1
        subnet = self.offer["isakmp.id.type"][mine] == "4"
        if subnet:
            # For a subnet the address field has the network, the subnet field the mask.
            address, mask = self.offer["isakmp.id.data.ipv4_addr"][mine], self.offer["isakmp.id.data.ipv4_subnet"][mine]
        else:
            address, mask = self.offer["isakmp.id.data.ipv4_addr"][mine], "255.255.255.255"
        assert ipaddress.ip_address(address)
        return address, mask, self.offer["isakmp.id.protoid"][mine], self.offer["isakmp.id.port"][mine]

    def plaintext_mtu(self, path_mtu=1500):
        """The longest clear packet that fits the path, by what one packet of the capture became longer; padding goes to whole blocks."""
        lengths, pad = self.wire.rows("(ah || esp) && icmp", "ip.len", "esp.pad_len")[0]
        outer = int(lengths[0])
        clear = 100 if self.case.transport else int(lengths[1])      # the router's own pings are of 100 bytes
        if not self.case.cipher:
            return path_mtu - (outer - clear)
        iv = next(sa[5] for sa in self.outbound("R1") if sa[0] == "esp")
        added, block = outer - clear - int(pad[0]), 4 if "gcm" in self.case.cipher else max(4, iv)
        sealed = 20 if self.case.transport else 0                    # the IP header stays outside
        assert (clear - sealed + 2 + int(pad[0])) % block == 0
        return max(n for n in range(path_mtu) if n + added + -(n - sealed + 2) % block <= path_mtu)

    def phase_1_identity(self, router):
        """What `router` said it is, once decrypted; None if phase 1 is older than the capture."""
        for m in self.phase_1:
            if m["ip.src"][0] == OUTSIDE[router] and m["isakmp.id.type"]:
                return (m["isakmp.id.data.ipv4_addr"] or m["isakmp.id.data.fqdn"])[0]
        return None
