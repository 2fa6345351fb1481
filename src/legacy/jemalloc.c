/*
 * jemalloc.c - "heap_v2/524288" and what follows it: jemalloc's heap dumps.
 *
 *     heap_v2/524288
 *       t*: 28106: 56637512 [0: 0]        all threads together, then one line each
 *       t3: 352: 16777344 [0: 0]
 *     @ 0x5f86da8 0x5f5a1dc               a stack, and what its lines below say of it
 *       t*: 13: 6688 [0: 0]
 *
 * OBJECTS: BYTES in use and, with prof_accum, [OBJECTS: BYTES] ever allocated.  Threads
 * are not told apart.  The numbers are sampled as tcmalloc's are, and scaled like
 * those.
 *
 * Source: jemalloc's src/prof_data.c and bin/jeprof.
 */
#include "legacy/parsers.h"
#include "legacy/making.h"
#include "legacy/mapline.h"
#include "legacy/memorymap.h"
#include "legacy/unsample.h"

enum { MOST_OWN = 8 };

struct dump {
	struct ep_plaintext t;
	struct ep_making m;
	int64_t rate;
	bool has_alloc;
	bool in_stack; /* a stack is at hand, without its numbers yet */
	struct ep_mapline own[MOST_OWN]; /* code of libjemalloc.so */
	int n_own;
};

struct counts {
	int64_t in_use, in_use_bytes, alloc, alloc_bytes;
};

static bool take_number(const char **at, const char *end, const char *mark,
			int64_t *ret)
{
	struct ep_slice digits;
	ep_plaintext_skip_blanks(at, end);
	return ep_plaintext_take_digits(at, end, &digits) &&
	       ep_plaintext_int(digits, 10, ret) && ep_plaintext_take(at, end, mark);
}

/* "t*: 13: 6688 [0: 0]"; the line is trimmed. */
static bool read_total(struct ep_slice line, struct counts *ret)
{
	const char *at = line.p, *end = at + line.n;
	if (!ep_plaintext_take(&at, end, "t*:") ||
	    !take_number(&at, end, ":", &ret->in_use) ||
	    !take_number(&at, end, " ", &ret->in_use_bytes))
		return false;
	ep_plaintext_skip_blanks(&at, end);
	return ep_plaintext_take(&at, end, "[") &&
	       take_number(&at, end, ":", &ret->alloc) &&
	       take_number(&at, end, "]", &ret->alloc_bytes);
}

/* "t3: …": one thread's share. */
static bool is_thread(struct ep_slice line)
{
	return line.n > 1 && line.p[0] == 't' && ep_plaintext_is_digit(line.p[1]);
}

static bool read_title(struct dump *d)
{
	const char *at = d->t.line.p, *end = at + d->t.line.n;
	struct ep_slice rate;
	return ep_plaintext_take(&at, end, "heap_v2/") &&
	       ep_plaintext_take_digits(&at, end, &rate) && at == end &&
	       ep_plaintext_int(rate, 10, &d->rate);
}

static int64_t scale(struct dump *d, int64_t *pair, int64_t n, int64_t bytes)
{
	int64_t size = n ? bytes / n : 0;
	ep_unsample(&n, &bytes, d->rate);
	pair[0] = n;
	pair[1] = bytes;
	return size;
}

static int add_stack(struct dump *d, const struct counts *c, struct ep_err *err)
{
	int64_t values[4], size = 0;
	if ((!c->in_use && c->in_use_bytes) || (!c->alloc && c->alloc_bytes))
		return ep_plaintext_fail(&d->t, err, "bytes of no objects");
	if (d->has_alloc)
		size = scale(d, values, c->alloc, c->alloc_bytes);
	int64_t in_use_size =
		scale(d, values + 2 * d->has_alloc, c->in_use, c->in_use_bytes);
	size = in_use_size ? in_use_size : size;
	ep_making_sample(&d->m, values, &size);
	d->in_stack = false;
	return 0;
}

