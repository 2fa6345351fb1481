/* weigh.c - see weigh.h. */
#include "pprof/weigh.h"

#include "base/grow.h"
#include "base/hash.h"
#include "base/path.h"
#include "pprof/events.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define NO_ROW UINT32_MAX

int ep_weigh_init(struct ep_weigh *w)
{
	*w = (struct ep_weigh){.arena = ep_arena_new(0)};
	return w->arena ? 0 : -ENOMEM;
}

void ep_weigh_fini(struct ep_weigh *w)
{
	ep_index_fini(&w->index);
	ep_arena_free(w->arena);
	ep_free(w->rows);
}

/* --- rows by name ---------------------------------------------------------------- */

static int add_row(struct ep_weigh *w, struct ep_slice name, uint64_t hash,
		   uint32_t *ret)
{
	EP_TRY(ep_grow((void **)&w->rows, &w->cap_rows, w->n_rows, sizeof(*w->rows)));
	char *copy = ep_arena_copy(w->arena, name.p, name.n);
	if (!copy || ep_index_add(&w->index, hash, w->n_rows) < 0)
		return -ENOMEM;
	w->rows[w->n_rows] = (struct ep_weigh_row){.name = {copy, name.n}};
	*ret = w->n_rows++;
	return 0;
}

static int find_row(struct ep_weigh *w, struct ep_slice name, uint32_t *ret)
{
	uint64_t hash = ep_hash64(name.p, name.n);
	struct ep_index_iter it;
	for (uint32_t id = ep_index_first(&w->index, hash, &it); id != EP_INDEX_NONE;
	     id = ep_index_next(&w->index, &it)) {
		if (ep_slice_eq(w->rows[id].name, name)) {
			*ret = id;
			return 0;
		}
	}
	return add_row(w, name, hash, ret);
}

/* --- one profile ------------------------------------------------------------------ */

struct adder {
	struct ep_weigh *w;
	const struct ep_profile *p;
	int side;
	uint32_t *function_rows; /* by function */
	uint32_t *bare_rows;	 /* by location, of those without lines */
	uint32_t *seen;		 /* by row: the last sample that had it, plus 1 */
	uint32_t n_seen;
};

static int row_of_function(struct adder *a, uint32_t function, uint32_t *ret)
{
	uint32_t *row = &a->function_rows[function];
	if (*row == NO_ROW) {
		const struct ep_function *f = &a->p->functions[function];
		struct ep_slice name =
			a->p->strings[f->name ? f->name : f->system_name];
		EP_TRY(find_row(a->w, name.n ? name : ep_slice_of("<unknown>"), row));
	}
	*ret = *row;
	return 0;
}

/* Code without a name is called by its file and its place in it. */
static int row_of_bare(struct adder *a, uint32_t location, uint32_t *ret)
{
	uint32_t *row = &a->bare_rows[location];
	if (*row == NO_ROW) {
		const struct ep_location *l = &a->p->locations[location];
		char name[300];
		struct ep_slice file = {"", 0};
		uint64_t offset = l->address;
		if (l->mapping != EP_NONE) {
			const struct ep_mapping *m = &a->p->mappings[l->mapping];
			file = ep_path_name(a->p->strings[m->filename]);
			offset = l->address - m->start + m->file_offset;
		}
		int n = snprintf(name, sizeof(name), "%.*s+0x%" PRIx64,
				 (int)(file.n < 200 ? file.n : 200),
				 file.n ? file.p : "", offset);
		EP_TRY(find_row(a->w, (struct ep_slice){name, (size_t)n}, row));
	}
	*ret = *row;
	return 0;
}

static void add(struct ep_weight *to, double value, double variance)
{
	to->value += value;
	to->variance += variance;
}

/* A row's cumulative value, once a sample however often the function recurs. */
static int add_cum(struct adder *a, uint32_t row, uint32_t sample, double v,
		   double variance)
{
	if (row >= a->n_seen) {
		uint32_t n = a->w->cap_rows;
		uint32_t *seen = ep_realloc(a->seen, (size_t)n * sizeof(*seen));
		if (!seen)
			return -ENOMEM;
		memset(seen + a->n_seen, 0, (size_t)(n - a->n_seen) * sizeof(*seen));
		a->seen = seen;
		a->n_seen = n;
	}
	if (a->seen[row] == sample + 1)
		return 0;
	a->seen[row] = sample + 1;
	add(&a->w->rows[row].cum[a->side], v, variance);
	return 0;
}

