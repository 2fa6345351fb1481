/*
 * run_names.h - names that only exist at run time: kernel functions from
 * /proc/kallsyms, and code made by a JIT from its perf map.
 */
#ifndef EP_AGENT_RUN_NAMES_H
#define EP_AGENT_RUN_NAMES_H

#include "agent/process.h"
#include "base/slice.h"
#include "symbol/kallsyms.h"

struct ep_run_names {
	struct ep_kallsyms *kernel; /* NULL: not to be read by this user */
};

/* Reads the kernel's names; to be called while the rights to them are there. */
void ep_run_names_init(struct ep_run_names *n);
void ep_run_names_fini(struct ep_run_names *n);

/* 0 or -ENOENT.  The name lives as long as n. */
int ep_run_names_kernel(const struct ep_run_names *n, uint64_t address,
			struct ep_slice *ret_name);

/*
 * ep_run_names_jit - the name of code that process p made.
 *
 * Reads /tmp/perf-PID.map as p sees it, if it belongs to p's user; again when an
 * address is not in it, at most once in a few rounds.
 *
 * in       round   of the process table
 * out      ret_name  lives until the next call for p
 */
int ep_run_names_jit(struct ep_process *p, uint32_t round, uint64_t address,
		     struct ep_slice *ret_name);

#endif
