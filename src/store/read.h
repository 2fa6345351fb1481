/*
 * read.h - the store as a query sees it.
 *
 * A view pins the heads and segments that may hold profiles of a range of time.  It lists
 * their series; of a series it walks the points (small) and, where asked, the
 * blobs.  What is damaged is skipped, named once in the log, and counted.
 * Dictionaries stay valid while the view is open.
 *
 * One thread at a time per view; many views at once; ingest never waits.
 */
#ifndef EP_STORE_READ_H
#define EP_STORE_READ_H

#include "base/err.h"
#include "base/mem.h"
#include "store/block.h"
#include "store/dict.h"
#include "store/head.h"
#include "store/rows.h"
#include "store/store.h"

struct ep_read;

struct ep_read_series {
	const struct ep_kv *labels; /* sorted by key; the type's "__" labels among them */
	uint32_t n_labels;
	uint32_t source; /* number of the head or segment in this view */
	uint32_t id;     /* in its source */
	uint32_t service; /* in its source: series with one (source, service) share a dictionary */
	uint64_t min_ns, max_ns; /* bounds of its profiles' times */
};

/*
 * ep_read_open - a view of the profiles that start in [from, until].
 * errors   -ENOMEM, -EIO
 */
int ep_read_open(struct ep_store *s, uint64_t from_ns, uint64_t until_ns, struct ep_read **ret_r,
		 struct ep_err *err);
void ep_read_close(struct ep_read *r);
static inline void ep_read_auto_free_(struct ep_read **r)
{
	ep_read_close(*r);
}

/* Those that may have a profile in the range, by source. */
const struct ep_read_series *ep_read_series(const struct ep_read *r, uint32_t *ret_n);
/* The value of a label, empty when it is not there. */
struct ep_slice ep_read_label(const struct ep_read_series *s, struct ep_slice key);

int ep_read_dict(struct ep_read *r, const struct ep_read_series *s, const struct ep_dict **ret_d,
		 struct ep_err *err);

/* Not 0 ends the walk, which returns it. */
typedef int ep_read_point_fn(void *ctx, const struct ep_head_point *p, struct ep_err *err);
/* The series' points in the view's range, by time. */
int ep_read_points(struct ep_read *r, const struct ep_read_series *s, ep_read_point_fn *fn,
		   void *ctx, struct ep_err *err);

/*
 * A block of a segment: what is added up anyway can take its sums instead of its
 * profiles.
 */
struct ep_read_block {
	const struct ep_read_series *series;
	const struct ep_block *block; /* its points are read */
	uint32_t number, col;
	uint32_t first, end; /* those of its profiles that lie in the view's range */
};

/* 1: taken; 0: give me its points instead; else the walk ends. */
typedef int ep_read_block_fn(void *ctx, const struct ep_read_block *b, struct ep_err *err);
/* Like ep_read_points(), with blocks offered first. */
int ep_read_walk(struct ep_read *r, const struct ep_read_series *s, ep_read_block_fn *block_fn,
		 ep_read_point_fn *fn, void *ctx, struct ep_err *err);

/* A profile of the block. */
struct ep_head_point ep_read_block_point(const struct ep_read_block *b, uint32_t i);
/*
 * ep_read_block_sum - the sums of the block's profiles in the range, as one profile of
 * one column: ep_block_sum().
 * returns  1: here they are; 0: damaged, its profiles are skipped
 */
int ep_read_block_sum(struct ep_read *r, const struct ep_read_block *b,
		      struct ep_block_filter *filter, struct ep_blob *to, struct ep_err *err);
/* The same of a block that lies in the range as a whole, by label set. */
int ep_read_block_sum_pairs(struct ep_read *r, const struct ep_read_block *b, struct ep_blob *to,
			    struct ep_err *err);
/* The label sets of each of its profiles: b->block's sets_from, point_sets, point_sums.
 * 1; 0: not known any more. */
int ep_read_block_sets(struct ep_read *r, const struct ep_read_block *b, struct ep_err *err);

/*
 * ep_read_blob - the label sets of a point's profile, with their sums.
 * Valid until the next call.
 * returns  1: here it is; 0: damaged, skip it
 */
int ep_read_blob(struct ep_read *r, const struct ep_read_series *s, const struct ep_head_point *p,
		 struct ep_blob *b, struct ep_err *err);
/* The same blob's stacks and the values of the point's column. */
int ep_read_rows(struct ep_read *r, const struct ep_read_series *s, const struct ep_head_point *p,
		 struct ep_blob *b, struct ep_err *err);

/* Profiles skipped so far. */
uint64_t ep_read_damaged(const struct ep_read *r);

#endif
