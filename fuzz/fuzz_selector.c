/* fuzz_selector.c - hostile selectors, and their matching on hostile values. */
#include "query/selector.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct ep_slice text = {(const char *)data, n};
	struct ep_err err = {0};
	ep_auto(ep_selector) s = NULL;
	if (ep_selector_parse(text, &s, &err) < 0) {
		if (err.code >= 0 || err.pos > n)
			__builtin_trap(); /* a refusal names its place */
		return 0;
	}
	for (uint32_t i = 0; i < s->n && i < 4; i++) {
		(void)ep_matcher_test(&s->v[i], text, NULL); /* any answer will do */
		(void)ep_matcher_test(&s->v[i], s->v[i].name, NULL);
	}
	return 0;
}
