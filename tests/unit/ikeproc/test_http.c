/* HTTP as the fetch process speaks it: URLs, responses, and bounds of a fetch. */
#include "ikemgr/proc/fetch.h"

#include "platform/base/mem.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

static void urls(void **state)
{
	char host[FETCH_URL], port[8], path[FETCH_URL];

	(void)state;
	assert_true(http_url("http://ca.example.com/root.crl", host, port, path));
	assert_string_equal(host, "ca.example.com");
	assert_string_equal(port, "80");
	assert_string_equal(path, "/root.crl");
	assert_true(http_url("http://192.0.2.1:8080", host, port, path));
	assert_string_equal(port, "8080");
	assert_string_equal(path, "/");
	assert_false(http_url("https://a/", host, port, path));
	assert_false(http_url("http:///x", host, port, path));
	assert_false(http_url("http://a:/x", host, port, path));
	assert_false(http_url("http://a:123456/x", host, port, path));
	assert_false(http_url("http://user@a/x", host, port, path));
}

static bool body(const char *response, const char *want)
{
	struct span b;

	return http_body(span_of(response, strlen(response)), &b) && b.len == strlen(want) && memcmp(b.data, want, b.len) == 0;
}

static void responses(void **state)
{
	(void)state;
	assert_true(body("HTTP/1.0 200 OK\r\n\r\nabc", "abc"));
	assert_true(body("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nabc", "ab"));
	assert_true(body("HTTP/1.1 200 OK\r\nX: y\r\ncontent-length:3\r\n\r\nabc", "abc"));
	assert_false(body("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabc", "abc"));
	assert_false(body("HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\nabc", "abc"));
	assert_false(body("HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\nabc", "abc"));
	assert_false(body("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc", "abc"));
	assert_false(body("HTTP/1.0 302 Found\r\nLocation: /x\r\n\r\nabc", "abc"));
	assert_false(body("HTTP/1.0 200 OK\r\nabc", "abc"));
	assert_false(body("", ""));
	assert_false(body("HTTP/1.0 200", ""));
}

/* ---- Against a server ---- */

struct server {
	int fd;
	uint16_t port;
	size_t bytes; /* of the body that it sends, without end if SIZE_MAX */
	bool silent;  /* takes the connection and says nothing */
	pthread_t thread;
};

static void *serve(void *arg)
{
	static char block[4096];
	struct server *s = arg;
	int fd = accept(s->fd, NULL, NULL);
	size_t left = s->bytes;

	if (fd < 0)
		return NULL;
	if (s->silent) {
		(void)!read(fd, block, sizeof(block));
		while (read(fd, block, sizeof(block)) > 0)
			;
	} else {
		(void)!read(fd, block, sizeof(block));
		(void)!write(fd, "HTTP/1.0 200 OK\r\n\r\n", 19);
		while (left > 0) {
			size_t n = left < sizeof(block) ? left : sizeof(block);

			if (send(fd, block, n, MSG_NOSIGNAL) < 0)
				break;
			left -= n;
		}
	}
	close(fd);
	return NULL;
}

static void start(struct server *s)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(at);

	s->fd = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(bind(s->fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(s->fd, 1), 0);
	assert_int_equal(getsockname(s->fd, (struct sockaddr *)&at, &len), 0);
	s->port = ntohs(at.sin_port);
	assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
}

static enum err fetch(struct server *s, size_t *len)
{
	char url[64];
	uint8_t *bytes = NULL;
	enum err e;

	start(s);
	snprintf(url, sizeof(url), "http://127.0.0.1:%u/x", s->port);
	e = http_fetch(FETCH_PLAIN, url, (struct span){ 0 }, &bytes, len);
	mem_free(bytes);
	pthread_join(s->thread, NULL);
	close(s->fd);
	return e;
}

/* SCEP's message as a body, or in the URL, where '+', '/' and '=' would mean something else (RFC 8894 4.1). */
static void scep_requests(void **state)
{
	static const uint8_t message[] = { 0xfb, 0xff, 0xfe, 0x00 }; /* "+//+AA==" */
	static const char get[] = "GET /x?operation=PKIOperation&message=%2B%2F%2F%2BAA%3D%3D HTTP/1.0\r\nHost: ca\r\n";
	static const char post[] = "POST /x?operation=PKIOperation HTTP/1.0\r\nHost: ca\r\n";
	const char *path = "/x?operation=PKIOperation";
	size_t len = 0;
	char *r = http_request(FETCH_SCEP_GET, "ca", path, span_of(message, sizeof(message)), &len);

	(void)state;
	assert_non_null(r);
	assert_memory_equal(r, get, sizeof(get) - 1);
	assert_int_equal(len, strlen(r));
	assert_string_equal(r + len - 4, "\r\n\r\n");
	mem_free(r);
	r = http_request(FETCH_SCEP_POST, "ca", path, span_of(message, sizeof(message)), &len);
	assert_non_null(r);
	assert_memory_equal(r, post, sizeof(post) - 1);
	assert_non_null(strstr(r, "Content-Type: application/x-pki-message\r\nContent-Length: 4\r\n\r\n"));
	assert_memory_equal(r + len - 4, message, 4);
	mem_free(r);
}

static void bounded(void **state)
{
	struct server good = { .bytes = 100000 }, much = { .bytes = SIZE_MAX }, silent = { .silent = true };
	time_t begin = time(NULL);
	size_t len = 0;

	(void)state;
	assert_int_equal(fetch(&good, &len), ERR_OK);
	assert_int_equal(len, 100000);
	assert_int_equal(fetch(&much, &len), ERR_LIMIT);
	assert_int_equal(fetch(&silent, &len), ERR_TIMEOUT);
	assert_true(time(NULL) - begin < 4 * FETCH_S);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(urls),
		cmocka_unit_test(responses),
		cmocka_unit_test(scep_requests),
		cmocka_unit_test(bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
