/*
 * catalog.c - what there is: services, types, label names, values and sets.
 */
#include "query/query.h"

#include "base/clock.h"
#include "base/index.h"
#include "query/graph.h"

#include <stdlib.h>
#include <string.h>

/* --- a table of distinct strings with numbers ------------------------------------------------- */

struct item {
	struct ep_slice key; /* of two parts, a NUL between */
	int64_t total;
	uint64_t profiles, first_ms, last_ms;
	bool is_sample;
};

struct table {
	struct ep_arena *a;
	struct ep_index ix;
	struct item *v;
	uint32_t n, cap;
};

static void table_fini(struct table *t)
{
	ep_index_fini(&t->ix);
	ep_free(t->v);
}

static struct item *item_of(struct table *t, struct ep_slice key)
{
	uint64_t h = ep_hash64(key.n ? key.p : "", key.n);
	struct ep_index_iter it;
	for (uint32_t id = ep_index_first(&t->ix, h, &it); id != EP_INDEX_NONE;
	     id = ep_index_next(&t->ix, &it))
		if (ep_slice_eq(t->v[id].key, key))
			return &t->v[id];
	if (t->n == t->cap) {
		uint32_t cap = t->cap ? t->cap * 2 : 64;
		struct item *v = ep_realloc(t->v, cap * sizeof(*v));
		if (!v)
			return NULL;
		t->v = v;
		t->cap = cap;
	}
	char *copy = ep_arena_copy(t->a, key.n ? key.p : "", key.n);
	if (!copy || ep_index_add(&t->ix, h, t->n) < 0)
		return NULL;
	t->v[t->n] = (struct item){.key = {copy, key.n}};
	return &t->v[t->n++];
}

static int by_key(const void *a, const void *b)
{
	return ep_slice_cmp(((const struct item *)a)->key, ((const struct item *)b)->key);
}

static int heaviest(const void *a, const void *b)
{
	const struct item *x = a, *y = b;
	if (x->total != y->total)
		return x->total > y->total ? -1 : 1;
	return by_key(a, b);
}

static void sort(struct table *t, int (*order)(const void *, const void *))
{
	if (t->n)
		qsort(t->v, t->n, sizeof(*t->v), order);
}

static int no_memory(struct ep_err *err)
{
	return ep_fail(err, -ENOMEM, 0, "no memory for a list");
}

static int64_t add_up(int64_t a, int64_t b)
{
	return __builtin_add_overflow(a, b, &a) ? INT64_MAX : a;
}

struct job {
	struct table t;
	const struct ep_values_opts *values;
};

typedef int visit_fn(void *ctx, const struct ep_hit *h, struct ep_err *err);

static int run(struct job *j, const struct ep_query_env *env, const struct ep_query *q,
	       enum ep_plan_need need, visit_fn *fn, struct ep_err *err)
{
	struct ep_plan p = {0};
	int rc = ep_plan_open(&p, env, q, false, err);
	if (!rc)
		rc = ep_plan_run(&p, need, fn, j, err);
	ep_plan_close(&p);
	return rc;
}

/* --- services and types -------------------------------------------------------------------------- */

static int note(struct table *t, struct ep_slice key, const struct ep_hit *h, struct ep_err *err)
{
	struct item *i = item_of(t, key);
	if (!i)
		return no_memory(err);
	uint64_t ms = h->point->time_ns / EP_NS_PER_MS;
	i->total = add_up(i->total, h->total);
	i->first_ms = !i->profiles++ || ms < i->first_ms ? ms : i->first_ms;
	i->last_ms = ms > i->last_ms ? ms : i->last_ms;
	return 0;
}

static struct ep_slice label(const struct ep_hit *h, const char *name)
{
	struct ep_slice v = ep_read_label(h->series->s, ep_slice_of(name));
	return v.p ? v : (struct ep_slice){"", 0};
}

static int visit_service(void *ctx, const struct ep_hit *h, struct ep_err *err)
{
	struct job *j = ctx;
	struct ep_slice service = label(h, "service_name"), type = label(h, "__profile_type__");
	char small[512], *key = small, *big ep_auto_mem = NULL;
	size_t n = service.n + 1 + type.n;
	if (n > sizeof(small) && !(key = big = ep_alloc(n)))
		return no_memory(err);
	memcpy(key, service.p, service.n);
	key[service.n] = '\0';
	memcpy(key + service.n + 1, type.p, type.n);
	return note(&j->t, (struct ep_slice){key, n}, h, err);
}

static int visit_type(void *ctx, const struct ep_hit *h, struct ep_err *err)
{
	struct job *j = ctx;
	return note(&j->t, label(h, "__profile_type__"), h, err);
}

