#!/usr/bin/python3
"""Every encryption x hash x group that Postern and another vendor's gateway both have: negotiated, and carrying traffic.

  hostA -- R1 Postern 203.0.113.1 -- internet -- 198.51.100.2 R2 the peer -- hostB

  matrix.py [--slice] [--only native|strongswan-kernel|libreswan] [--match REGEX] [--bin DIR] [--out build/matrix.json]

peers    native             strongSwan with its own ESP: in UDP, tunnel mode
         strongswan-kernel  strongSwan over a kernel's ESP, in a guest: native ESP on the wire
         libreswan          the same kernel
roles    what the peer is: responder (traffic of hostA starts the tunnel) and initiator
A row passes when pings pass, R1 shows the SAs, the peer shows the row's algorithms, and the internet link saw ESP in the right
form and nothing in clear. --slice is the part that `make check` runs. A cell that one side cannot fill is empty, with the reason.
"""
import argparse
import json
import os
import re
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "lab")]

from labkit import lab as kit, peers                                    # noqa: E402
from labkit.base import Lab, LabError                                             # noqa: E402
from matrix_peers import Libreswan, StrongSwan                          # noqa: E402
from matrix_rows import LIBRESWAN_SLICE, diagonal, product, protections, protections_slice, without_ecp_pfs     # noqa: E402

ROOT = os.path.realpath(f"{HERE}/../..")
LAB = f"{ROOT}/tests/lab/lab"
BACKENDS = {"native": ("strongswan", "kernel-libipsec"), "strongswan-kernel": ("strongswan", "kernel"), "libreswan": ("libreswan", "kernel")}
# What crosses the internet link, counted: ESP, ESP in UDP (its first word is no non-ESP marker), site traffic in clear.
COUNTERS = """table ip matrix {
	counter seen_esp {}
	counter seen_ah {}
	counter seen_udp {}
	counter seen_clear {}
	chain watch {
		type filter hook forward priority 0;
		ip protocol 50 counter name "seen_esp"
		ip protocol 51 counter name "seen_ah"
		ip protocol icmp ip saddr 203.0.113.1 counter name "seen_clear"
		udp dport 4500 @th,64,32 != 0 counter name "seen_udp"
		ip saddr 192.168.0.0/16 counter name "seen_clear"
	}
}
"""


