/*
 * labels.c - what a label scope costs: three labels set and restored.
 *
 * Rounds of each form by turns; the median and the best of them.  The bare form is one
 * store of a thread's pointer and one back, in this program.
 */
#include "everprof.h"
#include "load.h"

#include <malloc.h>
#include <sys/resource.h>

enum { ROUNDS = 60, TURNS = 200000 };

static __thread const void *volatile bare_labels;
static const everprof_labels *prebuilt;

#define FORM(name, ...)                                                                \
	static void name(void)                                                         \
	{                                                                              \
		for (int i = 0; i < TURNS; i++) {                                      \
			__VA_ARGS__                                                    \
			__asm__ volatile("" ::: "memory");                             \
		}                                                                      \
	}

FORM(bare, const void *before = bare_labels; bare_labels = prebuilt;
     __asm__ volatile("" ::: "memory"); bare_labels = before;)
FORM(with, EVERPROF_WITH(prebuilt) __asm__ volatile("" ::: "memory");)
FORM(from_strings, EVERPROF_LABELS("endpoint", "/cart", "method", "GET", "tenant", "acme")
			   __asm__ volatile("" ::: "memory");)
/* NULL before, and after. */
FORM(attach, (void)everprof_labels_attach(prebuilt); (void)everprof_labels_attach(NULL);)
FORM(a_task, (void)everprof_task_end(everprof_task_begin("bench"));)

static const struct {
	const char *name;
	void (*run)(void);
} forms[] = {{"floor", bare},
	     {"prebuilt", with},
	     {"attach", attach},
	     {"strings", from_strings},
	     {"task", a_task}};
enum { N = sizeof(forms) / sizeof(forms[0]) };

static double round_of(int form)
{
	uint64_t from = now_of(CLOCK_THREAD_CPUTIME_ID);
	forms[form].run();
	return (double)(now_of(CLOCK_THREAD_CPUTIME_ID) - from) / TURNS;
}

/* Pages this thread was given so far, and bytes of malloc. */
static uint64_t memory(void)
{
	struct rusage use;
	getrusage(RUSAGE_THREAD, &use);
	return (uint64_t)use.ru_minflt * 4096 + mallinfo2().uordblks;
}

int main(void)
{
	static double ns[N][ROUNDS];
	everprof_config c = {.http = "127.0.0.1:0", .types = "threads"};
	prebuilt = everprof_labels_derive(NULL, "endpoint", "/cart", "method", "GET", "tenant",
					  "acme");
	if (everprof_start(&c) < 0)
		return 1;
	uint64_t grown[N] = {0};
	memset(ns, 1, sizeof(ns)); /* its pages are there before memory() is asked */
	for (int r = -2; r < ROUNDS; r++)
		for (int f = 0; f < N; f++) {
			uint64_t before = memory();
			double took = round_of(f);
			grown[f] += r < 0 ? 0 : memory() - before;
			ns[f][r < 0 ? ROUNDS - 1 : r] = took;
		}
	for (int f = 0; f < N; f++) {
		struct estimate e = estimate_of(ns[f], ROUNDS);
		printf("RESULT form=%s ns=%.3f best_ns=%.3f grown_bytes=%llu\n", forms[f].name,
		       e.median, ns[f][0], (unsigned long long)grown[f]);
	}
	return 0;
}
