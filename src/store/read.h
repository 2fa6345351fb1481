/*
 * read.h - the store as a query sees it.
 *
 * A view pins the heads that may hold profiles of a range of time.  It lists
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
#include "store/dict.h"
#include "store/head.h"
#include "store/rows.h"
#include "store/store.h"

struct ep_read;

struct ep_read_series {
	const struct ep_kv *labels; /* sorted by key; the type's "__" labels among them */
	uint32_t n_labels;
	uint32_t head;   /* number of the head in this view */
	uint32_t id;     /* in its head */
	uint32_t service; /* in its head: series with one (head, service) share a dictionary */
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

/* Those with a profile in the range, by head. */
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
