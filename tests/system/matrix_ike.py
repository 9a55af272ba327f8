"""The matrix's rows of IKE: what phase 1 and phase 2 can do, each a configuration of both ends and what the wire and the screens must
say. A further capability is one more Case in CASES.
"""
import re
from dataclasses import dataclass, field, replace
from typing import Callable, Optional

from matrix_bench import refused, spis, wait
from matrix_rows import Ike, Row
from matrix_table import ROLES

R1, R2, HOST = "203.0.113.1", "198.51.100.2", "192.168.2.10"
R1_OUTSIDE, R2_OUTSIDE = "192.0.2.1", "192.0.2.129"             # what a NAT makes of them
MAIN, AGGRESSIVE, TRANSACTION, QUICK = "2", "4", "6", "32"
DELETE, FRAGMENT, NAT_D, NAT_D_DRAFT = 12, 132, 20, 130         # payloads
RESPONDER_LIFETIME, INITIAL_CONTACT, R_U_THERE, R_U_THERE_ACK = 24576, 24578, 36136, 36137
BASE = Row("aes 256", "sha256", "14", "aes 256", "sha256")


def with_ike(row=BASE, **settings):
    return replace(row, ike=Ike(**settings))


@dataclass(frozen=True)
class Case:
    capability: str
    name: str
    check: Callable                     # (bench, role, wire): why it fails, or None; runs while the capture does
    row: Row = BASE                     # what both ends have
    theirs: Optional[Row] = None        # where the peer has something else
    lines: tuple = ()                   # R1's, after the row's own
    undo: tuple = ()
    path: str = ""                      # the internet, one of PATHS
    passes: bool = True
    roles: tuple = ROLES
    tried: tuple = ("initiator",)       # the roles of a test run with the native peer
    absent: dict = field(default_factory=dict)          # (peer, role), (peer, None) or (None, role): the reason

    def lacks(self, peer, role):
        for key in ((peer.name, role), (peer.name, None), (None, role)):
            if key in self.absent:
                return self.absent[key]
        return peer.lacks_ike(self.theirs or self.row) or peer.lacks(self.row)

    def judge(self, bench, role):
        wrong = bench.certified() if self.row.ike.auth != "psk" else None
        wrong = wrong or bench.peer.load(self.theirs or self.row) or bench.configure(self.row)
        try:
            wrong = wrong or refused(bench.console("configure terminal", *self.lines, "end", "clear crypto session", "clear logging", ""))
            bench.path(self.path)
            bench.counters()
            with bench.capture() as wire:
                return wrong or self.run(bench, role, wire)
        finally:
            bench.path("")
            bench.console("configure terminal", *self.undo, "end")

    def run(self, bench, role, wire):
        if role == "initiator":
            wrong = bench.peer.initiate()
            if wrong and self.passes:
                return f"{wrong}; R1: {bench.why()}"
        if self.passes:
            got = bench.ping(self.row, limit=45, to=self.target(bench))
            if got < 2:
                return f"{got} pings came back; {bench.why()}"
        elif role == "responder":
            bench.ping(self.row, count=1, limit=4)
        wrong = self.check(bench, role, wire)
        seen = bench.counters()
        if seen["clear"]:
            return f"in clear on the wire: {seen}"
        if not self.passes and seen["udp"] + seen["esp"]:
            return f"ESP on the wire: {seen}"
        return wrong or (bench.shown() if self.passes and self.check not in ENDS else None)

    def target(self, bench):
        """hostB, or the address that R1 has given the client."""
        given = re.search(r"Assigned address: (\S+)", bench.console("show crypto session")) if self.row.ike.client else None
        return given.group(1) if given else HOST


def source(role):
    """Who begins."""
    return R2 if role == "initiator" else R1


