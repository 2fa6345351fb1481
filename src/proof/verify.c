/* verify.c - see verify.h. */
#include "proof/verify.h"

#include "base/clock.h"
#include "proof/guest.h"
#include "proof/judge.h"
#include "proof/outside.h"

#include <stdio.h>

#define TRUTH_PART 0.6 /* of the time; what is left is for the cost */

struct run {
	const struct ep_verify_options *o;
	uint64_t began_ns;
	struct ep_guest truth, cost;
	struct ep_outside *outside;
	struct ep_buf how; /* of the outside, or why not */
	pid_t pid;	   /* of the first */
};

static void show(const struct run *r, const struct ep_guest *g)
{
	double done = (double)(ep_clock_mono_ns() - r->began_ns) / (double)r->o->duration_ns;
	if (r->o->progress)
		r->o->progress(r->o->arg, g->told.phase, done < 1 ? done : 1);
}

/* To its end.  The agent, if there is one, has its turn in between. */
static int attend(struct run *r, struct ep_guest *g, struct ep_outside *outside,
		  struct ep_err *err)
{
	ep_guest_release(g);
	while (ep_guest_listen(g, outside ? 0 : 200)) {
		if (outside)
			ep_outside_wait(outside, 200);
		show(r, g);
	}
	return ep_guest_finish(g, err);
}

static int run_truth(struct run *r, struct ep_err *err)
{
	double seconds = (double)r->o->duration_ns / 1e9 * TRUTH_PART;
	EP_TRY(ep_guest_open(&r->truth, r->o->library, "truth", r->o->child_flag, seconds, err));
	r->pid = r->truth.pid;
	(void)ep_outside_open(r->pid, &r->outside, &r->how); /* else how says why not */
	return attend(r, &r->truth, r->outside, err);
}

static int run_cost(struct run *r, struct ep_err *err)
{
	double seconds = (double)r->o->duration_ns / 1e9 * (1 - TRUTH_PART);
	EP_TRY(ep_guest_open(&r->cost, r->o->library, "cost", r->o->child_flag, seconds, err));
	return attend(r, &r->cost, NULL, err);
}

static const char *outside_group(struct run *r)
{
	return ep_buf_cstr(&r->how)[0] == 'e' ? "From outside, by eBPF"
					      : "From outside, by perf events";
}

static void judge_outside(struct run *r, struct ep_findings *f)
{
	ep_auto(ep_profile) p = NULL;
	struct ep_err err = {0};
	const char *what = "CPU by function";
	if (!r->outside) {
		ep_finding_add_unknown(f, "From outside", what, ep_buf_cstr(&r->how));
		return;
	}
	if (ep_outside_finish(r->outside, &p, &err) < 0 ||
	    ep_judge_outside(&r->truth, p, r->pid, outside_group(r), f, &err) < 0)
		ep_finding_add_unknown(f, outside_group(r), what, err.text);
}

static int run(struct run *r, struct ep_findings *f, struct ep_err *err)
{
	EP_TRY(run_truth(r, err));
	EP_TRY(ep_judge_cpu(&r->truth, f, err));
	judge_outside(r, f);
	EP_TRY(ep_judge_wait(&r->truth, f, err));
	EP_TRY(ep_judge_keep(&r->truth, f, err));
	EP_TRY(run_cost(r, err));
	ep_judge_cost(&r->cost, &r->truth, f);
	return 0;
}

int ep_verify_run(const struct ep_verify_options *o, struct ep_findings *ret_f,
		  struct ep_err *err)
{
	struct run r = {.o = o, .began_ns = ep_clock_mono_ns()};
	r.truth.go = r.truth.truth = r.cost.go = r.cost.truth = -1;
	for (int i = 0; i < EP_WORK_PROFILES; i++)
		r.truth.profiles[i] = r.cost.profiles[i] = -1;
	ep_buf_init(&r.how, 4096);
	ret_f->n = 0;
	int rc = run(&r, ret_f, err);
	ep_outside_close(r.outside);
	ep_guest_close(&r.truth);
	ep_guest_close(&r.cost);
	ep_buf_fini(&r.how);
	return rc;
}
