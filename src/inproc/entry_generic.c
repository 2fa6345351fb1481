/* entry_generic.c - a CPU whose start-up code we don't read yet.  See entry.h. */
#include "inproc/entry.h"

bool ep_entry_main(uint64_t *ret_start, uint64_t *ret_limit)
{
	(void)ret_start;
	(void)ret_limit;
	return false;
}
