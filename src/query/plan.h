/*
 * plan.h - from a question to the profiles behind it.
 *
 * A plan holds the series that may match and walks their profiles.  Matchers on
 * labels of the series are decided once; the others by label set, remembered.
 * Here is also the one place that counts a process once (docs/decisions/0501).
 */
#ifndef EP_QUERY_PLAN_H
#define EP_QUERY_PLAN_H

#include "query/query.h"
#include "query/selector.h"
#include "store/read.h"

struct ep_plan_series {
	const struct ep_read_series *s;
	const struct ep_dict *d;
	uint64_t pending;      /* matchers that sample labels decide, a bit each; all ones past 64 */
	uint8_t *memo;         /* per label set: 0 unknown, 1 no, 2 yes */
	uint32_t n_memo;
	bool is_agent, has_copies; /* the agent's, and others push the same service */
};

struct ep_copies;

struct ep_plan {
	const struct ep_query_env *env;
	const struct ep_query *q;
	struct ep_selector *selector;
	struct ep_read *read;
	struct ep_plan_series *v;
	uint32_t n;
	struct ep_blob blob;
	struct ep_copies *copies;
	uint8_t *take; /* per label set of the blob at hand */
	uint32_t cap_take;
	struct ep_query_ledger ledger;
	uint64_t begun_ns, read_bytes;
	uint64_t (*covered)[2]; /* start and end, ms */
	size_t n_covered, cap_covered;
};

enum ep_plan_need {
	EP_NEED_TOTAL, /* the weight is enough */
	EP_NEED_SETS,  /* hit.blob's label sets */
	EP_NEED_STACKS, /* and stacks and values, which are added up: a hit may be the sum of
			   many profiles, with all under set 0 when nothing filters */
	EP_NEED_ROWS,   /* and stacks and values with their label sets, added up likewise */
};

/* A profile with something that matches. */
struct ep_hit {
	const struct ep_plan_series *series;
	const struct ep_head_point *point; /* of a sum: when the first began, and how long all
					      of them last */
	int64_t total;              /* weight of what matches */
	const struct ep_blob *blob; /* NULL when only totals were needed and all of it matches */
	const uint8_t *take;        /* per set of the blob: 1 matches; NULL: all do */
};

typedef int ep_hit_fn(void *ctx, const struct ep_hit *hit, struct ep_err *err);

/* needs_type: an empty type is -EINVAL. */
int ep_plan_open(struct ep_plan *p, const struct ep_query_env *env, const struct ep_query *q,
		 bool needs_type, struct ep_err *err);
void ep_plan_close(struct ep_plan *p);
int ep_plan_run(struct ep_plan *p, enum ep_plan_need need, ep_hit_fn *fn, void *ctx,
		struct ep_err *err);
/* A limit of the query was passed: -ETIMEDOUT or -E2BIG with the sentence. */
int ep_plan_over(const struct ep_query_env *env, int code, const char *limit, uint64_t reached,
		 uint64_t most, struct ep_err *err);
/* After the run: damage, coverage and span filled in. */
struct ep_query_ledger ep_plan_ledger(struct ep_plan *p);

/* A label of one label set of a series, "" when it is in neither.  A number is written
 * into buf. */
struct ep_slice ep_plan_label(const struct ep_plan_series *s, uint32_t set, struct ep_slice name,
			      char buf[32]);

static inline bool ep_hit_takes(const struct ep_hit *h, uint32_t i)
{
	return !h->take || h->take[i];
}

#endif
