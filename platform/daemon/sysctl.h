/* Kernel settings that make a Linux box a router like IOS. Only this network namespace's, only what differs is written. */
#ifndef POSTERN_PLATFORM_SYSCTL_H
#define POSTERN_PLATFORM_SYSCTL_H

void sysctl_router(void);                  /* once, at start */
void sysctl_forward(void);                 /* when the filter of crypto maps stands: from then on packets are forwarded */
void sysctl_interface(const char *ifname); /* for each interface of ours */

#endif
