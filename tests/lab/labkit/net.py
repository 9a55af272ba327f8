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
#   a NAT between a router and the internet: what it replaces, and its two sides
NATS = {
    "r1": ("nat1", "R1", "r1", "203.0.113.254/24", "192.0.2.1/25", "192.0.2.126/25"),
    "r2": ("nat2", "R2", "r2", "198.51.100.254/24", "192.0.2.129/25", "192.0.2.254/25"),
}
# Every flow gets a port of the NAT's own choice; what nobody inside began, but for IKE and ESP in UDP, ends here.
NAT_RULES = """
table ip nat {
    chain in {
        type nat hook prerouting priority dstnat;
        iifname "outside" udp dport { 500, 4500 } dnat to INSIDE
    }
    chain out {
        type nat hook postrouting priority srcnat;
        oifname "outside" meta l4proto udp masquerade to :20000-40000 fully-random
        oifname "outside" masquerade
    }
}
"""
GATEWAYS = {"hostA": "192.168.1.1", "hostB": "192.168.2.1"}
NODES = ("hostA", "R1", "nat1", "internet", "nat2", "R2", "hostB")
INSIDE = {"r1": "203.0.113.1", "r2": "198.51.100.2"}


def links_with(nats):
    """The links; those of a router behind a NAT lead to the NAT, and the NAT's to the internet."""
    links = []
    for link in LINKS:
        nat = next((one for one in nats if NATS[one][1] == link[0] and NATS[one][2] == link[4]), None)
        if not nat:
            links.append(link)
            continue
        box, router, outside, inner, own, internet = NATS[nat]
        links.append((router, "gi0-0", None, box, "inside", inner))
        links.append((box, "outside", own, "internet", outside, internet))
    return links


def nat_start(lab, nat):
    box, _, _, _, _, internet = NATS[nat]
    run("ip", "-n", lab.netns(box), "route", "add", "default", "via", internet.split("/")[0])
    sysctl(lab, box, "net.ipv4.ip_forward=1", "net.ipv4.conf.all.rp_filter=0", "net.ipv4.conf.default.rp_filter=0")
    run("ip", "netns", "exec", lab.netns(box), "nft", NAT_RULES.replace("INSIDE", INSIDE[nat]))


def up(lab, without=(), nats=()):
    """Makes all nodes but `without`, and every link both ends of which are there."""
    boxes = [NATS[one][0] for one in nats]
    nodes = [node for node in NODES if node not in without and (not node.startswith("nat") or node in boxes)]
    for node in nodes:
        run("ip", "netns", "add", lab.netns(node))
        run("ip", "-n", lab.netns(node), "link", "set", "lo", "up")
    for a, dev_a, addr_a, b, dev_b, addr_b in links_with(nats):
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
    for nat in nats:
        nat_start(lab, nat)
    sysctl(lab, "internet", "net.ipv4.ip_forward=1", "net.ipv4.conf.all.rp_filter=0", "net.ipv4.conf.default.rp_filter=0")


def sysctl(lab, node, *settings):
    run("ip", "netns", "exec", lab.netns(node), "sysctl", "-qw", *settings)


def present(lab):
    """The nodes that have a namespace now."""
    return [node for node in NODES if os.path.exists(f"/run/netns/{lab.netns(node)}")]


def down(lab):
    for node in present(lab):
        run("ip", "netns", "del", lab.netns(node), check=False)
