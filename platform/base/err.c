/* The texts of enum err. */
#include "platform/base/err.h"

static const char *const texts[] = {
#define X(name, text) text,
	ERRS(X)
#undef X
};

const char *err_text(enum err e)
{
	return (unsigned)e < ERR_COUNT ? texts[e] : "unknown error";
}
