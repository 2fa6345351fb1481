/*
 * tablecache.h - the folders in which unwind tables are shared, by build ID.
 *
 * Root's processes keep theirs in /var/cache/everprof/unwind, where all read them;
 * a user's processes read these, and keep others in $XDG_CACHE_HOME/everprof/unwind.
 * EVERPROF_CACHE names another folder, or is "off".
 *
 * A folder or file counts only if it belongs to root or to us and nobody else may
 * write to it.  Without a folder, or when in doubt, tables are memory of our own.
 * Nothing waits for another process: who comes second finds the file and uses it.
 */
#ifndef EP_UNWIND_BUILD_TABLECACHE_H
#define EP_UNWIND_BUILD_TABLECACHE_H

#include "unwind/build/tablefile.h"

#include <limits.h>

#define EP_TABLECACHE_SYSTEM "/var/cache/everprof/unwind"

struct ep_tablecache {
	char own[PATH_MAX];    /* read and written; "": none */
	char system[PATH_MAX]; /* read; "": none, or the same */
};

/* What a process is told about it; any may be NULL. */
struct ep_tablecache_config {
	const char *setting;	/* EVERPROF_CACHE */
	const char *cache_home; /* XDG_CACHE_HOME */
	const char *home;	/* HOME */
	bool read_only;		/* of a process that is more than its user: nothing is written */
};

/* Touches nothing yet. */
void ep_tablecache_init(struct ep_tablecache *c, const struct ep_tablecache_config *config);

/*
 * ep_tablecache_find - the table of a key, from whichever folder has it.
 *
 * errors   -ENOENT   none has it, or a broken one (which is removed, if it is ours)
 * threads  any thread; cost: ep_tablefile_map() and five calls a folder
 */
int ep_tablecache_find(const struct ep_tablecache *c, const struct ep_compile_key *key,
		       struct ep_tablefile *ret);

/*
 * ep_tablecache_make - the table of an ELF file: found, or compiled and kept for others.
 *
 * in       fd     of the ELF file; borrowed
 *          keep   others may have it.  What root keeps is used by all, so only tables of
 *                 files that belong to root are kept there, whatever is said here
 * out      ret    release with ep_tablefile_release()
 * errors   as ep_compile_file()
 */
int ep_tablecache_make(const struct ep_tablecache *c, int fd, bool keep,
		       struct ep_tablefile *ret, struct ep_err *err);

#endif
