/* judge_cost.c - what sampling costs, from the pairs and hold-ups of work_cost.c. */
#include "proof/judge.h"

/* Promises: docs/verify.md. */
#define SAMPLE_BOUND_NS 25000.0
#define TOGGLED_BOUND 0.02
#define DEFAULT_BOUND 0.005
#define DEFAULT_HZ 100.0
#define THREAD_BOUND 0.005

enum { MIN_GAPS = 50, MIN_PAIRS = 5 };

static void add_toggled(const struct ep_truth *t, struct ep_findings *f)
{
	const char *what = "on against off, every tick a sample";
	int64_t n = ep_truth_get(t, "pairs");
	double mean = (double)ep_truth_get(t, "pair.mean") / 1e9;
	double margin = (double)ep_truth_get(t, "pair.margin") / 1e9;
	if (n < MIN_PAIRS) {
		ep_finding_add_unknown(f, "Cost", what, "too few pairs; give it more --seconds");
		return;
	}
	struct ep_finding *r = ep_finding_add_cost(f, "Cost", what, EP_UNIT_SHARE, mean, margin,
						   TOGGLED_BOUND);
	ep_finding_note(r, "CPU time of an operation, %lld pairs of 0.1 s, 95 %% interval",
			(long long)n);
}

static void add_sample(const struct ep_truth *t, const struct ep_truth *truth,
		       struct ep_findings *f)
{
	int64_t on = ep_truth_get(t, "gap.on"), off = ep_truth_get(t, "gap.off");
	int64_t n = ep_truth_get(t, "gaps.on");
	if (n < MIN_GAPS || ep_truth_get(t, "gaps.off") < MIN_GAPS || on <= off) {
		ep_finding_add_unknown(f, "Cost", "one sample",
				       "the kernel's tick was not seen often enough here; give it "
				       "more --seconds");
		return;
	}
	double ns = (double)(on - off);
	struct ep_finding *r = ep_finding_add_cost(f, "Cost", "one sample, delivery and handler",
						   EP_UNIT_NS, ns, 0, SAMPLE_BOUND_NS);
	ep_finding_note(r, "the middle of %lld ticks with a sample, less that of ticks without",
			(long long)n);
	double wall = (double)ep_truth_get(truth, "wall");
	double thread = wall > 0 ? (double)ep_truth_get(truth, "library") / wall : 0;
	r = ep_finding_add_cost(f, "Cost", "100 samples a second, so much of a CPU",
				EP_UNIT_SHARE, ns * DEFAULT_HZ / 1e9, 0, DEFAULT_BOUND);
	ep_finding_note(r, "a sample's cost times 100");
	r = ep_finding_add_cost(f, "Cost", "the library's own thread, of a CPU", EP_UNIT_SHARE,
				thread, 0, THREAD_BOUND);
	ep_finding_note(r, "its CPU time over %.1f s, two threads sampled", wall / 1e9);
}

void ep_judge_cost(const struct ep_guest *cost, const struct ep_guest *truth,
		   struct ep_findings *f)
{
	add_sample(&cost->told, &truth->told, f);
	add_toggled(&cost->told, f);
}
