/* tagrange.c - see tagrange.h.  Source: google/pprof driver_focus.go. */
#include "profile/tagrange.h"

#include <math.h>

/* "-12kb": where it is in the text, and its unit. */
struct number {
	size_t start, end; /* of all of it */
	struct ep_slice digits, unit;
	bool negative;
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static int read_value(const struct number *n, int64_t *ret, struct ep_err *err)
{
	int64_t v = 0;
	for (size_t i = 0; i < n->digits.n; i++) {
		int d = n->digits.p[i] - '0';
		if (__builtin_mul_overflow(v, 10, &v) ||
		    __builtin_add_overflow(v, n->negative ? -d : d, &v))
			return ep_fail(err, -EINVAL, 0,
				       "failed to parse int %s%.*s: value out of range",
				       n->negative ? "-" : "", EP_SLICE_ARG(n->digits));
	}
	*ret = v;
	return 0;
}

/* The next number at or after `from`. */
static bool find_number(struct ep_slice text, size_t from, struct number *ret)
{
	size_t at = from;
	while (at < text.n && !is_digit(text.p[at]))
		at++;
	if (at == text.n)
		return false;
	size_t digits = at;
	while (at < text.n && is_digit(text.p[at]))
		at++;
	size_t letters = at;
	while (at < text.n && is_letter(text.p[at]))
		at++;
	char before = digits > from ? text.p[digits - 1] : '\0';
	bool has_sign = before == '-' || before == '+';
	*ret = (struct number){.start = digits - has_sign,
			       .end = at,
			       .digits = {text.p + digits, letters - digits},
			       .unit = {text.p + letters, at - letters},
			       .negative = before == '-'};
	return true;
}

/* What surrounds one number. */
static bool one_bound(struct ep_slice text, const struct number *n, struct ep_tagrange *r,
		      double value)
{
	bool open_low = n->start == 1 && text.p[0] == ':';
	bool open_high = n->end + 1 == text.n && text.p[n->end] == ':';
	if (n->start != open_low || n->end + open_high != text.n || (open_low && open_high))
		return false;
	r->low = open_low ? -INFINITY : value;
	r->high = open_high ? INFINITY : value;
	return true;
}

static bool is_pair(struct ep_slice text, const struct number *a, const struct number *b)
{
	return a->start == 0 && b->start == a->end + 1 && text.p[a->end] == ':' &&
	       b->end == text.n;
}

int ep_tagrange_parse(struct ep_slice text, struct ep_tagrange *ret, struct ep_err *err)
{
	struct number a, b;
	struct ep_tagrange r = {0};
	int64_t value;
	if (!find_number(text, 0, &a))
		return 0;
	EP_TRY(read_value(&a, &value, err));
	double low = ep_units_scale(value, a.unit, a.unit, &r.unit);
	if (!find_number(text, a.end, &b)) {
		if (!one_bound(text, &a, &r, low))
			return 0;
	} else {
		struct ep_slice unit;
		if (!is_pair(text, &a, &b))
			return 0;
		EP_TRY(read_value(&b, &value, err));
		r.low = low;
		r.high = ep_units_scale(value, b.unit, r.unit, &unit);
		if (!ep_slice_eq(unit, r.unit))
			return 0;
	}
	*ret = r;
	return 1;
}
