"""The captures for study (tests/captures): from real runs, read field by field by tshark with the keys that are in them; and what both
routers say of the same run in shows, debug and log, beside it.

    hostA 192.168.1.10 -- R1 203.0.113.1 -- internet -- 198.51.100.2 R2 -- 192.168.2.10 hostB
"""
import hashlib
import os
import re
import subprocess
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "captures"))
import shoot                                                            # noqa: E402
import truth                                                            # noqa: E402
from cases import AH, AUTHS, CASES, ESP_CIPHERS, HOSTS, NAME, NETS, OUTSIDE      # noqa: E402
from facts import Facts                                                 # noqa: E402

pytestmark = pytest.mark.xdist_group("captures")
R1, R2 = OUTSIDE["R1"], OUTSIDE["R2"]


@pytest.fixture(scope="module")
def studio():
    site = shoot.studio("study")
    yield site
    site.down()


@pytest.fixture(scope="module")
def shots():
    return {}


FACTS = {}


def facts_of(shot):
    if shot.path not in FACTS:
        FACTS[shot.path] = Facts(shot)
    return FACTS[shot.path]


@pytest.fixture(params=CASES, ids=lambda case: case.name)
def shot(request, studio, shots):
    """Each case is run once, by the first test that wants it."""
    case = request.param
    if case.name not in shots:
        shots[case.name] = shoot.shoot(studio, case, studio.dir)
    return shots[case.name]


@pytest.fixture
def facts(shot):
    return facts_of(shot)


def one(message, name):
    assert len(message[name]) == 1, (name, message[name])
    return message[name][0]


def test_tshark_finds_nothing_odd(shot):
    assert shot.wire.experts() == []
    assert all(row[0] == ["eth", "ethertype", "ip", "udp", "isakmp"] or row[0][3] in ("esp", "ah") for row in
               [[r[0][0].split(":")] for r in shot.wire.rows("ip", "frame.protocols")])


def test_phase_1(facts):
    if facts.case.aggressive:
        expected = [(R1, "0", r"SA P T KE NONCE ID VID"), (R2, "0", r"SA P T KE NONCE ID HASH (VID NAT-D NAT-D|NAT-D NAT-D VID|VID)"),
                    (R1, "1", r"HASH( NAT-D NAT-D)?( N)?")]
    else:
        expected = [(R1, "0", "SA P T VID"), (R2, "0", "SA P T VID"), (R1, "0", "KE NONCE NAT-D NAT-D"), (R2, "0", "KE NONCE NAT-D NAT-D"),
                    (R1, "1", "ID HASH( N)?"), (R2, "1", "ID HASH")]
    assert len(facts.phase_1) == len(expected)
    cookies = one(facts.phase_1[-1], "isakmp.ispi"), one(facts.phase_1[-1], "isakmp.rspi")
    for i, (m, (sender, encrypted, payloads)) in enumerate(zip(facts.phase_1, expected)):
        assert m["ip.src"] == [sender] and m["isakmp.flag_e"] == [encrypted], (i, m)
        assert re.fullmatch(payloads, m["payloads"]), (i, m["payloads"])
        assert one(m, "isakmp.messageid") == "0x00000000"
        assert (one(m, "isakmp.ispi"), one(m, "isakmp.rspi")) == (cookies[0], "0" * 16 if i == 0 else cookies[1])
    assert "0" * 16 not in cookies


def test_phase_1_values(facts):
    offers = [m for m in facts.phase_1 if m["isakmp.ike.attr.life_duration"]]
    assert len(offers) == 2
    for m in offers:
        assert [one(m, f"isakmp.ike.attr.{name}") for name in ("encryption_algorithm", "key_length", "hash_algorithm", "authentication_method",
                                                               "group_description", "life_type", "life_duration")] == [
            "7", "256", "4", "1", "14", "1", "86400"]
        assert one(m, "isakmp.prop.protoid") == "1"
    exchanges = [m for m in facts.phase_1 if m["isakmp.key_exchange.data"]]
    assert [m["ip.src"][0] for m in exchanges] == [R1, R2]
    for m in exchanges:
        assert len(one(m, "isakmp.key_exchange.data")) == 2 * 256 and 8 <= len(one(m, "isakmp.nonce")) // 2 <= 256
    assert exchanges[0]["isakmp.key_exchange.data"] != exchanges[1]["isakmp.key_exchange.data"]
    assert [len(h) for m in facts.phase_1 for h in m["isakmp.hash"]] == [64, 64]          # HMAC-SHA-256
    ids = {m["ip.src"][0]: (m["isakmp.id.type"], m["isakmp.id.data.fqdn"] or m["isakmp.id.data.ipv4_addr"]) for m in facts.phase_1 if m["isakmp.id.type"]}
    assert ids == {R1: (["2"], [NAME]) if facts.case.aggressive else (["1"], [R1]), R2: (["1"], [R2])}
    assert all(n == "24578" for m in facts.phase_1 for n in m["isakmp.notify.msgtype"])


