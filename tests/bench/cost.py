"""What a gigabit of TCP costs in processor time, all programs of the path together: for machines that are not left alone, where
throughput says little. The subjects take turns, so only the ratios count. Needs `make bench-build`. Arguments: --offloads on|off,
--rounds N, and names of bench.py's subjects (all without).
"""
import argparse
import glob
import os
import resource
import statistics
import sys

sys.path.insert(0, os.path.dirname(__file__))
import bench  # noqa: E402
import enginenet as en  # noqa: E402

SECONDS = 2


def ended():
    r = resource.getrusage(resource.RUSAGE_CHILDREN)
    return r.ru_utime + r.ru_stime


def running(subject):
    """Seconds that the gateways' programs have had, all threads."""
    programs = [subject.a.p, subject.b.p] if isinstance(subject, en.Pair) else getattr(subject, "p", [])
    total = 0
    for p in programs:
        for path in glob.glob(f"/proc/{p.pid}/task/*/schedstat"):
            with open(path, encoding="ascii") as f:
                total += int(f.read().split()[0])
    return total / 1e9


def cost(net, name):
    """Milliseconds a gigabit; None: nothing came through. iperf3's warm-up second is paid for too."""
    subject = bench.SUBJECTS[name](net)
    try:
        net.ping(3)
        before = ended() + running(subject)
        gigabits = bench.tcp(net, SECONDS) / 1000 * (SECONDS + 1)
        return (ended() + running(subject) - before) / gigabits * 1000 if gigabits else None
    finally:
        subject.stop()


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--offloads", choices=("on", "off"), default="on")
    ap.add_argument("--rounds", type=int, default=5)
    ap.add_argument("subjects", nargs="*", default=list(bench.SUBJECTS))
    args = ap.parse_args()
    net, costs = en.Net("cost"), {name: [] for name in args.subjects}
    try:
        bench.offloads(net, args.offloads == "on")
        for _ in range(args.rounds):
            for name in args.subjects:
                costs[name].append(cost(net, name))
    finally:
        net.close()
    print(f"{'ms of processor time a gigabit':32}{'least':>10}{'median':>10}{'most':>10}")
    for name, all_ in costs.items():
        good = [c for c in all_ if c]
        print(f"{name:32}" + "".join(f"{f(good):10.0f}" for f in (min, statistics.median, max)) if good else f"{name:32}   nothing came through")


if __name__ == "__main__":
    main()
