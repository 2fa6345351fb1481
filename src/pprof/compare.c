/* compare.c - see compare.h. */
#include "pprof/compare.h"

#include "pprof/chance.h"
#include "profile/units.h"
#include "report/prepare.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* At most this part of what is called a change is expected to be chance. */
static const double discovery_rate = 0.05;
/* Durations closer than this are the same. */
static const double same_duration = 0.01;

void ep_compare_free(struct ep_compare *c)
{
	if (!c)
		return;
	ep_weigh_fini(&c->weights);
	ep_free(c->self);
	ep_free(c->cum);
	ep_free(c);
}

/* --- how the two are put on one scale ----------------------------------------------
 */

/* What is there at one moment, and does not grow with the time that was watched. */
static bool is_snapshot(struct ep_slice type)
{
	static const char *const types[] = {"inuse_space", "inuse_objects",
					    "space",	   "objects",
					    "goroutine",   "threadcreate"};
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (ep_slice_is(type, types[i]))
			return true;
	return false;
}

static enum ep_compare_scale choose_scale(struct ep_compare *c)
{
	double a = (double)c->duration_ns[0], b = (double)c->duration_ns[1];
	if (is_snapshot(c->type)) {
		c->why = "it is what was there at one moment";
		return EP_COMPARE_PLAIN;
	}
	if (a > 0 && b > 0 && fabs(a - b) <= same_duration * a) {
		c->why = "both took the same time";
		return EP_COMPARE_PLAIN;
	}
	if (a > 0 && b > 0) {
		c->why = "they took different times";
		return EP_COMPARE_DURATION;
	}
	c->why = "how long they took is not known";
	return EP_COMPARE_TOTAL;
}

static int set_scale(struct ep_compare *c, struct ep_err *err)
{
	const struct ep_weight *t = c->weights.total;
	bool is_auto = c->o->scale == EP_COMPARE_AUTO;
	c->scale = is_auto ? choose_scale(c) : c->o->scale;
	if (!is_auto)
		c->why = "as asked";
	c->factor = 1;
	if (c->scale == EP_COMPARE_DURATION) {
		if (c->duration_ns[0] <= 0 || c->duration_ns[1] <= 0)
			return ep_fail(err, -EINVAL, 0,
				       "a duration is not known: scale by total");
		c->factor = (double)c->duration_ns[0] / (double)c->duration_ns[1];
	}
	if (c->scale == EP_COMPARE_TOTAL && t[0].value > 0 && t[1].value > 0)
		c->factor = t[0].value / t[1].value;
	return 0;
}

/* --- one change ---------------------------------------------------------------------
 */

/* The mean weight of an event; of nothing seen, what it is elsewhere. */
static double weight_of(struct ep_weight v, struct ep_weight total)
{
	if (v.value > 0)
		return v.variance / v.value;
	return total.value > 0 ? total.variance / total.value : 0;
}

static double events_of(struct ep_weight v)
{
	return v.variance > 0 ? v.value * v.value / v.variance : 0;
}

/* Variance of a share of the total: the part and the rest are independent. */
static double share_variance(struct ep_weight v, double floor, struct ep_weight total)
{
	if (total.value <= 0)
		return 0;
	double x = v.value / total.value,
	       part = v.variance > floor ? v.variance : floor;
	double rest = total.variance > v.variance ? total.variance - v.variance : 0;
	return ((1 - x) * (1 - x) * part + x * x * rest) / (total.value * total.value);
}

static double change_variance(const struct ep_compare *c, const struct ep_weight v[2],
			      const double w[2])
{
	const struct ep_weight *t = c->weights.total;
	double part[2];
	for (int i = 0; i < 2; i++) {
		/* Nothing seen is not nothing there: it might have been one. */
		double floor = w[i] * w[i];
		part[i] = v[i].variance > floor ? v[i].variance : floor;
		if (c->scale == EP_COMPARE_TOTAL)
			part[i] = share_variance(v[i], floor, t[i]) * t[0].value *
				  t[0].value;
		else if (i == 1)
			part[i] *= c->factor * c->factor;
	}
	return part[0] + part[1];
}

static struct ep_change make_change(const struct ep_compare *c, struct ep_slice name,
				    const struct ep_weight v[2])
{
	struct ep_change d = {.name = name,
			      .a = v[0].value,
			      .b = v[1].value * c->factor,
			      .error = -1,
			      .p = 1};
	d.change = d.b - d.a;
	d.is_new = d.a == 0 && d.b > 0;
	d.is_gone = d.b == 0 && d.a > 0;
	if (!c->has_errors)
		return d;
	const struct ep_weight *t = c->weights.total;
	double w[2] = {weight_of(v[0], t[0]), weight_of(v[1], t[1])};
	d.error = EP_CHANCE_95 * sqrt(change_variance(c, v, w));
	if (w[0] > 0 && w[1] > 0) {
		double ratio = w[0] / (c->factor * w[1]);
		d.p = ep_chance_same(events_of(v[0]), events_of(v[1]),
				      ratio / (1 + ratio));
	}
	return d;
}

/* --- all of them ---------------------------------------------------------------------
 */

