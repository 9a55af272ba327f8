"""A decoder that is not ours reads every payload: tshark, with the keys that the privileged debug export writes.

    hostA 192.168.1.10 -- R1 203.0.113.1 -- internet -- 198.51.100.2 R2 -- 192.168.2.10 hostB
"""
import os

import pytest

from conftest import site_fixture
from rig import until

site = site_fixture("decode")
pytestmark = pytest.mark.xdist_group("decode")

WARNING = 0x600000


def test_tshark_decodes_every_payload_without_an_expert_warning(site):
    site.console("R1", "debug crypto isakmp export flash:ike.keys")
    with site.capture() as wire:
        assert site.ping(count=3) == (3, 3)
        site.console("R1", "clear crypto sa")            # a DELETE, and a second quick mode
        assert site.ping(count=3) == (3, 3)
        site.console("R1", "clear crypto isakmp")
    path = f"/var/tmp/postern-lab/{site.name}/R1/data/flash/ike.keys"
    until(lambda: os.path.exists(path) and os.path.getsize(path), 20, "the exported keys")
    assert os.stat(path).st_mode & 0o077 == 0
    with open(path) as file:
        keys = [line.strip() for line in file if line.strip() and not line.startswith("#")]
    options = [word for key in keys for word in ("-o", "uat:ikev1_decryption_table:" + key)]
    assert wire.read(f"isakmp && _ws.expert.severity >= {WARNING}", options=options) == []
    assert wire.read("isakmp && _ws.malformed", options=options) == []
    encrypted = wire.read("isakmp.flag_e == 1", "isakmp.exchangetype", "isakmp.typepayload", options=options)
    assert len(encrypted) >= 2 + 3 + 1 + 3
    for line in encrypted:                                # decrypted: the payloads behind the header are named
        assert line.split("\t")[1], line
    quick = wire.read("isakmp.exchangetype == 32 && isakmp.typepayload == 5", "isakmp.id.data.ipv4_addr", options=options)
    assert any("192.168.1.0" in line and "192.168.2.0" in line for line in quick), quick


def test_without_the_keys_nothing_of_quick_mode_can_be_read(site):
    with site.capture("dark") as wire:
        assert site.ping(count=1) == (1, 1)
    assert wire.read("isakmp.exchangetype == 32 && isakmp.typepayload == 5") == []
