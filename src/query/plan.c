/* plan.c - see plan.h. */
#include "query/plan.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/index.h"
#include "query/copies.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MEMO_UNKNOWN, MEMO_NO, MEMO_YES };
static const uint64_t max_ms = INT64_MAX / EP_NS_PER_MS;

/* --- labels ---------------------------------------------------------------------------- */

static struct ep_slice set_label(const struct ep_dict *d, uint32_t set, struct ep_slice name,
				 char buf[32])
{
	const struct ep_dict_set *s = ep_dict_set(d, set);
	for (uint32_t i = 0; i < s->n; i++) {
		const struct ep_dict_label *l = ep_dict_label(d, s->first + i);
		if (!ep_slice_eq(ep_dict_str(d, l->key), name))
			continue;
		if (l->str != EP_DICT_NONE)
			return ep_dict_str(d, l->str);
		int n = snprintf(buf, 32, "%lld", (long long)l->num);
		return (struct ep_slice){buf, (size_t)n};
	}
	return (struct ep_slice){"", 0};
}

struct ep_slice ep_plan_label(const struct ep_plan_series *s, uint32_t set, struct ep_slice name,
			      char buf[32])
{
	struct ep_slice v = ep_read_label(s->s, name);
	return v.p ? v : set_label(s->d, set, name, buf);
}

/* --- which series ------------------------------------------------------------------------ */

/* Tools that know Go ask for goroutines: threads are what a C program has of the kind. */
static bool is_type(struct ep_slice type, struct ep_slice asked)
{
	return ep_slice_eq(type, asked) ||
	       (ep_slice_is(type, "threads:threads:count:threads:count") &&
		(ep_slice_is(asked, "goroutine:goroutine:count:goroutine:count") ||
		 ep_slice_is(asked, "goroutines:goroutine:count:goroutine:count")));
}

/* 1 may match, 0 does not; *ret_pending: matchers its own labels don't decide. */
static int match_series(const struct ep_plan *p, const struct ep_read_series *s,
			uint64_t *ret_pending, struct ep_err *err)
{
	if (p->q->type.n &&
	    !is_type(ep_read_label(s, ep_slice_of("__profile_type__")), p->q->type))
		return 0;
	*ret_pending = 0;
	for (uint32_t i = 0; i < p->selector->n; i++) {
		const struct ep_matcher *m = &p->selector->v[i];
		struct ep_slice v = ep_read_label(s, m->name);
		/* "__" names are of the series alone. */
		if (!v.p && !(m->name.n > 2 && !memcmp(m->name.p, "__", 2))) {
			*ret_pending |= 1ull << (i < 63 ? i : 63);
			continue;
		}
		int rc = ep_matcher_test(m, v, err);
		if (rc <= 0)
			return rc;
	}
	return 1;
}

static bool is_cpu(const struct ep_read_series *s)
{
	return ep_slice_is(ep_read_label(s, ep_slice_of("__name__")), "process_cpu");
}

static struct ep_slice service_of(const struct ep_read_series *s)
{
	return ep_read_label(s, ep_slice_of("service_name"));
}

static int add_series(struct ep_plan *p, const struct ep_read_series *s, uint64_t pending,
		      struct ep_err *err)
{
	struct ep_plan_series *to = &p->v[p->n];
	*to = (struct ep_plan_series){.s = s, .pending = pending};
	EP_TRY(ep_read_dict(p->read, s, &to->d, err));
	to->is_agent = is_cpu(s) &&
		       ep_slice_is(ep_read_label(s, ep_slice_of("profiler")), "agent");
	p->n++;
	return 0;
}

static int choose_series(struct ep_plan *p, struct ep_err *err)
{
	uint32_t n = 0;
	const struct ep_read_series *v = ep_read_series(p->read, &n);
	p->v = ep_zalloc(sizeof(*p->v) * ((size_t)n + 1));
	if (!p->v)
		return ep_fail(err, -ENOMEM, 0, "no memory for the series of a query");
	for (uint32_t i = 0; i < n; i++) {
		uint64_t pending = 0;
		int rc = match_series(p, &v[i], &pending, err);
		EP_TRY(rc);
		if (rc)
			EP_TRY(add_series(p, &v[i], pending, err));
	}
	return 0;
}

