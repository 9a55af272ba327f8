"""Other vendors' gateways for the matrix: what each lists, its configuration for one row, and how it starts and ends a tunnel.

Each class drives R2 of a lab that runs that peer. `lacks(row)` says in a few words what the peer does not have of a row, from what
it really lists, or None; `load(row)` configures, without SAs of before; `initiate()` starts the tunnel; `check(row)` asks what it runs.
Each of the three says what is wrong, or None.
"""
import os
import re
import subprocess
import time

LOCAL, REMOTE = "198.51.100.2", "203.0.113.1"
LOCAL_NET, REMOTE_NET = "192.168.2.0/24", "192.168.1.0/24"

#        our word    strongSwan's proposal, as it lists it
SWAN = {
    "des": ("des", "DES_CBC"), "3des": ("3des", "3DES_CBC"),
    "aes": ("aes128", "AES_CBC"), "aes 192": ("aes192", "AES_CBC"), "aes 256": ("aes256", "AES_CBC"),
    "md5": ("md5", "HMAC_MD5_96"), "sha": ("sha1", "HMAC_SHA1_96"), "sha256": ("sha256", "HMAC_SHA2_256_128"),
    "sha384": ("sha384", "HMAC_SHA2_384_192"), "sha512": ("sha512", "HMAC_SHA2_512_256"),
    "1": ("modp768", "MODP_768"), "2": ("modp1024", "MODP_1024"), "5": ("modp1536", "MODP_1536"), "14": ("modp2048", "MODP_2048"),
    "15": ("modp3072", "MODP_3072"), "16": ("modp4096", "MODP_4096"), "19": ("ecp256", "ECP_256"), "20": ("ecp384", "ECP_384"),
    "21": ("ecp521", "ECP_521"), "24": ("modp2048s256", "MODP_2048_256"),
    "gcm": ("aes128gcm16", "AES_GCM_16"), "gcm 192": ("aes192gcm16", "AES_GCM_16"), "gcm 256": ("aes256gcm16", "AES_GCM_16"),
    "gmac": ("aes128gmac", "NULL_AES_GMAC"), "gmac 192": ("aes192gmac", "NULL_AES_GMAC"), "gmac 256": ("aes256gmac", "NULL_AES_GMAC"),
    "null": ("null", "NULL"),
    "aes-ctr": ("aes128ctr", "AES_CTR"), "aes-ctr 192": ("aes192ctr", "AES_CTR"), "aes-ctr 256": ("aes256ctr", "AES_CTR"),
    "camellia": ("camellia128", "CAMELLIA_CBC"), "camellia 192": ("camellia192", "CAMELLIA_CBC"), "camellia 256": ("camellia256", "CAMELLIA_CBC"),
    "aes-xcbc": ("aesxcbc", "AES_XCBC_96"),
}
# What the kernel does, and charon only names.
SWAN_KERNEL = ("gmac", "aes-ctr", "camellia", "aes-xcbc")
#        our word    libreswan's name in ike= and phase2alg=, and in its list
PLUTO = {
    "des": ("des", "DES_CBC"), "3des": ("3des", "3DES_CBC"),
    "aes": ("aes128", "AES_CBC"), "aes 192": ("aes192", "AES_CBC"), "aes 256": ("aes256", "AES_CBC"),
    "md5": ("md5", "HMAC_MD5"), "sha": ("sha1", "HMAC_SHA1"), "sha256": ("sha2_256", "HMAC_SHA2_256"),
    "sha384": ("sha2_384", "HMAC_SHA2_384"), "sha512": ("sha2_512", "HMAC_SHA2_512"),
    "1": ("modp768", "MODP768"), "2": ("modp1024", "MODP1024"), "5": ("modp1536", "MODP1536"), "14": ("modp2048", "MODP2048"),
    "15": ("modp3072", "MODP3072"), "16": ("modp4096", "MODP4096"), "19": ("dh19", "DH19"), "20": ("dh20", "DH20"),
    "21": ("dh21", "DH21"), "24": ("dh24", "DH24"),
    "gcm": ("aes_gcm128", "AES_GCM_16"), "gcm 192": ("aes_gcm192", "AES_GCM_16"), "gcm 256": ("aes_gcm256", "AES_GCM_16"),
    "gmac": ("null_auth_aes_gmac128", "NULL_AUTH_AES_GMAC"), "gmac 192": ("null_auth_aes_gmac192", "NULL_AUTH_AES_GMAC"),
    "gmac 256": ("null_auth_aes_gmac256", "NULL_AUTH_AES_GMAC"), "null": ("null", "NULL"),
    "aes-ctr": ("aes_ctr128", "AES_CTR"), "aes-ctr 192": ("aes_ctr192", "AES_CTR"), "aes-ctr 256": ("aes_ctr256", "AES_CTR"),
    "camellia": ("camellia_cbc128", "CAMELLIA_CBC"), "camellia 192": ("camellia_cbc192", "CAMELLIA_CBC"),
    "camellia 256": ("camellia_cbc256", "CAMELLIA_CBC"), "aes-xcbc": ("aes_xcbc", "AES_XCBC_96"),
}


