/*
 * name.h - name a profile's native frames from the files on this machine.
 */
#ifndef EP_SYMBOL_NAME_H
#define EP_SYMBOL_NAME_H

#include "base/err.h"
#include "profile/profile.h"

/* Locations that had no name before, in numbers. */
struct ep_name_stats {
	uint32_t n_named;
	uint32_t n_no_file;    /* the file is gone, another one, or can't be read */
	uint32_t n_no_symbol;  /* the file has no symbol there, or none at all; where it
				* is known which function it is, it gets a stand-in */
	uint32_t n_no_mapping; /* code without a file: a JIT's, the kernel's */
};

/*
 * ep_name_profile - name all locations that have no lines.
 *
 * A mapping's file is used when its build ID is the mapping's; without one in
 * the mapping, when the file has none either.  Mappings that say they have
 * functions already are left alone.  A function without a name is called by its
 * place in the file (nameless.h).  [vdso] is named from this process's own.
 *
 * in       root   where the files lie: "" for here, "/proc/PID/root" for those of a
 *                 container; links inside of it do not lead out
 * inout    p      locations get one line each; mappings with a named location get
 *                 has_functions
 * out      ret    may be NULL
 * errors   -ENOMEM, -E2BIG (the arena's bound); p is then as it was.  A file that
 *          can't be used is counted, not an error
 * threads  one thread at a time per profile; not signal-safe
 * cost     a table of symbols for each file that was hit, 1 to 30 ms each
 */
int ep_name_profile(struct ep_profile *p, const char *root, struct ep_name_stats *ret,
		    struct ep_err *err);

#endif
