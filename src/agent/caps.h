/*
 * caps.h - giving up capabilities.
 */
#ifndef EP_AGENT_CAPS_H
#define EP_AGENT_CAPS_H

#include <stdbool.h>
#include <stdint.h>

/* Is capability n effective?  Any thread. */
bool ep_caps_have(int cap);
/* The effective ones as bits. */
uint64_t ep_caps_effective(void);
/* Lower or raise one effective capability that is permitted.  0 or -EACCES.  It
 * counts for the calling thread only. */
int ep_caps_set(int cap, bool on);

/*
 * ep_caps_keep_only - give up everything but these, for good.
 *
 * Effective, permitted, inheritable, ambient and bounding sets; exec gives
 * nothing back (no_new_privs).  What the process does not have is passed over.
 *
 * in       caps, n  what to keep
 * errors   -EACCES
 * threads  the calling thread and those it starts later: call it before them
 */
int ep_caps_keep_only(const int *caps, unsigned n);

#endif
