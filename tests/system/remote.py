"""Remote access for tests: the server's configuration as an engineer types it, and strongSwan's as the client of it."""
SERVER = """aaa new-model
aaa authentication login USERS local
aaa authorization network GROUPS local
username alice secret a pass word
username bob secret bobs
crypto isakmp policy 10
 encryption aes 256
 hash sha256
 authentication pre-share
 group 14
crypto isakmp key lab-key address 0.0.0.0
crypto isakmp client configuration group default
 dns 192.168.1.53
 domain example.com
 pool CLIENTS
 acl 150
 banner ^CWelcome^C
crypto isakmp client configuration group STAFF
 key staff-key
 dns 192.168.1.54
 pool STAFF
access-list 150 permit ip 192.168.1.0 0.0.0.255 any
ip local pool CLIENTS 10.10.0.1 10.10.0.20
ip local pool STAFF 10.20.0.1 10.20.0.9
crypto ipsec transform-set TS esp-aes 256 esp-sha256-hmac
crypto dynamic-map ROAD 10
 set transform-set TS
crypto map VPN client authentication list USERS
crypto map VPN isakmp authorization list GROUPS
crypto map VPN client configuration address respond
crypto map VPN 100 ipsec-isakmp dynamic ROAD
interface GigabitEthernet0/0
 crypto map VPN""".split("\n")

# What peer-ike gives charon, and what a client needs besides: XAUTH, Cisco's attributes, name servers.
DAEMON = """charon {
	load = random nonce openssl aes sha1 sha2 md5 gmp hmac kdf gcm ccm chapoly curve25519 xcbc cmac ctr pem pkcs1 pubkey x509 \
kernel-libipsec kernel-netlink socket-default vici updown xauth-generic resolve unity
	threads = 40
	install_virtual_ip = yes
	cisco_unity = yes
	dos_protection = no
	cookie_threshold = 0
	init_limit_half_open = 0
	retry_initiate_interval = 0
	i_dont_care_about_security_and_use_aggressive_mode_psk = yes
	plugins { resolve { file = /run/resolv.conf } }
	filelog { log { path = /run/charon.log
		flush_line = yes
		default = 1
		cfg = 2
		ike = 2 } }
}
swanctl {
	load = random nonce openssl aes sha1 sha2 md5 gmp hmac kdf gcm ccm chapoly curve25519 xcbc cmac ctr pem pkcs1 pubkey x509
}
"""


def connection(name, user, local="198.51.100.2", group=None):
    """A client: main mode with the key of everybody, or aggressive mode with its group's."""
    return f"""	{name} {{
		version = 1
		aggressive = {'yes' if group else 'no'}
		local_addrs = {local}
		remote_addrs = 203.0.113.1
		encap = yes
		proposals = aes256-sha256-modp2048
		vips = 0.0.0.0
		local {{
			auth = psk
			id = {'keyid:' + group if group else local}
		}}
		local2 {{
			auth = xauth
			xauth_id = {user}
		}}
		remote {{ auth = psk }}
		children {{ {name} {{
			remote_ts = 192.168.1.0/24
			esp_proposals = aes256-sha256
		}} }}
	}}
"""


def certified(name, user, unit, aggressive="no"):
    """A client with a certificate: UNIT.pem proves the machine, XAUTH the user."""
    return f"""	{name} {{
		version = 1
		aggressive = {aggressive}
		local_addrs = 198.51.100.2
		remote_addrs = 203.0.113.1
		encap = yes
		proposals = aes256-sha256-modp2048
		vips = 0.0.0.0
		local {{
			auth = pubkey
			certs = {unit}.pem
		}}
		local2 {{
			auth = xauth
			xauth_id = {user}
		}}
		remote {{
			auth = pubkey
			id = %any
		}}
		children {{ {name} {{
			remote_ts = 192.168.1.0/24
			esp_proposals = aes256-sha256
		}} }}
	}}
"""


def configuration(connections, passwords):
    text = "connections {\n" + "".join(connections) + "}\nsecrets {\n"
    ours = "".join(f"		id-{n} = 198.51.100.{n}\n" for n in (2, *range(11, 21)))
    text += f"	ike-lab {{\n{ours}		secret = lab-key\n	}}\n"
    text += '	ike-staff {\n		id = keyid:STAFF\n		secret = staff-key\n	}\n'
    for user, password in passwords.items():
        text += f'	xauth-{user} {{\n		id = {user}\n		secret = "{password}"\n	}}\n'
    return text + "}\n"
