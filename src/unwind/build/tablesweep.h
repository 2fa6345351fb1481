/*
 * tablesweep.h - keeps a folder of unwind tables small.
 */
#ifndef EP_UNWIND_BUILD_TABLESWEEP_H
#define EP_UNWIND_BUILD_TABLESWEEP_H

#include <stdint.h>

/* What a folder may hold, and what of that a sweep leaves. */
struct ep_tablesweep_limits {
	uint64_t max_bytes, keep_bytes;
	uint64_t max_age_s;	  /* since a table was last of use */
	uint64_t max_new_age_s;	  /* of what nobody finished writing */
};

/*
 * ep_tablesweep_now - remove what is too old, then the oldest until the rest fits.
 *
 * in       dir    the folder; other files in it are left alone
 *          now_s  wall clock
 * returns  the number of files removed.  Who has one mapped keeps it.
 * threads  any; any number of processes at once
 */
int ep_tablesweep_now(int dir, const struct ep_tablesweep_limits *l, uint64_t now_s);

/* The same with the house's limits (256 MB, 90 days), once an hour a folder at the most. */
void ep_tablesweep(int dir);

#endif
