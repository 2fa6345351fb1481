/* crc32c_generic.c - for CPUs whose instruction we don't know.  See crc32c.h. */
#include "codec/crc32c.h"

ep_crc32c_fn *ep_crc32c_hardware(void)
{
	return NULL;
}
