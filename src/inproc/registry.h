/*
 * registry.h - every profile this process can give, by name.
 *
 * One row a kind, custom profiles among them: what HTTP serves, what is pushed, what
 * EVERPROF_OUT writes, all go through this table.
 */
#ifndef EP_INPROC_REGISTRY_H
#define EP_INPROC_REGISTRY_H

#include "inproc/outbox.h"

enum { EP_REGISTRY_MAX = 128 };

/* What a snapshot is of. */
enum ep_kind_form {
	EP_KIND_TOTAL, /* since the process began to look; what is in use: now */
	EP_KIND_PUSH,  /* since the last push */
	EP_KIND_INTERRUPT, /* as the first; threads may be interrupted for it */
};

struct ep_kind {
	const char *name;	 /* "heap"; of letters, digits, '_', '-', '.' */
	const char *description; /* a sentence for the index */
	const struct ep_write_shape *shape;
	/*
	 * A snapshot; under the drain lock.  false: memory is short, or it never started.
	 * ret_b goes to ep_batch_fini().
	 */
	bool (*take)(const struct ep_kind *k, enum ep_kind_form form, struct ep_batch *ret_b);
	/* As text for people: debugtext.h.  NULL: it has none. */
	int (*text)(const struct ep_batch *b, struct ep_buf *out);
	int (*long_text)(const struct ep_batch *b, struct ep_buf *out); /* debug=2; NULL: the same */
	/* Records there are now: the number on the index page.  Any thread. */
	uint64_t (*count)(const struct ep_kind *k);
	/* Called around the seconds of a difference, under no lock: it is on only if asked for.
	 * NULL: it is always on.  -EBUSY, -EAGAIN, -ENOMEM. */
	int (*begin)(void);
	void (*end)(void);
	bool can_delta;	      /* ?seconds=N makes sense: second snapshot - first */
	uint64_t push_every_ns; /* 0: is not pushed */
	void *of;	      /* the owner's */
};

/*
 * ep_registry_add - a kind that stays for the life of the process.
 *
 * errors   -EEXIST the name is taken, -ENOSPC over EP_REGISTRY_MAX, -EINVAL a bad name
 * owns     k is borrowed for ever
 * threads  any; no lock is needed
 */
int ep_registry_add(const struct ep_kind *k);
const struct ep_kind *ep_registry_find(const char *name);

/* A name of /debug/pprof or of what we push, whether that is there yet or not. */
bool ep_registry_is_ours(const char *name);
/* The i-th in the order they came, NULL past the end.  Any thread. */
const struct ep_kind *ep_registry_at(uint32_t i);

#endif
