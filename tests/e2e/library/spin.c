/*
 * spin.c - CPU time with a known split: 70 : 20 : 10 in three functions, each under
 * a label of its own, on two threads.  spin SECONDS: CPU time of each thread.
 *
 * Prints what each function used by its own measure, and the whole process.  The
 * turns are of random length, so that no clock marches in step with them.
 */
#include <everprof.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

static __thread volatile unsigned long sink;

static unsigned long cpu_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (unsigned long)t.tv_sec * 1000000000ul + (unsigned long)t.tv_nsec;
}

#define SPIN(name)                                                             \
	__attribute__((noinline)) void name(unsigned long ns)                  \
	{                                                                      \
		unsigned long end = cpu_ns() + ns;                             \
		do                                                             \
			for (int i = 0; i < 2000; i++)                         \
				sink = sink + (unsigned long)i;                     \
		while (cpu_ns() < end);                                        \
	}

void spin_seventy(unsigned long ns);
void spin_twenty(unsigned long ns);
void spin_ten(unsigned long ns);
SPIN(spin_seventy)
SPIN(spin_twenty)
SPIN(spin_ten)

struct work {
	double seconds;
	unsigned long dice;
	unsigned long spent[3];
};

static void *work(void *arg)
{
	struct work *w = arg;
	w->dice = (unsigned long)w;
	unsigned long start = cpu_ns(), end = start + (unsigned long)(w->seconds * 1e9);
	for (unsigned long t0 = start, t1; t0 < end; t0 = t1) {
		w->dice = w->dice * 6364136223846793005ul + 1442695040888963407ul;
		unsigned long unit = 20000 + (w->dice >> 32) % 80000;
		EVERPROF_LABELS("part", "seventy")
			spin_seventy(unit * 7);
		w->spent[0] += (t1 = cpu_ns()) - t0;
		t0 = t1;
		EVERPROF_LABELS("part", "twenty")
			spin_twenty(unit * 2);
		w->spent[1] += (t1 = cpu_ns()) - t0;
		t0 = t1;
		EVERPROF_LABELS("part", "ten")
			spin_ten(unit);
		w->spent[2] += (t1 = cpu_ns()) - t0;
	}
	return NULL;
}

int main(int argc, char **argv)
{
	struct work a = {.seconds = argc > 1 ? atof(argv[1]) : 3}, b = a;
	pthread_t one, two;
	struct rusage r;
	if (everprof_start(NULL) < 0)
		return 1;
	everprof_thread_create(&one, NULL, work, &a);
	pthread_create(&two, NULL, work, &b);
	pthread_join(one, NULL);
	pthread_join(two, NULL);
	getrusage(RUSAGE_SELF, &r);
	printf("%lu %lu %lu %ld\n", a.spent[0] + b.spent[0], a.spent[1] + b.spent[1],
	       a.spent[2] + b.spent[2],
	       (r.ru_utime.tv_sec + r.ru_stime.tv_sec) * 1000000000l +
		       (r.ru_utime.tv_usec + r.ru_stime.tv_usec) * 1000l);
	return 0;
}
