/* fuzz_elf.c - a hostile ELF file: headers, build ID, unwind rows, symbols. */
#include "base/buf.h"
#include "elf/elf.h"
#include "symbol/symbol.h"
#include "unwind/build/check.h"
#include "unwind/build/compile.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	ep_auto(ep_elf) e = NULL;
	struct ep_err err = {0};
	if (ep_elf_open_bytes(data, n, &e, &err) < 0)
		return 0;
	char id[EP_ELF_HEX_MAX];
	(void)ep_elf_build_id(e, id, NULL); /* any answer will do */
	ep_auto_buf table, symbols;
	ep_buf_init(&table, 64 << 20);
	ep_buf_init(&symbols, 64 << 20);
	const struct ep_table *t;
	if (!ep_compile_elf(e, &table, NULL) &&
	    ep_check_table(table.data, table.len, &t, NULL) < 0)
		abort(); /* what we make ourselves must pass our own check */
	struct ep_symtab *s = NULL;
	if (!ep_symtab_build_elf(e, &symbols, NULL) &&
	    ep_symtab_open(symbols.data, symbols.len, &s, NULL) < 0)
		abort();
	ep_symtab_free(s);
	return 0;
}