static struct ep_type_info type_of(struct ep_slice id, const struct item *i)
{
	return (struct ep_type_info){
		.id = id,
		.name = ep_type_part(id, 0),
		.sample_type = ep_type_part(id, 1),
		.sample_unit = ep_type_part(id, 2),
		.period_type = ep_type_part(id, 3),
		.period_unit = ep_type_part(id, 4),
		.profiles = i->profiles,
		.total = i->total,
	};
}

/* Items come sorted by service, then type. */
static int make_services(struct table *t, struct ep_services *s)
{
	s->v = ep_arena_array(t->a, struct ep_service, (size_t)t->n + 1);
	struct ep_type_info *types = ep_arena_array(t->a, struct ep_type_info, (size_t)t->n + 1);
	if (!s->v || !types)
		return -ENOMEM;
	for (uint32_t i = 0; i < t->n; i++) {
		struct ep_slice key = t->v[i].key;
		size_t n = (size_t)((const char *)memchr(key.p, '\0', key.n) - key.p);
		struct ep_slice name = {key.p, n}, type = {key.p + n + 1, key.n - n - 1};
		if (!s->n || !ep_slice_eq(s->v[s->n - 1].name, name))
			s->v[s->n++] = (struct ep_service){.name = name, .types = &types[i]};
		struct ep_service *to = &s->v[s->n - 1];
		to->types[to->n_types++] = type_of(type, &t->v[i]);
		/* A pprof makes a series of each column: not to be counted again. */
		to->profiles = t->v[i].profiles > to->profiles ? t->v[i].profiles : to->profiles;
		if ((int64_t)t->v[i].last_ms > to->last_ms)
			to->last_ms = (int64_t)t->v[i].last_ms;
		if (!to->first_ms || (int64_t)t->v[i].first_ms < to->first_ms)
			to->first_ms = (int64_t)t->v[i].first_ms;
	}
	return 0;
}

/* An arena with its result object at the front; NULL when memory is short. */
#define NEW_RESULT(type)                                                       \
	({                                                                     \
		struct ep_arena *a_ = ep_arena_new(0);                         \
		struct type *v_ = a_ ? ep_arena_array(a_, struct type, 1) : NULL; \
		if (v_)                                                        \
			v_->arena = a_;                                        \
		else                                                           \
			ep_arena_free(a_);                                     \
		v_;                                                            \
	})

int ep_query_services(const struct ep_query_env *env, const struct ep_query *q,
		      struct ep_services **ret_s, struct ep_err *err)
{
	ep_auto(ep_services) s = NEW_RESULT(ep_services);
	if (!s)
		return no_memory(err);
	struct job j = {.t = {.a = s->arena}};
	int rc = run(&j, env, q, EP_NEED_TOTAL, visit_service, err);
	sort(&j.t, by_key);
	if (!rc && make_services(&j.t, s) < 0)
		rc = no_memory(err);
	table_fini(&j.t);
	EP_TRY(rc);
	*ret_s = ep_take(&s);
	return 0;
}

int ep_query_types(const struct ep_query_env *env, const struct ep_query *q,
		   struct ep_types **ret_t, struct ep_err *err)
{
	ep_auto(ep_types) t = NEW_RESULT(ep_types);
	if (!t)
		return no_memory(err);
	struct job j = {.t = {.a = t->arena}};
	int rc = run(&j, env, q, EP_NEED_TOTAL, visit_type, err);
	sort(&j.t, by_key);
	t->v = ep_arena_array(t->arena, struct ep_type_info, (size_t)j.t.n + 1);
	if (!rc && !t->v)
		rc = no_memory(err);
	for (uint32_t i = 0; !rc && i < j.t.n; i++)
		t->v[t->n++] = type_of(j.t.v[i].key, &j.t.v[i]);
	table_fini(&j.t);
	EP_TRY(rc);
	*ret_t = ep_take(&t);
	return 0;
}

/* --- label names -------------------------------------------------------------------------------------- */

/* A pair seen before is found here and costs a look-up: "name\0value". */
static int note_pair(struct table *pairs, struct ep_slice name, struct ep_slice value,
		     bool is_sample, struct ep_err *err)
{
	char small[512], *key = small, *big ep_auto_mem = NULL;
	size_t n = name.n + 1 + value.n;
	if (n > sizeof(small) && !(key = big = ep_alloc(n)))
		return no_memory(err);
	memcpy(key, name.p, name.n);
	key[name.n] = '\0';
	if (value.n)
		memcpy(key + name.n + 1, value.p, value.n);
	struct item *i = item_of(pairs, (struct ep_slice){key, n});
	if (!i)
		return no_memory(err);
	i->is_sample |= is_sample;
	return 0;
}

struct names_job {
	struct job j;
	const struct ep_plan_series *last; /* whose own labels were noted */
	uint8_t *seen;                     /* of its label sets */
	uint32_t n_seen;
};