def mode(exchange, short):
    """Phase 1 is this exchange from its first message on, quick mode comes after it, R1 shows the authentication."""
    def check(bench, role, wire):
        seen = [line for line in wire.messages() if line[1] in (MAIN, AGGRESSIVE, QUICK)]
        if not seen or tuple(seen[0]) != (source(role), exchange) or {one for _, one in seen} != {exchange, QUICK}:
            return f"exchanges on the wire: {seen[:10]}"
        screen = bench.console("show crypto isakmp sa detail")
        return None if re.search(rf"aes\s+sha256\s+{short}", screen) else f"R1 shows {screen[-300:]}"
    return check


def chained(bench, role, wire):
    if not wait(lambda: any(len(line[0].split(",")) >= 2 for line in wire.rows(f"isakmp.cert.encoding && ip.src=={R2}", "isakmp.cert.encoding")), 10):
        return "R2 did not send two certificates"
    return mode(MAIN, "rsig")(bench, role, wire)


def fragmented(bench, role, wire):
    """The internet link drops what is longer than 1,300 bytes, and IP's own fragments."""
    for end in (R1, R2):
        if not wire.rows(f"isakmp.nextpayload == {FRAGMENT} && ip.src=={end}", "frame.number"):
            return f"no IKE fragment of {end} on the wire"
    return None


def translated(bench, role, wire):
    screen = bench.console("show crypto isakmp sa detail")
    if not re.search(r"ACTIVE.* D?N", screen):
        return f"R1 shows no NAT: {screen[-300:]}"
    seen = bench.counters()
    if seen["udp"] < 2 or seen["esp"]:
        return f"on the wire: {seen}"
    payload = wire.rows(f"isakmp.typepayload == {NAT_D}", "frame.number")
    return None if payload else "no NAT-D of RFC 3947 on the wire"


def drafted(bench, role, wire):
    if wire.rows(f"isakmp.typepayload == {NAT_D}", "frame.number") or not wire.rows(f"isakmp.typepayload == {NAT_D_DRAFT}", "frame.number"):
        return "NAT-D on the wire is not the drafts'"
    return None if bench.counters()["udp"] >= 2 else "no ESP in UDP on the wire"


def notified(wire, number, end):
    return wire.rows(f"isakmp.notify.msgtype == {number} && ip.src=={end}", "frame.number")


def watched(bench, role, wire):
    """As responder the peer dies; as initiator it asks."""
    if role == "initiator":
        if wait(lambda: notified(wire, R_U_THERE, R2) and notified(wire, R_U_THERE_ACK, R1), 60):
            return None
        return "no R-U-THERE of R2 with R1's answer on the wire"
    bench.peer.kill() if hasattr(bench.peer, "kill") else bench.path("cut")
    try:
        if not wait(lambda: "IKMP_PEER_DEAD" in bench.console("show logging"), 90):
            return "R1 has not found the dead peer"
    finally:
        bench.path("")
    if re.search("QM_IDLE.*ACTIVE", bench.console("show crypto isakmp sa")):
        return "R1 shows an IKE SA with the dead peer"
    return None if notified(wire, R_U_THERE, R1) else "no R-U-THERE of R1 on the wire"


def perfect(there):
    def check(bench, role, wire):
        keys = wire.rows(f"isakmp.exchangetype == {QUICK} && isakmp.typepayload == 4", "frame.number")
        opened = wire.rows(f"isakmp.exchangetype == {QUICK} && isakmp.typepayload == 10", "frame.number")
        if len(opened) < 2 or bool(keys) != there:
            return f"quick mode on the wire: {len(opened)} nonces, {len(keys)} public values"
        shown = "PFS (Y/N): " + ("Y" if there else "N")
        return None if shown in bench.console("show crypto ipsec sa") else f"R1 does not show {shown}"
    return check


def logged(pattern):
    def check(bench, _role, _wire):
        return None if wait(lambda: re.search(pattern, bench.console("show logging")), 60) else f"R1's log: {bench.why()}"
    return check


