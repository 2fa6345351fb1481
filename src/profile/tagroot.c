/*
 * tagroot.c - see tagroot.h.
 *
 * Samples share stacks and label sets, so what a label set adds is found once a set,
 * and a stack is written once for each that it meets.
 * Source: google/pprof internal/driver/tagroot.go.
 */
#include "profile/tagroot.h"

#include "base/buf.h"
#include "base/hash.h"
#include "base/index.h"
#include "profile/units.h"
#include "profile/view.h"

#include <inttypes.h>

/* A pseudo frame: location, function and line of one new index each. */
struct frame {
	ep_str function, key;
};

/* A set of labels, by its place in the table, and the frames it adds. */
struct set {
	uint32_t first_label, n_labels;
	uint32_t first_frame; /* in `tuples`: n_keys of them */
};

/* A stack that was written, and where. */
struct stack {
	uint32_t first_location, n_locations; /* before */
	uint32_t first_frame;		      /* what the set added */
	uint32_t to;
};

struct tagroot {
	struct ep_profile *view;
	struct ep_slice *keys; /* those of the root, then of the leaf; last first */
	uint32_t n_roots, n_keys;
	struct ep_slice unit;
	bool found_root, found_leaf;

	struct ep_buf frames, tuples, sets, stacks, out; /* arrays of the above */
	struct ep_index frame_index, tuple_index, set_index, stack_index;
	struct ep_buf text; /* of the frame at hand */
	int failed;
};

#define ELEMENTS(buf, type) ((type *)(void *)(buf).data)
#define COUNT(buf, type) ((uint32_t)((buf).len / sizeof(type)))

static void index_add(struct tagroot *t, struct ep_index *ix, uint64_t h, uint32_t i)
{
	if (ep_index_add(ix, h, i) < 0)
		t->failed = -ENOMEM;
}

/* --- frames ----------------------------------------------------------------------- */

static void add_value(struct tagroot *t, const char *text, size_t n, bool *any)
{
	if (*any)
		ep_buf_add_char(&t->text, ',');
	ep_buf_add(&t->text, text, n);
	*any = true;
}

static bool is_of(const struct tagroot *t, const struct ep_label *l, uint32_t key)
{
	return ep_slice_eq(t->view->strings[l->key], t->keys[key]);
}

static void add_numbers(struct tagroot *t, const struct ep_label *l, uint32_t n,
			uint32_t key, bool *any)
{
	bool units = false;
	for (uint32_t i = 0; i < n; i++)
		units |= !l[i].str && l[i].num_unit && is_of(t, &l[i], key);
	for (uint32_t i = 0; i < n; i++) {
		char label[EP_UNITS_LABEL_MAX];
		if (l[i].str || !is_of(t, &l[i], key))
			continue;
		ep_units_label(label, l[i].num, t->view->strings[l[i].num_unit],
			       units ? t->unit : ep_slice_of(""));
		add_value(t, label, strlen(label), any);
	}
}

/* The values of a key in a set, as the text of a function; false without any. */
static bool format_values(struct tagroot *t, const struct set *s, uint32_t key)
{
	const struct ep_label *l = t->view->labels + s->first_label;
	bool any = false;
	ep_buf_clear(&t->text);
	for (uint32_t i = 0; i < s->n_labels; i++) {
		struct ep_slice v = t->view->strings[l[i].str];
		if (l[i].str && is_of(t, &l[i], key))
			add_value(t, v.p, v.n, &any);
	}
	add_numbers(t, l, s->n_labels, key, &any);
	return any;
}

/* The frame of the text at hand and a key. */
static uint32_t intern_frame(struct tagroot *t, uint32_t key)
{
	struct ep_slice text = {(const char *)t->text.data, t->text.len};
	struct ep_slice name = t->keys[key];
	uint64_t h = ep_hash_mix(ep_hash64(text.p, text.n), ep_hash64(name.p, name.n));
	struct ep_index_iter it;
	for (uint32_t i = ep_index_first(&t->frame_index, h, &it); i != EP_INDEX_NONE;
	     i = ep_index_next(&t->frame_index, &it)) {
		const struct frame *f = &ELEMENTS(t->frames, struct frame)[i];
		if (ep_slice_eq(t->view->strings[f->function], text) &&
		    ep_slice_eq(t->view->strings[f->key], name))
			return i;
	}
	uint32_t i = COUNT(t->frames, struct frame);
	struct frame f = {ep_view_string(t->view, text), ep_view_string(t->view, name)};
	if ((text.n && !f.function) || !f.key)
		t->failed = -ENOMEM;
	ep_buf_add(&t->frames, &f, sizeof(f));
	index_add(t, &t->frame_index, h, i);
	return i;
}

/* --- sets ------------------------------------------------------------------------- */