class Bench:
    """One lab with one peer, and the rows that go through it."""

    def __init__(self, kind, bin_dir):
        self.kind = kind
        self.lab = Lab(f"matrix-{kind}-{os.getpid()}")
        up = [LAB, "up", "--name", self.lab.name, "--owner", str(os.getpid()), "--bin", bin_dir,
              "--peer", "strongswan" if kind == "native" else kind]
        done = subprocess.run(up, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"lab up: {done.stderr.strip()}")
        self.facts = self.lab.load()
        subprocess.run([*self.words("internet"), "nft", "-f", "-"], input=COUNTERS, text=True, check=True)
        folder = self.facts["nodes"]["R2"]["dir"]
        words = lambda command: kit.node_words(self.lab, self.facts, "R2", list(command))   # noqa: E731
        self.peer = Libreswan(words, folder) if kind == "libreswan" else StrongSwan(words, folder, encap=kind == "native")

    def words(self, node, *command):
        return kit.node_words(self.lab, self.facts, node, list(command))

    def console(self, *lines):
        typed = "enable\nterminal length 0\n" + "\n".join(lines) + "\n"
        return subprocess.run([LAB, "console", "--name", self.lab.name, "R1"], input=typed, capture_output=True, text=True,
                              timeout=60).stdout.replace("\r", "")

    def configure(self, row):
        screen = self.console(
            "configure terminal", "crypto isakmp policy 10", f"encryption {row.encryption}", f"hash {row.hash}", f"group {row.group}",
            "exit", f"crypto ipsec transform-set TS {row.transform}", f"mode {'transport' if row.transport else 'tunnel'}",
            "esn" if row.esn else "no esn", "exit", "ip access-list extended ENDS", "10 permit ip host 203.0.113.1 host 198.51.100.2",
            "exit", "crypto map VPN 10", f"match address {'ENDS' if row.transport else 'SITE-B'}",
            f"set pfs group{row.pfs}" if row.pfs else "no set pfs", "end", "clear crypto sa", "clear crypto isakmp",
            "show crypto ipsec sa | include interface")         # an answer is never older than the lines before it
        wrong = re.search(r"^% (?!NOTE|Warning|WARNING|Duplicate).*", screen, re.M)
        return f"the console: {wrong.group(0)}" if wrong else None

    def ping(self, row, count=3):
        """Pings from hostA to hostB until so many came back; returns how many did. The first ones may find a slow peer's SAs not yet
        installed: it has them only after the third message of quick mode."""
        said = subprocess.run(self.words("R1" if row.transport else "hostA", "ping", "-n", "-c", str(count), "-i", "0.25", "-w", "20",
                                         "198.51.100.2" if row.transport else "192.168.2.10"),
                              capture_output=True, text=True).stdout
        found = re.search(r"(\d+) received", said)
        return int(found.group(1)) if found else 0

    def counters(self):
        listed = subprocess.run([*self.words("internet"), "nft", "-j", "reset", "counters", "table", "ip", "matrix"],
                                capture_output=True, text=True, check=True).stdout
        return {entry["counter"]["name"][5:]: entry["counter"]["packets"] for entry in json.loads(listed)["nftables"] if "counter" in entry}

    def judge(self, row, role):
        """None when the row passes, else why not."""
        wrong = self.peer.load(row) or self.configure(row)
        if wrong:
            return wrong
        self.counters()
        if role == "initiator":
            wrong = self.peer.initiate()
            if wrong:
                return wrong
        got = self.ping(row)
        seen = self.counters()
        if got < 2:
            return f"{got} pings came back in 20 s; {self.why()}"
        form = "udp" if self.kind == "native" else "ah" if row.ah else "esp"
        if seen[form] < 2 or any(seen[other] for other in ("udp", "esp", "ah") if other != form) or seen["clear"]:       # what left at once may cross the link as one segment
            return f"on the wire: {seen}"
        return self.shown() or self.peer.check(row)

    def shown(self):
        """What R1's console says of the SAs."""
        screen = self.console("show crypto isakmp sa", "show crypto ipsec sa")
        if not re.search(r"203\.0\.113\.1.*QM_IDLE.*ACTIVE|198\.51\.100\.2.*QM_IDLE.*ACTIVE", screen):
            return "R1 shows no IKE SA"
        encaps, decaps = (re.search(rf"#pkts {word}: (\d+)", screen) for word in ("encaps", "decaps"))
        if not encaps or not decaps or int(encaps.group(1)) < 2 or int(decaps.group(1)) < 2:
            return "R1 shows no packets through its IPsec SA"
        return None

    def why(self):
        said = self.console("show logging")
        lines = [line for line in said.splitlines() if "%CRYPTO" in line and "SESSION_STATUS" not in line]
        return lines[-1].strip() if lines else "no log line"

    def revive(self):
        """Starts the peer's daemon again when a row has killed it."""
        if self.peer.alive():
            return
        start = [f"{peers.QEMU}/peer-ike", "start", self.peer.folder]
        if self.kind == "native":
            subprocess.run(["ip", "netns", "exec", self.lab.netns("R2"), *start, "libipsec"], check=True)
        else:
            peers.guest(self.facts["nodes"]["R2"], *start, peers.GUESTS[self.kind])

    def down(self):
        subprocess.run([LAB, "down", "--name", self.lab.name], check=False)


def rows_of(kind, part):
    if not part:
        return without_ecp_pfs(product()) if kind == "libreswan" else product()
    return {"native": diagonal(12) + protections_slice(), "strongswan-kernel": diagonal(4, 2) + protections_slice(),
            "libreswan": LIBRESWAN_SLICE + protections_slice()}[kind]


