/*
 * heap.c - a load of malloc and free, with a profiler in front of them or not.
 *
 * Each pair frees a random one of 16,384 live objects and allocates another: 90 % of 16 to
 * 256 bytes, 9 % to 4 KB, 1 % to 64 KB (670 on average), 27 frames deep, from 16 places.
 *
 *     run=1      a plain run: CPU time a pair
 *     paired=1   by turns through malloc() and free() as the program finds them, and through
 *                those of the library next=FILE, each with 8,192 live objects of its own,
 *                and after 20 turns they change places: what stands in front of them, in
 *                one process
 *     hot=1      as paired, with malloc(size=64) and its free and nothing else
 *     [threads=2] [turns=400] [batch=4096]
 *
 * Nothing is linked: profilers are preloaded.
 */
#include "chain.h"
#include "load.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdbool.h>
#include <unistd.h>

enum { SLOTS = 16384, MAX_TURNS = 4096, MAX_THREADS = 8, BATCH = 256, TURNS_A_SIDE = 20, WARM_UP = 100 };

struct allocator {
	void *(*malloc)(size_t);
	void (*free)(void *);
};

struct world {
	struct allocator by, was; /* of its objects */
	long n;
	void *slots[SLOTS];
};

struct worker {
	pthread_t thread;
	uint64_t seed;
	struct world *world; /* that is in use now */
	struct world worlds[2];
	double ns[2][MAX_TURNS];
};

static struct worker workers[MAX_THREADS];
static long turns, batch, size, is_hot;
static volatile uint64_t sink;

static size_t pick(uint64_t r)
{
	uint32_t k = (uint32_t)(r >> 32) % 1000, v = (uint32_t)r;
	return k < 900 ? 16 + v % 241 : k < 990 ? 256 + v % 3841 : 4096 + v % 61441;
}

#define PLACE(n)                                                                       \
	NOINLINE static void *place##n(const struct allocator *by, size_t z)           \
	{                                                                              \
		char *p = by->malloc(z);                                               \
		if (!p)                                                                \
			abort();                                                       \
		p[0] = (char)n;                                                        \
		p[z - 1] = (char)n;                                                    \
		return p;                                                              \
	}
PLACE(0) PLACE(1) PLACE(2) PLACE(3) PLACE(4) PLACE(5) PLACE(6) PLACE(7)
PLACE(8) PLACE(9) PLACE(10) PLACE(11) PLACE(12) PLACE(13) PLACE(14) PLACE(15)
static void *(*const places[16])(const struct allocator *, size_t) = {
	place0, place1, place2,	 place3,  place4,  place5,  place6,  place7,
	place8, place9, place10, place11, place12, place13, place14, place15};

NOINLINE static uint64_t leaf(uint64_t x, void *arg)
{
	struct worker *w = arg;
	struct world *in = w->world;
	uint64_t acc = x;
	for (int i = 0; i < BATCH; i++) {
		uint64_t r = random_of(&w->seed), q = random_of(&w->seed);
		void **slot = &in->slots[q % in->n];
		in->by.free(*slot);
		*slot = places[q >> 40 & 15](&in->by, pick(r));
		acc += r;
	}
	return acc;
}

static void fill(struct worker *w, struct world *in)
{
	for (int i = 0; i < in->n; i++) {
		if (in->slots[i])
			in->was.free(in->slots[i]);
		in->slots[i] = places[i & 15](&in->by, pick(random_of(&w->seed)));
	}
	in->was = in->by;
}

static void churn(struct worker *w, long pairs)
{
	uint64_t acc = 0;
	for (long i = 0; i < pairs; i += BATCH)
		acc += descend(random_of(&w->seed), w);
	sink += acc;
}

NOINLINE static void pairs_of_one_size(const struct allocator *by, long pairs)
{
	for (long i = 0; i < pairs; i++) {
		char *p = by->malloc((size_t)size);
		__asm__ volatile("" ::"r"(p) : "memory");
		by->free(p);
	}
}

