/*
 * rows.h - a profile as numbers: rows of (label set, stack, values).
 *
 * Folding turns an ep_profile into rows of ids of a dictionary; a blob is the
 * stored form of rows (docs/formats/head.md, "profile blob").
 */
#ifndef EP_STORE_ROWS_H
#define EP_STORE_ROWS_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "profile/profile.h"
#include "store/dict.h"

#include <stdint.h>

struct ep_zstd;

/* Sorted by set, then stack; no two rows share both. */
struct ep_rows {
	uint32_t n, n_cols, meta;
	uint32_t *sets, *stacks;
	int64_t *values; /* n rows of n_cols, none negative */
};

/*
 * ep_rows_fold - a profile's samples as rows; what is new goes into the dictionary.
 *
 * in       d    d->lock is held
 *          a    scratch and result
 *          Samples with a negative value, or none but zeros, are left out.
 * errors   -ENOMEM; -E2BIG when the sum of a stack's values is over 2^63
 */
int ep_rows_fold(struct ep_dict *d, const struct ep_profile *p, struct ep_arena *a,
	    struct ep_rows *ret_rows, struct ep_err *err);

/* Append the stored form.  -ENOMEM. */
int ep_blob_encode(const struct ep_rows *rows, struct ep_zstd *z, struct ep_buf *out,
		   struct ep_err *err);

struct ep_blob_set {
	uint32_t id, first_row, n_rows;
};

/*
 * A blob being read; keep one for many blobs, it reuses its memory.  Borrowed
 * bytes must outlive the use.  One thread at a time.
 */
struct ep_blob {
	uint32_t meta, n_cols, n_sets, n_rows;
	struct ep_blob_set *sets;
	int64_t *set_sums; /* n_sets rows of n_cols */
	uint32_t *stacks;  /* n_rows, after ep_blob_read_stacks() */
	int64_t *values;   /* n_rows, after ep_blob_read_values() */

	struct ep_zstd *z;
	struct ep_slice bytes; /* without the checksum */
	size_t sections_at;
	size_t cap_sets, cap_sums, cap_stacks, cap_values, cap_raw;
	uint8_t *raw;
};

int ep_blob_init(struct ep_blob *b);
void ep_blob_fini(struct ep_blob *b);
/*
 * ep_blob_open - check the bytes, read the label sets with their sums.
 * errors   -EBADMSG (checksum or content), -ENOTSUP (a newer version), -ENOMEM
 */
int ep_blob_open(struct ep_blob *b, const void *p, size_t n, struct ep_err *err);
/* Room for a profile that comes from elsewhere: its counts are set, the tables are for
 * the caller to fill.  -ENOMEM. */
int ep_blob_room(struct ep_blob *b, uint32_t n_sets, uint32_t n_cols, uint32_t n_rows);
int ep_blob_read_stacks(struct ep_blob *b, struct ep_err *err);
int ep_blob_read_values(struct ep_blob *b, uint32_t col, struct ep_err *err);

#endif
