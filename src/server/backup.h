/*
 * backup.h - a data folder to another place, beside a running server, and back.
 *
 * docs/formats/backup.md describes what a backup is.
 */
#ifndef EP_SERVER_BACKUP_H
#define EP_SERVER_BACKUP_H

#include "base/err.h"

#include <stdint.h>

struct ep_backup_sum {
	uint64_t files, bytes, linked; /* linked: files that take no room of their own */
	uint64_t bad;
};

/*
 * ep_backup_make - copy what is in data into dest.
 *
 * Files that never change are linked where both lie in one file system; SQLite's are
 * copied as they are at one moment.
 * errors   -EEXIST  dest holds something
 *          -ENOENT, -EACCES, -ENOSPC, -EIO, -EBADMSG: with the file; dest is no backup then
 */
int ep_backup_make(const char *data, const char *dest, struct ep_backup_sum *ret_sum,
		   struct ep_err *err);

/* From a backup to a data folder that is empty or not there; each byte is checked on the way.
 * errors as above; -EBADMSG: the backup is damaged or not one */
int ep_backup_restore(const char *backup, const char *data, struct ep_backup_sum *ret_sum,
		      struct ep_err *err);

/*
 * ep_backup_verify - is a backup, or a data folder in use, whole?
 *
 * in       say  told of each file that is not; may be NULL
 * errors   -EBADMSG when any is not; -EIO, -ENOENT
 */
int ep_backup_verify(const char *dir, void (*say)(const char *sentence),
		     struct ep_backup_sum *ret_sum, struct ep_err *err);

#endif