static int add_stack(struct adder *a, uint32_t sample, double v, double variance)
{
	const struct ep_profile *p = a->p;
	const struct ep_sample *s = &p->samples[sample];
	const uint32_t *stack = ep_profile_stack(p, s);
	bool is_leaf = true;
	for (uint32_t i = 0; i < s->n_locations; i++) {
		const struct ep_location *l = &p->locations[stack[i]];
		for (uint32_t k = 0; k < (l->n_lines ? l->n_lines : 1); k++) {
			uint32_t row;
			if (l->n_lines)
				EP_TRY(row_of_function(
					a, p->lines[l->first_line + k].function, &row));
			else
				EP_TRY(row_of_bare(a, stack[i], &row));
			if (is_leaf)
				add(&a->w->rows[row].self[a->side], v, variance);
			is_leaf = false;
			EP_TRY(add_cum(a, row, sample, v, variance));
		}
	}
	return 0;
}

/* The value of a label; "(none)" without one. */
static int add_label(struct adder *a, struct ep_slice key, uint32_t sample, double v,
		     double variance)
{
	const struct ep_profile *p = a->p;
	const struct ep_sample *s = &p->samples[sample];
	struct ep_slice name = ep_slice_of("(none)");
	char number[100];
	for (uint32_t i = 0; i < s->n_labels; i++) {
		const struct ep_label *l = &p->labels[s->first_label + i];
		if (!ep_slice_eq(p->strings[l->key], key))
			continue;
		name = p->strings[l->str];
		if (!l->str) {
			struct ep_slice unit = p->strings[l->num_unit];
			int n = snprintf(number, sizeof(number), "%" PRId64 "%.*s",
					 l->num, (int)(unit.n < 60 ? unit.n : 60),
					 unit.n ? unit.p : "");
			name = (struct ep_slice){number, (size_t)n};
		}
		break;
	}
	uint32_t row;
	EP_TRY(find_row(a->w, name, &row));
	add(&a->w->rows[row].self[a->side], v, variance);
	add(&a->w->rows[row].cum[a->side], v, variance);
	return 0;
}

static int add_samples(struct adder *a, uint32_t column, double ratio,
		       struct ep_slice key, struct ep_err *err)
{
	const struct ep_profile *p = a->p;
	struct ep_events e = ep_events_find(p, column);
	a->w->by[a->side] = e.by;
	for (uint32_t i = 0; i < p->n_samples; i++) {
		const int64_t *row = ep_profile_values(p, i);
		if (row[column] < 0)
			return ep_fail(err, -EINVAL, 0,
				       "sample %" PRIu32 " has the value %" PRId64
				       ": a difference can't be compared again",
				       i, row[column]);
		if (row[column] == 0)
			continue;
		double v = (double)row[column], n = ep_events_count(&e, row, v);
		v *= ratio;
		double variance = n > 0 ? v * v / n : 0;
		add(&a->w->total[a->side], v, variance);
		a->w->n_events[a->side] += n;
		int rc = key.n ? add_label(a, key, i, v, variance)
			       : add_stack(a, i, v, variance);
		if (rc < 0)
			return ep_fail(err, rc, 0, "out of memory");
	}
	return 0;
}

static uint32_t *new_rows(uint32_t n)
{
	uint32_t *rows = ep_alloc(((size_t)n + 1) * sizeof(*rows));
	if (rows)
		memset(rows, 0xff, ((size_t)n + 1) * sizeof(*rows)); /* NO_ROW */
	return rows;
}

int ep_weigh_add(struct ep_weigh *w, const struct ep_profile *p, int side,
		 uint32_t column, double ratio, const char *group_by,
		 struct ep_err *err)
{
	struct adder a = {.w = w,
			  .p = p,
			  .side = side,
			  .function_rows = new_rows(p->n_functions),
			  .bare_rows = new_rows(p->n_locations)};
	int rc = a.function_rows && a.bare_rows
			 ? add_samples(&a, column, ratio, ep_slice_of(group_by), err)
			 : ep_fail(err, -ENOMEM, 0, "out of memory");
	ep_free(a.function_rows);
	ep_free(a.bare_rows);
	ep_free(a.seen);
	return rc;
}
