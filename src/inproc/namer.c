/* namer.c - see namer.h. */
#include "inproc/namer.h"

#include "inproc/entry.h"
#include "inproc/fd.h"

#include <link.h>
#include <string.h>
#include <sys/mman.h>

#define MAX_TABLE_BYTES ((size_t)256 << 20)

/* The table of a mapping's file; mappings of one file share it. */
struct table {
	uint32_t same_as; /* lower id of the same file, or its own */
	bool tried;
	struct ep_buf bytes;
	struct ep_symtab *symtab; /* NULL: none */
};

struct ep_namer {
	const struct ep_code_mapping *mappings;
	uint32_t n;
	uint64_t main_start, main_limit; /* 0, 0: unknown */
	struct table tables[];
};

struct ep_namer *ep_namer_new(const struct ep_code_mapping *mappings, uint32_t n)
{
	struct ep_namer *names = ep_zalloc(sizeof(*names) + n * sizeof(names->tables[0]));
	if (!names)
		return NULL;
	names->mappings = mappings;
	names->n = n;
	for (uint32_t i = 0; i < n; i++) {
		uint32_t same = 0;
		while (same < i && (strcmp(mappings[same].path, mappings[i].path) != 0 ||
				    strcmp(mappings[same].build_id, mappings[i].build_id) != 0))
			same++;
		names->tables[i].same_as = same;
		ep_buf_init(&names->tables[i].bytes, MAX_TABLE_BYTES);
	}
	if (!ep_entry_main(&names->main_start, &names->main_limit))
		names->main_start = names->main_limit = 0;
	return names;
}

void ep_namer_free(struct ep_namer *names)
{
	if (!names)
		return;
	for (uint32_t i = 0; i < names->n; i++) {
		ep_symtab_free(names->tables[i].symtab);
		ep_buf_fini(&names->tables[i].bytes);
	}
	ep_free(names);
}

/* The image of the vDSO is a whole ELF file, but in memory only. */
static int open_image(const struct ep_code_mapping *m)
{
	int fd = memfd_create("everprof-vdso", MFD_CLOEXEC);
	size_t n = m->limit - m->start;
	if (fd >= 0 && write(fd, (const void *)m->start, n) == (ssize_t)n)
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

static void load(struct table *t, const struct ep_code_mapping *m)
{
	int fd = strcmp(m->path, "[vdso]") == 0 ? open_image(m)
						: ep_fd_open(m->path, O_RDONLY);
	t->tried = true;
	if (fd < 0)
		return;
	int rc = ep_symtab_build(fd, &t->bytes, NULL);
	close(fd);
	if (rc == 0)
		rc = ep_symtab_open(t->bytes.data, t->bytes.len, &t->symtab, NULL);
	if (rc < 0)
		t->symtab = NULL;
	/* Another file may lie at that path by now. */
	if (t->symtab && strcmp(ep_symtab_build_id(t->symtab), m->build_id) != 0) {
		ep_symtab_free(t->symtab);
		t->symtab = NULL;
	}
}

int ep_namer_find(struct ep_namer *names, uint32_t id, uint64_t address, struct ep_symbol *ret)
{
	if (id >= names->n)
		return -ENOENT;
	const struct ep_code_mapping *m = &names->mappings[id];
	struct table *t = &names->tables[names->tables[id].same_as];
	if (!t->tried)
		load(t, m);
	bool is_main = address >= names->main_start && address < names->main_limit;
	if (t->symtab &&
	    ep_symtab_find_offset(t->symtab, address - m->start + m->file_offset, ret) == 0 &&
	    (ret->name.n || !is_main))
		return 0;
	if (!is_main)
		return -ENOENT;
	*ret = (struct ep_symbol){.name = ep_slice_of("main"),
				  .system_name = ep_slice_of("main")};
	return 0;
}
