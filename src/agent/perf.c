/*
 * perf.c - see perf.h.
 *
 * One ring a CPU, made by the first event on it; all other events of that CPU
 * write into the same.  Followed tasks have one event a thread and CPU, which
 * children inherit, so nobody is missed and nobody is counted twice.
 *
 * Source: perf_event_open(2).
 */
#include "agent/perf.h"

#include "base/clock.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
	RING_PAGES = 64, /* 256 KB: a second of a busy CPU with deep stacks */
	SMALL_RING_PAGES = 8,
	MAX_FRAMES = 127,
	MAX_CPUS = 1024,
	SCAN_MS = 1000,
};

struct ring {
	struct perf_event_mmap_page *page; /* NULL: no such CPU */
	size_t n_bytes;			   /* of the data, a power of two */
	int fd;				   /* whose ring it is */
};

struct perf {
	struct ep_source source;
	enum ep_perf_scope scope;
	pid_t pid;
	unsigned hz;
	bool kernel;
	struct ring rings[MAX_CPUS];
	unsigned n_cpus;
	int *fds; /* all other events */
	size_t n_fds, cap_fds;
	struct tracked {
		pid_t pid;
		uint32_t image; /* another number for each fork and exec */
		char comm[16];
	} * tracked; /* in no order; few */
	size_t n_tracked, cap_tracked;
	uint32_t n_images;
	uint64_t next_scan_ns;
	uint64_t lost;
	uint64_t taken;
	uint8_t record[65536]; /* one record, unwrapped */
};

static struct perf *of_source(struct ep_source *s)
{
	return (struct perf *)s;
}

