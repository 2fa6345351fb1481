/*
 * threadz.c - "--- threadz 1 ---": the stacks of all threads of a server.
 *
 * A thread has a title of its own, and lines with addresses among other words below it.
 */
#include "base/buf.h"
#include "legacy/parsers.h"
#include "legacy/making.h"
#include "legacy/memorymap.h"

/* "--- threadz N ---" anywhere in the line. */
static bool is_title(struct ep_slice line)
{
	static const char word[] = "--- threadz ";
	const char *at = line.p, *end = at + line.n;
	struct ep_slice n;
	while (line.n &&
	       (at = memmem(at, (size_t)(end - at), word, sizeof(word) - 1))) {
		at += sizeof(word) - 1;
		const char *q = at;
		if (ep_plaintext_take_digits(&q, end, &n) &&
		    ep_plaintext_take(&q, end, " ---"))
			return true;
	}
	return false;
}

/* "/TID) stack: ---" anywhere. */
static bool has_thread_end(const char *at, const char *end)
{
	static const char word[] = ") stack: ---";
	const char *from = at;
	while ((at = memmem(at, (size_t)(end - at), word, sizeof(word) - 1))) {
		const char *digits = at;
		while (digits > from && ep_plaintext_is_digit(digits[-1]))
			digits--;
		if (digits < at && digits > from && digits[-1] == '/')
			return true;
		at += sizeof(word) - 1;
	}
	return false;
}

/* "--- Thread HEX (name: NAME/TID) stack: ---" anywhere. */
static bool is_thread(struct ep_slice line)
{
	static const char word[] = "--- Thread ";
	const char *at = line.p, *end = at + line.n;
	while (line.n &&
	       (at = memmem(at, (size_t)(end - at), word, sizeof(word) - 1))) {
		at += sizeof(word) - 1;
		const char *q = at;
		while (q < end && ep_plaintext_is_xdigit(*q))
			q++;
		if (q > at && ep_plaintext_take(&q, end, " (name: "))
			return has_thread_end(q, end);
	}
	return false;
}

struct threadz {
	struct ep_plaintext t;
	struct ep_slice line;	 /* the title of the next thread, or what ends them */
	struct ep_buf addresses; /* of the thread at hand */
	struct ep_making m;	 /* holds the stack of the last threads */
	int64_t n_same;		 /* of them */
};

/* The addresses of one line. */
static int read_addresses(struct threadz *z, struct ep_err *err)
{
	const char *at = z->line.p, *end = at + z->line.n;
	uint64_t a;
	int rc;
	while ((rc = ep_plaintext_next_address(&at, end, &a)) > 0)
		ep_buf_add(&z->addresses, &a, sizeof(a));
	if (rc < 0)
		return ep_plaintext_fail(
			&z->t, err, "malformed sample: address of more than 64 bits");
	return 0;
}

/* The lines of a thread, up to the next "---". */
static int read_thread(struct threadz *z, bool *ret_same, struct ep_err *err)
{
	*ret_same = false;
	ep_buf_clear(&z->addresses);
	z->line.n = 0;
	while (ep_plaintext_next(&z->t)) {
		z->line = ep_plaintext_trim(z->t.line);
		if (ep_plaintext_begins(z->line, "---"))
			break;
		if (ep_plaintext_has(z->line, "same as previous thread"))
			*ret_same = true;
		else
			EP_TRY(read_addresses(z, err));
	}
	*ret_same |= !z->addresses.len;
	return ep_buf_failed(&z->addresses) ? ep_fail(err, ep_buf_failed(&z->addresses),
						      0, "no memory for a stack")
					    : 0;
}

/* The leaf is where it is; callers stand behind their calls.  A signal's leaf, which
 * the walk found once more, is left out. */
static void make_stack(struct threadz *z)
{
	const uint64_t *a = (const uint64_t *)(const void *)z->addresses.data;
	size_t n = z->addresses.len / sizeof(*a);
	for (size_t i = 0; i < n; i++)
		ep_making_address(&z->m, i ? a[i] - 1 : a[i]);
	if (n > 1 && a[0] == a[1] && !z->m.failed) {
		z->m.n--;
		memmove(z->m.stack + 1, z->m.stack + 2,
			(z->m.n - 1) * sizeof(*z->m.stack));
	}
}

static void add_threads(struct threadz *z)
{
	if (z->n_same)
		ep_making_sample(&z->m, &z->n_same, NULL);
	z->n_same = 0;
}

static int read_threads(struct threadz *z, struct ep_err *err)
{
	bool same;
	while (!ep_plaintext_is_map_title(z->line) &&
	       !ep_plaintext_begins(z->line, "---- no stack trace for")) {
		if (!is_thread(z->line))
			return EP_PARSER_OTHER;
		EP_TRY(read_thread(z, &same, err));
		if (same) {
			z->n_same += z->n_same > 0;
			continue;
		}
		add_threads(z);
		make_stack(z);
		z->n_same = 1;
	}
	add_threads(z);
	return 0;
}

static int read_all(struct threadz *z, struct ep_profile **ret_p, struct ep_err *err)
{
	struct ep_build *b = z->m.b;
	ep_build_sample_type(b, "thread", "count");
	struct ep_profile *p = ep_build_profile(b);
	p->period_type =
		p->sample_types ? p->sample_types[0] : (struct ep_value_type){0};
	p->period = 1;
	int rc = read_threads(z, err);
	if (rc != 0)
		return rc;
	EP_TRY(ep_memorymap_find_and_place(&z->t, b, err));
	return ep_making_finish(&z->m, ret_p, err);
}

/* To the title of the first thread; false when this is something else. */
static bool find_first(struct threadz *z)
{
	while (ep_plaintext_next(&z->t) && ep_plaintext_is_blank(z->t.line))
		;
	z->line = z->t.line;
	if (!is_title(z->line))
		return is_thread(z->line);
	while (ep_plaintext_next(&z->t)) { /* at the end, `line` stays the last */
		z->line = z->t.line;
		if (ep_plaintext_is_map_title(z->line) ||
		    ep_plaintext_begins(z->line, "-"))
			break;
	}
	return true;
}

int ep_threadz_parse(struct ep_slice bytes, size_t max_bytes, struct ep_profile **ret_p,
		     struct ep_err *err)
{
	struct threadz z = {0};
	ep_plaintext_open(&z.t, bytes);
	if (!find_first(&z))
		return EP_PARSER_OTHER;
	ep_buf_init(&z.addresses, max_bytes);
	int rc = ep_making_init(&z.m, max_bytes, err);
	if (rc == 0)
		rc = read_all(&z, ret_p, err);
	ep_making_fini(&z.m);
	ep_buf_fini(&z.addresses);
	return rc;
}