def test_nat_detection_hashes_are_of_these_addresses(facts):
    """RFC 3947, 3.2: HASH(CKY-I | CKY-R | IP | Port), the receiver's first, then the sender's."""
    cookies = bytes.fromhex(facts.phase_1[-1]["isakmp.ispi"][0] + facts.phase_1[-1]["isakmp.rspi"][0])
    seen = [m for m in facts.phase_1 if m["isakmp.ike.nat_hash"]]
    assert [m["ip.src"][0] for m in seen] in ([R1, R2], [R2, R1])
    for m in seen:
        wanted = []
        for address, port in (("ip.dst", "udp.dstport"), ("ip.src", "udp.srcport")):
            text = cookies + bytes(int(n) for n in m[address][0].split(".")) + int(m[port][0]).to_bytes(2, "big")
            wanted.append(hashlib.sha256(text).hexdigest())
        assert m["isakmp.ike.nat_hash"] == wanted


def test_quick_mode(facts):
    case = facts.case
    kinds = [k for k in (case.ah and "2", case.cipher and "3") if k]
    offer = "HASH SA" + " P T" * len(kinds) + " NONCE" + (" KE" if case.pfs else "") + " ID ID"
    assert [(m["ip.src"][0], m["payloads"]) for m in facts.quick] == [(R1, offer), (R2, offer), (R1, "HASH")]
    assert len({one(m, "isakmp.messageid") for m in facts.quick}) == 1 and one(facts.quick[0], "isakmp.messageid") != "0x00000000"
    assert all(m["isakmp.flag_e"] == ["1"] and len(one(m, "isakmp.hash")) == 64 for m in facts.quick)
    for m in facts.quick[:2]:
        assert sorted(m["isakmp.prop.protoid"]) == kinds
        assert len(set(m["isakmp.prop.number"])) == 1                    # one proposal: both protocols or none
        assert m["isakmp.ipsec.attr.encap_mode"] == ["2" if case.transport else "1"] * len(kinds)
        of = {"2": case.ah and AH[case.ah], "3": case.cipher and (ESP_CIPHERS[case.cipher][0], AUTHS.get(case.auth))}
        assert m["isakmp.trans.id"] == [str(of[kind][0]) for kind in m["isakmp.prop.protoid"]]
        assert m["isakmp.ipsec.attr.auth_algorithm"] == [str(of[kind][1]) for kind in m["isakmp.prop.protoid"] if of[kind][1]]
        assert m["isakmp.ipsec.attr.key_length"] == [str(n) for n in (case.cipher and ESP_CIPHERS[case.cipher][1],) if n]
        assert m["isakmp.ipsec.attr.group_description"] == ([str(case.pfs)] * len(kinds) if case.pfs else [])
        assert list(zip(m["isakmp.ipsec.attr.life_type"], m["isakmp.ipsec.attr.life_duration"])) == [("1", "3600"), ("2", "4608000")] * len(kinds)
        assert len(m["isakmp.key_exchange.data"]) == bool(case.pfs)
        if case.transport:
            assert m["isakmp.id.type"] == ["1", "1"] and m["isakmp.id.data.ipv4_addr"] == [R1, R2] and m["isakmp.id.protoid"] == ["1", "1"]
        else:
            assert m["isakmp.id.type"] == ["4", "4"] and m["isakmp.id.data.ipv4_addr"] == [NETS["R1"], NETS["R2"]]
            assert m["isakmp.id.data.ipv4_subnet"] == ["255.255.255.0"] * 2 and m["isakmp.id.protoid"] == ["0", "0"]
    spis = facts.offer["isakmp.spi"] + facts.choice["isakmp.spi"]
    assert len(set(spis)) == len(spis) and all(int(spi, 16) > 255 for spi in spis)