/* --- which label sets ---------------------------------------------------------------------- */

static int match_set(const struct ep_plan *p, const struct ep_plan_series *s, uint32_t set,
		     struct ep_err *err)
{
	char buf[32];
	for (uint32_t i = 0; i < p->selector->n; i++) {
		if (!(s->pending >> (i < 63 ? i : 63) & 1))
			continue;
		const struct ep_matcher *m = &p->selector->v[i];
		int rc = ep_matcher_test(m, ep_plan_label(s, set, m->name, buf), err);
		if (rc <= 0)
			return rc;
	}
	return 1;
}

static int takes_set(const struct ep_plan *p, struct ep_plan_series *s, uint32_t set,
		     struct ep_err *err)
{
	if (!s->pending)
		return 1;
	if (set >= s->n_memo) {
		uint32_t n = ep_vec_n(&s->d->sets);
		uint8_t *memo = ep_realloc(s->memo, n);
		if (!memo)
			return ep_fail(err, -ENOMEM, 0, "no memory for label sets");
		memset(memo + s->n_memo, MEMO_UNKNOWN, n - s->n_memo);
		s->memo = memo;
		s->n_memo = n;
	}
	if (s->memo[set] == MEMO_UNKNOWN) {
		int rc = match_set(p, s, set, err);
		EP_TRY(rc);
		s->memo[set] = rc ? MEMO_YES : MEMO_NO;
	}
	return s->memo[set] == MEMO_YES;
}

/* --- copies ------------------------------------------------------------------------------------ */

struct others {
	struct ep_plan *p;
	struct ep_plan_series *s;
};

static struct ep_copies_who who_is(const struct ep_plan_series *s, uint32_t set, char buf[32])
{
	return (struct ep_copies_who){
		.service = service_of(s->s),
		.host = ep_read_label(s->s, ep_slice_of("host")),
		.pid = ep_plan_label(s, set, ep_slice_of("pid"), buf),
	};
}

/* What another profiler pushed: which processes it speaks for, and when. */
static int note_other(void *ctx, const struct ep_head_point *pt, struct ep_err *err)
{
	struct others *o = ctx;
	struct ep_blob *b = &o->p->blob;
	int rc = ep_read_blob(o->p->read, o->s->s, pt, b, err);
	if (rc <= 0)
		return rc;
	char buf[32];
	bool has_pid = false;
	for (uint32_t i = 0; i < b->n_sets && !has_pid; i++)
		has_pid = who_is(o->s, b->sets[i].id, buf).pid.n;
	for (uint32_t i = 0; i < b->n_sets; i++) {
		struct ep_copies_who w = who_is(o->s, b->sets[i].id, buf);
		if (has_pid && !w.pid.n)
			continue; /* of one of those with a pid, most likely */
		if (ep_copies_add(o->p->copies, &w, pt->time_ns, pt->time_ns + pt->duration_ns) < 0)
			return ep_fail(err, -ENOMEM, 0, "no memory to count a process once");
	}
	return 0;
}

static bool is_other(const struct ep_plan_series *s)
{
	return !s->is_agent && is_cpu(s->s);
}

/* Services of others, each once. */
struct names {
	struct ep_index ix;
	struct ep_slice *v;
	uint32_t n;
};

static bool has_name(const struct names *s, struct ep_slice name)
{
	struct ep_index_iter it;
	uint64_t h = ep_hash64(name.n ? name.p : "", name.n);
	for (uint32_t id = ep_index_first(&s->ix, h, &it); id != EP_INDEX_NONE;
	     id = ep_index_next(&s->ix, &it))
		if (ep_slice_eq(s->v[id], name))
			return true;
	return false;
}

static int add_name(struct names *s, struct ep_slice name)
{
	if (has_name(s, name))
		return 0;
	s->v[s->n] = name;
	return ep_index_add(&s->ix, ep_hash64(name.n ? name.p : "", name.n), s->n++);
}

