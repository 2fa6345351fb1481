/*
 * block.h - the profiles of one source within one hour, by stack: what segments are
 * made of.
 *
 * A block says for each stack its sum over the hour, for each label set under it the
 * sum, and for each profile behind that the value; the last of each list is not
 * stored, since the sum above gives it.  So an hour's sum per stack is read without
 * its minutes, and the minutes cost nothing twice.  Sums and minutes lie in two
 * files, so that the minutes can go first.  Layout: docs/formats/segment.md.
 */
#ifndef EP_STORE_BLOCK_H
#define EP_STORE_BLOCK_H

#include "base/buf.h"
#include "base/err.h"
#include "profile/ledger.h"
#include "store/rows.h"

#include <stdint.h>

enum { EP_BLOCK_MAX_COLS = 64, EP_BLOCK_MAX_ROWS = 1 << 26, EP_BLOCK_MAX_POINTS = 1 << 20 };

/* A profile of the block. */
struct ep_block_point {
	uint64_t time_ns, duration_ns;
	struct ep_ledger ledger;
	uint32_t meta;
};

/* What a block is made from: profiles by time, their rows in the same order. */
struct ep_block_in {
	uint32_t n_cols, n_points, n_rows;
	struct ep_block_point *points;
	int64_t *totals;   /* n_points rows of n_cols */
	uint64_t *samples; /* the same */
	uint32_t *point, *sets, *stacks; /* by row; a profile has each (set, stack) once */
	int64_t *values; /* n_rows rows of n_cols, none negative, not all 0 */
};

/*
 * ep_block_encode - append the parts of a block.
 * out      head: what finds the sections of the others; with its checksum
 * errors   -ENOMEM; -E2BIG when a stack's values add up to over 2^63
 */
int ep_block_encode(const struct ep_block_in *in, struct ep_zstd *z, struct ep_buf *head,
		    struct ep_buf *sums, struct ep_buf *minutes, struct ep_err *err);

/* --- reading ------------------------------------------------------------------------------ */

/* Sections of the sums, then those of the minutes; some are there for each column. */
enum ep_block_part {
	EP_BLOCK_POINTS,
	EP_BLOCK_STACKS,
	EP_BLOCK_SUMS, /* a column */
	EP_BLOCK_PAIR_COUNTS,
	EP_BLOCK_PAIR_SETS,
	EP_BLOCK_PAIR_SUMS, /* a column */
	EP_BLOCK_POINT_SETS, /* minutes begin here */
	EP_BLOCK_TIME_COUNTS,
	EP_BLOCK_TIMES,
	EP_BLOCK_VALUES, /* a column */
	EP_BLOCK_PARTS,
};
enum { EP_BLOCK_MAX_SECTIONS = 7 + 3 * EP_BLOCK_MAX_COLS };

/* The number of a section. */
static inline uint32_t ep_block_section_of(uint32_t n_cols, enum ep_block_part part, uint32_t col)
{
	uint32_t before = (part > EP_BLOCK_SUMS) + (part > EP_BLOCK_PAIR_SUMS);
	return (uint32_t)part - before + before * n_cols + col;
}

struct ep_block_section {
	uint64_t at; /* within its file's part of the block */
	uint32_t raw_len, len, crc;
};

/* Where the bytes are. */
struct ep_block_place {
	int fd; /* -1: gone */
	uint64_t at, len;
};

/*
 * A block being read; keep one for many, it reuses its memory.  One thread at a time.
 * Whatever is damaged is -EBADMSG and costs that section; minutes that are gone are
 * -ENOENT.
 */
struct ep_block {
	uint32_t n_cols, n_points, n_stacks, n_pairs, n_rows;
	uint32_t n_sections;
	struct {
		uint32_t of; /* its own index: it has values; else those of that column */
		uint64_t times;
	} cols[EP_BLOCK_MAX_COLS];
	struct ep_block_section sections[EP_BLOCK_MAX_SECTIONS];
	struct ep_block_place sums, minutes;

	/* After ep_block_read_points(). */
	struct ep_block_point *points;
	int64_t *totals;
	uint64_t *samples;
	/* After ep_block_read_point_sets(): of point i from sets_from[i] to sets_from[i + 1]. */
	uint32_t *sets_from, *point_sets;
	int64_t *point_sums; /* of the column asked for */
	/* After ep_block_read_rows(): of point i from rows_from[i], by set, then stack. */
	uint32_t *rows_from, *row_sets, *row_stacks;
	int64_t *row_values;

	/* Inside. */
	struct ep_zstd *z;
	uint8_t *packed, *raw;
	uint32_t *pairs_from, *pair_sets; /* by stack */
	int64_t *pair_sums;
	struct ep_rowkey *keys;
	size_t caps[16];
	bool has_points;
	uint32_t sets_col, rows_col; /* column + 1 of what is there; 0: nothing */
};

int ep_block_init(struct ep_block *b);
void ep_block_fini(struct ep_block *b);
/* in: head, as it was written.  -EBADMSG, -ENOMEM. */
int ep_block_open(struct ep_block *b, const void *head, size_t n, struct ep_block_place sums,
		  struct ep_block_place minutes, struct ep_err *err);
/* Check every section's bytes. */
int ep_block_verify(struct ep_block *b, struct ep_err *err);
int ep_block_read_points(struct ep_block *b, struct ep_err *err);
int ep_block_read_point_sets(struct ep_block *b, uint32_t col, struct ep_err *err);
int ep_block_read_rows(struct ep_block *b, uint32_t col, struct ep_err *err);
/*
 * Which label sets count.  What was decided is looked up, the rest asked for once.
 */
struct ep_block_filter {
	const uint8_t *known; /* by set: 0 ask, 1 no, 2 yes; may move when asked */
	uint32_t n_known;
	int (*ask)(struct ep_block_filter *f, uint32_t set, struct ep_err *err); /* 0, 1, <0 */
	void *ctx;
};

/*
 * ep_block_sum - a column's sums over profiles `first` to `end` - 1, as one profile with
 * all under set 0 (to->n_cols 1); stacks without weight may be among its rows.
 *
 * in       filter  NULL: all label sets
 * errors   -EBADMSG; -ENOENT (not the whole block, and its minutes are gone); -ENOMEM
 * cost     of the whole block: what its stacks, or with a filter its label sets take;
 *          of less, its rows
 */
int ep_block_sum(struct ep_block *b, uint32_t col, struct ep_block_filter *filter, uint32_t first,
		 uint32_t end, struct ep_blob *to, struct ep_err *err);
/* The sums of a column over the whole block by label set and stack. */
int ep_block_sum_pairs(struct ep_block *b, uint32_t col, struct ep_blob *to, struct ep_err *err);

#endif