/* Equal frames of different sets are one run of `tuples`. */
static uint32_t intern_tuple(struct tagroot *t, const uint32_t *frames)
{
	size_t n_bytes = t->n_keys * sizeof(*frames);
	uint64_t h = ep_hash64(frames, n_bytes);
	struct ep_index_iter it;
	for (uint32_t i = ep_index_first(&t->tuple_index, h, &it); i != EP_INDEX_NONE;
	     i = ep_index_next(&t->tuple_index, &it))
		if (!memcmp(ELEMENTS(t->tuples, uint32_t) + (size_t)i * t->n_keys, frames,
			    n_bytes))
			return i * t->n_keys;
	uint32_t i = COUNT(t->tuples, uint32_t) / t->n_keys;
	ep_buf_add(&t->tuples, frames, n_bytes);
	index_add(t, &t->tuple_index, h, i);
	return i * t->n_keys;
}

static uint32_t intern_set(struct tagroot *t, const struct ep_sample *s, uint32_t *frames)
{
	uint64_t h = ep_hash_mix(s->first_label, s->n_labels);
	struct ep_index_iter it;
	for (uint32_t i = ep_index_first(&t->set_index, h, &it); i != EP_INDEX_NONE;
	     i = ep_index_next(&t->set_index, &it)) {
		const struct set *o = &ELEMENTS(t->sets, struct set)[i];
		if (o->first_label == s->first_label && o->n_labels == s->n_labels)
			return o->first_frame;
	}
	struct set set = {s->first_label, s->n_labels, 0};
	for (uint32_t k = 0; k < t->n_keys; k++) {
		bool found = format_values(t, &set, k);
		t->found_root |= found && k < t->n_roots;
		t->found_leaf |= found && k >= t->n_roots;
		frames[k] = intern_frame(t, k);
	}
	set.first_frame = intern_tuple(t, frames);
	uint32_t i = COUNT(t->sets, struct set);
	ep_buf_add(&t->sets, &set, sizeof(set));
	index_add(t, &t->set_index, h, i);
	return set.first_frame;
}

/* --- stacks ----------------------------------------------------------------------- */

static void add_frames(struct tagroot *t, uint32_t first, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		uint32_t location =
			t->view->n_locations + ELEMENTS(t->tuples, uint32_t)[first + i];
		ep_buf_add(&t->out, &location, sizeof(location));
	}
}

static uint32_t write_stack(struct tagroot *t, const struct ep_sample *s, uint32_t frames)
{
	uint32_t to = COUNT(t->out, uint32_t);
	add_frames(t, frames + t->n_roots, t->n_keys - t->n_roots);
	ep_buf_add(&t->out, ep_profile_stack(t->view, s), s->n_locations * sizeof(uint32_t));
	add_frames(t, frames, t->n_roots);
	return to;
}

static uint32_t intern_stack(struct tagroot *t, const struct ep_sample *s, uint32_t frames)
{
	uint64_t h = ep_hash_mix(ep_hash_mix(s->first_location, s->n_locations), frames);
	struct ep_index_iter it;
	for (uint32_t i = ep_index_first(&t->stack_index, h, &it); i != EP_INDEX_NONE;
	     i = ep_index_next(&t->stack_index, &it)) {
		const struct stack *o = &ELEMENTS(t->stacks, struct stack)[i];
		if (o->first_location == s->first_location &&
		    o->n_locations == s->n_locations && o->first_frame == frames)
			return o->to;
	}
	struct stack stack = {s->first_location, s->n_locations, frames,
			      write_stack(t, s, frames)};
	uint32_t i = COUNT(t->stacks, struct stack);
	ep_buf_add(&t->stacks, &stack, sizeof(stack));
	index_add(t, &t->stack_index, h, i);
	return stack.to;
}

static int failure(const struct tagroot *t)
{
	EP_TRY(t->failed);
	EP_TRY(ep_buf_failed(&t->frames));
	EP_TRY(ep_buf_failed(&t->tuples));
	EP_TRY(ep_buf_failed(&t->sets));
	EP_TRY(ep_buf_failed(&t->stacks));
	EP_TRY(ep_buf_failed(&t->text));
	return ep_buf_failed(&t->out);
}

static int add_to_samples(struct tagroot *t, struct ep_sample *samples)
{
	uint32_t *frames ep_auto_mem = ep_alloc(t->n_keys * sizeof(*frames));
	if (!frames)
		return -ENOMEM;
	for (uint32_t i = 0; i < t->view->n_samples && !failure(t); i++) {
		const struct ep_sample *s = &t->view->samples[i];
		uint32_t first = intern_set(t, s, frames);
		samples[i].first_location = intern_stack(t, s, first);
		samples[i].n_locations = s->n_locations + t->n_keys;
	}
	return failure(t);
}

