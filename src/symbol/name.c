/* name.c - addresses to names by local files.  See name.h. */
#include "symbol/name.h"

#include "base/buf.h"
#include "elf/elf.h"
#include "profile/names.h"
#include "symbol/nameless.h"
#include "symbol/symbol.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MAX_TABLE ((size_t)1 << 30)
#define MAX_PATH 4096u

/* The table of one mapping's file, or why there is none. */
struct file {
	ep_str filename, build_id; /* equal for mappings of one file */
	enum { NOT_TRIED, NO_FILE, NO_SYMBOLS, READY } state;
	struct ep_buf bytes;
	struct ep_symtab *table;
};

struct naming {
	struct ep_profile *p;
	const char *root;
	struct file *files; /* owned; one a mapping at most */
	uint32_t n_files;
	uint32_t *file_of; /* owned; by mapping */
	bool *is_hit;	   /* owned; by mapping: a location of it got a name */
	struct ep_names *names;
	struct ep_name_stats stats;
};

static void naming_fini(struct naming *n)
{
	for (uint32_t i = 0; i < n->n_files; i++) {
		ep_symtab_free(n->files[i].table);
		ep_buf_fini(&n->files[i].bytes);
	}
	ep_free(n->files);
	ep_free(n->file_of);
	ep_free(n->is_hit);
	ep_names_free(n->names);
}

static int naming_init(struct naming *n, struct ep_err *err)
{
	size_t m = n->p->n_mappings;
	n->files = ep_zalloc((m + 1) * sizeof(*n->files));
	n->file_of = ep_zalloc((m + 1) * sizeof(*n->file_of));
	n->is_hit = ep_zalloc(m + 1);
	if (!n->files || !n->file_of || !n->is_hit || ep_names_new(n->p, &n->names) < 0)
		return ep_fail(err, -ENOMEM, 0, "no memory to name a profile");
	for (uint32_t i = 0; i < m; i++) {
		const struct ep_mapping *map = &n->p->mappings[i];
		uint32_t f = 0;
		while (f < n->n_files && (n->files[f].filename != map->filename ||
					  n->files[f].build_id != map->build_id))
			f++;
		if (f == n->n_files) {
			n->files[f].filename = map->filename;
			n->files[f].build_id = map->build_id;
			ep_buf_init(&n->files[f].bytes, MAX_TABLE);
			n->n_files++;
		}
		n->file_of[i] = f;
	}
	return 0;
}

/* Inside of root, so that a link to /etc/x means the container's. */
static int open_in_root(const char *root, const char *path)
{
	int flags = O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
	if (!root[0])
		return open(path, flags);
	int dir = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return -1;
	struct open_how how = {.flags = (uint64_t)flags, .resolve = RESOLVE_IN_ROOT};
	int fd = (int)syscall(SYS_openat2, dir, path, &how, sizeof(how));
	close(dir);
	return fd;
}

static bool is_vdso(struct ep_slice filename)
{
	return ep_slice_is(filename, "[vdso]") ||
	       ep_slice_is(filename, "linux-vdso.so.1");
}

/* The vDSO is an ELF file in memory, the same one for all 64-bit processes. */
static int open_vdso(struct ep_elf **ret_e)
{
	const Elf64_Ehdr *h = (const Elf64_Ehdr *)getauxval(AT_SYSINFO_EHDR);
	if (!h || memcmp(h->e_ident, ELFMAG, SELFMAG) != 0)
		return -ENOENT;
	/* Its section headers come last. */
	size_t n = h->e_shoff + (size_t)h->e_shnum * h->e_shentsize;
	return ep_elf_open_bytes(h, n, ret_e, NULL);
}

static bool is_same_build(const struct ep_elf *e, struct ep_slice want,
			  struct ep_slice filename)
{
	char id[EP_ELF_HEX_MAX];
	if (is_vdso(filename) && !want.n)
		return true;
	if (ep_elf_build_id(e, id, NULL) < 0)
		return want.n == 0;
	return ep_slice_is(want, id);
}

static int open_elf(const struct naming *n, struct ep_slice filename, int *ret_fd,
		    struct ep_elf **ret_e)
{
	char path[MAX_PATH];
	if (is_vdso(filename))
		return open_vdso(ret_e);
	if (!filename.n || filename.p[0] != '/' || filename.n >= sizeof(path))
		return -ENOENT;
	memcpy(path, filename.p, filename.n);
	path[filename.n] = '\0';
	*ret_fd = open_in_root(n->root, path);
	return *ret_fd < 0 ? -ENOENT : ep_elf_open(*ret_fd, ret_e, NULL);
}

static void load(const struct naming *n, struct file *f)
{
	struct ep_slice want = ep_profile_str(n->p, f->build_id);
	struct ep_slice filename = ep_profile_str(n->p, f->filename);
	ep_auto(ep_elf) e = NULL;
	int fd = -1;
	f->state = NO_FILE;
	if (open_elf(n, filename, &fd, &e) == 0 && is_same_build(e, want, filename)) {
		f->state = NO_SYMBOLS;
		if (ep_symtab_build_elf(e, &f->bytes, NULL) == 0 &&
		    ep_symtab_open(f->bytes.data, f->bytes.len, &f->table, NULL) == 0)
			f->state = READY;
	}
	if (fd >= 0)
		close(fd);
}

static void set_name(struct naming *n, uint32_t i, const struct ep_symbol *s)
{
	const struct ep_location *l = &n->p->locations[i];
	ep_str filename = n->p->mappings[l->mapping].filename;
	char text[EP_NAMELESS_MAX];
	if (s->name.n) {
		ep_names_set(n->names, i, s->name, s->system_name,
			     (struct ep_slice){0});
		n->is_hit[l->mapping] = true;
		n->stats.n_named++;
	} else {
		ep_names_set(n->names, i,
			     ep_nameless_format(ep_profile_str(n->p, filename),
						s->file_offset, text),
			     (struct ep_slice){0}, (struct ep_slice){0});
		n->stats.n_no_symbol++;
	}
}

static void name_location(struct naming *n, uint32_t i)
{
	const struct ep_location *l = &n->p->locations[i];
	if (l->mapping == EP_NONE) {
		n->stats.n_no_mapping++;
		return;
	}
	const struct ep_mapping *m = &n->p->mappings[l->mapping];
	struct file *f = &n->files[n->file_of[l->mapping]];
	if (m->has_functions)
		return;
	if (f->state == NOT_TRIED)
		load(n, f);
	struct ep_symbol s;
	uint64_t at = l->address - m->start + m->file_offset;
	if (f->state == NO_FILE)
		n->stats.n_no_file++;
	else if (f->state == READY && ep_symtab_find_offset(f->table, at, &s) == 0)
		set_name(n, i, &s);
	else
		n->stats.n_no_symbol++;
}

static int name_all(struct naming *n, struct ep_err *err)
{
	EP_TRY(naming_init(n, err));
	for (uint32_t i = 0; i < n->p->n_locations; i++)
		if (!n->p->locations[i].n_lines)
			name_location(n, i);
	EP_TRY(ep_names_finish(n->names, err));
	for (uint32_t i = 0; i < n->p->n_mappings; i++)
		n->p->mappings[i].has_functions |= n->is_hit[i];
	return 0;
}

int ep_name_profile(struct ep_profile *p, const char *root, struct ep_name_stats *ret,
		    struct ep_err *err)
{
	struct naming n = {.p = p, .root = root};
	int rc = name_all(&n, err);
	if (rc == 0 && ret)
		*ret = n.stats;
	naming_fini(&n);
	return rc;
}
