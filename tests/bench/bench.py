"""Speed of the engine beside plain forwarding, strongSwan's kernel-libipsec and wireguard-go: same topology, same run.

    hostA 192.168.1.10 -- gwA 203.0.113.1 -- 203.0.113.2 gwB -- 192.168.2.10 hostB

TCP by iperf3, UDP by pktgen (highest rate that loses at most 0.1 %, by bisection, each step verified twice), latency by ping.
Everything once with the links' offloads on and once with all of them off, which is the row most like a real network card.
Prints a table and writes BUILD/bench.json: a list of {name, ours, peer, peer_name, unit, ratio}. Arguments: --quick, --only NAME.
"""
import argparse
import json
import os
import re
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(__file__))
import enginenet as en  # noqa: E402
import peers  # noqa: E402

PKTGEN = os.path.join(en.BUILD, "bench", "pktgen")
HOSTB = "192.168.2.10"
OFFLOADS = ("tso", "gso", "tx", "rx", "sg", "tx-udp-segmentation")
LOSS = 0.001
FLOOR = 2000


def offloads(net, on):
    for node, ifs in (("hostA", ["lan"]), ("gwA", ["lan", "wan"]), ("gwB", ["lan", "wan"]), ("hostB", ["lan"])):
        for name in ifs:
            for o in OFFLOADS:
                net.x(node, "ethtool", "-K", name, o, "on" if on else "off", check=False)
            net.x(node, "ethtool", "-K", name, "gro", "off" if on else "on", check=False)


def tcp(net, seconds, streams=1):
    server = net.popen("hostB", "iperf3", "-s", "-1", stdout=subprocess.DEVNULL)
    time.sleep(0.5)
    out = net.x("hostA", "iperf3", "-c", HOSTB, "-t", str(seconds), "-P", str(streams), "-O", "1", "-J", check=False).stdout
    try:
        server.wait(15)
    except subprocess.TimeoutExpired:
        server.kill()
    try:
        return json.loads(out)["end"]["sum_received"]["bits_per_second"] / 1e6
    except (ValueError, KeyError):
        return 0.0


COUNT = """table netdev arrived {
    chain in {
        type filter hook ingress device "lan" priority 0;
        udp dport 7000 counter drop
    }
}
"""


def trial(net, size, pps, ms):
    """(sent, received) at that rate. Counted where they arrive at hostB, since a program that takes them would need as much of the
    machine as the gateways do. What comes joined counts by its bytes."""
    net.x("hostB", "nft", "-f", "-", input=COUNT)
    try:
        sent = int(net.x("hostA", PKTGEN, "send", HOSTB, "7000", str(size), str(pps), str(ms)).stdout)
        time.sleep(0.4)
        seen, length = map(int, re.search(r"packets (\d+) bytes (\d+)", net.x("hostB", "nft", "list", "table", "netdev", "arrived").stdout).groups())
    finally:
        net.x("hostB", "nft", "delete", "table", "netdev", "arrived", check=False)
    # The sender's first packet, by which it finds its gateway, has one byte.
    return sent, max(0, round((length - 28 * seen - 1) / (size - 28)))


def overload(net, size, ms):
    return trial(net, size, 3_000_000, ms)[1] / (ms / 1000)


def no_loss(net, size, top, ms):
    """The highest rate without loss below `top`, packets a second; a rate that the generator cannot reach counts as reached."""
    def good(rate):
        for _ in range(2):
            sent, got = trial(net, size, rate, ms)
            if sent - got <= sent * LOSS:
                return sent / (ms / 1000)
        return 0

    low, high, best = FLOOR, max(top, 2 * FLOOR), 0
    while high - low > low * 0.08 + 500:
        mid = (low + high) / 2
        rate = good(int(mid))
        if rate:
            best = max(best, rate)
            low = mid
        else:
            high = mid
    return best


def latency(net):
    out = net.x("hostA", "ping", "-n", "-q", "-c", "200", "-i", "0.005", HOSTB, check=False).stdout
    m = re.search(r"= [\d.]+/([\d.]+)/", out)
    return float(m.group(1)) if m else 0.0


def measure(net, quick):
    s, ms = (3, 700) if quick else (6, 1500)
    net.ping(3)
    tcp(net, 1)  # path MTU is known then
    r = {"tcp-1": tcp(net, s), "tcp-4": tcp(net, s, 4), "ping": latency(net)}
    for size in (64, 1372):
        r[f"pps-{size}-overload"] = overload(net, size, ms)
        r[f"pps-{size}-no-loss"] = no_loss(net, size, r[f"pps-{size}-overload"] * 1.3, ms)
    return r


class Plain:
    def __init__(self, _net):
        pass

    def stop(self):
        pass


SUBJECTS = {
    "plain": Plain,
    "libipsec": peers.Libipsec,
    "wireguard-go": peers.WireguardGo,
    "esp-gcm-udp": lambda net: en.Pair(net, encap=1),
    "esp-gcm-native": lambda net: en.Pair(net, encap=0),
    "esp-gcm-openssl": lambda net: en.Pair(net, encap=1, env={"POSTERN_NO_IPSEC_MB": "1"}),
    "esp-aes-sha256-udp": lambda net: en.Pair(net, encap=1, cipher=en.AES128, auth=en.SHA256),
}
UNITS = {"tcp": "Mb/s", "pps": "packets/s", "ping": "ms"}


def one(net, name, quick):
    try:
        subject = SUBJECTS[name](net)
    except (subprocess.CalledProcessError, RuntimeError, OSError) as e:
        print(f"{name}: cannot be started: {e} {getattr(e, 'stderr', '')}", file=sys.stderr)
        return None
    try:
        return measure(net, quick)
    finally:
        subject.stop()


def rows(results, setting):
    out = []
    for ours in [n for n in results if n.startswith("esp-")]:
        for peer in ("plain", "libipsec", "wireguard-go"):
            if not results.get(peer) or not results[ours]:
                continue
            for metric, value in results[ours].items():
                other = results[peer][metric]
                ratio = (other / value if metric == "ping" else value / other) if value and other else None
                out.append({"name": f"{ours} {metric}, offloads {setting}", "ours": round(value, 3), "peer": round(other, 3),
                            "peer_name": peer, "unit": UNITS[metric.split("-")[0]], "ratio": ratio and round(ratio, 2)})
    return out


def table(results, setting):
    metrics = list(next(r for r in results.values() if r))
    print(f"\nOffloads {setting}")
    print(f"{'':22}" + "".join(f"{m:>21}" for m in metrics))
    for name, r in results.items():
        print(f"{name:22}" + ("".join(f"{r[m]:21,.3f}" if m == "ping" else f"{r[m]:21,.0f}" for m in metrics) if r else "  did not start"))
    sys.stdout.flush()


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--quick", action="store_true")
    ap.add_argument("--only", action="append", choices=SUBJECTS)
    ap.add_argument("--offloads", choices=("on", "off"))
    args = ap.parse_args()
    net, out = en.Net("bench"), []
    try:
        for on in (True, False):
            setting = "on" if on else "off"
            if args.offloads and args.offloads != setting:
                continue
            offloads(net, on)
            results = {name: one(net, name, args.quick) for name in SUBJECTS if not args.only or name in args.only}
            table(results, setting)
            out += rows(results, setting)
    finally:
        net.close()
    path = os.path.join(en.BUILD, "bench.json")
    with open(path, "w", encoding="ascii") as f:
        json.dump(out, f, indent=1)
    print("\n" + path)


if __name__ == "__main__":
    main()