static int open_event(const struct perf *p, pid_t pid, int cpu, bool on_exec)
{
	bool whole_cpu = p->scope == EP_PERF_ALL;
	struct perf_event_attr attr = {
		.size = sizeof(attr),
		.type = PERF_TYPE_SOFTWARE,
		.config =
			whole_cpu ? PERF_COUNT_SW_CPU_CLOCK : PERF_COUNT_SW_TASK_CLOCK,
		.sample_period = EP_NS_PER_S / p->hz,
		.sample_type = PERF_SAMPLE_TID | PERF_SAMPLE_CALLCHAIN,
		.disabled = on_exec,
		.enable_on_exec = on_exec,
		.inherit = !whole_cpu,
		.exclude_kernel = !p->kernel,
		.exclude_callchain_kernel = !p->kernel,
		.exclude_hv = 1,
		.exclude_idle = 1,
		.comm = 1,
		.comm_exec = 1,
		.task = 1,
	};
	int fd =
		syscall(SYS_perf_event_open, &attr, pid, cpu, -1, PERF_FLAG_FD_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int keep_fd(struct perf *p, int fd)
{
	if (p->n_fds == p->cap_fds) {
		size_t cap = p->cap_fds ? p->cap_fds * 2 : 64;
		void *q = ep_realloc(p->fds, cap * sizeof(p->fds[0]));
		if (!q) {
			close(fd);
			return -ENOMEM;
		}
		p->fds = q;
		p->cap_fds = cap;
	}
	p->fds[p->n_fds++] = fd;
	return 0;
}

static int map_ring(struct ring *r, int fd)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	for (unsigned n = RING_PAGES; n >= SMALL_RING_PAGES; n /= 2) {
		void *at = mmap(NULL, (n + 1) * page, PROT_READ | PROT_WRITE,
				MAP_SHARED, fd, 0);
		if (at == MAP_FAILED)
			continue; /* over the limit of locked memory: try less */
		r->page = at;
		r->n_bytes = n * page;
		r->fd = fd;
		return 0;
	}
	return -errno;
}

/* The event joins the ring of its CPU, or makes it. */
static int join_ring(struct perf *p, int cpu, int fd)
{
	struct ring *r = &p->rings[cpu];
	if (!r->page) {
		int rc = map_ring(r, fd);
		if (rc < 0)
			close(fd);
		return rc;
	}
	if (ioctl(fd, PERF_EVENT_IOC_SET_OUTPUT, r->fd) < 0) {
		close(fd);
		return -errno;
	}
	return keep_fd(p, fd);
}

/* Events of one task (or of everybody, -1) on each CPU. */
static int open_task(struct perf *p, pid_t tid, bool on_exec)
{
	int done = 0, rc = -ENODEV;
	for (unsigned cpu = 0; cpu < p->n_cpus; cpu++) {
		int fd = open_event(p, tid, (int)cpu, on_exec);
		if (fd == -ENODEV || fd == -EINVAL)
			continue; /* an offline CPU */
		rc = fd < 0 ? fd : join_ring(p, (int)cpu, fd);
		if (rc < 0)
			return rc;
		done++;
	}
	return done ? 0 : rc;
}

/* Each thread; one that ends meanwhile is no fault. */
static int open_threads(struct perf *p, pid_t pid)
{
	char path[48];
	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	DIR *d = opendir(path);
	if (!d)
		return -errno;
	int done = 0, rc = 0;
	for (struct dirent *e; (e = readdir(d));) {
		if (!isdigit((unsigned char)e->d_name[0]))
			continue;
		rc = open_task(p, atoi(e->d_name), false);
		if (rc < 0 && rc != -ESRCH)
			break;
		done += rc == 0;
	}
	closedir(d);
	return done ? 0 : rc;
}

static struct tracked *find_tracked(struct perf *p, pid_t pid)
{
	for (size_t i = 0; i < p->n_tracked; i++)
		if (p->tracked[i].pid == pid)
			return &p->tracked[i];
	return NULL;
}

static struct tracked *track(struct perf *p, pid_t pid)
{
	struct tracked *t = find_tracked(p, pid);
	if (t)
		return t;
	if (p->n_tracked == p->cap_tracked) {
		size_t cap = p->cap_tracked ? p->cap_tracked * 2 : 64;
		void *q = ep_realloc(p->tracked, cap * sizeof(p->tracked[0]));
		if (!q)
			return NULL;
		p->tracked = q;
		p->cap_tracked = cap;
	}
	t = &p->tracked[p->n_tracked++];
	*t = (struct tracked){.pid = pid};
	return t;
}

static void forget_dead(struct perf *p)
{
	for (size_t i = 0; i < p->n_tracked;)
		if (kill(p->tracked[i].pid, 0) < 0 && errno == ESRCH)
			p->tracked[i] = p->tracked[--p->n_tracked];
		else
			i++;
}

/* Own processes that are not followed yet. */
static void scan_own(struct perf *p)
{
	DIR *d = opendir("/proc");
	if (!d)
		return;
	for (struct dirent *e; (e = readdir(d));) {
		struct stat st;
		pid_t pid = atoi(e->d_name);
		if (pid <= 0 || find_tracked(p, pid))
			continue;
		if (fstatat(dirfd(d), e->d_name, &st, 0) < 0 || st.st_uid != geteuid())
			continue;
		if (open_threads(p, pid) == 0)
			(void)track(p, pid); /* without memory it is tried again */
	}
	closedir(d);
}

/* -- reading the rings --------------------------------------------------------- */

struct chain {
	const uint64_t *kernel, *user;
	uint32_t n_kernel, n_user;
	bool cut;
};

/* A call chain holds marks: what follows is of the kernel, or of the user. */
static struct chain split_chain(uint64_t *ips, uint64_t n)
{
	struct chain c = {.kernel = ips, .user = ips};
	uint64_t *run = NULL;
	bool user = false;
	for (uint64_t i = 0; i < n; i++) {
		if (ips[i] >= PERF_CONTEXT_MAX) {
			user = ips[i] == PERF_CONTEXT_USER;
			run = &ips[i + 1];
			if (user)
				c.user = run;
			else
				c.kernel = run;
			continue;
		}
		if (user)
			c.n_user++;
		else if (run)
			c.n_kernel++;
	}
	c.cut = c.n_user + c.n_kernel >= MAX_FRAMES;
	return c;
}

static void read_comm(pid_t pid, pid_t tid, char *ret, size_t n)
{
	char path[64];
	snprintf(path, sizeof(path), "/proc/%d/task/%d/comm", (int)pid, (int)tid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got = fd < 0 ? 0 : read(fd, ret, n - 1);
	ret[got > 0 ? got : 0] = '\0';
	ret[strcspn(ret, "\n")] = '\0';
	if (fd >= 0)
		close(fd);
}

static struct ep_who who_of(struct perf *p, pid_t pid)
{
	struct tracked *t = pid > 0 ? track(p, pid) : NULL;
	return (struct ep_who){.pid = pid > 0 ? (uint32_t)pid : 0,
			       .image = t ? t->image : 0};
}

static void on_sample(struct perf *p, const uint8_t *body, size_t n,
		      const struct ep_sink *sink)
{
	struct {
		int32_t pid, tid;
		uint64_t n;
	} head;
	if (n < sizeof(head))
		return;
	memcpy(&head, body, sizeof(head));
	uint64_t room = (n - sizeof(head)) / sizeof(uint64_t);
	/* The record buffer is aligned, and so is everything in it. */
	struct chain c = split_chain((uint64_t *)(body + sizeof(head)),
				     head.n < room ? head.n : room);
	char comm[16] = "", *process_comm = "";
	struct ep_who who = who_of(p, head.pid);
	struct tracked *t = find_tracked(p, head.pid);
	if (t && !t->comm[0])
		read_comm(head.pid, head.pid, t->comm, sizeof(t->comm));
	if (who.pid)
		read_comm(head.pid, head.tid, comm, sizeof(comm));
	if (t)
		process_comm = t->comm;
	struct ep_raw raw = {
		.who = who,
		.tid = head.tid > 0 ? (uint32_t)head.tid : 0,
		.is_kthread = !c.n_user && who.pid && c.n_kernel &&
			      p->scope == EP_PERF_ALL && getpgid(head.pid) == 0,
		.is_cut = c.cut,
		.comm = comm[0] ? comm : process_comm,
		.process_comm = process_comm,
		.kernel = c.kernel,
		.user = c.user,
		.n_kernel = c.n_kernel,
		.n_user = c.n_user,
		.n = 1,
	};
	p->taken++;
	sink->sample(sink->arg, &raw);
}

static void tell(struct perf *p, pid_t pid, pid_t tid, const char *comm,
		 const struct ep_sink *sink)
{
	struct ep_who who = who_of(p, pid);
	if (sink->seen && who.pid)
		sink->seen(sink->arg, &who, (uint32_t)tid, comm);
}

static void on_comm(struct perf *p, const struct perf_event_header *h,
		    const uint8_t *body, size_t n, const struct ep_sink *sink)
{
	int32_t ids[2];
	if (n < sizeof(ids) + 1)
		return;
	memcpy(ids, body, sizeof(ids));
	struct tracked *t = ids[0] > 0 ? track(p, ids[0]) : NULL;
	if (!t)
		return;
	if (ids[0] == ids[1])
		snprintf(t->comm, sizeof(t->comm), "%.*s", (int)(n - sizeof(ids)),
			 (const char *)body + sizeof(ids));
	if (h->misc & PERF_RECORD_MISC_COMM_EXEC) {
		t->image = ++p->n_images;
		tell(p, ids[0], ids[1], t->comm, sink);
	}
}

/* FORK and EXIT: pid, ppid, tid, ptid. */
static void on_task(struct perf *p, uint32_t type, const uint8_t *body, size_t n)
{
	int32_t ids[4];
	if (n < sizeof(ids))
		return;
	memcpy(ids, body, sizeof(ids));
	if (type == PERF_RECORD_FORK && ids[0] != ids[1] && ids[0] > 0) {
		struct tracked *t = track(p, ids[0]), *parent = find_tracked(p, ids[1]);
		if (t)
			t->image =
				++p->n_images; /* the pid may have been used before */
		if (t && parent)
			memcpy(t->comm, parent->comm, sizeof(t->comm));
	}
}

static void on_record(struct perf *p, const struct perf_event_header *h,
		      const uint8_t *body, size_t n, const struct ep_sink *sink)
{
	uint64_t lost[2];
	switch (h->type) {
	case PERF_RECORD_SAMPLE:
		on_sample(p, body, n, sink);
		return;
	case PERF_RECORD_COMM:
		on_comm(p, h, body, n, sink);
		return;
	case PERF_RECORD_FORK:
		on_task(p, h->type, body, n);
		return;
	case PERF_RECORD_LOST:
		if (n >= sizeof(lost)) {
			memcpy(lost, body, sizeof(lost));
			p->lost += lost[1];
		}
		return;
	default:
		return;
	}
}

/* n bytes at a position that only grows, out of the ring. */
static void copy_out(const struct ring *r, uint64_t at, void *to, size_t n)
{
	const uint8_t *data = (const uint8_t *)r->page + r->page->data_offset;
	size_t from = at & (r->n_bytes - 1);
	size_t first = n < r->n_bytes - from ? n : r->n_bytes - from;
	memcpy(to, data + from, first);
	memcpy((uint8_t *)to + first, data, n - first);
}

static void read_ring(struct perf *p, struct ring *r, const struct ep_sink *sink)
{
	uint64_t head = __atomic_load_n(&r->page->data_head, __ATOMIC_ACQUIRE);
	uint64_t tail = r->page->data_tail;
	while (tail < head) {
		struct perf_event_header h;
		copy_out(r, tail, &h, sizeof(h));
		if (h.size < sizeof(h))
			break; /* can't be: the kernel wrote it */
		size_t n = h.size - sizeof(h);
		copy_out(r, tail + sizeof(h), p->record, n);
		tail += h.size;
		on_record(p, &h, p->record, n, sink);
	}
	__atomic_store_n(&r->page->data_tail, head, __ATOMIC_RELEASE);
}

static void read_rings(struct perf *p, const struct ep_sink *sink)
{
	for (unsigned i = 0; i < p->n_cpus; i++)
		if (p->rings[i].page)
			read_ring(p, &p->rings[i], sink);
}

/* Rings are emptied often, since there are no counts in the kernel. */
static int perf_wait(struct ep_source *s, int timeout_ms, const struct ep_sink *sink)
{
	struct perf *p = of_source(s);
	uint64_t now = ep_clock_mono_ns();
	int rc = poll(NULL, 0, timeout_ms < 100 ? timeout_ms : 100);
	read_rings(p, sink);
	if (now < p->next_scan_ns)
		return rc < 0 ? -EINTR : 0;
	p->next_scan_ns = now + SCAN_MS * EP_NS_PER_MS;
	forget_dead(p);
	if (p->scope == EP_PERF_OWN)
		scan_own(p);
	return rc < 0 ? -EINTR : 0;
}

static int perf_drain(struct ep_source *s, const struct ep_sink *sink,
		      struct ep_source_stats *ret_stats, struct ep_err *err)
{
	struct perf *p = of_source(s);
	(void)err; /* reading memory does not fail */
	read_rings(p, sink);
	/* What was due is not known from here: what came, and what the kernel says it
	 * dropped. */
	*ret_stats = (struct ep_source_stats){p->taken + p->lost, p->taken, p->lost};
	p->taken = p->lost = 0;
	return 0;
}

static void perf_free(struct ep_source *s)
{
	struct perf *p = of_source(s);
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	for (size_t i = 0; i < p->n_fds; i++)
		close(p->fds[i]);
	for (unsigned i = 0; i < p->n_cpus; i++)
		if (p->rings[i].page) {
			munmap(p->rings[i].page, p->rings[i].n_bytes + page);
			close(p->rings[i].fd);
		}
	ep_free(p->fds);
	ep_free(p->tracked);
	ep_free(p);
}

static const struct ep_source_ops perf_ops = {perf_wait, perf_drain, perf_free};

/* An event a thread and CPU adds up. */
static void raise_fd_limit(void)
{
	struct rlimit l;
	if (getrlimit(RLIMIT_NOFILE, &l) < 0)
		return;
	l.rlim_cur = l.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &l); /* then fewer threads are followed */
}

static int start(struct perf *p)
{
	switch (p->scope) {
	case EP_PERF_ALL:
		return open_task(p, -1, false);
	case EP_PERF_OWN: {
		int rc = open_threads(p, getpid());
		if (rc == 0 && !track(p, getpid()))
			rc = -ENOMEM;
		return rc;
	}
	case EP_PERF_PID:
		return open_threads(p, p->pid);
	case EP_PERF_ON_EXEC:
		return open_task(p, p->pid, true);
	}
	return -EINVAL;
}

static void close_all(struct perf *p)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	for (size_t i = 0; i < p->n_fds; i++)
		close(p->fds[i]);
	p->n_fds = 0;
	for (unsigned i = 0; i < p->n_cpus; i++) {
		if (!p->rings[i].page)
			continue;
		munmap(p->rings[i].page, p->rings[i].n_bytes + page);
		close(p->rings[i].fd);
		p->rings[i].page = NULL;
	}
}

