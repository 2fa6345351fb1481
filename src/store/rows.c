/*
 * rows.c - a pprof profile to rows of ids.  See rows.h.
 *
 * Every table of the profile gets a map from its index to the dictionary's id,
 * filled on first use, so that what no sample uses is not stored.
 */
#include "store/bytes.h"
#include "store/rowsort.h"
#include "store/rows.h"

#include <stdlib.h>
#include <string.h>

enum { UNSEEN = UINT32_MAX };

struct fold {
	struct ep_dict *d;
	const struct ep_profile *p;
	struct ep_arena *a;
	uint32_t *strings, *mappings, *functions, *frames; /* profile index -> id, or UNSEEN */
	struct ep_dict_line *lines; /* as many as the longest chain */
	struct ep_dict_label *labels;
	uint32_t *stack; /* as deep as the deepest */
	bool short_of_memory;
};

static uint32_t *unseen(struct ep_arena *a, uint32_t n)
{
	uint32_t *v = ep_arena_alloc(a, sizeof(*v) * ((size_t)n + 1));
	if (v)
		memset(v, 0xff, sizeof(*v) * ((size_t)n + 1));
	return v;
}

/* An id, or 0 with the failure remembered. */
static uint32_t checked(struct fold *f, uint32_t id)
{
	if (id != EP_DICT_NONE)
		return id;
	f->short_of_memory = true;
	return 0;
}

static uint32_t string_of(struct fold *f, ep_str s)
{
	if (f->strings[s] == UNSEEN)
		f->strings[s] = checked(f, ep_dict_string(f->d, ep_profile_str(f->p, s)));
	return f->strings[s];
}

static uint32_t mapping_of(struct fold *f, uint32_t i)
{
	if (f->mappings[i] != UNSEEN)
		return f->mappings[i];
	const struct ep_mapping *m = &f->p->mappings[i];
	struct ep_dict_mapping to = {
		.start = m->start,
		.size = m->limit - m->start,
		.file_offset = m->file_offset,
		.filename = string_of(f, m->filename),
		.build_id = string_of(f, m->build_id),
		.flags = (m->has_functions ? EP_MAP_FUNCTIONS : 0) |
			 (m->has_filenames ? EP_MAP_FILENAMES : 0) |
			 (m->has_line_numbers ? EP_MAP_LINES : 0) |
			 (m->has_inline_frames ? EP_MAP_INLINES : 0),
	};
	return f->mappings[i] = checked(f, ep_dict_add_mapping(f->d, &to));
}

static uint32_t function_of(struct fold *f, uint32_t i)
{
	if (f->functions[i] != UNSEEN)
		return f->functions[i];
	const struct ep_function *fn = &f->p->functions[i];
	struct ep_dict_function to = {
		.name = string_of(f, fn->name),
		.system_name = string_of(f, fn->system_name),
		.filename = string_of(f, fn->filename),
		.start_line = fn->start_line,
	};
	return f->functions[i] = checked(f, ep_dict_add_function(f->d, &to));
}

/* Inside its mapping an address is a file offset: the same in every process. */
static void place(struct fold *f, const struct ep_location *l, struct ep_dict_frame *to)
{
	to->address = l->address;
	to->mapping = EP_DICT_NONE;
	if (l->mapping == EP_NONE)
		return;
	const struct ep_mapping *m = &f->p->mappings[l->mapping];
	to->mapping = mapping_of(f, l->mapping);
	if (l->address < m->start || l->address > m->limit)
		return;
	to->address = l->address - m->start + m->file_offset;
	to->flags |= EP_FRAME_OFFSET;
}

static uint32_t frame_of(struct fold *f, uint32_t i)
{
	if (f->frames[i] != UNSEEN)
		return f->frames[i];
	const struct ep_location *l = &f->p->locations[i];
	struct ep_dict_frame to = {.n_lines = l->n_lines,
				   .flags = l->is_folded ? EP_FRAME_FOLDED : 0};
	place(f, l, &to);
	for (uint32_t k = 0; k < l->n_lines; k++) {
		const struct ep_line *line = &f->p->lines[l->first_line + k];
		f->lines[k] = (struct ep_dict_line){.function = function_of(f, line->function),
						    .line = line->line,
						    .column = line->column};
	}
	return f->frames[i] = checked(f, ep_dict_add_frame(f->d, &to, f->lines));
}

static uint32_t stack_of(struct fold *f, const struct ep_sample *s)
{
	const uint32_t *locations = ep_profile_stack(f->p, s);
	for (uint32_t i = 0; i < s->n_locations; i++)
		f->stack[i] = frame_of(f, locations[i]);
	return checked(f, ep_dict_add_whole_stack(f->d, f->stack, s->n_locations));
}

static uint32_t set_of(struct fold *f, const struct ep_sample *s)
{
	uint32_t n = 0;
	for (uint32_t i = 0; i < s->n_labels; i++) {
		const struct ep_label *l = &f->p->labels[s->first_label + i];
		f->labels[n++] = (struct ep_dict_label){
			.key = string_of(f, l->key),
			.str = l->str ? string_of(f, l->str) : EP_DICT_NONE,
			.num = l->str ? 0 : l->num,
			.unit = l->str ? 0 : string_of(f, l->num_unit),
		};
	}
	return n ? checked(f, ep_dict_add_set(f->d, f->labels, n)) : 0;
}

