/*
 * custom.h - profiles of the program's own things; everprof.h has the API.
 */
#ifndef EP_INPROC_CUSTOM_H
#define EP_INPROC_CUSTOM_H

#include "everprof.h"

/* Before a fork, and after it in parent and child. */
void ep_custom_lock(void);
void ep_custom_unlock(void);

#endif
