/* livetasks.c - see livetasks.h. */
#include "inproc/livetasks.h"

#include "base/clock.h"
#include "everprof.h"
#include "inproc/config.h"
#include "inproc/debugtext.h"
#include "inproc/labels.h"
#include "inproc/mem_own.h"
#include "inproc/registry.h"
#include "inproc/siterows.h"
#include "inproc/start.h"
#include "inproc/sig/desk.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>

#define EXPORTED __attribute__((visibility("default")))

enum {
	PLACE_BITS = 22, /* of an id; above them, how often the place was used */
	CHUNK = 4096,	 /* places that come at once */
	SHARDS = 16,	 /* lists of free places, by thread */
	MAX_SITES = 4096,
	MAX_SITE_FRAMES = 1 << 17,
};
_Static_assert(EP_LIVETASKS_MAX == 1 << PLACE_BITS, "an id names each place");

struct place {
	_Atomic uint64_t id;	  /* of the task that is open here; 0: none */
	_Atomic uint64_t used;	  /* times */
	_Atomic uint64_t born_ns; /* of the coarse clock: within some milliseconds */
	_Atomic(const char *) type; /* of the label set: for its children */
	_Atomic uint32_t site;
	_Atomic uint32_t next; /* free one, + 1 */
};

/* Free places: the first + 1 in the low half, a count of changes in the high one. */
struct shard {
	_Atomic uint64_t head;
} __attribute__((aligned(64)));

static struct place *_Atomic chunks[EP_LIVETASKS_MAX / CHUNK];
static _Atomic uint32_t n_places; /* ever used; may pass the maximum */
static struct shard shards[SHARDS];
static struct ep_sites sites;
static _Atomic uint64_t n_taken, n_lost, n_truncated, n_open, n_strangers;
static uint64_t from_ns;
static bool is_known; /* as the kind "tasks" */
static bool takes;    /* there is room for stacks too */

static __thread uint64_t current __attribute__((tls_model("initial-exec")));

/* ---- places ------------------------------------------------------------------------------ */

static uint32_t my_shard(void)
{
	uint64_t self = (uint64_t)__builtin_thread_pointer();
	return (uint32_t)((self * 0x9e3779b97f4a7c15ull) >> 60);
}

/* NULL: there never was one. */
static struct place *place_at(uint32_t i)
{
	struct place *c = i < EP_LIVETASKS_MAX
				  ? atomic_load_explicit(&chunks[i / CHUNK], memory_order_acquire)
				  : NULL;
	return c ? &c[i % CHUNK] : NULL;
}

static struct place *make_chunk(uint32_t i)
{
	struct place *none = NULL, *fresh = ep_mem_own_pages(CHUNK * sizeof(*fresh));
	/* Two at once: the pages of the second are given up, never written to. */
	if (fresh)
		(void)atomic_compare_exchange_strong(&chunks[i / CHUNK], &none, fresh);
	return place_at(i);
}

static void push(uint32_t at)
{
	struct shard *s = &shards[my_shard()];
	struct place *p = place_at(at);
	uint64_t head = atomic_load_explicit(&s->head, memory_order_relaxed), fresh;
	do {
		atomic_store_explicit(&p->next, (uint32_t)head, memory_order_relaxed);
		fresh = ((head >> 32) + 1) << 32 | (at + 1);
	} while (!atomic_compare_exchange_weak_explicit(&s->head, &head, fresh,
							memory_order_release,
							memory_order_relaxed));
}

static bool pop(struct shard *s, uint32_t *ret_at)
{
	uint64_t head = atomic_load_explicit(&s->head, memory_order_acquire), fresh;
	do {
		if (!(uint32_t)head)
			return false;
		/* It may be in use again by now; then the head has changed too. */
		struct place *p = place_at((uint32_t)head - 1);
		fresh = ((head >> 32) + 1) << 32 |
			atomic_load_explicit(&p->next, memory_order_relaxed);
	} while (!atomic_compare_exchange_weak_explicit(&s->head, &head, fresh,
							memory_order_acquire,
							memory_order_acquire));
	*ret_at = (uint32_t)head - 1;
	return true;
}