/* 1 when there is a service of both. */
static int match_names(struct ep_plan *p, struct names *agents, struct names *others)
{
	int any = 0;
	for (uint32_t i = 0; i < p->n; i++) {
		if (p->v[i].is_agent)
			EP_TRY(add_name(agents, service_of(p->v[i].s)));
		else if (is_other(&p->v[i]))
			EP_TRY(add_name(others, service_of(p->v[i].s)));
	}
	for (uint32_t i = 0; i < p->n; i++) {
		struct ep_plan_series *s = &p->v[i];
		if (!s->is_agent && !is_other(s))
			continue;
		s->has_copies = has_name(s->is_agent ? others : agents, service_of(s->s));
		any |= s->has_copies;
	}
	return any;
}

/* Marks agents and others of a service that has both; 1 when there is one. */
static int mark_copies(struct ep_plan *p)
{
	struct names agents = {0}, others = {0};
	agents.v = ep_alloc(((size_t)p->n + 1) * sizeof(*agents.v));
	others.v = ep_alloc(((size_t)p->n + 1) * sizeof(*others.v));
	int rc = agents.v && others.v ? match_names(p, &agents, &others) : -ENOMEM;
	ep_index_fini(&agents.ix);
	ep_index_fini(&others.ix);
	ep_free(agents.v);
	ep_free(others.v);
	return rc;
}

static int find_copies(struct ep_plan *p, struct ep_err *err)
{
	int any = p->q->include_copies ? 0 : mark_copies(p);
	if (any < 0)
		return ep_fail(err, any, 0, "no memory to count a process once");
	if (!any)
		return 0;
	p->copies = ep_copies_new();
	if (!p->copies)
		return ep_fail(err, -ENOMEM, 0, "no memory to count a process once");
	for (uint32_t i = 0; i < p->n; i++) {
		struct others o = {p, &p->v[i]};
		if (p->v[i].has_copies && !p->v[i].is_agent)
			EP_TRY(ep_read_points(p->read, p->v[i].s, note_other, &o, err));
	}
	ep_copies_seal(p->copies);
	return 0;
}

static bool is_copy(const struct ep_plan *p, const struct ep_plan_series *s, uint32_t set,
		    const struct ep_head_point *pt)
{
	if (!p->copies || !s->is_agent || !s->has_copies)
		return false;
	char buf[32];
	struct ep_copies_who w = who_is(s, set, buf);
	return ep_copies_has(p->copies, &w, pt->time_ns + pt->duration_ns / 2);
}

/* --- a profile ------------------------------------------------------------------------------------ */

static int64_t set_sum(const struct ep_blob *b, uint32_t i, uint32_t col)
{
	return b->set_sums[(size_t)i * b->n_cols + col];
}

/* Which of the blob's label sets count; *ret_total their weight, *ret_n their number. */
static int take_sets(struct ep_plan *p, struct ep_plan_series *s, const struct ep_head_point *pt,
		     int64_t *ret_total, uint32_t *ret_n, struct ep_err *err)
{
	const struct ep_blob *b = &p->blob;
	if (b->n_sets > p->cap_take) {
		uint8_t *take = ep_realloc(p->take, b->n_sets);
		if (!take)
			return ep_fail(err, -ENOMEM, 0, "no memory for label sets");
		p->take = take;
		p->cap_take = b->n_sets;
	}
	*ret_total = 0;
	*ret_n = 0;
	for (uint32_t i = 0; i < b->n_sets; i++) {
		int rc = takes_set(p, s, b->sets[i].id, err);
		EP_TRY(rc);
		p->take[i] = (uint8_t)rc;
		if (rc && is_copy(p, s, b->sets[i].id, pt)) {
			p->take[i] = 0;
			p->ledger.copies += set_sum(b, i, pt->col);
		}
		if (!p->take[i])
			continue;
		(*ret_n)++;
		*ret_total += set_sum(b, i, pt->col); /* below the point's total */
	}
	return 0;
}

