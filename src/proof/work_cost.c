/*
 * work_cost.c - what sampling costs a program that computes: on against off, in one run.
 *
 * A thread works some thirty calls deep.  Windows of sampling alternate with windows
 * without; what lies between, switching, is in neither.  Two figures come of it:
 *   the CPU time of an operation in each window, for pairs of on and off;
 *   how long the thread is held up at a time, for what one sample costs: the kernel's
 *   delivery and the handler.  Sampling is asked for 1,000 times a second here, so that
 *   every tick of the kernel brings a sample, and the middle hold-up of on is a tick
 *   with one, that of off a tick without.
 */
#include "proof/workload.h"

#include "base/clock.h"
#include "proof/truth.h"

#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

enum { DEPTH = 28, MAX_PHASES = 2000, MAX_GAPS = 1 << 16, WINDOW_MS = 100 };
#define GAP_NS 1500 /* an operation takes a third of it */

static struct {
	_Atomic int phase; /* 1, 2, …; 0: between two */
	_Atomic bool done;
	double cost[MAX_PHASES]; /* CPU ns an operation; even phases are on */
	uint32_t gaps[2][MAX_GAPS];
	uint32_t n_gaps[2];
	_Atomic uint64_t sink;
} state;

static uint64_t operation(uint64_t x)
{
	uint64_t h = x | 1;
	for (int i = 0; i < 200; i++) {
		h ^= h << 13;
		h ^= h >> 7;
		h ^= h << 17;
	}
	return h;
}

static void note_gap(int phase, uint64_t ns)
{
	int on = phase % 2 == 0;
	if (ns > GAP_NS && state.n_gaps[on] < MAX_GAPS)
		state.gaps[on][state.n_gaps[on]++] = (uint32_t)(ns < UINT32_MAX ? ns : UINT32_MAX);
}

static void work_phase(int phase)
{
	uint64_t n = 0, acc = 0, begin = ep_clock_read_ns(CLOCK_THREAD_CPUTIME_ID);
	for (; atomic_load_explicit(&state.phase, memory_order_relaxed) == phase; n++) {
		uint64_t t = ep_clock_mono_ns();
		acc += operation(n);
		if (phase)
			note_gap(phase, ep_clock_mono_ns() - t);
		if (atomic_load_explicit(&state.done, memory_order_relaxed))
			break;
	}
	uint64_t used = ep_clock_read_ns(CLOCK_THREAD_CPUTIME_ID) - begin;
	if (phase && n)
		state.cost[phase] = (double)used / (double)n;
	atomic_fetch_add(&state.sink, acc);
}

/* The frames of a request: none inlined, no tail calls. */
__attribute__((noinline)) static uint64_t descend(int depth)
{
	volatile uint64_t local[4] = {1, 2, 3, 4};
	if (depth)
		local[0] = descend(depth - 1);
	else
		while (!atomic_load(&state.done))
			work_phase(atomic_load(&state.phase));
	return local[0] + local[depth & 3];
}

static void *work(void *unused)
{
	(void)unused;
	(void)descend(DEPTH);
	return NULL;
}

static int by_size(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return (x > y) - (x < y);
}

static int64_t middle(uint32_t *v, uint32_t n)
{
	if (!n)
		return 0;
	qsort(v, n, sizeof(v[0]), by_size);
	return v[n / 2];
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

/* Mean of the middle eight tenths and its 95 % interval, told in parts of a billion: a
 * pair that something else of the machine fell into says nothing of us. */
static void tell_pairs(const struct ep_work *w, double *v, size_t n)
{
	double sum = 0, square = 0, mean;
	qsort(v, n, sizeof(v[0]), by_value);
	size_t lo = n / 10, hi = n - n / 10, m = hi - lo;
	for (size_t i = lo; i < hi; i++)
		sum += v[i];
	mean = m ? sum / (double)m : 0;
	for (size_t i = lo; i < hi; i++)
		square += (v[i] - mean) * (v[i] - mean);
	double margin = m > 1 ? 1.96 * sqrt(square / (double)(m - 1) / (double)m) : 0;
	ep_truth_tell(w->truth, "pairs", (int64_t)n);
	ep_truth_tell(w->truth, "pair.mean", (int64_t)(mean * 1e9));
	ep_truth_tell(w->truth, "pair.margin", (int64_t)(margin * 1e9));
}

/* Each on window against the mean of the two beside it. */
static void tell(const struct ep_work *w, int n_phases)
{
	static double pairs[MAX_PHASES];
	size_t n = 0;
	for (int p = 2; p + 1 <= n_phases; p += 2) {
		double a = state.cost[p - 1], b = state.cost[p + 1], on = state.cost[p];
		if (a > 0 && b > 0 && on > 0)
			pairs[n++] = 2 * on / (a + b) - 1;
	}
	tell_pairs(w, pairs, n);
	ep_truth_tell(w->truth, "gaps.off", state.n_gaps[0]);
	ep_truth_tell(w->truth, "gaps.on", state.n_gaps[1]);
	ep_truth_tell(w->truth, "gap.off", middle(state.gaps[0], state.n_gaps[0]));
	ep_truth_tell(w->truth, "gap.on", middle(state.gaps[1], state.n_gaps[1]));
}

static void window(int phase)
{
	atomic_store(&state.phase, phase);
	nanosleep(&(struct timespec){0, WINDOW_MS * (long)EP_NS_PER_MS}, NULL);
	atomic_store(&state.phase, 0);
}

static int toggle(const struct ep_work *w, int fd, int *ret_n)
{
	uint64_t until = ep_clock_mono_ns() + (uint64_t)(w->seconds * 1e9);
	int p = 0, rc = 0;
	window(++p);
	while (rc == 0 && p + 2 < MAX_PHASES && ep_clock_mono_ns() < until) {
		rc = w->lib.cpu_start(fd);
		if (rc == 0) {
			window(++p);
			rc = w->lib.cpu_stop();
		}
		window(++p);
	}
	*ret_n = p;
	return rc;
}

int ep_work_cost(const struct ep_work *w)
{
	pthread_t t;
	int n = 0, fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	ep_truth_tell_phase(w->truth, "overhead");
	if (fd < 0 || pthread_create(&t, NULL, work, NULL)) {
		close(fd);
		return -1;
	}
	int rc = toggle(w, fd, &n);
	atomic_store(&state.done, true);
	pthread_join(t, NULL);
	close(fd);
	tell(w, n);
	return rc;
}
