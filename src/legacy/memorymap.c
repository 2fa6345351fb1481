/*
 * memorymap.c - see memorymap.h.
 *
 * The rules are the reference's (legacy_profile.go: ParseMemoryMapFromScanner,
 * massageMappings, remapMappingIDs), oddities included, since they show in reports.
 */
#include "legacy/memorymap.h"

#include "base/sort.h"
#include "legacy/mapline.h"
#include "legacy/mapvars.h"

#include <assert.h>

enum {
	MAIN_START = 0x400000,	 /* of old x86-64 programs */
	MOST_STEPS = 1000000000, /* of the slow search: about a second */
};

struct region {
	uint64_t start, limit, offset;
	ep_str file, build_id;
};

struct maps {
	struct ep_build *b;
	struct region *r; /* n of them, in the profile's order */
	size_t n, cap;
	size_t *by_start; /* indexes, when no two overlap; else NULL */
	bool has_fake;	  /* the last one is it, and in no index */
	uint64_t steps;	  /* of slow searches */
};

static int add(struct maps *m, struct region r, struct ep_err *err)
{
	if (m->n == m->cap) {
		size_t cap = m->cap ? m->cap * 2 : 64;
		struct region *now = ep_realloc(m->r, cap * sizeof(*now));
		if (!now)
			return ep_fail(err, -ENOMEM, 0, "no memory for the memory map");
		m->r = now;
		m->cap = cap;
	}
	m->r[m->n++] = r;
	return 0;
}

static struct ep_slice str(const struct maps *m, ep_str s)
{
	return ep_profile_str(ep_build_profile(m->b), s);
}

/* --- reading ------------------------------------------------------------------ */

static int read_line(struct maps *m, struct ep_mapvars *vars, struct ep_slice raw,
		     struct ep_err *err)
{
	struct ep_slice line;
	EP_TRY(ep_mapvars_replace(vars, ep_mapline_without_log(raw), &line, err));
	struct ep_mapline l;
	switch (ep_mapline_parse(line, &l)) {
	case EP_MAPLINE_CODE:
		return add(
			m,
			(struct region){.start = l.start,
					.limit = l.limit,
					.offset = l.offset,
					.file = ep_build_string(m->b, l.file),
					.build_id = ep_build_string(m->b, l.build_id)},
			err);
	case EP_MAPLINE_DATA:
		return 0;
	default:
		return ep_mapvars_set(vars, line, err);
	}
}

static int read_all(struct maps *m, struct ep_plaintext *t, struct ep_err *err)
{
	ep_auto(ep_mapvars) vars = NULL;
	EP_TRY(ep_mapvars_new(&vars, err));
	while (ep_plaintext_next(t))
		EP_TRY(read_line(m, vars, t->line, err));
	return 0;
}

/* --- putting in order --------------------------------------------------------- */

static bool differ(ep_str a, ep_str b)
{
	return a && b && a != b;
}

/* Are they two pieces of one mapping? */
static bool adjacent(const struct region *a, const struct region *b)
{
	return !differ(a->file, b->file) && !differ(a->build_id, b->build_id) &&
	       a->limit == b->start &&
	       (!a->offset || !b->offset ||
		a->offset + (a->limit - a->start) == b->offset);
}

static void join_pieces(struct maps *m)
{
	size_t to = 0;
	for (size_t i = 1; i < m->n; i++) {
		struct region *last = &m->r[to], *r = &m->r[i];
		if (!adjacent(last, r)) {
			m->r[++to] = *r;
			continue;
		}
		last->limit = r->limit;
		last->file = r->file ? r->file : last->file;
		last->build_id = r->build_id ? r->build_id : last->build_id;
	}
	if (m->n)
		m->n = to + 1;
}

