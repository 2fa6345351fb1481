/* copies.c - see copies.h. */
#include "query/copies.h"

#include "base/arena.h"
#include "base/hash.h"
#include "base/err.h"
#include "base/index.h"

#include <stdlib.h>
#include <string.h>

struct span {
	uint64_t start, end;
};

struct group {
	struct ep_copies_who who;
	struct span *v;
	size_t n, cap;
};

struct ep_copies {
	struct ep_arena *a;
	struct ep_index ix;
	struct group *v;
	uint32_t n, cap;
};

struct ep_copies *ep_copies_new(void)
{
	struct ep_copies *c = ep_zalloc(sizeof(*c));
	if (c && !(c->a = ep_arena_new(0))) {
		ep_free(c);
		return NULL;
	}
	return c;
}

void ep_copies_free(struct ep_copies *c)
{
	if (!c)
		return;
	for (uint32_t i = 0; i < c->n; i++)
		ep_free(c->v[i].v);
	ep_free(c->v);
	ep_index_fini(&c->ix);
	ep_arena_free(c->a);
	ep_free(c);
}

static uint64_t hash_who(const struct ep_copies_who *w)
{
	uint64_t h = ep_hash64(w->service.n ? w->service.p : "", w->service.n);
	h = ep_hash_mix(h, ep_hash64(w->pid.n ? w->pid.p : "", w->pid.n));
	/* The host counts with a pid only. */
	return w->pid.n ? ep_hash_mix(h, ep_hash64(w->host.n ? w->host.p : "", w->host.n)) : h;
}

static struct group *find(const struct ep_copies *c, const struct ep_copies_who *w)
{
	struct ep_index_iter it;
	for (uint32_t id = ep_index_first(&c->ix, hash_who(w), &it); id != EP_INDEX_NONE;
	     id = ep_index_next(&c->ix, &it)) {
		struct group *g = &c->v[id];
		if (ep_slice_eq(g->who.service, w->service) && ep_slice_eq(g->who.pid, w->pid) &&
		    (!w->pid.n || ep_slice_eq(g->who.host, w->host)))
			return g;
	}
	return NULL;
}

static struct ep_slice copy(struct ep_arena *a, struct ep_slice s)
{
	char *p = ep_arena_copy(a, s.n ? s.p : "", s.n);
	return (struct ep_slice){p, p ? s.n : 0};
}

static struct group *add_group(struct ep_copies *c, const struct ep_copies_who *w)
{
	if (c->n == c->cap) {
		uint32_t cap = c->cap ? c->cap * 2 : 16;
		struct group *v = ep_realloc(c->v, cap * sizeof(*v));
		if (!v)
			return NULL;
		c->v = v;
		c->cap = cap;
	}
	if (ep_index_add(&c->ix, hash_who(w), c->n) < 0)
		return NULL;
	c->v[c->n] = (struct group){.who = {copy(c->a, w->service), copy(c->a, w->host),
					    copy(c->a, w->pid)}};
	return &c->v[c->n++];
}

int ep_copies_add(struct ep_copies *c, const struct ep_copies_who *who, uint64_t start_ns,
		  uint64_t end_ns)
{
	struct group *g = find(c, who);
	if (!g)
		g = add_group(c, who);
	if (!g)
		return -ENOMEM;
	/* They come in order of time: mostly the last one grows. */
	struct span *last = g->n ? &g->v[g->n - 1] : NULL;
	if (last && start_ns >= last->start && start_ns <= last->end) {
		last->end = end_ns > last->end ? end_ns : last->end;
		return 0;
	}
	if (g->n == g->cap) {
		size_t cap = g->cap ? g->cap * 2 : 8;
		struct span *v = ep_realloc(g->v, cap * sizeof(*v));
		if (!v)
			return -ENOMEM;
		g->v = v;
		g->cap = cap;
	}
	g->v[g->n++] = (struct span){start_ns, end_ns};
	return 0;
}

static int by_start(const void *a, const void *b)
{
	uint64_t x = ((const struct span *)a)->start, y = ((const struct span *)b)->start;
	return x < y ? -1 : x > y;
}

void ep_copies_seal(struct ep_copies *c)
{
	for (uint32_t i = 0; i < c->n; i++) {
		struct group *g = &c->v[i];
		size_t n = 0;
		qsort(g->v, g->n, sizeof(*g->v), by_start);
		for (size_t k = 0; k < g->n; k++) {
			if (!n || g->v[k].start > g->v[n - 1].end)
				g->v[n++] = g->v[k];
			else if (g->v[k].end > g->v[n - 1].end)
				g->v[n - 1].end = g->v[k].end;
		}
		g->n = n;
	}
}

static bool covers(const struct group *g, uint64_t at)
{
	size_t lo = 0, hi = g ? g->n : 0;
	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		if (g->v[mid].start <= at)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo && at <= g->v[lo - 1].end;
}

bool ep_copies_has(const struct ep_copies *c, const struct ep_copies_who *who, uint64_t at_ns)
{
	struct ep_copies_who service = {.service = who->service};
	if (covers(find(c, &service), at_ns))
		return true;
	/* A process that does not say its host is taken to be on this one. */
	struct ep_copies_who anywhere = {.service = who->service, .pid = who->pid};
	return who->pid.n && (covers(find(c, who), at_ns) || covers(find(c, &anywhere), at_ns));
}
