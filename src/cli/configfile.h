/*
 * configfile.h - the configuration file of a command: YAML whose keys are its flags.
 *
 *     listen: 127.0.0.1:4040
 *     max-body: 64MB
 *     limits:                 # a section of the table (struct ep_flag_section)
 *       rate: 4MB
 *     tenants:                # a section with members, each a name and its keys
 *       acme:
 *         rate: 1MB
 */
#ifndef EP_CLI_CONFIGFILE_H
#define EP_CLI_CONFIGFILE_H

#include "cli/flags.h"

/*
 * ep_configfile_read - set what the file says; what it does not name stays.
 *
 * A text of "" is the same as none.  "config" and "print-config" are no keys.
 * errors   -ENOENT, -EACCES, -EIO; -EBADMSG with FILE:LINE, the key, and what is
 *          allowed; err->pos is the line
 */
int ep_configfile_read(const struct ep_flags *f, const char *path, struct ep_err *err);

/* All values as they are now, each with its help above it, in a form that reads back equal. */
void ep_configfile_print(const struct ep_flags *f, FILE *to);

#endif
