/*
 * export.c - the merged profile as pprof: addresses, lines and mappings as they
 * came, sample labels kept, names added where symbols are known now.
 */
#include "query/sums.h"
#include "query/graph.h"

#include "profile/build.h"
#include "profile/ledger.h"
#include "store/bytes.h"
#include "symbol/nameless.h"
#include "symbol/symbol.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_COMMENTS = 64 };

/* Sums of one dictionary by (label set, stack). */
struct pile {
	const struct ep_dict *d;
	struct ep_index ix;
	uint64_t *keys; /* set << 32 | stack */
	int64_t *values;
	uint32_t n, cap;
	uint32_t *locations; /* by frame: index in the profile, or NONE */
	uint32_t n_frames;
};

struct export {
	const struct ep_query_env *env;
	struct ep_build *b;
	struct pile *v;
	uint32_t n;
	int64_t period;
	uint64_t first_ns, duration_ns;
	uint32_t last_meta;
	const struct ep_dict *last_meta_of;
};

/* --- adding up ---------------------------------------------------------------------------- */

static struct pile *pile_of(struct export *x, const struct ep_dict *d)
{
	for (uint32_t i = x->n; i-- > 0;)
		if (x->v[i].d == d)
			return &x->v[i];
	struct pile *v = ep_realloc(x->v, (x->n + 1) * sizeof(*v));
	if (!v)
		return NULL;
	x->v = v;
	x->v[x->n] = (struct pile){.d = d};
	return &x->v[x->n++];
}

static bool grow(struct pile *p)
{
	if (p->n < p->cap)
		return true;
	uint32_t cap = p->cap ? p->cap * 2 : 1024;
	uint64_t *keys = ep_realloc(p->keys, cap * sizeof(*keys));
	if (keys)
		p->keys = keys;
	int64_t *values = ep_realloc(p->values, cap * sizeof(*values));
	if (values)
		p->values = values;
	if (!keys || !values)
		return false;
	p->cap = cap;
	return true;
}

static int add_row(struct pile *p, uint64_t key, int64_t value)
{
	uint64_t h = ep_hash_mix(0, key);
	struct ep_index_iter it;
	for (uint32_t id = ep_index_first(&p->ix, h, &it); id != EP_INDEX_NONE;
	     id = ep_index_next(&p->ix, &it))
		if (p->keys[id] == key)
			return __builtin_add_overflow(p->values[id], value, &p->values[id]) ? -E2BIG : 0;
	if (!grow(p) || ep_index_add(&p->ix, h, p->n) < 0)
		return -ENOMEM;
	p->keys[p->n] = key;
	p->values[p->n++] = value;
	return 0;
}

static void add_comment(struct export *x, struct ep_slice text)
{
	struct ep_ledger l;
	if (ep_ledger_parse(text, &l))
		return; /* the sum of all is written instead */
	const struct ep_profile *p = ep_build_profile(x->b);
	for (uint32_t i = 0; i < p->n_comments; i++)
		if (ep_slice_eq(ep_profile_str(p, p->comments[i]), text))
			return;
	if (p->n_comments < MAX_COMMENTS)
		ep_build_comment(x->b, text);
}

/* The scalars a profile came with; see rows_meta in docs/formats/head.md. */
static void add_meta(struct export *x, const struct ep_dict *d, uint32_t id)
{
	if (x->last_meta_of == d && x->last_meta == id)
		return;
	x->last_meta_of = d;
	x->last_meta = id;
	struct ep_slice bytes = ep_dict_meta(d, id);
	struct ep_cursor c = ep_cursor_of(bytes.p, bytes.n);
	struct ep_profile *p = ep_build_profile(x->b);
	int64_t period = ep_get_zigzag(&c);
	x->period = period > x->period ? period : x->period;
	(void)ep_get_slice(&c); /* the default type: there is only one here */
	ep_str doc = ep_build_string(x->b, ep_get_slice(&c));
	ep_str drop = ep_build_string(x->b, ep_get_slice(&c));
	ep_str keep = ep_build_string(x->b, ep_get_slice(&c));
	p->doc_url = p->doc_url ? p->doc_url : doc;
	p->drop_frames = p->drop_frames ? p->drop_frames : drop;
	p->keep_frames = p->keep_frames ? p->keep_frames : keep;
	uint64_t n = ep_get_varint(&c);
	for (uint64_t i = 0; i < n && ep_cursor_ok(&c); i++)
		add_comment(x, ep_get_slice(&c));
}