/* A free one of ours, of others (who end what we begin), or a new one. */
static struct place *take_place(uint32_t *ret_at)
{
	uint32_t mine = my_shard();
	for (uint32_t i = 0; i < SHARDS; i++)
		if (pop(&shards[(mine + i) % SHARDS], ret_at))
			return place_at(*ret_at);
	if (atomic_load_explicit(&n_places, memory_order_relaxed) >= EP_LIVETASKS_MAX)
		return NULL;
	*ret_at = atomic_fetch_add_explicit(&n_places, 1, memory_order_relaxed);
	if (*ret_at >= EP_LIVETASKS_MAX)
		return NULL;
	struct place *p = place_at(*ret_at);
	return p ? p : make_chunk(*ret_at);
}

static struct place *place_of(uint64_t id)
{
	return id ? place_at((uint32_t)id & (EP_LIVETASKS_MAX - 1)) : NULL;
}

/* ---- the kind of profile ------------------------------------------------------------------- */

static void add_rows(struct ep_tally *t)
{
	uint32_t n = atomic_load(&n_places);
	uint64_t now = ep_clock_mono_ns();
	for (uint32_t i = 0; i < n && i < EP_LIVETASKS_MAX; i++) {
		const struct place *p = place_at(i);
		uint64_t id = p ? atomic_load_explicit(&p->id, memory_order_acquire) : 0;
		if (!id)
			continue;
		uint32_t site = atomic_load_explicit(&p->site, memory_order_relaxed);
		uint64_t born = atomic_load_explicit(&p->born_ns, memory_order_relaxed);
		atomic_thread_fence(memory_order_acquire);
		if (atomic_load_explicit(&p->id, memory_order_relaxed) != id ||
		    site == EP_SITES_NONE)
			continue;
		const char *age =
			ep_siterows_age((uint32_t)((now > born ? now - born : 0) / EP_NS_PER_S));
		ep_siterows_add(t, &sites, &sites.slots[site], age,
				(int64_t[EP_TALLY_VALUES]){1});
	}
}

static bool take(const struct ep_kind *k, enum ep_kind_form form, struct ep_batch *ret_b)
{
	struct ep_tally *t = ep_tally_new();
	(void)form; /* what is open now, either way */
	if (!t || !ep_batch_init(ret_b, k->shape, t)) {
		ep_tally_free(t);
		return false;
	}
	ret_b->period = 1;
	ret_b->from_ns = from_ns;
	add_rows(t);
	ret_b->ledger = (struct ep_ledger){.taken = atomic_load(&n_taken),
					   .lost = atomic_load(&n_lost),
					   .truncated = atomic_load(&n_truncated),
					   .misused = atomic_load(&n_strangers)};
	ret_b->ledger.asked = ret_b->ledger.taken + ret_b->ledger.lost;
	return true;
}

static uint64_t count(const struct ep_kind *k)
{
	(void)k;
	return atomic_load_explicit(&n_open, memory_order_relaxed);
}

static const struct ep_write_shape shape = {
	.name = "tasks",
	.values = {{"tasks", "count"}},
	.period = {"tasks", "count"},
	.default_type = "tasks",
};

static const struct ep_kind kind = {
	.name = "tasks",
	.description = "Tasks that are open: where they began, under which labels, how long ago.",
	.shape = &shape,
	.take = take,
	.text = ep_debugtext_counts,
	.count = count,
	.push_every_ns = 60 * EP_NS_PER_S,
};

/* The program may have a profile of this name already. */
static void enlist(void)
{
	from_ns = ep_clock_wall_ns();
	is_known = ep_registry_add(&kind) == 0;
}

void ep_livetasks_start(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pthread_once(&once, enlist);
}

/* At the first task: stacks need the code, also where nothing else runs. */
static void begin_to_know(void)
{
	void *memory = ep_mem_own_pages(ep_sites_bytes(MAX_SITES, MAX_SITE_FRAMES));
	if (!memory)
		return;
	ep_sites_init(&sites, memory, MAX_SITES, MAX_SITE_FRAMES);
	ep_livetasks_start();
	takes = is_known;
	ep_start_know_code();
}

/* ---- begin ---------------------------------------------------------------------------------- */

/* The labels of the last task, which are those of the next one, mostly. */
static __thread struct {
	const everprof_labels *base, *set;
	const char *type, *parent; /* interned */
} last __attribute__((tls_model("initial-exec")));

static const char *value_of(const everprof_labels *set, const char *key)
{
	for (uint32_t i = 0; set && i < set->n; i++)
		if (ep_slice_is(set->pairs[i].key, key))
			return set->pairs[i].value.p;
	return NULL;
}

