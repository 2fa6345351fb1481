/*
 * guest.h - the workload as a child process, with libeverprof preloaded.
 */
#ifndef EP_PROOF_GUEST_H
#define EP_PROOF_GUEST_H

#include "base/err.h"
#include "profile/profile.h"
#include "proof/truth.h"
#include "proof/workload.h"

#include <stdbool.h>
#include <sys/types.h>

struct ep_guest {
	pid_t pid;
	int go;	   /* closed: it may begin */
	int truth; /* read end */
	int profiles[EP_WORK_PROFILES]; /* files in memory */
	struct ep_truth told;
};

/*
 * ep_guest_open - a child that waits for ep_guest_release().
 *
 * in       library  path of libeverprof.so
 *          kind     "truth" or "cost"
 *          flag     how our own program is told to be the workload
 * errors   -EMFILE, -EAGAIN, -ENOMEM: err says
 * owns     ep_guest_close(), also after a failure
 * threads  main thread, before there are others
 */
int ep_guest_open(struct ep_guest *g, const char *library, const char *kind, const char *flag,
		  double seconds, struct ep_err *err);
void ep_guest_release(struct ep_guest *g);

/* Take what it told, waiting so long at most.  false: it has ended. */
bool ep_guest_listen(struct ep_guest *g, int timeout_ms);

/* Wait for its end; -EIO and a sentence when it failed. */
int ep_guest_finish(struct ep_guest *g, struct ep_err *err);

int ep_guest_profile(const struct ep_guest *g, enum ep_work_profile which,
		     struct ep_profile **ret_p, struct ep_err *err);

/* Ends the child when it still runs. */
void ep_guest_close(struct ep_guest *g);

#endif