static bool is_own(const struct dump *d, uint64_t address)
{
	int i = 0;
	while (i < d->n_own &&
	       (address < d->own[i].start || address >= d->own[i].limit))
		i++;
	return i < d->n_own;
}

/* "@ 0x5f86da8 0x5f5a1dc". */
static int read_stack(struct dump *d, struct ep_slice line, struct ep_err *err)
{
	const char *at = line.p, *end = at + line.n, *from = at;
	uint64_t a;
	d->m.n = 0;
	d->in_stack = true;
	bool all_own = true;
	while (all_own && ep_plaintext_next_address(&at, end, &a) > 0) {
		all_own = is_own(d, a);
		from = all_own ? at : from;
	}
	if (all_own)
		from = line.p; /* better than nothing */
	line = (struct ep_slice){from, (size_t)(end - from)};
	return ep_making_addresses(&d->m, line, -1) < 0
		       ? ep_plaintext_fail(&d->t, err, "address of more than 64 bits")
		       : 0;
}

static int read_line(struct dump *d, struct ep_slice line, struct ep_err *err)
{
	struct counts c;
	if (line.p[0] == '@')
		return read_stack(d, line, err);
	if (is_thread(line))
		return 0;
	if (!read_total(line, &c))
		return ep_plaintext_fail(&d->t, err,
					 "jemalloc heap dump: no stack and no count");
	return d->in_stack ? add_stack(d, &c, err) : 0;
}

/* The first total says whether allocations were kept. */
static bool has_alloc(struct ep_plaintext t)
{
	struct counts c;
	while (ep_plaintext_next(&t) && !ep_plaintext_begins(t.line, "@"))
		if (read_total(ep_plaintext_trim(t.line), &c))
			return c.alloc || c.alloc_bytes;
	return false;
}

static void find_own(struct dump *d, struct ep_plaintext t)
{
	struct ep_mapline m;
	while (ep_plaintext_next(&t) && !ep_plaintext_is_map_title(t.line))
		;
	while (d->n_own < MOST_OWN && ep_plaintext_next(&t))
		if (ep_plaintext_has(t.line, "/libjemalloc.so") &&
		    ep_mapline_parse(t.line, &m) == EP_MAPLINE_CODE)
			d->own[d->n_own++] = m;
}

static void set_types(struct dump *d)
{
	struct ep_build *b = d->m.b;
	struct ep_profile *p = ep_build_profile(b);
	if (d->has_alloc) {
		ep_build_sample_type(b, "alloc_objects", "count");
		ep_build_sample_type(b, "alloc_space", "bytes");
	}
	ep_build_sample_type(b, d->has_alloc ? "inuse_objects" : "objects", "count");
	ep_build_sample_type(b, d->has_alloc ? "inuse_space" : "space", "bytes");
	p->period_type.type = ep_build_cstr(b, "space");
	p->period_type.unit = ep_build_cstr(b, "bytes");
	p->period = d->rate;
}

static int read_dump(struct dump *d, struct ep_profile **ret_p, struct ep_err *err)
{
	set_types(d);
	while (ep_plaintext_next(&d->t) && !ep_plaintext_is_map_title(d->t.line)) {
		struct ep_slice line = ep_plaintext_trim(d->t.line);
		if (line.n)
			EP_TRY(read_line(d, line, err));
	}
	EP_TRY(ep_memorymap_find_and_place(&d->t, d->m.b, err));
	return ep_making_finish(&d->m, ret_p, err);
}

int ep_jemalloc_parse(struct ep_slice bytes, size_t max_bytes,
		      struct ep_profile **ret_p, struct ep_err *err)
{
	struct dump d = {0};
	ep_plaintext_open(&d.t, bytes);
	if (!ep_plaintext_next(&d.t) || !read_title(&d))
		return EP_PARSER_OTHER;
	d.has_alloc = has_alloc(d.t);
	find_own(&d, d.t);
	int rc = ep_making_init(&d.m, max_bytes, err);
	if (rc == 0)
		rc = read_dump(&d, ret_p, err);
	ep_making_fini(&d.m);
	return rc;
}
