/* The process that fetches: CRLs, and OCSP's answers, over HTTP, for the proto process.
 *
 *   proto                                   fetch
 *   FETCH_GET, struct fetch_question   -->      GET, or POST when there is a body; one connection, no redirections
 *                                      <--  status, struct fetch_answer, the bytes in a descriptor (memfd)
 *
 * It has no secret, no file to write and no socket but TCP, DNS's and this one. A fetch has FETCH_S seconds and FETCH_BYTES_MAX
 * bytes; FETCH_JOBS run at a time.
 */
#ifndef POSTERN_IKEMGR_PROC_FETCH_H
#define POSTERN_IKEMGR_PROC_FETCH_H

#include "platform/base/bytes.h"
#include "platform/base/loop.h"
#include "platform/base/msg.h"

#define FETCH_S         8
#define FETCH_BYTES_MAX (1 << 20)
#define FETCH_JOBS      8
#define FETCH_BODY_MAX  2048
#define FETCH_URL       256

enum fetch_msg { FETCH_GET = 1 };

struct fetch_question {
	uint64_t serial;
	char url[FETCH_URL];
	uint16_t body_len; /* 0: GET */
	uint8_t body[FETCH_BODY_MAX];
};
struct fetch_answer {
	uint64_t serial;
};

/* The process: serves `fd` until it is closed or `life` is. Returns its exit status. */
int fetch_serve(int fd, int life);

/* The other side, in the proto process. */
struct fetch_client;
/* Takes over `fd`. The bytes are borrowed until the callback returns. */
struct fetch_client *fetch_client_new(
	struct loop *l, int fd, void (*answer)(void *ctx, uint64_t serial, enum err e, struct span bytes), void *ctx);
void fetch_client_free(struct fetch_client *c);
/* The answer comes later; an error at once means: none will. */
enum err fetch_ask(struct fetch_client *c, uint64_t serial, const char *url, struct span body) MUST_CHECK;

/* http.c */
/* "http://HOST[:PORT][/PATH]" into its parts; false: it is no such URL. */
bool http_url(const char *url, char host[FETCH_URL], char port[8], char path[FETCH_URL]);
/* A whole response's body. False: status other than 200, malformed, or shorter than it says. */
bool http_body(struct span response, struct span *body);
/* Fetches; *bytes is allocated with mem_zalloc. Blocks, for FETCH_S seconds at most (and the resolver's own time). */
enum err http_fetch(const char *url, struct span body, uint8_t **bytes, size_t *len);

#endif
