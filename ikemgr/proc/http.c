/* HTTP/1.0 as far as CRLs, OCSP and SCEP need it: one request, one response, the connection ends. */
#include "ikemgr/proc/fetch.h"

#include "platform/base/mem.h"

#include <openssl/evp.h>

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define HEADER_MAX 8192

bool http_url(const char *url, char host[FETCH_URL], char port[8], char path[FETCH_URL])
{
	size_t n, p;

	if (strncmp(url, "http://", 7) != 0 || strlen(url) >= FETCH_URL)
		return false;
	url += 7;
	n = strcspn(url, ":/");
	if (n == 0 || strcspn(url, "@") < n + strcspn(url + n, "/"))
		return false;
	snprintf(host, FETCH_URL, "%.*s", (int)n, url);
	url += n;
	snprintf(port, 8, "80");
	if (*url == ':') {
		p = strspn(url + 1, "0123456789");
		if (p == 0 || p > 5 || (url[1 + p] != '/' && url[1 + p] != '\0'))
			return false;
		snprintf(port, 8, "%.*s", (int)p, url + 1);
		url += 1 + p;
	}
	snprintf(path, FETCH_URL, "%s", *url == '/' ? url : "/");
	return true;
}

/* The value of a header between `at` and `end`, or NULL. */
static const char *header_find(const char *at, const char *end, const char *name)
{
	size_t n = strlen(name);

	while (at < end) {
		const char *stop = memchr(at, '\n', (size_t)(end - at));

		if ((size_t)(end - at) > n && strncasecmp(at, name, n) == 0 && at[n] == ':')
			return at + n + 1;
		if (stop == NULL)
			return NULL;
		at = stop + 1;
	}
	return NULL;
}

bool http_body(struct span response, struct span *body)
{
	const char *text = (const char *)response.data, *end, *length;
	unsigned long want;
	size_t have;

	if (response.len < 12 || memcmp(text, "HTTP/1.", 7) != 0 || memcmp(text + 8, " 200", 4) != 0)
		return false;
	end = memmem(text, response.len < HEADER_MAX ? response.len : HEADER_MAX, "\r\n\r\n", 4);
	if (end == NULL)
		return false;
	have = response.len - (size_t)(end + 4 - text);
	if (header_find(text, end, "Transfer-Encoding") != NULL)
		return false;
	length = header_find(text, end, "Content-Length");
	if (length != NULL) {
		char digits[12] = "";

		/* The blank line stands behind it: there is an end. */
		length += strspn(length, " ");
		snprintf(digits, sizeof(digits), "%.*s",
			(int)strspn(length, "0123456789") < 10 ? (int)strspn(length, "0123456789") : 10, length);
		want = strtoul(digits, NULL, 10);
		if (digits[0] == '\0' || want > have)
			return false;
		have = want;
	}
	*body = span_of((const uint8_t *)end + 4, have);
	return true;
}

static long left_ms(const struct timespec *end)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (end->tv_sec - now.tv_sec) * 1000 + (end->tv_nsec - now.tv_nsec) / 1000000;
}

static bool ready(int fd, short events, const struct timespec *end)
{
	struct pollfd p = { .fd = fd, .events = events };
	long ms = left_ms(end);

	return ms > 0 && poll(&p, 1, (int)ms) == 1;
}

/* -1, with *e: nobody of that name, or no connection. */
static int connect_to(const char *host, const char *port, const struct timespec *end, enum err *e)
{
	struct addrinfo hints = { .ai_family = AF_INET, .ai_socktype = SOCK_STREAM }, *list = NULL;
	int fd = -1, error = 0;
	socklen_t len = sizeof(error);

	*e = ERR_NOT_FOUND;
	if (getaddrinfo(host, port, &hints, &list) != 0 || list == NULL)
		return -1;
	*e = ERR_CLOSED;
	fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, list->ai_addr, list->ai_addrlen) < 0 &&
		(errno != EINPROGRESS || !ready(fd, POLLOUT, end) || getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0 ||
			error)) {
		close(fd);
		fd = -1;
	}
	freeaddrinfo(list);
	return fd;
}

