/* dict.c - interning for the dictionary of a service.  See dict.h. */
#include "store/dict.h"

#include <stdlib.h>
#include <string.h>

static uint64_t mix2(uint64_t a, uint64_t b)
{
	return ep_hash_mix(ep_hash_mix(0, a), b);
}

static uint64_t hash_str(struct ep_slice s)
{
	return s.n ? ep_hash64(s.p, s.n) : 0;
}

static uint64_t hash_mapping(const struct ep_dict_mapping *m)
{
	return mix2(mix2(m->size, m->file_offset), mix2(m->filename, m->build_id + m->flags));
}

static bool same_mapping(const struct ep_dict_mapping *a, const struct ep_dict_mapping *b)
{
	return a->size == b->size && a->file_offset == b->file_offset &&
	       a->filename == b->filename && a->build_id == b->build_id && a->flags == b->flags;
}

static uint64_t hash_function(const struct ep_dict_function *f)
{
	return mix2(mix2(f->name, f->system_name), mix2(f->filename, (uint64_t)f->start_line));
}

static bool same_function(const struct ep_dict_function *a, const struct ep_dict_function *b)
{
	return a->name == b->name && a->system_name == b->system_name &&
	       a->filename == b->filename && a->start_line == b->start_line;
}

static uint64_t hash_frame(const struct ep_dict_frame *f, const struct ep_dict_line *lines)
{
	uint64_t h = mix2(f->address, (uint64_t)f->mapping << 32 | f->flags);
	for (uint32_t i = 0; i < f->n_lines; i++)
		h = mix2(h, mix2(lines[i].function, mix2((uint64_t)lines[i].line,
							  (uint64_t)lines[i].column)));
	return h;
}

static bool same_lines(const struct ep_dict *d, const struct ep_dict_frame *f,
		       const struct ep_dict_line *lines)
{
	for (uint32_t i = 0; i < f->n_lines; i++) {
		const struct ep_dict_line *l = ep_dict_line(d, f->first_line + i);
		if (l->function != lines[i].function || l->line != lines[i].line ||
		    l->column != lines[i].column)
			return false;
	}
	return true;
}

static bool same_frame(const struct ep_dict *d, const struct ep_dict_frame *a,
		       const struct ep_dict_frame *b, const struct ep_dict_line *lines)
{
	return a->address == b->address && a->mapping == b->mapping && a->flags == b->flags &&
	       a->n_lines == b->n_lines && same_lines(d, a, lines);
}

static uint64_t hash_set(const struct ep_dict_label *v, uint32_t n)
{
	uint64_t h = n;
	for (uint32_t i = 0; i < n; i++)
		h = mix2(h, mix2((uint64_t)v[i].key << 32 | v[i].str,
				 mix2((uint64_t)v[i].num, v[i].unit)));
	return h;
}

static bool same_set(const struct ep_dict *d, const struct ep_dict_set *s,
		     const struct ep_dict_label *v, uint32_t n)
{
	if (s->n != n)
		return false;
	for (uint32_t i = 0; i < n; i++) {
		const struct ep_dict_label *l = ep_dict_label(d, s->first + i);
		if (l->key != v[i].key || l->str != v[i].str || l->num != v[i].num ||
		    l->unit != v[i].unit)
			return false;
	}
	return true;
}

/* --- content hashes, independent of ids ---------------------------------------- */

struct content {
	struct ep_hash128 h;
};

static void take(struct content *c, const void *p, size_t n)
{
	struct {
		struct ep_hash128 sofar, of;
	} both = {c->h, ep_hash128(p, n)};
	c->h = ep_hash128(&both, sizeof(both));
}

static void take_u64(struct content *c, uint64_t v)
{
	uint8_t le[8];
	for (int i = 0; i < 8; i++)
		le[i] = (uint8_t)(v >> (8 * i));
	take(c, le, sizeof(le));
}

static void take_str(struct content *c, const struct ep_dict *d, uint32_t id)
{
	struct ep_slice s = ep_dict_str(d, id);
	take(c, s.p, s.n);
}

