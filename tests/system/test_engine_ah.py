"""AH, AH around ESP and transport mode: two engines with SAs put by hand, and scapy's own IPsec as the judge of what they send and as
a third gateway that sends to them.

    hostA 192.168.1.10 -- gwA 203.0.113.1 -- 203.0.113.2 gwB -- 192.168.2.10 hostB
"""
import hashlib
import json
import os
import subprocess
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "bench"))
import enginenet as en  # noqa: E402

pytestmark = [
    pytest.mark.xdist_group("engine"),
    pytest.mark.skipif(os.geteuid() != 0, reason="needs network namespaces"),
]


@pytest.fixture(scope="module")
def net():
    subprocess.run(["make", "-s", "bench-build"], cwd=os.path.join(os.path.dirname(__file__), "..", ".."), check=True)
    n = en.Net("teah")
    yield n
    n.close()


@pytest.fixture
def pair(net):
    made = []

    def make(**kw):
        made.append(en.Pair(net, **kw))
        return made[-1]
    yield make
    for p in made:
        assert p.stop() == (0, 0)
    for ns in ("hostA", "gwA", "gwB"):
        net.x(ns, "ip", "route", "flush", "cache")


# Names of scapy, by our numbers.
CRYPT = {0: None, en.NULL: "NULL", en.AES128: "AES-CBC", en.TDES: "3DES", en.GCM128: "AES-GCM", 13: "AES-CTR", en.CHACHA: "CHACHA20-POLY1305"}
AUTH = {0: None, en.MD5: "HMAC-MD5-96", en.SHA1: "HMAC-SHA1-96", en.SHA256: "SHA2-256-128", en.SHA384: "SHA2-384-192",
        en.SHA512: "SHA2-512-256", en.CMAC: "AES-CMAC-96"}

# The three forms of protection, as (cipher, auth, ah).
ESP, AH, BOTH = (en.AES128, en.SHA1, 0), (0, 0, en.SHA256), (en.AES128, en.SHA256, en.SHA1)
FORMS = {"esp": ESP, "ah": AH, "ah+esp": BOTH}

# Prints what is inside the packets of a capture, or sends one more; SAs from the outside to the inside.
JUDGE = r"""
import json, sys
from scapy.all import *
from scapy.layers.ipsec import *
job = json.load(sys.stdin)

def sas():
    out = []
    for s in job["sas"]:
        kw = {}
        if s["crypt"]:
            kw.update(crypt_algo=s["crypt"], crypt_key=bytes.fromhex(s["key"]))
        if s["auth"]:
            kw.update(auth_algo=s["auth"], auth_key=bytes.fromhex(s["auth_key"]))
        if s["tunnel"]:
            kw.update(tunnel_header=IP(src=job["src"], dst=job["dst"]))
        out.append(SecurityAssociation(AH if s["ah"] else ESP, spi=s["spi"], **kw))
    return out

if job["what"] == "open":
    for p in rdpcap(job["file"]):
        p = p[IP]
        if p.src != job["src"]:
            continue
        outer = p.proto
        for sa in sas():
            p = IP(bytes(sa.decrypt(IP(bytes(p)))))
        print(json.dumps({"outer": outer, "src": p.src, "dst": p.dst, "proto": p.proto, "type": p[ICMP].type if ICMP in p else None,
                          "len": p.len, "ttl": p.ttl}))
else:
    split_layers(IP, ESP)  # where it sees ESP inside AH, scapy puts AH's ICV behind the ESP
    p = IP(src=job["from"], dst=job["to"], id=77, options=IPOption(bytes.fromhex(job["options"])) if job["options"] else [])
    p = IP(bytes(p / ICMP(id=9, seq=1) / b"judge"))
    for sa in reversed(sas()):
        sa.seq_num = 900
        p = sa.encrypt(IP(bytes(p)), seq_num=900)
    p = IP(bytes(p))
    p.ttl = 7  # a few routers on the way
    del p.chksum
    sendp(Ether(dst=job["mac"]) / p, iface="wan", verbose=0)
"""


