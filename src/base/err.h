/*
 * err.h - what went wrong, where, in one sentence.
 *
 * A function that reads outside data returns a negative errno and fills a
 * struct ep_err once, where the fault is seen.  Callers only pass it up.
 */
#ifndef EP_BASE_ERR_H
#define EP_BASE_ERR_H

#include <errno.h>
#include <stdint.h>

struct ep_err {
	int code;       /* negative errno; 0: nothing recorded */
	uint64_t pos;   /* byte offset of the fault in the input, 0 when meaningless */
	char text[240]; /* one line without a newline; names the thing and the number */
};

/*
 * ep_fail - record a fault and return its code.
 *
 * in       code       negative errno, of the closed list in STYLE.md
 *          pos        byte offset in the input
 *          fmt        printf format of one line
 * out      err        may be NULL; an error already recorded is kept, since the
 *                     first is the cause
 * threads  any thread; not signal-safe
 */
int ep_fail(struct ep_err *err, int code, uint64_t pos, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/*
 * ep_err_context - put words before the recorded text: "FILE: text".
 *
 * threads  any thread; not signal-safe
 */
void ep_err_context(struct ep_err *err, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Return the failure of `expr` to the caller, if it failed. */
#define EP_TRY(expr)                                                           \
	do {                                                                   \
		int ep_try_rc_ = (expr);                                       \
		if (ep_try_rc_ < 0)                                            \
			return ep_try_rc_;                                     \
	} while (0)

#endif
