/*
 * dict.h - the dictionary of one service in one head: what its profiles share.
 *
 * Strings, mappings, functions, frames, stacks, label sets and profile heads
 * ("metas") get dense ids.  A frame is a place: mapping and file offset, and
 * the chain of lines it came with, if it came with names.  A stack is a node of
 * a tree: parent and frame.  Of every dictionary stack 0 is the empty one, set 0 the
 * empty one, string 0 "", string 1 "[damaged]", frame 0 stands for a lost one.  A stack's
 * 128-bit hash of its content (docs/formats/head.md) is equal wherever it is stored.
 *
 * Threads: interning and encoding under d->lock; reading by id needs no lock
 * for ids below the counts.  Ids of another record that might be newer than the
 * counts seen are checked by the reader.
 */
#ifndef EP_STORE_DICT_H
#define EP_STORE_DICT_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/index.h"
#include "base/slice.h"
#include "store/vec.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#define EP_DICT_NONE UINT32_MAX
#define EP_DICT_MAX_RECORD ((size_t)1 << 30) /* bytes a record may have, unpacked */
enum { EP_DICT_EMPTY_STRING = 0, EP_DICT_DAMAGED_STRING = 1 };

enum {
	EP_MAP_FUNCTIONS = 1,
	EP_MAP_FILENAMES = 2,
	EP_MAP_LINES = 4,
	EP_MAP_INLINES = 8,
};

struct ep_dict_mapping {
	uint64_t start, size, file_offset; /* start: as first seen, for export only */
	uint32_t filename, build_id;       /* strings */
	uint32_t flags;                    /* EP_MAP_* */
};

struct ep_dict_function {
	uint32_t name, system_name, filename;
	int64_t start_line;
};

struct ep_dict_line {
	uint32_t function;
	int64_t line, column;
};

enum {
	EP_FRAME_OFFSET = 1, /* address is a file offset of the mapping, else as it came */
	EP_FRAME_FOLDED = 2,
	EP_FRAME_DAMAGED = 4, /* its record was lost */
};

struct ep_dict_frame {
	uint64_t address;
	uint32_t mapping; /* or EP_DICT_NONE */
	uint32_t first_line, n_lines; /* innermost first; none: not named yet */
	uint32_t flags;
};

struct ep_dict_stack {
	uint32_t parent, frame; /* parent < own id */
};

struct ep_dict_label {
	uint32_t key;  /* string */
	uint32_t str;  /* string; EP_DICT_NONE: a number */
	int64_t num;
	uint32_t unit; /* string */
};

struct ep_dict_set {
	uint32_t first, n; /* labels, sorted by key string id, then value */
};

/* Counts of everything: a moment in the dictionary's growth. */
struct ep_dict_mark {
	uint32_t strings, mappings, functions, lines, frames, stacks, labels, sets, metas;
};

struct ep_dict {
	uint64_t serial; /* no other of this process has it, ever */
	pthread_mutex_t lock;
	struct ep_arena *arena; /* the strings */
	struct ep_vec strings, mappings, functions, lines, frames, stacks, labels, sets, metas;
	struct ep_index ix_strings, ix_mappings, ix_functions, ix_frames, ix_stacks, ix_sets,
		ix_metas;
	bool indexed; /* the indexes are filled: needed to add only */
	struct ep_index ix_whole; /* stacks by all of their frames, as far as seen since the load */

	/* Of the head's writer thread alone. */
	struct ep_dict_mark stored;
	uint32_t next_chunk;
};

/* NULL when memory is short. */
struct ep_dict *ep_dict_new(void);
void ep_dict_free(struct ep_dict *d);
EP_DEFINE_AUTO(ep_dict);
/* Roughly what it holds. */
size_t ep_dict_bytes(const struct ep_dict *d);

/*
 * Interning: the id of an equal element, or a new one; EP_DICT_NONE when memory
 * is short.  Under d->lock.  ep_dict_index() first, after a load.
 */
int ep_dict_index(struct ep_dict *d);
uint32_t ep_dict_string(struct ep_dict *d, struct ep_slice s);
uint32_t ep_dict_add_mapping(struct ep_dict *d, const struct ep_dict_mapping *m);
uint32_t ep_dict_add_function(struct ep_dict *d, const struct ep_dict_function *f);
uint32_t ep_dict_add_frame(struct ep_dict *d, const struct ep_dict_frame *f,
			   const struct ep_dict_line *lines);