static int add(void *ctx, const struct ep_hit *h, struct ep_err *err)
{
	struct export *x = ctx;
	const struct ep_blob *b = h->blob;
	struct pile *p = pile_of(x, h->series->d);
	int rc = p ? 0 : -ENOMEM;
	for (uint32_t i = 0; i < b->n_sets && !rc; i++) {
		if (!ep_hit_takes(h, i))
			continue;
		uint64_t set = (uint64_t)b->sets[i].id << 32;
		for (uint32_t r = b->sets[i].first_row; r < b->sets[i].first_row + b->sets[i].n_rows; r++)
			if (b->values[r] && !rc)
				rc = add_row(p, set | b->stacks[r], b->values[r]);
	}
	if (rc == -E2BIG)
		return ep_fail(err, rc, 0, "the values of this range add up to over 2^63");
	if (rc < 0)
		return ep_fail(err, rc, 0, "no memory for a profile");
	add_meta(x, h->series->d, b->meta);
	if (!x->first_ns || h->point->time_ns < x->first_ns)
		x->first_ns = h->point->time_ns;
	x->duration_ns += h->point->duration_ns;
	return 0;
}

/* --- into a profile -------------------------------------------------------------------------- */

static ep_str str(struct export *x, const struct ep_dict *d, uint32_t id)
{
	return ep_build_string(x->b, ep_dict_str(d, id));
}

static uint32_t mapping(struct export *x, const struct ep_dict *d, uint32_t id)
{
	const struct ep_dict_mapping *m = ep_dict_mapping(d, id);
	struct ep_slice build_id = ep_dict_str(d, m->build_id);
	bool named = x->env->symbols && build_id.n && ep_symcache_has(x->env->symbols, build_id);
	struct ep_mapping to = {
		.start = m->start,
		.limit = m->start + m->size,
		.file_offset = m->file_offset,
		.filename = str(x, d, m->filename),
		.build_id = str(x, d, m->build_id),
		.has_functions = named || m->flags & EP_MAP_FUNCTIONS,
		.has_filenames = m->flags & EP_MAP_FILENAMES,
		.has_line_numbers = m->flags & EP_MAP_LINES,
		.has_inline_frames = m->flags & EP_MAP_INLINES,
	};
	return ep_build_mapping(x->b, &to);
}

static uint32_t function(struct export *x, const struct ep_dict *d, uint32_t id)
{
	const struct ep_dict_function *f = ep_dict_function(d, id);
	struct ep_function to = {.name = str(x, d, f->name),
				 .system_name = str(x, d, f->system_name),
				 .filename = str(x, d, f->filename),
				 .start_line = f->start_line};
	return ep_build_function(x->b, &to);
}

static uint32_t symbol_function(struct export *x, const struct ep_symbol *s,
				struct ep_slice file)
{
	char text[EP_NAMELESS_MAX];
	struct ep_slice name = s->name.n ? s->name : ep_nameless_format(file, s->file_offset, text);
	struct ep_function to = {.name = ep_build_string(x->b, name),
				 .system_name = ep_build_string(x->b, s->system_name)};
	return ep_build_function(x->b, &to);
}

static uint32_t make_location(struct export *x, const struct ep_dict *d, uint32_t id)
{
	const struct ep_dict_frame *f = ep_dict_frame(d, id);
	if (f->flags & EP_FRAME_DAMAGED)
		return ep_build_named_frame(x->b, "[damaged]", "");
	uint32_t n = f->n_lines ? f->n_lines : 1, m = EP_NONE;
	struct ep_line *lines ep_auto_mem = ep_zalloc(n * sizeof(*lines));
	if (!lines)
		return EP_NONE;
	uint64_t address = f->address;
	if (f->mapping != EP_DICT_NONE) {
		const struct ep_dict_mapping *from = ep_dict_mapping(d, f->mapping);
		m = mapping(x, d, f->mapping);
		if (f->flags & EP_FRAME_OFFSET)
			address = f->address - from->file_offset + from->start;
	}
	for (uint32_t i = 0; i < f->n_lines; i++) {
		const struct ep_dict_line *l = ep_dict_line(d, f->first_line + i);
		lines[i] = (struct ep_line){function(x, d, l->function), l->line, l->column};
	}
	struct ep_symbol s;
	if (!f->n_lines && ep_naming_symbol(x->env->symbols, d, f, &s) == 0)
		lines[0].function = symbol_function(
			x, &s, ep_dict_str(d, ep_dict_mapping(d, f->mapping)->filename));
	else
		n = f->n_lines;
	return ep_build_location(x->b, address, m, lines, n);
}

static uint32_t location(struct export *x, struct pile *p, uint32_t frame)
{
	if (p->locations[frame] == EP_NONE)
		p->locations[frame] = make_location(x, p->d, frame);
	return p->locations[frame];
}

struct scratch {
	uint32_t *stack;
	struct ep_label *labels;
	uint32_t cap_stack, cap_labels;
};

static bool fit(void *pp, uint32_t *cap, uint32_t n, size_t size)
{
	void **p = (void **)pp;
	if (n <= *cap)
		return true;
	void *q = ep_realloc(*p, (size_t)n * 2 * size);
	if (!q)
		return false;
	*p = q;
	*cap = n * 2;
	return true;
}

