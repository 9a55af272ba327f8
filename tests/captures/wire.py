"""A capture with keys, read by tshark."""
import functools
import os
import re
import subprocess

HERE = os.path.dirname(os.path.realpath(__file__))
PAYLOADS = {1: "SA", 2: "P", 3: "T", 4: "KE", 5: "ID", 8: "HASH", 10: "NONCE", 11: "N", 12: "D", 13: "VID", 20: "NAT-D", 21: "NAT-OA"}
WARNING = 0x600000


@functools.lru_cache(maxsize=None)
def decoded(path, _changed, display_filter, fields):
    """tshark's answer; a file that has not changed is asked once."""
    words = [w for field in fields for w in ("-e", field)]
    done = subprocess.run([f"{HERE}/decode", path, "-n", "-Y", display_filter, "-T", "fields", "-E", "separator=/t",
                           "-E", "aggregator=;", *words], capture_output=True, text=True)
    if done.returncode or "Error loading" in done.stderr:
        raise AssertionError(done.stderr)
    return done.stdout


class Wire:
    def __init__(self, path):
        self.path = path

    def rows(self, display_filter, *fields):
        """One list per packet, in it the values of each field."""
        text = decoded(self.path, os.stat(self.path).st_mtime_ns, display_filter, fields)
        return [[value.split(";") if value else [] for value in line.split("\t")] for line in text.split("\n") if line]

    def messages(self, exchange):
        """The messages of an exchange type: dictionaries of fields' values."""
        names = ("frame.number", "ip.src", "ip.dst", "udp.srcport", "udp.dstport", "isakmp.ispi", "isakmp.rspi", "isakmp.messageid", "isakmp.flags", "isakmp.flag_e", "isakmp.length", *FIELDS)
        rows = self.rows(f"isakmp.exchangetype == {exchange}", *names)
        made = []
        for row in rows:
            m = dict(zip(names, row))
            m["payloads one by one"] = [PAYLOADS.get(int(p), p) for p in m["isakmp.typepayload"]]
            m["payloads"] = re.sub(r"\bVID( VID)+", "VID", " ".join(m["payloads one by one"]))
            made.append(m)
        return made

    def experts(self):
        return self.rows(f"_ws.expert.severity >= {WARNING} || _ws.malformed", "frame.number", "_ws.expert.message")


FIELDS = ("isakmp.typepayload", "isakmp.prop.number", "isakmp.prop.protoid", "isakmp.spisize", "isakmp.spi", "isakmp.trans.number", "isakmp.trans.id",
          "isakmp.ike.attr.encryption_algorithm", "isakmp.ike.attr.key_length", "isakmp.ike.attr.hash_algorithm", "isakmp.ike.attr.authentication_method",
          "isakmp.ike.attr.group_description", "isakmp.ike.attr.life_type", "isakmp.ike.attr.life_duration",
          "isakmp.ipsec.attr.encap_mode", "isakmp.ipsec.attr.auth_algorithm", "isakmp.ipsec.attr.key_length", "isakmp.ipsec.attr.group_description",
          "isakmp.ipsec.attr.life_type", "isakmp.ipsec.attr.life_duration",
          "isakmp.key_exchange.data", "isakmp.nonce", "isakmp.hash", "isakmp.id.type", "isakmp.id.protoid", "isakmp.id.port", "isakmp.id.data.ipv4_addr",
          "isakmp.id.data.ipv4_subnet", "isakmp.id.data.fqdn", "isakmp.notify.msgtype", "isakmp.ike.nat_hash", "isakmp.vid_bytes")