static int next_series(struct names_job *n, const struct ep_plan_series *s, struct ep_err *err)
{
	uint32_t n_sets = ep_vec_n(&s->d->sets);
	if (n->last != s)
		n->n_seen = 0;
	if (n_sets > n->n_seen) {
		uint8_t *seen = ep_realloc(n->seen, n_sets);
		if (!seen)
			return no_memory(err);
		memset(seen + n->n_seen, 0, n_sets - n->n_seen);
		n->seen = seen;
		n->n_seen = n_sets;
	}
	if (n->last == s)
		return 0;
	n->last = s;
	for (uint32_t i = 0; i < s->s->n_labels; i++)
		EP_TRY(note_pair(&n->j.t, s->s->labels[i].key, s->s->labels[i].value, false, err));
	return 0;
}

static int note_set(struct names_job *n, const struct ep_plan_series *s, uint32_t id,
		    struct ep_err *err)
{
	const struct ep_dict_set *set = ep_dict_set(s->d, id);
	n->seen[id] = 1;
	for (uint32_t i = 0; i < set->n; i++) {
		const struct ep_dict_label *l = ep_dict_label(s->d, set->first + i);
		struct ep_slice name = ep_dict_str(s->d, l->key);
		char buf[32];
		if (!ep_read_label(s->s, name).p) /* the series' own wins */
			EP_TRY(note_pair(&n->j.t, name, ep_plan_label(s, id, name, buf), true, err));
	}
	return 0;
}

static int visit_names(void *ctx, const struct ep_hit *h, struct ep_err *err)
{
	struct names_job *n = ctx;
	EP_TRY(next_series(n, h->series, err));
	for (uint32_t i = 0; i < h->blob->n_sets; i++)
		if (ep_hit_takes(h, i) && !n->seen[h->blob->sets[i].id])
			EP_TRY(note_set(n, h->series, h->blob->sets[i].id, err));
	return 0;
}

/* Pairs come sorted by name. */
static int make_labels(const struct table *pairs, struct ep_labels *l)
{
	l->v = ep_arena_array(l->arena, struct ep_label_info, (size_t)pairs->n + 1);
	if (!l->v)
		return -ENOMEM;
	for (uint32_t i = 0; i < pairs->n; i++) {
		struct ep_slice key = pairs->v[i].key;
		struct ep_slice name = {key.p, (size_t)((const char *)memchr(key.p, '\0', key.n) - key.p)};
		if (!l->n || !ep_slice_eq(l->v[l->n - 1].name, name))
			l->v[l->n++] = (struct ep_label_info){.name = name, .is_sample = true};
		l->v[l->n - 1].n_values++;
		l->v[l->n - 1].is_sample &= pairs->v[i].is_sample;
	}
	return 0;
}

int ep_query_labels(const struct ep_query_env *env, const struct ep_query *q,
		    struct ep_labels **ret_l, struct ep_err *err)
{
	ep_auto(ep_labels) l = NEW_RESULT(ep_labels);
	if (!l)
		return no_memory(err);
	struct names_job n = {.j = {.t = {.a = l->arena}}};
	struct ep_plan p = {0};
	int rc = ep_plan_open(&p, env, q, false, err);
	if (!rc)
		rc = ep_plan_run(&p, EP_NEED_SETS, visit_names, &n, err);
	ep_plan_close(&p);
	sort(&n.j.t, by_key);
	if (!rc && make_labels(&n.j.t, l) < 0)
		rc = no_memory(err);
	table_fini(&n.j.t);
	ep_free(n.seen);
	EP_TRY(rc);
	*ret_l = ep_take(&l);
	return 0;
}

/* --- label values --------------------------------------------------------------------------------------- */

static int note_value(struct job *j, struct ep_slice value, int64_t weight, struct ep_err *err)
{
	struct ep_slice prefix = j->values->prefix;
	if (!value.n || value.n < prefix.n || (prefix.n && memcmp(value.p, prefix.p, prefix.n) != 0))
		return 0;
	struct item *i = item_of(&j->t, value);
	if (!i)
		return no_memory(err);
	i->total = add_up(i->total, weight);
	return 0;
}

struct values_job {
	struct job j;
	bool by_profiles; /* no type: weights of many units don't add up */
};

static int visit_values(void *ctx, const struct ep_hit *h, struct ep_err *err)
{
	struct values_job *v = ctx;
	struct ep_slice own = ep_read_label(h->series->s, v->j.values->name);
	if (own.p)
		return note_value(&v->j, own, v->by_profiles ? 1 : h->total, err);
	for (uint32_t i = 0; h->blob && i < h->blob->n_sets; i++) {
		char buf[32];
		const struct ep_blob *b = h->blob;
		int64_t sum = b->set_sums[(size_t)i * b->n_cols + h->point->col];
		if (ep_hit_takes(h, i) && sum)
			EP_TRY(note_value(&v->j,
					  ep_plan_label(h->series, b->sets[i].id, v->j.values->name, buf),
					  v->by_profiles ? 1 : sum, err));
	}
	return 0;
}

