/*
 * process.c - see process.h.
 */
#include "agent/process.h"

#include "agent/bpf/probe.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/index.h"
#include "symbol/perfmap.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	MAX_PROCESSES = 16384, /* with some kilobytes each */
	MAX_AREAS = 16384,     /* executable mappings of one process */
	KEEP_ROUNDS = 60,      /* five minutes of the usual rounds */
	KEEP_ROUNDS_GONE = 3,
};

struct ep_processes {
	struct ep_images *images;
	struct ep_process **all;
	uint32_t n, cap;
	struct ep_index index; /* by pid */
	uint32_t round;
	struct ep_process_watch watch;
};

int ep_processes_new(struct ep_images *images, struct ep_processes **ret_t)
{
	struct ep_processes *t = ep_zalloc(sizeof(*t));
	if (!t)
		return -ENOMEM;
	t->images = images;
	t->round = 1;
	*ret_t = t;
	return 0;
}

/* Of the times in /proc. */
static uint64_t step_ns(void)
{
	return EP_NS_PER_S / (uint64_t)sysconf(_SC_CLK_TCK);
}

void ep_processes_watch(struct ep_processes *t, const struct ep_process_watch *watch)
{
	t->watch = *watch;
}

static void free_process(struct ep_processes *t, struct ep_process *p)
{
	if (t->watch.forgotten)
		t->watch.forgotten(t->watch.arg, p);
	ep_perfmap_free(p->perfmap);
	ep_free(p->areas);
	ep_free(p);
}

void ep_processes_free(struct ep_processes *t)
{
	if (!t)
		return;
	for (uint32_t i = 0; i < t->n; i++)
		free_process(t, t->all[i]);
	ep_index_fini(&t->index);
	ep_free(t->all);
	ep_free(t);
}

/* What /proc/PID/stat says of who is there. */
struct found {
	uint64_t start_ns; /* since boot, in steps of 10 ms; 0: nobody */
	uint32_t image;	   /* 0: not ours to know */
	bool is_headless;  /* its first thread has ended, others live on */
};

