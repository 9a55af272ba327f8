"""Road warriors: strongSwan as the client of R1's crypto map, with XAUTH, an address of a pool, and ESP in UDP.

    hostA 192.168.1.10 -- R1 203.0.113.1 -- internet -- 198.51.100.2 .11 to .20 R2: strongSwan, virtual addresses 10.10.0.x
"""
import os
import re
import tempfile

import pytest

import remote
import rig
from authority import Authority, enroll
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
        traffic = site.start("hostA", "ping", "-n", "-q", "-i", "0.01", "-w", "12", address)
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


@pytest.fixture(scope="module")
def certificates(site, tmp_path_factory):
    """Clients of units, one CA for all, and another that R1 does not know; R1's own certificate, and a policy for them."""
    ca, other = Authority(tmp_path_factory.mktemp("ca"), kind="rsa"), Authority(tmp_path_factory.mktemp("other"), "/O=Acme/CN=Other", "rsa")
    said = site.console("R1", "configure terminal", "crypto key generate rsa label RSA modulus 2048", "end")
    assert "[OK]" in said, said
    enroll(lambda text: site.console("R1", "configure terminal", *text.split("\n"), "end"), ca, "CA", "rsakeypair RSA", "CN=R1,O=Acme")
    site.configure("R1", "crypto isakmp policy 20", "encryption aes 256", "hash sha256", "authentication rsa-sig", "group 14")
    folder = f"/var/tmp/postern-lab/{site.name}/R2/ike"
    for name in ("x509", "x509ca", "private"):
        os.makedirs(f"{folder}/{name}", exist_ok=True)
    for authority, name, subject in ((ca, "plain", "/O=Acme/CN=laptop"), (ca, "STAFF", "/O=Acme/OU=STAFF/CN=laptop"),
                                     (other, "forged", "/O=Acme/CN=forger")):
        authority.issue(name, "rsa", subject)
        for kind, target in ((f"{name}.pem", "x509"), (f"{name}.key", "private")):
            with open(f"{authority.dir}/{kind}") as one, open(f"{folder}/{target}/{kind}", "w") as copy:
                copy.write(one.read())
    with open(f"{folder}/x509ca/ca.pem", "w") as file:
        file.write(ca.pem)
    laptops = [remote.certified("laptop", "alice", "plain"), remote.certified("laptop-aggressive", "bob", "STAFF", aggressive="yes"),
               remote.certified("laptop-stolen", "mallory", "plain"), remote.certified("laptop-forged", "alice", "forged")]
    with open(f"{folder}/swanctl.conf", "a") as file:
        file.write("connections {\n" + "".join(laptops) + "}\n")
    site.run("R2", "swanctl", "--load-all", "--clear")


def logged(site, words):
    return until(lambda: words in site.show("R1", "show logging"), 20, words)


@pytest.mark.parametrize("name, user, group, vip", [("laptop", "alice", "default", r"10\.10\.0\.\d+"),
                                                    ("laptop-aggressive", "bob", "STAFF", r"10\.20\.0\.\d+")])
def test_a_certificate_and_a_password_in_both_modes(site, certificates, name, user, group, vip):
    """XAUTHInitRSA: the machine proves itself by its certificate, whose OU names the group, and the user by XAUTH."""
    with site.capture(name) as wire:
        said = up(site, name)
    assert f"XAuth authentication of '{user}' (myself) successful" in said, said
    assert "initiate completed successfully" in said, said
    address = re.search(rf"installing new virtual IP ({vip})\n", said).group(1)
    assert site.ping("hostA", address, count=3) == (3, 3)
    assert re.search(rf"^Username: {user}\nGroup: {group}\n", site.show("R1", "show crypto session"), re.M)
    assert re.search(r"aes\s+sha256\s+rsig", site.show("R1", "show crypto isakmp sa detail"))
    assert "65005" in wire.read("isakmp.ike.attr.authentication_method", "isakmp.ike.attr.authentication_method")
    down(site, name)
    until(lambda: "Username" not in site.show("R1", "show crypto session"), 20, "the client gone")


def test_a_good_certificate_does_not_replace_the_password(site, certificates):
    said = up(site, "laptop-stolen")
    assert "initiate completed successfully" not in said and "virtual IP" not in said, said
    logged(site, "Authentication REJECTED  User=mallory  Group=default  Client_public_addr=198.51.100.2")
    assert "Username" not in site.show("R1", "show crypto session")
    down(site, "laptop-stolen")


def test_a_good_password_does_not_replace_the_certificate(site, certificates):
    said = up(site, "laptop-forged")
    assert "initiate completed successfully" not in said and "XAuth authentication" not in said, said
    logged(site, "%CRYPTO-5-IKMP_INVAL_CERT: Certificate received from 198.51.100.2 is bad")
    down(site, "laptop-forged")


def test_a_client_with_a_certificate_is_not_let_off_by_no_xauth(site, certificates):
    """`no-xauth` stands at a key: it is for the routers that have that key."""
    site.configure("R1", "no crypto isakmp key lab-key address 0.0.0.0", "crypto isakmp key lab-key address 0.0.0.0 no-xauth")
    said = up(site, "laptop-stolen")
    assert "initiate completed successfully" not in said, said
    down(site, "laptop-stolen")
    site.configure("R1", "no crypto isakmp key lab-key address 0.0.0.0", "crypto isakmp key lab-key address 0.0.0.0")
