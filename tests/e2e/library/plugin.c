/* plugin.c - a library that torture.c opens and closes. */
#include <time.h>

void library_work(double cpu);

__attribute__((visibility("default"))) void library_work(double cpu)
{
	struct timespec t;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	double end = (double)t.tv_sec + (double)t.tv_nsec / 1e9 + cpu;
	do {
		for (volatile int i = 0; i < 2000; i++)
			;
		clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	} while ((double)t.tv_sec + (double)t.tv_nsec / 1e9 < end);
}
