"""Two engines with SAs put by hand, on real interfaces:

    hostA 192.168.1.10 -- gwA 203.0.113.1 -- 203.0.113.2 gwB -- 192.168.2.10 hostB
"""
import hashlib
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
    n = en.Net("teng")
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
    net.x("hostA", "ip", "route", "flush", "cache")


TRANSFORMS = [
    (en.NULL, en.SHA1), (en.DES, en.MD5), (en.TDES, en.SHA1), (en.AES128, en.SHA256), (en.AES192, en.SHA384), (en.AES256, en.SHA512),
    (7, 0), (8, 0), (9, 0), (10, 0), (11, 0), (12, 0),
]


@pytest.mark.parametrize("encap", [0, 1])
@pytest.mark.parametrize("cipher,auth", TRANSFORMS)
def test_ping_by_every_transform(pair, net, cipher, auth, encap):
    p = pair(cipher=cipher, auth=auth, encap=encap)
    assert net.ping(5) == 5
    assert net.ping(3, size=1300) == 3
    a, b = p.a.stats(), p.b.stats()
    assert a["out_packets"] == b["in_packets"] == 8
    assert a["in_errors"] == b["in_errors"] == 0


@pytest.mark.parametrize("encap", [0, 1])
@pytest.mark.parametrize("env", [{}, {"POSTERN_NO_TAP_GSO": "1"}, {"POSTERN_NO_IPSEC_MB": "1"}], ids=["all", "no-gso", "openssl"])
def test_bulk_is_the_same_at_the_other_end(pair, net, encap, env, tmp_path):
    p = pair(encap=encap, env=env)
    data = os.urandom(20_000_000)
    (tmp_path / "data").write_bytes(data)
    server = net.popen("hostB", "/usr/bin/python3", "-c",
                       "import socket,hashlib\ns=socket.create_server(('192.168.2.10',5000));print('up',flush=True);c,_=s.accept();h=hashlib.sha256()\n"
                       "while d:=c.recv(65536): h.update(d)\nprint(h.hexdigest())", stdout=subprocess.PIPE)
    server.stdout.readline()
    net.x("hostA", "/usr/bin/python3", "-c",
          f"import socket;s=socket.create_connection(('192.168.2.10',5000));s.sendall(open({str(tmp_path / 'data')!r},'rb').read());s.close()")
    assert server.communicate(timeout=300)[0].strip() == hashlib.sha256(data).hexdigest()
    assert p.b.stats()["in_errors"] == 0


@pytest.mark.parametrize("encap", [0, 1])
def test_path_mtu(pair, net, encap):
    p = pair(encap=encap)
    assert net.ping(1) == 1
    plain = p.a.stats()["plain_mtu"]
    assert net.ping(1, size=plain - 28, discover="do") == 1
    assert net.ping(1, size=plain - 27, discover="do", wait=1) == 0
    route = net.x("hostA", "ip", "route", "get", "192.168.2.10").stdout
    assert f"mtu {plain}" in route
    net.x("hostA", "ip", "route", "flush", "cache")
    assert net.ping(3, size=3000) == 3  # without DF: in pieces


@pytest.mark.parametrize("encap", [0, 1])
def test_fragments_after_encryption(pair, net, encap):
    p = pair(encap=encap, after=1)
    assert net.ping(3, size=3000) == 3
    assert p.b.stats()["in_errors"] == 0


def test_learned_path_mtu(pair, net):
    """A narrow link beyond: its router's ICMP error lowers what is told to the hosts."""
    p = pair()
    assert net.ping(1) == 1
    spi = p.a.conf["spi_out"]
    script = (
        "from scapy.all import *\n"
        "q=IP(src='203.0.113.1',dst='203.0.113.2',proto=50,flags='DF',len=1500)/Raw(bytes.fromhex('%08x00000001'))\n"
        "send(IP(src='203.0.113.2',dst='203.0.113.1')/ICMP(type=3,code=4,nexthopmtu=%d)/q,verbose=0)\n")
    net.x("gwB", "/usr/bin/python3", "-c", script % (spi + 7, 1100))         # had it been believed, it would be smaller than what follows
    net.x("gwB", "/usr/bin/python3", "-c", script % (spi, 1200))
    en.until(lambda: p.a.stats()["path_mtu"] != 1500)
    assert p.a.stats()["path_mtu"] == 1200


