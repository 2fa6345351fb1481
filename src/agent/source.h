/*
 * source.h - where samples come from: eBPF, or perf events where eBPF is not
 * allowed.  Both give the same raw samples.
 */
#ifndef EP_AGENT_SOURCE_H
#define EP_AGENT_SOURCE_H

#include "base/err.h"
#include "base/mem.h"
#include "unwind/step.h"

#include <stdbool.h>
#include <stdint.h>

/* One image of one process: a pid is reused, and exec replaces the image. */
struct ep_who {
	uint32_t pid;	/* as this process sees it; 0: outside of our PID namespace */
	uint32_t image; /* another with each exec; 0: none, it is about to end */
	uint64_t start_ns; /* of the process, since boot; 0 where not known */
};

/* The stack of a thread as it was, for a walk later. */
struct ep_stack_copy {
	struct ep_regs regs;
	uint64_t at; /* address of bytes[0] */
	const uint8_t *bytes;
	uint32_t n_bytes;
};

struct ep_raw {
	struct ep_who who;
	struct ep_who from; /* pid not 0: who has the areas of this one, its ancestor */
	const struct ep_stack_copy *copy; /* instead of user frames; NULL: none */
	uint32_t tid;
	bool is_kthread;
	bool is_cut;	  /* the user stack is known not to reach its root */
	const char *comm; /* of the thread */
	const char
		*process_comm;	/* of the process's first thread; "" where not known */
	const uint64_t *kernel; /* leaf first; callers are return addresses */
	const uint64_t *user;
	uint32_t n_kernel, n_user;
	uint64_t n; /* equal samples */
};

/* Since the last drain. */
struct ep_source_stats {
	uint64_t asked; /* samples due on the CPUs while they were busy */
	uint64_t taken, lost;
	/* User stacks walked by tables, by why the walk ended; EP_STEP_OK: walked by
	 * frame pointer, where the end says nothing. */
	uint64_t ended[EP_STEP_N];
};

/* Who listens.  Called from ep_source_wait() and ep_source_drain() only; strings and
 * frames are valid during the call. */
struct ep_sink {
	void *arg;
	/* An image is there that was not before: now is the time to read its /proc. */
	void (*seen)(void *arg, const struct ep_who *who, uint32_t tid,
		     const char *comm);
	void (*sample)(void *arg, const struct ep_raw *raw);
};

/*
 * An array of words that the source's probe reads in place: unwind tables and the
 * areas of images (bpf/probe.h).
 */
struct ep_source_memory {
	uint32_t *words;
	uint32_t n_words;
	/* Where the areas of an image are, from now on.  0 or a negative errno. */
	int (*set)(void *arg, const struct ep_who *who, uint32_t areas,
		   uint32_t n_areas);
	void (*drop)(void *arg, const struct ep_who *who);
	void *arg;
};

struct ep_source;

struct ep_source_ops {
	int (*wait)(struct ep_source *s, int timeout_ms, const struct ep_sink *sink);
	int (*drain)(struct ep_source *s, const struct ep_sink *sink,
		     struct ep_source_stats *ret_stats, struct ep_err *err);
	void (*free)(struct ep_source *s);
	/* May be NULL. */
	const struct ep_source_memory *(*memory)(struct ep_source *s);
};

/* A source begins with this. */
struct ep_source {
	const struct ep_source_ops *ops;
};

/* Wait for news of processes, at most so long; a signal ends it early.  0 or -EINTR. */
static inline int ep_source_wait(struct ep_source *s, int timeout_ms,
				 const struct ep_sink *sink)
{
	return s->ops->wait(s, timeout_ms, sink);
}

/* Hand over all samples since the last time.  0 or a negative errno. */
static inline int ep_source_drain(struct ep_source *s, const struct ep_sink *sink,
				  struct ep_source_stats *ret_stats, struct ep_err *err)
{
	return s->ops->drain(s, sink, ret_stats, err);
}

/* NULL: this source does not walk by tables.  Lives as long as the source. */
static inline const struct ep_source_memory *ep_source_memory(struct ep_source *s)
{
	return s->ops->memory ? s->ops->memory(s) : NULL;
}

static inline void ep_source_free(struct ep_source *s)
{
	if (s)
		s->ops->free(s);
}
EP_DEFINE_AUTO(ep_source);

#endif
