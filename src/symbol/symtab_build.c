/*
 * symtab_build.c - an ELF file's functions as a table file.  See symbol.h.
 *
 * A stripped file's symbols are looked for where Debian's -dbgsym packages put
 * them, /usr/lib/debug/.build-id/ab/cdef.debug, and taken when the build ID is
 * the same.  Without them at least _start and main are found (start_code.h), and
 * where the other functions are (gaps.h).
 */
#include "symbol/symbol.h"

#include "base/hash.h"
#include "base/mem.h"
#include "elf/elf.h"
#include "symbol/collect.h"
#include "symbol/demangle.h"
#include "symbol/format.h"
#include "symbol/gaps.h"
#include "symbol/plt.h"
#include "unwind/build/compile.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* A readable C++ name may be long, but not endless. */
#define MAX_DISPLAY ((size_t)8192)

struct build {
	struct ep_collect c;
	struct ep_format_head head;
	struct ep_buf segments, symbols, strings, readable;
};

static void build_init(struct build *b)
{
	*b = (struct build){
		.head = {.magic = EP_FORMAT_MAGIC, .version = EP_FORMAT_VERSION}};
	ep_buf_init(&b->segments,
		    EP_FORMAT_MAX_SEGMENTS * sizeof(struct ep_format_segment));
	ep_buf_init(&b->symbols,
		    (size_t)EP_FORMAT_MAX_SYMBOLS * sizeof(struct ep_format_symbol));
	ep_buf_init(&b->strings, EP_FORMAT_MAX_STRINGS);
	ep_buf_init(&b->readable, (size_t)64 << 20);
}

static void build_fini(struct build *b)
{
	ep_collect_fini(&b->c);
	ep_buf_fini(&b->segments);
	ep_buf_fini(&b->symbols);
	ep_buf_fini(&b->strings);
	ep_buf_fini(&b->readable);
}

static uint32_t add_string(struct build *b, const char *s, size_t n)
{
	uint32_t at = (uint32_t)b->strings.len;
	ep_buf_add(&b->strings, s, n);
	ep_buf_add_char(&b->strings, '\0');
	return at;
}

static void add_symbol(struct build *b, const struct ep_collect_symbol *s)
{
	struct ep_format_symbol f = {.start = s->start};
	f.size = s->size > UINT32_MAX ? UINT32_MAX : (uint32_t)s->size;
	if (s->name[0])
		f.name = f.system = add_string(b, s->name, strlen(s->name));
	if (s->name[0] && ep_demangle(s->name, &b->readable)) {
		size_t n =
			b->readable.len < MAX_DISPLAY ? b->readable.len : MAX_DISPLAY;
		f.name = add_string(b, (const char *)b->readable.data, n);
	}
	ep_buf_add(&b->symbols, &f, sizeof(f));
	b->head.n_symbols++;
}

static void add_segments(struct build *b, const struct ep_elf *e)
{
	size_t n;
	const Elf64_Phdr *p = ep_elf_segments(e, &n);
	for (size_t i = 0; i < n; i++) {
		struct ep_format_segment s = {p[i].p_offset, p[i].p_vaddr,
					      p[i].p_filesz};
		if (p[i].p_type != PT_LOAD || s.offset + s.n_bytes < s.offset)
			continue;
		ep_buf_add(&b->segments, &s, sizeof(s));
		b->head.n_segments++;
	}
}

static int write_table(struct build *b, struct ep_buf *out, struct ep_err *err)
{
	const struct ep_buf *parts[] = {&b->segments, &b->symbols, &b->strings};
	size_t at = out->len;
	b->head.n_strings = (uint32_t)b->strings.len;
	b->head.n_bytes =
		sizeof(b->head) + b->segments.len + b->symbols.len + b->strings.len;
	ep_buf_add(out, &b->head, sizeof(b->head));
	for (size_t i = 0; i < 3; i++) {
		if (ep_buf_failed(parts[i]))
			return ep_fail(
				err, ep_buf_failed(parts[i]), 0,
				"the symbols are over a limit, or memory is short");
		ep_buf_add(out, parts[i]->data, parts[i]->len);
	}
	if (ep_buf_failed(out))
		return ep_fail(err, ep_buf_failed(out), 0,
			       "a symbol table of %llu bytes",
			       (unsigned long long)b->head.n_bytes);
	struct ep_format_head *head = (struct ep_format_head *)(void *)(out->data + at);
	uint64_t sum = ep_hash64(head, b->head.n_bytes);
	memcpy(out->data + at + offsetof(struct ep_format_head, checksum), &sum,
	       sizeof(sum));
	return 0;
}

/* The detached symbols of a build ID, where packages put them. */
static void add_debug_file(struct build *b, const char *id)
{
	char path[128], other[EP_ELF_HEX_MAX];
	if (strlen(id) < 4)
		return;
	snprintf(path, sizeof(path), "/usr/lib/debug/.build-id/%.2s/%s.debug", id,
		 id + 2);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	ep_auto(ep_elf) e = NULL;
	struct ep_err ignored = {0};
	if (!ep_elf_open(fd, &e, &ignored) && !ep_elf_build_id(e, other, &ignored) &&
	    !strcmp(id, other))
		(void)ep_collect_add(&b->c, e,
				     &ignored); /* a plus; else the file's own */
	close(fd);
}

/* In order, and with the functions that have no name. */
static int arrange(struct build *b, const struct ep_elf *e, struct ep_err *err)
{
	ep_auto_mem struct ep_frames_code *functions = NULL;
	size_t n = 0;
	int rc = ep_compile_functions(e, &functions, &n, NULL);
	if (rc == -ENOMEM)
		return ep_fail(err, rc, 0, "no memory for a list of functions");
	/* Without: another CPU, or no unwind entries.  The symbols are still there. */
	ep_collect_sort(&b->c, functions, n);
	return ep_gaps_fill(&b->c, functions, n, err);
}

static int build(struct build *b, const struct ep_elf *e, struct ep_buf *out,
		 struct ep_err *err)
{
	char id[EP_ELF_HEX_MAX];
	EP_TRY(ep_collect_add(&b->c, e, err));
	if (!ep_elf_build_id(e, id, NULL)) {
		memcpy(b->head.build_id, id, sizeof(id));
		if (!b->c.has_symtab)
			add_debug_file(b, id);
	}
	if (!b->c.has_symtab)
		EP_TRY(ep_collect_entry(&b->c, e, err));
	EP_TRY(ep_plt_add(&b->c, e, err));
	EP_TRY(arrange(b, e, err));
	if (!b->c.n)
		return ep_fail(err, -ENOENT, 0, "no symbols, and no functions");
	add_segments(b, e);
	(void)add_string(b, "", 0);
	for (size_t i = 0; i < b->c.n; i++)
		add_symbol(b, &b->c.s[i]);
	return write_table(b, out, err);
}

int ep_symtab_build_elf(const struct ep_elf *e, struct ep_buf *out, struct ep_err *err)
{
	struct build b;
	build_init(&b);
	int rc = build(&b, e, out, err);
	build_fini(&b);
	return rc;
}

int ep_symtab_build(int fd, struct ep_buf *out, struct ep_err *err)
{
	ep_auto(ep_elf) e = NULL;
	EP_TRY(ep_elf_open(fd, &e, err));
	return ep_symtab_build_elf(e, out, err);
}
