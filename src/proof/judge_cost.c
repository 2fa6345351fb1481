/* judge_cost.c - what sampling costs, from the pairs and hold-ups of work_cost.c. */
#include "proof/judge.h"

/* Promises: docs/verify.md. */
#define SAMPLE_BOUND_NS 50000.0
#define TOGGLED_BOUND 0.02
#define DEFAULT_BOUND 0.005
#define DEFAULT_HZ 100.0
#define ASKED_HZ 990.0 /* 1,000 are asked for; a period is 1 % longer */
#define THREAD_BOUND 0.005

enum { MIN_PAIRS = 5 };

/* How often a sample comes when as many as possible are asked for: the kernel looks at
 * CPU timers at its tick, and where a thread leaves the CPU. */
static double samples_a_second(void)
{
	double ticks = 1e9 / ep_judge_tick_ns();
	return ticks < ASKED_HZ ? ticks : ASKED_HZ;
}

static void add_toggled(const struct ep_truth *t, struct ep_findings *f)
{
	const char *what = "on against off, a sample each tick";
	long long n = ep_truth_get(t, "toggled.pairs");
	double mean = (double)ep_truth_get(t, "toggled.mean") / 1e9;
	double margin = (double)ep_truth_get(t, "toggled.margin") / 1e9;
	if (n < MIN_PAIRS) {
		ep_finding_add_unknown(f, "Cost", what,
				       "too few windows; give it more --seconds");
		return;
	}
	struct ep_finding *r = ep_finding_add_cost(f, "Cost", what, EP_UNIT_SHARE, mean, margin,
						   TOGGLED_BOUND);
	ep_finding_note(r, "of CPU time, %.0f samples a second of it; %lld windows on against "
			   "their neighbours off, of 0.1 s",
			samples_a_second(), n);
	double each = mean / samples_a_second(), each_margin = margin / samples_a_second();
	r = ep_finding_add_cost(f, "Cost", "at 100 samples a second", EP_UNIT_SHARE,
				each * DEFAULT_HZ, each_margin * DEFAULT_HZ, DEFAULT_BOUND);
	ep_finding_note(r, "the default; the cost of one, times 100");
	r = ep_finding_add_cost(f, "Cost", "one sample, delivery and handler", EP_UNIT_NS,
				each * 1e9, each_margin * 1e9, SAMPLE_BOUND_NS);
	ep_finding_note(r, "the share above, a sample; of stacks of some thirty frames");
}

static void add_thread(const struct ep_truth *t, struct ep_findings *f)
{
	double wall = (double)ep_truth_get(t, "wall");
	double share = wall > 0 ? (double)ep_truth_get(t, "library") / wall : 0;
	struct ep_finding *r = ep_finding_add_cost(f, "Cost", "the library's own thread, of a CPU",
						   EP_UNIT_SHARE, share, 0, THREAD_BOUND);
	ep_finding_note(r, "its CPU time in %.1f s, two threads sampled", wall / 1e9);
}

void ep_judge_cost(const struct ep_guest *cost, const struct ep_guest *truth,
		   struct ep_findings *f)
{
	add_toggled(&cost->told, f);
	add_thread(&truth->told, f);
}
