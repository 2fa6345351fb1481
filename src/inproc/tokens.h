/*
 * tokens.h - who may read this process's profiles: tokens from a file.
 *
 * One token a line (what follows it on the line is not read), '#' for comments; several
 * are good at once, and the file is read again when it changes, so that tokens rotate
 * without a restart.  Only hashes are kept, and compared in constant time.
 */
#ifndef EP_INPROC_TOKENS_H
#define EP_INPROC_TOKENS_H

#include "base/slice.h"

#include <stdbool.h>

enum { EP_TOKENS_MIN_BYTES = 22, EP_TOKENS_MAX = 64 };

/*
 * ep_tokens_open - from now on a token of this file is asked for.
 *
 * errors   -EINVAL  the file can't be read, has no token, or one under 22 characters;
 *          said by ep_config_say()
 */
int ep_tokens_open(const char *path);
/* Is a token asked for? */
bool ep_tokens_asked(void);

/*
 * ep_tokens_admit - does an Authorization header carry one?
 *
 * in       authorization  "Bearer TOKEN", or "Basic …" with any user; NULL: none
 * threads  any
 */
bool ep_tokens_admit(const char *authorization);

#endif
