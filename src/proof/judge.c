/* judge.c - see judge.h. */
#include "proof/judge.h"

#include "base/clock.h"
#include "profile/ledger.h"
#include "proof/odds.h"
#include "proof/spots.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { N_PARTS = 3, N_THREADS = 4 /* that computed or slept in the time of the profile */ };
static const char *const parts[N_PARTS] = {"heavy", "middle", "light"};

/* A promise: docs/verify.md. */
#define WAIT_BOUND 0.05

struct sums {
	int64_t of[EP_SPOTS], total;
};

static int sum_spots(const struct ep_profile *p, const char *column, int64_t pid,
		     struct sums *ret, struct ep_err *err)
{
	uint32_t c = ep_profile_column(p, column);
	ep_auto_mem uint32_t *mask = ep_alloc((p->n_locations + 1) * sizeof(*mask));
	if (!mask)
		return ep_fail(err, -ENOMEM, 0, "out of memory");
	if (c == EP_NONE)
		return ep_fail(err, -EIO, 0, "the profile has no %s", column);
	if (!ep_spots_mark(p, mask))
		return ep_fail(err, -EIO, 0, "our own code can't be found in a profile");
	ep_spots_sum(p, mask, c, pid, ret->of, &ret->total);
	return 0;
}

/* The sum of a column over samples with this label. */
static int64_t sum_label(const struct ep_profile *p, const char *column, const char *key,
			 const char *value)
{
	uint32_t c = ep_profile_column(p, column);
	int64_t sum = 0;
	for (uint32_t i = 0; c != EP_NONE && i < p->n_samples; i++)
		for (uint32_t j = 0; j < p->samples[i].n_labels; j++) {
			const struct ep_label *l = &p->labels[p->samples[i].first_label + j];
			if (ep_slice_is(ep_profile_str(p, l->key), key) &&
			    ep_slice_is(ep_profile_str(p, l->str), value))
				sum += ep_profile_values(p, i)[c];
		}
	return sum;
}

