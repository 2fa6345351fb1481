/*
 * judge.h - what the profiles say against what the workload knows.
 *
 * docs/verify.md has each row and where its bound comes from.
 */
#ifndef EP_PROOF_JUDGE_H
#define EP_PROOF_JUDGE_H

#include "base/err.h"
#include "proof/finding.h"
#include "proof/guest.h"

#include <sys/types.h>

/* CPU by function, label and thread; the sleeper. */
int ep_judge_cpu(const struct ep_guest *g, struct ep_findings *f, struct ep_err *err);
/* Waiting: who waited, who held. */
int ep_judge_wait(const struct ep_guest *g, struct ep_findings *f, struct ep_err *err);
/* Leaks, objects, scopes. */
int ep_judge_keep(const struct ep_guest *g, struct ep_findings *f, struct ep_err *err);
/* CPU by function, as seen from outside. */
int ep_judge_outside(const struct ep_guest *g, const struct ep_profile *p, pid_t pid,
		     const char *how, struct ep_findings *f, struct ep_err *err);
/* The kernel's tick. */
double ep_judge_tick_ns(void);

/* Overhead: of a "cost" guest, and what the library's thread used in a "truth" guest. */
void ep_judge_cost(const struct ep_guest *cost, const struct ep_guest *truth,
		   struct ep_findings *f);

#endif
