/*
 * java.c - "--- heapz 1 ---" and "--- contentionz 1 ---" of Java servers.
 *
 * Attributes "key = value", rows BYTES-OR-DELAY COUNT @ NUMBER…, then what the numbers
 * name.
 */
#include "legacy/parsers.h"
#include "legacy/javanames.h"
#include "legacy/making.h"
#include "legacy/unsample.h"

struct java {
	struct ep_plaintext t;
	struct ep_making m;
	bool heap;
	struct ep_slice resolution; /* unit of the second column; p NULL: not given */
	bool has_period;
	int64_t period, ms;
};

static int bad_number(const struct java *j, const char *what, struct ep_err *err)
{
	return ep_plaintext_fail(&j->t, err, "%s %.*s: value out of range", what,
				 j->t.line.n < 80 ? (int)j->t.line.n : 80, j->t.line.p);
}

/* The next line that has an end; false, and back before it, when there is none. */
static bool next_whole(struct ep_plaintext *t)
{
	struct ep_plaintext before = *t;
	if (ep_plaintext_next(t) && t->at[-1] == '\n')
		return true;
	*t = before;
	return false;
}

/* --- attributes --------------------------------------------------------------- */

static bool is_word(char c)
{
	return c == ' ' || c == '_' || ep_plaintext_is_digit(c) ||
	       (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* WORDS=WORDS, the first such of the line. */
static bool find_attribute(struct ep_slice line, struct ep_slice *ret_key,
			   struct ep_slice *ret_value)
{
	const char *end = line.p + line.n, *from = line.p;
	for (const char *p = line.p; p < end; p++) {
		if (*p == '=' && p > from && p + 1 < end && is_word(p[1])) {
			const char *to = p + 1;
			while (to < end && is_word(*to))
				to++;
			*ret_key = ep_plaintext_trim(
				(struct ep_slice){from, (size_t)(p - from)});
			*ret_value = ep_plaintext_trim(
				(struct ep_slice){p + 1, (size_t)(to - p - 1)});
			return true;
		}
		if (!is_word(*p))
			from = p + 1;
	}
	return false;
}

static int read_attribute(struct java *j, struct ep_slice key, struct ep_slice value,
			  struct ep_err *err)
{
	if (ep_slice_is(key, "format"))
		return ep_slice_is(value, "java") ? 0 : EP_PARSER_OTHER;
	if (ep_slice_is(key, "resolution")) {
		j->resolution = value;
		return 0;
	}
	if (!j->heap && ep_slice_is(key, "sampling period")) {
		j->has_period = true;
		return ep_plaintext_int(value, 0, &j->period)
			       ? 0
			       : bad_number(j, "failed to parse attribute", err);
	}
	if (!j->heap && ep_slice_is(key, "ms since reset"))
		return ep_plaintext_int(value, 0, &j->ms)
			       ? 0
			       : bad_number(j, "failed to parse attribute", err);
	return EP_PARSER_OTHER;
}

static int read_attributes(struct java *j, struct ep_err *err)
{
	struct ep_slice key, value;
	for (struct ep_plaintext before = j->t; next_whole(&j->t); before = j->t) {
		struct ep_slice line = ep_plaintext_trim(j->t.line);
		if (!line.n)
			continue;
		if (!find_attribute(line, &key, &value)) {
			j->t = before;
			return 0;
		}
		int rc = read_attribute(j, key, value, err);
		if (rc != 0)
			return rc;
	}
	return 0;
}

/* --- rows --------------------------------------------------------------------- */

struct row {
	struct ep_slice value, count, addresses;
};

static bool take_blanks(const char **at, const char *end)
{
	const char *from = *at;
	ep_plaintext_skip_blanks(at, end);
	return *at > from;
}

static bool find_row(struct ep_slice line, struct row *ret)
{
	const char *at = line.p, *end = at + line.n;
	while (at < end) {
		if (!ep_plaintext_take_digits(&at, end, &ret->value)) {
			at++;
			continue;
		}
		const char *q = at;
		if (!take_blanks(&q, end) ||
		    !ep_plaintext_take_digits(&q, end, &ret->count) ||
		    !take_blanks(&q, end) || !ep_plaintext_take(&q, end, "@") ||
		    !take_blanks(&q, end))
			continue;
		ret->addresses = ep_plaintext_addresses(q, end);
		return true;
	}
	return false;
}

static int add_row(struct java *j, const struct row *row, struct ep_err *err)
{
	enum { RATE = 524288 }; /* of the agent's sampler */
	int64_t v[2], size = 0;
	if (ep_making_addresses(&j->m, row->addresses, 0) < 0)
		return bad_number(j, "malformed sample:", err);
	if (!ep_plaintext_int(row->count, 0, &v[0]) ||
	    !ep_plaintext_int(row->value, 0, &v[1]))
		return bad_number(j, "parsing sample", err);
	if (j->heap && !v[0])
		return ep_plaintext_fail(
			&j->t, err, "parsing sample: second value must be non-zero");
	if (!j->resolution.p)
		return ep_plaintext_fail(&j->t, err, "missing sample type information");
	if (j->heap) {
		size = v[1] / v[0];
		ep_unsample(&v[0], &v[1], RATE);
	} else if (j->period) {
		v[0] = (int64_t)((uint64_t)v[0] * (uint64_t)j->period);
		v[1] = (int64_t)((uint64_t)v[1] * (uint64_t)j->period);
	}
	ep_making_sample(&j->m, v, j->heap ? &size : NULL);
	return 0;
}

static int read_rows(struct java *j, struct ep_err *err)
{
	struct row row;
	for (struct ep_plaintext before = j->t; next_whole(&j->t); before = j->t) {
		struct ep_slice line = ep_plaintext_trim(j->t.line);
		if (!line.n)
			continue;
		if (!find_row(line, &row)) {
			j->t = before;
			return 0;
		}
		EP_TRY(add_row(j, &row, err));
	}
	return 0;
}

static void set_types(struct java *j)
{
	struct ep_build *b = j->m.b;
	struct ep_profile *p = ep_build_profile(b);
	p->period = j->period;
	p->duration_ns = (int64_t)((uint64_t)j->ms * 1000000);
	if (j->has_period) {
		p->period_type.type = ep_build_cstr(b, "contentions");
		p->period_type.unit = ep_build_cstr(b, "count");
	}
	if (!j->resolution.p)
		return;
	ep_build_sample_type(b, j->heap ? "inuse_objects" : "contentions", "count");
	ep_build_sample_type_slices(b, ep_slice_of(j->heap ? "inuse_space" : "delay"),
				    j->resolution);
}

static int read_java(struct java *j, struct ep_profile **ret_p, struct ep_err *err)
{
	int rc = read_attributes(j, err);
	if (rc != 0)
		return rc;
	set_types(j);
	EP_TRY(read_rows(j, err));
	EP_TRY(ep_javanames_read(&j->t, j->m.b, err));
	return ep_making_finish(&j->m, ret_p, err);
}

int ep_java_parse(struct ep_slice bytes, size_t max_bytes, struct ep_profile **ret_p,
		  struct ep_err *err)
{
	struct java j = {0};
	ep_plaintext_open(&j.t, bytes);
	if (!next_whole(&j.t))
		return EP_PARSER_OTHER;
	struct ep_slice title = ep_plaintext_trim(j.t.line);
	j.heap = ep_slice_is(title, "--- heapz 1 ---");
	if (!j.heap && !ep_slice_is(title, "--- contentionz 1 ---"))
		return EP_PARSER_OTHER;
	int rc = ep_making_init(&j.m, max_bytes, err);
	if (rc == 0)
		rc = read_java(&j, ret_p, err);
	ep_making_fini(&j.m);
	return rc;
}
