/* fuzz_spool.c - a hostile spool file, and a hostile ledger comment. */
#include "profile/ledger.h"
#include "push/spool.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct ep_push_item item;
	struct ep_ledger ledger;
	(void)ep_ledger_parse((struct ep_slice){(const char *)data, n}, &ledger); /* any answer */
	if (ep_spool_decode(data, n, &item, NULL) < 0)
		return 0;
	ep_auto_buf again;
	ep_buf_init(&again, 64 << 20);
	ep_spool_encode(&item, &again);
	if (!ep_buf_failed(&again) && (again.len != n || memcmp(again.data, data, n) != 0))
		abort(); /* what we accept, we would have written */
	return 0;
}
