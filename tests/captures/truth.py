"""Shows and log lines of a router, each value of them beside what the capture says.

A row is a pattern and what all its matches have to be. A value that is to lie in a range is a Near. That every value is really
looked at is tested by falsifying each of them in turn (falsified())."""
import re

from cases import OTHER, OUTSIDE
from facts import ENCAPSULATION, IKE_CIPHERS, IKE_GROUPS, IKE_HASHES, IKE_METHODS

SHOWN = 64       # digits of a payload that debug shows
PROTO_NUMBERS = {"ah": "51", "esp": "50"}


class Near:
    """A number that has run down from `most`."""
    def __init__(self, most, run):
        self.most, self.run = most, run

    def __eq__(self, other):
        return other.isdigit() and self.most - self.run <= int(other) <= self.most

    def __repr__(self):
        return f"{self.most} or up to {self.run} less"


class Clock(Near):
    def __eq__(self, other):
        found = re.fullmatch(r"(\d\d):(\d\d):(\d\d)", other)
        return bool(found) and super().__eq__(str(sum(int(n) * u for n, u in zip(found.groups(), (3600, 60, 1)))))


def compare(rows, text):
    """What is not true: (pattern, what is said, what it should be)."""
    wrong = []
    for pattern, wanted in rows:
        said = [m.groups() for m in re.finditer(pattern, text, re.M)]
        if len(said) != len(wanted) or any(list(w) != list(s) for s, w in zip(said, wanted)):
            wrong.append((pattern, said, wanted))
    return wrong


def falsified(rows, text):
    """The text with one value changed, for every value that some row looks at."""
    for pattern, _ in rows:
        for m in re.finditer(pattern, text, re.M):
            for i, value in enumerate(m.groups(), 1):
                if value:
                    yield value, text[:m.start(i)] + false(value) + text[m.end(i):]


def false(value):
    """Another value of the same kind: the last digit or letter is another one."""
    at = max(i for i, c in enumerate(value) if c.isalnum())
    c = value[at]
    if ":" in value:
        return ("1" if value[0] != "1" else "2") + value[1:]
    if value.isdigit():
        return value[:-1] + "1" + ("0" if c == "1" else "1")
    return value[:at] + ("1" if c == "0" else "0" if c in "123456789abcdefABCDEF" else "x" if c != "x" else "y") + value[at + 1:]


def isakmp_detail(f, router):
    sa = next(m for m in f.phase_1 if m["ip.src"][0] == OUTSIDE["R2"] and m["isakmp.ike.attr.life_duration"])
    attr = {k.rsplit(".", 1)[1]: v[0] for k, v in sa.items() if k.startswith("isakmp.ike.attr.") and v}
    return [(r"^\d+ +(\S+) +(\S+) +ACTIVE (\S+) +(\S+) +(\S+) +(\d+) (\S+)", [(
        OUTSIDE[router], OUTSIDE[OTHER[router]], IKE_CIPHERS[attr["encryption_algorithm"]], IKE_HASHES[attr["hash_algorithm"]],
        IKE_METHODS[attr["authentication_method"]], IKE_GROUPS[attr["group_description"]], Clock(int(attr["life_duration"]), 600))])]


def isakmp_brief(f, router):
    # As on IOS, dst is the responder at both ends.
    first = f.phase_1[0]
    return [(r"^(\S+) +(\S+) +(\w+) +\d+ ACTIVE$", [(first["ip.dst"][0], first["ip.src"][0], "QM_IDLE")])]


def session(f, router):
    me, other = OUTSIDE[router], OUTSIDE[OTHER[router]]
    port = f.messages[-1]["udp.dstport"][0]
    local, remote = f.ident(router), f.ident(OTHER[router])
    names = {"0": "ip", "1": "1"}
    return [(r"^Peer: (\S+) port (\d+)", [(other, port)]),
            (r"IKEv1 SA: local (\S+)/(\d+) remote (\S+)/(\d+) Active", [(me, port, other, port)]),
            (r"IPSEC FLOW: permit (\S+) +(?:host )?([\d.]+)(?:/([\d.]+))? +(?:host )?([\d.]+)(?:/([\d.]+))?",
             [(names[local[2]], *side(local), *side(remote))]),
            (r"Active SAs: (\d+), origin", [(str(2 * len(f.inbound(router))),)])]


def side(ident):
    return (ident[0], None) if ident[1] == "255.255.255.255" else ident[:2]


