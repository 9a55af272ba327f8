"""The router's own traffic in transport mode, through configd's filter and the engine, with scapy as the peer. There is no IKE: the SAs
are put by hand into datapathd.

    R 203.0.113.1 gi0-0 -- 203.0.113.254 outside, behind it 198.51.100.2, which scapy plays
"""
import json
import os
import subprocess
import sys

import pytest

sys.path.insert(0, os.path.dirname(__file__))
import rig  # noqa: E402
from test_filter import MAC, Router  # noqa: E402

pytestmark = [
    pytest.mark.xdist_group("engine"),
    pytest.mark.skipif(os.geteuid() != 0, reason="needs namespaces"),
]
ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
BUILD = os.path.dirname(rig.BIN)
SELF, PEER = "203.0.113.1", "198.51.100.2"
AES128, SHA1, SHA256 = 4, 2, 3

CONFIG = """
hostname R
crypto isakmp policy 10
 authentication pre-share
crypto isakmp key k address 198.51.100.2
crypto ipsec transform-set TS esp-aes esp-sha-hmac
crypto map VPN 10 ipsec-isakmp
 set peer 198.51.100.2
 set transform-set TS
 match address OWN
interface GigabitEthernet0/0
 ip address 203.0.113.1 255.255.255.0
 ip access-group FROM-OUTSIDE in
 crypto map VPN
 no shutdown
interface GigabitEthernet0/1
 ip address 192.168.1.1 255.255.255.0
 no shutdown
ip access-list extended OWN
 permit ip host 203.0.113.1 host 198.51.100.2
ip access-list extended FROM-OUTSIDE
 permit esp any host 203.0.113.1
 permit ahp any host 203.0.113.1
end
"""

# Answers pings that come in the SAs of its first line, and says of each packet what it was.
RESPONDER = r"""
import json, sys
from scapy.all import *
from scapy.layers.ipsec import *
split_layers(IP, ESP)  # where it sees ESP inside AH, scapy puts AH's ICV behind the ESP
job = json.loads(sys.stdin.readline())

def sas(way):
    out = []
    if job["ah"]:
        out.append(SecurityAssociation(AH, spi=job["ah_spi"][way], auth_algo="SHA2-256-128", auth_key=bytes.fromhex(job["ah_key"])))
    if job["esp"]:
        out.append(SecurityAssociation(ESP, spi=job["spi"][way], crypt_algo="AES-CBC", crypt_key=bytes.fromhex(job["key"]),
                                       auth_algo="HMAC-SHA1-96", auth_key=bytes.fromhex(job["auth_key"])))
    return out

sock = conf.L2socket(iface="out0")
print(json.dumps("ready"), flush=True)
number = 0
while True:
    frame = sock.recv()
    if frame is None or IP not in frame or frame[IP].src != job["self"]:
        continue
    outer = frame[IP]
    if outer.proto not in (50, 51):
        print(json.dumps({"clear": outer.proto}), flush=True)
        continue
    p = IP(bytes(outer))
    for sa in sas("from"):
        if sa.proto is ESP:
            p = IP(bytes(p.copy()))
            p = IP(bytes(p)[:p.ihl * 4]) / ESP(bytes(p)[p.ihl * 4:p.len])
        p = IP(bytes(sa.decrypt(p)))
    print(json.dumps({"outer": outer.proto, "inside": p.proto, "len": p.len}), flush=True)
    if ICMP not in p or p[ICMP].type != 8:
        continue
    number += 1
    answer = IP(bytes(IP(src=p.dst, dst=p.src, id=number) / ICMP(type=0, id=p[ICMP].id, seq=p[ICMP].seq) / bytes(p[ICMP].payload)))
    for sa in reversed(sas("to")):
        answer = IP(bytes(sa.encrypt(answer, seq_num=number)))
    sock.send(Ether(src=job["mac"], dst=frame.src) / answer)
"""


@pytest.fixture(scope="module")
def router():
    subprocess.run(["make", "-s", "bench-build"], cwd=ROOT, check=True, env={**os.environ, "BUILD": BUILD})
    made = Router(CONFIG)
    try:
        yield made
    finally:
        made.down()


