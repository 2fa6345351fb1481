/*
 * areas.c - see areas.h.
 */
#include "agent/areas.h"

#include "agent/bpf/probe.h"
#include "agent/extents.h"
#include "base/hash.h"
#include "base/index.h"
#include "base/log.h"
#include "unwind/build/tablecache.h"
#include "unwind/walk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	MAX_SEGMENTS = 8, /* executable ones of a file; most have one */
	MAX_TABLES = 16384,
};

#define MAX_TABLE_BYTES ((uint64_t)64 << 20)

struct segment {
	uint64_t offset, n_bytes, vaddr;
};

/* A file by its build ID: where its code is, and its table while that is there. */
struct table {
	char build_id[EP_ELF_HEX_MAX];
	struct segment segments[MAX_SEGMENTS];
	uint32_t n_segments;
	uint32_t at, n_words; /* in memory; at 0: not there */
	uint32_t n_users;     /* processes */
	uint64_t idle_since;  /* turn in which the last one left */
	bool has_none;	      /* the file has no rows, and will never have */
};

/* What the probe was told of a process. */
struct ep_areas_told {
	struct ep_who who;
	uint32_t at, n_words;
	uint32_t *tables; /* used, each once; owned */
	uint32_t n_tables;
};

/* Pieces out of use, in the turn they fell out. */
struct retired {
	struct ep_extent *pieces;
	uint32_t n, cap;
};

struct ep_areas {
	struct ep_source_memory memory;
	struct ep_images *images;
	struct ep_tablecache cache; /* of folders "": none */
	struct ep_extents room;
	struct table *tables;
	uint32_t n_tables, cap_tables;
	struct ep_index by_id;
	struct retired now, before;
	uint32_t n_retired; /* units, in both */
	uint64_t turn;
	struct ep_areas_stats stats;
};

int ep_areas_new(const struct ep_source_memory *memory, struct ep_images *images,
		 struct ep_areas **ret_c)
{
	struct ep_areas *c = ep_zalloc(sizeof(*c));
	if (!c)
		return -ENOMEM;
	c->memory = *memory;
	c->images = images;
	/* In units of two words, so that 64-bit numbers are aligned; 0 means none. */
	if (ep_extents_init(&c->room, 1, memory->n_words / 2) < 0) {
		ep_free(c);
		return -ENOMEM;
	}
	*ret_c = c;
	return 0;
}

void ep_areas_share(struct ep_areas *c)
{
	ep_tablecache_init(&c->cache, &(struct ep_tablecache_config){
					      .setting = getenv("EVERPROF_CACHE"),
					      .cache_home = getenv("XDG_CACHE_HOME"),
					      .home = getenv("HOME"),
				      });
}

void ep_areas_free(struct ep_areas *c)
{
	if (!c)
		return;
	ep_extents_fini(&c->room);
	ep_index_fini(&c->by_id);
	ep_free(c->tables);
	ep_free(c->now.pieces);
	ep_free(c->before.pieces);
	ep_free(c);
}

static int grow(void **array, uint32_t *cap, uint32_t need, size_t size)
{
	if (need <= *cap)
		return 0;
	uint32_t cap2 = *cap ? *cap * 2 : 64;
	void *p = ep_realloc(*array, cap2 * size);
	if (!p)
		return -ENOMEM;
	*array = p;
	*cap = cap2;
	return 0;
}

/* -- room ------------------------------------------------------------------------- */

static uint32_t units_of(uint32_t n_words)
{
	return (n_words + 1) / 2;
}

static void retire(struct ep_areas *c, uint32_t at, uint32_t n_words)
{
	struct retired *r = &c->now;
	if (!at)
		return;
	if (grow((void **)&r->pieces, &r->cap, r->n + 1, sizeof(r->pieces[0])) < 0)
		return; /* without memory for a note of it, the piece is lost to us */
	r->pieces[r->n++] = (struct ep_extent){at / 2, units_of(n_words)};
	c->n_retired += units_of(n_words);
}

