/*
 * work_spin.c - CPU time with a known split: 70 : 20 : 10 in three functions, each under
 * a label of its own, on two threads; and a third thread that sleeps meanwhile.
 *
 * What each function used is measured by the thread's CPU clock around it.  Turns are of
 * random length, so that no clock marches in step with them.
 */
#include "proof/workload.h"

#include "base/clock.h"
#include "proof/spots.h"
#include "proof/truth.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>

static __thread volatile uint64_t sink;

static uint64_t cpu_ns(void)
{
	return ep_clock_read_ns(CLOCK_THREAD_CPUTIME_ID);
}

/* Three of the same text, since each is to lie in a section of its own. */
#define SPIN(name)                                                                     \
	EP_SPOT(name) static void spin_##name(uint64_t ns)                             \
	{                                                                              \
		uint64_t end = cpu_ns() + ns;                                          \
		do                                                                     \
			for (int i = 0; i < 2000; i++)                                 \
				sink = sink + (uint64_t)i;                             \
		while (cpu_ns() < end);                                                \
	}
SPIN(heavy)
SPIN(middle)
SPIN(light)

static const struct {
	const char *name;
	void (*spin)(uint64_t ns);
	uint64_t weight;
} parts[] = {{"heavy", spin_heavy, 7}, {"middle", spin_middle, 2}, {"light", spin_light, 1}};
enum { N_PARTS = 3 };

struct spinner {
	const struct ep_work *w;
	uint64_t until_ns, dice;
	uint64_t spent_ns[N_PARTS], whole_ns, turns;
};

/* A scope as EVERPROF_LABELS makes it, by the functions under the macro. */
static void turn(struct spinner *s, int i, uint64_t unit)
{
	const struct ep_linked *l = &s->w->lib;
	everprof_scope_ scope = {0};
	l->scope_begin(&scope,
		       l->derive_n(l->labels_current(), 2, "part", parts[i].name));
	parts[i].spin(unit * parts[i].weight);
	l->scope_end(&scope);
}

static void *spin(void *arg)
{
	struct spinner *s = arg;
	uint64_t t0 = cpu_ns(), begin = t0;
	s->dice = (uint64_t)(uintptr_t)s;
	while (ep_clock_mono_ns() < s->until_ns) {
		s->dice = s->dice * 6364136223846793005u + 1442695040888963407u;
		uint64_t unit = 20000 + (s->dice >> 32) % 80000;
		t0 = cpu_ns();
		for (int i = 0; i < N_PARTS; i++) {
			turn(s, i, unit);
			uint64_t t1 = cpu_ns();
			s->spent_ns[i] += t1 - t0;
			t0 = t1;
		}
		s->turns++;
	}
	s->whole_ns = cpu_ns() - begin;
	return NULL;
}

struct sleeper {
	uint64_t until_ns, slept_ns, cpu_ns, interrupted;
};

EP_SPOT(sleeper) static void *sleep_on(void *arg)
{
	struct sleeper *s = arg;
	while (ep_clock_mono_ns() < s->until_ns) {
		uint64_t t = ep_clock_mono_ns();
		if (nanosleep(&(struct timespec){0, 50 * (long)EP_NS_PER_MS}, NULL) < 0 &&
		    errno == EINTR)
			s->interrupted++;
		s->slept_ns += ep_clock_mono_ns() - t;
	}
	s->cpu_ns = cpu_ns();
	return NULL;
}

static void tell(const struct ep_work *w, const struct spinner *a, const struct spinner *b,
		 const struct sleeper *s)
{
	for (int i = 0; i < N_PARTS; i++) {
		char name[32];
		snprintf(name, sizeof(name), "spent.%s", parts[i].name);
		ep_truth_tell(w->truth, name, (int64_t)(a->spent_ns[i] + b->spent_ns[i]));
	}
	ep_truth_tell(w->truth, "spent.carried", (int64_t)a->whole_ns);
	ep_truth_tell(w->truth, "spent.both", (int64_t)(a->whole_ns + b->whole_ns));
	ep_truth_tell(w->truth, "turns", (int64_t)(a->turns + b->turns));
	ep_truth_tell(w->truth, "slept", (int64_t)s->slept_ns);
	ep_truth_tell(w->truth, "sleeper.cpu", (int64_t)s->cpu_ns);
	ep_truth_tell(w->truth, "interrupted", (int64_t)s->interrupted);
}

/* The first thread gets its labels from us, by the library; the second has none. */
static int run_threads(const struct ep_work *w, struct spinner *a, struct spinner *b,
		       struct sleeper *s)
{
	const struct ep_linked *l = &w->lib;
	pthread_t one, two, three;
	everprof_scope_ scope = {0};
	l->scope_begin(&scope, l->derive_n(NULL, 2, "job", "carried"));
	int rc = l->thread_create(&one, NULL, spin, a);
	l->scope_end(&scope);
	if (rc)
		return -rc;
	if ((rc = pthread_create(&two, NULL, spin, b)) != 0) {
		pthread_join(one, NULL);
		return -rc;
	}
	if ((rc = pthread_create(&three, NULL, sleep_on, s)) == 0)
		pthread_join(three, NULL);
	pthread_join(one, NULL);
	pthread_join(two, NULL);
	return -rc;
}

int ep_work_spin(const struct ep_work *w)
{
	ep_truth_tell_phase(w->truth, "cpu");
	int rc = w->lib.cpu_start(w->profiles[EP_WORK_CPU]);
	if (rc < 0)
		return rc;
	uint64_t library_ns = ep_work_library_cpu_ns();
	uint64_t from_ns = ep_clock_read_ns(CLOCK_PROCESS_CPUTIME_ID);
	uint64_t wall_ns = ep_clock_mono_ns();
	uint64_t until_ns = wall_ns + (uint64_t)(w->seconds * 1e9);
	struct spinner a = {.w = w, .until_ns = until_ns}, b = a;
	struct sleeper s = {.until_ns = until_ns};
	ep_truth_tell(w->truth, "began", (int64_t)ep_clock_wall_ns());
	rc = run_threads(w, &a, &b, &s);
	uint64_t used_ns = ep_clock_read_ns(CLOCK_PROCESS_CPUTIME_ID) - from_ns;
	library_ns = ep_work_library_cpu_ns() - library_ns;
	ep_truth_tell(w->truth, "wall", (int64_t)(ep_clock_mono_ns() - wall_ns));
	ep_truth_tell(w->truth, "used", (int64_t)(used_ns - library_ns));
	ep_truth_tell(w->truth, "library", (int64_t)library_ns);
	tell(w, &a, &b, &s);
	int stopped = w->lib.cpu_stop();
	return rc < 0 ? rc : stopped;
}
