/* Results of functions that can fail.
 *
 * A function that can fail returns `enum err` and writes its other results only on success. ERR_OK is 0.
 */
#ifndef POSTERN_BASE_ERR_H
#define POSTERN_BASE_ERR_H

#define MUST_CHECK             __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))

#define ERRS(X)                                                                                                                    \
	X(OK, "ok")                                                                                                                \
	X(NOMEM, "out of memory")                                                                                                  \
	X(SYS, "the system refused (errno)")                                                                                       \
	X(INVALID, "malformed input")                                                                                              \
	X(TRUNCATED, "input ends too early")                                                                                       \
	X(RANGE, "value out of range")                                                                                             \
	X(NOT_FOUND, "no such object")                                                                                             \
	X(EXISTS, "object exists already")                                                                                         \
	X(UNSUPPORTED, "not supported")                                                                                            \
	X(DENIED, "not permitted")                                                                                                 \
	X(BUSY, "busy, try again")                                                                                                 \
	X(TIMEOUT, "no answer in time")                                                                                            \
	X(AUTH, "authentication failed")                                                                                           \
	X(CRYPTO, "cryptographic operation failed")                                                                                \
	X(CLOSED, "the other side closed the connection")                                                                          \
	X(INCOMPLETE, "incomplete")                                                                                                \
	X(AMBIGUOUS, "ambiguous")                                                                                                  \
	X(LIMIT, "a limit was reached")                                                                                            \
	X(CONFLICT, "conflicts with what is there")

enum err {
#define X(name, text) ERR_##name,
	ERRS(X)
#undef X
		ERR_COUNT
};

/* A short English text for `e`; static. */
const char *err_text(enum err e);

#endif
