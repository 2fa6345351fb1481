/* compat.c - see compat.h.  Source: google/pprof profile/merge.go
 * (CompatibilizeSampleTypes) and internal/measurement (ScaleProfiles). */
#include "profile/compat.h"

#include "profile/scale.h"
#include "profile/units.h"

static int no_memory(struct ep_err *err)
{
	return ep_fail(err, -ENOMEM, 0, "no memory to make profiles alike");
}

/* --- columns ---------------------------------------------------------------------- */

static uint32_t count_type(const struct ep_profile *p, struct ep_slice type)
{
	uint32_t n = 0;
	for (uint32_t i = 0; i < p->n_sample_types; i++)
		n += ep_slice_eq(p->strings[p->sample_types[i].type], type);
	return n;
}

static uint32_t find_type(const struct ep_profile *p, struct ep_slice type)
{
	for (uint32_t i = 0; i < p->n_sample_types; i++)
		if (ep_slice_eq(p->strings[p->sample_types[i].type], type))
			return i;
	return EP_NONE;
}

/* The reference counts a name in all profiles, and wants as many as there are
 * profiles; and then the name in each. */
static bool is_common(struct ep_profile *const *profiles, size_t n, struct ep_slice type)
{
	size_t count = 0;
	for (size_t i = 0; i < n; i++)
		count += count_type(profiles[i], type);
	return count == n;
}

static bool type_is(const struct ep_profile *p, uint32_t column, ep_str type)
{
	return ep_slice_eq(p->strings[p->sample_types[column].type], p->strings[type]);
}

/* Columns in another order, some of them gone. */
static int select_columns(struct ep_profile *p, const uint32_t *columns, uint32_t n,
			  struct ep_err *err)
{
	bool same = n == p->n_sample_types, has_default = false;
	for (uint32_t i = 0; i < n; i++) {
		same &= columns[i] == i;
		has_default |= type_is(p, columns[i], p->default_sample_type);
	}
	if (same)
		return 0;
	struct ep_value_type *types = ep_arena_array(p->arena, struct ep_value_type, n);
	int64_t *values =
		ep_arena_alloc(p->arena, (size_t)p->n_samples * n * sizeof(*values));
	if (!types || !values)
		return no_memory(err);
	for (uint32_t i = 0; i < n; i++)
		types[i] = p->sample_types[columns[i]];
	for (uint32_t s = 0; s < p->n_samples; s++)
		for (uint32_t i = 0; i < n; i++)
			values[(size_t)s * n + i] = ep_profile_values(p, s)[columns[i]];
	if (!has_default)
		p->default_sample_type = types[0].type;
	p->sample_types = types;
	p->values = values;
	p->n_sample_types = n;
	return 0;
}

static int make_columns_alike(struct ep_profile *const *profiles, size_t n,
			      struct ep_err *err)
{
	struct ep_profile *first = profiles[0];
	uint32_t n_types = 0;
	struct ep_slice *types ep_auto_mem =
		ep_alloc(((size_t)first->n_sample_types + 1) * sizeof(*types));
	uint32_t *columns ep_auto_mem =
		ep_alloc(((size_t)first->n_sample_types + 1) * sizeof(*columns));
	if (!types || !columns)
		return no_memory(err);
	for (uint32_t i = 0; i < first->n_sample_types; i++) {
		struct ep_slice type = first->strings[first->sample_types[i].type];
		if (is_common(profiles, n, type))
			types[n_types++] = type;
	}
	if (!n_types)
		return ep_fail(err, -EINVAL, 0, "profiles have empty common sample type list");
	for (size_t k = 0; k < n; k++) {
		for (uint32_t i = 0; i < n_types; i++) {
			columns[i] = find_type(profiles[k], types[i]);
			if (columns[i] == EP_NONE)
				return ep_fail(err, -EINVAL, 0,
					       "\"%.*s\" sample type is not found in profile",
					       EP_SLICE_ARG(types[i]));
		}
		EP_TRY(select_columns(profiles[k], columns, n_types, err));
	}
	return 0;
}

/* --- units ------------------------------------------------------------------------ */

struct type {
	struct ep_slice type, unit;
};

static struct type type_of(const struct ep_profile *p, struct ep_value_type t)
{
	return (struct type){p->strings[t.type], p->strings[t.unit]};
}

/* The type of a column, or of the period. */
static struct type column_of(const struct ep_profile *p, uint32_t column)
{
	return type_of(p, column == EP_NONE ? p->period_type : p->sample_types[column]);
}

