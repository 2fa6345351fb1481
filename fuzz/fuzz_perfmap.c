/* fuzz_perfmap.c - hostile text: perf maps, kallsyms, maps; and mangled names. */
#include "base/buf.h"
#include "base/mem.h"
#include "elf/maps.h"
#include "symbol/demangle.h"
#include "symbol/kallsyms.h"
#include "symbol/perfmap.h"
#include "symbol/rust.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void try_names(const char *text)
{
	ep_auto_buf b;
	ep_buf_init(&b, 1 << 20);
	/* Our own code only: the C++ runtime's demangler is not ours to fuzz. */
	if (strnlen(text, EP_DEMANGLE_MAX_NAME + 1) > EP_DEMANGLE_MAX_NAME)
		return;
	(void)ep_rust_demangle(text, &b); /* any answer will do */
	ep_buf_clear(&b);
	(void)ep_rust_demangle_legacy(text, &b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct ep_slice text = {(const char *)data, n}, name, module;
	ep_auto(ep_perfmap) m = NULL;
	ep_auto(ep_kallsyms) k = NULL;
	struct ep_map map;
	if (!ep_perfmap_parse(text, &m, NULL))
		for (unsigned bit = 0; bit < 64; bit++)
			(void)ep_perfmap_find(m, (uint64_t)1 << bit, &name);
	if (!ep_kallsyms_parse(text, &k, NULL))
		for (unsigned bit = 0; bit < 64; bit++)
			(void)ep_kallsyms_find(k, (uint64_t)1 << bit, &name, &module);
	(void)ep_maps_parse(text, &map);
	char *copy = ep_alloc(n + 1);
	if (n)
		memcpy(copy, data, n);
	copy[n] = '\0';
	try_names(copy);
	ep_free(copy);
	return 0;
}