class Peer:
    """R2 of a lab. `words(command)` gives the words that run a command in it; `folder` is its configuration's."""

    def __init__(self, words, folder):
        self.words, self.folder = words, folder
        self.certificates = {}          # name -> files (key, certificate, CA above it or None, root)

    def run(self, *command, timeout=300):
        return subprocess.run(self.words(command), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=timeout)

    def write(self, name, text):
        """The daemon may read a file while it is being replaced: write in place, it is told afterwards."""
        with open(os.path.join(self.folder, name), "w") as file:
            file.write(text)

    def alive(self):
        return self.run("true").returncode == 0

    def kill(self):
        with open(os.path.join(self.folder, "pid")) as file:
            self.run("kill", "-9", file.read().strip())

    def put(self, source, name):
        """A copy of a file in the daemon's folder."""
        os.makedirs(os.path.dirname(os.path.join(self.folder, name)), exist_ok=True)
        with open(source) as file:
            self.write(name, file.read())

    def log(self):
        try:
            with open(os.path.join(self.folder, "log"), errors="replace") as file:
                return file.read()
        except OSError:
            return ""

    def log_tail(self):
        return self.log()[-1500:]


class StrongSwan(Peer):
    name = "strongswan"

    def __init__(self, words, folder, encap):
        super().__init__(words, folder)
        self.encap = encap
        self.kernel = not encap
        listed = self.run("swanctl", "--list-algs").stdout
        self.has = set(re.findall(r"^\s+([A-Z0-9_]+)\[", listed, re.M))

    def lacks(self, row):
        if row.ah and row.esp_cipher:
            return "strongSwan 5 proposes and takes one protocol only, not AH with ESP"
        if not self.kernel and (row.ah or row.transport):
            return "kernel-libipsec has ESP in UDP only, and AH has no place there" if row.ah else "kernel-libipsec has no transport mode"
        if not self.kernel and row.esn:
            return "kernel-libipsec has no extended sequence numbers"
        for word in (row.encryption, row.hash, row.group, row.esp_cipher, row.esp_hash, row.ah):
            if word is None:
                continue
            if word.startswith(SWAN_KERNEL) and self.kernel:
                continue                # the kernel's business: charon need not have them itself
            if word.startswith("gmac"):
                return "kernel-libipsec has no AES-GMAC"
            if SWAN[word][1] not in self.has:
                return f"strongSwan lists no {SWAN[word][1]}"
        return None

    def proof(self, row):
        """What the logs of both say when a row is tried that `lacks` rules out by more than a list."""
        if row.ah:
            return r"received proposals: *$|received NO_PROPOSAL_CHOSEN|AH cannot pass the NAT in front of the peer"
        if row.transport or row.esn:
            return r"IPsec SA: unsupported mode" if row.transport else r"IPsec SA: ESN not supported"
        return r"unsupported AEAD algorithm NULL_AES_GMAC" if (row.esp_cipher or "").startswith("gmac") and not self.kernel else None

    def load(self, row):
        ike = "-".join(SWAN[word][0] for word in (row.encryption, row.hash, row.group))
        words = (row.ah, row.pfs) if row.ah else (row.esp_cipher, row.esp_hash, row.pfs)
        proposal = "-".join(SWAN[word][0] for word in words if word) + ("-esn" if row.esn else "")
        local, remote = (LOCAL, REMOTE) if row.transport else (LOCAL_NET, REMOTE_NET)
        if row.ike.auth == "psk":
            ends = f"local {{ auth = psk }}\n\t\tremote {{\n\t\t\tauth = psk\n\t\t\tid = {REMOTE}\n\t\t}}"
        else:
            ends = "local {\n\t\t\tauth = pubkey\n\t\t\tcerts = own.pem\n\t\t}\n\t\tremote {\n\t\t\tauth = pubkey\n\t\t\tid = %any\n\t\t}"
            self.certify(row.ike)
        if row.ike.client:
            ends += "\n\t\tvips = 0.0.0.0\n\t\tlocal2 {\n\t\t\tauth = xauth\n\t\t\txauth_id = alice\n\t\t}"
            local = "dynamic"
        self.write("swanctl.conf", f"""connections {{
	postern {{
		version = 1
		aggressive = {'yes' if row.ike.aggressive else 'no'}
		fragmentation = {'yes' if row.ike.fragmentation else 'no'}
		dpd_delay = {row.ike.dpd}
		local_addrs = {LOCAL}
		remote_addrs = {row.ike.remote}
		encap = {'yes' if self.encap else 'no'}
		proposals = {ike}
		{ends}
		children {{
			site {{
				local_ts = {local}
				remote_ts = {remote}
				{f'life_time = {row.ike.life}' if row.ike.life else ''}
				mode = {'transport' if row.transport else 'tunnel'}
				{'ah' if row.ah else 'esp'}_proposals = {proposal}
			}}
		}}
	}}
}}
secrets {{
	ike-r1 {{
		secret = {row.ike.key}
	}}
	xauth-alice {{
		id = alice
		secret = wonder
	}}
}}
""")
        self.run("swanctl", "--terminate", "--ike", "postern", "--force", "--timeout", "2")
        done = self.run("swanctl", "--load-all", "--noprompt", "--clear")
        if done.returncode or "loading connection 'postern' failed" in done.stdout:
            return f"swanctl refuses: {last_line(done.stdout)}"
        return None

    def certify(self, ike):
        key, certificate, above, root = self.certificates[ike.certificate or ike.auth]
        self.put(key, "private/own.key")
        self.put(certificate, "x509/own.pem")
        self.put(root, "x509ca/ca.pem")
        self.put(above or root, "x509ca/above.pem")

    def lacks_ike(self, _row):
        return None

    def rekey(self):
        self.run("swanctl", "--rekey", "--child", "site")

    def rekey_ike(self):
        self.run("swanctl", "--rekey", "--ike", "postern")

    def terminate(self):
        self.run("swanctl", "--terminate", "--ike", "postern", "--timeout", "5")

    def established(self):
        """The IKE SAs that it has."""
        return self.run("swanctl", "--list-sas").stdout.count("ESTABLISHED, IKEv1")

    def initiate(self):
        done = self.run("swanctl", "--initiate", "--child", "site", "--timeout", "60")
        return None if done.returncode == 0 else f"swanctl --initiate: {last_line(done.stdout)}"

    def check(self, row):
        """None, or how what it runs differs from the row."""
        text = self.run("swanctl", "--list-sas").stdout
        wanted = SWAN[row.group][1], SWAN[row.hash][1].rsplit("_", 1)[0]
        ike = next((line for line in text.splitlines() if "PRF_" in line), "")
        if not all(word in ike for word in wanted) or not cipher_named(row.encryption, ike):
            return f"IKE SA of strongSwan has {ike.strip() or 'nothing'}"
        child = next((line for line in text.splitlines() if f"{row.kind}:" in line or f"{row.kind} in UDP:" in line), "")
        if not all(SWAN[word][1] in child for word in (row.esp_cipher, row.esp_hash, row.ah, row.pfs) if word):
            return f"IPsec SA of strongSwan has {child.strip() or 'nothing'}"
        wanted = "TRANSPORT" if row.transport else "TUNNEL"
        if wanted not in child or ("ESN" in child) != row.esn:
            return f"IPsec SA of strongSwan is {child.strip()}"
        return None