static int put_sample(struct export *x, struct pile *p, struct scratch *s, uint32_t i)
{
	const struct ep_dict *d = p->d;
	uint32_t n = 0;
	for (uint32_t id = (uint32_t)p->keys[i]; id; id = ep_dict_stack(d, id)->parent) {
		if (!fit(&s->stack, &s->cap_stack, n + 1, sizeof(*s->stack)))
			return -ENOMEM;
		s->stack[n++] = location(x, p, ep_dict_stack(d, id)->frame);
		if (s->stack[n - 1] == EP_NONE)
			return -ENOMEM;
	}
	const struct ep_dict_set *set = ep_dict_set(d, (uint32_t)(p->keys[i] >> 32));
	if (!fit(&s->labels, &s->cap_labels, set->n + 1, sizeof(*s->labels)))
		return -ENOMEM;
	for (uint32_t k = 0; k < set->n; k++) {
		const struct ep_dict_label *l = ep_dict_label(d, set->first + k);
		s->labels[k] = (struct ep_label){
			.key = str(x, d, l->key),
			.str = l->str == EP_DICT_NONE ? 0 : str(x, d, l->str),
			.num = l->num,
			.num_unit = l->str == EP_DICT_NONE ? str(x, d, l->unit) : 0,
		};
	}
	ep_build_sample(x->b, s->stack, n, s->labels, set->n, &p->values[i]);
	return 0;
}

static int put_pile(struct export *x, struct pile *p, struct scratch *s)
{
	p->n_frames = ep_vec_n(&p->d->frames);
	p->locations = ep_alloc(((size_t)p->n_frames + 1) * sizeof(*p->locations));
	if (!p->locations)
		return -ENOMEM;
	memset(p->locations, 0xff, ((size_t)p->n_frames + 1) * sizeof(*p->locations));
	for (uint32_t i = 0; i < p->n; i++)
		EP_TRY(put_sample(x, p, s, i));
	return 0;
}

static int put_all(struct export *x)
{
	struct scratch s = {0};
	int rc = 0;
	for (uint32_t i = 0; i < x->n && !rc; i++)
		rc = put_pile(x, &x->v[i], &s);
	ep_free(s.stack);
	ep_free(s.labels);
	return rc;
}

/* --- head and life ------------------------------------------------------------------------------ */

static int begin(struct export *x, struct ep_slice type, struct ep_err *err)
{
	if (ep_build_new(0, &x->b) < 0)
		return ep_fail(err, -ENOMEM, 0, "no memory for a profile");
	ep_build_sample_type_slices(x->b, ep_type_part(type, 1), ep_type_part(type, 2));
	ep_str ptype = ep_build_string(x->b, ep_type_part(type, 3));
	ep_str punit = ep_build_string(x->b, ep_type_part(type, 4));
	ep_build_profile(x->b)->period_type = (struct ep_value_type){ptype, punit};
	return 0;
}

static void add_ledger(struct export *x, const struct ep_query_ledger *from)
{
	struct ep_ledger l = {from->asked, from->taken, from->lost, from->truncated};
	char text[EP_LEDGER_TEXT_MAX];
	if (!l.asked && !l.taken && !l.lost && !l.truncated)
		return; /* nobody said */
	ep_ledger_format(&l, text);
	ep_build_comment(x->b, ep_slice_of(text));
}

static int end(struct export *x, struct ep_profile **ret_p, struct ep_err *err)
{
	struct ep_profile *p = ep_build_profile(x->b);
	p->period = x->period;
	p->time_ns = (int64_t)x->first_ns;
	p->duration_ns = (int64_t)x->duration_ns;
	return ep_build_finish(x->b, ret_p, err);
}

static void fini(struct export *x)
{
	for (uint32_t i = 0; i < x->n; i++) {
		ep_index_fini(&x->v[i].ix);
		ep_free(x->v[i].keys);
		ep_free(x->v[i].values);
		ep_free(x->v[i].locations);
	}
	ep_free(x->v);
	ep_build_free(x->b);
}

int ep_query_profile(const struct ep_query_env *env, const struct ep_query *q,
		     struct ep_profile **ret_p, struct ep_err *err)
{
	struct export x = {.env = env};
	struct ep_plan p = {0};
	int rc = ep_plan_open(&p, env, q, true, err);
	if (!rc)
		rc = begin(&x, q->type, err);
	if (!rc)
		rc = ep_plan_run(&p, EP_NEED_ROWS, add, &x, err);
	if (!rc && put_all(&x) < 0)
		rc = ep_fail(err, -ENOMEM, 0, "no memory for a profile");
	if (!rc) {
		struct ep_query_ledger l = ep_plan_ledger(&p);
		add_ledger(&x, &l);
		rc = end(&x, ret_p, err);
	}
	ep_plan_close(&p);
	fini(&x);
	return rc;
}
