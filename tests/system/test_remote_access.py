"""Road warriors: strongSwan as the client of R1's crypto map, with XAUTH, an address of a pool, and ESP in UDP.

    hostA 192.168.1.10 -- R1 203.0.113.1 -- internet -- 198.51.100.2 .11 to .20 R2: strongSwan, virtual addresses 10.10.0.x
"""
import os
import re
import tempfile

import pytest

import remote
import rig
from rig import until

pytestmark = pytest.mark.xdist_group("remote")
USERS = {"alice": "a pass word", "bob": "bobs", "mallory": "not-hers", **{f"u{n}": f"password-{n}" for n in range(1, 11)}}
WARNING = 0x600000


@pytest.fixture(scope="module")
def site():
    with tempfile.TemporaryDirectory() as folder:
        clients = [remote.connection("alice", "alice"), remote.connection("mallory", "mallory"),
                   remote.connection("staff", "bob", group="STAFF")]
        clients += [remote.connection(f"u{n}", f"u{n}", local=f"198.51.100.{10 + n}") for n in range(1, 11)]
        with open(f"{folder}/road.conf", "w") as file:
            file.write(remote.configuration(clients, USERS))
        with open(f"{folder}/road.strongswan.conf", "w") as file:
            file.write(remote.DAEMON)
        made = rig.Site("remote", peer="strongswan", bare=True, r2=f"{folder}/road.conf")
    try:
        for n in range(1, 11):
            made.run("R2", "ip", "addr", "add", f"198.51.100.{10 + n}/24", "dev", "gi0-0")
        made.configure("R1", *remote.SERVER, *(f"username u{n} secret password-{n}" for n in range(1, 11)))
        yield made
    finally:
        made.down()


def up(site, name):
    return site.run("R2", "swanctl", "--initiate", "--child", name, "--timeout", "150", check=False)


def down(site, name):
    site.run("R2", "swanctl", "--terminate", "--ike", name, "--timeout", "5", check=False)


def test_a_client_gets_address_and_name_server_and_reaches_the_network(site):
    said = up(site, "alice")
    assert "XAuth authentication of 'alice' (myself) successful" in said, said
    assert "initiate completed successfully" in said, said
    vip = re.search(r"installing new virtual IP (10\.10\.0\.\d+)", said).group(1)
    assert "nameserver 192.168.1.53" in site.run("R2", "cat", "/run/resolv.conf")
    assert "narrowed CHILD_SA to UNITY_SPLIT_INCLUDE 192.168.1.0/24" in said, said     # the list of group default
    assert site.ping("R2", "192.168.1.10", count=3) == (3, 3)
    assert site.ping("hostA", vip, count=3) == (3, 3)
    screen = site.show("R1", "show crypto session")
    assert re.search(rf"^Username: alice\nGroup: default\nAssigned address: {re.escape(vip)}$", screen, re.M), screen
    assert "UP-ACTIVE" in screen and f"host {vip}" in screen, screen
    assert re.search(rf"^  {re.escape(vip)} +alice$", site.show("R1", "show ip local pool CLIENTS"), re.M)
    site.log_has("R1", rf"%CRYPTO-6-VPN_TUNNEL_STATUS: \(Server\)  New tunnel  User=alice .*Assigned_client_addr={re.escape(vip)}")
    down(site, "alice")
    until(lambda: " 20       0" in site.show("R1", "show ip local pool"), 20, "the lease's end")
    assert "a pass word" not in site.show("R1", "show logging")


def test_a_wrong_password_is_refused_and_said(site):
    said = up(site, "mallory")
    assert "initiate completed successfully" not in said, said
    log = until(lambda: (lambda s: s if "REJECTED" in s else None)(site.show("R1", "show logging")), 20, "a log line")
    assert "Authentication REJECTED  User=mallory  Group=default  Client_public_addr=198.51.100.2" in log, log
    assert "not-hers" not in log
    until(lambda: "Username" not in site.show("R1", "show crypto session"), 20, "the end of her session")
    down(site, "mallory")


def test_a_group_is_known_by_its_key_in_aggressive_mode(site):
    said = up(site, "staff")
    assert "initiate completed successfully" in said, said
    assert "installing new virtual IP 10.20.0.1" in said, said
    assert "nameserver 192.168.1.54" in site.run("R2", "cat", "/run/resolv.conf")
    assert site.ping("R2", "192.168.1.10", count=3) == (3, 3)
    assert re.search(r"^Username: bob\nGroup: STAFF$", site.show("R1", "show crypto session"), re.M)
    site.console("R1", "clear crypto session username bob")
    until(lambda: "Username" not in site.show("R1", "show crypto session"), 20, "the end of his session")
    down(site, "staff")