def cipher_named(word, text):
    bits = {"aes": "AES_CBC-128", "aes 192": "AES_CBC-192", "aes 256": "AES_CBC-256"}
    return bits.get(word, SWAN[word][1]) in text


class Libreswan(Peer):
    name = "libreswan"
    kernel = True

    def __init__(self, words, folder):
        super().__init__(words, folder)
        status = self.run("/usr/libexec/ipsec/whack", "--status").stdout
        v1 = [line for line in status.splitlines() if "algorithm" in line and "v1id=-1" not in line]
        self.ike = set(re.findall(r"IKE encrypt: .*?v2name=([A-Z0-9_]+)", "\n".join(v1)))
        self.esp = set(re.findall(r"ESP encrypt: name=([A-Z0-9_]+)", status))
        self.prf = set(re.findall(r"IKE PRF: name=([A-Z0-9_]+)", status))
        self.dh = set(re.findall(r"IKE DH Key Exchange: name=([A-Z0-9_]+)", status))
        self.auth = set(re.findall(r"AH/ESP auth: name=([A-Z0-9_]+)", status))

    def lacks(self, row):
        cipher = PLUTO[row.encryption][1]
        if not any(cipher.removesuffix("_CBC") == listed.removesuffix("_CBC") for listed in self.ike):
            return f"libreswan lists no {cipher} for IKEv1"
        if PLUTO[row.hash][1] not in self.prf:
            return f"libreswan lists no {PLUTO[row.hash][1]}"
        for group in filter(None, (row.group, row.pfs)):
            if PLUTO[group][1] not in self.dh:
                return f"libreswan lists no {PLUTO[group][1]}"
        if row.pfs in ("19", "20", "21"):
            return "libreswan has the elliptic curves not for PFS in IKEv1"
        if row.ah and row.esp_cipher:
            return "libreswan 4.10 has one protocol only in a connection, not AH with ESP"
        if row.esn:
            return "libreswan 4.10 has extended sequence numbers in IKEv2 only"
        if row.ah:
            return None if PLUTO[row.ah][1] in self.auth or f"{PLUTO[row.ah][1]}_96" in self.auth or any(
                name.startswith(PLUTO[row.ah][1]) for name in self.auth) else f"libreswan lists no {PLUTO[row.ah][1]} for AH"
        if row.esp_cipher.startswith("gmac"):
            return "libreswan 4.10 dies of AES-GMAC in IKEv1 (CVE-2024-3652)"
        if PLUTO[row.esp_cipher][1] not in self.esp:
            return f"libreswan lists no {PLUTO[row.esp_cipher][1]} for ESP"
        return None

    def proof(self, row):
        """As strongSwan's. The parser takes no `phase2=ah+esp`, so what is tried of that is the peer's AH alone."""
        if row.ah and row.esp_cipher:
            return r"NO_PROPOSAL_CHOSEN|BAD_PROPOSAL_SYNTAX"
        if row.esn:
            return r"unsupported IPsec attribute ESN_64BIT_SEQNUM|NO_PROPOSAL_CHOSEN"
        return r"ASSERTION FAILED.*keymat" if (row.esp_cipher or "").startswith("gmac") else None

    def load(self, row):
        ike = f"{PLUTO[row.encryption][0]}-{PLUTO[row.hash][0]};{PLUTO[row.group][0]}"
        esp = "-".join(PLUTO[word][0] for word in ((row.ah,) if row.ah else (row.esp_cipher, row.esp_hash)) if word)
        nets = "" if row.transport else f"\n\tleftsubnet={LOCAL_NET}\n\trightsubnet={REMOTE_NET}"
        if row.ike.client:
            nets = f"\n\trightsubnet={REMOTE_NET}\n\tleftxauthclient=yes\n\trightxauthserver=yes\n\tleftmodecfgclient=yes" \
                   "\n\trightmodecfgserver=yes\n\tmodecfgpull=yes\n\tleftusername=alice"
        if row.ike.auth == "psk":
            ends = f"authby=secret\n\trightid={REMOTE}"
        else:
            ends = "authby=rsasig\n\tleftcert=own\n\tleftid=%fromcert\n\tleftsendcert=always\n\tsendca=all\n\trightid=%fromcert"
            self.certify(row.ike)
        more = [f"dpddelay={row.ike.dpd}\n\tdpdtimeout=60\n\tdpdaction=hold"] * bool(row.ike.dpd)
        more += ["aggressive=yes"] * row.ike.aggressive + ["nat-ikev1-method=drafts"] * row.ike.drafts
        more += [f"salifetime={row.ike.life}"] * bool(row.ike.life) + ["fragmentation=force"] * row.ike.fragmentation
        self.write("ipsec.secrets", f': PSK "{row.ike.key}"\n@alice : XAUTH "wonder"\n')
        self.write("ipsec.conf", f"""config setup
	ikev1-policy=accept

conn postern
	ikev2=no
	{ends}
	left={LOCAL}
	right={row.ike.remote}{nets}
	initial-contact=yes
	{(chr(10) + chr(9)).join(more)}
	type={'transport' if row.transport else 'tunnel'}
	ike={ike}
	phase2={'ah' if row.ah else 'esp'}
	phase2alg={esp}{';' + PLUTO[row.pfs][0] if row.pfs else ''}
	pfs={'yes' if row.pfs else 'no'}
	esn={'yes' if row.esn else 'no'}
	auto=add
""")
        self.run("ipsec", "auto", "--rereadsecrets")
        self.run("ipsec", "auto", "--delete", "postern")
        done = self.run("ipsec", "auto", "--add", "postern")
        if done.returncode or "refus" in done.stdout or "failed" in done.stdout:
            return f"libreswan refuses: {last_line(done.stdout)}"
        return None

    def certify(self, ike):
        """Into the daemon's database, whose place is its own; what stood there before goes."""
        key, certificate, above, root = self.certificates[ike.certificate or ike.auth]
        pack = os.path.join(self.folder, "own.p12")
        extra = ["-certfile", above] if above else []
        subprocess.run(["openssl", "pkcs12", "-export", "-inkey", key, "-in", certificate, *extra, "-name", "own", "-passout", "pass:x",
                        "-out", pack], check=True, capture_output=True)
        self.put(root, "root.pem")
        base = "sql:/var/lib/ipsec/nss"
        self.run("sh", "-c", f"certutil -F -d {base} -n own; certutil -D -d {base} -n own; pk12util -i {pack} -d {base} -W x && "
                 f"certutil -A -d {base} -n root -t CT,, -i {self.folder}/root.pem")

    def lacks_ike(self, row):
        if row.ike.auth == "ec":
            return "libreswan 4.10 has ECDSA in IKEv2 only"
        return None

    def whack(self, *words):
        return self.run("/usr/libexec/ipsec/whack", *words).stdout

    def rekey(self):
        self.whack("--rekey-ipsec", "--name", "postern", "--asynchronous")

    def rekey_ike(self):
        self.whack("--rekey-ike", "--name", "postern", "--asynchronous")

    def terminate(self):
        self.run("ipsec", "auto", "--down", "postern")

    def established(self):
        """The IKE SAs that it has."""
        return len(re.findall(r"^#\d+: .*ISAKMP SA established|^000 #\d+: .*STATE_(?:MAIN|AGGR)_\w+ \(.*established", self.whack("--status"), re.M))

    def initiate(self):
        done = self.run("timeout", "60", "ipsec", "auto", "--up", "postern")
        return None if "IPsec SA established" in done.stdout else f"ipsec auto --up: {last_line(done.stdout)}"

    def check(self, row):
        for _ in range(10):
            text = self.run("/usr/libexec/ipsec/whack", "--status").stdout
            if "newest ISAKMP SA: #0" not in text and "newest IPsec SA: #0" not in text:
                return None
            time.sleep(0.2)
        return "libreswan shows no SA"