def judge(net, p, what, form, transport, **more):
    """Of what gwA sends: open a capture, or send in its name."""
    c = p.a.conf
    cipher, auth, ah = form
    sas = []
    if ah:
        sas.append({"ah": True, "spi": c["ah_spi_out"], "crypt": None, "auth": AUTH[ah], "auth_key": c["ah_out"],
                    "tunnel": not transport and not cipher})
    if cipher:
        sas.append({"ah": False, "spi": c["spi_out"], "crypt": CRYPT[cipher], "key": c.get("key_out", ""), "auth": AUTH[auth],
                    "auth_key": c.get("auth_out", ""), "tunnel": not transport})
    job = {"what": what, "sas": sas, "src": "203.0.113.1", "dst": "203.0.113.2", **more}
    out = net.x("gwA", "/usr/bin/python3", "-c", JUDGE, input=json.dumps(job), check=False)
    assert out.returncode == 0, out.stderr
    return [json.loads(x) for x in out.stdout.splitlines()]


def ping(net, transport, n=3, size=56, **options):
    """Router to router in transport mode, else host to host."""
    return net.ping(n, size, **options, **({"node": "gwA", "to": "203.0.113.2"} if transport else {}))


def mac(net):
    return net.x("gwB", "cat", "/sys/class/net/wan/address").stdout.strip()


@pytest.mark.parametrize("transport", [0, 1], ids=["tunnel", "transport"])
@pytest.mark.parametrize("name", FORMS)
def test_cell(pair, net, name, transport):
    """Each cell of {ESP, AH, AH+ESP} x {tunnel, transport}: both ways between engines, opened by scapy, and made by scapy."""
    cipher, auth, ah = FORMS[name]
    p = pair(cipher=cipher, auth=auth, ah=ah, transport=transport)
    capture = en.Capture(net, f"{name}{transport}", "ip")
    assert ping(net, transport) == 3
    assert ping(net, transport, 1, 1300) == 1
    seen = judge(net, p, "open", FORMS[name], transport, file=capture.stop())
    inner = ("203.0.113.1", "203.0.113.2") if transport else ("192.168.1.10", "192.168.2.10")
    assert len(seen) == 4
    for s in seen:
        assert s["outer"] == (51 if ah else 50)
        assert (s["src"], s["dst"], s["proto"], s["type"]) == (*inner, 1, 8)
        assert s["ttl"] == (64 if transport else 63)
    a, b = p.a.stats(), p.b.stats()
    assert a["out_packets"] == b["in_packets"] == b["out_packets"] == a["in_packets"] == 4
    if name == "ah+esp":
        assert a["ah_out_packets"] == b["ah_in_packets"] == 4
    judge(net, p, "send", FORMS[name], transport, **{"from": inner[0], "to": inner[1], "mac": mac(net), "options": ""})
    en.until(lambda: p.b.stats()["in_packets"] >= 5)
    b = p.b.stats()
    assert b["in_packets"] == 5 and b["in_sequence"] == 900, b
    assert b["in_errors"] == 0


@pytest.mark.parametrize("ah", [en.MD5, en.SHA1, en.SHA256, en.SHA384, en.SHA512, en.CMAC])
def test_every_hash_of_ah(pair, net, ah):
    form = (0, 0, ah)
    p = pair(cipher=0, ah=ah)
    capture = en.Capture(net, f"hash{ah}", "ip")
    assert ping(net, 0) == 3
    assert len(judge(net, p, "open", form, 0, file=capture.stop())) == 3
    judge(net, p, "send", form, 0, **{"from": "192.168.1.10", "to": "192.168.2.10", "mac": mac(net), "options": ""})
    en.until(lambda: p.b.stats()["in_packets"] >= 4)
    assert p.b.stats()["in_packets"] == 4


