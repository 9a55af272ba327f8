"""The wires: namespaces for hosts, routers and the internet, and the links between them."""
import os

from .base import run

#        node A    its device  address             node B      its device  address
LINKS = [
    ("hostA", "eth0", "192.168.1.10/24", "R1", "gi0-1", None),
    ("R1", "gi0-0", None, "internet", "r1", "203.0.113.254/24"),
    ("R2", "gi0-0", None, "internet", "r2", "198.51.100.254/24"),
    ("hostB", "eth0", "192.168.2.10/24", "R2", "gi0-1", None),
]
GATEWAYS = {"hostA": "192.168.1.1", "hostB": "192.168.2.1"}
NODES = ("hostA", "R1", "internet", "R2", "hostB")


def up(lab, without=()):
    """Makes all nodes but `without`, and every link both ends of which are there."""
    nodes = [node for node in NODES if node not in without]
    for node in nodes:
        run("ip", "netns", "add", lab.netns(node))
        run("ip", "-n", lab.netns(node), "link", "set", "lo", "up")
    for a, dev_a, addr_a, b, dev_b, addr_b in LINKS:
        if a not in nodes or b not in nodes:
            continue
        run("ip", "link", "add", dev_a, "netns", lab.netns(a), "type", "veth", "peer", "name", dev_b, "netns", lab.netns(b))
        for node, dev, addr in ((a, dev_a, addr_a), (b, dev_b, addr_b)):
            if addr:
                run("ip", "-n", lab.netns(node), "addr", "add", addr, "dev", dev)
            if node not in ("R1", "R2"):            # a router's links are its configuration's business
                run("ip", "-n", lab.netns(node), "link", "set", dev, "up")
    for host, gateway in GATEWAYS.items():
        if host in nodes:
            run("ip", "-n", lab.netns(host), "route", "add", "default", "via", gateway)
    sysctl(lab, "internet", "net.ipv4.ip_forward=1", "net.ipv4.conf.all.rp_filter=0", "net.ipv4.conf.default.rp_filter=0")


def sysctl(lab, node, *settings):
    run("ip", "netns", "exec", lab.netns(node), "sysctl", "-qw", *settings)


def present(lab):
    """The nodes that have a namespace now."""
    return [node for node in NODES if os.path.exists(f"/run/netns/{lab.netns(node)}")]


def down(lab):
    for node in present(lab):
        run("ip", "netns", "del", lab.netns(node), check=False)