/* "x.so" at the end, or "x.so.1", "x.so_1" anywhere. */
static bool is_library(struct ep_slice file)
{
	const char *end = file.p + file.n;
	for (const char *p = file.p; (p = memmem(p, (size_t)(end - p), ".so", 3));
	     p += 3) {
		if (end - p == 3)
			return true;
		if (end - p > 4 && (p[3] == '.' || p[3] == '_') &&
		    ep_plaintext_is_digit(p[4]))
			return true;
	}
	return false;
}

/* A name that is only "(deleted)" is none; elsewhere the word does not end a library's.
 */
bool ep_memorymap_may_be_main(struct ep_slice file)
{
	static const char deleted[] = "(deleted)";
	char name[4096];
	size_t n = 0;
	if (file.n > sizeof(name))
		return !is_library(file) && file.p[0] != '[';
	for (const char *p = file.p, *end = p + file.n; p < end;)
		if (!ep_plaintext_take(&p, end, deleted))
			name[n++] = *p++;
	struct ep_slice s = ep_plaintext_trim((struct ep_slice){name, n});
	return s.n && s.p[0] != '[' && !is_library(s);
}

static void main_first(struct maps *m)
{
	for (size_t i = 0; i < m->n; i++) {
		struct ep_slice file = str(m, m->r[i].file);
		if (!file.n || !ep_memorymap_may_be_main(file))
			continue;
		struct region r = m->r[0];
		m->r[0] = m->r[i];
		m->r[i] = r;
		return;
	}
}

/* What huge pages and relinking do to the main program's first piece. */
static void mend_first(struct maps *m)
{
	if (m->n > 1 && ep_plaintext_begins(str(m, m->r[0].file), "/anon_hugepage") &&
	    m->r[0].limit == m->r[1].start)
		memmove(m->r, m->r + 1, --m->n * sizeof(*m->r));
	if (m->n && m->r[0].start - m->r[0].offset == MAIN_START) {
		m->r[0].start = MAIN_START;
		m->r[0].offset = 0;
	}
}

/* --- finding ------------------------------------------------------------------ */

static bool starts_before(const void *a, const void *b, void *arg)
{
	const struct region *r = arg;
	size_t i = *(const size_t *)a, k = *(const size_t *)b;
	return r[i].start != r[k].start ? r[i].start < r[k].start : i < k;
}

static bool overlap(const struct maps *m)
{
	for (size_t i = 0; i < m->n; i++) {
		const struct region *r = &m->r[m->by_start[i]];
		if (r->limit < r->start ||
		    (i + 1 < m->n && r->limit > m->r[m->by_start[i + 1]].start))
			return true;
	}
	return false;
}

static void drop_index(struct maps *m)
{
	ep_free(m->by_start);
	m->by_start = NULL;
}

/* An order to search in, unless some overlap. */
static int index_starts(struct maps *m, struct ep_err *err)
{
	if (!m->n)
		return 0;
	m->by_start = ep_alloc(m->n * sizeof(*m->by_start));
	if (!m->by_start)
		return ep_fail(err, -ENOMEM, 0, "no memory for the memory map");
	for (size_t i = 0; i < m->n; i++)
		m->by_start[i] = i;
	ep_sort(m->by_start, m->n, sizeof(*m->by_start), starts_before, m->r);
	if (overlap(m))
		drop_index(m);
	return 0;
}

static bool covers(const struct region *r, uint64_t a)
{
	return r->start <= a && a < r->limit;
}

/* Where the first that covers the address stands in the index; n when none does. */
static size_t search(const struct maps *m, uint64_t a, size_t n)
{
	size_t lo = 0, hi = n;
	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		if (m->r[m->by_start[mid]].limit > a)
			hi = mid;
		else
			lo = mid + 1;
	}
	return lo < n && covers(&m->r[m->by_start[lo]], a) ? m->by_start[lo] : n;
}

/* The first of the profile's order that covers the address; n when none does. */
static size_t find(struct maps *m, uint64_t a, size_t n)
{
	if (m->by_start)
		return search(m, a, n);
	size_t i = 0;
	while (i < n && !covers(&m->r[i], a))
		i++;
	m->steps += i;
	return i;
}