def test_ten_clients_at_once(site):
    starts = [site.start("R2", "swanctl", "--initiate", "--child", f"u{n}", "--timeout", "300") for n in range(1, 11)]
    said = [start.communicate(timeout=400)[0] for start in starts]
    vips = [re.search(r"installing new virtual IP (10\.10\.0\.\d+)", text) for text in said]
    assert all(vips), said
    vips = [vip.group(1) for vip in vips]
    assert len(set(vips)) == 10, vips
    for vip in vips:
        assert site.ping("hostA", vip, count=2) == (2, 2)
    screen = site.show("R1", "show crypto session")
    assert sorted(re.findall(r"^Username: (u\d+)$", screen, re.M)) == sorted(f"u{n}" for n in range(1, 11)), screen
    assert "      10      10\n" in site.show("R1", "show ip local pool"), site.show("R1", "show ip local pool")
    # One leaves; the others stay.
    down(site, "u3")
    until(lambda: "      11       9\n" in site.show("R1", "show ip local pool"), 20, "the lease's end")
    assert site.ping("hostA", vips[4], count=2) == (2, 2)
    for n in range(1, 11):
        down(site, f"u{n}")
    until(lambda: " 20       0" in site.show("R1", "show ip local pool"), 20, "all leases' end")


def test_a_client_outlives_ikemgrd_and_keeps_its_address(site):
    first = re.search(r"installing new virtual IP (10\.10\.0\.\d+)", up(site, "alice")).group(1)
    site.kill("R1", "ikemgrd")
    until(lambda: "UP-NO-IKE" in site.show("R1", "show crypto session"), 20, "the pair of before")
    assert site.ping("hostA", first, count=3) == (3, 3)
    second = re.search(r"installing new virtual IP (10\.10\.0\.\d+)", up(site, "u1")).group(1)
    assert first != second
    assert site.ping("hostA", first, count=2) == (2, 2) and site.ping("hostA", second, count=2) == (2, 2)
    for name in ("alice", "u1"):
        down(site, name)
    site.console("R1", "clear crypto session")


def test_a_client_outlives_datapathd(site):
    """The policy of the dynamic map is put again, and a pair made for it, without a word of the client's user."""
    address = re.search(r"installing new virtual IP (10\.10\.0\.\d+)", up(site, "alice")).group(1)
    assert site.ping("hostA", address, count=3) == (3, 3)
    with site.capture("lost") as wire:
        old = site.pid("R1", "datapathd")
        traffic = site.start("hostA", "ping", "-n", "-i", "0.01", "-w", "12", address)
        site.kill("R1", "datapathd")
        until(lambda: site.pid("R1", "datapathd") != old, 5, "datapathd started again")
        until(lambda: site.ping("hostA", address, count=3, interval=0.1, wait=1) == (3, 3), 10, "passing to the client")
        assert site.ping("R2", "192.168.1.10", count=3) == (3, 3)
        traffic.wait()
    assert wire.clear_text(other=address) == []
    assert f"host {address}" in site.show("R1", "show crypto session")
    down(site, "alice")
    site.console("R1", "clear crypto session")


def test_tshark_reads_the_transactions_with_the_exported_keys(site):
    site.console("R1", "debug crypto isakmp export flash:ike.keys")
    with site.capture("xauth") as wire:
        assert "initiate completed successfully" in up(site, "alice")
        down(site, "alice")
    path = f"/var/tmp/postern-lab/{site.name}/R1/data/flash/ike.keys"
    until(lambda: os.path.exists(path) and os.path.getsize(path), 20, "the exported keys")
    with open(path) as file:
        keys = [line.strip() for line in file if line.strip() and not line.startswith("#")]
    options = [word for key in keys for word in ("-o", "uat:ikev1_decryption_table:" + key)]
    lines = wire.read("isakmp.exchangetype == 6", "isakmp.cfg.type", "isakmp.cfg.attr.type", "isakmp.cfg.attr.xauth.user_name",
                      "isakmp.cfg.attr.internal_ip4_address", options=options)
    kinds = [line.split("\t")[0] for line in dict.fromkeys(lines)]
    assert kinds == ["1", "2", "3", "4", "1", "2"], lines                 # asked, answered; told, acknowledged; asked, answered
    assert any("alice" in line for line in lines) and any("10.10.0." in line for line in lines), lines
    assert wire.read("isakmp && _ws.malformed", options=options) == []
    assert wire.read(f"isakmp && _ws.expert.severity >= {WARNING}", options=options) == []
