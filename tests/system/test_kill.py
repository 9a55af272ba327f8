"""Any program may be killed at any moment: traffic passes again by itself, the configuration is whole.

    hostA 192.168.1.10 -- R1 203.0.113.1 -- internet -- 198.51.100.2 R2 -- 192.168.2.10 hostB
"""
import pytest

from conftest import site_fixture
from rig import until

site = site_fixture("kill")
pytestmark = pytest.mark.xdist_group("kill")


@pytest.mark.parametrize("program", ["configd", "ikemgrd", "datapathd", "platformd"])
def test_killed_under_traffic(site, program):
    until(lambda: site.ping(count=1, wait=2) == (1, 1), 30, "a tunnel to begin with")
    before = site.show("R1", "show running-config")
    with site.capture(program) as wire, site.flow(wait=1):
        site.kill("R1", program)
        until(lambda: site.ping(count=3, interval=0.1, wait=2) == (3, 3), 10, f"passing after {program} was killed")
    assert wire.clear_text() == []
    body = lambda text: text.split("version ", 1)[1]  # noqa: E731
    assert body(site.show("R1", "show running-config")) == body(before)


def test_log_buffer_outlives_the_program(site):
    """What was logged before platformd was killed is shown after."""
    site.configure("R1", "logging buffered 16384")
    until(lambda: site.show("R1", "show logging").count("CONFIG_I") >= 1, 10, "a line of the configuration")
    lines = lambda: [line for line in site.show("R1", "show logging").splitlines() if ": %" in line]  # noqa: E731
    before = lines()
    site.kill("R1", "platformd")
    until(lambda: ": %" in site.show("R1", "show logging"), 10, "an answer")
    assert lines()[:len(before)] == before
    assert "16384 bytes" in site.show("R1", "show logging")
    site.configure("R1", "default logging buffered")