/* Period, comments and the other scalars, as one interned record. */
static uint32_t meta_of(struct fold *f)
{
	const struct ep_profile *p = f->p;
	ep_auto_buf b;
	ep_buf_init(&b, SIZE_MAX / 2);
	ep_put_zigzag(&b, p->period);
	ep_put_slice(&b, ep_profile_str(p, p->default_sample_type));
	ep_put_slice(&b, ep_profile_str(p, p->doc_url));
	ep_put_slice(&b, ep_profile_str(p, p->drop_frames));
	ep_put_slice(&b, ep_profile_str(p, p->keep_frames));
	ep_put_varint(&b, p->n_comments);
	for (uint32_t i = 0; i < p->n_comments; i++)
		ep_put_slice(&b, ep_profile_str(p, p->comments[i]));
	if (ep_buf_failed(&b))
		return checked(f, EP_DICT_NONE);
	return checked(f, ep_dict_add_meta(f->d, (struct ep_slice){(const char *)b.data, b.len}));
}

static bool counts(const int64_t *v, uint32_t n)
{
	bool any = false;
	for (uint32_t i = 0; i < n; i++) {
		if (v[i] < 0)
			return false;
		any |= v[i] != 0;
	}
	return any;
}

static int add_values(int64_t *to, const int64_t *v, uint32_t n, struct ep_err *err)
{
	for (uint32_t i = 0; i < n; i++)
		if (__builtin_add_overflow(to[i], v[i], &to[i]))
			return ep_fail(err, -E2BIG, 0, "the values of one stack add up to over 2^63");
	return 0;
}

static int make_rows(struct fold *f, const struct ep_rowkey *keys, uint32_t n, struct ep_rows *ret,
		     struct ep_err *err)
{
	uint32_t n_cols = f->p->n_sample_types;
	struct ep_rows r = {.n_cols = n_cols};
	r.sets = ep_arena_array(f->a, uint32_t, (size_t)n + 1);
	r.stacks = ep_arena_array(f->a, uint32_t, (size_t)n + 1);
	r.values = ep_arena_array(f->a, int64_t, (size_t)n * n_cols + 1);
	if (!r.sets || !r.stacks || !r.values)
		return ep_fail(err, -ENOMEM, 0, "no memory to fold a profile");
	for (uint32_t i = 0; i < n; i++) {
		if (!i || keys[i].at != keys[i - 1].at) {
			r.sets[r.n] = (uint32_t)(keys[i].at >> 32);
			r.stacks[r.n++] = (uint32_t)keys[i].at;
		}
		EP_TRY(add_values(r.values + (size_t)(r.n - 1) * n_cols,
				  ep_profile_values(f->p, keys[i].row), n_cols, err));
	}
	*ret = r;
	return 0;
}

static int init(struct fold *f)
{
	const struct ep_profile *p = f->p;
	uint32_t most_lines = 0, most_labels = 0, deepest = 0;
	for (uint32_t i = 0; i < p->n_locations; i++)
		if (p->locations[i].n_lines > most_lines)
			most_lines = p->locations[i].n_lines;
	for (uint32_t i = 0; i < p->n_samples; i++) {
		if (p->samples[i].n_labels > most_labels)
			most_labels = p->samples[i].n_labels;
		if (p->samples[i].n_locations > deepest)
			deepest = p->samples[i].n_locations;
	}
	f->strings = unseen(f->a, p->n_strings);
	f->mappings = unseen(f->a, p->n_mappings);
	f->functions = unseen(f->a, p->n_functions);
	f->frames = unseen(f->a, p->n_locations);
	f->lines = ep_arena_array(f->a, struct ep_dict_line, (size_t)most_lines + 1);
	f->labels = ep_arena_array(f->a, struct ep_dict_label, (size_t)most_labels + 1);
	f->stack = ep_arena_array(f->a, uint32_t, (size_t)deepest + 1);
	bool ok = f->stack && f->strings && f->mappings && f->functions && f->frames && f->lines && f->labels;
	return ok ? ep_dict_index(f->d) : -ENOMEM;
}

int ep_rows_fold(struct ep_dict *d, const struct ep_profile *p, struct ep_arena *a,
	    struct ep_rows *ret_rows, struct ep_err *err)
{
	struct fold f = {.d = d, .p = p, .a = a};
	struct ep_rowkey *keys = ep_arena_array(a, struct ep_rowkey, (size_t)p->n_samples + 1);
	struct ep_rowkey *spare = ep_arena_array(a, struct ep_rowkey, (size_t)p->n_samples + 1);
	if (init(&f) < 0 || !keys || !spare)
		return ep_fail(err, -ENOMEM, 0, "no memory to fold a profile");
	uint32_t n = 0;
	for (uint32_t i = 0; i < p->n_samples; i++) {
		if (!counts(ep_profile_values(p, i), p->n_sample_types))
			continue;
		uint64_t set = set_of(&f, &p->samples[i]);
		keys[n++] = (struct ep_rowkey){set << 32 | stack_of(&f, &p->samples[i]), i};
	}
	uint32_t meta = meta_of(&f);
	if (f.short_of_memory)
		return ep_fail(err, -ENOMEM, 0, "no memory to fold a profile");
	EP_TRY(make_rows(&f, ep_rowsort(keys, spare, n), n, ret_rows, err));
	ret_rows->meta = meta;
	return 0;
}