/* The table that was left longest ago. */
static struct table *find_idle(struct ep_areas *c)
{
	struct table *oldest = NULL;
	for (uint32_t i = 0; i < c->n_tables; i++) {
		struct table *t = &c->tables[i];
		if (t->at && !t->n_users &&
		    (!oldest || t->idle_since < oldest->idle_since))
			oldest = t;
	}
	return oldest;
}

/* Makes room for next time: what goes now is free two turns later. */
static void evict(struct ep_areas *c, uint32_t n_words)
{
	struct table *t;
	for (uint64_t freed = 0; freed < n_words && (t = find_idle(c));) {
		freed += t->n_words;
		retire(c, t->at, t->n_words);
		t->at = 0;
		c->stats.n_evicted++;
		c->stats.n_tables--;
	}
}

/* 0: there is none. */
static uint32_t take(struct ep_areas *c, uint32_t n_words)
{
	uint32_t at;
	if (ep_extents_take(&c->room, units_of(n_words), &at) == 0) {
		/* Early enough that the next one finds room. */
		if (c->room.n_free + c->n_retired < c->memory.n_words / 2 / 16)
			evict(c, c->memory.n_words / 16);
		return at * 2;
	}
	c->stats.n_no_room++;
	if (c->n_retired < units_of(n_words))
		evict(c, n_words);
	return 0;
}

/* -- tables ----------------------------------------------------------------------- */

static struct table *find_table(struct ep_areas *c, const char *build_id)
{
	uint64_t h = ep_hash64(build_id, strlen(build_id));
	struct ep_index_iter it;
	for (uint32_t i = ep_index_first(&c->by_id, h, &it); i != EP_INDEX_NONE;
	     i = ep_index_next(&c->by_id, &it))
		if (!strcmp(c->tables[i].build_id, build_id))
			return &c->tables[i];
	if (c->n_tables == MAX_TABLES ||
	    grow((void **)&c->tables, &c->cap_tables, c->n_tables + 1,
		 sizeof(c->tables[0])) < 0 ||
	    ep_index_add(&c->by_id, h, c->n_tables) < 0)
		return NULL;
	struct table *t = &c->tables[c->n_tables++];
	*t = (struct table){0};
	memcpy(t->build_id, build_id, strlen(build_id) + 1);
	return t;
}

static void read_segments(struct table *t, const struct ep_elf *e)
{
	size_t n;
	const Elf64_Phdr *p = ep_elf_segments(e, &n);
	t->n_segments = 0;
	for (size_t i = 0; i < n && t->n_segments < MAX_SEGMENTS; i++)
		if (p[i].p_type == PT_LOAD && (p[i].p_flags & PF_X))
			t->segments[t->n_segments++] = (struct segment){
				p[i].p_offset, p[i].p_filesz, p[i].p_vaddr};
}

/* Files of a container are another's: what is kept for all comes from this system alone. */
static bool sees_our_files(uint32_t pid)
{
	char path[64];
	struct stat ours, its;
	snprintf(path, sizeof(path), "/proc/%u/ns/mnt", pid);
	return stat(path, &its) == 0 && stat("/proc/self/ns/mnt", &ours) == 0 &&
	       its.st_ino == ours.st_ino && its.st_dev == ours.st_dev;
}

static void place_table(struct ep_areas *c, struct table *t, const struct ep_table *from)
{
	uint32_t n_words = (uint32_t)((from->n_bytes + 3) / 4);
	uint32_t at = take(c, n_words);
	if (!at) {
		ep_log_debug("no room for the unwind table of %s", t->build_id);
		return;
	}
	memcpy(c->memory.words + at, from, from->n_bytes);
	t->at = at;
	t->n_words = n_words;
	c->stats.n_tables++;
	c->stats.n_made++;
}

