/*
 * write.h - a tally as a pprof profile.
 */
#ifndef EP_INPROC_WRITE_H
#define EP_INPROC_WRITE_H

#include "base/buf.h"
#include "base/err.h"
#include "inproc/code.h"
#include "inproc/tally.h"
#include "profile/ledger.h"

struct ep_write_type {
	const char *type, *unit;
};

/* What a kind of profile looks like. */
struct ep_write_shape {
	const char *name; /* "cpu": of a file, a route, a push */
	struct ep_write_type values[EP_TALLY_VALUES]; /* as in the rows; ends with NULL */
	struct ep_write_type period;
	const char *default_type;
};
extern const struct ep_write_shape ep_write_cpu_shape, ep_write_heap_shape;

/* The name of a thread, as it was when the profile was taken. */
struct ep_write_name {
	uint32_t tid;
	char name[16];
};

struct ep_write {
	const struct ep_write_shape *shape;
	const struct ep_tally *tally;
	const struct ep_code_mapping *mappings; /* [n_mappings], by id */
	uint32_t n_mappings;
	uint64_t period, from_ns, until_ns;
	uint64_t covered_ns; /* of the time in between; 0: all */
	struct ep_ledger ledger;
	const struct ep_write_name *names; /* [n_names]; others are asked from the kernel */
	uint32_t n_names;
	bool named; /* with function names from local symbol tables; reads files */
};

/* NULL: it is not there. */
const struct ep_write_name *ep_write_find_name(const struct ep_write_name *names, uint32_t n,
					       uint32_t tid);

/*
 * ep_write - append the gzipped profile.
 *
 * errors   -ENOMEM, -E2BIG
 * threads  any thread; touches only what it is given
 */
int ep_write(const struct ep_write *w, struct ep_buf *out, struct ep_err *err);

#endif