def quick_modes(wire):
    """The first sender of each quick mode."""
    first = {}
    for end, number in wire.rows(f"isakmp.exchangetype == {QUICK}", "ip.src", "isakmp.messageid"):
        first.setdefault(number, end)
    return list(first.values())


def rekeyed_pair(bench, role, wire):
    before = len(quick_modes(wire))
    if role == "initiator":
        bench.peer.rekey()
    again = lambda: source(role) in quick_modes(wire)[before:]       # noqa: E731
    for _ in range(12):
        if again():
            break
        bench.volume()
    if not wait(again, 20):
        return f"quick modes on the wire, by who began: {quick_modes(wire)}"
    return None if bench.ping(BASE) >= 2 else "no pings after the renewal"


def phase_ones(wire):
    """The first sender of each main mode."""
    first = {}
    for end, cookie in wire.rows(f"isakmp.exchangetype == {MAIN}", "ip.src", "isakmp.ispi"):
        first.setdefault(cookie, end)
    return list(first.values())


def rekeyed_ike(bench, role, wire):
    before = len(phase_ones(wire))
    if role == "initiator":
        bench.peer.rekey_ike()
    if not wait(lambda: source(role) in phase_ones(wire)[before:], 110):
        return f"main modes on the wire, by who began: {phase_ones(wire)}"
    return None if bench.ping(BASE) >= 2 else "no pings after the renewal"


def deleted(bench, role, wire):
    if role == "initiator":
        bench.peer.terminate()
        gone = wait(lambda: not spis(bench.console("show crypto ipsec sa")), 30)
    else:
        bench.console("clear crypto session")
        gone = wait(lambda: not bench.peer.established(), 30)
    if not gone:
        return "the other end kept its SAs"
    return None if wire.rows(f"isakmp.typepayload == {DELETE} && ip.src=={source(role)}", "frame.number") else "no DELETE on the wire"


def contacted(bench, role, wire):
    """The one who begins has lost everything and begins again: the other's old SA goes."""
    if role == "initiator":
        bench.forget()
        wrong = bench.peer.load(BASE) or bench.peer.initiate()
        if wrong:
            return wrong
        alone = lambda: len(re.findall("QM_IDLE.*ACTIVE", bench.console("show crypto isakmp sa"))) == 1      # noqa: E731
    else:
        bench.forget_r1()
        if bench.ping(BASE, limit=45) < 2:
            return f"no second tunnel; {bench.why()}"
        alone = lambda: bench.peer.established() == 1      # noqa: E731
    if not wait(alone, 30):
        return "the other end still has the old IKE SA"
    return None if notified(wire, INITIAL_CONTACT, source(role)) else "no INITIAL-CONTACT on the wire"


def shortened(bench, role, wire):
    """The responder's lifetime is the shorter one: it says so, and both keep to it."""
    answerer = R1 if role == "initiator" else R2
    if not notified(wire, RESPONDER_LIFETIME, answerer):
        return f"no RESPONDER-LIFETIME of {answerer} on the wire"
    left = [int(one) for one in re.findall(r"remaining key lifetime \(k/sec\): \(\d+/(\d+)\)", bench.console("show crypto ipsec sa"))]
    return None if left and max(left) <= 600 else f"R1 shows {left} s left"


def served(bench, role, wire):
    screen = bench.console("show crypto session")
    if "Username: alice" not in screen or "Assigned address: 10.10.0." not in screen:
        return f"R1 shows {screen[-400:]}"
    return None if wire.rows(f"isakmp.exchangetype == {TRANSACTION} && isakmp.cfg.type == 2 && ip.src=={R2}", "frame.number") else "no reply of Mode-Config"


