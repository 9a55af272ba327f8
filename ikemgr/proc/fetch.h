/* The process that fetches: CRLs, OCSP's answers, and what a CA says over SCEP, over HTTP, for the proto process.
 *
 *   proto                                   fetch
 *   FETCH_GET, struct fetch_question   -->      GET or POST, as its `how` says; one connection, no redirections
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
#define FETCH_BODY_MAX  16384
#define FETCH_URL       512

enum fetch_msg { FETCH_GET = 1 };

/* RFC 8894 4.1: a SCEP message is the body of a POST, or, for CAs that do not know that, base 64 in the URL of a GET. */
enum fetch_how { FETCH_PLAIN, FETCH_OCSP, FETCH_SCEP_POST, FETCH_SCEP_GET };

struct fetch_question {
	uint64_t serial;
	uint8_t how; /* enum fetch_how */
	char url[FETCH_URL];
	uint16_t body_len;
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
/* The answer comes later; an error at once means: none will. With a body: a POST to OCSP. */
enum err fetch_ask(struct fetch_client *c, uint64_t serial, const char *url, struct span body) MUST_CHECK;
enum err fetch_ask_how(struct fetch_client *c, uint64_t serial, enum fetch_how how, const char *url, struct span body) MUST_CHECK;

/* http.c */
/* "http://HOST[:PORT][/PATH]" into its parts; false: it is no such URL. */
bool http_url(const char *url, char host[FETCH_URL], char port[8], char path[FETCH_URL]);
/* A whole response's body. False: status other than 200, malformed, or shorter than it says. */
bool http_body(struct span response, struct span *body);
/* The request's head, and what of `body` follows it: allocated in one piece with mem_zalloc. NULL: out of memory. */
char *http_request(enum fetch_how how, const char *host, const char *path, struct span body, size_t *len);
/* Fetches; *bytes is allocated with mem_zalloc. Blocks, for FETCH_S seconds at most (and the resolver's own time).
 * ERR_NOT_FOUND: no address for that name; ERR_CLOSED: no connection; ERR_TIMEOUT; ERR_INVALID: no "200 OK", or malformed. */
enum err http_fetch(enum fetch_how how, const char *url, struct span body, uint8_t **bytes, size_t *len);

#endif
