"""Rekeys under load: two whole routers, 500 Mb/s of UDP from hostA to hostB, phases 1 and 2 renewed meanwhile by time or volume.

    hostA 192.168.1.10 -- R1 203.0.113.1 -- internet -- 198.51.100.2 R2 -- 192.168.2.10 hostB

Prints what was sent and lost, the rekeys that the link saw, and the same rate without rekeys beside it, since hosts and routers
share the machine's cores. Arguments: --mbps N (500), --seconds N (150).
"""
import argparse
import os
import signal
import sys

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "system"))
import rig  # noqa: E402

PKTGEN = os.path.join(os.environ.get("BUILD", "build"), "bench", "pktgen")
SIZE = 1372
PORT = "7000"


def stream(site, mbps, seconds):
    """(sent, received) at that rate."""
    pps, ms = int(mbps * 1e6 / 8 / SIZE), int(seconds * 1000)
    receiver = site.start("hostB", PKTGEN, "recv", PORT, str(ms + 1000))
    receiver.stdout.readline()
    sent = int(site.run("hostA", PKTGEN, "send", "192.168.2.10", PORT, str(SIZE), str(pps), str(ms), timeout=seconds + 60))
    return sent, int(receiver.communicate(timeout=30)[0])


def main():
    arguments = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    arguments.add_argument("--mbps", type=float, default=500)
    arguments.add_argument("--seconds", type=float, default=150)
    given = arguments.parse_args()
    site = rig.Site("rekey-bench")
    try:
        site.ping(count=3)
        for name, seconds, lines in (
                ("no rekey", 10, ()),
                ("by volume", 20, ("crypto ipsec security-association lifetime kilobytes 100000",)),
                ("by time", given.seconds, ("crypto ipsec security-association lifetime kilobytes disable",
                                            "crypto ipsec security-association lifetime seconds 120",
                                            "crypto isakmp policy 10", "lifetime 60"))):
            for router in ("R1", "R2"):
                if lines:
                    site.configure(router, *lines)
                site.console(router, "clear crypto session")
            site.ping(count=3)
            wire = rig.Capture(site, f"{site.dir}/{name.replace(' ', '-')}.pcap")
            watch = site.start("internet", "sh", "-c", f"echo $$; exec tcpdump -q -U -i r1 -w {wire.path} udp port 500 2>/dev/null")
            pid = int(watch.stdout.readline())
            sent, got = stream(site, given.mbps, seconds)
            os.kill(pid, signal.SIGTERM)
            watch.wait(10)
            phase_2 = len(set(wire.read("isakmp.exchangetype==32", "isakmp.messageid")))
            phase_1 = len(set(wire.read("isakmp.exchangetype==2", "isakmp.ispi")))
            print(f"{name:10} sent {sent:9} lost {sent - got:6}  quick modes {phase_2:3}  main modes {phase_1:3}", flush=True)
    finally:
        site.down()


if __name__ == "__main__":
    main()
