"""Rekeys by time under steady traffic: nothing lost, nothing in clear.

    hostA 192.168.1.10 -- R1 203.0.113.1 -- internet -- 198.51.100.2 R2 -- 192.168.2.10 hostB
"""
import pytest

from conftest import site_fixture

site = site_fixture("rekey")
pytestmark = pytest.mark.xdist_group("rekey")


def test_three_rekeys_of_phase_2_and_one_of_phase_1(site):
    for router in ("R1", "R2"):
        site.configure(router, "crypto ipsec security-association lifetime seconds 120", "crypto isakmp policy 10", "lifetime 200")
    with site.capture("rekeys") as wire:
        assert site.ping(count=3000, interval=0.1) == (3000, 3000)
    assert wire.clear_text() == []
    assert len(set(wire.read("esp && ip.src==203.0.113.1", "esp.spi"))) >= 4
    assert len(set(wire.read("isakmp && isakmp.exchangetype==2", "isakmp.ispi"))) >= 2
