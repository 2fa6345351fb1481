/*
 * outside.h - the workload as the agent sees it: eBPF, or else perf events on it.
 */
#ifndef EP_PROOF_OUTSIDE_H
#define EP_PROOF_OUTSIDE_H

#include "base/buf.h"
#include "base/err.h"
#include "profile/profile.h"

#include <sys/types.h>

struct ep_outside;

/*
 * ep_outside_open - begin to sample a process.
 *
 * out      ret_how  appended: "eBPF", "perf events"; on failure why it can't be done
 * errors   -EACCES, -ENOTSUP, -ENOMEM
 * threads  one thread at a time per object
 */
int ep_outside_open(pid_t pid, struct ep_outside **ret_o, struct ep_buf *ret_how);
/* Let it take what is there; for at most so long. */
void ep_outside_wait(struct ep_outside *o, unsigned ms);
/* All of it.  The caller frees the profile. */
int ep_outside_finish(struct ep_outside *o, struct ep_profile **ret_p, struct ep_err *err);
void ep_outside_close(struct ep_outside *o);

#endif
