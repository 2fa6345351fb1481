/*
 * fuzz_decode.c - hostile profiles.
 *
 * What decodes is whole: it merges with itself, is filtered and scaled, and what is
 * encoded decodes to what encodes the same again.  What does not decode says why.
 */
#include "profile/decode.h"
#include "profile/encode.h"
#include "profile/merge.h"
#include "profile/scale.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

enum { MOST = 1 << 20 };

static void must(int ok)
{
	if (!ok)
		__builtin_trap();
}

static void check_stack(const struct ep_profile *p, const struct ep_sample *s)
{
	must((uint64_t)s->first_location + s->n_locations <= p->n_sample_locations);
	for (uint32_t i = 0; i < s->n_locations; i++)
		must(ep_profile_stack(p, s)[i] < p->n_locations);
}

static void check_labels(const struct ep_profile *p, const struct ep_sample *s)
{
	must((uint64_t)s->first_label + s->n_labels <= p->n_labels);
	for (uint32_t i = 0; i < s->n_labels; i++) {
		const struct ep_label *l = &p->labels[s->first_label + i];
		must(l->key < p->n_strings && l->str < p->n_strings &&
		     l->num_unit < p->n_strings);
		must(!l->str || (!l->num && !l->num_unit));
	}
}

/* Every index is within its table, and every byte of a string may be read. */
static void check(const struct ep_profile *p)
{
	volatile char last;
	for (uint32_t i = 0; i < p->n_strings; i++)
		if (p->strings[i].n)
			last = p->strings[i].p[p->strings[i].n - 1];
	(void)last;
	for (uint32_t i = 0; i < p->n_samples; i++) {
		check_stack(p, &p->samples[i]);
		check_labels(p, &p->samples[i]);
	}
	for (uint32_t i = 0; i < p->n_locations; i++) {
		const struct ep_location *l = &p->locations[i];
		must(l->mapping == EP_NONE || l->mapping < p->n_mappings);
		must((uint64_t)l->first_line + l->n_lines <= p->n_lines);
	}
	for (uint32_t i = 0; i < p->n_lines; i++)
		must(p->lines[i].function < p->n_functions);
}

/* A label whose value has no bytes, though an index of its own, is written as the empty
 * string, and that is read as no label.  So in the reference. */
static int has_mute_label(const struct ep_profile *p)
{
	for (uint32_t i = 0; i < p->n_labels; i++) {
		const struct ep_label *l = &p->labels[i];
		if (!p->strings[l->str].n && !l->num && !p->strings[l->num_unit].n)
			return 1;
	}
	return 0;
}

static void round_trip(const struct ep_profile *p)
{
	ep_auto(ep_profile) again = NULL;
	ep_auto_buf first, second;
	ep_buf_init(&first, 64 * MOST);
	ep_buf_init(&second, 64 * MOST);
	must(ep_encode(p, &first, NULL) == 0);
	must(ep_decode(first.data, first.len, 64 * MOST, &again, NULL) == 0);
	check(again);
	must(again->n_samples == p->n_samples);
	must(ep_encode(again, &second, NULL) == 0);
	if (!has_mute_label(p))
		must(first.len == second.len &&
		     !memcmp(first.data, second.data, first.len));
}

static void merge_and_take_away(struct ep_profile *p)
{
	ep_auto(ep_profile) twice = NULL;
	ep_auto(ep_profile) none = NULL;
	const struct ep_profile *both[] = {p, p};
	must(ep_merge(both, 2, 0, &twice, NULL) == 0);
	check(twice);
	round_trip(twice);
	must(ep_scale_diff(p, p, EP_SCALE_SUBTRACT, &none, NULL) == 0);
	check(none);
	must(none->n_samples == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	ep_auto(ep_profile) p = NULL;
	struct ep_err err = {0};
	int rc = ep_decode(data, n, MOST, &p, &err);
	if (rc < 0) {
		must(!p && err.code == rc && err.text[0]);
		return 0;
	}
	check(p);
	round_trip(p);
	merge_and_take_away(p);
	return 0;
}