def key(n, base):
    return bytes((base + i) & 0xff for i in range(n)).hex()


class Peer:
    """SAs at the router, and scapy with the same."""
    spi = 0x3000

    def __init__(self, router, esp, ah):
        Peer.spi += 4
        n = Peer.spi
        lines = {"interface": "GigabitEthernet0/0", "policy": "VPN/10/10", "local": SELF, "remote": PEER, "inside": SELF, "outside": PEER, "transport": 1,
                 "cipher": AES128 if esp else 0, "auth": SHA1 if esp else 0, "window": 64, "spi_in": n, "spi_out": n + 1}
        for way in ("in", "out"):
            if esp:
                lines.update({f"key_{way}": key(16, n), f"auth_{way}": key(20, n + 1)})
            if ah:
                lines.update({f"ah_{way}": key(32, n + 2), f"ah_spi_{way}": n + (2 if way == "in" else 3), "ah": SHA256})
        path = router.file("sa.conf", "".join(f"{k} {v}\n" for k, v in lines.items()))
        subprocess.run([f"{BUILD}/bench/static_sa", path, f"{router.dir}/run/datapathd"], check=True)
        job = {"esp": esp, "ah": ah, "spi": {"from": n + 1, "to": n}, "ah_spi": {"from": n + 3, "to": n + 2}, "key": key(16, n), "auth_key": key(20, n + 1),
               "ah_key": key(32, n + 2), "self": SELF, "mac": MAC["out0"]}
        self.log = open(f"{router.dir}/peer.log", "w+", encoding="utf-8")
        self.p = subprocess.Popen(["ip", "netns", "exec", router.spaces[2], "/usr/bin/python3", "-c", RESPONDER], text=True, stdin=subprocess.PIPE,
                                  stdout=self.log, stderr=subprocess.DEVNULL)
        self.p.stdin.write(json.dumps(job) + "\n")
        self.p.stdin.flush()
        rig.until(self.seen, 60, "scapy")

    def seen(self):
        self.log.seek(0)
        return [json.loads(x) for x in self.log.read().splitlines()]

    def stop(self):
        self.p.terminate()
        self.p.wait(60)
        self.log.close()


def ping(router, count=3, size=56, wait=30):
    r = subprocess.run(["ip", "netns", "exec", router.spaces[0], rig.PINGER, "-c", str(count), "-W", str(wait), "-s", str(size), PEER],
                       capture_output=True, text=True, check=False)
    return rig.sent_and_received(r.stdout)[1]


@pytest.mark.parametrize("esp,ah", [(1, 0), (0, 1), (1, 1)], ids=["esp", "ah", "ah+esp"])
def test_own_traffic(router, esp, ah):
    p = Peer(router, esp, ah)
    try:
        assert ping(router) == 3
        assert ping(router, 1, 1200) == 1
        rig.until(lambda: len(p.seen()) >= 5, 10, "what the peer saw")
        seen = p.seen()[1:]
        assert [s.get("outer") for s in seen] == [51 if ah else 50] * 4, seen  # and nothing in clear
        assert [s["inside"] for s in seen] == [1] * 4
        assert seen[3]["len"] == 1228
    finally:
        p.stop()


def test_access_group_asks_for_ah_too(router):
    """What AF_PACKET brings before netfilter is asked of the interface's list all the same."""
    p = Peer(router, 0, 1)
    try:
        assert ping(router, 1) == 1
        router.configure("ip access-list extended FROM-OUTSIDE", "no permit ahp any host 203.0.113.1")
        rig.until(lambda: ping(router, 1, wait=2) == 0, 30, "the list")
        before = len(p.seen())
        assert ping(router, 2, wait=2) == 0
        rig.until(lambda: len([s for s in p.seen()[before:] if s["len"] == 84]) == 2, 10, "that they were sent, and answered")
        seen = p.seen()[before:]
        assert not [s for s in seen if "clear" in s]  # nor is the refusal told in clear
        router.configure("ip access-list extended FROM-OUTSIDE", "permit ahp any host 203.0.113.1")
        rig.until(lambda: ping(router, 1, wait=2) == 1, 30, "the list")
    finally:
        p.stop()
