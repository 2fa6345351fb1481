/*
 * fuzz_object.c - hostile ELF files with hostile debug information.
 *
 * The file is opened from memory and asked for addresses all over its segments: line
 * programs, trees of inlined calls, ranges, symbols, .gnu_debugdata.
 */
#include "base/mem.h"
#include "symbol/base.h"
#include "symbol/debugfile.h"
#include "symbol/debuginfo.h"
#include "symbol/elffile.h"
#include "symbol/elfsym.h"
#include "symbol/gopcln.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

enum { ASKS = 64, MAX_FRAMES = 64 };

static void use(const char *s)
{
	if (strlen(s) > ((size_t)1 << 30))
		__builtin_trap();
}

static void ask(struct ep_elffile *e, struct ep_debuginfo *d, const struct ep_elfsym *names,
		uint64_t address)
{
	struct ep_gopcln g;
	struct ep_gopcln_line l;
	if (ep_gopcln_open(e, &g) && ep_gopcln_find(&g, address, &l)) {
		use(l.function);
		use(l.file);
	}
	struct ep_debuginfo_frame f[MAX_FRAMES];
	size_t n = d ? ep_debuginfo_frames(d, address, f, MAX_FRAMES) : 0;
	for (size_t i = 0; i < n; i++) {
		use(f[i].linkage_name);
		use(f[i].name);
		use(f[i].file);
	}
	const struct ep_elfsym_symbol *s = ep_elfsym_find(names, address);
	if (s)
		use(s->name);
	(void)ep_elfsym_before(names, address); /* any answer will do */
}

static void ask_all(struct ep_elffile *f, struct ep_debuginfo *d, const struct ep_elfsym *names)
{
	size_t n;
	const Elf64_Phdr *p = ep_elf_segments(ep_elffile_elf(f), &n);
	for (size_t i = 0; i < n && i < 4; i++) {
		uint64_t step = p[i].p_memsz / ASKS + 1, base;
		struct ep_base_mapping m = {.start = 0x10000,
					    .limit = 0x10000 + p[i].p_memsz,
					    .offset = p[i].p_offset};
		(void)ep_base_find(ep_elffile_elf(f), &m, 0x10010, &base, NULL);
		for (unsigned k = 0; k < ASKS; k++)
			ask(f, d, names, p[i].p_vaddr + k * step);
	}
}

static void try_file(struct ep_elffile *f)
{
	ep_auto(ep_debuginfo) d = NULL;
	ep_auto(ep_elffile) mini = NULL;
	struct ep_elfsym names = {0};
	(void)ep_debuginfo_new(f, NULL, &d, NULL); /* none: the symbols alone */
	(void)ep_elfsym_read(f, &names);
	(void)ep_debugfile_mini(f, &mini, NULL);
	ask_all(f, d, &names);
	ep_elfsym_fini(&names);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	ep_auto(ep_elffile) f = NULL;
	uint8_t *copy = ep_alloc(n + 1);
	memcpy(copy, data, n);
	if (ep_elffile_open_bytes("fuzz", copy, n, &f, NULL) < 0)
		ep_free(copy);
	else
		try_file(f);
	return 0;
}