def ipsec(f, router):
    me, other = OUTSIDE[router], OUTSIDE[OTHER[router]]
    sent, received = f.sent(router), f.sent(OTHER[router])
    sas = f.inbound(router) + f.outbound(router)
    both = [sa for protocol in ("esp", "ah") for sa in sas if sa[0] == protocol]
    lifetime = dict(zip(f.choice["isakmp.ipsec.attr.life_type"], f.choice["isakmp.ipsec.attr.life_duration"]))
    pfs = f.choice["isakmp.ipsec.attr.group_description"]
    out = {sa[0]: sa for sa in f.outbound(router)}
    outer = out.get("esp", out.get("ah"))
    rows = [
        (r"local +ident \(addr/mask/prot/port\): \((\S+?)/(\S+?)/(\d+)/(\d+)\)", [f.ident(router)]),
        (r"remote ident \(addr/mask/prot/port\): \((\S+?)/(\S+?)/(\d+)/(\d+)\)", [f.ident(OTHER[router])]),
        (r"current_peer (\S+) port (\d+)", [(other, f.messages[-1]["udp.dstport"][0])]),
        (r"#pkts encaps: (\d+)", [(str(sent),)]),
        (r"#pkts decaps: (\d+)", [(str(received),)]),
        (r"#pkts encrypt: (\d+)", [(str(sent if f.case.cipher else 0),)]),
        (r"#pkts decrypt: (\d+)", [(str(received if f.case.cipher else 0),)]),
        (r"#pkts digest: (\d+)", [(str(sent),)]),
        (r"#pkts verify: (\d+)", [(str(received),)]),
        (r"#send errors (\d+), #recv errors (\d+)", [("0", "0")]),
        (r"local crypto endpt\.: (\S+), remote crypto endpt\.: (\S+)", [(me, other)]),
        (r"current outbound spi: 0x(\w+)\((\d+)\)", [(f"{outer[4]:X}", str(outer[4]))]),
        (r"PFS \(Y/N\): (\w), DH group: (\S+)", [("Y", f"group{pfs[0]}") if pfs else ("N", "none")]),
        (r"remaining key lifetime \(k/sec\): \((\d+)/(\d+)\)", [(Near(int(lifetime["2"]), 100), Near(int(lifetime["1"]), 600))] * len(sas)),
        (r"IV size: (\d+) bytes", [(str(sa[5]),) for sa in both if sa[5] is not None]),
        (r"plaintext mtu (\d+), path mtu (\d+), ip mtu (\d+)", [(str(f.plaintext_mtu()), "1500", "1500")]),
        (r"replay detection support: (\w)", [("Y",)] * len(sas)),
    ]
    for way, these in (("inbound", f.inbound(router)), ("outbound", f.outbound(router))):
        for protocol in ("esp", "ah"):
            mine = [sa for sa in these if sa[0] == protocol]
            if mine:
                rows.append((rf"{way} {protocol} sas:\n +spi: 0x(\w+)\((\d+)\)\n +transform: (.*?) ,\n +in use settings =\{{(\w+),",
                             [(f"{sa[4]:X}", str(sa[4]), sa[1], sa[3]) for sa in mine]))
            else:
                rows.append((rf"{way} {protocol} sas:\n( +spi)", []))
    return rows


