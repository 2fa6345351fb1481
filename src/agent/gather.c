/*
 * gather.c - see gather.h.
 */
#include "agent/gather.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/index.h"
#include "profile/build.h"
#include "profile/ledger.h"

#include <stdio.h>
#include <string.h>

enum {
	MAX_STACK = 512,
	MAX_GROUPS = 4096, /* services a round; more share one */
};

#define MAX_PROFILE_BYTES ((size_t)256 << 20)

/* One service's profile under construction. */
struct group {
	struct ep_service service;
	struct ep_build *build;
	uint64_t taken, truncated;
	/* A few indexes that every sample needs. */
	uint32_t kernel_mapping, jit_mapping;
	ep_str key_pid, key_comm, key_service;
};

struct ep_gather {
	struct ep_gather_config config;
	struct group *groups;
	uint32_t n, cap;
	struct ep_index index;
	uint64_t taken;
	bool failed;
};

/* The stack being made, leaf first. */
struct stack {
	struct group *g;
	uint32_t locations[MAX_STACK];
	uint32_t n;
	bool cut;
};

int ep_gather_new(const struct ep_gather_config *config, struct ep_gather **ret_f)
{
	struct ep_gather *f = ep_zalloc(sizeof(*f));
	if (!f)
		return -ENOMEM;
	f->config = *config;
	*ret_f = f;
	return 0;
}

static void drop_groups(struct ep_gather *f)
{
	for (uint32_t i = 0; i < f->n; i++)
		ep_build_free(f->groups[i].build);
	f->n = 0;
	f->taken = 0;
	f->failed = false;
	ep_index_clear(&f->index);
}

void ep_gather_free(struct ep_gather *f)
{
	if (!f)
		return;
	drop_groups(f);
	ep_index_fini(&f->index);
	ep_free(f->groups);
	ep_free(f);
}

static bool is_service(const struct ep_service *a, const struct ep_service *b)
{
	return !strcmp(a->name, b->name) && !strcmp(a->container, b->container) &&
	       !strcmp(a->version, b->version);
}

static int start_group(struct ep_gather *f, struct group *g, const struct ep_service *s)
{
	*g = (struct group){.service = *s};
	EP_TRY(ep_build_new(MAX_PROFILE_BYTES, &g->build));
	ep_build_sample_type(g->build, "samples", "count");
	ep_build_sample_type(g->build, "cpu", "nanoseconds");
	/* The first mapping of a profile passes for its program, so these come when the
	 * first frame needs them. */
	g->kernel_mapping = g->jit_mapping = EP_NONE;
	g->key_pid = ep_build_cstr(g->build, "pid");
	g->key_comm = ep_build_cstr(g->build, "comm");
	if (f->config.in_one)
		g->key_service = ep_build_cstr(g->build, "service_name");
	return 0;
}

static int reserve_group(struct ep_gather *f)
{
	if (f->n < f->cap)
		return 0;
	uint32_t cap = f->cap ? f->cap * 2 : 32;
	void *p = ep_realloc(f->groups, cap * sizeof(f->groups[0]));
	if (!p)
		return -ENOMEM;
	f->groups = p;
	f->cap = cap;
	return 0;
}

static struct group *find_group(struct ep_gather *f, const struct ep_service *s)
{
	static const struct ep_service one = {.name = ""};
	static const struct ep_service other = {.name = "__other__"};
	if (f->config.in_one)
		s = &one;
	uint64_t h = ep_hash64(s->name, strlen(s->name));
	h = ep_hash_mix(h, ep_hash64(s->container, strlen(s->container)));
	h = ep_hash_mix(h, ep_hash64(s->version, strlen(s->version)));
	struct ep_index_iter it;
	for (uint32_t i = ep_index_first(&f->index, h, &it); i != EP_INDEX_NONE;
	     i = ep_index_next(&f->index, &it))
		if (is_service(&f->groups[i].service, s))
			return &f->groups[i];
	if (f->n >= MAX_GROUPS && s != &other)
		return find_group(f, &other);
	if (reserve_group(f) < 0 || ep_index_add(&f->index, h, f->n) < 0)
		return NULL;
	if (start_group(f, &f->groups[f->n], s) < 0) {
		f->groups[f->n] =
			(struct group){.service = *s}; /* no build: all fails */
		f->failed = true;
	}
	return &f->groups[f->n++];
}

static void push(struct stack *st, uint32_t location)
{
	if (st->n < MAX_STACK)
		st->locations[st->n++] = location;
}

/* Frames in brackets say what is not known; a run of them says it once. */
static void push_once(struct stack *st, uint32_t location)
{
	if (!st->n || st->locations[st->n - 1] != location)
		push(st, location);
}