/* A named frame is its lines; any other is its place. */
static struct ep_hash128 frame_content(const struct ep_dict *d, const struct ep_dict_frame *f)
{
	struct content c = {{0, 0}};
	take_u64(&c, f->flags);
	take_u64(&c, f->address);
	if (f->mapping != EP_DICT_NONE) {
		const struct ep_dict_mapping *m = ep_dict_mapping(d, f->mapping);
		take_str(&c, d, ep_dict_str(d, m->build_id).n ? m->build_id : m->filename);
	}
	for (uint32_t i = 0; i < f->n_lines; i++) {
		const struct ep_dict_line *l = ep_dict_line(d, f->first_line + i);
		const struct ep_dict_function *fn = ep_dict_function(d, l->function);
		take_str(&c, d, fn->name);
		take_str(&c, d, fn->system_name);
		take_str(&c, d, fn->filename);
		take_u64(&c, (uint64_t)fn->start_line);
		take_u64(&c, (uint64_t)l->line);
		take_u64(&c, (uint64_t)l->column);
	}
	return c.h;
}

int ep_dict_hash_stacks(const struct ep_dict *d, uint32_t n, struct ep_hash128 *ret)
{
	uint32_t n_frames = ep_vec_n(&d->frames);
	struct ep_hash128 *frames ep_auto_mem = ep_alloc(((size_t)n_frames + 1) * sizeof(*frames));
	if (!frames)
		return -ENOMEM;
	for (uint32_t i = 0; i < n_frames; i++)
		frames[i] = frame_content(d, ep_dict_frame(d, i));
	if (n)
		ret[0] = (struct ep_hash128){0, 0}; /* of the empty stack */
	for (uint32_t i = 1; i < n; i++) {
		const struct ep_dict_stack *s = ep_dict_stack(d, i); /* parents come first */
		struct ep_hash128 both[2] = {ret[s->parent], frames[s->frame]};
		ret[i] = ep_hash128(both, sizeof(both));
	}
	return 0;
}

/* --- adding -------------------------------------------------------------------- */

uint32_t ep_dict_string(struct ep_dict *d, struct ep_slice s)
{
	uint64_t h = hash_str(s);
	struct ep_index_iter it;
	for (uint32_t id = ep_index_first(&d->ix_strings, h, &it); id != EP_INDEX_NONE;
	     id = ep_index_next(&d->ix_strings, &it))
		if (ep_slice_eq(ep_dict_str(d, id), s))
			return id;
	struct ep_slice *to = ep_vec_next(&d->strings);
	char *copy = ep_arena_copy(d->arena, s.p ? s.p : "", s.n);
	if (!to || !copy || ep_index_add(&d->ix_strings, h, ep_vec_n(&d->strings)) < 0)
		return EP_DICT_NONE;
	*to = (struct ep_slice){copy, s.n};
	return ep_vec_publish(&d->strings);
}

uint32_t ep_dict_add_mapping(struct ep_dict *d, const struct ep_dict_mapping *m)
{
	uint64_t h = hash_mapping(m);
	struct ep_index_iter it;
	for (uint32_t id = ep_index_first(&d->ix_mappings, h, &it); id != EP_INDEX_NONE;
	     id = ep_index_next(&d->ix_mappings, &it))
		if (same_mapping(ep_dict_mapping(d, id), m))
			return id;
	struct ep_dict_mapping *to = ep_vec_next(&d->mappings);
	if (!to || ep_index_add(&d->ix_mappings, h, ep_vec_n(&d->mappings)) < 0)
		return EP_DICT_NONE;
	*to = *m;
	return ep_vec_publish(&d->mappings);
}

uint32_t ep_dict_add_function(struct ep_dict *d, const struct ep_dict_function *f)
{
	uint64_t h = hash_function(f);
	struct ep_index_iter it;
	for (uint32_t id = ep_index_first(&d->ix_functions, h, &it); id != EP_INDEX_NONE;
	     id = ep_index_next(&d->ix_functions, &it))
		if (same_function(ep_dict_function(d, id), f))
			return id;
	struct ep_dict_function *to = ep_vec_next(&d->functions);
	if (!to || ep_index_add(&d->ix_functions, h, ep_vec_n(&d->functions)) < 0)
		return EP_DICT_NONE;
	*to = *f;
	return ep_vec_publish(&d->functions);
}

uint32_t ep_dict_append_frame(struct ep_dict *d, const struct ep_dict_frame *f,
			      const struct ep_dict_line *lines)
{
	uint32_t first_line = ep_vec_n(&d->lines);
	struct ep_dict_frame *to = ep_vec_next(&d->frames);
	if (!to)
		return EP_DICT_NONE;
	for (uint32_t i = 0; i < f->n_lines; i++) {
		struct ep_dict_line *l = ep_vec_next(&d->lines);
		if (!l)
			return EP_DICT_NONE;
		*l = lines[i];
		(void)ep_vec_publish(&d->lines); /* ids run on from first_line */
	}
	*to = *f;
	to->first_line = first_line;
	return ep_vec_publish(&d->frames);
}

