/* scale.c - see scale.h.  Source: google/pprof profile.go (ScaleN), driver fetch. */
#include "profile/scale.h"

#include "profile/merge.h"

#include <errno.h>
#include <inttypes.h>

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
static bool scale_row(int64_t *values, const double *ratios, uint32_t n)
{
	bool any = false;
	for (uint32_t i = 0; i < n; i++) {
		if (ratios[i] == 1)
			continue;
		values[i] = scaled(values[i], ratios[i]);
		any |= values[i] != 0;
	}
	return any;
}

void ep_scale(struct ep_profile *p, const double *ratios)
{
	uint32_t n = p->n_sample_types, kept = 0, ones = 0;
	for (uint32_t i = 0; i < n; i++)
		ones += ratios[i] == 1;
	if (ones == n)
		return;
	for (uint32_t i = 0; i < p->n_samples; i++) {
		int64_t *row = p->values + (size_t)i * n;
		if (!scale_row(row, ratios, n))
			continue;
		p->samples[kept] = p->samples[i];
		memmove(p->values + (size_t)kept * n, row, n * sizeof(*row));
		kept++;
	}
	p->n_samples = kept;
}

void ep_scale_negate(struct ep_profile *p)
{
	size_t n = (size_t)p->n_samples * p->n_sample_types;
	for (size_t i = 0; i < n; i++)
		p->values[i] = (int64_t)(0 - (uint64_t)p->values[i]);
}

/* Sums as doubles: a sum of 64-bit values may need more than 64 bits. */
static void sum_columns(const struct ep_profile *p, double *sums)
{
	uint32_t n = p->n_sample_types;
	memset(sums, 0, n * sizeof(*sums));
	for (uint32_t i = 0; i < p->n_samples; i++)
		for (uint32_t k = 0; k < n; k++)
			sums[k] += (double)ep_profile_values(p, i)[k];
}

int ep_scale_normalize(struct ep_profile *p, const struct ep_profile *base,
		       struct ep_err *err)
{
	uint32_t n = p->n_sample_types;
	if (n != base->n_sample_types)
		return ep_fail(err, -EINVAL, 0,
			       "incompatible sample types: %" PRIu32 " and %" PRIu32
			       " of them",
			       n, base->n_sample_types);
	double *ratios ep_auto_mem = ep_alloc(2 * (size_t)n * sizeof(*ratios));
	if (!ratios)
		return ep_fail(err, -ENOMEM, 0, "no memory for normalizing");
	double *sums = ratios + n;
	sum_columns(base, ratios);
	sum_columns(p, sums);
	for (uint32_t i = 0; i < n; i++)
		ratios[i] = sums[i] != 0 ? ratios[i] / sums[i] : 0;
	ep_scale(p, ratios);
	return 0;
}

/* --- differences -------------------------------------------------------------- */

/* A string more; the table moves. */
static bool add_string(struct ep_profile *p, const char *s, ep_str *ret)
{
	struct ep_slice *strings =
		ep_arena_array(p->arena, struct ep_slice, (size_t)p->n_strings + 1);
	if (!strings)
		return false;
	memcpy(strings, p->strings, p->n_strings * sizeof(*strings));
	strings[p->n_strings] = ep_slice_of(s);
	p->strings = strings;
	*ret = p->n_strings++;
	return true;
}

/* Give every sample one label more. */
static bool label_all(struct ep_profile *p, const char *key, const char *value)
{
	struct ep_label label = {0};
	size_t n = (size_t)p->n_labels + p->n_samples;
	struct ep_label *labels =
		n < UINT32_MAX ? ep_arena_array(p->arena, struct ep_label, n) : NULL;
	if (!labels || !add_string(p, key, &label.key) ||
	    !add_string(p, value, &label.str))
		return false;
	uint32_t at = 0;
	for (uint32_t i = 0; i < p->n_samples; i++) {
		struct ep_sample *s = &p->samples[i];
		if (s->n_labels)
			memcpy(labels + at, p->labels + s->first_label,
			       s->n_labels * sizeof(*labels));
		s->first_label = at;
		at += s->n_labels++;
		labels[at++] = label;
	}
	p->labels = labels;
	p->n_labels = at;
	return true;
}

int ep_scale_diff(const struct ep_profile *source, const struct ep_profile *base,
		  enum ep_scale_diff_mode mode, struct ep_profile **ret_p,
		  struct ep_err *err)
{
	/* A compact copy of the base, since it is changed. */
	ep_auto(ep_profile) minus = NULL;
	EP_TRY(ep_merge(&base, 1, 0, &minus, err));
	if (mode == EP_SCALE_COMPARE && !label_all(minus, EP_SCALE_BASE_KEY, "true"))
		return ep_fail(err, -ENOMEM, 0, "no memory for a difference");
	ep_scale_negate(minus);
	const struct ep_profile *both[] = {source, minus};
	return ep_merge(both, 2, 0, ret_p, err);
}
