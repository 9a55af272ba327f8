/* HTTP/1.0 as far as CRLs and OCSP need it: one request, one response, the connection ends. */
#include "ikemgr/proc/fetch.h"

#include "platform/base/mem.h"

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

static int connect_to(const char *host, const char *port, const struct timespec *end)
{
	struct addrinfo hints = { .ai_family = AF_INET, .ai_socktype = SOCK_STREAM }, *list = NULL;
	int fd = -1, error = 0;
	socklen_t len = sizeof(error);

	if (getaddrinfo(host, port, &hints, &list) != 0 || list == NULL)
		return -1;
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

static bool request_send(int fd, const char *host, const char *path, struct span body, const struct timespec *end)
{
	char head[3 * FETCH_URL];
	int n;

	if (body.len == 0)
		n = snprintf(head, sizeof(head), "GET %s HTTP/1.0\r\nHost: %s\r\nUser-Agent: Postern\r\nConnection: close\r\n\r\n",
			path, host);
	else
		n = snprintf(head, sizeof(head),
			"POST %s HTTP/1.0\r\nHost: %s\r\nUser-Agent: Postern\r\nConnection: close\r\n"
			"Content-Type: application/ocsp-request\r\nContent-Length: %zu\r\n\r\n",
			path, host, body.len);
	return send_all(fd, head, (size_t)n, end) && send_all(fd, body.data, body.len, end);
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

enum err http_fetch(const char *url, struct span body, uint8_t **bytes, size_t *len)
{
	const size_t size = FETCH_BYTES_MAX + HEADER_MAX;
	char host[FETCH_URL], port[8], path[FETCH_URL];
	struct timespec end;
	struct span found;
	uint8_t *buf;
	enum err e = ERR_CLOSED;
	int fd;

	if (!http_url(url, host, port, path))
		return ERR_INVALID;
	buf = mem_zalloc(size);
	if (buf == NULL)
		return ERR_NOMEM;
	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += FETCH_S;
	fd = connect_to(host, port, &end);
	if (fd >= 0 && request_send(fd, host, path, body, &end))
		e = response_read(fd, buf, size, len, &end);
	if (fd >= 0)
		close(fd);
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