uint32_t ep_dict_add_frame(struct ep_dict *d, const struct ep_dict_frame *f,
			   const struct ep_dict_line *lines)
{
	uint64_t h = hash_frame(f, lines);
	struct ep_index_iter it;
	for (uint32_t id = ep_index_first(&d->ix_frames, h, &it); id != EP_INDEX_NONE;
	     id = ep_index_next(&d->ix_frames, &it))
		if (same_frame(d, ep_dict_frame(d, id), f, lines))
			return id;
	uint32_t id = ep_dict_append_frame(d, f, lines);
	if (id != EP_DICT_NONE && ep_index_add(&d->ix_frames, h, id) < 0)
		return EP_DICT_NONE;
	return id;
}

uint32_t ep_dict_append_stack(struct ep_dict *d, uint32_t parent, uint32_t frame)
{
	struct ep_dict_stack *to = ep_vec_next(&d->stacks);
	if (!to)
		return EP_DICT_NONE;
	*to = (struct ep_dict_stack){parent, frame};
	return ep_vec_publish(&d->stacks);
}

uint32_t ep_dict_add_stack(struct ep_dict *d, uint32_t parent, uint32_t frame)
{
	uint64_t h = mix2(parent, frame);
	struct ep_index_iter it;
	for (uint32_t id = ep_index_first(&d->ix_stacks, h, &it); id != EP_INDEX_NONE;
	     id = ep_index_next(&d->ix_stacks, &it)) {
		const struct ep_dict_stack *s = ep_dict_stack(d, id);
		if (s->parent == parent && s->frame == frame)
			return id;
	}
	uint32_t id = ep_dict_append_stack(d, parent, frame);
	if (id != EP_DICT_NONE && ep_index_add(&d->ix_stacks, h, id) < 0)
		return EP_DICT_NONE;
	return id;
}

static bool is_whole(const struct ep_dict *d, uint32_t id, const uint32_t *frames, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		const struct ep_dict_stack *s = ep_dict_stack(d, id);
		if (!id || s->frame != frames[i])
			return false;
		id = s->parent;
	}
	return !id;
}

uint32_t ep_dict_add_whole_stack(struct ep_dict *d, const uint32_t *frames, uint32_t n)
{
	uint64_t h = n;
	struct ep_index_iter it;
	for (uint32_t i = 0; i < n; i++)
		h = (h ^ frames[i]) * 0x9e3779b97f4a7c15ull + (h >> 29);
	h = ep_hash_mix(h, n);
	for (uint32_t id = ep_index_first(&d->ix_whole, h, &it); id != EP_INDEX_NONE;
	     id = ep_index_next(&d->ix_whole, &it))
		if (is_whole(d, id, frames, n))
			return id;
	uint32_t id = 0;
	for (uint32_t i = n; i-- > 0 && id != EP_DICT_NONE;)
		id = ep_dict_add_stack(d, id, frames[i]);
	if (id != EP_DICT_NONE && ep_index_add(&d->ix_whole, h, id) < 0)
		return EP_DICT_NONE;
	return id;
}

static int label_order(const void *a, const void *b)
{
	const struct ep_dict_label *x = a, *y = b;
	if (x->key != y->key)
		return x->key < y->key ? -1 : 1;
	if (x->str != y->str)
		return x->str < y->str ? -1 : 1;
	if (x->num != y->num)
		return x->num < y->num ? -1 : 1;
	return x->unit < y->unit ? -1 : x->unit > y->unit;
}

uint32_t ep_dict_append_set(struct ep_dict *d, const struct ep_dict_label *labels, uint32_t n)
{
	struct ep_dict_set *to = ep_vec_next(&d->sets);
	if (!to)
		return EP_DICT_NONE;
	*to = (struct ep_dict_set){ep_vec_n(&d->labels), n};
	for (uint32_t i = 0; i < n; i++) {
		struct ep_dict_label *l = ep_vec_next(&d->labels);
		if (!l)
			return EP_DICT_NONE;
		*l = labels[i];
		(void)ep_vec_publish(&d->labels); /* ids run on from first */
	}
	return ep_vec_publish(&d->sets);
}