/* --- the tables ------------------------------------------------------------------- */

static int put_frames(struct tagroot *t)
{
	struct ep_profile *v = t->view;
	uint32_t n = COUNT(t->frames, struct frame);
	if ((uint64_t)v->n_locations + n >= UINT32_MAX ||
	    (uint64_t)v->n_functions + n >= UINT32_MAX || (uint64_t)v->n_lines + n >= UINT32_MAX)
		return -E2BIG;
	struct ep_location *locations = ep_view_grow(v, locations, n);
	struct ep_function *functions = ep_view_grow(v, functions, n);
	struct ep_line *lines = ep_view_grow(v, lines, n);
	if (!locations || !functions || !lines)
		return -ENOMEM;
	for (uint32_t i = 0; i < n; i++) {
		const struct frame *f = &ELEMENTS(t->frames, struct frame)[i];
		functions[v->n_functions + i] =
			(struct ep_function){.name = f->function, .filename = f->key};
		lines[v->n_lines + i] = (struct ep_line){.function = v->n_functions + i};
		locations[v->n_locations + i] = (struct ep_location){
			.mapping = EP_NONE, .first_line = v->n_lines + i, .n_lines = 1};
	}
	v->locations = locations;
	v->functions = functions;
	v->lines = lines;
	v->n_locations += n;
	v->n_functions += n;
	v->n_lines += n;
	return 0;
}

static int put_stacks(struct tagroot *t, struct ep_sample *samples)
{
	struct ep_profile *v = t->view;
	uint32_t *stacks = ep_view_copy_bytes(v, t->out.data, t->out.len);
	if (!stacks)
		return -ENOMEM;
	v->n_sample_locations = COUNT(t->out, uint32_t);
	v->sample_locations = stacks;
	v->samples = samples;
	return 0;
}

static int add_all(struct tagroot *t)
{
	struct ep_sample *samples = ep_view_copy(t->view, samples);
	if (!samples)
		return -ENOMEM;
	EP_TRY(add_to_samples(t, samples));
	EP_TRY(put_frames(t));
	return put_stacks(t, samples);
}

/* --- keys ------------------------------------------------------------------------- */

/* Cut at commas; empty parts are none.  In reverse, as the frames stand in stacks. */
static uint32_t split(const char *list, struct ep_slice *ret)
{
	uint32_t n = 0;
	for (const char *end = list + strlen(list); end > list;) {
		const char *start = end;
		while (start > list && start[-1] != ',')
			start--;
		if (start < end)
			ret[n++] = (struct ep_slice){start, (size_t)(end - start)};
		end = start > list ? start - 1 : list;
	}
	return n;
}

static void init(struct tagroot *t)
{
	enum { MAX_TEXT = 1 << 20 };
	const size_t max = (size_t)UINT32_MAX * sizeof(uint32_t) / 2;
	struct ep_buf *all[] = {&t->frames, &t->tuples, &t->sets, &t->stacks, &t->out};
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		ep_buf_init(all[i], max);
	ep_buf_init(&t->text, MAX_TEXT);
}

static void fini(struct tagroot *t)
{
	struct ep_buf *bufs[] = {&t->frames, &t->tuples, &t->sets,
				 &t->stacks, &t->out,	 &t->text};
	struct ep_index *indexes[] = {&t->frame_index, &t->tuple_index, &t->set_index,
				      &t->stack_index};
	for (size_t i = 0; i < sizeof(bufs) / sizeof(*bufs); i++)
		ep_buf_fini(bufs[i]);
	for (size_t i = 0; i < sizeof(indexes) / sizeof(*indexes); i++)
		ep_index_fini(indexes[i]);
}

int ep_tagroot_add(struct ep_profile *view, const struct ep_tagroot *by, bool *ret_root,
		   bool *ret_leaf, struct ep_err *err)
{
	*ret_root = *ret_leaf = false;
	size_t max_keys = strlen(by->root) + strlen(by->leaf);
	struct ep_slice *keys ep_auto_mem = ep_alloc((max_keys + 1) * sizeof(*keys));
	if (!keys)
		return ep_fail(err, -ENOMEM, 0, "no memory for frames of labels");
	struct tagroot t = {.view = view, .keys = keys, .unit = ep_slice_of(by->unit)};
	t.n_roots = split(by->root, keys);
	t.n_keys = t.n_roots + split(by->leaf, keys + t.n_roots);
	if (!t.n_keys || !view->n_samples)
		return 0;
	init(&t);
	int rc = add_all(&t);
	fini(&t);
	if (rc < 0)
		return ep_fail(err, rc, 0, "no room for frames of labels");
	*ret_root = t.found_root;
	*ret_leaf = t.found_leaf;
	return 0;
}