static const everprof_labels *labels_of(const char *type, const char *parent)
{
	const everprof_labels *base = everprof_labels_current();
	if (last.set && last.base == base && last.parent == parent && !strcmp(last.type, type))
		return last.set;
	const everprof_labels *set =
		everprof_labels_derive(base, "task", type, "parent_task", parent);
	const char *interned = value_of(set, "task");
	if (interned) {
		last.base = base;
		last.set = set;
		last.type = interned;
		last.parent = parent;
	}
	return set;
}

/* The type of the task this thread works on; NULL: it works on none, or that has ended. */
static const char *type_of_parent(void)
{
	const struct place *p = place_of(current);
	const char *type = p ? atomic_load_explicit(&p->type, memory_order_relaxed) : NULL;
	atomic_thread_fence(memory_order_acquire);
	return type && atomic_load_explicit(&p->id, memory_order_relaxed) == current ? type : NULL;
}

static uint32_t site_here(const everprof_labels *labels, const void *return_address)
{
	struct ep_desk *d = ep_desk_take();
	uint32_t site = EP_SITES_NONE;
	if (d && ep_desk_walk(d, return_address)) {
		site = ep_sites_find_or_add(&sites, d->frames, d->n_frames, d->truncated, labels);
		if (d->truncated)
			atomic_fetch_add_explicit(&n_truncated, 1, memory_order_relaxed);
	}
	if (d)
		ep_desk_give(d);
	return site;
}

static uint64_t coarse_ns(void)
{
	struct timespec t;
	(void)clock_gettime(CLOCK_MONOTONIC_COARSE, &t); /* it is there on all we run on */
	return (uint64_t)t.tv_sec * EP_NS_PER_S + (uint64_t)t.tv_nsec;
}

EXPORTED everprof_task *(everprof_task_begin)(const char *type)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	int saved = errno;
	uint32_t at;
	pthread_once(&once, begin_to_know);
	errno = saved;
	struct place *p = takes ? take_place(&at) : NULL;
	if (!p) {
		atomic_fetch_add_explicit(&n_lost, 1, memory_order_relaxed);
		return NULL;
	}
	const everprof_labels *labels = labels_of(type ? type : "", type_of_parent());
	uint32_t site = site_here(labels, __builtin_return_address(0));
	uint64_t used = atomic_load_explicit(&p->used, memory_order_relaxed) + 1;
	uint64_t id = used << PLACE_BITS | at;
	atomic_thread_fence(memory_order_release); /* who sees what follows sees id 0 first */
	atomic_store_explicit(&p->used, used, memory_order_relaxed);
	atomic_store_explicit(&p->born_ns, coarse_ns(), memory_order_relaxed);
	atomic_store_explicit(&p->type, last.set == labels ? last.type : NULL,
			      memory_order_relaxed);
	atomic_store_explicit(&p->site, site, memory_order_relaxed);
	atomic_store_explicit(&p->id, id, memory_order_release);
	atomic_fetch_add_explicit(site == EP_SITES_NONE ? &n_lost : &n_taken, 1,
				  memory_order_relaxed);
	atomic_fetch_add_explicit(&n_open, 1, memory_order_relaxed);
	return (everprof_task *)(uintptr_t)id;
}

/* ---- end -------------------------------------------------------------------------------------- */

static int stranger(void)
{
	if (atomic_fetch_add_explicit(&n_strangers, 1, memory_order_relaxed) == 0)
		ep_config_say("everprof_task_end() was called for a task that is not open, most "
			      "likely twice; nothing was ended");
	return -ENOENT;
}

EXPORTED int everprof_task_end(everprof_task *task)
{
	uint64_t id = (uintptr_t)task;
	struct place *p = place_of(id);
	if (!task)
		return 0;
	if (!p || !atomic_compare_exchange_strong_explicit(&p->id, &(uint64_t){id}, 0,
							   memory_order_acq_rel,
							   memory_order_relaxed))
		return stranger();
	push((uint32_t)id & (EP_LIVETASKS_MAX - 1));
	atomic_fetch_sub_explicit(&n_open, 1, memory_order_relaxed);
	return 0;
}

EXPORTED everprof_task *everprof_task_attach(everprof_task *task)
{
	uint64_t before = current;
	current = (uintptr_t)task;
	return (everprof_task *)(uintptr_t)before;
}

uint64_t ep_livetasks_n_strangers(void)
{
	return atomic_load_explicit(&n_strangers, memory_order_relaxed);
}