@pytest.mark.parametrize("options", ["94040000", "0707040000000000", "440805000000000001010101"], ids=["router-alert", "record-route", "time-stamp"])
@pytest.mark.parametrize("transport", [1])
def test_options_of_the_outer_header(pair, net, options, transport):
    """Immutable ones are under the ICV as they are, the others as zeros: scapy's zeroing is the judge."""
    p = pair(cipher=0, ah=en.SHA256, transport=transport)
    judge(net, p, "send", AH, transport, **{"from": "203.0.113.1", "to": "203.0.113.2", "mac": mac(net), "options": options})
    en.until(lambda: p.b.stats()["in_packets"] >= 1)
    b = p.b.stats()
    assert (b["in_packets"], b["in_errors"]) == (1, 0)


NEW = [(13, en.SHA256), (14, en.SHA1), (15, en.SHA512), (en.CHACHA, 0), (17, en.SHA1), (18, en.SHA256), (19, en.SHA512),
       (en.AES128, en.XCBC), (en.AES256, en.CMAC), (en.NULL, en.CMAC)]


@pytest.mark.parametrize("encap", [0, 1])
@pytest.mark.parametrize("cipher,auth", NEW)
def test_later_transforms(pair, net, cipher, auth, encap):
    p = pair(cipher=cipher, auth=auth, encap=encap)
    capture = en.Capture(net, f"new{cipher}-{auth}", "ip")
    assert ping(net, 0, 5) == 5
    assert ping(net, 0, 3, 1300) == 3
    path = capture.stop()
    if cipher in CRYPT and auth in AUTH and not encap:
        assert len(judge(net, p, "open", (cipher, auth, 0), 0, file=path)) == 8
    assert p.b.stats()["in_errors"] == 0


@pytest.mark.parametrize("esn", [0, 1])
@pytest.mark.parametrize("name", FORMS)
def test_numbers_and_windows(pair, net, name, esn):
    cipher, auth, ah = FORMS[name]
    for window in (64, 1024, 0):
        p = pair(cipher=cipher, auth=auth, ah=ah, esn=esn, window=window)
        assert ping(net, 0) == 3
        assert p.b.stats()["in_errors"] == 0
        p.stop()
        p.stop = lambda: (0, 0)


@pytest.mark.parametrize("name,encap", [*((n, 0) for n in FORMS), ("esp", 1)])
def test_transport_of_large_packets(pair, net, name, encap):
    """What the kernel cut for the link is put together, protected whole, and cut again."""
    cipher, auth, ah = FORMS[name]
    p = pair(cipher=cipher, auth=auth, ah=ah, transport=1, encap=encap)
    assert ping(net, 1, 3, 4000) == 3
    assert p.a.stats()["out_packets"] == 3
    plain = p.a.stats()["plain_mtu"]
    assert ping(net, 1, 1, plain - 28, discover="do") == 1
    net.x("gwA", "ip", "route", "flush", "cache")
    assert p.b.stats()["in_errors"] == 0


@pytest.mark.parametrize("name", FORMS)
def test_tunnel_of_large_packets(pair, net, name):
    cipher, auth, ah = FORMS[name]
    p = pair(cipher=cipher, auth=auth, ah=ah)
    plain = p.a.stats()["plain_mtu"]
    assert ping(net, 0, 1, plain - 28, discover="do") == 1
    assert ping(net, 0, 1, plain - 27, discover="do", wait=1) == 0
    net.x("hostA", "ip", "route", "flush", "cache")
    assert ping(net, 0, 3, 4000) == 3
    assert p.b.stats()["in_errors"] == 0


@pytest.mark.parametrize("name,transport,encap", [("ah", 0, 0), ("ah+esp", 0, 0), ("esp", 1, 0), ("esp", 1, 1), ("ah", 1, 0), ("ah+esp", 1, 0)])
def test_bulk(pair, net, name, transport, encap, tmp_path):
    """TCP: super-packets cut and joined, the path MTU learned by our own sockets too."""
    cipher, auth, ah = FORMS[name]
    p = pair(cipher=cipher, auth=auth, ah=ah, transport=transport, encap=encap)
    data = os.urandom(10_000_000)
    (tmp_path / "data").write_bytes(data)
    who, server_at, to = ("gwA", "gwB", "203.0.113.2") if transport else ("hostA", "hostB", "192.168.2.10")
    server = net.popen(server_at, "/usr/bin/python3", "-c",
                       f"import socket,hashlib\ns=socket.create_server(('{to}',5000));print('up',flush=True);c,_=s.accept();h=hashlib.sha256()\n"
                       "while d:=c.recv(65536): h.update(d)\nprint(h.hexdigest())", stdout=subprocess.PIPE)
    server.stdout.readline()
    net.x(who, "/usr/bin/python3", "-c",
          f"import socket;s=socket.create_connection(('{to}',5000));s.sendall(open({str(tmp_path / 'data')!r},'rb').read());s.close()")
    assert server.communicate(timeout=300)[0].strip() == hashlib.sha256(data).hexdigest()
    assert p.b.stats()["in_errors"] == 0


