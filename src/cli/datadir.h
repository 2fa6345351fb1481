/*
 * datadir.h - the data folder of a server that runs as another user.
 */
#ifndef EP_CLI_DATADIR_H
#define EP_CLI_DATADIR_H

#include "base/err.h"

#include <sys/types.h>

/*
 * ep_datadir_give - make the folder, or take over one that an earlier run as
 * root made, for this user; mode 0700.
 *
 * A folder that holds something else than our data is left alone.
 * errors   -EACCES, -EIO, -EINVAL with a sentence
 */
int ep_datadir_give(const char *path, uid_t uid, gid_t gid, struct ep_err *err);

#endif
