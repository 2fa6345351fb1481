/*
 * work_cost.c - what sampling costs a program that computes: on against off, in one run.
 *
 * A thread works some thirty calls deep.  Windows of sampling alternate with windows
 * without; what lies between, switching, is in neither.  After each small operation it
 * reads its CPU clock, and keeps what took longer than an operation does: the kernel's
 * tick, and with sampling the delivery of a signal and the handler.  The share of CPU
 * time that goes there, on less off, is what sampling costs.  Time off the CPU is in no
 * CPU clock, and how fast the machine computes is in no difference, so other programs
 * disturb it little.
 *
 * Sampling is asked for 1,000 times a second, so that every tick brings a sample.
 */
#include "proof/workload.h"

#include "base/clock.h"
#include "proof/truth.h"

#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { DEPTH = 28, MAX_PHASES = 2000, N_TRIAL = 101, WINDOW_MS = 100 };
#define LONGER_NS 700	/* than an operation of a microsecond or two */
#define MOST_NS 100000 /* what is longer is the machine's: a migration, a stolen CPU */

static struct {
	_Atomic int phase; /* 1, 2, …; 0: between two */
	_Atomic bool done;
	double share[MAX_PHASES]; /* of CPU time; even phases are on; < 0: not known */
	uint64_t n_longer[2];
	_Atomic uint64_t sink;
} state;

static uint64_t operation(uint64_t x)
{
	uint64_t h = x | 1;
	for (int i = 0; i < 400; i++) {
		h ^= h << 13;
		h ^= h >> 7;
		h ^= h << 17;
	}
	return h;
}

static uint64_t cpu_ns(void)
{
	return ep_clock_read_ns(CLOCK_THREAD_CPUTIME_ID);
}

static int by_size(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return (x > y) - (x < y);
}

/* What an operation and a look at the clock take, now. */
static uint64_t usual_ns(void)
{
	uint64_t took[N_TRIAL], t = cpu_ns(), acc = 0;
	for (int i = 0; i < N_TRIAL; i++) {
		acc += operation((uint64_t)i);
		uint64_t t1 = cpu_ns();
		took[i] = t1 - t;
		t = t1;
	}
	atomic_fetch_add(&state.sink, acc);
	qsort(took, N_TRIAL, sizeof(took[0]), by_size);
	return took[N_TRIAL / 2];
}

static bool is_phase(int phase)
{
	return atomic_load_explicit(&state.phase, memory_order_relaxed) == phase &&
	       !atomic_load_explicit(&state.done, memory_order_relaxed);
}

/* Intervals follow each other without a hole, so that nothing falls between two. */
static void work_phase(int phase)
{
	uint64_t usual = usual_ns(), begin = cpu_ns(), t = begin, longer = 0, dropped = 0, acc = 0;
	for (uint64_t n = 0; is_phase(phase); n++) {
		acc += operation(n);
		uint64_t t1 = cpu_ns(), took = t1 - t;
		t = t1;
		if (took > usual + MOST_NS) {
			dropped += took;
		} else if (took > usual + LONGER_NS) {
			longer += took - usual;
			state.n_longer[phase % 2 == 0]++;
		}
	}
	atomic_fetch_add(&state.sink, acc);
	uint64_t used = t - begin - dropped;
	state.share[phase] = used > EP_NS_PER_MS ? (double)longer / (double)used : -1;
}

/* The frames of a request: none inlined, no tail calls. */
__attribute__((noinline)) static uint64_t descend(int depth)
{
	volatile uint64_t local[4] = {1, 2, 3, 4};
	if (depth)
		local[0] = descend(depth - 1);
	else
		while (!atomic_load(&state.done))
			work_phase(atomic_load(&state.phase)); /* 0 has its row, too */
	return local[0] + local[depth & 3];
}

static void *work(void *unused)
{
	(void)unused;
	(void)descend(DEPTH);
	return NULL;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

/* Mean of the middle eight tenths and its 95 % interval, told in parts of a billion: a
 * pair that something else of the machine fell into says nothing of us. */
static void tell_pairs(const struct ep_work *w, const char *what, double *v, size_t n)
{
	char name[32];
	double sum = 0, square = 0, mean;
	qsort(v, n, sizeof(v[0]), by_value);
	size_t lo = n / 10, hi = n - n / 10, m = hi - lo;
	for (size_t i = lo; i < hi; i++)
		sum += v[i];
	mean = m ? sum / (double)m : 0;
	for (size_t i = lo; i < hi; i++)
		square += (v[i] - mean) * (v[i] - mean);
	double margin = m > 1 ? 1.96 * sqrt(square / (double)(m - 1) / (double)m) : 0;
	snprintf(name, sizeof(name), "%s.pairs", what);
	ep_truth_tell(w->truth, name, (int64_t)n);
	snprintf(name, sizeof(name), "%s.mean", what);
	ep_truth_tell(w->truth, name, (int64_t)(mean * 1e9));
	snprintf(name, sizeof(name), "%s.margin", what);
	ep_truth_tell(w->truth, name, (int64_t)(margin * 1e9));
}

/* Each on window against the mean of the two beside it. */
static void tell(const struct ep_work *w, int n_phases)
{
	static double more[MAX_PHASES];
	size_t n = 0;
	for (int p = 2; p + 1 <= n_phases; p += 2) {
		const double *s = &state.share[p];
		if (s[-1] >= 0 && s[0] >= 0 && s[1] >= 0)
			more[n++] = s[0] - (s[-1] + s[1]) / 2;
	}
	tell_pairs(w, "toggled", more, n);
	ep_truth_tell(w->truth, "ticks.off", (int64_t)state.n_longer[0]);
	ep_truth_tell(w->truth, "ticks.on", (int64_t)state.n_longer[1]);
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