static struct found find_pid(uint32_t pid)
{
	char path[48], buf[1024];
	struct found f = {0, 0, false};
	snprintf(path, sizeof(path), "/proc/%u/stat", pid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return f;
	ssize_t n = read(fd, buf, sizeof(buf) - 1);
	close(fd);
	buf[n > 0 ? n : 0] = '\0';
	const char *p = strrchr(buf, ')'); /* the name may hold anything */
	f.is_headless = p && p[1] == ' ' && p[2] == 'Z';
	for (int field = 2; p && field < 28; field++) {
		p = strchr(p + 1, ' ');
		if (p && field + 1 == 22)
			f.start_ns = strtoull(p, NULL, 10) * step_ns();
	}
	uint64_t stack = p ? strtoull(p, NULL, 10) : 0;
	f.image = EP_BPF_IMAGE(stack);
	return f;
}

enum presence {
	GONE,
	OTHER_IMAGE, /* the process, but it runs another program since */
	THERE,
};

/* Is the pid still what was sampled? */
static enum presence look_for(struct ep_process *p, uint32_t tid)
{
	const struct ep_who *who = &p->who;
	struct found f = find_pid(who->pid);
	/* Of a first thread that has ended, /proc shows next to nothing. */
	p->via = f.is_headless && tid ? tid : who->pid;
	if (!f.start_ns)
		return GONE;
	if (!who->start_ns)
		return THERE; /* the source does not know; perf events come at once */
	if (who->start_ns / step_ns() != f.start_ns / step_ns())
		return GONE;
	return f.image && who->image != f.image ? OTHER_IMAGE : THERE;
}

static bool is_made_at_run_time(const struct ep_map *m)
{
	static const char *const names[] = {
		"[", "//anon", "/memfd:", "/dev/zero", "/SYSV", "anon_inode:"};
	if (!m->path.n)
		return true;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (m->path.n >= strlen(names[i]) &&
		    !memcmp(m->path.p, names[i], strlen(names[i])))
			return true;
	return false;
}

static enum ep_area_kind kind_of(const struct ep_map *m)
{
	if (ep_slice_is(m->path, "[vdso]"))
		return EP_AREA_FILE;
	if (ep_slice_is(m->path, "[vsyscall]"))
		return EP_AREA_VSYSCALL;
	return is_made_at_run_time(m) ? EP_AREA_JIT : EP_AREA_FILE;
}

struct area_list {
	struct ep_area *p;
	uint32_t n, cap;
};

static int push_area(struct area_list *l, const struct ep_area *a)
{
	if (l->n == l->cap) {
		uint32_t cap = l->cap ? l->cap * 2 : 32;
		void *p = ep_realloc(l->p, cap * sizeof(l->p[0]));
		if (!p)
			return -ENOMEM;
		l->p = p;
		l->cap = cap;
	}
	l->p[l->n++] = *a;
	return 0;
}

/* All executable mappings of a maps file, which lists them by address. */
static int read_maps(struct ep_processes *t, uint32_t pid, const char *path,
		     struct area_list *l)
{
	static _Thread_local char buf[32768];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	struct ep_maps maps;
	struct ep_map m;
	int rc = 0;
	ep_maps_init(&maps, fd, buf, sizeof(buf));
	while (rc == 0 && l->n < MAX_AREAS && ep_maps_next(&maps, &m)) {
		if (!m.exec)
			continue;
		struct ep_area a = {m.start, m.limit, m.offset, EP_IMAGE_NONE,
				    kind_of(&m)};
		if (a.kind == EP_AREA_FILE)
			a.image = ep_images_find(t->images, pid, &m);
		rc = push_area(l, &a);
	}
	close(fd);
	return rc;
}

static void read_areas(struct ep_processes *t, struct ep_process *p, uint32_t tid)
{
	char path[64];
	struct area_list l = {NULL, 0, 0};
	p->read_round = t->round;
	if (p->is_gone || look_for(p, tid) != THERE) {
		p->is_gone = true;
		return;
	}
	snprintf(path, sizeof(path), "/proc/%u/maps", p->via);
	int rc = read_maps(t, p->via, path, &l);
	if (rc < 0 || !l.n) {
		ep_free(l.p); /* not ours to read, or gone: what is known stays */
		return;
	}
	ep_free(p->areas);
	p->areas = l.p;
	p->n_areas = l.n;
	if (t->watch.areas_read)
		t->watch.areas_read(t->watch.arg, p);
}

/* Other images of this pid can be read no more: /proc shows this one. */
static void supersede(struct ep_processes *t, const struct ep_process *by)
{
	struct ep_index_iter it;
	for (uint32_t i = ep_index_first(&t->index, ep_hash_mix(0, by->who.pid), &it);
	     i != EP_INDEX_NONE; i = ep_index_next(&t->index, &it))
		if (t->all[i]->who.pid == by->who.pid && t->all[i] != by)
			t->all[i]->is_gone = true;
}

static void look(struct ep_processes *t, struct ep_process *p, uint32_t tid,
		 const char *comm)
{
	struct ep_service *s = &p->service;
	if (p->is_kthread || !p->who.pid) {
		snprintf(s->name, sizeof(s->name), "%s",
			 p->is_kthread ? "kernel" : "host-other");
		return;
	}
	enum presence found = look_for(p, tid);
	p->is_gone = found != THERE;
	if (found == GONE) {
		snprintf(s->name, sizeof(s->name), "%s", comm[0] ? comm : "unknown");
		return;
	}
	ep_service_look(p->via, comm, found == OTHER_IMAGE, s);
	if (found == THERE) {
		supersede(t, p);
		read_areas(t, p, tid);
	}
}

static int reserve(struct ep_processes *t)
{
	if (t->n < t->cap)
		return 0;
	uint32_t cap = t->cap ? t->cap * 2 : 128;
	void *p = ep_realloc(t->all, cap * sizeof(t->all[0]));
	if (!p)
		return -ENOMEM;
	t->all = p;
	t->cap = cap;
	return 0;
}

static struct ep_process *add(struct ep_processes *t, const struct ep_who *who)
{
	struct ep_process *p = ep_zalloc(sizeof(*p));
	if (!p || reserve(t) < 0 ||
	    ep_index_add(&t->index, ep_hash_mix(0, who->pid), t->n) < 0) {
		ep_free(p);
		return NULL;
	}
	p->who = *who;
	t->all[t->n++] = p;
	return p;
}

/* 0: not this one; 1: the process, in another image; 2: the very image. */
static int match(const struct ep_process *p, const struct ep_who *who, bool is_kthread)
{
	if (p->who.pid != who->pid || p->who.start_ns != who->start_ns ||
	    p->is_kthread != is_kthread)
		return 0;
	return p->who.image == who->image ? 2 : 1;
}

static struct ep_process *find(struct ep_processes *t, const struct ep_who *who,
			       bool is_kthread)
{
	struct ep_process *other = NULL;
	struct ep_index_iter it;
	for (uint32_t i = ep_index_first(&t->index, ep_hash_mix(0, who->pid), &it);
	     i != EP_INDEX_NONE; i = ep_index_next(&t->index, &it)) {
		int m = match(t->all[i], who, is_kthread);
		if (m == 2)
			return t->all[i];
		if (m == 1 && (!other || !t->all[i]->is_gone))
			other = t->all[i];
	}
	/* About to end, it has no memory to tell its image by: it was the last one. */
	return who->image || !who->start_ns ? NULL : other;
}

struct ep_process *ep_processes_get(struct ep_processes *t, const struct ep_who *who,
				    uint32_t tid, const char *comm, bool is_kthread)
{
	struct ep_process *p = find(t, who, is_kthread);
	bool is_new = !p;
	if (is_new)
		p = add(t, who);
	if (!p)
		return NULL;
	p->used_round = t->round;
	if (is_new) {
		p->is_kthread = is_kthread;
		look(t, p, tid, comm);
	}
	return p;
}

void ep_processes_inherit(struct ep_processes *t, struct ep_process *p,
			  const struct ep_who *from)
{
	const struct ep_process *q =
		p->is_gone && !p->n_areas ? find(t, from, false) : NULL;
	if (!q || q == p || !q->n_areas)
		return;
	p->areas = ep_alloc(q->n_areas * sizeof(p->areas[0]));
	if (!p->areas)
		return;
	memcpy(p->areas, q->areas, q->n_areas * sizeof(p->areas[0]));
	p->n_areas = q->n_areas;
	p->service = q->service;
}

static const struct ep_area *find_area(const struct ep_process *p, uint64_t address)
{
	uint32_t lo = 0, hi = p->n_areas;
	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		if (p->areas[mid].limit <= address)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < p->n_areas && p->areas[lo].start <= address ? &p->areas[lo] : NULL;
}

const struct ep_area *ep_processes_area(struct ep_processes *t, struct ep_process *p,
					uint32_t tid, uint64_t address)
{
	const struct ep_area *a = find_area(p, address);
	if (a || p->is_gone || p->is_kthread || !p->who.pid ||
	    p->read_round == t->round)
		return a;
	read_areas(t, p, tid);
	return find_area(p, address);
}

uint32_t ep_processes_round(const struct ep_processes *t)
{
	return t->round;
}

static bool is_old(const struct ep_processes *t, const struct ep_process *p)
{
	uint32_t age = t->round - p->used_round;
	uint32_t keep = p->is_gone ? KEEP_ROUNDS_GONE : KEEP_ROUNDS;
	return age > keep || (t->n > MAX_PROCESSES && age > 1);
}

void ep_processes_turn(struct ep_processes *t)
{
	uint32_t kept = 0;
	t->round++;
	for (uint32_t i = 0; i < t->n; i++) {
		if (is_old(t, t->all[i]))
			free_process(t, t->all[i]);
		else
			t->all[kept++] = t->all[i];
	}
	if (kept == t->n)
		return;
	t->n = kept;
	ep_index_clear(&t->index);
	for (uint32_t i = 0; i < t->n; i++) /* fits: it held more before */
		(void)ep_index_add(&t->index, ep_hash_mix(0, t->all[i]->who.pid), i);
}
