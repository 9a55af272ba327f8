/* One place reads the descriptor, so nothing typed ahead is lost between line editor, pager and commands. */
#include "cli/input.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* CR and LF of one line end, sent in two packets. */
#define TOGETHER_MS 50

void input_init(struct input *in, int fd)
{
	*in = (struct input){ .fd = fd };
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Reads what is there behind what is buffered. False: nothing more will come. */
static bool fill(struct input *in)
{
	ssize_t n;

	if (in->at > 0) {
		memmove(in->buf, in->buf + in->at, in->len - in->at);
		in->len -= in->at;
		in->at = 0;
	}
	if (in->len == sizeof(in->buf))
		return true;
	n = read(in->fd, in->buf + in->len, sizeof(in->buf) - in->len);
	if (n > 0)
		in->len += (size_t)n;
	else if (n == 0 || (errno != EINTR && errno != EAGAIN))
		in->ended = true;
	return !in->ended;
}

/* The next buffered character after the rules for line ends, or -1 when the buffer is used up. LF belongs to the CR
 * before it if both came (nearly) together: some programs end one line with CR and the next, empty, with LF. */
static int take(struct input *in)
{
	while (in->at < in->len) {
		int c = in->buf[in->at++];
		bool after_cr = in->after_cr && (c != '\n' || in->at > 1 || now_ms() - in->cr_ms <= TOGETHER_MS);

		in->after_cr = c == '\r';
		if (in->after_cr)
			in->cr_ms = now_ms();
		if (c == '\0' || (c == '\n' && after_cr))
			continue;
		return c == '\r' ? '\n' : c;
	}
	return -1;
}

/* Waits for input at most `ms` (-1: for ever) and serves the watched descriptor meanwhile. False: the time is over. */
static bool wait_ready(struct input *in, int ms)
{
	struct pollfd p[2] = { { .fd = in->fd, .events = POLLIN }, { .fd = -1, .events = POLLIN } };
	int slice = ms, n;

	if (in->watch_fd != NULL) {
		p[1].fd = in->watch_fd(in->watch_ctx);
		if (slice < 0 || slice > 2000)
			slice = 2000; /* the one who watches may want to connect again */
	}
	n = poll(p, 2, slice);
	if (n > 0 && p[1].revents != 0)
		in->watch_ready(in->watch_ctx);
	return n > 0 && p[0].revents != 0;
}

static int input_char_within(struct input *in, int wait_ms)
{
	int64_t end = wait_ms < 0 ? INT64_MAX : now_ms() + wait_ms;

	for (;;) {
		int c = take(in);
		int64_t left;

		if (c >= 0)
			return c;
		if (in->ended)
			return INPUT_EOF;
		if (in->hangup != NULL && *in->hangup)
			return INPUT_HANGUP;
		left = wait_ms < 0 ? -1 : end - now_ms();
		if (wait_ms >= 0 && left < 0)
			return INPUT_TIMEOUT;
		if (wait_ready(in, (int)left))
			fill(in);
	}
}

int input_char(struct input *in)
{
	return input_char_within(in, in->idle_s == 0 || in->idle_s > 2000000 ? -1 : (int)(in->idle_s * 1000));
}

bool input_break(struct input *in)
{
	struct pollfd p = { .fd = in->fd, .events = POLLIN };

	if (!in->ended && poll(&p, 1, 0) > 0)
		fill(in);
	for (size_t i = in->len; i > in->at; i--) {
		unsigned char c = in->buf[i - 1];

		if (c != KEY_CTRL_C && c != KEY_CTRL_SHIFT_6)
			continue;
		in->at = i;
		return true;
	}
	return in->hangup != NULL && *in->hangup;
}
