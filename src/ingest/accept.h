/*
 * accept.h - what every protocol does with a pprof at the end: decode, name,
 * check, store.  Internal to the room.
 */
#ifndef EP_INGEST_ACCEPT_H
#define EP_INGEST_ACCEPT_H

#include "ingest/ingest.h"

#include <stdatomic.h>

struct ep_json;

enum {
	EP_ACCEPT_MAX_LABELS = 128,
	EP_ACCEPT_MAX_LABEL_NAME = 1024,
	EP_ACCEPT_MAX_LABEL_VALUE = 2048,
};

struct ep_ingest {
	struct ep_ingest_config cfg;
	_Atomic uint64_t profiles, rejected, samples, bytes;
};

struct ep_labelset_in {
	struct ep_kv v[EP_ACCEPT_MAX_LABELS];
	uint32_t n;
};

/*
 * Add or replace a label; bytes are borrowed.
 * errors   -EINVAL, -E2BIG: a name, a value, or their number; err names the limit
 */
int ep_accept_label(struct ep_labelset_in *l, struct ep_slice name, struct ep_slice value,
		    struct ep_err *err);
/* The value, or {NULL,0}. */
struct ep_slice ep_accept_find(const struct ep_labelset_in *l, const char *name);

struct ep_accept {
	const struct ep_http *x;        /* who sends it: its tenant takes it */
	struct ep_slice pprof;          /* gzip, zstd or plain; empty: nothing to store */
	struct ep_labelset_in *labels;  /* __name__ is added when it is missing */
	const struct ep_json *types;    /* sample_type_config, or NULL */
	uint64_t from_ns, until_ns;     /* 0: not said */
};

/*
 * ep_accept - take one profile in; returns after it is on disk.
 *
 * errors   -EBADMSG, -ENODATA, -EINVAL: the profile or its labels; -E2BIG: too large;
 *          -EAGAIN: a limit of the tenant; else what the store says
 */
int ep_accept(struct ep_ingest *in, const struct ep_accept *a, struct ep_err *err);

/* Answer a failed push: 422 for what validation refused, 413 for a size, 429 for a
 * limit of the tenant, 507. */
void ep_accept_fail(struct ep_http *x, int rc, const struct ep_err *err);

/* The metric name (process_cpu, memory, …) of a profile; in metric.c. */
const char *ep_metric_name(const struct ep_profile *p, const struct ep_json *types,
			   char *ret_buf, size_t n_buf);

/* The handlers, one file each. */
void ep_ingest_pyroscope(void *room, struct ep_http *x);
void ep_ingest_pusher(void *room, struct ep_http *x);

#endif
