"""scep_server.py on a node of the lab."""
import os
import signal

from rig import ROOT
from scep_server import Ca


class LabCa:
    """A CA that speaks SCEP at http://ADDRESS; `authority` issues by hand what it would grant."""

    def __init__(self, site, node, address, folder):
        self.server = site.start(node, "/usr/bin/python3", f"{ROOT}/tests/system/scep_server.py", str(folder), address, "80")
        self.pid = int(self.server.stdout.readline())
        self.authority = Ca(str(folder)).ca

    def stop(self):
        os.kill(self.pid, signal.SIGTERM)
        self.server.wait()
