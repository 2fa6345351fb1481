/*
 * heaptext.c - "heap profile: 3: 4096 [9: 8192] @ heap_v2/524288" and what follows it.
 *
 * tcmalloc's heap, growth and fragmentation profiles, and Go's heap with debug=1.  A
 * row is OBJECTS: BYTES [OBJECTS: BYTES] @ ADDRESS…, in use and, in brackets,
 * allocated.
 */
#include "legacy/parsers.h"
#include "legacy/making.h"
#include "legacy/memorymap.h"
#include "legacy/unsample.h"

struct heap {
	struct ep_plaintext t;
	struct ep_making m;
	bool unsample, has_alloc;
	int64_t rate;
};

/* "3: 4096 [9: 8192]", the four numbers of the title and of a row. */
struct numbers {
	struct ep_slice in_use_n, in_use_bytes, alloc_n, alloc_bytes;
};

static bool take_signed(const char **at, const char *end, struct ep_slice *ret)
{
	const char *from = *at;
	(void)ep_plaintext_take(at, end, "-"); /* it may be missing */
	if (ep_plaintext_take_digits(at, end, ret)) {
		*ret = (struct ep_slice){from, (size_t)(*at - from)};
		return true;
	}
	*at = from;
	return false;
}

static bool take_colon(const char **at, const char *end)
{
	if (!ep_plaintext_take(at, end, ":"))
		return false;
	ep_plaintext_skip_blanks(at, end);
	return true;
}

static bool take_numbers(const char **at, const char *end, struct numbers *ret)
{
	if (!take_signed(at, end, &ret->in_use_n) || !take_colon(at, end) ||
	    !take_signed(at, end, &ret->in_use_bytes))
		return false;
	ep_plaintext_skip_blanks(at, end);
	if (!ep_plaintext_take(at, end, "["))
		return false;
	ep_plaintext_skip_blanks(at, end);
	if (!ep_plaintext_take_digits(at, end, &ret->alloc_n) || !take_colon(at, end) ||
	    !ep_plaintext_take_digits(at, end, &ret->alloc_bytes))
		return false;
	ep_plaintext_skip_blanks(at, end);
	if (!ep_plaintext_take(at, end, "]"))
		return false;
	ep_plaintext_skip_blanks(at, end);
	return true;
}

/* --- the title ---------------------------------------------------------------- */

static bool is_tag_char(char c)
{
	return c == '_' || ep_plaintext_is_digit(c) || (c >= 'a' && c <= 'z');
}

struct title {
	struct numbers n;
	struct ep_slice tag, rate; /* rate may be empty */
};

/* Behind "heap profile:". */
static bool take_title(const char *at, const char *end, struct title *ret)
{
	ep_plaintext_skip_blanks(&at, end);
	if (at < end && *at == '-')
		return false;
	*ret = (struct title){0};
	if (!take_numbers(&at, end, &ret->n) || ret->n.in_use_bytes.p[0] == '-')
		return false;
	if (!ep_plaintext_take(&at, end, "@"))
		return false;
	const char *behind_at = at;
	ep_plaintext_skip_blanks(&at, end);
	ret->tag = (struct ep_slice){at, 0};
	while (at < end && is_tag_char(*at))
		at++;
	ret->tag.n = (size_t)(at - ret->tag.p);
	(void)ep_plaintext_take(&at, end, "/"); /* it may be missing */
	(void)ep_plaintext_take_digits(&at, end, &ret->rate);
	if (ep_plaintext_begins(ret->tag, "heap"))
		return true;
	/* The others stand one space behind "] @", no more and no less. */
	return behind_at[-2] == ' ' && behind_at[-3] == ']' &&
	       ret->tag.p == behind_at + 1 &&
	       (ep_plaintext_begins(ret->tag, "growth") ||
		ep_plaintext_begins(ret->tag, "fragmentation"));
}

/* The last place of a title that fits, for there may be words before it. */
static bool find_title(struct ep_slice line, struct title *ret)
{
	static const char words[] = "heap profile:";
	const char *at = line.p, *end = at + line.n;
	bool found = false;
	while (!found &&
	       (at = memmem(at, (size_t)(end - at), words, sizeof(words) - 1))) {
		at += sizeof(words) - 1;
		found = take_title(at, end, ret);
	}
	return found;
}

static bool differs(struct ep_slice alloc, struct ep_slice in_use)
{
	return !ep_slice_eq(alloc, in_use) && !ep_slice_is(alloc, "0");
}

/* False when the title is of none of the known kinds. */
static bool read_title(struct heap *h, const struct title *t)
{
	if (!ep_plaintext_begins(t->tag, "heap")) {
		h->rate = 1;
		return true;
	}
	if (t->rate.n && !ep_plaintext_int(t->rate, 10, &h->rate))
		return false;
	h->has_alloc = differs(t->n.alloc_n, t->n.in_use_n) ||
		       differs(t->n.alloc_bytes, t->n.in_use_bytes);
	if (ep_slice_is(t->tag, "heapprofile")) {
		h->rate = 1;
		return true;
	}
	h->unsample = true;
	if (ep_slice_is(t->tag, "heap"))
		h->rate /= 2; /* Go and old tcmalloc write twice the rate */
	return h->rate >= 0 &&
	       (ep_slice_is(t->tag, "heap") || ep_slice_is(t->tag, "heap_v2") ||
		ep_slice_is(t->tag, "heapz_v2"));
}