def log(f, router):
    """Debug and log lines of the run."""
    me, other = OUTSIDE[router], OUTSIDE[OTHER[router]]
    mine = [m for m in f.messages if m["ip.src"][0] == me]
    theirs = [m for m in f.messages if m["ip.src"][0] == other]
    bytes_of = {m["frame.number"][0]: m["isakmp.length"][0] for m in f.messages}
    port = {m["frame.number"][0]: (m["udp.srcport"][0], m["udp.dstport"][0]) for m in f.messages}
    lifetime = dict(zip(f.choice["isakmp.ipsec.attr.life_type"], f.choice["isakmp.ipsec.attr.life_duration"]))
    rows = [
        (r"sending packet to (\S+) my_port (\d+) peer_port (\d+), (\d+) bytes", [
            (other, *port[m["frame.number"][0]], bytes_of[m["frame.number"][0]]) for m in mine]),
        (r"received packet from (\S+) my_port (\d+) peer_port (\d+), (\d+) bytes", [
            (other, *reversed(port[m["frame.number"][0]]), bytes_of[m["frame.number"][0]]) for m in theirs]),
        (r"cookies (\w+):(\w+), [\w ]+, flags 0x(\w+)(?: \(encrypted\))?, message ID 0x(\w+), length (\d+)", [
            (m["isakmp.ispi"][0], m["isakmp.rspi"][0], m["isakmp.flags"][0][2:], m["isakmp.messageid"][0][2:].upper(), m["isakmp.length"][0])
            for m in f.messages]),
        (r"getting spi \d+ for SA\n.*? from (\S+) to (\S+) for prot", [(me, other)] * len(f.inbound(router))),
        (r"Crypto tunnel is UP +\.  Peer (\S+):(\d+) +Id: (\S+)", [
            (other, f.messages[-1]["udp.dstport"][0], f.phase_1_identity(OTHER[router]))]),
        (r"(Crypto tunnel is DOWN|MODE_FAILURE|RECVD_PKT|IKMP_\w+)", []),
        (r"sa_lifetime\(k/sec\)= \((\d+)/(\d+)\)", [(lifetime["2"], lifetime["1"])] * 2 * len(f.inbound(router))),
    ]
    if f.offer["ip.src"][0] == me:
        rows += request(f, router)
    for sa in f.inbound(router):
        rows.append((rf"getting spi ({sa[4]}) for SA\n.*? for prot (\d)", [(str(sa[4]), {"ah": "2", "esp": "3"}[sa[0]])]))
    for spi_of, dest in ((f.inbound(router), me), (f.outbound(router), other)):
        for sa in spi_of:
            rows.append((rf"\(sa\) sa_dest= ({re.escape(dest)}), sa_proto= ({PROTO_NUMBERS[sa[0]]}),\n.*?sa_spi= 0x(\w+)\((\d+)\),\n"
                         r".*?sa_trans= (.*?) , sa_conn_id",
                         [(dest, PROTO_NUMBERS[sa[0]], f"{sa[4]:X}", str(sa[4]), sa[2])]))
    return rows + payloads(f, theirs)


def request(f, router):
    """What traffic wanted, before there was anything on the wire."""
    wanted = sorted(f.inbound(router))
    n, lifetime = len(wanted), dict(zip(f.offer["isakmp.ipsec.attr.life_type"], f.offer["isakmp.ipsec.attr.life_duration"]))
    bits = (f.offer["isakmp.ipsec.attr.key_length"] or ["0"])[0]
    return [(r"OUTBOUND local= (\S+):500, remote= (\S+):500,", [(OUTSIDE[router], OUTSIDE[OTHER[router]])] * n),
            (r"local_proxy= (\S+?)/(\S+?)/(\d+)/(\d+),", [f.ident(router)] * n),
            (r"remote_proxy= (\S+?)/(\S+?)/(\d+)/(\d+),", [f.ident(OTHER[router])] * n),
            (r"protocol= (\w+), transform= (.*?) \((\w+)\),", [(sa[0].upper(), sa[2], sa[3]) for sa in wanted]),
            (r"lifedur= (\d+)s and (\d+)kb", [(lifetime["1"], lifetime["2"])] * n),
            (r"keysize= (\d+), flags", [(bits if sa[0] == "esp" else "0",) for sa in wanted])]


def payloads(f, theirs):
    """What debug tells of the payloads that came, in the order in which the payloads stand in the messages."""
    data, idents = [], []
    for m in theirs:
        left = {"KE": list(m["isakmp.key_exchange.data"]), "NONCE": list(m["isakmp.nonce"]), "HASH": list(m["isakmp.hash"]),
                "NAT-D": list(m["isakmp.ike.nat_hash"]), "VID": list(m["isakmp.vid_bytes"])}
        for name in m["payloads one by one"]:
            if name in left:
                value = left[name].pop(0)
                data.append((value[:SHOWN], str(len(value) // 2)))
        idents += [(kind,) for kind in m["isakmp.id.type"]]
    kinds = {"1": "ID_IPV4_ADDR", "2": "ID_FQDN", "4": "ID_IPV4_ADDR_SUBNET"}
    quick = [m for m in theirs if m["isakmp.ipsec.attr.encap_mode"]]
    attributes = [(r"encaps is (\d) \((\w+)\)", [(mode, ENCAPSULATION[mode]) for m in quick for mode in m["isakmp.ipsec.attr.encap_mode"]]),
                  (r"SA life duration of \(\w+\) (\d+)", [(n,) for m in quick for n in m["isakmp.ipsec.attr.life_duration"]])]
    return attributes + [(r"  data +: (\w+)(?:\.\.\.)? \((\d+) bytes\)", data), (r"  type +: (ID_\w+)", [(kinds[k],) for k, in idents])]
