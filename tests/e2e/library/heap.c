/*
 * heap.c - a program whose heap is known: what it allocated, what of it is live, where.
 *
 * heap MEGABYTES: three sites keep, drop and replace objects of several sizes; prints
 * "SITE alloc_bytes live_bytes alloc_objects live_objects" a line, then exits.
 */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SITE __attribute__((noinline, noclone))

struct count {
	uint64_t alloc_bytes, live_bytes, alloc_objects, live_objects;
};
static struct count kept, dropped, grown;
static void *volatile sink;

static void add(struct count *c, uint64_t n, int live)
{
	c->alloc_bytes += n;
	c->alloc_objects++;
	c->live_bytes += live ? n : 0;
	c->live_objects += live ? 1 : 0;
}

SITE static void keep_small(size_t n)
{
	void **p = malloc(n);
	*p = sink; /* a list, so that nothing is lost */
	sink = p;
	add(&kept, n, 1);
}

SITE static void drop_again(size_t n)
{
	char *p = calloc(1, n);
	p[n / 2] = 1;
	void *volatile q = p;
	free(q);
	add(&dropped, n, 0);
}

SITE static void grow_by_realloc(void)
{
	char *p = NULL;
	for (size_t n = 1000; n <= 64000; n *= 2) {
		p = realloc(p, n);
		p[n - 1] = 1;
		add(&grown, n, n * 2 > 64000);
	}
	*(void **)p = sink;
	sink = p;
}

static void *work(void *arg)
{
	uint64_t bytes = (uint64_t)(uintptr_t)arg << 20;
	for (uint64_t i = 0; kept.alloc_bytes < bytes; i++) {
		keep_small(16 + i % 200 * 8);
		drop_again(100 + i % 50 * 40);
		if (i % 100 == 0)
			grow_by_realloc();
	}
	return NULL;
}

static void print(const char *name, const struct count *c)
{
	printf("%s %lu %lu %lu %lu\n", name, c->alloc_bytes, c->live_bytes, c->alloc_objects,
	       c->live_objects);
}

int main(int argc, char **argv)
{
	pthread_t t;
	uintptr_t megabytes = argc > 1 ? strtoul(argv[1], NULL, 10) : 64;
	if (pthread_create(&t, NULL, work, (void *)megabytes) || pthread_join(t, NULL))
		return 1;
	print("keep_small", &kept);
	print("drop_again", &dropped);
	print("grow_by_realloc", &grown);
	return 0;
}
