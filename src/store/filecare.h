/*
 * filecare.h - one file of a store from outside: a consistent copy, and is it whole?
 *
 * For backups, beside a running server: heads (and whatever else is SQLite) are copied by
 * SQLite, which takes a moment's state; segments never change and need no care.
 */
#ifndef EP_STORE_FILECARE_H
#define EP_STORE_FILECARE_H

#include "base/err.h"

#include <stdbool.h>

/* By its first bytes; false also when it can't be read. */
bool ep_filecare_is_sqlite(const char *path);

/*
 * ep_filecare_copy_sqlite - the file as it is at one moment, commits that are only in its
 * log included; on disk when it returns.
 *
 * errors   -ENOENT it went meanwhile, or is being made; -EACCES, -ENOSPC, -EIO, -EBADMSG
 */
int ep_filecare_copy_sqlite(const char *from, const char *to, struct ep_err *err);

/*
 * ep_filecare_check - every page, or every block with its checksum; a file of another kind
 * passes.
 *
 * in       name  what sentences call it
 * errors   -EBADMSG, -ENOTSUP (of a newer everprof), -EIO, -ENOMEM
 */
int ep_filecare_check(const char *path, const char *name, struct ep_err *err);

#endif
