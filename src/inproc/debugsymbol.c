/* debugsymbol.c - see debugsymbol.h. */
#include "inproc/debugsymbol.h"

#include "inproc/drain.h"
#include "inproc/namer.h"
#include "inproc/outbox.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_ADDRESSES = 1 << 16 };

static uint32_t mapping_of(const struct ep_batch *b, uint64_t address)
{
	for (uint32_t i = b->n_mappings; i-- > 0;) /* the newest at this place */
		if (address >= b->mappings[i].start && address < b->mappings[i].limit)
			return i;
	return EP_CODE_NONE;
}

/* The next address and what is behind it; 0 for what is none. */
static uint64_t next_address(struct ep_slice *rest)
{
	char text[32];
	const char *plus = memchr(rest->p, '+', rest->n);
	size_t n = plus ? (size_t)(plus - rest->p) : rest->n;
	size_t k = n < sizeof(text) - 1 ? n : sizeof(text) - 1;
	memcpy(text, rest->p, k);
	text[k] = '\0';
	rest->p += n + (plus != NULL);
	rest->n -= n + (plus != NULL);
	return strtoull(text, NULL, 0);
}

void ep_debugsymbol(struct ep_slice addresses, struct ep_buf *out)
{
	struct ep_batch b;
	ep_buf_add_str(out, "num_symbols: 1\n");
	ep_drain_lock();
	bool ok = ep_batch_init(&b, &ep_write_cpu_shape, NULL);
	ep_drain_unlock();
	ep_auto(ep_namer) names = ok ? ep_namer_new(b.mappings, b.n_mappings) : NULL;
	for (int i = 0; names && addresses.n && i < MAX_ADDRESSES; i++) {
		struct ep_symbol sym;
		uint64_t address = next_address(&addresses);
		uint32_t m = address ? mapping_of(&b, address) : EP_CODE_NONE;
		if (m != EP_CODE_NONE && ep_namer_find(names, m, address, &sym) == 0 && sym.name.n)
			ep_buf_printf(out, "0x%llx %.*s\n", (unsigned long long)address,
				      EP_SLICE_ARG(sym.name));
	}
	if (ok)
		ep_batch_fini(&b);
}