double ep_judge_tick_ns(void)
{
	struct timespec t = {0, 4 * (long)EP_NS_PER_MS};
	clock_getres(CLOCK_MONOTONIC_COARSE, &t); /* it has the resolution of the tick */
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* ---- CPU ---------------------------------------------------------------------------------- */

enum { SURE = 12 }; /* so many expected samples are not all missed by chance: e^-12 */

/* Samples of a column of time; what they are shares of, by the truth. */
struct whole {
	int64_t n;
	double ns, sample_ns;
};

static double part_ns(const struct ep_truth *t, int i)
{
	char name[32];
	snprintf(name, sizeof(name), "spent.%s", parts[i]);
	return (double)ep_truth_get(t, name);
}

static void add_share(struct ep_findings *f, const char *group, const char *what,
		      const struct whole *all, double ns, int64_t samples)
{
	double truth = all->ns > 0 ? ns / all->ns : 0;
	if (all->n <= 0 && all->ns < SURE * all->sample_ns) {
		ep_finding_add_unknown(f, group, what, "no sample; give it more --seconds");
		return;
	}
	double bound = all->n > 0 ? ep_odds_share((uint64_t)all->n, truth) : 0;
	double measured = all->n > 0 ? (double)samples / (double)all->n : 0;
	struct ep_finding *r =
		ep_finding_add(f, group, what, EP_UNIT_SHARE, truth, measured, bound);
	ep_finding_note(r, "of %lld samples; chance alone passes the bound once in 100,000 runs",
			(long long)all->n);
}

static void add_functions(const struct ep_truth *t, const struct sums *s,
			  const struct whole *all, const char *group, struct ep_findings *f)
{
	for (int i = 0; i < N_PARTS; i++) {
		char what[64];
		snprintf(what, sizeof(what), "CPU by function: %s", parts[i]);
		add_share(f, group, what, all, part_ns(t, i), s->of[EP_SPOT_HEAVY + i]);
	}
}

static void add_labels(const struct ep_truth *t, const struct ep_profile *p,
		       const struct whole *all, struct ep_findings *f)
{
	for (int i = 0; i < N_PARTS; i++) {
		char what[64];
		snprintf(what, sizeof(what), "CPU by label: part=%s", parts[i]);
		add_share(f, "CPU", what, all, part_ns(t, i),
			  sum_label(p, "samples", "part", parts[i]));
	}
	add_share(f, "CPU", "CPU by a label carried to a thread", all,
		  (double)ep_truth_get(t, "spent.carried"),
		  sum_label(p, "samples", "job", "carried"));
}

/* Each thread's samples stand for its CPU time but for less than a period, and for what
 * the tick has not brought yet. */
static void add_total(const struct ep_truth *t, const struct ep_profile *p,
		      struct ep_findings *f)
{
	struct ep_ledger l = {0};
	(void)ep_ledger_of_profile(p, &l); /* without one, all 0: the row tells */
	double period = (double)p->period;
	double bound = N_THREADS * (period + ep_judge_tick_ns());
	struct ep_finding *r =
		ep_finding_add(f, "CPU", "CPU time in all", EP_UNIT_NS,
			       (double)ep_truth_get(t, "used"),
			       (double)(l.taken + l.lost) * period, bound);
	ep_finding_note(r, "%llu samples taken, %llu lost, %llu cut; a period of %.1f ms and a "
			   "tick of %.1f ms for each of %d threads",
			(unsigned long long)l.taken, (unsigned long long)l.lost,
			(unsigned long long)l.truncated, period / 1e6, ep_judge_tick_ns() / 1e6,
			N_THREADS);
}

static void add_sleep(const struct ep_truth *t, const struct ep_profile *p,
		      const struct sums *ns, struct ep_findings *f)
{
	double period = (double)p->period;
	struct ep_finding *r = ep_finding_add(f, "CPU", "CPU time of a sleep", EP_UNIT_NS,
					      (double)ep_truth_get(t, "sleeper.cpu"),
					      (double)ns->of[EP_SPOT_SLEEPER],
					      period + ep_judge_tick_ns());
	ep_finding_note(r, "slept %.1f s; one period and one tick",
			(double)ep_truth_get(t, "slept") / 1e9);
	r = ep_finding_add(f, "CPU", "sleeps that ended early", EP_UNIT_COUNT, 0,
			   (double)ep_truth_get(t, "interrupted"), 0);
	ep_finding_note(r, "exact: no system call may return early because of us");
}

int ep_judge_cpu(const struct ep_guest *g, struct ep_findings *f, struct ep_err *err)
{
	ep_auto(ep_profile) p = NULL;
	struct sums n, ns;
	EP_TRY(ep_guest_profile(g, EP_WORK_CPU, &p, err));
	EP_TRY(sum_spots(p, "samples", 0, &n, err));
	EP_TRY(sum_spots(p, "cpu", 0, &ns, err));
	const struct whole all = {n.total, (double)ep_truth_get(&g->told, "used"),
				  (double)p->period};
	add_functions(&g->told, &n, &all, "CPU", f);
	add_labels(&g->told, p, &all, f);
	add_total(&g->told, p, f);
	add_sleep(&g->told, p, &ns, f);
	return 0;
}

int ep_judge_outside(const struct ep_guest *g, const struct ep_profile *p, pid_t pid,
		     const char *how, struct ep_findings *f, struct ep_err *err)
{
	struct sums n;
	EP_TRY(sum_spots(p, "samples", pid, &n, err));
	/* It has seen all of the child's life, of which only these are known. */
	struct whole all = {.sample_ns = (double)p->period};
	for (int i = 0; i < N_PARTS; i++) {
		all.n += n.of[EP_SPOT_HEAVY + i];
		all.ns += part_ns(&g->told, i);
	}
	add_functions(&g->told, &n, &all, how, f);
	return 0;
}

/* ---- waiting ------------------------------------------------------------------------------ */

static int add_wait(const struct ep_guest *g, enum ep_work_profile which, enum ep_spot spot,
		    const char *what, const char *truth, struct ep_findings *f,
		    struct ep_err *err)
{
	ep_auto(ep_profile) p = NULL;
	struct sums s;
	double ns = (double)ep_truth_get(&g->told, truth);
	EP_TRY(ep_guest_profile(g, which, &p, err));
	EP_TRY(sum_spots(p, "delay", 0, &s, err));
	struct ep_finding *r = ep_finding_add(f, "Waiting", what, EP_UNIT_NS, ns,
					      (double)s.of[spot], ns * WAIT_BOUND);
	ep_finding_note(r, "%lld waits, each long enough to be sampled for certain; 5 %% for "
			   "what is between two clocks",
			(long long)ep_truth_get(&g->told, "waits"));
	return 0;
}

int ep_judge_wait(const struct ep_guest *g, struct ep_findings *f, struct ep_err *err)
{
	EP_TRY(add_wait(g, EP_WORK_BLOCK, EP_SPOT_WAITER, "waiting for a lock (block)", "waited",
			f, err));
	return add_wait(g, EP_WORK_MUTEX, EP_SPOT_HOLDER, "making others wait (mutex)", "held",
			f, err);
}

/* ---- memory, objects, scopes -------------------------------------------------------------- */

/* Of an estimate of so many bytes (docs/math/heap.md): the sum of n² (1 - p) / p. */
static double standard_error(double bytes, double mean, size_t (*size)(uint64_t))
{
	double sum = 0, variance = 0;
	for (uint64_t i = 0; sum < bytes; i++) {
		double n = (double)size(i), missed = exp(-n / mean);
		variance += n * n * missed / (1 - missed);
		sum += n;
	}
	return sqrt(variance);
}

static void add_bytes(const struct ep_guest *g, const struct ep_profile *p, const char *what,
		      const char *name, int64_t measured, size_t (*size)(uint64_t),
		      struct ep_findings *f)
{
	double truth = (double)ep_truth_get(&g->told, name);
	double se = standard_error(truth, (double)p->period, size);
	struct ep_finding *r = ep_finding_add(f, "Memory", what, EP_UNIT_BYTES, truth,
					      (double)measured, ep_odds_sum(se));
	ep_finding_note(r, "one byte in %lld is sampled: a standard error of %.2f %%",
			(long long)p->period, truth > 0 ? se / truth * 100 : 0);
}

static int judge_heap(const struct ep_guest *g, struct ep_findings *f, struct ep_err *err)
{
	ep_auto(ep_profile) p = NULL;
	struct sums live, all;
	EP_TRY(ep_guest_profile(g, EP_WORK_HEAP, &p, err));
	EP_TRY(sum_spots(p, "inuse_space", 0, &live, err));
	EP_TRY(sum_spots(p, "alloc_space", 0, &all, err));
	add_bytes(g, p, "a leak", "leak_a", live.of[EP_SPOT_LEAK_A], ep_work_leak_bytes, f);
	add_bytes(g, p, "another leak", "leak_b", live.of[EP_SPOT_LEAK_B], ep_work_leak_bytes, f);
	add_bytes(g, p, "allocated and freed", "churn", all.of[EP_SPOT_CHURN],
		  ep_work_churn_bytes, f);
	struct ep_finding *r = ep_finding_add(f, "Memory", "of that, still in use",
					      EP_UNIT_BYTES, 0, (double)live.of[EP_SPOT_CHURN], 0);
	ep_finding_note(r, "exact: what is freed is gone");
	return 0;
}

static int judge_objects(const struct ep_guest *g, struct ep_findings *f, struct ep_err *err)
{
	ep_auto(ep_profile) p = NULL;
	struct sums s;
	EP_TRY(ep_guest_profile(g, EP_WORK_CUSTOM, &p, err));
	EP_TRY(sum_spots(p, EP_WORK_CUSTOM_NAME, 0, &s, err));
	struct ep_finding *r = ep_finding_add(f, "Counts", "objects of a custom profile",
					      EP_UNIT_COUNT,
					      (double)ep_truth_get(&g->told, "objects"),
					      (double)s.of[EP_SPOT_OPENER], 0);
	ep_finding_note(r, "exact");
	return 0;
}

static int judge_scopes(const struct ep_guest *g, struct ep_findings *f, struct ep_err *err)
{
	ep_auto(ep_profile) p = NULL;
	EP_TRY(ep_guest_profile(g, EP_WORK_SCOPES, &p, err));
	struct ep_slice first = p->n_sample_types ? ep_profile_str(p, p->sample_types[0].type)
						  : ep_slice_of("");
	char column[64];
	snprintf(column, sizeof(column), "%.*s", EP_SLICE_ARG(first));
	for (int i = 0; i < N_PARTS; i++) {
		char what[64];
		snprintf(what, sizeof(what), "scopes entered: part=%s", parts[i]);
		struct ep_finding *r =
			ep_finding_add(f, "Counts", what, EP_UNIT_COUNT,
				       (double)ep_truth_get(&g->told, "turns"),
				       (double)sum_label(p, column, "part", parts[i]), 0);
		ep_finding_note(r, "exact");
	}
	return 0;
}

int ep_judge_keep(const struct ep_guest *g, struct ep_findings *f, struct ep_err *err)
{
	EP_TRY(judge_heap(g, f, err));
	EP_TRY(judge_objects(g, f, err));
	return judge_scopes(g, f, err);
}
