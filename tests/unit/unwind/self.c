/* self.c - see self.h. */
#include "self.h"

#include "base/buf.h"
#include "base/mem.h"
#include "elf/elf.h"
#include "unwind/build/compile.h"

#include <link.h>
#include <stdlib.h>
#include <string.h>

static struct ep_modules *modules;

static const struct ep_table *table_of(struct dl_phdr_info *info)
{
	struct ep_compile_image image = {.bias = info->dlpi_addr,
					 .segments = info->dlpi_phdr,
					 .n_segments = info->dlpi_phnum};
	struct ep_buf b;
	ep_buf_init(&b, 64 << 20);
	if (ep_compile_loaded(&image, &b, NULL) < 0)
		return NULL;
	return (const struct ep_table *)b.data;
}

static int add(struct dl_phdr_info *info, size_t size, void *arg)
{
	(void)size;
	(void)arg;
	const struct ep_table *t = table_of(info);
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];
		if (p->p_type == PT_LOAD && (p->p_flags & PF_X))
			modules->m[modules->n++] = (struct ep_module){
				.start = info->dlpi_addr + p->p_vaddr,
				.limit = info->dlpi_addr + p->p_vaddr + p->p_memsz,
				.bias = info->dlpi_addr,
				.table = t};
	}
	return 0;
}

static int by_start(const void *a, const void *b)
{
	const struct ep_module *x = a, *y = b;
	return (x->start > y->start) - (x->start < y->start);
}

const struct ep_modules *self_modules(void)
{
	if (!modules) {
		modules = ep_zalloc(EP_MODULES_BYTES(1000));
		dl_iterate_phdr(add, NULL);
		qsort(modules->m, modules->n, sizeof(modules->m[0]), by_start);
	}
	return modules;
}