/* --- rows --------------------------------------------------------------------- */

/* The numbers of a row, wherever in it they begin, and the addresses behind them. */
static bool find_row(struct ep_slice line, struct numbers *ret,
		     struct ep_slice *ret_addresses)
{
	const char *end = line.p + line.n;
	for (const char *p = line.p; p < end; p++) {
		if (*p != '-' && !ep_plaintext_is_digit(*p))
			continue;
		const char *at = p;
		if (take_numbers(&at, end, ret) && at[-1] == ' ' && at[-2] == ']' &&
		    ep_plaintext_take(&at, end, "@")) {
			*ret_addresses = (struct ep_slice){at, 0};
			while (at < end && (*at == ' ' || *at == 'x' ||
					    ep_plaintext_is_digit(*at) ||
					    (*at >= 'a' && *at <= 'f')))
				at++;
			ret_addresses->n = (size_t)(at - ret_addresses->p);
			return true;
		}
		/* No digit of this number can begin what its first could not. */
		while (p + 1 < end && ep_plaintext_is_digit(p[1]))
			p++;
	}
	return false;
}

static int malformed(const struct heap *h, const char *why, struct ep_err *err)
{
	return ep_plaintext_fail(&h->t, err, "malformed sample: %.*s: %s",
				 h->t.line.n < 80 ? (int)h->t.line.n : 80, h->t.line.p,
				 why);
}

/* One pair of columns; *size: of an object, when there are any. */
static int add_pair(const struct heap *h, struct ep_slice n_text,
		    struct ep_slice bytes_text, const char *what, int64_t *pair,
		    int64_t *size, struct ep_err *err)
{
	int64_t n, bytes;
	if (!ep_plaintext_int(n_text, 10, &n) ||
	    !ep_plaintext_int(bytes_text, 10, &bytes))
		return malformed(h, "value out of range", err);
	if (!n && bytes)
		return ep_plaintext_fail(&h->t, err,
					 "%s count was 0 but %s bytes was %lld", what,
					 what, (long long)bytes);
	if (n)
		*size = n == -1 ? (int64_t) - (uint64_t)bytes : bytes / n;
	if (n && h->unsample)
		ep_unsample(&n, &bytes, h->rate);
	pair[0] = n;
	pair[1] = bytes;
	return 0;
}

static int read_row(struct heap *h, struct ep_slice line, struct ep_err *err)
{
	struct numbers n;
	struct ep_slice addresses;
	int64_t values[4], size = 0;
	if (!find_row(line, &n, &addresses))
		return ep_plaintext_fail(
			&h->t, err,
			"unexpected number of sample values: got 0, want 6");
	if (h->has_alloc)
		EP_TRY(add_pair(h, n.alloc_n, n.alloc_bytes, "allocation", values,
				&size, err));
	EP_TRY(add_pair(h, n.in_use_n, n.in_use_bytes, "inuse",
			values + 2 * h->has_alloc, &size, err));
	if (ep_making_addresses(&h->m, addresses, -1) < 0)
		return malformed(h, "address of more than 64 bits", err);
	ep_making_sample(&h->m, values, &size);
	return 0;
}

static void set_types(struct heap *h)
{
	struct ep_build *b = h->m.b;
	struct ep_profile *p = ep_build_profile(b);
	if (h->has_alloc) {
		ep_build_sample_type(b, "alloc_objects", "count");
		ep_build_sample_type(b, "alloc_space", "bytes");
		ep_build_sample_type(b, "inuse_objects", "count");
		ep_build_sample_type(b, "inuse_space", "bytes");
	} else {
		ep_build_sample_type(b, "objects", "count");
		ep_build_sample_type(b, "space", "bytes");
	}
	p->period_type.type = ep_build_cstr(b, "space");
	p->period_type.unit = ep_build_cstr(b, "bytes");
	p->period = h->rate;
}

static int read_rows(struct heap *h, struct ep_err *err)
{
	while (ep_plaintext_next(&h->t)) {
		struct ep_slice line = ep_plaintext_trim(h->t.line);
		if (ep_plaintext_is_blank(line))
			continue;
		if (ep_plaintext_is_map_title(line))
			break;
		EP_TRY(read_row(h, line, err));
	}
	return ep_memorymap_find_and_place(&h->t, h->m.b, err);
}

static int read_heap(struct heap *h, struct ep_profile **ret_p, struct ep_err *err)
{
	set_types(h);
	EP_TRY(read_rows(h, err));
	return ep_making_finish(&h->m, ret_p, err);
}

int ep_heaptext_parse(struct ep_slice bytes, size_t max_bytes,
		      struct ep_profile **ret_p, struct ep_err *err)
{
	struct heap h = {0};
	struct title title;
	ep_plaintext_open(&h.t, bytes);
	if (!ep_plaintext_next(&h.t) || !find_title(h.t.line, &title) ||
	    !read_title(&h, &title))
		return EP_PARSER_OTHER;
	int rc = ep_making_init(&h.m, max_bytes, err);
	if (rc == 0)
		rc = read_heap(&h, ret_p, err);
	ep_making_fini(&h.m);
	return rc;
}