def test_nothing_of_the_own_traffic_in_clear(pair, net):
    pair(transport=1)
    capture = en.Capture(net, "own", "ip")
    assert ping(net, 1, 3, 3000) == 3
    out = en.run("tshark", "-r", capture.stop(), "-T", "fields", "-e", "ip.proto").stdout.split()
    assert set(out) == {"50"}


def test_ah_through_a_nat(pair, net):
    """The address is translated behind gwA: AH must fail, and the reason is told apart from a forgery."""
    p = pair(cipher=0, ah=en.SHA1, mangle="ip protocol 51 ip saddr set 203.0.113.77", b_mangle="")
    assert ping(net, 0, 3, wait=2) == 0
    en.until(lambda: sum(p.b.stats()[name] for name in ("drop_AH_NAT", "drop_BUNDLE")) >= 3)
    b = p.b.stats()
    assert b["drop_AH_NAT"] == 3 and b["drop_BAD_ICV"] == 0 and b["in_packets"] == 0


@pytest.mark.parametrize("told", [False, True], ids=["without-nat-oa", "with-nat-oa"])
def test_transport_in_udp_through_a_nat(pair, net, told):
    """gwB's peer is 203.0.113.77, which a NAT makes of gwA: the checksum inside is that of 203.0.113.1."""
    net.x("gwB", "ip", "neigh", "replace", "203.0.113.77", "lladdr", net.x("gwA", "cat", "/sys/class/net/wan/address").stdout.strip(), "dev", "wan")
    more = {"b_oa_remote": "203.0.113.1"} if told else {}
    p = pair(transport=1, encap=1, mangle="ip saddr 203.0.113.1 udp sport 4500 ip saddr set 203.0.113.77", b_mangle="",
             b_remote="203.0.113.77", b_outside="203.0.113.77", **more)
    server = net.popen("gwB", "/usr/bin/python3", "-c", "import socket;s=socket.socket(socket.AF_INET,socket.SOCK_DGRAM);s.bind(('203.0.113.2',5001));s.settimeout(%d)\n"
                       "print('up',flush=True)\ntry: print(s.recvfrom(99))\nexcept TimeoutError: print('nothing')" % (60 if told else 3), stdout=subprocess.PIPE)
    server.stdout.readline()
    net.x("gwA", "/usr/bin/python3", "-c", "import socket;s=socket.socket(socket.AF_INET,socket.SOCK_DGRAM);s.bind(('203.0.113.1',5002));s.sendto(b'through',('203.0.113.2',5001))")
    got = server.communicate(timeout=120)[0].strip()
    if told:
        assert got == "(b'through', ('203.0.113.77', 5002))"
    else:
        assert got == "nothing"
    en.until(lambda: told or p.b.stats()["drop_CHECKSUM"])
    assert p.b.stats()["drop_CHECKSUM"] == (0 if told else 1)


def test_esp_of_a_bundle_alone(pair, net):
    """One side sends ESP without the AH that the other wants around it."""
    p = pair(cipher=en.AES128, auth=en.SHA1, b_ah=en.SHA1)
    assert ping(net, 0, 3, wait=2) == 0
    en.until(lambda: sum(p.b.stats()[name] for name in ("drop_AH_NAT", "drop_BUNDLE")) >= 3)
    b = p.b.stats()
    assert b["drop_BUNDLE"] == 3 and b["in_packets"] == 0