static struct ep_slice singular(struct ep_slice s)
{
	return s.n && s.p[s.n - 1] == 's' ? (struct ep_slice){s.p, s.n - 1} : s;
}

static double ratio_of(struct ep_slice from, struct ep_slice to)
{
	struct ep_slice unit;
	return ep_units_scale(1, from, to, &unit);
}

/* The finest unit of a column of all profiles. */
static int find_unit(struct ep_profile *const *profiles, size_t n, uint32_t column,
		     struct ep_slice *ret_unit, struct ep_err *err)
{
	struct type finest = column_of(profiles[0], column);
	for (size_t i = 1; i < n; i++) {
		struct type t = column_of(profiles[i], column);
		if (!ep_slice_eq(singular(finest.type), singular(t.type)) ||
		    !ep_units_are_related(finest.unit, t.unit))
			return ep_fail(err, -EINVAL, 0,
				       "%s: incompatible types: {%.*s %.*s 0 0} {%.*s %.*s "
				       "0 0}",
				       column == EP_NONE ? "period type" : "sample types",
				       EP_SLICE_ARG(finest.type), EP_SLICE_ARG(finest.unit),
				       EP_SLICE_ARG(t.type), EP_SLICE_ARG(t.unit));
		if (ratio_of(t.unit, finest.unit) < 1)
			finest = t;
	}
	*ret_unit = finest.unit;
	return 0;
}

/* An index of a string; the table moves, what it held stays. */
static int add_string(struct ep_profile *p, struct ep_slice s, ep_str *ret,
		      struct ep_err *err)
{
	size_t n = p->n_strings;
	struct ep_slice *strings = ep_arena_array(p->arena, struct ep_slice, n + 1);
	char *copy = ep_arena_copy(p->arena, s.p, s.n);
	if (!strings || !copy || n >= UINT32_MAX)
		return no_memory(err);
	memcpy(strings, p->strings, n * sizeof(*strings));
	strings[n] = (struct ep_slice){copy, s.n};
	*ret = s.n ? p->n_strings : 0;
	p->strings = strings;
	p->n_strings += s.n != 0;
	return 0;
}

static int set_unit(struct ep_profile *p, ep_str *unit, struct ep_slice to,
		    struct ep_err *err)
{
	return ep_slice_eq(p->strings[*unit], to) ? 0 : add_string(p, to, unit, err);
}

static int scale_profile(struct ep_profile *p, const struct ep_slice *units,
			 struct ep_slice period_unit, struct ep_err *err)
{
	uint32_t n = p->n_sample_types;
	struct ep_slice unit;
	double *ratios ep_auto_mem = ep_alloc(n * sizeof(*ratios));
	struct ep_value_type *types = ep_arena_array(p->arena, struct ep_value_type, n);
	if (!ratios || !types)
		return no_memory(err);
	p->period = ep_units_whole(ep_units_scale(
		p->period, p->strings[p->period_type.unit], period_unit, &unit));
	EP_TRY(set_unit(p, &p->period_type.unit, period_unit, err));
	for (uint32_t i = 0; i < n; i++) {
		types[i] = p->sample_types[i];
		ratios[i] = ratio_of(p->strings[types[i].unit], units[i]);
		EP_TRY(set_unit(p, &types[i].unit, units[i], err));
	}
	p->sample_types = types;
	return ep_scale(p, ratios, err);
}

static int make_units_alike(struct ep_profile *const *profiles, size_t n,
			    struct ep_err *err)
{
	uint32_t n_types = profiles[0]->n_sample_types;
	struct ep_slice period_unit;
	struct ep_slice *units ep_auto_mem = ep_alloc(n_types * sizeof(*units));
	if (!units)
		return no_memory(err);
	EP_TRY(find_unit(profiles, n, EP_NONE, &period_unit, err));
	for (uint32_t i = 0; i < n_types; i++)
		EP_TRY(find_unit(profiles, n, i, &units[i], err));
	for (size_t i = 0; i < n; i++)
		EP_TRY(scale_profile(profiles[i], units, period_unit, err));
	return 0;
}

int ep_compat_prepare(struct ep_profile *const *profiles, size_t n, struct ep_err *err)
{
	if (!n)
		return 0;
	EP_TRY(make_columns_alike(profiles, n, err));
	return n > 1 ? make_units_alike(profiles, n, err) : 0;
}
