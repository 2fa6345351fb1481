/*
 * labels.c - what a label scope costs: three labels set and restored.
 *
 * Rounds of each form by turns, the best of each, since the machine is shared.  The
 * bare form is one store of a thread's pointer and one back, in this program.
 */
#include "everprof.h"

#include <stdint.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

enum { ROUNDS = 40, TURNS = 200000 };

static __thread const void *volatile bare_labels;
static const everprof_labels *prebuilt;

static double now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void bare(void)
{
	const void *before = bare_labels;
	bare_labels = prebuilt;
	__asm__ volatile("" ::: "memory");
	bare_labels = before;
}

static void with(void)
{
	EVERPROF_WITH(prebuilt)
		__asm__ volatile("" ::: "memory");
}

static void from_strings(void)
{
	EVERPROF_LABELS("endpoint", "/cart", "method", "GET", "tenant", "acme")
		__asm__ volatile("" ::: "memory");
}

static void attach(void)
{
	(void)everprof_labels_attach(prebuilt); /* NULL before, and after */
	(void)everprof_labels_attach(NULL);
}


static void a_task(void)
{
	(void)everprof_task_end(everprof_task_begin("bench")); /* it is open */
}

static const struct {
	const char *name;
	void (*run)(void);
} forms[] = {{"bare: a store and one back", bare},
	     {"EVERPROF_WITH, prebuilt", with},
	     {"attach and detach, prebuilt", attach},
	     {"EVERPROF_LABELS, from strings", from_strings},
	     {"task begin and end", a_task}};
enum { N = sizeof(forms) / sizeof(forms[0]) };

static double round_of(int form)
{
	double from = now_ns();
	for (int i = 0; i < TURNS; i++) {
		forms[form].run();
		__asm__ volatile("" ::: "memory");
	}
	return (now_ns() - from) / TURNS;
}

static void measure(const char *when)
{
	double best[N];
	for (int f = 0; f < N; f++)
		best[f] = 1e9;
	for (int r = 0; r < ROUNDS; r++)
		for (int f = 0; f < N; f++) {
			double ns = round_of(f);
			best[f] = ns < best[f] ? ns : best[f];
		}
	for (int f = 0; f < N; f++)
		printf("%-12s %-32s %7.2f ns\n", when, forms[f].name, best[f]);
}

int main(void)
{
	everprof_config c = {.http = "127.0.0.1:0", .types = "none"};
	prebuilt = everprof_labels_derive(NULL, "endpoint", "/cart", "method", "GET", "tenant",
					  "acme");
	measure("not started");
	if (everprof_start(&c) < 0)
		return 1;
	measure("running");
	return 0;
}