static void make_table(struct ep_areas *c, struct table *t, int fd, uint32_t pid)
{
	struct ep_err err = {0};
	ep_auto(ep_elf) e = NULL;
	struct ep_tablefile f;
	int rc = ep_elf_open(fd, &e, &err);
	if (rc == 0) {
		read_segments(t, e);
		rc = ep_tablecache_make(&c->cache, fd, sees_our_files(pid), &f, &err);
	}
	t->has_none = rc < 0 && rc != -ENOMEM && rc != -EIO;
	if (rc < 0)
		return;
	if (f.table->n_bytes <= MAX_TABLE_BYTES)
		place_table(c, t, f.table);
	ep_tablefile_release(&f);
}

/* The table of an area's file, made if need be.  NULL: there is nothing to say. */
static struct table *table_of(struct ep_areas *c, const struct ep_process *p,
			      const struct ep_area *a)
{
	if (a->kind != EP_AREA_FILE || a->image == EP_IMAGE_NONE)
		return NULL;
	const struct ep_image *im = ep_images_at(c->images, a->image);
	struct table *t = im->build_id[0] ? find_table(c, im->build_id) : NULL;
	if (!t || t->at || t->has_none)
		return t;
	int fd = ep_images_open(c->images, a->image, p->via, a->start, a->limit);
	if (fd < 0)
		return t;
	make_table(c, t, fd, p->via);
	close(fd);
	return t;
}

/* Address less ELF virtual address, by the segment the area was mapped from. */
static bool find_bias(const struct table *t, const struct ep_area *a, uint64_t *ret)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	for (uint32_t i = 0; i < t->n_segments; i++) {
		const struct segment *s = &t->segments[i];
		uint64_t first = s->offset & ~(page - 1);
		if (a->offset < first || a->offset >= s->offset + s->n_bytes)
			continue;
		*ret = a->start - (a->offset - s->offset + s->vaddr);
		return true;
	}
	return false;
}

/* -- processes -------------------------------------------------------------------- */

static void add_user(struct ep_areas *c, struct ep_areas_told *told,
		     const struct table *t)
{
	uint32_t id = (uint32_t)(t - c->tables);
	for (uint32_t i = 0; i < told->n_tables; i++)
		if (told->tables[i] == id)
			return;
	told->tables[told->n_tables++] = id;
	c->tables[id].n_users++;
}

static void drop_told(struct ep_areas *c, struct ep_areas_told *told)
{
	for (uint32_t i = 0; i < told->n_tables; i++) {
		struct table *t = &c->tables[told->tables[i]];
		if (!--t->n_users)
			t->idle_since = c->turn;
	}
	retire(c, told->at, told->n_words);
	ep_free(told->tables);
	ep_free(told);
}

static void describe(struct ep_areas *c, struct ep_areas_told *told,
		     const struct ep_process *p, struct ep_bpf_area *ret)
{
	for (uint32_t i = 0; i < p->n_areas; i++) {
		const struct ep_area *a = &p->areas[i];
		const struct table *t = table_of(c, p, a);
		ret[i] = (struct ep_bpf_area){.start = a->start, .limit = a->limit};
		uint64_t bias;
		if (!t || !t->at || !find_bias(t, a, &bias))
			continue;
		ret[i].bias = bias;
		ret[i].table = t->at;
		add_user(c, told, t);
	}
}

/* NULL: no memory or no room. */
static struct ep_areas_told *make_told(struct ep_areas *c, const struct ep_process *p)
{
	uint32_t n_words = p->n_areas * EP_BPF_AREA_WORDS;
	struct ep_areas_told *told = ep_zalloc(sizeof(*told));
	ep_auto_mem struct ep_bpf_area *areas = ep_alloc(p->n_areas * sizeof(areas[0]));
	if (told)
		told->tables = ep_alloc(p->n_areas * sizeof(told->tables[0]));
	if (!told || !areas || !told->tables) {
		ep_free(told);
		return NULL;
	}
	describe(c, told, p, areas);
	told->who = p->who;
	told->at = take(c, n_words);
	told->n_words = n_words;
	if (told->at)
		memcpy(c->memory.words + told->at, areas, n_words * 4);
	return told;
}