def run_kind(kind, args, results, lock):
    peer, backend = BACKENDS[kind]

    def note(row, role, result, reason=""):
        with lock:
            results.append({"row": row, "peer": peer, "role": role, "backend": backend, "result": result, "reason": reason})
            print(f"{peer:10} {backend:15} {role:9} {result:5} {row}" + (f"  ({reason})" if reason else ""), flush=True)

    rows = [row for row in rows_of(kind, args.slice) if re.search(args.match, row.name)]
    try:
        bench = Bench(kind, args.bin)
    except (LabError, RuntimeError, OSError, subprocess.SubprocessError) as why:
        note("all", "both", "FAIL", str(why))
        return
    try:
        for row in rows:
            lacks = bench.peer.lacks(row)
            for role in ("responder", "initiator"):
                if lacks:
                    note(row.name, role, "empty", lacks)
                    continue
                try:
                    bench.revive()
                    wrong = bench.judge(row, role)
                except (LabError, OSError, subprocess.SubprocessError, ValueError) as why:
                    wrong = f"{type(why).__name__}: {why}"
                note(row.name, role, "FAIL" if wrong else "pass", wrong or "")
                if wrong and args.verbose:
                    print(bench.peer.log_tail(), flush=True)
    finally:
        bench.down()


def table(results):
    """One line per row, one column per peer and role."""
    columns = sorted({(one["peer"], one["backend"], one["role"]) for one in results if one["row"] != "all"})
    cells = {}
    for one in results:
        cells.setdefault(one["row"], {})[(one["peer"], one["backend"], one["role"])] = one["result"]
    width = max((len(row) for row in cells), default=0)
    heads = [f"{peer[0]}:{backend[:3]}:{role[:4]}" for peer, backend, role in columns]
    lines = ["", " " * width + "  " + "  ".join(heads)]
    for row, marks in cells.items():
        lines.append(f"{row:{width}}  " + "  ".join(f"{marks.get(column, '-'):{len(head)}}" for column, head in zip(columns, heads)))
    return "\n".join(lines)


def summary(results):
    """README's table: what of each protection was tried with whom, and how it went."""
    peers_of = sorted({(one["peer"], one["backend"]) for one in results if one["row"] != "all"})
    lines = ["| | " + " | ".join(f"{peer}, {backend}" for peer, backend in peers_of) + " |", "|---" * (len(peers_of) + 1) + "|"]
    for kind in ("ESP", "AH", "AH+ESP"):
        for mode in ("tunnel", "transport"):
            cells = []
            for peer in peers_of:
                of = [one for one in results if (one["peer"], one["backend"]) == peer and kind_of(one["row"]) == (kind, mode)]
                good, bad = (sum(one["result"] == result for one in of) for result in ("pass", "FAIL"))
                reasons = sorted({one["reason"] for one in of if one["result"] == "empty"})
                cells.append(", ".join([f"{good} pass"] * bool(good) + [f"{bad} fail"] * bool(bad)) or "; ".join(reasons) or "-")
            lines.append(f"| {kind}, {mode} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def kind_of(row):
    words = row.split()
    kinds = [kind for kind in ("AH", "ESP") if any(word.startswith(f"{kind.lower()}-") for word in words)]
    return "+".join(kinds), "transport" if "transport" in words else "tunnel"


def main():
    top = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    top.add_argument("--slice", action="store_true")
    top.add_argument("--only", choices=BACKENDS, action="append")
    top.add_argument("--match", default="")
    top.add_argument("--bin", default=f"{ROOT}/build/bin")
    top.add_argument("--out", default=f"{ROOT}/build/matrix.json")
    top.add_argument("--verbose", action="store_true")
    top.add_argument("--summary", nargs="+", metavar="JSON", help="only print README's table of these results")
    args = top.parse_args()
    if args.summary:
        print(summary([one for path in args.summary for one in json.load(open(path))]))
        return 0
    results, lock, begun = [], threading.Lock(), time.monotonic()
    threads = [threading.Thread(target=run_kind, args=(kind, args, results, lock)) for kind in args.only or BACKENDS]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    os.makedirs(os.path.dirname(args.out), exist_ok=True)
    with open(args.out, "w") as file:
        json.dump(results, file, indent=1)
    count = {result: sum(one["result"] == result for one in results) for result in ("pass", "FAIL", "empty")}
    print(table(results))
    print("\n" + summary(results))
    print(f"\n{count['pass']} pass, {count['FAIL']} fail, {count['empty']} empty, in {time.monotonic() - begun:.0f} s: {args.out}")
    return 1 if count["FAIL"] or not count["pass"] else 0


if __name__ == "__main__":
    sys.exit(main())