/* Some writers leave out the first part of what was mapped in pieces: the first in
 * order that would cover the address from its file's start does so from now on. */
static size_t extend(struct maps *m, uint64_t a, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct region *r = &m->r[i];
		if (!r->offset || r->start - r->offset > a || a >= r->start)
			continue;
		r->start -= r->offset;
		r->offset = 0;
		drop_index(m); /* they may overlap now */
		m->steps += i;
		return i;
	}
	return n;
}

/* The region of an address, perhaps the nameless one; once that is there, it covers
 * all that nothing else does. */
static int locate(struct maps *m, uint64_t a, size_t *ret, struct ep_err *err)
{
	size_t n = m->n - m->has_fake;
	*ret = find(m, a, n);
	if (*ret == n && !m->has_fake)
		*ret = extend(m, a, n);
	if (m->steps > MOST_STEPS)
		return ep_fail(err, -E2BIG, 0,
			       "memory map has too many mappings that overlap: %zu", n);
	if (*ret < n || m->has_fake)
		return 0;
	m->has_fake = true;
	return add(m, (struct region){.limit = UINT64_MAX}, err);
}

static int place_locations(struct maps *m, uint32_t *region_of, struct ep_err *err)
{
	struct ep_profile *p = ep_build_profile(m->b);
	for (uint32_t i = 0; i < p->n_locations; i++) {
		size_t r;
		region_of[i] = EP_NONE;
		if (!p->locations[i].address)
			continue;
		EP_TRY(locate(m, p->locations[i].address, &r, err));
		region_of[i] = (uint32_t)r;
	}
	return 0;
}

/* The regions become the profile's mappings. */
static int publish(struct maps *m, const uint32_t *region_of, struct ep_err *err)
{
	uint32_t *ids = ep_alloc((m->n + 1) * sizeof(*ids));
	if (!ids)
		return ep_fail(err, -ENOMEM, 0, "no memory for the memory map");
	for (size_t i = 0; i < m->n; i++) {
		struct ep_mapping mapping = {.start = m->r[i].start,
					     .limit = m->r[i].limit,
					     .file_offset = m->r[i].offset,
					     .filename = m->r[i].file,
					     .build_id = m->r[i].build_id};
		ids[i] = ep_build_mapping_apart(m->b, &mapping);
	}
	const struct ep_profile *p = ep_build_profile(m->b);
	for (uint32_t i = 0; i < p->n_locations; i++) {
		struct ep_location l = p->locations[i];
		if (region_of[i] == EP_NONE)
			continue;
		l.mapping = ids[region_of[i]];
		assert(!l.n_lines); /* named ones have no address */
		ep_build_change_location(m->b, i, &l, NULL);
	}
	ep_free(ids);
	return 0;
}

static int arrange(struct maps *m, struct ep_err *err)
{
	uint32_t n = ep_build_profile(m->b)->n_locations;
	join_pieces(m);
	main_first(m);
	mend_first(m);
	EP_TRY(index_starts(m, err));
	uint32_t *region_of ep_auto_mem = ep_alloc((n + 1) * sizeof(*region_of));
	if (!region_of)
		return ep_fail(err, -ENOMEM, 0, "no memory for the memory map");
	EP_TRY(place_locations(m, region_of, err));
	return publish(m, region_of, err);
}

int ep_memorymap_place(struct ep_plaintext *t, struct ep_build *b, struct ep_err *err)
{
	struct maps m = {.b = b};
	int rc = read_all(&m, t, err);
	if (rc == 0)
		rc = arrange(&m, err);
	ep_free(m.r);
	ep_free(m.by_start);
	return rc;
}

int ep_memorymap_find_and_place(struct ep_plaintext *t, struct ep_build *b,
				struct ep_err *err)
{
	while (!ep_plaintext_is_map_title(t->line) && ep_plaintext_next(t))
		;
	return ep_memorymap_place(t, b, err);
}