static int cover(struct ep_plan *p, const struct ep_head_point *pt)
{
	uint64_t from = pt->time_ns / EP_NS_PER_MS;
	uint64_t to = (pt->time_ns + pt->duration_ns) / EP_NS_PER_MS;
	uint64_t until = (uint64_t)p->q->until_ms;
	if (p->n_covered && p->covered[p->n_covered - 1][0] <= from &&
	    p->covered[p->n_covered - 1][1] >= from) {
		uint64_t *last = p->covered[p->n_covered - 1];
		last[1] = to > last[1] ? (to < until ? to : until) : last[1];
		return 0;
	}
	if (p->n_covered == p->cap_covered) {
		size_t cap = p->cap_covered ? p->cap_covered * 2 : 64;
		uint64_t (*v)[2] = ep_realloc(p->covered, cap * sizeof(*v));
		if (!v)
			return -ENOMEM;
		p->covered = v;
		p->cap_covered = cap;
	}
	p->covered[p->n_covered][0] = from;
	p->covered[p->n_covered++][1] = to < until ? to : until;
	return 0;
}

/* The share of a count that goes with a share of the weight. */
static uint64_t share(uint64_t n, int64_t part, int64_t whole)
{
	return part == whole || whole <= 0 ? n
					   : (uint64_t)((__uint128_t)n * (uint64_t)part / (uint64_t)whole);
}

static int note(struct ep_plan *p, const struct ep_head_point *pt, int64_t total,
		struct ep_err *err)
{
	p->ledger.profiles++;
	p->ledger.samples += share(pt->samples, total, pt->total);
	p->ledger.asked += pt->ledger.asked;
	p->ledger.taken += pt->ledger.taken;
	p->ledger.lost += pt->ledger.lost;
	p->ledger.truncated += pt->ledger.truncated;
	return cover(p, pt) < 0 ? ep_fail(err, -ENOMEM, 0, "no memory for a query") : 0;
}

/* --- limits --------------------------------------------------------------------------------------- */

int ep_plan_over(const struct ep_query_env *env, int code, const char *limit, uint64_t reached,
		 uint64_t most, struct ep_err *err)
{
	return ep_fail(err, code, 0,
		       "%s: reached %llu, the limit is %llu; ask for less, or raise it with tenants: "
		       "%.64s: %s: (or limits: %s:) in --config",
		       limit, (unsigned long long)reached, (unsigned long long)most,
		       env->tenant ? env->tenant : "NAME", limit, limit);
}

/* Before a profile or a block is read. */
static int check_limits(struct ep_plan *p, struct ep_err *err)
{
	const struct ep_query_env *env = p->env;
	uint64_t took = env->max_time_ns ? ep_clock_mono_ns() - p->begun_ns : 0;
	if (took > env->max_time_ns)
		return ep_plan_over(env, -ETIMEDOUT, "query-time", took / EP_NS_PER_MS,
				    env->max_time_ns / EP_NS_PER_MS, err);
	if (env->max_bytes && p->read_bytes > env->max_bytes)
		return ep_plan_over(env, -E2BIG, "query-bytes", p->read_bytes, env->max_bytes, err);
	return 0;
}

static void count_bytes(struct ep_plan *p)
{
	const struct ep_blob *b = &p->blob;
	p->read_bytes += (uint64_t)b->n_rows * (8 + 8 * (uint64_t)b->n_cols);
}

struct walk {
	struct ep_plan *p;
	struct ep_plan_series *s;
	enum ep_plan_need need;
	ep_hit_fn *fn;
	void *ctx;
};

static int visit(void *ctx, const struct ep_head_point *pt, struct ep_err *err)
{
	struct walk *w = ctx;
	struct ep_plan *p = w->p;
	struct ep_hit hit = {.series = w->s, .point = pt, .total = pt->total};
	EP_TRY(check_limits(p, err));
	bool filters = w->s->pending || (p->copies && w->s->is_agent && w->s->has_copies);
	if (filters || w->need > EP_NEED_TOTAL) {
		uint32_t n = 0;
		int rc = ep_read_blob(p->read, w->s->s, pt, &p->blob, err);
		if (rc <= 0)
			return rc;
		EP_TRY(take_sets(p, w->s, pt, &hit.total, &n, err));
		if (filters && !n)
			return 0;
		hit.blob = &p->blob;
		hit.take = filters ? p->take : NULL;
	}
	if (w->need >= EP_NEED_STACKS) {
		int rc = ep_read_rows(p->read, w->s->s, pt, &p->blob, err);
		if (rc <= 0)
			return rc;
		count_bytes(p);
	}
	EP_TRY(note(p, pt, hit.total, err));
	return w->fn ? w->fn(w->ctx, &hit, err) : 0;
}

