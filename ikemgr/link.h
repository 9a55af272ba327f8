/* Doubly linked lists, their links in the objects themselves. */
#ifndef POSTERN_IKEMGR_LINK_H
#define POSTERN_IKEMGR_LINK_H

#include <stddef.h>

/* The head is a link of its own. */
struct link {
	struct link *next, *prev;
};
void link_init(struct link *head);
void link_add(struct link *head, struct link *l); /* at the end */
void link_del(struct link *l);                    /* fine when not linked (zero) */
#define OWNER(l, type, member) ((type *)((char *)(l)-offsetof(type, member)))
/* The body may unlink `l` itself, nothing else. */
#define EACH(l, head) for (struct link *l = (head)->next, *l##_next = l->next; l != (head); l = l##_next, l##_next = l->next)
/* The same for a list of the core; what it looks at is counted. Walks for a message or a packet go through an index. */
#define EACH_OF(k, l, head)                                                                                                        \
	for (struct link *l = (head)->next, *l##_next = l->next; l != (head) && ++(k)->walked; l = l##_next, l##_next = l->next)

#endif