static uint32_t mapping_named(struct group *g, uint32_t *cache, const char *name)
{
	if (*cache == EP_NONE) {
		struct ep_mapping m = {.filename = ep_build_cstr(g->build, name),
				       .has_functions = true};
		*cache = ep_build_mapping(g->build, &m);
	}
	return *cache;
}

/* A frame that has its name already; no address, so that none gets out. */
static uint32_t named(struct group *g, uint32_t mapping, struct ep_slice name)
{
	ep_str s = ep_build_string(g->build, name);
	struct ep_function fn = {.name = s, .system_name = s};
	struct ep_line line = {.function = ep_build_function(g->build, &fn)};
	return ep_build_location(g->build, 0, mapping, &line, 1);
}

static uint32_t bracketed(struct group *g, const char *name)
{
	return named(g, EP_NONE, ep_slice_of(name));
}

/* Of a caller we have the address it returns to; the call is before that. */
static uint64_t call_site(const uint64_t *frames, uint32_t i)
{
	return i ? frames[i] - 1 : frames[i];
}

static void push_kernel(struct ep_gather *f, struct stack *st, const struct ep_raw *raw)
{
	uint32_t mapping = raw->n_kernel ? mapping_named(st->g, &st->g->kernel_mapping,
							 "[kernel.kallsyms]")
					 : EP_NONE;
	for (uint32_t i = 0; i < raw->n_kernel; i++) {
		struct ep_slice name;
		uint64_t at = call_site(raw->kernel, i);
		if (ep_run_names_kernel(f->config.names, at, &name) == 0)
			push(st, named(st->g, mapping, name));
		else
			push_once(st, named(st->g, mapping, ep_slice_of("[kernel]")));
	}
}

static void push_file(struct ep_gather *f, struct stack *st, const struct ep_area *a,
		      uint64_t address)
{
	const struct ep_image *im = ep_images_at(f->config.images, a->image);
	struct ep_mapping m = {
		.start = a->offset,
		.limit = a->offset + (a->limit - a->start),
		.file_offset = a->offset,
		.filename = ep_build_cstr(st->g->build, im->path),
		.build_id = ep_build_cstr(st->g->build, im->build_id),
	};
	uint32_t mapping = ep_build_mapping(st->g->build, &m);
	push(st, ep_build_location(st->g->build, address - a->start + a->offset,
				   mapping, NULL, 0));
}

static void push_jit(struct ep_gather *f, struct stack *st, struct ep_process *p,
		     uint64_t address)
{
	uint32_t round = ep_processes_round(f->config.processes);
	uint32_t mapping = mapping_named(st->g, &st->g->jit_mapping, "[jit]");
	struct ep_slice name;
	if (ep_run_names_jit(p, round, address, &name) == 0)
		push(st, named(st->g, mapping, name));
	else
		push_once(st, named(st->g, mapping, ep_slice_of("[jit]")));
}

/* One user frame; false when the walk went astray and what follows is noise. */
static bool push_user_frame(struct ep_gather *f, struct stack *st, struct ep_process *p,
			    const struct ep_raw *raw, uint32_t i)
{
	uint64_t at = call_site(raw->user, i);
	const struct ep_area *a =
		ep_processes_area(f->config.processes, p, raw->tid, at);
	if (!a && i && p->n_areas) {
		/* No code is there: the program keeps no frame pointers. */
		st->cut = true;
		return false;
	}
	if (!a || (a->kind == EP_AREA_FILE && a->image == EP_IMAGE_NONE))
		push_once(st, bracketed(st->g, "[unknown mapping]"));
	else if (a->kind == EP_AREA_FILE)
		push_file(f, st, a, at);
	else if (a->kind == EP_AREA_JIT)
		push_jit(f, st, p, at);
	else
		push_once(st, bracketed(st->g, "[vsyscall]"));
	return true;
}

static void push_user(struct ep_gather *f, struct stack *st, struct ep_process *p,
		      const struct ep_raw *raw)
{
	for (uint32_t i = 0; i < raw->n_user; i++)
		if (!push_user_frame(f, st, p, raw, i))
			break;
	st->cut |= raw->is_cut;
}

static void add_sample(struct ep_gather *f, struct stack *st,
		       const struct ep_process *p, const struct ep_raw *raw)
{
	struct group *g = st->g;
	struct ep_label labels[3];
	uint32_t n = 0;
	char pid[16];
	if (p->who.pid && !p->is_kthread) {
		snprintf(pid, sizeof(pid), "%u", p->who.pid);
		labels[n++] = (struct ep_label){.key = g->key_pid,
						.str = ep_build_cstr(g->build, pid)};
	}
	if (raw->comm[0])
		labels[n++] = (struct ep_label){
			.key = g->key_comm, .str = ep_build_cstr(g->build, raw->comm)};
	if (f->config.in_one)
		labels[n++] = (struct ep_label){
			.key = g->key_service,
			.str = ep_build_cstr(g->build, p->service.name)};
	int64_t values[2] = {(int64_t)raw->n,
			     (int64_t)(raw->n * EP_NS_PER_S / f->config.hz)};
	ep_build_sample(g->build, st->locations, st->n, labels, n, values);
	g->taken += raw->n;
	g->truncated += st->cut ? raw->n : 0;
	f->taken += raw->n;
}

