/* fuzz_foreign.c - jemalloc's dumps, perf script, folded stacks. */
#include "profile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	fuzz_profile(data, n);
	return 0;
}
