/* fuzz_pprof.c - pprof, plain and packed, through the door of all formats. */
#include "profile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	fuzz_profile(data, n);
	return 0;
}
