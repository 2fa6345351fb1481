/* tally.c - see tally.h. */
#include "inproc/tally.h"

#include "base/hash.h"
#include "inproc/sig/state.h"

_Static_assert((int)EP_TALLY_MAX_FRAMES == (int)EP_SIG_MAX_FRAMES, "one bound");

#include <stdbool.h>
#include <string.h>

/* Bounds of one tally: some 100 MB at worst. */
enum {
	MAX_FRAMES = 1 << 20,
	MAX_STACKS = 1 << 20,
	MAX_STACK_FRAMES = 1 << 24,
	MAX_ROWS = 1 << 20,
};

struct ep_tally *ep_tally_new(void)
{
	return ep_zalloc(sizeof(struct ep_tally));
}

void ep_tally_free(struct ep_tally *f)
{
	if (!f)
		return;
	ep_free(f->frames);
	ep_free(f->stacks);
	ep_free(f->stack_frames);
	ep_free(f->rows);
	ep_index_fini(&f->frame_index);
	ep_index_fini(&f->stack_index);
	ep_index_fini(&f->row_index);
	ep_free(f);
}

/* Room for `more` elements behind n. */
static bool room(void **array, uint32_t *cap, uint32_t n, uint32_t more, uint32_t max,
		 size_t size)
{
	if (more > max - n)
		return false;
	if (n + more <= *cap)
		return true;
	uint32_t want = *cap ? *cap * 2 : 256;
	while (want < n + more)
		want *= 2;
	void *p = ep_realloc(*array, want * size);
	if (!p)
		return false;
	*array = p;
	*cap = want;
	return true;
}

static uint32_t intern_frame(struct ep_tally *f, const struct ep_tally_frame *frame)
{
	struct ep_index_iter it;
	uint64_t h = ep_hash_mix(ep_hash_mix(0, frame->address), frame->mapping);
	for (uint32_t id = ep_index_first(&f->frame_index, h, &it); id != EP_INDEX_NONE;
	     id = ep_index_next(&f->frame_index, &it))
		if (f->frames[id].address == frame->address &&
		    f->frames[id].mapping == frame->mapping)
			return id;
	if (!room((void **)&f->frames, &f->cap_frames, f->n_frames, 1, MAX_FRAMES,
		  sizeof(*f->frames)) ||
	    ep_index_add(&f->frame_index, h, f->n_frames) < 0)
		return EP_INDEX_NONE;
	f->frames[f->n_frames] = *frame;
	return f->n_frames++;
}

static uint32_t intern_stack(struct ep_tally *f, const uint32_t *ids, uint32_t n)
{
	struct ep_index_iter it;
	uint64_t h = n;
	for (uint32_t i = 0; i < n; i++)
		h = ep_hash_mix(h, ids[i]);
	for (uint32_t id = ep_index_first(&f->stack_index, h, &it); id != EP_INDEX_NONE;
	     id = ep_index_next(&f->stack_index, &it))
		if (f->stacks[id].n == n && memcmp(f->stack_frames + f->stacks[id].first, ids,
						   n * sizeof(*ids)) == 0)
			return id;
	if (!room((void **)&f->stacks, &f->cap_stacks, f->n_stacks, 1, MAX_STACKS,
		  sizeof(*f->stacks)) ||
	    !room((void **)&f->stack_frames, &f->cap_stack_frames, f->n_stack_frames, n,
		  MAX_STACK_FRAMES, sizeof(*ids)) ||
	    ep_index_add(&f->stack_index, h, f->n_stacks) < 0)
		return EP_INDEX_NONE;
	memcpy(f->stack_frames + f->n_stack_frames, ids, n * sizeof(*ids));
	f->stacks[f->n_stacks] = (struct ep_tally_stack){f->n_stack_frames, n};
	f->n_stack_frames += n;
	return f->n_stacks++;
}

static bool add_row(struct ep_tally *f, const struct ep_tally_row *row)
{
	struct ep_index_iter it;
	uint64_t h = ep_hash_mix(ep_hash_mix(row->stack, row->tid), (uintptr_t)row->labels);
	h = ep_hash_mix(h, (uintptr_t)row->age);
	h = ep_hash_mix(h, (uintptr_t)row->more);
	for (uint32_t id = ep_index_first(&f->row_index, h, &it); id != EP_INDEX_NONE;
	     id = ep_index_next(&f->row_index, &it)) {
		struct ep_tally_row *r = &f->rows[id];
		if (r->stack != row->stack || r->tid != row->tid || r->labels != row->labels ||
		    r->age != row->age || r->more != row->more)
			continue;
		for (int i = 0; i < EP_TALLY_VALUES; i++)
			r->values[i] += row->values[i];
		return true;
	}
	if (!room((void **)&f->rows, &f->cap_rows, f->n_rows, 1, MAX_ROWS, sizeof(*f->rows)) ||
	    ep_index_add(&f->row_index, h, f->n_rows) < 0)
		return false;
	f->rows[f->n_rows++] = *row;
	return true;
}

void ep_tally_add(struct ep_tally *f, const struct ep_tally_frame *frames, uint32_t n,
		 const struct ep_tally_row *row)
{
	uint32_t ids[EP_TALLY_MAX_FRAMES];
	struct ep_tally_row r = *row;
	bool ok = n <= EP_TALLY_MAX_FRAMES;
	for (uint32_t i = 0; i < n && ok; i++)
		ok = (ids[i] = intern_frame(f, &frames[i])) != EP_INDEX_NONE;
	ok = ok && (r.stack = intern_stack(f, ids, n)) != EP_INDEX_NONE && add_row(f, &r);
	if (ok)
		f->weight += row->values[0];
	else
		f->dropped += row->values[0];
}

enum keep { ALL, NO_AGES, NO_TIDS };

/* Each row of src, times 1 or -1. */
static void add_rows(struct ep_tally *f, const struct ep_tally *src, int64_t times, enum keep keep)
{
	struct ep_tally_frame frames[EP_TALLY_MAX_FRAMES];
	for (uint32_t i = 0; i < src->n_rows; i++) {
		struct ep_tally_row row = src->rows[i];
		const struct ep_tally_stack *s = &src->stacks[row.stack];
		for (uint32_t k = 0; k < s->n; k++)
			frames[k] = src->frames[src->stack_frames[s->first + k]];
		for (int k = 0; k < EP_TALLY_VALUES; k++)
			row.values[k] *= times;
		if (keep == NO_AGES)
			row.age = NULL;
		if (keep == NO_TIDS)
			row.tid = 0;
		ep_tally_add(f, frames, s->n, &row);
	}
	f->dropped += times * src->dropped;
}

void ep_tally_merge(struct ep_tally *f, const struct ep_tally *src)
{
	add_rows(f, src, 1, ALL);
}

void ep_tally_merge_ages(struct ep_tally *f, const struct ep_tally *src)
{
	add_rows(f, src, 1, NO_AGES);
}

void ep_tally_merge_threads(struct ep_tally *f, const struct ep_tally *src)
{
	add_rows(f, src, 1, NO_TIDS);
}

void ep_tally_subtract(struct ep_tally *f, const struct ep_tally *src)
{
	add_rows(f, src, -1, ALL);
}