static void put_before(struct stack *st, const struct stack *head)
{
	uint32_t room = MAX_STACK - head->n, n = st->n < room ? st->n : room;
	memmove(st->locations + head->n, st->locations, n * sizeof(st->locations[0]));
	memcpy(st->locations, head->locations, head->n * sizeof(st->locations[0]));
	st->n = head->n + n;
}

void ep_gather_sample(struct ep_gather *f, const struct ep_raw *raw)
{
	const char *comm = raw->process_comm[0] ? raw->process_comm : raw->comm;
	struct ep_process *p = ep_processes_get(f->config.processes, &raw->who,
						raw->tid, comm, raw->is_kthread);
	struct stack st = {.g = p ? find_group(f, &p->service) : NULL};
	struct stack kernel = {.g = st.g};
	if (!st.g || !st.g->build) {
		f->failed = true;
		return;
	}
	/* The user's part first, so that the profile's first mapping is a program. */
	push_user(f, &st, p, raw);
	push_kernel(f, &kernel, raw);
	put_before(&st, &kernel);
	if (!st.n)
		push(&st, bracketed(st.g, p->who.pid ? "[no stack]" : "[outside]"));
	add_sample(f, &st, p, raw);
}

/* The share of a total that belongs to [done, done + part) of whole, so that all
 * shares add up to the total. */
static uint64_t share(uint64_t total, uint64_t done, uint64_t part, uint64_t whole)
{
	if (!whole)
		return 0;
	return (uint64_t)((unsigned __int128)total * (done + part) / whole) -
	       (uint64_t)((unsigned __int128)total * done / whole);
}

static int add_comment(struct ep_build *b, struct ep_profile *p, const char *text)
{
	ep_str s = ep_build_cstr(b, text);
	p = ep_build_profile(b);
	p->comments = ep_arena_array(p->arena, ep_str, 1);
	if (!p->comments)
		return -ENOMEM;
	p->comments[0] = s;
	p->n_comments = 1;
	return 0;
}

static int finish_group(struct ep_gather *f, struct group *g, uint64_t from_ns,
			uint64_t until_ns, const struct ep_ledger *ledger,
			struct ep_profile **ret_p, struct ep_err *err)
{
	if (!g->build)
		return ep_fail(err, -ENOMEM, 0, "no memory for the profile of %s",
			       g->service.name);
	char text[EP_LEDGER_TEXT_MAX];
	ep_str cpu = ep_build_cstr(g->build, "cpu");
	ep_str ns = ep_build_cstr(g->build, "nanoseconds");
	struct ep_profile *p = ep_build_profile(g->build);
	p->period_type = (struct ep_value_type){cpu, ns};
	p->period = EP_NS_PER_S / f->config.hz;
	p->time_ns = (int64_t)from_ns;
	p->duration_ns = (int64_t)(until_ns - from_ns);
	ep_ledger_format(ledger, text);
	EP_TRY(add_comment(g->build, p, text));
	return ep_build_finish(g->build, ret_p, err);
}

int ep_gather_finish(struct ep_gather *f, const struct ep_source_stats *stats,
		     uint64_t from_ns, uint64_t until_ns, ep_gather_emit_fn *emit,
		     void *arg, struct ep_err *err)
{
	uint64_t done = 0;
	int result = f->failed ? -ENOMEM : 0;
	if (f->config.in_one) {
		static const struct ep_service nobody = {.name = ""};
		(void)find_group(f, &nobody); /* an empty profile is a profile too */
	}
	for (uint32_t i = 0; i < f->n; i++) {
		struct group *g = &f->groups[i];
		uint64_t lost = share(stats->lost, done, g->taken, f->taken);
		uint64_t asked = share(stats->asked, done, g->taken, f->taken);
		struct ep_ledger ledger = {
			.asked = asked > g->taken + lost ? asked : g->taken + lost,
			.taken = g->taken,
			.lost = lost,
			.truncated = g->truncated,
		};
		struct ep_profile *p;
		int rc = finish_group(f, g, from_ns, until_ns, &ledger, &p, err);
		if (rc >= 0)
			rc = emit(arg, f->config.in_one ? NULL : &g->service, p, err);
		if (rc < 0)
			result = rc;
		done += g->taken;
	}
	drop_groups(f);
	return result;
}
