/*
 * best.h - the best source for the whole machine that this kernel and user allow.
 */
#ifndef EP_AGENT_BEST_H
#define EP_AGENT_BEST_H

#include "agent/doctor.h"
#include "agent/source.h"

/*
 * ep_best_open - eBPF, else perf events on every CPU, else those of own
 * processes.
 *
 * in       no_bpf       begin with the second
 * out      ret_way      which it is
 *          ret_why      appended: one sentence, how CPU is sampled and why not better
 * errors   -EACCES, -ENOTSUP  none is possible; -ENOMEM
 */
int ep_best_open(unsigned hz, uint64_t interval_ns, bool no_bpf,
		 enum ep_sampling *ret_way, struct ep_buf *ret_why,
		 struct ep_source **ret_s, struct ep_err *err);

#endif