uint32_t ep_dict_add_set(struct ep_dict *d, struct ep_dict_label *labels, uint32_t n)
{
	if (n > 1)
		qsort(labels, n, sizeof(*labels), label_order);
	uint64_t h = hash_set(labels, n);
	struct ep_index_iter it;
	for (uint32_t id = ep_index_first(&d->ix_sets, h, &it); id != EP_INDEX_NONE;
	     id = ep_index_next(&d->ix_sets, &it))
		if (same_set(d, ep_dict_set(d, id), labels, n))
			return id;
	uint32_t id = ep_dict_append_set(d, labels, n);
	if (id != EP_DICT_NONE && ep_index_add(&d->ix_sets, h, id) < 0)
		return EP_DICT_NONE;
	return id;
}

uint32_t ep_dict_add_meta(struct ep_dict *d, struct ep_slice bytes)
{
	uint64_t h = hash_str(bytes);
	struct ep_index_iter it;
	for (uint32_t id = ep_index_first(&d->ix_metas, h, &it); id != EP_INDEX_NONE;
	     id = ep_index_next(&d->ix_metas, &it))
		if (ep_slice_eq(ep_dict_meta(d, id), bytes))
			return id;
	struct ep_slice *to = ep_vec_next(&d->metas);
	char *copy = ep_arena_copy(d->arena, bytes.p ? bytes.p : "", bytes.n);
	if (!to || !copy || ep_index_add(&d->ix_metas, h, ep_vec_n(&d->metas)) < 0)
		return EP_DICT_NONE;
	*to = (struct ep_slice){copy, bytes.n};
	return ep_vec_publish(&d->metas);
}

/* --- after a load ---------------------------------------------------------------- */

static const struct ep_dict_line *lines_of(const struct ep_dict *d, const struct ep_dict_frame *f,
					   struct ep_dict_line *buf)
{
	for (uint32_t i = 0; i < f->n_lines; i++)
		buf[i] = *ep_dict_line(d, f->first_line + i);
	return buf;
}

