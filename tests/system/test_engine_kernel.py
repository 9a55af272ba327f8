"""The engine against a kernel's own ESP and AH, with SAs put by hand on both sides, in one guest that has such a kernel: every cell of
{ESP, AH, AH+ESP} x {tunnel, transport}, with and without extended sequence numbers, the transforms, ESP in UDP, fragments. What a row
is and demands stands in tests/qemu/xfrm-engine.
"""
import os
import subprocess

import pytest

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
BUILD = os.path.abspath(os.environ.get("BUILD", os.path.join(ROOT, "build")))
CACHE = os.environ.get("POSTERN_CACHE", os.path.join(ROOT, "build", "qemu"))

pytestmark = [
    pytest.mark.xdist_group("kernel"),
    pytest.mark.skipif(os.geteuid() != 0, reason="needs a guest"),
]

CELLS = [f"{mode} {what}" for mode in ("tunnel", "transport")
         for what in ("cbc(aes)+hmac(sha1)", "ah:hmac(sha1)", "cbc(aes)+hmac(sha1) ah:hmac(sha1)",
                      "cbc(aes)+hmac(sha256) esn", "ah:hmac(sha256) esn", "cbc(aes)+hmac(sha256) ah:hmac(sha256) esn")]


def test_engine_and_kernel():
    subprocess.run(["make", "-s", "bench-build"], cwd=ROOT, check=True, env={**os.environ, "BUILD": BUILD})
    subprocess.run([os.path.join(ROOT, "tests", "qemu", "fetch"), CACHE], check=True, capture_output=True)
    out = subprocess.run([os.path.join(ROOT, "tests", "qemu", "qrun"), os.path.join(CACHE, "kernel"), "-t", "1500", "--",
                          os.path.join(ROOT, "tests", "qemu", "xfrm-engine"), os.path.join(BUILD, "bench", "static_sa")],
                         check=False, text=True, capture_output=True, cwd=ROOT)
    lines = [x.split(" [")[0] for x in out.stdout.splitlines()]
    assert out.returncode == 0, out.stdout + out.stderr
    for cell in CELLS:
        assert f"ok   {cell}" in lines, out.stdout
    assert len([x for x in lines if x.startswith("ok ")]) >= 31
