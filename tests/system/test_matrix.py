"""The slice of the matrix that fits a test run: other vendors' gateways as responder and as initiator (matrix.py).

    hostA -- R1 Postern -- internet -- R2 strongSwan or libreswan -- hostB
"""
import json
import os
import subprocess
import sys

import pytest

from rig import BIN

HERE = os.path.dirname(os.path.realpath(__file__))


def run_slice(kind, folder):
    out = folder / "matrix.json"
    done = subprocess.run([sys.executable, f"{HERE}/matrix.py", "--slice", "--only", kind, "--bin", BIN, "--out", str(out)],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=900)
    with open(out) as file:
        return json.load(file), done.stdout


@pytest.mark.parametrize("kind, rows", [("native", 22), ("strongswan-kernel", 14), ("libreswan", 13)])
def test_every_cell_of_the_slice_passes_or_has_its_reason(kind, rows, tmp_path):
    results, said = run_slice(kind, tmp_path)
    assert [one for one in results if one["result"] == "FAIL" or not (one["result"] == "pass" or one["reason"])] == [], said
    assert len({one["row"] for one in results}) == rows, said
    assert len(results) == 2 * rows, said
