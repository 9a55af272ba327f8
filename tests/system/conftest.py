import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(__file__))
import rig  # noqa: E402


def site_fixture(name, scope="module", **options):
    """A fixture that brings a lab up for its tests and takes it down after them."""
    @pytest.fixture(scope=scope)
    def site():
        made = rig.Site(name, **options)
        try:
            yield made
        finally:
            made.down()
    return site
