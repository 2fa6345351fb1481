/*
 * tablefile.h - an unwind table as a file that any number of processes map.
 *
 * A file is written under a name of its own, then linked to the one it is found by:
 * there it is whole from its first moment, and nothing ever opens it for writing again.
 * That matters, since a handler walks the mapping: a file that is cut short under it
 * would kill the process.  So a file is used only where nobody can do that by accident
 * (docs/decisions/0310-tables-as-files.md).
 */
#ifndef EP_UNWIND_BUILD_TABLEFILE_H
#define EP_UNWIND_BUILD_TABLEFILE_H

#include "unwind/build/compile.h"

#include <stdbool.h>
#include <sys/stat.h>

/* Build ID, hash, maker and ending. */
#define EP_TABLEFILE_NAME_MAX (EP_ELF_HEX_MAX + 48)
#define EP_TABLEFILE_MAX_BYTES ((uint64_t)256 << 20)
/* What is not linked to a name yet begins so. */
#define EP_TABLEFILE_TEMPORARY ".new-"

/* A table in memory, mapped from a file or not. */
struct ep_tablefile {
	const struct ep_table *table; /* NULL: none */
	size_t n_mapped;	      /* 0: memory of our own */
};

/* "BUILDID-IMAGE-MAKER.unwind"; "none" for no build ID. */
void ep_tablefile_name(const struct ep_compile_key *key, char ret_name[EP_TABLEFILE_NAME_MAX]);

/* Owned by root or us, and nobody else may write to it. */
bool ep_tablefile_trusts(const struct stat *st);
/* A file system of this machine: a network's may take a page away when its server goes. */
bool ep_tablefile_is_local(int fd);

/*
 * ep_tablefile_map - the table of a key, if the folder has it.
 *
 * in       dir    a folder that is trusted
 * out      ret    release with ep_tablefile_release()
 * errors   -ENOENT   no such file; -EACCES not to be trusted; -EBADMSG, -ENODATA,
 *          -ENOTSUP  it is not that table, or a broken one
 * threads  any thread
 * cost     40 us for libc's, 1 ms for LLVM's: all of it is checked
 */
int ep_tablefile_map(int dir, const struct ep_compile_key *key, struct ep_tablefile *ret);

/*
 * ep_tablefile_write - put a table where others find it.
 *
 * in       t    made for `key`
 * errors   -EEXIST   somebody was faster: map theirs; -ENOSPC, -EACCES, -EIO, …
 * threads  any thread; any number of processes at once
 */
int ep_tablefile_write(int dir, const struct ep_compile_key *key, const struct ep_table *t);

void ep_tablefile_release(struct ep_tablefile *f);

#endif
