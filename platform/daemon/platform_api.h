/* platformd's door: the messages of the socket RUN_DIR/platformd, for the console. */
#ifndef POSTERN_PLATFORM_API_H
#define POSTERN_PLATFORM_API_H

#include "configdb/configdb.h"
#include "platform/base/addr.h"
#include "platform/base/log.h"
#include "platform/base/msg.h"

#define PLATFORMD_SOCKET "platformd"

enum platform_msg {
	PLATM_INTERFACE_DUMP = 1, /* -> dump of platm_interface: actual state */
	PLATM_ROUTE_DUMP,         /* -> dump of platm_route: the kernel's main table */
	PLATM_LOG_DUMP,           /* -> dump of platm_log: the buffer, oldest first */
	PLATM_LOG_INFO,           /* -> platm_log_info */
	PLATM_LOG_CLEAR,          /* privilege 15 */
	PLATM_LOG_MONITOR,        /* uint8 on, uint8 console -> then platm_log events (sequence 0) on this connection */
	PLATM_VERSION,            /* -> platm_version */
	PLATM_RELOAD,             /* privilege 15: restarts the router's programs from the startup configuration */
	PLATM_NEIGHBOUR_DUMP,     /* -> dump of platm_neighbour */
	PLATM_LOG_LINE = 128      /* event: platm_log */
};

/* As the kernel counts them; what it does not count is not here. */
struct platm_counters {
	uint64_t rx_packets, rx_bytes, rx_errors, rx_dropped, rx_multicast;
	uint64_t rx_length, rx_crc, rx_frame, rx_over, rx_fifo, rx_missed; /* errors by their kind */
	uint64_t tx_packets, tx_bytes, tx_errors, tx_dropped;
	uint64_t tx_fifo, tx_carrier, collisions;
	uint64_t carrier_changes;
};

struct platm_interface {
	char name[CFG_NAME], ifname[16];
	uint8_t present, admin_up, line_up;
	uint8_t mac[6];
	uint32_t mtu, ip_mtu;
	struct addr ip; /* primary */
	uint8_t prefix_len;
	struct platm_counters count;
	uint8_t reliability;                     /* 255ths of the frames of five minutes that were without error */
	uint64_t rx_bps, rx_pps, tx_bps, tx_pps; /* 5-minute average */
	uint64_t last_input_s, last_output_s;    /* UINT64_MAX: never */
	char fault[128];                         /* why the configuration could not be applied; empty: all is well */
};

struct platm_route {
	struct addr prefix;
	uint8_t prefix_len;
	struct addr next_hop;     /* unset: connected */
	char interface[CFG_NAME]; /* IOS name; "Null0" */
	uint8_t kind;             /* 'C', 'L', 'S' */
	uint8_t distance;
};

struct platm_neighbour {
	struct addr ip;
	uint8_t mac[6];
	char interface[CFG_NAME];
	int32_t age_min; /* -1: our own address */
};

struct platm_log {
	uint64_t number;
	uint8_t severity;
	char text[LOG_TEXT + 128]; /* stamped, as it is shown: "*Nov 23 18:00:00.123: %SYS-5-..." send only what is used */
};

struct platm_log_info {
	uint64_t console_logged, monitor_logged, buffer_logged, dropped;
	uint32_t buffer_bytes;
	uint8_t buffer_level, console_level, monitor_level, buffered, console;
};

struct platm_version {
	char version[32]; /* POSTERN_VERSION */
	char built[48];
	uint64_t uptime_s;
	char reason[128]; /* "reload", "power-on" */
	uint64_t memory_kb;
	char cpu[64];
	char serial[32];
	uint64_t started_wall_us;
	uint32_t gigabit; /* interfaces */
};

#endif
