"""The slice of the matrix that fits a test run: other vendors' gateways as responder and as initiator (matrix.py).

    hostA -- R1 Postern -- internet -- R2 strongSwan or libreswan -- hostB
"""
import json
import os
import subprocess
import sys

import pytest

import matrix
from matrix_table import ROLES
from rig import BIN

HERE = os.path.dirname(os.path.realpath(__file__))


def run_slice(kind, folder):
    out = folder / "matrix.json"
    done = subprocess.run([sys.executable, f"{HERE}/matrix.py", "--slice", "--only", kind, "--bin", BIN, "--out", str(out)],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=1800)
    with open(out) as file:
        return json.load(file), done.stdout


@pytest.mark.parametrize("kind", ["native", "strongswan-kernel", "libreswan"])
def test_every_cell_of_the_slice_passes_or_has_its_reason(kind, tmp_path):
    results, said = run_slice(kind, tmp_path)
    assert [one for one in results if one["result"] == "FAIL" or not (one["result"] == "pass" or one["reason"])] == [], said
    cells = [(row.name, role) for row in matrix.rows_of(kind, only_slice=True) for role in getattr(row, "roles", ROLES)]
    assert sorted((one["row"], one["role"]) for one in results) == sorted(cells), said


def test_every_capability_of_ike_is_tried_with_another_vendor_in_a_test_run():
    tried = {row.capability for kind in ("native", "libreswan") for row in matrix.rows_of(kind, "ike", only_slice=True)}
    assert {row.capability for row in matrix.rows_of("native", "ike")} == tried
