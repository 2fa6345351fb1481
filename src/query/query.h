/*
 * query.h - every question the server answers about stored profiles.
 *
 * A query is (type, selector, range).  It reads what the store has, adds values
 * per stack, names frames with the symbols known now (so symbols that come later
 * repair the past), and hands out plain results (result.h).
 *
 * Any thread may call any of these at once; nothing here blocks ingest.
 * Errors of all:
 *   -EINVAL    a bad selector, type or range; err says which, err->pos where in
 *              the selector
 *   -E2BIG     over a limit of the query; err names it
 *   -EIO, -ENOMEM
 * No data is not an error: the answer is empty, with its ledger.
 */
#ifndef EP_QUERY_QUERY_H
#define EP_QUERY_QUERY_H

#include "base/err.h"
#include "profile/profile.h"
#include "query/result.h"
#include "store/store.h"

struct ep_symcache;
struct ep_fntrees;

/* What questions are asked of; borrowed for the call. */
struct ep_query_env {
	struct ep_store *store;
	struct ep_symcache *symbols; /* NULL: native frames stay unnamed */
	struct ep_fntrees *trees;    /* kept between queries (fntree.h); NULL: none are */
	/* Of one query, 0 is none: -ETIMEDOUT or -E2BIG past them; err has what was reached. */
	uint64_t max_time_ns;
	uint64_t max_bytes; /* of rows read, unpacked */
	uint64_t max_nodes; /* of the tree before it is cut */
	const char *tenant; /* whose limits they are, for the sentence; NULL: nobody's */
};

struct ep_query {
	struct ep_slice type;     /* process_cpu:cpu:nanoseconds:cpu:nanoseconds; empty: every type,
				     where the call allows it */
	struct ep_slice selector; /* {a="b",c!="d",e=~"re",f!~"re"}; empty: everything */
	int64_t from_ms, until_ms; /* profiles that start in [from, until]; from <= until */
	bool include_copies;      /* count the agent's copy of a process that pushes itself, too */
};

/* Needs no type; totals and profiles per service and type. */
int ep_query_services(const struct ep_query_env *env, const struct ep_query *q,
		      struct ep_services **ret_s, struct ep_err *err);
int ep_query_types(const struct ep_query_env *env, const struct ep_query *q,
		   struct ep_types **ret_t, struct ep_err *err);

/* Label names, of series and of samples.  The type may be empty. */
int ep_query_labels(const struct ep_query_env *env, const struct ep_query *q,
		    struct ep_labels **ret_l, struct ep_err *err);

struct ep_values_opts {
	struct ep_slice name;   /* the label */
	struct ep_slice prefix; /* of the value; may be empty */
	uint32_t limit;         /* 0: all */
};
int ep_query_values(const struct ep_query_env *env, const struct ep_query *q,
		    const struct ep_values_opts *o, struct ep_values **ret_v,
		    struct ep_err *err);

/*
 * Distinct projections of the series' own labels on `names`; with n_names == 0 whole
 * sets.  Sorted.  The type may be empty.
 */
int ep_query_labelsets(const struct ep_query_env *env, const struct ep_query *q,
		       const struct ep_slice *names, uint32_t n_names,
		       struct ep_labelsets **ret_l, struct ep_err *err);

struct ep_tree_opts {
	uint32_t max_nodes;          /* 0: no cut.  The heaviest are kept, the rest is in `more` */
	const struct ep_slice *path; /* function names, root first ("total" is not among them):
					only stacks that begin so; the answer holds the root, the
					nodes of the path with their whole totals, and what is below */
	uint32_t n_path;
	struct ep_slice by;          /* the first level: a node for each value of this label, kind
					LABEL, its name the value, its file the label; past the
					50 heaviest one node "other values".  Empty: no such level */
};
int ep_query_tree(const struct ep_query_env *env, const struct ep_query *q,
		  const struct ep_tree_opts *o, struct ep_tree **ret_t, struct ep_err *err);
/* The union of two trees; q of both sides must have one type. */
int ep_query_diff(const struct ep_query_env *env, const struct ep_query *a,
		  const struct ep_query *b, const struct ep_tree_opts *o,
		  struct ep_tree **ret_t, struct ep_err *err);

struct ep_top_opts {
	uint32_t limit;         /* 0: all */
	struct ep_slice search; /* part of a name, any case; may be empty */
};
int ep_query_top(const struct ep_query_env *env, const struct ep_query *q,
		 const struct ep_top_opts *o, struct ep_top **ret_t, struct ep_err *err);

struct ep_series_opts {
	int64_t step_ms;           /* >= 1; points stand at from + k * step and cover (t - step, t] */
	const struct ep_slice *by; /* group by these labels; none: one series without labels */
	uint32_t n_by;
	uint32_t limit;            /* the heaviest; 0: all */
	bool spread;               /* a profile counts evenly over its time,
				      not all at its start; not for gauges */
};
int ep_query_series(const struct ep_query_env *env, const struct ep_query *q,
		    const struct ep_series_opts *o, struct ep_series **ret_s,
		    struct ep_err *err);

struct ep_heatmap_opts {
	int64_t step_ms; /* as of a series */
	const struct ep_slice *by;
	uint32_t n_by;
	uint32_t limit; /* the heaviest rows; 0: all */
	bool spans;     /* count spans (the sample label span_id), not profiles */
};
int ep_query_heatmap(const struct ep_query_env *env, const struct ep_query *q,
		     const struct ep_heatmap_opts *o, struct ep_heatmap **ret_m,
		     struct ep_err *err);

/*
 * The merged profile, one sample type, labels of samples kept; addresses, lines and
 * mappings as they were pushed, and names for what symbols are known for.
 * owns     the caller frees with ep_profile_free()
 */
int ep_query_profile(const struct ep_query_env *env, const struct ep_query *q,
		     struct ep_profile **ret_p, struct ep_err *err);

#endif
