/*
 * datadir.h - the data folder: where it is, making it, and giving it to the user
 * that the server runs as.
 */
#ifndef EP_SERVER_DATADIR_H
#define EP_SERVER_DATADIR_H

#include "base/err.h"

#include <sys/types.h>

/* /var/lib/everprof as root, else $XDG_DATA_HOME/everprof, else below $HOME. */
void ep_datadir_default(char *ret_path, size_t n);

/*
 * ep_datadir_make - it and the folders above it; its own mode is 0700.
 * errors   -EACCES, -EIO, -EINVAL with a sentence
 */
int ep_datadir_make(const char *path, struct ep_err *err);

/*
 * ep_datadir_give - make the folder, or take over one that an earlier run as
 * root made, for this user; mode 0700.
 *
 * A folder that holds something else than our data is left alone.
 * errors   -EACCES, -EIO, -EINVAL with a sentence
 */
int ep_datadir_give(const char *path, uid_t uid, gid_t gid, struct ep_err *err);

#endif
