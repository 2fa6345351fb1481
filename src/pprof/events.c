/* events.c - see events.h. */
#include "pprof/events.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

static bool ends_with(struct ep_slice s, const char *end)
{
	size_t n = strlen(end);
	return s.n >= n && !memcmp(s.p + s.n - n, end, n);
}

/* "alloc_space" and "alloc_objects" belong together: the same before the last word. */
static bool are_mates(struct ep_slice space, struct ep_slice objects)
{
	return ends_with(space, "space") && ends_with(objects, "objects") &&
	       space.n - strlen("space") == objects.n - strlen("objects") &&
	       !memcmp(space.p, objects.p, space.n - strlen("space"));
}

static struct ep_slice type_of(const struct ep_profile *p, uint32_t column)
{
	return p->strings[p->sample_types[column].type];
}

static bool find_heap(const struct ep_profile *p, uint32_t column, struct ep_events *e)
{
	struct ep_slice type = type_of(p, column);
	if (!ep_slice_is(p->strings[p->period_type.unit], "bytes") || p->period < 1)
		return false;
	for (uint32_t i = 0; i < p->n_sample_types; i++) {
		bool is_space = are_mates(type, type_of(p, i));
		if (!is_space && !are_mates(type_of(p, i), type))
			continue;
		*e = (struct ep_events){.by = EP_EVENTS_HEAP,
				     .count_column = is_space ? i : column,
				     .bytes_column = is_space ? column : i,
				     .period = (double)p->period};
		return true;
	}
	return false;
}

struct ep_events ep_events_find(const struct ep_profile *p, uint32_t column)
{
	struct ep_events e = {.by = EP_EVENTS_UNKNOWN};
	if (find_heap(p, column, &e))
		return e;
	/* Without a period nobody knows how many events these were scaled up from. */
	struct ep_slice type = type_of(p, column);
	if (ends_with(type, "space") || ends_with(type, "objects"))
		return e;
	for (uint32_t i = 0; i < p->n_sample_types; i++)
		if (ep_slice_is(p->strings[p->sample_types[i].unit], "count"))
			return (struct ep_events){.by = EP_EVENTS_COLUMN,
					       .count_column = i};
	const struct ep_value_type *t = &p->sample_types[column];
	if (p->period > 0 &&
	    ep_slice_eq(p->strings[t->unit], p->strings[p->period_type.unit]))
		return (struct ep_events){.by = EP_EVENTS_PERIOD,
				       .period = (double)p->period};
	return e;
}

/* An object of this size is sampled with this probability (Go, gperftools, jemalloc).
 */
static double chance(double bytes, double period)
{
	return -expm1(-bytes / period);
}

double ep_events_count(const struct ep_events *e, const int64_t *row, double v)
{
	double n = 0;
	switch (e->by) {
	case EP_EVENTS_COLUMN:
		n = fabs((double)row[e->count_column]);
		break;
	case EP_EVENTS_PERIOD:
		n = fabs(v) / e->period;
		break;
	case EP_EVENTS_HEAP:
		n = fabs((double)row[e->count_column]);
		n = n > 0 ? n * chance(fabs((double)row[e->bytes_column]) / n, e->period) : 0;
		break;
	case EP_EVENTS_UNKNOWN:
		return 0;
	}
	return n < 1 ? 1 : n; /* something was seen */
}
