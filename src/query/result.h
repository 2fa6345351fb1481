/*
 * result.h - what a query hands out: plain arrays in one arena each.
 *
 * Every slice and pointer of a result lives in its arena and dies with
 * ep_X_free().  Values are in the unit of the profile type and are sums.
 * Times are milliseconds since 1970.
 */
#ifndef EP_QUERY_RESULT_H
#define EP_QUERY_RESULT_H

#include "base/arena.h"
#include "base/slice.h"
#include "store/store.h" /* struct ep_kv */

#include <stdbool.h>
#include <stdint.h>

/* What the profiles behind an answer say of themselves. */
struct ep_query_ledger {
	uint64_t profiles, samples;
	uint64_t asked, taken, lost, truncated; /* samples; 0 when nobody said */
	int64_t unsymbolised;   /* weight whose leaf frame has no name */
	int64_t copies;         /* weight left out because it is counted already */
	uint64_t damaged;       /* profiles that could not be read and were skipped */
	uint64_t covered_ms;    /* time within the range that some profile covers */
	uint64_t span_ms;       /* length of the range */
};

enum ep_kind {
	EP_KIND_ROOT,
	EP_KIND_NATIVE,
	EP_KIND_KERNEL,
	EP_KIND_JIT,
	EP_KIND_UNNAMED,
	EP_KIND_LOST,
	EP_KIND_LABEL, /* not code: a value of the label that a tree is grouped by */
};
/* "root", "native", ... as in docs/api.md. */
const char *ep_kind_name(enum ep_kind k);

/* One function; names may repeat with another file. */
struct ep_fn {
	struct ep_slice name, file;
	enum ep_kind kind;
};

/*
 * A tree by columns in pre-order; siblings are sorted by name, then file; node 0
 * is the root, named "total".  For every node
 *     total == self + the children's totals + more
 */
struct ep_tree {
	struct ep_arena *arena;
	struct ep_slice type, unit;
	struct ep_fn *fns;
	uint32_t n_fns;
	uint32_t n_nodes;
	uint32_t *fn, *depth;
	int64_t *self, *total;
	int64_t *more;          /* weight of children left out; of both sides in a diff */
	int64_t *self_b, *total_b; /* of a diff: side b (self, total: side a); else NULL */
	int64_t total_a_sum, total_b_sum; /* of a diff: the sides' totals */
	struct ep_query_ledger ledger, ledger_b;
};
void ep_tree_free(struct ep_tree *t);
EP_DEFINE_AUTO(ep_tree);

struct ep_top_row {
	struct ep_fn fn;
	int64_t self, total; /* a recursive function counts once in total */
};
struct ep_top {
	struct ep_arena *arena;
	struct ep_slice type, unit;
	int64_t total;
	struct ep_top_row *rows; /* heaviest self first, then total, then name */
	uint32_t n_rows;
	uint32_t n_all;          /* functions that matched the search, before the limit */
	struct ep_query_ledger ledger;
};
void ep_top_free(struct ep_top *t);
EP_DEFINE_AUTO(ep_top);

struct ep_point {
	int64_t t_ms;
	int64_t value;
	uint64_t n; /* profiles behind it: value / n is their average */
};
struct ep_series_row {
	struct ep_kv *labels; /* the `by` labels in the order asked */
	uint32_t n_labels;
	int64_t total;
	struct ep_point *points; /* ascending; empty steps are left out */
	uint32_t n_points;
};
struct ep_series {
	struct ep_arena *arena;
	struct ep_slice unit;
	int64_t step_ms;
	struct ep_series_row *rows; /* heaviest first */
	uint32_t n_rows;
	uint32_t n_all; /* before the limit */
	struct ep_query_ledger ledger;
};
void ep_series_free(struct ep_series *s);
EP_DEFINE_AUTO(ep_series);

enum { EP_HEATMAP_BUCKETS = 20 };
struct ep_heatmap_slot {
	int64_t t_ms;
	uint32_t counts[EP_HEATMAP_BUCKETS]; /* from least + k * width on */
};
struct ep_heatmap_row {
	struct ep_kv *labels;
	uint32_t n_labels;
	struct ep_heatmap_slot *slots; /* ascending; empty ones are left out */
	uint32_t n_slots;
};
struct ep_heatmap {
	struct ep_arena *arena;
	double least, width; /* of the values, over all rows */
	struct ep_heatmap_row *rows; /* heaviest first */
	uint32_t n_rows;
};
void ep_heatmap_free(struct ep_heatmap *m);
EP_DEFINE_AUTO(ep_heatmap);

struct ep_type_info {
	struct ep_slice id, name, sample_type, sample_unit, period_type, period_unit;
	uint64_t profiles;
	int64_t total;
};
struct ep_types {
	struct ep_arena *arena;
	struct ep_type_info *v; /* by id */
	uint32_t n;
};
void ep_types_free(struct ep_types *t);
EP_DEFINE_AUTO(ep_types);

struct ep_service {
	struct ep_slice name;
	struct ep_type_info *types; /* by id */
	uint32_t n_types;
	uint64_t profiles;
	int64_t first_ms, last_ms; /* starts of the oldest and newest profile of the range */
};
struct ep_services {
	struct ep_arena *arena;
	struct ep_service *v; /* by name */
	uint32_t n;
};
void ep_services_free(struct ep_services *s);
EP_DEFINE_AUTO(ep_services);

struct ep_label_info {
	struct ep_slice name;
	uint64_t n_values;
	bool is_sample; /* seen on samples rather than series */
};
struct ep_labels {
	struct ep_arena *arena;
	struct ep_label_info *v; /* by name; "__" names of the series are among them */
	uint32_t n;
};
void ep_labels_free(struct ep_labels *l);
EP_DEFINE_AUTO(ep_labels);

struct ep_value {
	struct ep_slice value;
	int64_t total; /* weight; when no type is given, profiles */
};
struct ep_values {
	struct ep_arena *arena;
	struct ep_value *v; /* heaviest first, then by value */
	uint32_t n;
	bool more;
};
void ep_values_free(struct ep_values *v);
EP_DEFINE_AUTO(ep_values);

struct ep_labelset {
	struct ep_kv *v; /* by key */
	uint32_t n;
};
struct ep_labelsets {
	struct ep_arena *arena;
	struct ep_labelset *v;
	uint32_t n;
};
void ep_labelsets_free(struct ep_labelsets *l);
EP_DEFINE_AUTO(ep_labelsets);

#endif
