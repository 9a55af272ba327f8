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


def pytest_collection_modifyitems(items):
    """The longest begin first, so that the others fill the time beside them."""
    first = ("test_long_rekey", "test_matrix", "test_captures", "test_router", "test_endings", "test_protection", "test_quick_mode", "test_phase1")
    items.sort(key=lambda item: next((n for n, name in enumerate(first) if name in item.nodeid), len(first)))
