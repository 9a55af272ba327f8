"""The main job between two Posterns.

    hostA 192.168.1.10 -- R1 203.0.113.1 -- internet -- 198.51.100.2 R2 -- 192.168.2.10 hostB
"""
import hashlib
import os
import re
import threading

import pytest

from conftest import site_fixture
from rig import until

site = site_fixture("tunnel")
pytestmark = pytest.mark.xdist_group("tunnel")


def counters(screen):
    """(encaps, decaps) of the first flow of `show crypto ipsec sa`."""
    return tuple(int(re.search(rf"#pkts {word}: (\d+)", screen).group(1)) for word in ("encaps", "decaps"))


def test_first_packet_is_not_lost_and_the_wire_shows_ike_and_esp_only(site):
    with site.capture("first") as wire:
        assert site.ping(count=5) == (5, 5)
    assert wire.clear_text() == []
    assert wire.read("!(udp.port==500 || esp || arp || icmpv6)") == []
    isakmp = list(dict.fromkeys(wire.read("isakmp", "ip.src", "udp.payload", "isakmp.exchangetype")))     # a message sent twice is one
    main = [line for line in isakmp if line.endswith("\t2")]
    quick = [line for line in isakmp if line.endswith("\t32")]
    assert (len(main), len(quick)) == (6, 3), isakmp
    assert [line.split("\t")[0] for line in main] == ["203.0.113.1", "198.51.100.2"] * 3
    assert len(wire.read("esp")) == 10


def test_show_tells_the_truth(site):
    assert site.ping(count=1) == (1, 1)
    for router, local, remote in (("R1", "203.0.113.1", "198.51.100.2"), ("R2", "198.51.100.2", "203.0.113.1")):
        screen = site.show(router, "show crypto isakmp sa")
        assert re.search(r"^dst\s+src\s+state\s+conn-id status$", screen, re.M), screen
        assert re.search(r"^198\.51\.100\.2\s+203\.0\.113\.1\s+QM_IDLE\s+10\d\d ACTIVE$", screen, re.M), screen
        screen = site.show(router, "show crypto ipsec sa")
        assert f"current_peer {remote} port 500" in screen
        assert f"local crypto endpt.: {local}, remote crypto endpt.: {remote}" in screen
        assert "esp-256-aes esp-sha256-hmac" in screen
    before = counters(site.show("R1", "show crypto ipsec sa"))
    assert site.ping(count=7) == (7, 7)
    after = counters(site.show("R1", "show crypto ipsec sa"))
    assert (after[0] - before[0], after[1] - before[1]) == (7, 7)
    spi = {router: {way: re.search(rf"{way} esp sas:\s+spi: (0x[0-9A-F]+)", site.show(router, "show crypto ipsec sa")).group(1)
                    for way in ("inbound", "outbound")} for router in ("R1", "R2")}
    assert spi["R1"]["inbound"] == spi["R2"]["outbound"] and spi["R1"]["outbound"] == spi["R2"]["inbound"]


def test_100_megabytes_arrive_whole_across_rekeys_by_volume(site):
    site.configure("R1", "crypto ipsec security-association lifetime kilobytes 25600")
    site.console("R1", "clear crypto sa")
    data = os.urandom(1 << 20) * 100
    path = f"{site.dir}/data"
    with open(path, "wb") as file:
        file.write(data)
    receive = site.start("hostB", "/usr/bin/python3", "-c", RECEIVE)
    assert receive.stdout.readline() == "up\n"
    sent = hashlib.sha256(data).hexdigest()
    with site.capture("volume") as wire:
        site.run("hostA", "/usr/bin/python3", "-c", SEND, path)
        got = receive.communicate(timeout=600)[0].strip()
    assert got == sent
    assert wire.clear_text() == []
    assert len(set(wire.read("esp && ip.src==203.0.113.1", "esp.spi"))) >= 4
    site.configure("R1", "no crypto ipsec security-association lifetime kilobytes")
    site.console("R1", "clear crypto sa")


RECEIVE = """
import hashlib, socket
s = socket.create_server(("192.168.2.10", 5001)); print("up", flush=True); c, _ = s.accept(); h = hashlib.sha256()
while data := c.recv(1 << 16): h.update(data)
print(h.hexdigest())
"""
SEND = """
import socket, sys
c = socket.create_connection(("192.168.2.10", 5001))
with open(sys.argv[1], "rb") as f: c.sendfile(f)
c.shutdown(socket.SHUT_WR); c.recv(1)
"""


def test_both_ends_start_at_once(site):
    for _ in range(3):
        for router in ("R1", "R2"):
            site.console(router, "clear crypto session")
        results = {}
        starts = [threading.Thread(target=lambda n=node, t=to: results.update({n: site.ping(n, t, count=5)}))
                  for node, to in (("hostA", "192.168.2.10"), ("hostB", "192.168.1.10"))]
        for start in starts:
            start.start()
        for start in starts:
            start.join()
        assert results == {"hostA": (5, 5), "hostB": (5, 5)}


def test_a_packet_too_big_is_answered_with_the_right_mtu(site):
    assert site.ping(count=1) == (1, 1)
    said = site.run("hostA", "ping", "-n", "-c", "2", "-M", "do", "-s", "1472", "192.168.2.10", check=False)
    found = re.search(r"mtu ?= ?(\d+)", said)
    assert found, said
    mtu = int(found.group(1))
    assert mtu == int(re.search(r"plaintext mtu (\d+)", site.show("R1", "show crypto ipsec sa")).group(1))
    site.run("hostA", "ip", "route", "flush", "cache")
    with site.capture("mtu") as wire:
        assert site.ping(count=2, size=mtu - 28, df=True) == (2, 2)
        assert site.ping(count=2, size=4000) == (2, 2)
    assert all(int(line) <= 1500 for line in wire.read("esp", "ip.len"))


def test_clear_text_that_should_be_protected_is_dropped_and_said(site):
    before = site.ping("hostB", "192.168.1.10", count=1)
    assert before == (1, 1)
    packet = ("from scapy.all import *; conf.verb = 0; conf.route.resync();"
              "send(IP(src='192.168.2.10', dst='192.168.1.10')/UDP(sport=7, dport=7777)/b'forged', iface='r1')")
    site.run("internet", "ip", "route", "replace", "192.168.1.0/24", "via", "203.0.113.1")
    with site.capture("forged") as wire:
        site.run("internet", "/usr/bin/python3", "-c", packet)
    assert len(wire.read("udp.port==7777")) == 1
    screen = until(lambda: (lambda s: s if "RECVD_PKT_NOT_IPSEC" in s else None)(site.show("R1", "show logging")), 10, "log line")
    assert re.search(r"%CRYPTO-4-RECVD_PKT_NOT_IPSEC: .*192\.168\.1\.10.*192\.168\.2\.10", screen), screen
