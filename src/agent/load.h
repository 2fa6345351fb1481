/*
 * load.h - the eBPF source: load the probe, put it on every CPU's clock, empty
 * its maps.
 */
#ifndef EP_AGENT_LOAD_H
#define EP_AGENT_LOAD_H

#include "agent/source.h"

#include <stdbool.h>

/*
 * ep_load_open - start sampling all CPUs.
 *
 * in       hz           samples a second and CPU
 *          interval_ns  how long between drains at most; sizes the maps, so that
 *                       no sample of a machine of up to 60 CPUs finds them full
 * errors   -EACCES      not allowed; -ENOTSUP  this kernel can't (no BTF, no
 *                       perf_event programs); the text names the step
 * threads  one thread at a time per object
 * cost     8 to 80 MB of kernel memory, by the number of CPUs; for unwind tables a
 *          512th of the machine's memory, 8 to 64 MB
 */
int ep_load_open(unsigned hz, uint64_t interval_ns, struct ep_source **ret_s,
		 struct ep_err *err);

/*
 * ep_load_try - would it load?
 *
 * out      ret_by_tables  user stacks are walked by unwind tables, not by frame
 *                         pointers (kernel 5.17)
 * returns  0, or the negative errno of the step that failed
 */
int ep_load_try(bool *ret_by_tables, struct ep_err *err);

/* Can the maps be read as things are now?  Asked after CAP_BPF was lowered: kernels
 * before 6.0 may want it for each look-up. */
bool ep_load_works(struct ep_source *s);

#endif
