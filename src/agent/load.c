/*
 * load.c - see load.h.  The only file that knows libbpf.
 *
 * Draining flips the probe to the other pair of maps, waits until no CPU is still
 * inside the probe with the old pair, and empties that by batches.
 */
#include "agent/load.h"

#include "agent/bpf/probe.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/index.h"
#include "base/log.h"
#include "unwind/step.h"

#include "sample.skel.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/membarrier.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
	BATCH = 256,
	MIN_ENTRIES = 4096,
	MAX_ENTRIES = 32768,
};

/* Of unwind tables; all of a server's programs have a few megabytes of them. */
#define MIN_MEMORY ((uint64_t)8 << 20)
#define MAX_MEMORY ((uint64_t)64 << 20)

_Static_assert(EP_BPF_N_ENDS == EP_STEP_N, "the probe counts every end");

/* /proc/self/ns/pid of the first namespace (PROC_PID_INIT_INO). */
#define FIRST_PID_NS 0xeffffffcu

struct load {
	struct ep_source source;
	struct sample_bpf *skel;
	struct ring_buffer *news;
	struct bpf_link **links;
	unsigned n_links;
	unsigned n_cpus, hz;
	struct ep_source_memory memory; /* words NULL: walks go by frame pointer */
	const struct ep_sink *sink; /* during a wait */
	uint64_t since_ns;	    /* of the last drain */
	uint64_t n_given;	    /* samples handed over since the last drain */
	struct ep_bpf_stats seen;   /* counters at the last drain */

	/* Of one drain: the stacks, packed, found by id. */
	struct ep_index index;
	struct packed {
		uint64_t id;
		uint32_t first, n;
	} * stacks;
	uint64_t *frames;
	uint32_t n_stacks, cap_stacks, n_frames, cap_frames;

	struct ep_bpf_stack *stack_batch; /* BATCH of each */
	uint64_t *id_batch;
	struct ep_bpf_key *key_batch;
	uint64_t *count_batch;
};

static struct load *of_source(struct ep_source *s)
{
	return (struct load *)s;
}

/* Libbpf's own lines, kept for --verbose only; its reasons are in ep_err. */
static int on_print(enum libbpf_print_level level, const char *fmt, va_list args)
{
	char line[1024];
	vsnprintf(line, sizeof(line), fmt, args);
	line[strcspn(line, "\n")] = '\0';
	if (level != LIBBPF_DEBUG)
		ep_log_debug("libbpf: %s", line);
	return 0;
}

static int fail_step(int rc, const char *step, struct ep_err *err)
{
	int code = rc == -EPERM			    ? -EACCES
		   : rc == -EACCES || rc == -ENOMEM ? rc
						    : -ENOTSUP;
	return ep_fail(err, code, 0, "%s: %s", step, strerror(-rc));
}

static unsigned own_pid_namespace(void)
{
	struct stat st;
	if (stat("/proc/self/ns/pid", &st) < 0 || st.st_ino == FIRST_PID_NS)
		return 0;
	return (unsigned)st.st_ino;
}

static uint32_t entries_for(unsigned n_cpus, unsigned hz, uint64_t interval_ns)
{
	uint64_t most =
		(uint64_t)n_cpus * hz * (interval_ns / EP_NS_PER_MS + 1000) / 1000;
	return most < MIN_ENTRIES   ? MIN_ENTRIES
	       : most > MAX_ENTRIES ? MAX_ENTRIES
				    : most;
}

/* A 512th of the machine's memory, in words; a power of two. */
static uint32_t choose_words(void)
{
	uint64_t pages = (uint64_t)sysconf(_SC_PHYS_PAGES);
	uint64_t most = pages * (uint64_t)sysconf(_SC_PAGESIZE) / 512;
	uint64_t n = MIN_MEMORY;
	while (n < MAX_MEMORY && n * 2 <= most)
		n *= 2;
	return (uint32_t)(n / 4);
}

/* Which of the two programs is loaded, and only its maps. */
static void choose_program(struct load *l, bool by_tables)
{
	uint32_t n_words = choose_words();
	(void)bpf_program__set_autoload(l->skel->progs.by_tables, by_tables);
	(void)bpf_program__set_autoload(l->skel->progs.by_frame_pointers, !by_tables);
	(void)bpf_map__set_autocreate(l->skel->maps.memory, by_tables);
	(void)bpf_map__set_autocreate(l->skel->maps.code, by_tables);
	(void)bpf_map__set_autocreate(l->skel->maps.walks, by_tables);
	(void)bpf_map__set_autocreate(l->skel->maps.firsts, by_tables);
	if (!by_tables)
		return;
	l->skel->rodata->memory_mask = n_words - 1;
	(void)bpf_map__set_value_size(l->skel->maps.memory, n_words * 4);
	l->memory.n_words = n_words;
}

