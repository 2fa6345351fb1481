/*
 * verify.h - the profiler proves itself on the machine it is on.
 */
#ifndef EP_PROOF_VERIFY_H
#define EP_PROOF_VERIFY_H

#include "base/err.h"
#include "proof/finding.h"

#include <stdint.h>

struct ep_verify_options {
	const char *library;	/* libeverprof.so */
	const char *child_flag; /* how our own program is told to be the workload */
	uint64_t duration_ns;
	/* Called some times a second; done: 0 to 1.  May be NULL. */
	void (*progress)(void *arg, const char *phase, double done);
	void *arg;
};

/*
 * ep_verify_run - run the workloads and compare.
 *
 * errors   -EIO  the workload could not be run or failed; err says how
 * threads  main thread, before there are others
 * cost     as long as was asked for, and some seconds of start and end
 */
int ep_verify_run(const struct ep_verify_options *o, struct ep_findings *ret_f,
		  struct ep_err *err);

#endif
