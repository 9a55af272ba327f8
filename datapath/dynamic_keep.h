/* The policies of dynamic maps on file, so that they outlive the program that was killed: until ikemgrd has put them again, what is
 * sent to a client is held or dropped, never sent in clear.
 *
 * One file in the run directory, which a start of the box empties. Fixed records, each with a check value: a process that is killed
 * in a write leaves some of the old and some of the new ones, all whole. What is left over ikemgrd takes away when it attaches.
 */
#ifndef POSTERN_DATAPATH_DYNAMIC_KEEP_H
#define POSTERN_DATAPATH_DYNAMIC_KEEP_H

#include "datapath/dynamic.h"

#include "platform/base/bytes.h"

/* Opens the file, made if need be. -1: it cannot be had, or is not a file of ours alone (logged). Needs the right to the folder. */
int dynamic_keep_open(const char *run_dir);
/* Adds what stands in it. What is no record of this program is passed over. */
void dynamic_keep_load(int fd, struct dynamics *s);
void dynamic_keep_read(struct span bytes, struct dynamics *s);
/* Writes all of them; fd -1: nothing. */
void dynamic_keep_save(int fd, const struct dynamics *s);

#endif