def test_first_packets_are_held(pair, net):
    p = pair(wait=1)
    assert net.ping(5) == 5
    assert p.a.stats()["event_acquire"] == 1


def test_nothing_in_clear_without_the_engine(pair, net):
    p = pair()
    assert net.ping(1) == 1
    capture = en.Capture(net, "clear", "host 192.168.1.10", options=())
    p.a.kill()
    assert net.ping(3, wait=1) == 0
    assert os.path.getsize(capture.stop()) <= 24


@pytest.mark.parametrize("encap", [0, 1])
def test_tshark_decodes(pair, net, encap):
    """Captured where it arrives: what goes past the queueing discipline is not seen by a capture at the sender."""
    p = pair(encap=encap, cipher=en.AES128, auth=en.SHA256)
    capture = en.Capture(net, f"esp{encap}")
    assert net.ping(3) == 3
    path = capture.stop()
    opts = ["-o", "esp.enable_encryption_decode:TRUE", "-o", "esp.enable_authentication_check:TRUE"]
    for src, dst, way in (("203.0.113.1", "203.0.113.2", "out"), ("203.0.113.2", "203.0.113.1", "in")):
        c = p.a.conf
        opts += ["-o", f'uat:esp_sa:"IPv4","{src}","{dst}","0x{c["spi_" + way]:08x}","AES-CBC [RFC3602]","0x{c["key_" + way]}",'
                 f'"HMAC-SHA-256-128 [RFC4868]","0x{c["auth_" + way]}"']
    out = en.run("tshark", "-r", path, *opts, "-T", "fields", "-e", "icmp.type", "-e", "esp.icv_good", "-e", "_ws.expert.severity").stdout
    lines = [x.split("\t") for x in out.splitlines() if x.split("\t")[0]]
    assert [x[0] for x in lines] == ["8"] * 3, out
    assert all(x[1] in ("1", "True") for x in lines), out


@pytest.mark.parametrize("df,dont,do", [(0, "0", "1"), (1, "1", "1"), (2, "0", "0")], ids=["copy", "set", "clear"])
@pytest.mark.parametrize("encap", [0, 1])
def test_outer_header(pair, net, encap, df, dont, do):
    """DSCP and ECN are copied, DF as the SA says: RFC 4301, 5.1.2.1, RFC 6040."""
    pair(encap=encap, df=df)
    assert net.ping(1) == 1
    capture = en.Capture(net, "outer")
    for discover, tos in (("dont", "0xb8"), ("do", "0xba")):
        net.x("hostA", "ping", "-n", "-c", "1", "-W", "30", "-M", discover, "-Q", tos, "192.168.2.10")
    out = en.run("tshark", "-r", capture.stop(), "-Y", "esp", "-T", "fields", "-e", "ip.dsfield", "-e", "ip.flags.df", "-e", "udp.dstport").stdout
    lines = [x.split("\t") for x in out.splitlines()]
    assert [(int(x[0], 16), {"True": "1", "False": "0"}.get(x[1], x[1])) for x in lines] == [(0xb8, dont), (0xba, do)]
    assert all(x[2] == ("4500" if encap else "") for x in lines)


def test_forged_and_replayed(pair, net):
    p = pair()
    assert net.ping(1) == 1
    capture = en.Capture(net, "replay", "ip proto 50")
    assert net.ping(2) == 2
    net.x("gwA", "/usr/bin/python3", "-c",
          "from scapy.all import *\nfor p in rdpcap(%r):\n sendp(p,iface='wan',verbose=0)\n q=p.copy();q[IP].payload=Raw(bytes(q[IP].payload)[:4]+b'\\0\\1\\0\\0'"
          "+bytes(q[IP].payload)[8:]);sendp(q,iface='wan',verbose=0)" % capture.stop())
    en.until(lambda: p.b.stats()["drop_REPLAY"] >= 2 and p.b.stats()["drop_BAD_ICV"] >= 2)
    b = p.b.stats()
    assert b["drop_REPLAY"] == 2 and b["drop_BAD_ICV"] == 2
    assert net.ping(2) == 2