int ep_query_values(const struct ep_query_env *env, const struct ep_query *q,
		    const struct ep_values_opts *o, struct ep_values **ret_v,
		    struct ep_err *err)
{
	ep_auto(ep_values) v = NEW_RESULT(ep_values);
	if (!v)
		return no_memory(err);
	struct values_job j = {.j = {.t = {.a = v->arena}, .values = o}, .by_profiles = !q->type.n};
	struct ep_plan p = {0};
	int rc = ep_plan_open(&p, env, q, false, err);
	bool of_series = !rc;
	for (uint32_t i = 0; i < p.n; i++)
		of_series &= ep_read_label(p.v[i].s, o->name).p != NULL;
	if (!rc)
		rc = ep_plan_run(&p, of_series ? EP_NEED_TOTAL : EP_NEED_SETS, visit_values, &j, err);
	ep_plan_close(&p);
	sort(&j.j.t, heaviest);
	uint32_t n = o->limit && o->limit < j.j.t.n ? o->limit : j.j.t.n;
	v->v = ep_arena_array(v->arena, struct ep_value, (size_t)n + 1);
	if (!rc && !v->v)
		rc = no_memory(err);
	for (uint32_t i = 0; !rc && i < n; i++)
		v->v[v->n++] = (struct ep_value){j.j.t.v[i].key, j.j.t.v[i].total};
	v->more = n < j.j.t.n;
	table_fini(&j.j.t);
	EP_TRY(rc);
	*ret_v = ep_take(&v);
	return 0;
}

/* --- label sets of series ------------------------------------------------------------------------------------ */

static int compare_sets(const void *a, const void *b)
{
	const struct ep_labelset *x = a, *y = b;
	for (uint32_t i = 0; i < x->n && i < y->n; i++) {
		int c = ep_slice_cmp(x->v[i].key, y->v[i].key);
		if (!c)
			c = ep_slice_cmp(x->v[i].value, y->v[i].value);
		if (c)
			return c;
	}
	return (x->n > y->n) - (x->n < y->n);
}

static bool wanted(const struct ep_slice *names, uint32_t n, struct ep_slice key)
{
	for (uint32_t i = 0; i < n; i++)
		if (ep_slice_eq(names[i], key))
			return true;
	return !n;
}

static int project(struct ep_arena *a, const struct ep_read_series *s, const struct ep_slice *names,
		   uint32_t n_names, struct ep_labelset *to)
{
	to->v = ep_arena_array(a, struct ep_kv, (size_t)s->n_labels + 1);
	if (!to->v)
		return -ENOMEM;
	for (uint32_t i = 0; i < s->n_labels; i++) {
		struct ep_slice k = s->labels[i].key, v = s->labels[i].value;
		if (!wanted(names, n_names, k))
			continue;
		char *kc = ep_arena_copy(a, k.n ? k.p : "", k.n), *vc = ep_arena_copy(a, v.n ? v.p : "", v.n);
		if (!kc || !vc)
			return -ENOMEM;
		to->v[to->n++] = (struct ep_kv){{kc, k.n}, {vc, v.n}};
	}
	return 0;
}

static void drop_repeated(struct ep_labelsets *l)
{
	uint32_t n = 0;
	if (l->n)
		qsort(l->v, l->n, sizeof(*l->v), compare_sets);
	for (uint32_t i = 0; i < l->n; i++)
		if (!n || compare_sets(&l->v[n - 1], &l->v[i]) != 0)
			l->v[n++] = l->v[i];
	l->n = n;
}

int ep_query_labelsets(const struct ep_query_env *env, const struct ep_query *q,
		       const struct ep_slice *names, uint32_t n_names,
		       struct ep_labelsets **ret_l, struct ep_err *err)
{
	ep_auto(ep_labelsets) l = NEW_RESULT(ep_labelsets);
	if (!l)
		return no_memory(err);
	struct ep_plan p = {0};
	int rc = ep_plan_open(&p, env, q, false, err);
	l->v = ep_arena_array(l->arena, struct ep_labelset, (size_t)p.n + 1);
	if (!rc && !l->v)
		rc = no_memory(err);
	for (uint32_t i = 0; !rc && i < p.n; i++) {
		if (project(l->arena, p.v[i].s, names, n_names, &l->v[l->n]) < 0)
			rc = no_memory(err);
		l->n += !rc && l->v[l->n].n > 0;
	}
	ep_plan_close(&p);
	EP_TRY(rc);
	drop_repeated(l);
	*ret_l = ep_take(&l);
	return 0;
}
