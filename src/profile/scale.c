/* scale.c - see scale.h.  Source: google/pprof profile.go (ScaleN), driver fetch. */
#include "profile/scale.h"

#include "profile/merge.h"

#include <errno.h>

/* v times ratio, half away from zero.  By hand: round() would need libm, and a cast of
 * what does not fit is undefined. */
static int64_t scaled(int64_t v, double ratio)
{
	double r = (double)v * ratio;
	if (r >= 0x1p63)
		return INT64_MAX;
	if (r < -0x1p63)
		return INT64_MIN;
	int64_t whole = (int64_t)r;
	double rest = r - (double)whole;
	return whole + (rest >= 0.5) - (rest <= -0.5);
}

/* Scale one row; whether some changed column is not zero in it. */
static bool scale_row(const int64_t *from, int64_t *to, const double *ratios, uint32_t n)
{
	bool any = false;
	for (uint32_t i = 0; i < n; i++) {
		to[i] = from[i];
		if (ratios[i] == 1)
			continue;
		to[i] = scaled(from[i], ratios[i]);
		any |= to[i] != 0;
	}
	return any;
}

int ep_scale(struct ep_profile *p, const double *ratios, struct ep_err *err)
{
	uint32_t n = p->n_sample_types, kept = 0, ones = 0;
	for (uint32_t i = 0; i < n; i++)
		ones += ratios[i] == 1;
	if (ones == n)
		return 0;
	struct ep_sample *samples =
		ep_arena_alloc(p->arena, p->n_samples * sizeof(*samples));
	int64_t *values =
		ep_arena_alloc(p->arena, (size_t)p->n_samples * n * sizeof(*values));
	if (!samples || !values)
		return ep_fail(err, -ENOMEM, 0, "no memory for scaling");
	for (uint32_t i = 0; i < p->n_samples; i++) {
		samples[kept] = p->samples[i];
		kept += scale_row(ep_profile_values(p, i), values + (size_t)kept * n, ratios,
				  n);
	}
	p->samples = samples;
	p->values = values;
	p->n_samples = kept;
	return 0;
}

/* The sum of a column, exact while it fits 64 bits. */
static double sum_column(const struct ep_profile *p, uint32_t column)
{
	int64_t exact = 0;
	double sum = 0;
	bool fits = true;
	for (uint32_t i = 0; i < p->n_samples; i++) {
		int64_t v = ep_profile_values(p, i)[column];
		fits &= !__builtin_add_overflow(exact, v, &exact);
		sum += (double)v;
	}
	return fits ? (double)exact : sum;
}

int ep_scale_normalize(struct ep_profile *p, const struct ep_profile *base,
		       struct ep_err *err)
{
	uint32_t n = p->n_sample_types;
	EP_TRY(ep_merge_check(p, base, err));
	double *ratios ep_auto_mem = ep_alloc(n * sizeof(*ratios));
	if (!ratios)
		return ep_fail(err, -ENOMEM, 0, "no memory for normalizing");
	for (uint32_t i = 0; i < n; i++) {
		double sum = sum_column(p, i);
		ratios[i] = sum != 0 ? sum_column(base, i) / sum : 0;
	}
	return ep_scale(p, ratios, err);
}

int ep_scale_diff_owned(struct ep_profile *both[2], enum ep_scale_diff_mode mode,
			struct ep_profile **ret_p, struct ep_err *err)
{
	const enum ep_merge_role roles[] = {EP_MERGE_ADD, (enum ep_merge_role)mode};
	return ep_merge_owned(both, roles, 2, 0, ret_p, err);
}

int ep_scale_diff(const struct ep_profile *source, const struct ep_profile *base,
		  enum ep_scale_diff_mode mode, struct ep_profile **ret_p,
		  struct ep_err *err)
{
	const struct ep_profile *both[] = {source, base};
	const enum ep_merge_role roles[] = {EP_MERGE_ADD, (enum ep_merge_role)mode};
	return ep_merge_as(both, roles, 2, 0, ret_p, err);
}