static double one_turn(struct worker *w, struct world *in)
{
	uint64_t from;
	w->world = in;
	if (!is_hot)
		churn(w, batch / 8 & ~(BATCH - 1)); /* its objects come into the cache */
	from = now_of(CLOCK_THREAD_CPUTIME_ID);
	if (is_hot)
		pairs_of_one_size(&in->by, batch);
	else
		churn(w, batch);
	return (double)(now_of(CLOCK_THREAD_CPUTIME_ID) - from) / (double)batch;
}

static struct allocator sides[2]; /* what the program finds; the next one */

static void *run_paired(void *arg)
{
	struct worker *w = arg;
	int swapped = 0;
	for (int i = 0; i < 2; i++)
		w->worlds[i].n = SLOTS / 2;
	for (long t = -WARM_UP; t < turns; t++) { /* at first, each place it samples is new */
		if (t % TURNS_A_SIDE == 0) {
			swapped ^= 1;
			for (int i = 0; i < 2; i++) {
				w->worlds[i].by = sides[i ^ swapped];
				if (!is_hot)
					fill(w, &w->worlds[i]);
			}
		}
		for (int i = 0; i < 2; i++) {
			int side = (int)(t & 1) ^ i;
			double ns = one_turn(w, &w->worlds[side ^ swapped]);
			if (t >= 0)
				w->ns[side][t] = ns;
		}
	}
	return NULL;
}

static void *run_plain(void *arg)
{
	struct worker *w = arg;
	w->world = &w->worlds[0];
	w->world->n = SLOTS;
	w->world->by = sides[0];
	fill(w, w->world);
	churn(w, turns * batch);
	return NULL;
}

static void report_paired(long threads)
{
	static double more[MAX_THREADS * MAX_TURNS], base[MAX_THREADS * MAX_TURNS];
	size_t n = 0;
	for (long i = 0; i < threads; i++)
		for (long t = 0; t < turns; t++, n++) {
			base[n] = workers[i].ns[1][t];
			more[n] = workers[i].ns[0][t] - workers[i].ns[1][t];
		}
	struct estimate e = estimate_of(more, n), b = estimate_of(base, n);
	printf("RESULT pairs=%zu base_ns=%.3f more_ns=%.3f error_ns=%.3f median_more_ns=%.3f\n", n,
	       b.mean, e.mean, e.error, e.median);
}

static struct allocator find_next(const char *file)
{
	void *lib = dlopen(file, RTLD_NOW | RTLD_NOLOAD);
	struct allocator a = {0};
	if (lib) {
		a.malloc = (void *(*)(size_t))dlsym(lib, "malloc");
		a.free = (void (*)(void *))dlsym(lib, "free");
	}
	if (!a.malloc || !a.free) {
		fprintf(stderr, "%s is not loaded\n", file);
		exit(1);
	}
	return a;
}

__attribute__((weak)) void report_times(void); /* heaptime.c, if it is there */

int main(int argc, char **argv)
{
	long threads = option(argc, argv, "threads", 2);
	turns = option(argc, argv, "turns", 400);
	is_hot = option(argc, argv, "hot", 0);
	batch = option(argc, argv, "batch", is_hot ? 20000 : 8192);
	size = option(argc, argv, "size", 64);
	bool paired = is_hot || option(argc, argv, "paired", 0);
	if (threads < 1 || threads > MAX_THREADS || turns > MAX_TURNS)
		return 2;
	sides[0] = (struct allocator){malloc, free};
	if (paired)
		sides[1] = find_next(word(argc, argv, "next", "libc.so.6"));
	uint64_t from = now_of(CLOCK_PROCESS_CPUTIME_ID);
	for (long i = 0; i < threads; i++) {
		struct worker *w = &workers[i];
		w->seed = (uint64_t)(i + 1) * 0x9e3779b97f4a7c15ull;
		pthread_create(&w->thread, NULL, paired ? run_paired : run_plain, w);
	}
	for (long i = 0; i < threads; i++)
		pthread_join(workers[i].thread, NULL);
	if (paired)
		report_paired(threads);
	else
		printf("RESULT cpu_ns=%.3f\n", (double)(now_of(CLOCK_PROCESS_CPUTIME_ID) - from) /
						       (double)(threads * turns * batch));
	if (report_times)
		report_times();
	fflush(stdout);
	_exit(0); /* a profiler's last push is not what is measured */
}
