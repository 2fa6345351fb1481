/*
 * tempfile.h - new files by number, and files that go when the program ends.
 */
#ifndef EP_PPROF_TEMPFILE_H
#define EP_PPROF_TEMPFILE_H

#include "base/err.h"

#include <stddef.h>

/*
 * ep_tempfile_open - DIR/PREFIXnnnSUFFIX, nnn the first of 001 to 9999 that is free.
 *
 * in       dir       "": the working directory
 * out      ret_path  the path, NUL-terminated
 * returns  a descriptor for reading and writing; never that of a file already there
 * errors   -E2BIG the path is too long; -EEXIST all taken; -EACCES, -ENOENT, -EIO
 */
int ep_tempfile_open(const char *dir, const char *prefix, const char *suffix,
		     char *ret_path, size_t size, struct ep_err *err);

/* $TMPDIR or /tmp. */
const char *ep_tempfile_dir(void);

/* Remove this file in ep_tempfile_cleanup().  One thread at a time. */
void ep_tempfile_remove_later(const char *path);
void ep_tempfile_cleanup(void);

#endif
