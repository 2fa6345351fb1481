/*
 * object.h - a binary with its debug information: what lies at an address, and the
 * machine code there.
 *
 * ELF files, with DWARF of their own or in a separate file (.gnu_debuglink, a folder
 * by build ID, .gnu_debugdata).  Content may be hostile.
 */
#ifndef EP_SYMBOL_OBJECT_H
#define EP_SYMBOL_OBJECT_H

#include "base/buf.h"
#include "base/err.h"
#include "base/notes.h"
#include "profile/profile.h"
#include "symbol/debugfile.h"

struct ep_debuginfo_frame;
struct ep_objects; /* opens binaries, and keeps them open */
struct ep_object;

struct ep_objects_options {
	const char *binary;	 /* stands for the first mapping's file; NULL: none given */
	const char *search_path; /* folders, by colons: $PPROF_BINARY_PATH; NULL: none */
	const char *tools;	 /* `-tools`: "[tool:]path,…"; NULL: those of $PATH */
	const char *servers;	 /* $DEBUGINFOD_URLS; NULL: none is asked */
	const char *cache;	 /* ep_objects_cache_path(); NULL: none */
	const struct ep_debugfile_download *download; /* for the servers; NULL: the cache only */
	const struct ep_notes *notes; /* may be NULL; borrowed */
};

/* Where debuginfod's clients keep what they fetched: $DEBUGINFOD_CACHE_PATH, or a
 * folder in $XDG_CACHE_HOME or ~/.cache.  ep_free() it; NULL: nowhere. */
char *ep_objects_cache_path(void);

/* One thread at a time per struct ep_objects and what it opened. */
int ep_objects_new(const struct ep_objects_options *o, struct ep_objects **ret_objects,
		   struct ep_err *err);
void ep_objects_free(struct ep_objects *objects);
EP_DEFINE_AUTO(ep_objects);

/*
 * ep_objects_locate - say in a profile where its binaries lie.
 *
 * To be done for each source before they are merged: mappings get the name of the
 * file that was found in the search path by build ID or name, the first one that of
 * `binary`; a profile without mappings gets one that holds all addresses.  From then
 * on ep_objects_open() takes the mappings' names as they are.
 *
 * in       build_id  of the first mapping when it has none; NULL: not known
 * inout    p         tables are replaced by new ones in its arena
 * errors   -ENOMEM, -E2BIG
 */
int ep_objects_locate(struct ep_objects *objects, struct ep_profile *p, const char *build_id,
		      struct ep_err *err);

/*
 * ep_objects_open - the file behind a mapping of a profile.
 *
 * Looked for by build ID and name in the search path and in the system's debug
 * folders, then at the mapping's own path.  A file with another build ID is passed
 * over with a note.
 *
 * errors   -ENOENT nothing fits, -EBADMSG, -EIO, -ENOMEM
 * owns     *ret_o lives as long as `objects`
 */
int ep_objects_open(struct ep_objects *objects, const struct ep_profile *p, uint32_t mapping,
		    struct ep_object **ret_o, struct ep_err *err);

/* Is this file an ELF file that can be read?  What the reference's command line does
 * with its first argument. */
bool ep_objects_can_open(const char *path);

const char *ep_object_path(const struct ep_object *o);
const char *ep_object_build_id(const struct ep_object *o); /* hex; "" without one */
/* From an address in the process to the file's own numbering; false outside of it. */
bool ep_object_address(const struct ep_object *o, uint64_t process_address,
		       uint64_t *ret_address);

struct ep_object_frame {
	const char *function; /* as linked; "" unknown */
	const char *file;     /* "" unknown */
	int64_t line, column; /* 0 unknown */
	int64_t start_line;   /* where the function begins; 0 unknown */
};

/*
 * ep_object_frames - the functions at a process address, innermost inlined one first.
 *
 * in       max       room in ret_frames
 * out      ret_frames  strings live as long as the object
 * returns  how many; 0: nothing is known of this address
 */
size_t ep_object_frames(struct ep_object *o, uint64_t process_address,
			struct ep_object_frame *ret_frames, size_t max);
/* The name alone, by the symbol table (`fastlocal`); NULL: none. */
const char *ep_object_name(struct ep_object *o, uint64_t process_address);
/* More than a report needs, for PGO: discriminators, where inlined code begins.
 * `address` is of the file's own numbering. */
size_t ep_object_dwarf(struct ep_object *o, uint64_t address,
		       struct ep_debuginfo_frame *ret_frames, size_t max);

struct ep_object_symbol {
	/* By address: all it has, as linked.  By name: the one that is wanted, as linked or
	 * in the readable form that is. */
	const char *const *names;
	size_t n_names;
	uint64_t start, end; /* file's own numbering; [start, end] as the reference has it */
};

/*
 * ep_object_symbols - the functions whose name (as linked, or demangled) the caller
 * wants, or that hold `address` (file's own numbering, 0: none); by address.
 *
 * owns     *ret_symbols and its names live until the next call on this object
 */
typedef bool ep_object_want_fn(void *ctx, struct ep_slice name);
int ep_object_symbols(struct ep_object *o, ep_object_want_fn *want, void *ctx,
		      uint64_t address, const struct ep_object_symbol **ret_symbols,
		      size_t *ret_n, struct ep_err *err);

struct ep_object_inst {
	uint64_t address; /* file's own numbering */
	const char *text; /* "mov    %rax,%rbx" */
	const char *function, *file; /* "" unknown */
	int64_t line;
};

/*
 * ep_object_disasm - the instructions of [start, end), by objdump.
 *
 * in       intel  Intel syntax
 * owns     *ret_insts lives until the next call on this object
 */
int ep_object_disasm(struct ep_object *o, uint64_t start, uint64_t end, bool intel,
		     const struct ep_object_inst **ret_insts, size_t *ret_n, struct ep_err *err);

#endif
