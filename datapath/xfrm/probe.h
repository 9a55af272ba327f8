/* What the kernel can protect by itself. */
#ifndef POSTERN_DATAPATH_XFRM_PROBE_H
#define POSTERN_DATAPATH_XFRM_PROBE_H

enum xfrm_ability {
	XFRM_UNKNOWN, /* it could not be asked */
	XFRM_ABSENT,  /* no IPsec in this kernel, or none with ESP */
	XFRM_ESP
};

/* Makes an SA without keys that no packet can meet, and removes it again. Needs CAP_NET_ADMIN. */
enum xfrm_ability xfrm_probe(void);
/* "has ESP of its own", for the log and for `show crypto engine brief` */
const char *xfrm_ability_text(enum xfrm_ability a);

#endif