/* --- many profiles at once ------------------------------------------------------------------------ */

/* What matches of one profile of the block; its label sets are read. */
static int note_matching(struct walk *w, const struct ep_block *b, const struct ep_head_point *pt,
			 uint32_t i, struct ep_head_point *sum, struct ep_err *err)
{
	int64_t total = 0;
	uint32_t n = 0;
	for (uint32_t k = b->sets_from[i]; k < b->sets_from[i + 1]; k++) {
		int rc = takes_set(w->p, w->s, b->point_sets[k], err);
		EP_TRY(rc);
		n += (uint32_t)rc;
		total += rc ? b->point_sums[k] : 0; /* below the point's total */
	}
	sum->duration_ns += n ? pt->duration_ns : 0;
	return n ? note(w->p, pt, total, err) : 0;
}

/* The ledger of the block's profiles; `sum` gets the time they cover. */
static int note_block(struct walk *w, const struct ep_read_block *k, int64_t matching,
		      struct ep_head_point *sum, struct ep_err *err)
{
	const struct ep_block *b = k->block;
	int exact = w->s->pending ? ep_read_block_sets(w->p->read, k, err) : 0;
	EP_TRY(exact);
	for (uint32_t i = k->first; i < k->end; i++) {
		struct ep_head_point pt = ep_read_block_point(k, i);
		if (exact) {
			EP_TRY(note_matching(w, b, &pt, i, sum, err));
			continue;
		}
		/* Its minutes are gone: as if each had its share. */
		int64_t part = (int64_t)share((uint64_t)pt.total, matching, sum->total);
		sum->duration_ns += pt.duration_ns;
		EP_TRY(note(w->p, &pt, part, err));
	}
	return 0;
}

static bool same_metas(const struct ep_block *b)
{
	for (uint32_t i = 1; i < b->n_points; i++)
		if (b->points[i].meta != b->points[0].meta)
			return false;
	return true;
}

static int ask_set(struct ep_block_filter *f, uint32_t set, struct ep_err *err)
{
	struct walk *w = f->ctx;
	int rc = set < ep_vec_n(&w->s->d->sets)
			 ? takes_set(w->p, w->s, set, err)
			 : ep_fail(err, -EBADMSG, 0, "label set %u is not in the dictionary", set);
	f->known = w->s->memo;
	f->n_known = w->s->n_memo;
	return rc;
}

/* 1: the plan's blob has what matches of the block, hit->total its weight. */
static int sum_block(struct walk *w, const struct ep_read_block *k, struct ep_hit *hit,
		     struct ep_err *err)
{
	struct ep_plan *p = w->p;
	if (w->need == EP_NEED_STACKS) {
		struct ep_block_filter f = {w->s->memo, w->s->n_memo, ask_set, w};
		int rc = ep_read_block_sum(p->read, k, w->s->pending ? &f : NULL, &p->blob, err);
		hit->total = rc > 0 ? p->blob.set_sums[0] : 0;
		return rc;
	}
	int rc = ep_read_block_sum_pairs(p->read, k, &p->blob, err);
	if (rc <= 0 || !w->s->pending)
		return rc;
	uint32_t n = 0;
	EP_TRY(take_sets(p, w->s, hit->point, &hit->total, &n, err));
	hit->take = p->take;
	return 1;
}

