/*
 * perf.h - the perf_event source: where eBPF is not allowed, and for a single
 * process or command, which it follows with all its children.
 */
#ifndef EP_AGENT_PERF_H
#define EP_AGENT_PERF_H

#include "agent/source.h"

#include <sys/types.h>

enum ep_perf_scope {
	EP_PERF_ALL,	 /* every process, on every CPU */
	EP_PERF_OWN,	 /* processes of this user, looked for each second */
	EP_PERF_PID,	 /* one process, its threads, and what it starts from now on */
	EP_PERF_ON_EXEC, /* likewise, from its next exec on */
};

/*
 * ep_perf_open - start.
 *
 * in       scope, pid  pid is for the last two
 *          hz          samples a second of CPU time
 * out      ret_kernel  may be NULL; are kernel stacks in it?
 * errors   -EACCES     the text says what the kernel's setting is
 *          -ENOENT     no such process
 *          -ENOTSUP, -ENOMEM
 * threads  one thread at a time per object
 */
int ep_perf_open(enum ep_perf_scope scope, pid_t pid, unsigned hz, bool *ret_kernel,
		 struct ep_source **ret_s, struct ep_err *err);

#endif
