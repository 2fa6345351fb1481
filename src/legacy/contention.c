/*
 * contention.c - "--- contentionz 1 ---" of C++, "--- mutex:" and "--- contention:" of
 * Go.
 *
 * Attributes "key = value", then rows DELAY COUNT @ ADDRESS…
 */
#include "legacy/parsers.h"
#include "legacy/making.h"
#include "legacy/memorymap.h"
#include "legacy/unsample.h"

struct contention {
	struct ep_plaintext t;
	struct ep_making m;
	int64_t hz, period, ms;
};

static bool is_title(struct ep_slice line)
{
	return ep_plaintext_begins(line, "--- contentionz ") ||
	       ep_plaintext_begins(line, "--- mutex:") ||
	       ep_plaintext_begins(line, "--- contention:");
}

/* Java's have the same title and other attributes, so that all else is not ours. */
static bool read_attribute(struct contention *c, struct ep_slice key,
			   struct ep_slice value)
{
	key = ep_plaintext_trim(key);
	value = ep_plaintext_trim(value);
	if (ep_slice_is(key, "cycles/second"))
		return ep_plaintext_int(value, 0, &c->hz);
	if (ep_slice_is(key, "sampling period"))
		return ep_plaintext_int(value, 0, &c->period);
	if (ep_slice_is(key, "ms since reset"))
		return ep_plaintext_int(value, 0, &c->ms);
	return ep_slice_is(key, "discarded samples");
}

/* Up to the first line that is none; false when the file is something else. */
static bool read_attributes(struct contention *c)
{
	while (ep_plaintext_next(&c->t)) {
		struct ep_slice line = ep_plaintext_trim(c->t.line);
		if (ep_plaintext_is_blank(line))
			continue;
		const char *eq = memchr(line.p, '=', line.n);
		if (ep_plaintext_begins(line, "---") || !eq)
			return true;
		struct ep_slice key = {line.p, (size_t)(eq - line.p)};
		struct ep_slice value = {eq + 1, line.n - key.n - 1};
		if (!read_attribute(c, key, value))
			return false;
	}
	return true;
}

struct row {
	struct ep_slice delay, count, addresses;
};

/*
 * DELAY COUNT @ wherever in the line they begin.  The reference's pattern lets the
 * space between the two be none: then the last digit is the count.
 */
static bool find_row(struct ep_slice line, struct row *ret)
{
	const char *at = line.p, *end = at + line.n, *q;
	while (at < end) {
		if (!ep_plaintext_take_digits(&at, end, &ret->delay)) {
			at++;
			continue;
		}
		q = at;
		ep_plaintext_skip_blanks(&q, end);
		bool two = ep_plaintext_take_digits(&q, end, &ret->count) &&
			   ep_plaintext_take(&q, end, " @");
		if (!two) {
			q = at;
			if (ret->delay.n < 2 || !ep_plaintext_take(&q, end, " @"))
				continue;
			ret->delay.n--;
			ret->count = (struct ep_slice){at - 1, 1};
		}
		ret->addresses = ep_plaintext_addresses(q, end);
		return true;
	}
	return false;
}

static int malformed(const struct contention *c, const char *why, struct ep_err *err)
{
	return ep_plaintext_fail(&c->t, err, "malformed sample: %.*s: %s",
				 c->t.line.n < 80 ? (int)c->t.line.n : 80, c->t.line.p,
				 why);
}

/* EP_PARSER_OTHER when the line is no row. */
static int read_row(struct contention *c, struct ep_slice line, struct ep_err *err)
{
	struct row row;
	int64_t delay, count;
	if (!find_row(line, &row))
		return EP_PARSER_OTHER;
	if (!ep_plaintext_int(row.delay, 10, &delay) ||
	    !ep_plaintext_int(row.count, 10, &count))
		return malformed(c, "value out of range", err);
	if (c->period > 0) {
		if (c->hz > 0) {
			double cycles = (double)delay * (double)c->period;
			delay = ep_unsample_cut(cycles / ((double)c->hz / 1e9));
		}
		count = (int64_t)((uint64_t)count * (uint64_t)c->period);
	}
	if (ep_making_addresses(&c->m, row.addresses, -1) < 0)
		return malformed(c, "address of more than 64 bits", err);
	ep_making_sample(&c->m, (const int64_t[]){count, delay}, NULL);
	return 0;
}

static int read_rows(struct contention *c, struct ep_err *err)
{
	do {
		struct ep_slice line = ep_plaintext_trim(c->t.line);
		if (ep_plaintext_begins(line, "---"))
			break;
		int rc = ep_plaintext_is_blank(line) ? 0 : read_row(c, line, err);
		if (rc != 0)
			return rc;
	} while (ep_plaintext_next(&c->t));
	return ep_memorymap_find_and_place(&c->t, c->m.b, err);
}

static void set_types(struct contention *c)
{
	struct ep_build *b = c->m.b;
	struct ep_profile *p = ep_build_profile(b);
	ep_build_sample_type(b, "contentions", "count");
	ep_build_sample_type(b, "delay", "nanoseconds");
	p->period_type =
		p->sample_types ? p->sample_types[0] : (struct ep_value_type){0};
	p->period = c->period;
	p->duration_ns = (int64_t)((uint64_t)c->ms * 1000000);
}

static int read_contention(struct contention *c, struct ep_profile **ret_p,
			   struct ep_err *err)
{
	set_types(c);
	int rc = read_rows(c, err);
	return rc != 0 ? rc : ep_making_finish(&c->m, ret_p, err);
}

int ep_contention_parse(struct ep_slice bytes, size_t max_bytes,
			struct ep_profile **ret_p, struct ep_err *err)
{
	struct contention c = {.period = 1};
	ep_plaintext_open(&c.t, bytes);
	if (!ep_plaintext_next(&c.t) || !is_title(c.t.line) || !read_attributes(&c))
		return EP_PARSER_OTHER;
	int rc = ep_making_init(&c.m, max_bytes, err);
	if (rc == 0)
		rc = read_contention(&c, ret_p, err);
	ep_making_fini(&c.m);
	return rc;
}