uint32_t ep_dict_add_stack(struct ep_dict *d, uint32_t parent, uint32_t frame);
/* The stack of these frames, root last; like ep_dict_add_stack() for each, but a stack
 * seen before costs one look-up. */
uint32_t ep_dict_add_whole_stack(struct ep_dict *d, const uint32_t *frames, uint32_t n);
/* Sorts the labels. */
uint32_t ep_dict_add_set(struct ep_dict *d, struct ep_dict_label *labels, uint32_t n);
uint32_t ep_dict_add_meta(struct ep_dict *d, struct ep_slice bytes);

/* Appending without a look-up, for loading; ids are places. */
uint32_t ep_dict_append_frame(struct ep_dict *d, const struct ep_dict_frame *f,
			      const struct ep_dict_line *lines);
uint32_t ep_dict_append_stack(struct ep_dict *d, uint32_t parent, uint32_t frame);
uint32_t ep_dict_append_set(struct ep_dict *d, const struct ep_dict_label *labels, uint32_t n);

void ep_dict_mark(const struct ep_dict *d, struct ep_dict_mark *ret_m);

/* Content hashes of the stacks below n, to meet those of another dictionary.  They are
 * not kept: 16 bytes a node.  -ENOMEM. */
int ep_dict_hash_stacks(const struct ep_dict *d, uint32_t n, struct ep_hash128 *ret);

/* What lies between two marks, as one record without envelope.  Under d->lock. */
void ep_dict_encode(const struct ep_dict *d, const struct ep_dict_mark *from,
		    const struct ep_dict_mark *to, struct ep_buf *out);
/*
 * Add a record's elements, in order.  A gap before it (an earlier record was
 * lost) is filled with elements named "[damaged]".
 * errors   -EBADMSG inconsistent; what came before the fault stays.  -ENOMEM
 */
int ep_dict_decode(struct ep_dict *d, const void *p, size_t n, struct ep_err *err);

/* Up to a mark, with elements named "[damaged]": the last records were lost.  -EBADMSG
 * when it lies too far. */
int ep_dict_fill(struct ep_dict *d, const struct ep_dict_mark *to, struct ep_err *err);
struct ep_zstd;
/* Append a record in its envelope.  -E2BIG, -ENOMEM. */
int ep_dict_pack(const struct ep_buf *record, struct ep_zstd *z, struct ep_buf *out,
		 struct ep_err *err);
/* Like ep_dict_decode(), from a record in its envelope, as it is stored; checks it. */
int ep_dict_unpack(struct ep_dict *d, struct ep_slice envelope, struct ep_err *err);

static inline struct ep_slice ep_dict_str(const struct ep_dict *d, uint32_t id)
{
	return *ep_vec_get(&d->strings, struct ep_slice, id);
}
static inline const struct ep_dict_stack *ep_dict_stack(const struct ep_dict *d, uint32_t id)
{
	return ep_vec_get(&d->stacks, struct ep_dict_stack, id);
}
static inline const struct ep_dict_frame *ep_dict_frame(const struct ep_dict *d, uint32_t id)
{
	return ep_vec_get(&d->frames, struct ep_dict_frame, id);
}
static inline const struct ep_dict_line *ep_dict_line(const struct ep_dict *d, uint32_t id)
{
	return ep_vec_get(&d->lines, struct ep_dict_line, id);
}
static inline const struct ep_dict_function *ep_dict_function(const struct ep_dict *d, uint32_t id)
{
	return ep_vec_get(&d->functions, struct ep_dict_function, id);
}
static inline const struct ep_dict_mapping *ep_dict_mapping(const struct ep_dict *d, uint32_t id)
{
	return ep_vec_get(&d->mappings, struct ep_dict_mapping, id);
}
static inline const struct ep_dict_set *ep_dict_set(const struct ep_dict *d, uint32_t id)
{
	return ep_vec_get(&d->sets, struct ep_dict_set, id);
}
static inline const struct ep_dict_label *ep_dict_label(const struct ep_dict *d, uint32_t id)
{
	return ep_vec_get(&d->labels, struct ep_dict_label, id);
}
static inline struct ep_slice ep_dict_meta(const struct ep_dict *d, uint32_t id)
{
	return *ep_vec_get(&d->metas, struct ep_slice, id);
}

#endif