static int open_skeleton(struct load *l, uint64_t interval_ns, bool by_tables,
			 struct ep_err *err)
{
	libbpf_set_print(on_print);
	errno = 0;
	l->skel = sample_bpf__open();
	if (!l->skel)
		return fail_step(-errno, "the eBPF object can't be read", err);
	uint32_t n = entries_for(l->n_cpus, l->hz, interval_ns);
	l->skel->rodata->own_pid_ns = own_pid_namespace();
	bpf_map__set_max_entries(l->skel->maps.counts_0, n);
	bpf_map__set_max_entries(l->skel->maps.counts_1, n);
	/* A sample has two stacks, but many share them. */
	bpf_map__set_max_entries(l->skel->maps.stacks_0, n);
	bpf_map__set_max_entries(l->skel->maps.stacks_1, n);
	choose_program(l, by_tables);
	int rc = sample_bpf__load(l->skel);
	if (rc < 0 && access("/sys/kernel/btf/vmlinux", R_OK) < 0)
		return ep_fail(err, -ENOTSUP, 0,
			       "this kernel has no type information "
			       "(/sys/kernel/btf/vmlinux)");
	return rc < 0 ? fail_step(rc, "the kernel refuses the eBPF probe", err) : 0;
}

static int open_clock(int cpu, unsigned hz)
{
	struct perf_event_attr attr = {
		.size = sizeof(attr),
		.type = PERF_TYPE_SOFTWARE,
		.config = PERF_COUNT_SW_CPU_CLOCK,
		.sample_period = EP_NS_PER_S / hz,
	};
	int fd = syscall(SYS_perf_event_open, &attr, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int set_areas(void *arg, const struct ep_who *who, uint32_t areas,
		     uint32_t n_areas)
{
	const struct load *l = arg;
	struct ep_bpf_who key = {who->pid, who->image, who->start_ns};
	struct ep_bpf_code value = {areas, n_areas};
	return bpf_map_update_elem(bpf_map__fd(l->skel->maps.code), &key, &value,
				   BPF_ANY) < 0
		       ? -errno
		       : 0;
}

static void drop_areas(void *arg, const struct ep_who *who)
{
	const struct load *l = arg;
	struct ep_bpf_who key = {who->pid, who->image, who->start_ns};
	/* Not there: then it is gone already. */
	(void)bpf_map_delete_elem(bpf_map__fd(l->skel->maps.code), &key);
}

static int map_memory(struct load *l, struct ep_err *err)
{
	void *p = mmap(NULL, (size_t)l->memory.n_words * 4, PROT_READ | PROT_WRITE,
		       MAP_SHARED, bpf_map__fd(l->skel->maps.memory), 0);
	if (p == MAP_FAILED)
		return fail_step(-errno, "the probe's memory can't be mapped", err);
	l->memory.words = p;
	l->memory.set = set_areas;
	l->memory.drop = drop_areas;
	l->memory.arg = l;
	return 0;
}

/* By tables where the kernel takes that (5.17), else by frame pointers. */
static int open_probe(struct load *l, uint64_t interval_ns, struct ep_err *err)
{
	struct ep_err first = {0};
	int rc = open_skeleton(l, interval_ns, true, &first);
	if (rc >= 0)
		rc = map_memory(l, &first);
	if (rc >= 0)
		return 0;
	ep_log_debug("walks by frame pointers only: %s", first.text);
	sample_bpf__destroy(l->skel);
	l->memory.n_words = 0;
	return open_skeleton(l, interval_ns, false, err);
}

/* CPUs that are offline or not ours to use are passed over. */
static int attach(struct load *l, unsigned n_possible, struct ep_err *err)
{
	int rc = -ENODEV;
	for (unsigned cpu = 0; cpu < n_possible; cpu++) {
		int fd = open_clock(cpu, l->hz);
		if (fd == -ENODEV)
			continue;
		if (fd < 0)
			return fail_step(fd, "the clock of a CPU can't be opened", err);
		struct bpf_link *link =
			bpf_program__attach_perf_event(
				l->memory.words ? l->skel->progs.by_tables
						: l->skel->progs.by_frame_pointers,
				fd);
		if (!link) {
			rc = -errno;
			close(fd);
			return fail_step(rc, "the probe can't be put on a CPU's clock",
					 err);
		}
		l->links[l->n_links++] = link;
		rc = 0;
	}
	l->n_cpus = l->n_links;
	return rc < 0 ? fail_step(rc, "no CPU has a clock", err) : 0;
}

static int on_news(void *arg, void *data, size_t n)
{
	struct load *l = arg;
	const struct ep_bpf_news *news = data;
	if (n < sizeof(*news) || !l->sink || !l->sink->seen)
		return 0;
	struct ep_who who = {news->who.pid, news->who.image, news->who.start_ns};
	char comm[sizeof(news->comm) + 1] = ""; /* the ring can't be written to */
	memcpy(comm, news->comm, sizeof(news->comm));
	l->sink->seen(l->sink->arg, &who, news->tid, comm);
	return 0;
}

static int load_wait(struct ep_source *s, int timeout_ms, const struct ep_sink *sink)
{
	struct load *l = of_source(s);
	l->sink = sink;
	int rc = ring_buffer__poll(l->news, timeout_ms);
	l->sink = NULL;
	return rc == -EINTR ? -EINTR : 0;
}

static int read_stats(struct load *l, struct ep_bpf_stats *ret)
{
	int n = libbpf_num_possible_cpus();
	uint32_t zero = 0;
	ep_auto_mem struct ep_bpf_stats *each =
		n > 0 ? ep_zalloc((size_t)n * sizeof(*each)) : NULL;
	if (!each)
		return -ENOMEM;
	if (bpf_map_lookup_elem(bpf_map__fd(l->skel->maps.stats), &zero, each) < 0)
		return -errno;
	*ret = (struct ep_bpf_stats){0};
	for (int i = 0; i < n; i++) {
		ret->ticks += each[i].ticks;
		ret->idle += each[i].idle;
		ret->taken += each[i].taken;
		ret->lost += each[i].lost;
		ret->lost_stacks += each[i].lost_stacks;
		ret->lost_news += each[i].lost_news;
		for (int k = 0; k < EP_BPF_N_ENDS; k++)
			ret->ended[k] += each[i].ended[k];
	}
	return 0;
}

/* After this no probe is still running that saw the old value of `active`. */
static void wait_for_probes(void)
{
	/* The kernel answers after a grace period, and probes run inside one. */
	if (syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0) == 0)
		return;
	usleep(20000);
}

/* Room for one more element of a growing array. */
static int grow(void **array, uint32_t *cap, uint32_t need, size_t size)
{
	if (need <= *cap)
		return 0;
	uint32_t cap2 = *cap * 2 > need ? *cap * 2 : need + 1024;
	void *p = ep_realloc(*array, (size_t)cap2 * size);
	if (!p)
		return -ENOMEM;
	*array = p;
	*cap = cap2;
	return 0;
}

static int keep_stack(struct load *l, uint64_t id, const struct ep_bpf_stack *st)
{
	uint32_t n = st->n < EP_BPF_MAX_FRAMES ? st->n : EP_BPF_MAX_FRAMES;
	EP_TRY(grow((void **)&l->stacks, &l->cap_stacks, l->n_stacks + 1,
		    sizeof(l->stacks[0])));
	EP_TRY(grow((void **)&l->frames, &l->cap_frames, l->n_frames + n,
		    sizeof(l->frames[0])));
	memcpy(l->frames + l->n_frames, st->ip, n * sizeof(st->ip[0]));
	l->stacks[l->n_stacks] = (struct packed){id, l->n_frames, n};
	l->n_frames += n;
	return ep_index_add(&l->index, ep_hash_mix(0, id), l->n_stacks++);
}

static const struct packed *find_stack(const struct load *l, uint64_t id)
{
	static const struct packed none;
	struct ep_index_iter it;
	if (!id)
		return &none;
	for (uint32_t i = ep_index_first(&l->index, ep_hash_mix(0, id), &it);
	     i != EP_INDEX_NONE; i = ep_index_next(&l->index, &it))
		if (l->stacks[i].id == id)
			return &l->stacks[i];
	return &none;
}

/* Takes up to BATCH elements out of a map; *ret_n of them.  1: there may be more. */
static int take_batch(const struct bpf_map *map, void *at, bool first, void *keys,
		      void *values, uint32_t *ret_n)
{
	uint64_t in;
	memcpy(&in, at, sizeof(in));
	*ret_n = BATCH;
	int rc = bpf_map_lookup_and_delete_batch(bpf_map__fd(map), first ? NULL : &in,
						 at, keys, values, ret_n, NULL);
	if (rc == 0)
		return 1;
	return errno == ENOENT ? 0 : -errno;
}

static int take_stacks(struct load *l, const struct bpf_map *map)
{
	uint64_t at = 0;
	uint32_t n;
	int more = 1;
	for (bool first = true; more > 0; first = false) {
		EP_TRY(more = take_batch(map, &at, first, l->id_batch, l->stack_batch,
					 &n));
		for (uint32_t i = 0; i < n; i++)
			EP_TRY(keep_stack(l, l->id_batch[i], &l->stack_batch[i]));
	}
	return 0;
}

/* Does the stack end before its root?  By frame pointers one can't tell, but for depth. */
static bool is_cut(unsigned flags)
{
	if (flags & EP_BPF_BY_TABLE)
		return flags >> EP_BPF_WHY_SHIFT != EP_STEP_END;
	return flags & EP_BPF_FULL_USER;
}

/* What a key says.  Its names are ended, so it must be ours to write. */
static void fill_raw(struct ep_bpf_key *k, struct ep_raw *raw)
{
	k->comm[sizeof(k->comm) - 1] = k->process_comm[sizeof(k->process_comm) - 1] =
		'\0';
	raw->who = (struct ep_who){k->who.pid, k->who.image, k->who.start_ns};
	if (k->from_pid)
		raw->from = (struct ep_who){k->from_pid, k->who.image, k->from_start_ns};
	raw->tid = k->tid;
	raw->is_kthread = k->flags & EP_BPF_KTHREAD;
	raw->is_cut = is_cut(k->flags);
	raw->comm = k->comm;
	raw->process_comm = k->process_comm;
}

static int on_first(void *arg, void *data, size_t n)
{
	struct load *l = arg;
	const struct ep_bpf_first *f = data;
	if (n < sizeof(*f) || !l->sink)
		return 0;
	struct ep_bpf_key key = f->key;
	const struct ep_stack_copy copy = {
		.regs = {f->ip, f->sp, f->bp},
		.at = f->sp & ~(uint64_t)(EP_BPF_PAGE - 1),
		.bytes = f->pages,
		.n_bytes = (uint32_t)f->n_pages * EP_BPF_PAGE,
	};
	uint64_t n_kernel = f->kernel.n;
	struct ep_raw raw = {
		.copy = &copy,
		.kernel = (const uint64_t *)f->kernel.ip,
		.n_kernel = n_kernel < EP_BPF_MAX_FRAMES ? n_kernel : EP_BPF_MAX_FRAMES,
		.n = 1,
	};
	fill_raw(&key, &raw);
	l->n_given++;
	l->sink->sample(l->sink->arg, &raw);
	return 0;
}

static void give(struct load *l, struct ep_bpf_key *k, uint64_t n,
		 const struct ep_sink *sink)
{
	const struct packed *kernel = find_stack(l, k->kernel_stack);
	const struct packed *user = find_stack(l, k->user_stack);
	struct ep_raw raw = {
		.kernel = l->frames + kernel->first,
		.user = l->frames + user->first,
		.n_kernel = kernel->n,
		.n_user = user->n,
		.n = n,
	};
	fill_raw(k, &raw);
	l->n_given += n;
	sink->sample(sink->arg, &raw);
}

static int take_counts(struct load *l, const struct bpf_map *map,
		       const struct ep_sink *sink)
{
	uint64_t at = 0;
	uint32_t n;
	int more = 1;
	for (bool first = true; more > 0; first = false) {
		EP_TRY(more = take_batch(map, &at, first, l->key_batch, l->count_batch,
					 &n));
		for (uint32_t i = 0; i < n; i++)
			give(l, &l->key_batch[i], l->count_batch[i], sink);
	}
	return 0;
}

static int load_drain(struct ep_source *s, const struct ep_sink *sink,
		      struct ep_source_stats *ret_stats, struct ep_err *err)
{
	struct load *l = of_source(s);
	unsigned old = l->skel->bss->active;
	struct ep_bpf_stats now;
	uint64_t now_ns = ep_clock_mono_ns();
	l->sink = sink;
	(void)ring_buffer__consume(
		l->news); /* news come before samples; late ones later */
	l->sink = NULL;
	int rc = read_stats(l, &now);
	if (rc < 0)
		return fail_step(rc, "the probe's counters can't be read", err);
	l->skel->bss->active = !old;
	wait_for_probes();

	l->n_stacks = l->n_frames = 0;
	ep_index_clear(&l->index);
	rc = take_stacks(l, old ? l->skel->maps.stacks_1 : l->skel->maps.stacks_0);
	if (rc >= 0)
		rc = take_counts(
			l, old ? l->skel->maps.counts_1 : l->skel->maps.counts_0, sink);
	if (rc < 0)
		return fail_step(rc, "the probe's maps can't be read", err);

	uint64_t due = (now_ns - l->since_ns) * l->hz / EP_NS_PER_S * l->n_cpus;
	uint64_t idle = now.idle - l->seen.idle;
	*ret_stats = (struct ep_source_stats){
		.asked = due > idle ? due - idle : 0,
		.taken = l->n_given,
		.lost = now.lost - l->seen.lost,
	};
	for (int k = 0; k < EP_STEP_N; k++)
		ret_stats->ended[k] = now.ended[k] - l->seen.ended[k];
	/* A timer's phase: one tick more or less a CPU is no fault. */
	uint64_t got = ret_stats->taken + ret_stats->lost;
	if (ret_stats->asked < got || ret_stats->asked - got <= l->n_cpus)
		ret_stats->asked = got;
	l->seen = now;
	l->since_ns = now_ns;
	l->n_given = 0;
	return 0;
}

static void load_free(struct ep_source *s)
{
	struct load *l = of_source(s);
	for (unsigned i = 0; i < l->n_links; i++)
		bpf_link__destroy(l->links[i]);
	ring_buffer__free(l->news);
	if (l->memory.words)
		munmap(l->memory.words, (size_t)l->memory.n_words * 4);
	sample_bpf__destroy(l->skel);
	ep_index_fini(&l->index);
	ep_free(l->links);
	ep_free(l->stacks);
	ep_free(l->frames);
	ep_free(l->stack_batch);
	ep_free(l->id_batch);
	ep_free(l->key_batch);
	ep_free(l->count_batch);
	ep_free(l);
}

static const struct ep_source_memory *load_memory(struct ep_source *s)
{
	const struct load *l = of_source(s);
	return l->memory.words ? &l->memory : NULL;
}

static const struct ep_source_ops load_ops = {load_wait, load_drain, load_free,
					      load_memory};

static int fill(struct load *l, uint64_t interval_ns, struct ep_err *err)
{
	int n_possible = libbpf_num_possible_cpus();
	if (n_possible <= 0)
		return ep_fail(err, -ENOTSUP, 0, "the number of CPUs is not known");
	l->n_cpus = n_possible;
	l->links = ep_zalloc(n_possible * sizeof(l->links[0]));
	l->stack_batch = ep_alloc(BATCH * sizeof(l->stack_batch[0]));
	l->id_batch = ep_alloc(BATCH * sizeof(l->id_batch[0]));
	l->key_batch = ep_alloc(BATCH * sizeof(l->key_batch[0]));
	l->count_batch = ep_alloc(BATCH * sizeof(l->count_batch[0]));
	if (!l->links || !l->stack_batch || !l->id_batch || !l->key_batch ||
	    !l->count_batch)
		return ep_fail(err, -ENOMEM, 0, "no memory for the probe");
	EP_TRY(open_probe(l, interval_ns, err));
	l->news = ring_buffer__new(bpf_map__fd(l->skel->maps.news), on_news, l, NULL);
	if (!l->news ||
	    (l->memory.words && ring_buffer__add(l->news, bpf_map__fd(l->skel->maps.firsts),
						 on_first, l) < 0))
		return fail_step(-errno, "the probe's ring can't be mapped", err);
	return attach(l, n_possible, err);
}

int ep_load_open(unsigned hz, uint64_t interval_ns, struct ep_source **ret_s,
		 struct ep_err *err)
{
	struct load *l = ep_zalloc(sizeof(*l));
	if (!l)
		return ep_fail(err, -ENOMEM, 0, "no memory for the probe");
	l->source.ops = &load_ops;
	l->hz = hz;
	int rc = fill(l, interval_ns, err);
	if (rc < 0) {
		load_free(&l->source);
		return rc;
	}
	l->since_ns = ep_clock_mono_ns();
	*ret_s = &l->source;
	return 0;
}

int ep_load_try(bool *ret_by_tables, struct ep_err *err)
{
	struct ep_source *s;
	EP_TRY(ep_load_open(19, EP_NS_PER_S, &s, err));
	*ret_by_tables = ep_source_memory(s) != NULL;
	ep_source_free(s);
	return 0;
}

bool ep_load_works(struct ep_source *s)
{
	struct ep_bpf_stats now;
	return read_stats(of_source(s), &now) == 0;
}