static int fail(const struct perf *p, int rc, struct ep_err *err)
{
	if (rc == -ESRCH || rc == -ENOENT)
		return ep_fail(err, -ENOENT, 0, "there is no process %d", (int)p->pid);
	if (rc == -ENOMEM)
		return ep_fail(err, rc, 0, "no memory for the samples");
	if (rc == -EACCES || rc == -EPERM)
		return ep_fail(
			err, -EACCES, 0,
			"this user may not sample %s; start it with sudo, or for own "
			"processes set kernel.perf_event_paranoid to 2 or less",
			p->scope == EP_PERF_ALL ? "the machine" : "that process");
	return ep_fail(err, -ENOTSUP, 0, "perf events don't work here: %s",
		       strerror(-rc));
}

int ep_perf_open(enum ep_perf_scope scope, pid_t pid, unsigned hz, bool *ret_kernel,
		 struct ep_source **ret_s, struct ep_err *err)
{
	struct perf *p = ep_zalloc(sizeof(*p));
	if (!p)
		return ep_fail(err, -ENOMEM, 0, "no memory for the samples");
	long n = sysconf(_SC_NPROCESSORS_CONF);
	p->source.ops = &perf_ops;
	p->scope = scope;
	p->pid = pid;
	p->hz = hz;
	p->n_cpus = n < 1 ? 1 : n > MAX_CPUS ? MAX_CPUS : (unsigned)n;
	p->kernel = true;
	raise_fd_limit();
	int rc = start(p);
	if (rc == -EACCES || rc == -EPERM) {
		close_all(p);
		p->kernel = false;
		rc = start(p);
	}
	if (rc < 0) {
		fail(p, rc, err);
		perf_free(&p->source);
		return err ? err->code : rc;
	}
	if (ret_kernel)
		*ret_kernel = p->kernel;
	*ret_s = &p->source;
	return 0;
}