class Postern:
    """R2 is a second Postern. `console(line...)` types lines at its console and returns the screen."""
    name, kernel = "postern", False

    def __init__(self, console):
        self.console = console
        self.certificates = {}

    def alive(self):
        return True             # it is supervised

    def log_tail(self):
        return self.console("show logging")[-1500:]

    def lacks(self, _row):
        return None

    def lacks_ike(self, _row):
        return None

    def load(self, row):
        """Every line of before is replaced or taken back."""
        ike = row.ike
        other = "203.0.113.1" if ike.remote == "192.0.2.1" else "192.0.2.1"
        volatile = ("no crypto isakmp peer address 203.0.113.1", "no crypto isakmp keepalive", "no crypto isakmp fragmentation",
                    "no crypto ipsec security-association lifetime seconds", "no crypto ipsec security-association lifetime kilobytes",
                    f"no crypto isakmp key another-key address {ike.remote}", f"no crypto isakmp key postern-lab address {ike.remote}")
        lines = [f"crypto isakmp key {ike.key} address {ike.remote}", "crypto map VPN 10", f"no set peer {other}",
                 f"set peer {ike.remote}", "exit"]
        lines += ["crypto isakmp peer address 203.0.113.1", "set aggressive-mode client-endpoint ipv4-address 198.51.100.2"] * ike.aggressive
        lines += ["set aggressive-mode password postern-lab"] * (ike.aggressive and ike.auth == "psk")
        lines += ["crypto isakmp fragmentation"] * ike.fragmentation + ["crypto isakmp keepalive 10 periodic"] * bool(ike.dpd)
        lines += [f"crypto ipsec security-association lifetime seconds {ike.life}"] * bool(ike.life)
        self.console("configure terminal", *volatile, "end")
        return refused(self.console(*row.lines("SITE-A", LOCAL, REMOTE), "exit", *lines, "end", "clear crypto session",
                                    "show crypto ipsec sa | include interface"))

    def rekey(self):
        """IOS has no command for it: a volume that little traffic reaches."""
        self.console("configure terminal", "crypto ipsec security-association lifetime kilobytes 2560", "end", "clear crypto sa")

    def rekey_ike(self):
        """Nothing to do: the one who has begun renews first, and R1's lifetime is short."""

    def terminate(self):
        self.console("clear crypto session")

    def established(self):
        return len(re.findall("QM_IDLE.*ACTIVE", self.console("show crypto isakmp sa")))

    def initiate(self):
        """The SAs are there when it says so, or it says why not."""
        self.console("crypto session connect map VPN 10")
        for _ in range(100):
            if spis(self.console("show crypto ipsec sa")):
                return None
            time.sleep(0.2)
        return f"R2 has no SA: {last_line(self.log_tail())}"

    def check(self, row):
        screen = self.console("show crypto isakmp sa detail", "show crypto ipsec sa")
        if not re.search(rf"ACTIVE {row.encryption.split()[0]}\s.*{row.hash}\s", screen):
            return f"R2 has no such IKE SA: {screen[-300:]}"
        kinds = [kind for kind, there in (("ah", row.ah), ("esp", row.esp_cipher)) if there]
        for kind in kinds:
            if not re.search(rf"inbound {kind} sas:\n\s+spi: 0x", screen):
                return f"R2 has no {kind} SA"
        return None


def spis(screen):
    """The SPIs that a Postern shows."""
    return re.findall(r"^ +spi: (0x[0-9A-F]+)", screen, re.M)


def refused(screen):
    """The first line that a Postern's console has refused, as the reason of a failure, or None."""
    wrong = re.search(r"^% (?!NOTE|Warning|WARNING|Duplicate).*", screen, re.M)
    return f"the console: {wrong.group(0)}" if wrong else None


def last_line(text):
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "no words"
