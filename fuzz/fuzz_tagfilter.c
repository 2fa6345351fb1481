/*
 * fuzz_tagfilter.c - hostile tag filters on a profile of a few labels.
 *
 * The text is what a user gives to tagfocus and tagignore; what it keeps and what it
 * drops must be all of the samples.
 */
#include "profile/build.h"
#include "profile/tagfilter.h"
#include "profile/view.h"

#include <string.h>

enum { MOST = 4096, N_SAMPLES = 4 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static struct ep_profile *make(void)
{
	struct ep_profile *p = NULL;
	ep_auto(ep_build) b = NULL;
	if (ep_build_new(0, &b) < 0)
		__builtin_trap();
	ep_build_sample_type(b, "n", "count");
	struct ep_label labels[N_SAMPLES - 1] = {
		{.key = ep_build_cstr(b, "k"), .str = ep_build_cstr(b, "value")},
		{.key = ep_build_cstr(b, "bytes"), .num = 2048},
		{.key = ep_build_cstr(b, "t"), .num = -5, .num_unit = ep_build_cstr(b, "ms")},
	};
	for (uint32_t i = 0; i < N_SAMPLES; i++) {
		uint32_t l = ep_build_location(b, i + 1, EP_NONE, NULL, 0);
		int64_t one = 1;
		ep_build_sample(b, &l, 1, labels, i, &one);
	}
	if (ep_build_finish(b, &p, NULL) < 0)
		__builtin_trap();
	return p;
}

/* How many samples a filter keeps; -1 when its expressions take too much work. */
static int kept(const struct ep_profile *p, const struct ep_tagfilter *focus,
		const struct ep_tagfilter *ignore)
{
	ep_auto(ep_profile) v = ep_view_new(p, 0);
	struct ep_keys keys;
	struct ep_tagfilter_found found;
	if (!v || ep_keys_init(v, v->arena, NULL, &keys, NULL) < 0)
		__builtin_trap();
	if (ep_tagfilter_samples(v, &keys, focus, ignore, &found, NULL) < 0)
		return -1;
	return (int)v->n_samples;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	char text[MOST + 1];
	bool range;
	struct ep_err err = {0};
	ep_auto(ep_tagfilter) f = NULL;
	if (n > MOST)
		return 0;
	memcpy(text, data, n);
	text[n] = '\0';
	if (ep_tagfilter_parse(text, &range, &f, &err) < 0) {
		if (err.code >= 0 || !err.text[0])
			__builtin_trap(); /* a refusal says why */
		return 0;
	}
	ep_auto(ep_profile) p = make();
	int in = kept(p, f, NULL), out = kept(p, NULL, f);
	if (in >= 0 && out >= 0 && in + out != N_SAMPLES)
		__builtin_trap();
	return 0;
}
