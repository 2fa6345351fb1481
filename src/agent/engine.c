/*
 * engine.c - see engine.h.
 */
#include "agent/engine.h"

#include "agent/areas.h"
#include "base/clock.h"

struct ep_engine {
	struct ep_source *source;
	struct ep_images *images;
	struct ep_processes *processes;
	struct ep_areas *areas; /* NULL: the source does not walk by tables */
	struct ep_run_names names;
	struct ep_gather *gather;
	struct ep_source_stats round, totals;
	uint64_t from_ns;  /* wall clock of the drain before the last emit */
	uint64_t until_ns; /* of the last drain: samples up to here are in hand */
};

static void on_seen(void *arg, const struct ep_who *who, uint32_t tid, const char *comm)
{
	struct ep_engine *e = arg;
	/* Without memory: it comes again with its sample. */
	(void)ep_processes_get(e->processes, who, tid, comm, false);
}

static void on_sample(void *arg, const struct ep_raw *raw)
{
	struct ep_engine *e = arg;
	struct ep_raw r = *raw;
	uint64_t frames[EP_AREAS_MAX_FRAMES];
	const char *comm = r.process_comm[0] ? r.process_comm : r.comm;
	struct ep_process *p = NULL;
	if (r.from.pid || r.copy)
		p = ep_processes_get(e->processes, &r.who, r.tid, comm, false);
	if (p && r.from.pid)
		ep_processes_inherit(e->processes, p, &r.from);
	if (p && r.copy) {
		enum ep_step why;
		r.user = frames;
		r.n_user = ep_areas_walk(e->areas, p, r.copy, frames, &why);
		r.is_cut = why != EP_STEP_END && why != EP_STEP_OK;
		e->round.ended[why]++;
		e->totals.ended[why]++;
	}
	ep_gather_sample(e->gather, &r);
}

static void on_areas(void *arg, struct ep_process *p)
{
	struct ep_engine *e = arg;
	ep_areas_tell(e->areas, p);
}

static void on_forgotten(void *arg, struct ep_process *p)
{
	struct ep_engine *e = arg;
	ep_areas_forget(e->areas, p);
}

static int start_areas(struct ep_engine *e)
{
	const struct ep_process_watch watch = {on_areas, on_forgotten, e};
	const struct ep_source_memory *memory = ep_source_memory(e->source);
	if (!memory)
		return 0;
	EP_TRY(ep_areas_new(memory, e->images, &e->areas));
	ep_areas_share(e->areas);
	ep_processes_watch(e->processes, &watch);
	return 0;
}

static int start(struct ep_engine *e, const struct ep_engine_config *config)
{
	ep_run_names_init(&e->names);
	EP_TRY(ep_images_new(&e->images));
	EP_TRY(ep_processes_new(e->images, &e->processes));
	EP_TRY(start_areas(e));
	struct ep_gather_config gather = {
		.processes = e->processes,
		.images = e->images,
		.names = &e->names,
		.hz = config->hz,
		.in_one = config->in_one,
	};
	return ep_gather_new(&gather, &e->gather);
}

int ep_engine_new(const struct ep_engine_config *config, struct ep_source *source,
		  struct ep_engine **ret_e, struct ep_err *err)
{
	struct ep_engine *e = ep_zalloc(sizeof(*e));
	if (!e) {
		ep_source_free(source);
		return ep_fail(err, -ENOMEM, 0, "no memory for the agent");
	}
	e->source = source;
	e->from_ns = e->until_ns = ep_clock_wall_ns();
	if (start(e, config) < 0) {
		ep_engine_free(e);
		return ep_fail(err, -ENOMEM, 0, "no memory for the agent");
	}
	*ret_e = e;
	return 0;
}

void ep_engine_free(struct ep_engine *e)
{
	if (!e)
		return;
	ep_gather_free(e->gather);
	ep_processes_free(e->processes);
	ep_areas_free(e->areas);
	ep_source_free(e->source); /* last: it owns the memory that code fills */
	ep_images_free(e->images);
	ep_run_names_fini(&e->names);
	ep_free(e);
}

void ep_engine_offer(struct ep_engine *e, ep_image_offer_fn *offer, void *arg)
{
	ep_images_offer(e->images, offer, arg);
}

void ep_engine_wait(struct ep_engine *e, uint64_t until_ns, volatile int *stop)
{
	const struct ep_sink sink = {e, on_seen, on_sample};
	while (!*stop) {
		uint64_t now = ep_clock_mono_ns();
		if (now >= until_ns)
			return;
		uint64_t ms = (until_ns - now + EP_NS_PER_MS - 1) / EP_NS_PER_MS;
		/* A stop that comes just before the wait is seen within this. */
		if (ep_source_wait(e->source, ms > 500 ? 500 : (int)ms, &sink) < 0)
			return;
	}
}

static void add_stats(struct ep_source_stats *to, const struct ep_source_stats *s)
{
	to->asked += s->asked;
	to->taken += s->taken;
	to->lost += s->lost;
	for (int i = 0; i < EP_STEP_N; i++)
		to->ended[i] += s->ended[i];
}

int ep_engine_drain(struct ep_engine *e, struct ep_err *err)
{
	const struct ep_sink sink = {e, on_seen, on_sample};
	struct ep_source_stats s = {0};
	/* Before, not after: reading the files of new programs may take seconds on a
	 * busy machine, and what is sampled meanwhile belongs to the next interval. */
	uint64_t until_ns = ep_clock_wall_ns();
	EP_TRY(ep_source_drain(e->source, &sink, &s, err));
	e->until_ns = until_ns;
	if (e->areas)
		ep_areas_turn(e->areas);
	ep_processes_turn(e->processes);
	add_stats(&e->round, &s);
	add_stats(&e->totals, &s);
	return 0;
}

int ep_engine_emit(struct ep_engine *e, ep_gather_emit_fn *emit, void *arg,
		   struct ep_err *err)
{
	uint64_t until_ns = e->until_ns;
	uint64_t from_ns =
		e->from_ns < until_ns ? e->from_ns : until_ns; /* a clock set back */
	int rc = ep_gather_finish(e->gather, &e->round, from_ns, until_ns, emit, arg,
				  err);
	e->round = (struct ep_source_stats){0};
	e->from_ns = until_ns;
	return rc;
}

void ep_engine_totals(const struct ep_engine *e, struct ep_source_stats *ret_stats)
{
	*ret_stats = e->totals;
}

void ep_engine_areas(const struct ep_engine *e, struct ep_areas_stats *ret_stats)
{
	*ret_stats = (struct ep_areas_stats){0};
	if (e->areas)
		ep_areas_stats(e->areas, ret_stats);
}

struct ep_source *ep_engine_source(struct ep_engine *e)
{
	return e->source;
}