static bool send_all(int fd, const void *data, size_t n, const struct timespec *end)
{
	const char *at = data;

	while (n > 0) {
		ssize_t sent = ready(fd, POLLOUT, end) ? send(fd, at, n, MSG_NOSIGNAL) : -1;

		if (sent <= 0)
			return false;
		at += sent;
		n -= (size_t)sent;
	}
	return true;
}

/* Base 64, with what has a meaning in a URL escaped (RFC 3986 2.1). Returns the end. */
static char *base64_escaped(char *out, struct span body)
{
	char four[5];

	for (size_t i = 0; i < body.len; i += 3) {
		EVP_EncodeBlock((unsigned char *)four, body.data + i, body.len - i < 3 ? (int)(body.len - i) : 3);
		for (const char *p = four; *p; p++)
			out += sprintf(out, *p == '+' ? "%%2B" : *p == '/' ? "%%2F" : *p == '=' ? "%%3D" : "%c", *p);
	}
	return out;
}

#define HEADERS "Host: %s\r\nUser-Agent: Postern\r\nConnection: close\r\n"

char *http_request(enum fetch_how how, const char *host, const char *path, struct span body, size_t *len)
{
	const char *type = how == FETCH_OCSP ? "application/ocsp-request" : "application/x-pki-message";
	char *out = mem_zalloc(4 * FETCH_URL + 4 * body.len), *at = out;

	if (out == NULL)
		return NULL;
	if (how == FETCH_PLAIN) {
		at += sprintf(at, "GET %s HTTP/1.0\r\n" HEADERS "\r\n", path, host);
	} else if (how == FETCH_SCEP_GET) {
		at += sprintf(at, "GET %s&message=", path);
		at = base64_escaped(at, body);
		at += sprintf(at, " HTTP/1.0\r\n" HEADERS "\r\n", host);
	} else {
		at += sprintf(at, "POST %s HTTP/1.0\r\n" HEADERS "Content-Type: %s\r\nContent-Length: %zu\r\n\r\n", path, host,
			type, body.len);
		memcpy(at, body.data, body.len);
		at += body.len;
	}
	*len = (size_t)(at - out);
	return out;
}

/* Until the other side ends. ERR_LIMIT: more than we take. */
static enum err response_read(int fd, uint8_t *buf, size_t size, size_t *len, const struct timespec *end)
{
	for (*len = 0; *len < size;) {
		ssize_t n = ready(fd, POLLIN, end) ? recv(fd, buf + *len, size - *len, 0) : -1;

		if (n < 0)
			return ERR_TIMEOUT;
		if (n == 0)
			return ERR_OK;
		*len += (size_t)n;
	}
	return ERR_LIMIT;
}

enum err http_fetch(enum fetch_how how, const char *url, struct span body, uint8_t **bytes, size_t *len)
{
	const size_t size = FETCH_BYTES_MAX + HEADER_MAX;
	char host[FETCH_URL], port[8], path[FETCH_URL];
	struct timespec end;
	struct span found;
	size_t request_len = 0;
	char *request;
	uint8_t *buf;
	enum err e = ERR_CLOSED;
	int fd;

	if (!http_url(url, host, port, path))
		return ERR_INVALID;
	request = http_request(how, host, path, body, &request_len);
	buf = mem_zalloc(size);
	if (buf == NULL || request == NULL) {
		mem_free(request);
		mem_free(buf);
		return ERR_NOMEM;
	}
	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += FETCH_S;
	fd = connect_to(host, port, &end, &e);
	if (fd >= 0 && send_all(fd, request, request_len, &end))
		e = response_read(fd, buf, size, len, &end);
	if (fd >= 0)
		close(fd);
	mem_free(request);
	if (e == ERR_OK && !http_body(span_of(buf, *len), &found))
		e = ERR_INVALID;
	if (e != ERR_OK) {
		mem_free(buf);
		return e;
	}
	*len = found.len;
	memmove(buf, found.data, found.len);
	*bytes = buf;
	return ERR_OK;
}
