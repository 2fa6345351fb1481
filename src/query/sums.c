/* sums.c - adding up.  See sums.h. */
#include "query/sums.h"

#include <string.h>

enum { MAX_GROUPS = 50 };

void ep_sums_fini(struct ep_sums *m)
{
	for (uint32_t i = 0; i < m->n; i++)
		ep_free(m->v[i].self);
	ep_free(m->v);
	ep_values_free(m->groups);
	memset(m, 0, sizeof(*m));
}

static struct ep_sums_dict *sums_of(struct ep_sums *m, const struct ep_dict *d, uint32_t group)
{
	/* Series of one dictionary come one after the other. */
	for (uint32_t i = m->n; i-- > 0;)
		if (m->v[i].d == d && m->v[i].group == group)
			return &m->v[i];
	if (m->n == m->cap) {
		uint32_t cap = m->cap ? m->cap * 2 : 8;
		struct ep_sums_dict *v = ep_realloc(m->v, cap * sizeof(*v));
		if (!v)
			return NULL;
		m->v = v;
		m->cap = cap;
	}
	m->v[m->n] = (struct ep_sums_dict){.d = d, .group = group};
	return &m->v[m->n++];
}

/* A dictionary may have grown since the last profile. */
static int fit(struct ep_sums_dict *s)
{
	uint32_t n = ep_vec_n(&s->d->stacks);
	if (n <= s->n)
		return 0;
	int64_t *self = ep_realloc(s->self, (size_t)n * sizeof(*self));
	if (!self)
		return -ENOMEM;
	memset(self + s->n, 0, (size_t)(n - s->n) * sizeof(*self));
	s->self = self;
	s->n = n;
	return 0;
}

static int add_set(int64_t *self, const struct ep_blob *b, const struct ep_blob_set *set)
{
	bool over = false;
	for (uint32_t i = set->first_row; i < set->first_row + set->n_rows; i++)
		over |= __builtin_add_overflow(self[b->stacks[i]], b->values[i], &self[b->stacks[i]]);
	return over ? -E2BIG : 0;
}

static uint32_t group_of(const struct ep_sums *m, const struct ep_hit *hit, uint32_t set)
{
	if (!m->by.n)
		return 0;
	char buf[32];
	struct ep_slice value = ep_plan_label(hit->series, set, m->by, buf);
	uint32_t i = 0;
	while (i < m->groups->n && !ep_slice_eq(m->groups->v[i].value, value))
		i++;
	return i < m->groups->n || !value.n ? i : i + 1;
}

static int add(void *ctx, const struct ep_hit *hit, struct ep_err *err)
{
	struct ep_sums *m = ctx;
	struct ep_sums_dict *s = NULL;
	int rc = 0;
	for (uint32_t i = 0; i < hit->blob->n_sets && !rc; i++) {
		if (!ep_hit_takes(hit, i))
			continue;
		if (!s || m->by.n)
			s = sums_of(m, hit->series->d, group_of(m, hit, hit->blob->sets[i].id));
		if (!s || fit(s) < 0)
			return ep_fail(err, -ENOMEM, 0, "no memory to add up stacks");
		rc = add_set(s->self, hit->blob, &hit->blob->sets[i]);
	}
	if (rc || __builtin_add_overflow(m->total, hit->total, &m->total))
		return ep_fail(err, -E2BIG, 0, "the values of this range add up to over 2^63");
	return 0;
}

int ep_sums_run(struct ep_sums *m, struct ep_plan *p, struct ep_err *err)
{
	if (m->by.n) {
		struct ep_values_opts o = {.name = m->by, .limit = MAX_GROUPS};
		EP_TRY(ep_query_values(p->env, p->q, &o, &m->groups, err));
	}
	return ep_plan_run(p, m->by.n ? EP_NEED_ROWS : EP_NEED_STACKS, add, m, err);
}
