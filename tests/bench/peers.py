"""Other user-space tunnels on the same four namespaces: strongSwan's kernel-libipsec and wireguard-go."""
import os
import signal
import subprocess
import time

from enginenet import run

CHARON = "/usr/lib/ipsec/charon"

STRONGSWAN = """
charon {
  dos_protection = no
  install_routes = yes
  filelog { log { path = %(dir)s/charon.log\n default = 1 } }
  plugins { include /dev/null
    bypass-lan { load = no }
    dhcp { load = no }
    farp { load = no }
    ha { load = no }
    kernel-netlink { fwmark = !0x42 }
    socket-default { fwmark = 0x42 }
    kernel-libipsec { load = yes\n allow_peer_ts = yes }
    vici { socket = unix://%(dir)s/vici }
  }
}
"""

SWANCTL = """
connections { t {
  version = 2\n encap = yes\n local_addrs = %(local)s\n remote_addrs = %(remote)s\n proposals = aes128-sha256-modp2048
  local { auth = psk\n id = %(local)s }
  remote { auth = psk\n id = %(remote)s }
  children { c { local_ts = %(inside)s\n remote_ts = %(outside)s\n esp_proposals = %(esp)s\n mode = tunnel } }
} }
secrets { ike-1 { secret = bench } }
"""

SIDES = {
    "gwA": {"local": "203.0.113.1", "remote": "203.0.113.2", "inside": "192.168.1.0/24", "outside": "192.168.2.0/24"},
    "gwB": {"local": "203.0.113.2", "remote": "203.0.113.1", "inside": "192.168.2.0/24", "outside": "192.168.1.0/24"},
}


class Libipsec:
    """strongSwan with its user-space ESP. charon wants its own /run and /etc/strongswan.conf: a mount namespace each."""

    def __init__(self, net, esp="aes128gcm16"):
        self.net, self.p = net, []
        for gw, side in SIDES.items():
            d = os.path.join(net.dir, "ss-" + gw)
            os.makedirs(os.path.join(d, "run"), exist_ok=True)
            conf = os.path.join(d, "strongswan.conf")
            with open(conf, "w", encoding="ascii") as f:
                f.write(STRONGSWAN % {"dir": d})
            with open(os.path.join(d, "swanctl.conf"), "w", encoding="ascii") as f:
                f.write(SWANCTL % {**side, "esp": esp})
            script = f"mount --make-rprivate / && mount --bind {d}/run /run && exec {CHARON}"
            self.p.append(net.popen(gw, "unshare", "-m", "sh", "-c", script, env={**os.environ, "STRONGSWAN_CONF": conf},
                                    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
        time.sleep(2)
        for gw in SIDES:
            self.swanctl(gw, "--load-all", "--file", os.path.join(net.dir, "ss-" + gw, "swanctl.conf"))
        self.swanctl("gwA", "--initiate", "--child", "c")
        time.sleep(0.5)

    def swanctl(self, gw, *cmd):
        d = os.path.join(self.net.dir, "ss-" + gw)
        return self.net.x(gw, "swanctl", *cmd, "--uri", f"unix://{d}/vici", env={**os.environ, "STRONGSWAN_CONF": d + "/strongswan.conf"})

    def stop(self):
        for p in self.p:
            p.send_signal(signal.SIGTERM)
        for p in self.p:
            p.wait(10)


class WireguardGo:
    def __init__(self, net):
        self.net, self.p, keys = net, [], {}
        for gw in SIDES:
            private = run("wg", "genkey").stdout.strip()
            keys[gw] = (private, run("wg", "pubkey", input=private).stdout.strip())
        for gw, side in SIDES.items():
            other = "gwB" if gw == "gwA" else "gwA"
            name = "wgb" + gw[-1]
            self.p.append(net.popen(gw, "wireguard-go", "-f", name, env={**os.environ, "WG_PROCESS_FOREGROUND": "1", "LOG_LEVEL": "error"},
                                    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
            time.sleep(1)
            key = os.path.join(net.dir, name + ".key")
            with open(key, "w", encoding="ascii", opener=lambda p, f: os.open(p, f, 0o600)) as f:
                f.write(keys[gw][0])
            net.x(gw, "wg", "set", name, "private-key", key, "listen-port", "51820", "peer", keys[other][1], "endpoint",
                  side["remote"] + ":51820", "allowed-ips", side["outside"])
            net.x(gw, "ip", "link", "set", name, "up", "mtu", "1420")
            net.x(gw, "ip", "route", "replace", side["outside"], "dev", name)

    def stop(self):
        for p in self.p:
            p.terminate()
            p.wait(10)
        for gw, side in SIDES.items():
            self.net.x(gw, "ip", "route", "replace", side["outside"], "via", side["remote"])