ENDS = (deleted, watched, served)          # checks that leave no SA, or another one than a site's
CERTIFIED = {"rsa": "rsig", "ec": "ecds"}
BEGIN = ("crypto isakmp peer address 198.51.100.2", "set aggressive-mode client-endpoint ipv4-address 203.0.113.1")
NO_BEGIN = ("no crypto isakmp peer address 198.51.100.2",)
SERVER = ("aaa new-model", "aaa authentication login USERS local", "aaa authorization network GROUPS local", "username alice secret wonder",
          "ip local pool CLIENTS 10.10.0.1 10.10.0.20", "crypto isakmp client configuration group default", "pool CLIENTS", "exit",
          "crypto dynamic-map ROAD 10", "set transform-set TS", "exit", "crypto map VPN client authentication list USERS",
          "crypto map VPN isakmp authorization list GROUPS", "crypto map VPN client configuration address respond",
          "crypto map VPN 100 ipsec-isakmp dynamic ROAD", "no crypto map VPN 10")
NO_SERVER = ("crypto map VPN 10 ipsec-isakmp", "set peer 198.51.100.2", "set transform-set TS", "match address SITE-B", "exit",
             "no crypto map VPN 100", "no crypto map VPN client authentication list USERS",
             "no crypto map VPN isakmp authorization list GROUPS", "no crypto map VPN client configuration address respond",
             "no crypto dynamic-map ROAD 10", "no crypto isakmp client configuration group default", "no ip local pool CLIENTS",
             "no username alice", "no aaa authentication login USERS", "no aaa authorization network GROUPS", "no aaa new-model")
NAT_PEER = ("crypto isakmp key postern-lab address 192.0.2.129", "crypto map VPN 10", "no set peer 198.51.100.2", "set peer 192.0.2.129")
NO_NAT_PEER = ("crypto map VPN 10", "no set peer 192.0.2.129", "set peer 198.51.100.2", "exit",
               "no crypto isakmp key postern-lab address 192.0.2.129")
SHORT = ("crypto ipsec security-association lifetime seconds 600",)
NO_QUICK = r"%CRYPTO-\d-IKMP_(MODE_FAILURE.*Quick|NO_TRANSFORM)"
NO_DRAFTS = "always announces RFC 3947, which comes before the drafts"

CASES = [Case("main mode, pre-shared key", "main mode psk", mode(MAIN, "psk"))]
CASES += [Case(f"main mode, {word} signatures", f"main mode {auth}", mode(MAIN, short), with_ike(auth=auth))
          for auth, word, short in (("rsa", "RSA", "rsig"), ("ec", "ECDSA", "ecds"))]
CASES += [Case("aggressive mode, pre-shared key", "aggressive mode psk", mode(AGGRESSIVE, "psk"), with_ike(aggressive=True),
               lines=(*BEGIN, "set aggressive-mode password postern-lab"), undo=NO_BEGIN)]
CASES += [Case(f"aggressive mode, {word} signatures", f"aggressive mode {auth}", mode(AGGRESSIVE, short), with_ike(auth=auth, aggressive=True),
               lines=BEGIN, undo=NO_BEGIN) for auth, word, short in (("rsa", "RSA", "rsig"), ("ec", "ECDSA", "ecds"))]