static int by_change(const void *a, const void *b)
{
	const struct ep_change *x = a, *y = b;
	double dx = fabs(x->change), dy = fabs(y->change);
	if (dx != dy)
		return dx < dy ? 1 : -1;
	return ep_slice_cmp(x->name, y->name);
}

/* Mark the discoveries of one list, and sort it. */
static int judge(struct ep_compare *c, struct ep_change *list, struct ep_err *err)
{
	double *p ep_auto_mem = ep_alloc((c->n + 1) * sizeof(*p));
	size_t tests = 0;
	if (!p)
		return ep_fail(err, -ENOMEM, 0, "out of memory");
	for (size_t i = 0; i < c->n; i++)
		if (list[i].a > 0 || list[i].b > 0)
			p[tests++] = list[i].p;
	double bound =
		c->has_errors ? ep_chance_threshold(p, tests, discovery_rate) : -1;
	for (size_t i = 0; i < c->n; i++)
		list[i].is_sure = list[i].p <= bound;
	qsort(list, c->n, sizeof(*list), by_change);
	return 0;
}

static int make_lists(struct ep_compare *c, struct ep_err *err)
{
	const struct ep_weigh *w = &c->weights;
	c->n = w->n_rows;
	c->self = ep_alloc((c->n + 1) * sizeof(*c->self));
	c->cum = ep_alloc((c->n + 1) * sizeof(*c->cum));
	if (!c->self || !c->cum)
		return ep_fail(err, -ENOMEM, 0, "out of memory");
	for (size_t i = 0; i < c->n; i++) {
		c->self[i] = make_change(c, w->rows[i].name, w->rows[i].self);
		c->cum[i] = make_change(c, w->rows[i].name, w->rows[i].cum);
	}
	EP_TRY(judge(c, c->self, err));
	return judge(c, c->cum, err);
}

/* B's column is that of A's type; its unit may be another one of the family. */
static int find_columns(const struct ep_profile *a, const struct ep_profile *b,
			struct ep_compare *c, uint32_t ret[2], double *ret_ratio,
			struct ep_err *err)
{
	EP_TRY(ep_report_column(a, c->o->sample_index, &ret[0], err));
	c->type = a->strings[a->sample_types[ret[0]].type];
	c->unit = a->strings[a->sample_types[ret[0]].unit];
	for (ret[1] = 0; ret[1] < b->n_sample_types; ret[1]++)
		if (ep_slice_eq(b->strings[b->sample_types[ret[1]].type], c->type))
			break;
	if (ret[1] == b->n_sample_types)
		return ep_fail(err, -EINVAL, 0,
			       "%s has values of the type %.*s, and %s has none",
			       c->o->names[0], EP_SLICE_ARG(c->type), c->o->names[1]);
	struct ep_slice unit = b->strings[b->sample_types[ret[1]].unit];
	*ret_ratio = 1;
	if (ep_slice_eq(unit, c->unit))
		return 0;
	if (!ep_units_are_related(unit, c->unit))
		return ep_fail(err, -EINVAL, 0,
			       "%.*s is in %.*s in %s, and in %.*s in %s",
			       EP_SLICE_ARG(c->type), EP_SLICE_ARG(c->unit),
			       c->o->names[0], EP_SLICE_ARG(unit), c->o->names[1]);
	struct ep_units_pair pair = ep_units_pair(unit, c->unit);
	*ret_ratio = pair.from / pair.to;
	return 0;
}

static int compare(const struct ep_profile *a, const struct ep_profile *b,
		   struct ep_compare *c, struct ep_err *err)
{
	uint32_t columns[2];
	double ratio;
	if (ep_weigh_init(&c->weights) < 0)
		return ep_fail(err, -ENOMEM, 0, "out of memory");
	EP_TRY(find_columns(a, b, c, columns, &ratio, err));
	EP_TRY(ep_weigh_add(&c->weights, a, 0, columns[0], 1, c->o->group_by, err));
	EP_TRY(ep_weigh_add(&c->weights, b, 1, columns[1], ratio, c->o->group_by, err));
	for (int i = 0; i < 2; i++) {
		c->duration_ns[i] = (i ? b : a)->duration_ns;
		c->n_events[i] = c->weights.n_events[i];
		c->by[i] = c->weights.by[i];
	}
	/* An empty side says nothing of events, and needs not to. */
	c->has_errors = (c->by[0] || c->weights.total[0].value == 0) &&
			(c->by[1] || c->weights.total[1].value == 0);
	EP_TRY(set_scale(c, err));
	c->total = make_change(c, ep_slice_of("total"), c->weights.total);
	c->total.is_sure = c->scale != EP_COMPARE_TOTAL && c->total.p < discovery_rate;
	return make_lists(c, err);
}

int ep_compare_profiles(const struct ep_profile *a, const struct ep_profile *b,
			const struct ep_compare_options *o, struct ep_compare **ret_c,
			struct ep_err *err)
{
	ep_auto(ep_compare) c = ep_zalloc(sizeof(*c));
	if (!c)
		return ep_fail(err, -ENOMEM, 0, "out of memory");
	c->o = o;
	EP_TRY(compare(a, b, c, err));
	*ret_c = ep_take(&c);
	return 0;
}
