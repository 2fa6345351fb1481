/*
 * symbol.h - from build ID and file offset to a function name.
 *
 * Names come late: samples and stored stacks hold (build ID, address in the ELF
 * file's own numbering).  A symbol table is a compact file per build ID, made
 * once from an ELF's .symtab, .dynsym and .eh_frame, memory-mapped for look-ups
 * (docs/formats/symtab.md).  A symbol cache is a folder of such files.
 */
#ifndef EP_SYMBOL_SYMBOL_H
#define EP_SYMBOL_SYMBOL_H

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>

struct ep_elf;
struct ep_symtab;

/*
 * ep_symtab_build - read an ELF file and append its table to out.
 *
 * in       fd         an open ELF file; hostile content is fine.  Borrowed.
 * out      out        the table file's bytes
 * errors   -EBADMSG   not an ELF file, or an inconsistent one
 *          -ENOENT    it has neither symbols nor functions
 *          -E2BIG     over the limits of symtab.c
 * threads  any thread
 */
int ep_symtab_build(int fd, struct ep_buf *out, struct ep_err *err);
/* The same for a file opened already. */
int ep_symtab_build_elf(const struct ep_elf *e, struct ep_buf *out, struct ep_err *err);

/*
 * ep_symtab_open - use a table that lies in memory.
 *
 * in       data, n   bytes made by ep_symtab_build(), checked here (checksum and
 *                    every offset), since they may come from a stranger.  Must
 *                    outlive the table.
 * errors   -EBADMSG, -ENODATA, -ENOMEM
 */
int ep_symtab_open(const void *data, size_t n, struct ep_symtab **ret_t,
		   struct ep_err *err);
void ep_symtab_free(struct ep_symtab *t);
EP_DEFINE_AUTO(ep_symtab);
/* Hex; "" when the file had none. */
const char *ep_symtab_build_id(const struct ep_symtab *t);
/* How many symbols, functions without a name not counted. */
uint32_t ep_symtab_count(const struct ep_symtab *t);
/* Made by this version of the builder, not by an older one? */
bool ep_symtab_is_current(const struct ep_symtab *t);
/* Does it tell more of the same file than another one? */
bool ep_symtab_is_better(const struct ep_symtab *t, const struct ep_symtab *than);

struct ep_symbol {
	struct ep_slice name;	     /* demangled for display; empty: it has none, see
				      * nameless.h */
	struct ep_slice system_name; /* as linked */
	uint64_t start, size;	     /* ELF virtual addresses */
	uint64_t file_offset;	     /* of start; by ep_symtab_find_offset() only */
};

/*
 * ep_symtab_find - the function that holds an ELF virtual address.
 *
 * out      ret_s    slices live as long as the table
 * errors   -ENOENT
 * threads  any thread
 * cost     a binary search, under 0.3 µs
 */
int ep_symtab_find(const struct ep_symtab *t, uint64_t vaddr, struct ep_symbol *ret_s);
/* The same for a place in the file, which is what pprof's numbers give (below). */
int ep_symtab_find_offset(const struct ep_symtab *t, uint64_t file_offset,
			  struct ep_symbol *ret_s);

/*
 * A folder of tables by build ID (BUILD/ID-in-hex), plus what is in memory.
 * Any thread may use one cache at once.
 */
struct ep_symcache;
int ep_symcache_new(const char *dir, struct ep_symcache **ret_c, struct ep_err *err);
void ep_symcache_free(struct ep_symcache *c);
EP_DEFINE_AUTO(ep_symcache);
/* Is a table there that needs no renewal?  Cheap. */
bool ep_symcache_has(struct ep_symcache *c, struct ep_slice build_id);
/* Validate and keep a table durably; a table already there is replaced only by
 * a better one.  -EBADMSG, -EINVAL for a build ID that is not hex. */
int ep_symcache_put(struct ep_symcache *c, struct ep_slice build_id, const void *data,
		    size_t n, struct ep_err *err);
/* Try to make the table from a local file, if its build ID is the one asked for. */
int ep_symcache_add_file(struct ep_symcache *c, struct ep_slice build_id,
			 const char *path, struct ep_err *err);
/* The table, opened and cached; NULL when there is none.  Valid until the cache
 * is freed. */
const struct ep_symtab *ep_symcache_get(struct ep_symcache *c,
					struct ep_slice build_id);
/* Another number after each table that is put; never that of another cache.  Who keeps
 * names asks before the first of them. */
uint64_t ep_symcache_generation(struct ep_symcache *c);

/*
 * The numbering: pprof has (address, mapping start, file_offset); a table wants
 * the ELF's virtual address.  For an address inside a mapping this is
 *     file offset   = address - start + file_offset
 *     virtual addr  = file offset - p_offset + p_vaddr of the PT_LOAD that holds it
 * so a table keeps its PT_LOADs, and ep_symtab_vaddr() converts a file offset.
 * Returns UINT64_MAX outside all of them.
 */
uint64_t ep_symtab_vaddr(const struct ep_symtab *t, uint64_t file_offset);

#endif