static int index_frames(struct ep_dict *d)
{
	for (uint32_t i = 0; i < ep_vec_n(&d->frames); i++) {
		const struct ep_dict_frame *f = ep_dict_frame(d, i);
		struct ep_dict_line *buf ep_auto_mem = ep_alloc(sizeof(*buf) * (f->n_lines + 1));
		if (!buf || ep_index_add(&d->ix_frames, hash_frame(f, lines_of(d, f, buf)), i) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int index_sets(struct ep_dict *d)
{
	for (uint32_t i = 0; i < ep_vec_n(&d->sets); i++) {
		const struct ep_dict_set *s = ep_dict_set(d, i);
		struct ep_dict_label *buf ep_auto_mem = ep_alloc(sizeof(*buf) * (s->n + 1));
		if (!buf)
			return -ENOMEM;
		for (uint32_t k = 0; k < s->n; k++)
			buf[k] = *ep_dict_label(d, s->first + k);
		EP_TRY(ep_index_add(&d->ix_sets, hash_set(buf, s->n), i));
	}
	return 0;
}

int ep_dict_index(struct ep_dict *d)
{
	if (d->indexed)
		return 0;
	for (uint32_t i = 0; i < ep_vec_n(&d->strings); i++)
		EP_TRY(ep_index_add(&d->ix_strings, hash_str(ep_dict_str(d, i)), i));
	for (uint32_t i = 0; i < ep_vec_n(&d->mappings); i++)
		EP_TRY(ep_index_add(&d->ix_mappings, hash_mapping(ep_dict_mapping(d, i)), i));
	for (uint32_t i = 0; i < ep_vec_n(&d->functions); i++)
		EP_TRY(ep_index_add(&d->ix_functions, hash_function(ep_dict_function(d, i)), i));
	EP_TRY(index_frames(d));
	for (uint32_t i = 1; i < ep_vec_n(&d->stacks); i++) {
		const struct ep_dict_stack *s = ep_dict_stack(d, i);
		EP_TRY(ep_index_add(&d->ix_stacks, mix2(s->parent, s->frame), i));
	}
	EP_TRY(index_sets(d));
	for (uint32_t i = 0; i < ep_vec_n(&d->metas); i++)
		EP_TRY(ep_index_add(&d->ix_metas, hash_str(ep_dict_meta(d, i)), i));
	d->indexed = true;
	return 0;
}

void ep_dict_mark(const struct ep_dict *d, struct ep_dict_mark *ret_m)
{
	*ret_m = (struct ep_dict_mark){
		.strings = ep_vec_n(&d->strings),
		.mappings = ep_vec_n(&d->mappings),
		.functions = ep_vec_n(&d->functions),
		.lines = ep_vec_n(&d->lines),
		.frames = ep_vec_n(&d->frames),
		.stacks = ep_vec_n(&d->stacks),
		.labels = ep_vec_n(&d->labels),
		.sets = ep_vec_n(&d->sets),
		.metas = ep_vec_n(&d->metas),
	};
}

static struct ep_vec *const *vecs_of(struct ep_dict *d, struct ep_vec *buf[10])
{
	struct ep_vec *all[] = {&d->strings, &d->mappings, &d->functions, &d->lines, &d->frames,
				&d->stacks,  &d->labels,   &d->sets,	  &d->metas, NULL};
	memcpy(buf, all, sizeof(all));
	return buf;
}

static struct ep_index *const *indexes_of(struct ep_dict *d, struct ep_index *buf[9])
{
	struct ep_index *all[] = {&d->ix_strings, &d->ix_mappings, &d->ix_functions,
				  &d->ix_frames,  &d->ix_stacks,   &d->ix_whole,
				  &d->ix_sets,	  &d->ix_metas,	   NULL};
	memcpy(buf, all, sizeof(all));
	return buf;
}

size_t ep_dict_bytes(const struct ep_dict *d)
{
	struct ep_vec *vecs[10];
	struct ep_index *indexes[9];
	size_t bytes = sizeof(*d) + ep_arena_used(d->arena);
	for (struct ep_vec *const *v = vecs_of((struct ep_dict *)d, vecs); *v; v++)
		bytes += ep_vec_bytes(*v);
	for (struct ep_index *const *x = indexes_of((struct ep_dict *)d, indexes); *x; x++)
		bytes += (*x)->n_slots * sizeof(uint64_t);
	return bytes;
}

/* Two strings, the lost frame, the empty stack and the empty set. */
static int add_roots(struct ep_dict *d)
{
	if (ep_dict_string(d, ep_slice_of("")) == EP_DICT_NONE ||
	    ep_dict_string(d, ep_slice_of("[damaged]")) == EP_DICT_NONE)
		return -ENOMEM;
	ep_index_clear(&d->ix_strings); /* ep_dict_index() fills it */
	static const struct ep_dict_frame lost = {.mapping = EP_DICT_NONE,
						  .flags = EP_FRAME_DAMAGED};
	if (ep_dict_append_frame(d, &lost, NULL) == EP_DICT_NONE)
		return -ENOMEM;
	if (!ep_vec_next(&d->stacks) || !ep_vec_next(&d->sets))
		return -ENOMEM;
	(void)ep_vec_publish(&d->stacks); /* both get id 0 */
	(void)ep_vec_publish(&d->sets);
	ep_dict_mark(d, &d->stored); /* roots are never written */
	return 0;
}

struct ep_dict *ep_dict_new(void)
{
	static _Atomic uint64_t last;
	struct ep_dict *d = ep_zalloc(sizeof(*d));
	if (!d)
		return NULL;
	pthread_mutex_init(&d->lock, NULL);
	d->serial = ++last;
	d->arena = ep_arena_new(0);
	ep_vec_init(&d->strings, sizeof(struct ep_slice));
	ep_vec_init(&d->mappings, sizeof(struct ep_dict_mapping));
	ep_vec_init(&d->functions, sizeof(struct ep_dict_function));
	ep_vec_init(&d->lines, sizeof(struct ep_dict_line));
	ep_vec_init(&d->frames, sizeof(struct ep_dict_frame));
	ep_vec_init(&d->stacks, sizeof(struct ep_dict_stack));
	ep_vec_init(&d->labels, sizeof(struct ep_dict_label));
	ep_vec_init(&d->sets, sizeof(struct ep_dict_set));
	ep_vec_init(&d->metas, sizeof(struct ep_slice));
	if (!d->arena || add_roots(d) < 0) {
		ep_dict_free(d);
		return NULL;
	}
	return d;
}

void ep_dict_free(struct ep_dict *d)
{
	if (!d)
		return;
	struct ep_vec *vecs[10];
	struct ep_index *indexes[9];
	for (struct ep_vec *const *v = vecs_of(d, vecs); *v; v++)
		ep_vec_fini(*v);
	for (struct ep_index *const *x = indexes_of(d, indexes); *x; x++)
		ep_index_fini(*x);
	ep_arena_free(d->arena);
	pthread_mutex_destroy(&d->lock);
	ep_free(d);
}