void ep_areas_tell(struct ep_areas *c, struct ep_process *p)
{
	struct ep_areas_told *old = p->told, *told = NULL;
	if (p->n_areas && p->n_areas <= EP_BPF_MAX_AREAS && p->who.image)
		told = make_told(c, p);
	if (told && (!told->at ||
		     c->memory.set(c->memory.arg, &p->who, told->at, p->n_areas) < 0)) {
		drop_told(c, told);
		told = NULL;
	}
	if (!told && old)
		c->memory.drop(c->memory.arg, &p->who);
	if (old)
		drop_told(c, old);
	p->told = told;
}

void ep_areas_forget(struct ep_areas *c, struct ep_process *p)
{
	if (!p->told)
		return;
	c->memory.drop(c->memory.arg, &p->who);
	drop_told(c, p->told);
	p->told = NULL;
}

/* -- walks ------------------------------------------------------------------------ */

static bool read_copy(void *arg, uint64_t addr, uint64_t *ret)
{
	const struct ep_stack_copy *copy = arg;
	memcpy(ret, copy->bytes + (addr - copy->at), sizeof(*ret));
	return true;
}

/* What the probe was told, in the form of unwind/walk.h.  The caller frees it. */
static struct ep_modules *list_modules(const struct ep_areas *c,
				       const struct ep_process *p)
{
	const struct ep_areas_told *told = p->told;
	uint32_t n = told ? told->n_words / EP_BPF_AREA_WORDS : 0;
	struct ep_modules *ms = n ? ep_alloc(EP_MODULES_BYTES(n)) : NULL;
	if (!ms)
		return NULL;
	const struct ep_bpf_area *a = (const void *)(c->memory.words + told->at);
	ms->n = n;
	for (uint32_t i = 0; i < n; i++)
		ms->m[i] = (struct ep_module){
			a[i].start, a[i].limit, a[i].bias,
			a[i].table ? (const void *)(c->memory.words + a[i].table)
				   : NULL};
	return ms;
}

uint32_t ep_areas_walk(struct ep_areas *c, const struct ep_process *p,
		       const struct ep_stack_copy *copy,
		       uint64_t ret_frames[EP_AREAS_MAX_FRAMES], enum ep_step *ret_why)
{
	const struct ep_stack s = {
		.lo = copy->at,
		.hi = copy->at + copy->n_bytes,
		.read = read_copy,
		.arg = (void *)copy,
	};
	ep_auto_mem struct ep_modules *ms = list_modules(c, p);
	uint32_t n;
	if (ms)
		n = ep_walk(ms, &copy->regs, &s, ret_frames, EP_AREAS_MAX_FRAMES,
			    ret_why);
	else
		n = ep_fp_walk(&s, &copy->regs, ret_frames, EP_AREAS_MAX_FRAMES,
			       ret_why);
	for (uint32_t i = 1; i < n; i++)
		ret_frames[i]++; /* to the address it returns to */
	if (!ms)
		*ret_why = EP_STEP_OK; /* the end of such a walk says nothing */
	return n;
}

static void release(struct ep_areas *c, const struct ep_extent *x)
{
	ep_extents_put(&c->room, x->at, x->n);
	c->n_retired -= x->n;
}

void ep_areas_turn(struct ep_areas *c)
{
	struct retired done = c->before;
	for (uint32_t i = 0; i < done.n; i++)
		release(c, &done.pieces[i]);
	c->before = c->now;
	c->now = (struct retired){done.pieces, 0, done.cap};
	c->turn++;
}

void ep_areas_stats(const struct ep_areas *c, struct ep_areas_stats *ret_s)
{
	*ret_s = c->stats;
	ret_s->n_words = c->memory.n_words;
	ret_s->n_free = c->room.n_free * 2;
}