/* A block of a segment: its sums instead of its profiles. */
static int visit_block(void *ctx, const struct ep_read_block *k, struct ep_err *err)
{
	struct walk *w = ctx;
	struct ep_plan *p = w->p;
	bool has_copies = p->copies && w->s->is_agent && w->s->has_copies;
	bool whole = !k->first && k->end == k->block->n_points;
	if (w->need < EP_NEED_STACKS || has_copies ||
	    (w->need == EP_NEED_ROWS && (!whole || !same_metas(k->block))))
		return 0;
	struct ep_head_point sum = ep_read_block_point(k, k->first);
	sum.col = 0; /* the sums have one column */
	sum.duration_ns = 0;
	sum.total = 0;
	for (uint32_t i = k->first; i < k->end; i++) /* checked when it was made */
		(void)__builtin_add_overflow(sum.total, ep_read_block_point(k, i).total, &sum.total);
	struct ep_hit hit = {.series = w->s, .point = &sum, .total = sum.total, .blob = &p->blob};
	EP_TRY(check_limits(p, err));
	int rc = sum_block(w, k, &hit, err);
	if (rc <= 0)
		return rc < 0 ? rc : 1;
	count_bytes(p);
	if (w->s->pending && !hit.total)
		return 1;
	EP_TRY(note_block(w, k, hit.total, &sum, err));
	rc = w->fn ? w->fn(w->ctx, &hit, err) : 0;
	return rc ? rc : 1;
}

int ep_plan_run(struct ep_plan *p, enum ep_plan_need need, ep_hit_fn *fn, void *ctx,
		struct ep_err *err)
{
	for (uint32_t i = 0; i < p->n; i++) {
		struct walk w = {p, &p->v[i], need, fn, ctx};
		EP_TRY(ep_read_walk(p->read, p->v[i].s, visit_block, visit, &w, err));
	}
	return 0;
}

/* --- life ------------------------------------------------------------------------------------------ */

static int check(const struct ep_query *q, bool needs_type, struct ep_err *err)
{
	if (q->from_ms < 0 || q->until_ms < 0 || (uint64_t)q->until_ms > max_ms)
		return ep_fail(err, -EINVAL, 0, "the time range is outside of 1970 to 2262");
	if (q->from_ms > q->until_ms)
		return ep_fail(err, -EINVAL, 0, "query start time is after end time");
	if (needs_type && !q->type.n)
		return ep_fail(err, -EINVAL, 0, "a profile type is needed");
	return 0;
}

static int open_plan(struct ep_plan *p, struct ep_err *err)
{
	if (ep_blob_init(&p->blob) < 0)
		return ep_fail(err, -ENOMEM, 0, "no memory for a query");
	EP_TRY(ep_selector_parse(p->q->selector, &p->selector, err));
	/* A millisecond is whole: until its last nanosecond. */
	EP_TRY(ep_read_open(p->env->store, (uint64_t)p->q->from_ms * EP_NS_PER_MS,
			    (uint64_t)p->q->until_ms * EP_NS_PER_MS + EP_NS_PER_MS - 1, &p->read, err));
	EP_TRY(choose_series(p, err));
	return find_copies(p, err);
}

int ep_plan_open(struct ep_plan *p, const struct ep_query_env *env, const struct ep_query *q,
		 bool needs_type, struct ep_err *err)
{
	*p = (struct ep_plan){.env = env, .q = q, .begun_ns = ep_clock_mono_ns()};
	EP_TRY(check(q, needs_type, err));
	return open_plan(p, err);
}

void ep_plan_close(struct ep_plan *p)
{
	for (uint32_t i = 0; i < p->n; i++)
		ep_free(p->v[i].memo);
	ep_free(p->v);
	ep_free(p->take);
	ep_free(p->covered);
	ep_copies_free(p->copies);
	ep_blob_fini(&p->blob);
	ep_read_close(p->read);
	ep_selector_free(p->selector);
}

static int by_start(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;
	return x[0] < y[0] ? -1 : x[0] > y[0];
}

struct ep_query_ledger ep_plan_ledger(struct ep_plan *p)
{
	struct ep_query_ledger l = p->ledger;
	uint64_t end = 0;
	if (p->n_covered)
		qsort(p->covered, p->n_covered, sizeof(*p->covered), by_start);
	for (size_t i = 0; i < p->n_covered; i++) {
		uint64_t from = p->covered[i][0] > end ? p->covered[i][0] : end;
		if (p->covered[i][1] > from)
			l.covered_ms += p->covered[i][1] - from;
		end = p->covered[i][1] > end ? p->covered[i][1] : end;
	}
	l.span_ms = (uint64_t)(p->q->until_ms - p->q->from_ms);
	l.damaged = ep_read_damaged(p->read);
	return l;
}
