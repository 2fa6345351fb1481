/*
 * work_keep.c - memory and objects of a known number: two leaks, a place that allocates
 * and frees, and the things of a custom profile.
 *
 * What leaks is large blocks that nobody touches: gigabytes of addresses, a few MB of
 * memory, and enough of them for a figure with a small sampling error.
 */
#include "proof/workload.h"

#include "base/mem.h"
#include "proof/spots.h"
#include "proof/truth.h"

#include <errno.h>
#include <pthread.h>

enum {
	N_OBJECTS = 1000,
	N_CLOSED = 250,
	KB = 1024,
};
#define LEAK_A_BYTES ((uint64_t)2 << 30)
#define LEAK_B_BYTES ((uint64_t)1 << 30)
#define CHURN_BYTES ((uint64_t)4 << 30)

static void *volatile sink;

EP_SPOT(leak_a) static uint64_t leak_a(size_t n)
{
	void *p = ep_alloc(n);
	sink = p;
	return p ? n : 0;
}

EP_SPOT(leak_b) static uint64_t leak_b(size_t n)
{
	void *p = ep_alloc(n);
	sink = p;
	return p ? n : 0;
}

EP_SPOT(churn) static uint64_t churn(size_t n)
{
	void *p = ep_alloc(n);
	sink = p;
	ep_free(sink);
	return p ? n : 0;
}

size_t ep_work_leak_bytes(uint64_t i)
{
	return (128 + i % 7 * 128) * KB;
}

size_t ep_work_churn_bytes(uint64_t i)
{
	return (1 + i % 31) * KB;
}

/* Until there are so many bytes, or memory is short. */
static int64_t fill(uint64_t (*allocate)(size_t), size_t (*bytes)(uint64_t), uint64_t want)
{
	uint64_t sum = 0, got = 1;
	for (uint64_t i = 0; sum < want && got; i++)
		sum += got = allocate(bytes(i));
	return (int64_t)sum;
}

EP_SPOT(opener) static void open_one(const struct ep_work *w, everprof_profile *p, uintptr_t key)
{
	(void)w->lib.profile_add(p, (const void *)key, 0); /* the count tells */
	__asm__ volatile("");
}

struct closing {
	const struct ep_work *w;
	everprof_profile *p;
};

/* Things end on another thread than they began on. */
static void *close_some(void *arg)
{
	struct closing *c = arg;
	for (uintptr_t i = 1; i <= N_CLOSED; i++)
		(void)c->w->lib.profile_remove(c->p, (const void *)(i * 16));
	return NULL;
}

static int keep_objects(const struct ep_work *w)
{
	everprof_profile *p = w->lib.profile_new(EP_WORK_CUSTOM_NAME);
	struct closing c = {w, p};
	pthread_t t;
	if (!p)
		return -errno;
	for (uintptr_t i = 1; i <= N_OBJECTS; i++)
		open_one(w, p, i * 16);
	int rc = pthread_create(&t, NULL, close_some, &c);
	if (rc)
		return -rc;
	pthread_join(t, NULL);
	ep_truth_tell(w->truth, "objects", N_OBJECTS - N_CLOSED);
	return 0;
}

int ep_work_keep(const struct ep_work *w)
{
	ep_truth_tell_phase(w->truth, "memory");
	ep_truth_tell(w->truth, "leak_a", fill(leak_a, ep_work_leak_bytes, LEAK_A_BYTES));
	ep_truth_tell(w->truth, "leak_b", fill(leak_b, ep_work_leak_bytes, LEAK_B_BYTES));
	ep_truth_tell(w->truth, "churn", fill(churn, ep_work_churn_bytes, CHURN_BYTES));
	return keep_objects(w);
}