CASES += [
    Case("certificate chain with an intermediate", "chain rsa", chained, with_ike(auth="rsa", certificate="chain")),
    Case("IKE fragmentation", "fragmentation rsa", fragmented, with_ike(auth="rsa", certificate="big", fragmentation=True),
         lines=("crypto isakmp fragmentation",), undo=("no crypto isakmp fragmentation",), path="narrow"),
    Case("NAT traversal, RFC 3947", "nat before R1", translated, with_ike(remote=R1_OUTSIDE), path="r1", tried=()),
    Case("NAT traversal, RFC 3947", "nat before R2", translated, lines=NAT_PEER, undo=NO_NAT_PEER, path="r2", tried=()),
    Case("NAT traversal, RFC 3947", "nat before both", translated, with_ike(remote=R1_OUTSIDE), lines=NAT_PEER, undo=NO_NAT_PEER, path="both"),
    Case("NAT traversal, drafts 02 and 03", "nat drafts", drafted, with_ike(remote=R1_OUTSIDE, drafts=True), path="r1",
         absent={("strongswan", None): f"strongSwan {NO_DRAFTS}", ("postern", None): f"Postern {NO_DRAFTS}",
                 ("libreswan", "responder"): "libreswan 4.10 keeps to the drafts as initiator only; as responder it answers with RFC 3947"}),
    Case("dead peer detection", "dpd", watched, with_ike(dpd=3), lines=("crypto isakmp keepalive 10 2 periodic",),
         undo=("no crypto isakmp keepalive",)),
    Case("PFS: on, off, another group refused", "pfs on", perfect(True), replace(BASE, pfs="14")),
    Case("PFS: on, off, another group refused", "pfs off", perfect(False), tried=()),
    Case("PFS: on, off, another group refused", "pfs of a weaker group", logged(NO_QUICK), replace(BASE, pfs="14"),
         theirs=replace(BASE, pfs="15"), passes=False, roles=("responder",), tried=("responder",),
         absent={("libreswan", "responder"): "libreswan 4.10 takes any group that is offered"}),
    Case("PFS: on, off, another group refused", "pfs of a weaker group offered", logged(NO_QUICK), replace(BASE, pfs="14"),
         theirs=replace(BASE, pfs="5"), passes=False, roles=("initiator",)),
    Case("rekeying of phase 1", "rekey phase 1", rekeyed_ike, lines=("crypto isakmp policy 10", "lifetime 60"),
         undo=("crypto isakmp policy 10", "lifetime 86400")),
    Case("rekeying of phase 2", "rekey phase 2", rekeyed_pair, lines=("crypto ipsec security-association lifetime kilobytes 2560",),
         undo=("no crypto ipsec security-association lifetime kilobytes",)),
    Case("DELETE", "delete", deleted),
    Case("INITIAL-CONTACT", "initial contact", contacted),
    Case("lifetimes, RESPONDER-LIFETIME", "shorter lifetime of R1", shortened, lines=SHORT, roles=("initiator",),
         undo=("no crypto ipsec security-association lifetime seconds",)),
    Case("lifetimes, RESPONDER-LIFETIME", "shorter lifetime of R2", shortened, theirs=with_ike(life=600), roles=("responder",),
         absent={("strongswan", None): "strongSwan 5.9 sends no RESPONDER-LIFETIME", ("libreswan", None): "libreswan 4.10 sends no RESPONDER-LIFETIME"}),
    Case("XAUTH and Mode-Config", "xauth", served, with_ike(client=True), lines=SERVER, undo=NO_SERVER,
         absent={(None, "responder"): "Postern is the server, not the client", ("postern", None): "Postern is the server, not the client"}),
    Case("several peers and keys", "second peer of an entry", mode(MAIN, "psk"),
         lines=("crypto isakmp key other-key address 198.51.100.9", "crypto map VPN 10", "no set peer 198.51.100.2", "set peer 198.51.100.9",
                "set peer 198.51.100.2"),
         undo=("crypto map VPN 10", "no set peer 198.51.100.9", "exit", "no crypto isakmp key other-key address 198.51.100.9"), tried=()),
    Case("several peers and keys", "most specific key", mode(MAIN, "psk"), lines=("crypto isakmp key other-key address 198.51.100.0 255.255.255.0",),
         undo=("no crypto isakmp key other-key address 198.51.100.0",)),
    Case("invalid key refused", "invalid key", logged(r"%CRYPTO-\d-IKMP_"), theirs=with_ike(key="another-key"), passes=False),
]


# What a test run asks libreswan, in its guest: what the native peer does not have, or does otherwise.
LIBRESWAN_TRIED = ("nat drafts", "aggressive mode rsa")


def rows_of(kind, only_slice):
    if not only_slice:
        return CASES
    if kind == "native":
        return [replace(case, roles=tuple(role for role in case.roles if role in case.tried)) for case in CASES if case.tried]
    return [case for case in CASES if kind == "libreswan" and case.name in LIBRESWAN_TRIED]
