/*
 * fuzz_symtab.c - hostile symbol tables and unwind tables, as files or uploads.
 *
 * A checksum would keep the fuzzer out, so it is put right first; the first byte
 * says which kind the rest is.
 */
#include "base/hash.h"
#include "base/mem.h"
#include "symbol/symbol.h"
#include "unwind/build/check.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* Both kinds have their size at 16 and their checksum at 24. */
static void sign(uint8_t *copy, size_t n)
{
	uint64_t n_bytes, sum = 0;
	memcpy(&n_bytes, copy + 16, 8);
	memcpy(copy + 24, &sum, 8);
	if (n_bytes <= n) {
		sum = ep_hash64(copy, n_bytes);
		memcpy(copy + 24, &sum, 8);
	}
}

static void try_symbols(const uint8_t *data, size_t n)
{
	ep_auto(ep_symtab) t = NULL;
	struct ep_symbol s;
	if (ep_symtab_open(data, n, &t, NULL) < 0)
		return;
	for (unsigned bit = 0; bit < 64; bit++) {
		uint64_t at = (uint64_t)1 << bit;
		(void)ep_symtab_find(t, at, &s); /* any answer will do */
		(void)ep_symtab_find_offset(t, at, &s);
	}
}

static void try_table(const uint8_t *data, size_t n)
{
	const struct ep_table *t;
	if (ep_check_table(data, n, &t, NULL) < 0)
		return;
	uint64_t span = t->limit - t->start, step = span / 1000 + 1;
	for (uint64_t at = 0; at < span; at += step)
		if (ep_table_find(t, t->start + at)->kind == 0xff)
			__builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	if (n < 33)
		return 0;
	uint8_t *copy = ep_alloc(n - 1);
	memcpy(copy, data + 1, n - 1);
	sign(copy, n - 1);
	if (data[0] & 1)
		try_table(copy, n - 1);
	else
		try_symbols(copy, n - 1);
	ep_free(copy);
	return 0;
}
