#!/usr/bin/python3
"""Every capability of Postern x every peer x both roles: negotiated, carrying traffic, looked at on the wire.

  hostA -- R1 Postern 203.0.113.1 -- internet -- 198.51.100.2 R2 the peer -- hostB

  matrix.py [--slice] [--only PEER]... [--part PART] [--match REGEX] [--bin DIR] [--out build/matrix.json]
  matrix.py --summary FILE.json...        README's table of these results

peers    native             strongSwan with its own ESP: in UDP, tunnel mode
         strongswan-kernel  strongSwan over a kernel's ESP, in a guest: native ESP on the wire
         libreswan          the same kernel
         postern            a second Postern; the internet link is the judge
roles    what the peer is: responder and initiator; of what happens later (rekeying, DELETE) the one who begins it
A row is an object with `name`, `capability`, `lacks(peer, role)`: why there can be no such cell, or None, and `judge(bench, role)`: why
it fails, or None. PARTS lists who has rows. --slice is the part that `make check` runs. A cell that cannot be is empty, with the
reason; one that nothing tried is "untested", and the whole matrix fails of it.
"""
import argparse
import json
import os
import re
import subprocess
import sys
import threading
import time

import matrix_ike
import matrix_manual
import matrix_rows
from matrix_bench import BACKENDS, ROOT, Bench, LabError
from matrix_table import ROLES, summary, table, untested

PARTS = {"ike": matrix_ike.rows_of, "algorithms": matrix_rows.rows_of, "manual": matrix_manual.rows_of}


def rows_of(kind, part=None, only_slice=False):
    return [row for name, rows in PARTS.items() if part in (None, name) for row in rows(kind, only_slice)]


def capabilities():
    """All of them, in the table's order."""
    return list(dict.fromkeys(row.capability for kind in BACKENDS for row in rows_of(kind)))


def run_kind(kind, args, results, lock):
    peer, backend = BACKENDS[kind]

    def note(row, capability, role, result, reason=""):
        with lock:
            results.append({"row": row, "capability": capability, "peer": peer, "role": role, "backend": backend, "result": result,
                            "reason": reason})
            with open(args.out, "w") as file:           # a run that is ended early keeps what it has found
                json.dump(results, file, indent=1)
            print(f"{peer:10} {backend:15} {role:9} {result:5} {row}" + (f"  ({reason})" if reason else ""), flush=True)

    rows = [row for row in rows_of(kind, args.part, args.slice) if re.search(args.match, row.name)]
    try:
        bench = Bench(kind, args.bin)
    except (LabError, RuntimeError, OSError, subprocess.SubprocessError) as why:
        note("all", "", "both", "FAIL", str(why))
        return
    try:
        for row in rows:
            for role in getattr(row, "roles", ROLES):
                lacks = row.lacks(bench.peer, role)
                if lacks:
                    wrong = None if args.slice else bench.disproved(row, role, lacks)
                    note(row.name, row.capability, role, "FAIL" if wrong else "empty", wrong or lacks)
                    continue
                try:
                    bench.revive()
                    wrong = row.judge(bench, role)
                except Exception as why:                # whatever it is, this cell has not passed
                    wrong = f"{type(why).__name__}: {why}"
                note(row.name, row.capability, role, "FAIL" if wrong else "pass", wrong or "")
                if wrong and args.verbose:
                    print(bench.peer.log_tail(), flush=True)
    finally:
        bench.down()


def main():
    top = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    top.add_argument("--slice", action="store_true")
    top.add_argument("--only", choices=BACKENDS, action="append")
    top.add_argument("--part", choices=PARTS)
    top.add_argument("--match", default="")
    top.add_argument("--bin", default=f"{ROOT}/build/bin")
    top.add_argument("--out", default=f"{ROOT}/build/matrix.json")
    top.add_argument("--verbose", action="store_true")
    top.add_argument("--summary", nargs="+", metavar="JSON", help="only print README's table of these results")
    args = top.parse_args()
    if args.summary:
        found = {}                              # of a cell that stands in several files the last one counts
        for path in args.summary:
            with open(path) as file:
                found.update({(one["row"], one["peer"], one["backend"], one["role"]): one for one in json.load(file)})
        print(summary(list(found.values()), capabilities()))
        return 0
    os.makedirs(os.path.dirname(args.out), exist_ok=True)
    results, lock, begun = [], threading.Lock(), time.monotonic()
    threads = [threading.Thread(target=run_kind, args=(kind, args, results, lock)) for kind in args.only or BACKENDS]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    count = {result: sum(one["result"] == result for one in results) for result in ("pass", "FAIL", "empty")}
    print(table(results))
    print("\n" + summary(results, capabilities()))
    holes = [] if args.slice or args.only or args.part or args.match else untested(results, capabilities())
    for hole in holes:
        print("untested: " + ", ".join(hole))
    print(f"\n{count['pass']} pass, {count['FAIL']} fail, {count['empty']} empty, in {time.monotonic() - begun:.0f} s: {args.out}")
    return 1 if count["FAIL"] or holes or not count["pass"] else 0


if __name__ == "__main__":
    sys.exit(main())
