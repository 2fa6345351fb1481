/* fuzz_legacy.c - the older formats of gperftools, Go and Java. */
#include "profile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	fuzz_profile(data, n);
	return 0;
}