def chain(case):
    """The protocols of a protected packet, as tshark names them once it has the keys."""
    return ["eth", "ethertype", "ip", *(["ah"] if case.ah else []), *(["esp"] if case.cipher else []), *([] if case.transport else ["ip"]), "icmp"]


def test_protected_packets(facts):
    case = facts.case
    rows = facts.wire.rows("(ah || esp) && !isakmp", "frame.protocols", "ip.src", "ip.dst", "ah.spi", "ah.sequence", "ah.next_header", "ah.icv", "esp.spi",
                           "esp.sequence", "esp.protocol", "esp.icv_good", "icmp.type", "icmp.seq")
    assert len(rows) == 2 * shoot.PINGS
    spis = {R1: dict((sa[0], f"0x{sa[4]:08x}") for sa in facts.outbound("R1")), R2: dict((sa[0], f"0x{sa[4]:08x}") for sa in facts.outbound("R2"))}
    counted = {R1: 0, R2: 0}
    for protocols, src, dst, ah_spi, ah_seq, ah_next, ah_icv, esp_spi, esp_seq, esp_next, icv, kind, number in rows:
        sender = src[0]
        counted[sender] += 1
        assert [p for p in protocols[0].split(":") if p != "data"] == chain(case)
        assert {src[0], dst[0]} == {R1, R2}
        if not case.transport:
            assert (src[1], dst[1]) == ((HOSTS["R1"], HOSTS["R2"]) if sender == R1 else (HOSTS["R2"], HOSTS["R1"]))
        assert kind == ["8" if sender == R1 else "0"]
        inside = "1" if case.transport else "4"
        if case.ah:
            assert ah_spi == [spis[sender]["ah"]] and ah_seq == [str(counted[sender])]
            assert int(ah_next[0], 0) == (50 if case.cipher else int(inside))
        if case.cipher:
            assert esp_spi == [spis[sender]["esp"]] and esp_seq == [str(counted[sender])] and int(esp_next[0], 0) == int(inside)
            assert icv == (["1"] if case.auth or "gcm" in case.cipher else [])
    assert counted == {R1: shoot.PINGS, R2: shoot.PINGS}


def test_without_keys_it_is_dark(facts):
    done = subprocess.run(["tshark", "-n", "-r", facts.wire.path, "-Y", "(icmp && esp) || (isakmp.flag_e == 1 && isakmp.hash)"],
                          capture_output=True, text=True, env={**os.environ, "WIRESHARK_CONFIG_DIR": "/nonexistent"})
    assert done.returncode == 0 and done.stdout == ""


SHOWS = {"show crypto isakmp sa detail": truth.isakmp_detail, "show crypto isakmp sa": truth.isakmp_brief, "show crypto ipsec sa": truth.ipsec,
         "show crypto session": truth.session}


@pytest.mark.parametrize("router", OUTSIDE)
@pytest.mark.parametrize("command", SHOWS)
def test_shows_tell_what_the_wire_tells(shot, facts, router, command):
    rows, text = SHOWS[command](facts, router), shot.shows[router, command]
    assert truth.compare(rows, text) == []
    for value, falsified in truth.falsified(rows, text):
        assert truth.compare(rows, falsified) != [], f"a wrong {value} is not noticed"


@pytest.mark.parametrize("router", OUTSIDE)
def test_log_lines_tell_what_the_wire_tells(shot, facts, router):
    rows, text = truth.log(facts, router), "\n".join(shot.logs[router])
    assert truth.compare(rows, text) == []
    for value, falsified in truth.falsified(rows, text):
        assert truth.compare(rows, falsified) != [], f"a wrong {value} is not noticed"


def test_the_guide_names_packets_that_are_there(shot):
    text = shoot.guide([shot])
    assert len(re.findall(r"^\| \d+ \| ", text, re.M)) == len(shot.case.look) > 0
