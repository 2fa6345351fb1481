/*
 * workload.h - a program whose truth is known, by its own clocks and counters.
 *
 * It is this program once more, as a child with libeverprof preloaded.  It does its work
 * for a while, tells the truth into a pipe (truth.h), and writes the profiles that the
 * library has of it into descriptors it was given.
 */
#ifndef EP_PROOF_WORKLOAD_H
#define EP_PROOF_WORKLOAD_H

#include "proof/linked.h"

#include <stdint.h>

/* The profiles of the first kind of workload, in the order of their descriptors. */
enum ep_work_profile {
	EP_WORK_CPU,
	EP_WORK_HEAP,
	EP_WORK_BLOCK,
	EP_WORK_MUTEX,
	EP_WORK_SCOPES,
	EP_WORK_CUSTOM,
	EP_WORK_PROFILES
};

#define EP_WORK_CUSTOM_NAME "verify_objects"

struct ep_work {
	struct ep_linked lib;
	double seconds;
	int truth;			/* where to tell it */
	int profiles[EP_WORK_PROFILES];
};

/* "truth:SECONDS:FD:FD,FD,…" or "cost:SECONDS:FD:FD": the exit code.  Main thread. */
int ep_workload_main(const char *what);

/* The parts.  Each tells its phase, does it, and tells its truth. */
int ep_work_spin(const struct ep_work *w);  /* CPU by function, label and thread; sleep */
int ep_work_wait(const struct ep_work *w);  /* a lock that is held a known time */
int ep_work_keep(const struct ep_work *w);  /* leaks and custom objects */
int ep_work_cost(const struct ep_work *w);  /* what a sample costs, on against off */

/* The sizes that its places allocate, one after the other: what the sampling error of a
 * sum is reckoned from.  Any thread. */
size_t ep_work_leak_bytes(uint64_t i);
size_t ep_work_churn_bytes(uint64_t i);

/* Nanoseconds of CPU that the library's own threads have used.  0 where not known. */
uint64_t ep_work_library_cpu_ns(void);

#endif
