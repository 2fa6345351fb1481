/*
 * Works until its input ends; allocates 1,000 objects over that time.
 */
#include <everprof.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static volatile unsigned long sink;
static void *kept[1000];

__attribute__((noinline)) static void *allocate_here(void)
{
	void *p = malloc(100);
	sink++; /* or it is no frame */
	return p;
}

int main(void)
{
	struct pollfd in = {.fd = 0, .events = POLLIN};
	int n = 0;
	if (everprof_start(NULL) < 0)
		return 1;
	puts("ready");
	fflush(stdout);
	while (poll(&in, 1, 0) == 0) {
		for (int i = 0; i < 1000000; i++)
			sink += sink * 3 + 1;
		if (n < 1000)
			kept[n++] = allocate_here();
	}
	while (n < 1000)
		kept[n++] = allocate_here();
	return 0;
}
