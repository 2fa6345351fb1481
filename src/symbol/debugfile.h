/*
 * debugfile.h - where the debug information of a stripped file lies.
 *
 * Source: gdb's manual, "Debugging Information in Separate Files"; "MiniDebugInfo";
 * dwz(1) for .gnu_debugaltlink; debuginfod(8) for its cache.
 */
#ifndef EP_SYMBOL_DEBUGFILE_H
#define EP_SYMBOL_DEBUGFILE_H

#include "base/err.h"
#include "base/notes.h"
#include "symbol/elffile.h"

/* Downloads `url` into a new file at `path`.  0, -ENOENT (the server has none), or
 * what went wrong. */
struct ep_debugfile_download {
	int (*file)(void *ctx, const char *url, const char *path, struct ep_err *err);
	void *ctx;
};

struct ep_debugfile_places {
	const char *search_path;  /* folders, by colons; NULL: none */
	const char *debug_root;	  /* "/usr/lib/debug"; NULL: that */
	const char *servers;	  /* $DEBUGINFOD_URLS, by spaces; NULL: none */
	const char *cache;	  /* folder of what was downloaded; NULL: none */
	const struct ep_debugfile_download *download; /* NULL: the cache only */
	const struct ep_notes *notes;		      /* may be NULL */
};

/*
 * ep_debugfile_find - the separate file with .debug_info (or at least .symtab) for f.
 *
 * By build ID in the system's folder and in the search path, by .gnu_debuglink (of
 * equal CRC) beside the file, in .debug/ and in the system's folder, then from
 * debuginfod.  A file with another build ID is passed over with a note.
 *
 * errors   -ENOENT, -ENOMEM
 * owns     the caller frees *ret_debug
 */
int ep_debugfile_find(struct ep_elffile *f, const struct ep_debugfile_places *places,
		      struct ep_elffile **ret_debug, struct ep_err *err);

/*
 * ep_debugfile_by_id - a file by build ID alone.
 *
 * in       kind  "debuginfo" or "executable"; the latter only from debuginfod
 * errors   -ENOENT
 */
int ep_debugfile_by_id(const char *build_id, const char *kind,
		       const struct ep_debugfile_places *places,
		       struct ep_elffile **ret_f, struct ep_err *err);

/* .gnu_debugdata: the symbols of a stripped file, unpacked.  -ENOENT, -EBADMSG, … */
int ep_debugfile_mini(struct ep_elffile *f, struct ep_elffile **ret_mini,
		      struct ep_err *err);

/* .gnu_debugaltlink: what dwz moved out of several files.  -ENOENT */
int ep_debugfile_alt(struct ep_elffile *f, const struct ep_notes *notes,
		     struct ep_elffile **ret_alt);

/* The .dwo of a unit: by its folder, else beside the file.  -ENOENT */
int ep_debugfile_dwo(struct ep_elffile *f, const char *comp_dir, const char *name,
		     struct ep_elffile **ret_dwo);

#endif
