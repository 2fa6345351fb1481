/*
 * slice.h - a run of bytes that somebody else owns.
 */
#ifndef EP_BASE_SLICE_H
#define EP_BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct ep_slice {
	const char *p; /* not NUL-terminated; may be NULL when n is 0 */
	size_t n;
};

static inline struct ep_slice ep_slice_of(const char *s)
{
	return (struct ep_slice){s, s ? strlen(s) : 0};
}

static inline bool ep_slice_eq(struct ep_slice a, struct ep_slice b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static inline bool ep_slice_is(struct ep_slice a, const char *s)
{
	return ep_slice_eq(a, ep_slice_of(s));
}

/* Byte order, shorter first on a tie: the order of Go's strings. */
static inline int ep_slice_cmp(struct ep_slice a, struct ep_slice b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int c = n ? memcmp(a.p, b.p, n) : 0;
	return c ? c : (a.n > b.n) - (a.n < b.n);
}

/* printf("%.*s", EP_SLICE_ARG(s)) */
#define EP_SLICE_ARG(s) (int)(s).n, (s).n ? (s).p : ""

#endif
