/*
 * tagfilter.c - see tagfilter.h.
 *
 * A filter is one or several conditions, all of which some label of a sample must meet.
 * A condition is asked once a distinct label: of numbers, the units are looked up once a
 * key.  Source: google/pprof driver_focus.go and profile/filter.go.
 */
#include "profile/tagfilter.h"

#include "base/buf.h"
#include "base/hash.h"
#include "base/index.h"
#include "profile/pack.h"
#include "profile/tagrange.h"
#include "profile/view.h"

struct ep_tagfilter {
	char *text;
	struct ep_slice key; /* "": any */
	bool is_range;
	struct ep_tagrange range;
	struct ep_regex **regexes;
	size_t n_regexes;
};

static int no_memory(struct ep_err *err)
{
	return ep_fail(err, -ENOMEM, 0, "no memory for filtering by labels");
}

/* --- parsing ---------------------------------------------------------------------- */

static struct ep_slice until(struct ep_slice s, char c)
{
	const char *end = s.n ? memchr(s.p, c, s.n) : NULL;
	return end ? (struct ep_slice){s.p, (size_t)(end - s.p)} : s;
}

static struct ep_slice after(struct ep_slice s, size_t n)
{
	return (struct ep_slice){s.p + n, s.n - n};
}

static int parse_regexes(struct ep_tagfilter *f, struct ep_slice value, struct ep_err *err)
{
	size_t n = 1;
	for (size_t i = 0; i < value.n; i++)
		n += value.p[i] == ',';
	f->regexes = ep_zalloc(n * sizeof(*f->regexes));
	if (!f->regexes)
		return no_memory(err);
	for (;;) {
		struct ep_slice one = until(value, ',');
		EP_TRY(ep_regex_new(one, EP_REGEX_SEARCH, &f->regexes[f->n_regexes], err));
		f->n_regexes++;
		if (one.n == value.n)
			return 0;
		value = after(value, one.n + 1);
	}
}

static int parse(struct ep_tagfilter *f, struct ep_err *err)
{
	struct ep_slice value = ep_slice_of(f->text), key = until(value, '=');
	if (key.n < value.n) {
		f->key = key;
		value = after(value, key.n + 1);
	}
	int rc = ep_tagrange_parse(value, &f->range, err);
	if (rc < 0)
		return rc;
	f->is_range = rc > 0;
	return f->is_range ? 0 : parse_regexes(f, value, err);
}

int ep_tagfilter_parse(const char *text, bool *ret_range, struct ep_tagfilter **ret_f,
		       struct ep_err *err)
{
	ep_auto(ep_tagfilter) f = ep_zalloc(sizeof(*f));
	if (!f || !(f->text = ep_strdup(text)))
		return no_memory(err);
	EP_TRY(parse(f, err));
	*ret_range = f->is_range;
	*ret_f = ep_take(&f);
	return 0;
}

void ep_tagfilter_free(struct ep_tagfilter *f)
{
	if (!f)
		return;
	for (size_t i = 0; i < f->n_regexes; i++)
		ep_regex_free(f->regexes[i]);
	ep_free(f->regexes);
	ep_free(f->text);
	ep_free(f);
}

struct ep_slice ep_tagfilter_value(const struct ep_tagfilter *f)
{
	struct ep_slice all = ep_slice_of(f->text), key = until(all, '=');
	return key.n < all.n ? after(all, key.n + 1) : all;
}

/* --- one condition ---------------------------------------------------------------- */

/* A string label that was asked for, and the answer. */
struct answer {
	uint32_t key;
	ep_str value;
	bool matches;
};

struct condition {
	const struct ep_profile *p;
	const struct ep_keys *keys;
	const struct ep_tagfilter *filter;
	const struct ep_regex *regex; /* the one it is about; NULL: any of the filter's */
	uint8_t *is_key;	      /* by number of a key: it is asked for */
	struct ep_units_pair *units;  /* of a range, by number of a key */
	struct ep_index index;	      /* of answers */
	struct ep_buf answers, text;
	int failed;
	struct ep_err *err;
};

static int condition_init(struct condition *c, struct ep_arena *scratch)
{
	const struct ep_tagfilter *f = c->filter;
	enum { MAX_TEXT = 64 << 20 };
	ep_buf_init(&c->text, MAX_TEXT);
	ep_buf_init(&c->answers, (size_t)UINT32_MAX * sizeof(struct answer) / 2);
	c->is_key = ep_arena_array(scratch, uint8_t, c->keys->n);
	c->units = ep_arena_array(scratch, struct ep_units_pair, c->keys->n);
	if (!c->is_key || !c->units)
		return no_memory(c->err);
	for (uint32_t i = 0; i < c->keys->n; i++) {
		c->is_key[i] = !f->key.n || ep_slice_eq(f->key, c->keys->keys[i].name);
		if (f->is_range)
			c->units[i] = ep_units_pair(c->keys->keys[i].unit, f->range.unit);
	}
	return 0;
}

static void condition_fini(struct condition *c)
{
	ep_index_fini(&c->index);
	ep_buf_fini(&c->answers);
	ep_buf_fini(&c->text);
}

static bool regex_matches(struct condition *c, const struct ep_regex *r, struct ep_slice s)
{
	int rc = c->failed ? 0 : ep_regex_match(r, s, c->err);
	if (rc < 0)
		c->failed = rc;
	return rc > 0;
}

/* With a key any expression may match the value; without, one is asked of both. */
static bool ask(struct condition *c, const struct ep_label *l)
{
	struct ep_slice value = c->p->strings[l->str];
	if (!c->regex) {
		for (size_t i = 0; i < c->filter->n_regexes; i++)
			if (regex_matches(c, c->filter->regexes[i], value))
				return true;
		return false;
	}
	ep_buf_clear(&c->text);
	ep_buf_printf(&c->text, "%.*s:", EP_SLICE_ARG(c->p->strings[l->key]));
	ep_buf_add(&c->text, value.p, value.n);
	if (ep_buf_failed(&c->text))
		c->failed = ep_buf_failed(&c->text);
	return regex_matches(c, c->regex,
			     (struct ep_slice){(char *)c->text.data, c->text.len});
}

static bool string_matches(struct condition *c, const struct ep_label *l, uint32_t key)
{
	const struct answer *known = (const void *)c->answers.data;
	uint64_t h = ep_hash_mix(key, l->str);
	struct ep_index_iter it;
	for (uint32_t i = ep_index_first(&c->index, h, &it); i != EP_INDEX_NONE;
	     i = ep_index_next(&c->index, &it))
		if (known[i].key == key && known[i].value == l->str)
			return known[i].matches;
	struct answer a = {key, l->str, ask(c, l)};
	uint32_t n = (uint32_t)(c->answers.len / sizeof(a));
	ep_buf_add(&c->answers, &a, sizeof(a));
	if (ep_buf_failed(&c->answers) || ep_index_add(&c->index, h, n) < 0)
		c->failed = no_memory(c->err);
	return a.matches;
}

static bool label_matches(struct condition *c, const struct ep_label *l)
{
	uint32_t key = ep_keys_number(c->keys, l->key);
	if (key == EP_NONE || !c->is_key[key] || !l->str != c->filter->is_range)
		return false;
	return l->str ? string_matches(c, l, key)
		      : ep_tagrange_holds(&c->filter->range, &c->units[key], l->num);
}

static bool sample_matches(struct condition *c, const struct ep_sample *s)
{
	for (uint32_t i = 0; i < s->n_labels; i++)
		if (label_matches(c, &c->p->labels[s->first_label + i]))
			return true;
	return false;
}

static bool same_labels(const struct ep_sample *a, const struct ep_sample *b)
{
	return a->first_label == b->first_label && a->n_labels == b->n_labels;
}

/* Clear the bytes of samples that do not meet it. */
static void apply(struct condition *c, uint8_t *matched)
{
	const struct ep_sample *s = c->p->samples;
	bool last = false;
	for (uint32_t i = 0; i < c->p->n_samples; i++) {
		if (!i || !same_labels(&s[i], &s[i - 1]))
			last = sample_matches(c, &s[i]);
		matched[i] &= last;
	}
}

/* --- samples ---------------------------------------------------------------------- */

static int apply_filter(const struct ep_profile *p, const struct ep_keys *keys,
			const struct ep_tagfilter *f, uint8_t *matched, struct ep_err *err)
{
	bool one = f->is_range || f->key.n;
	memset(matched, 1, p->n_samples);
	for (size_t i = 0; i < (one ? 1 : f->n_regexes); i++) {
		ep_auto(ep_arena) scratch = ep_arena_new(0);
		if (!scratch)
			return no_memory(err);
		struct condition c = {.p = p, .keys = keys, .filter = f, .err = err,
				      .regex = one ? NULL : f->regexes[i]};
		int rc = condition_init(&c, scratch);
		if (rc == 0)
			apply(&c, matched);
		condition_fini(&c);
		EP_TRY(rc);
		EP_TRY(c.failed);
	}
	return 0;
}

int ep_tagfilter_samples(struct ep_profile *view, const struct ep_keys *keys,
			 const struct ep_tagfilter *focus,
			 const struct ep_tagfilter *ignore,
			 struct ep_tagfilter_found *ret_found, struct ep_err *err)
{
	uint32_t n = view->n_samples;
	*ret_found = (struct ep_tagfilter_found){.first = !focus && n};
	if (!n || (!focus && !ignore))
		return 0;
	uint8_t *keep ep_auto_mem = ep_alloc(2 * (size_t)n);
	if (!keep)
		return no_memory(err);
	uint8_t *ignored = keep + n;
	memset(keep, 1, n);
	memset(ignored, 0, n);
	if (focus)
		EP_TRY(apply_filter(view, keys, focus, keep, err));
	if (ignore)
		EP_TRY(apply_filter(view, keys, ignore, ignored, err));
	for (uint32_t i = 0; i < n; i++) {
		ret_found->first |= keep[i];
		ret_found->second |= ignored[i];
		keep[i] &= !ignored[i];
	}
	return ep_view_keep_samples(view, keep, err);
}

/* --- labels ----------------------------------------------------------------------- */

struct labels {
	struct ep_profile *view;
	const struct ep_keys *keys;
	uint8_t *shown, *hidden; /* by number of a key */
	struct ep_tagfilter_found found;
};

static int judge_keys(const struct ep_keys *keys, const struct ep_regex *r, bool without,
		      uint8_t *ret, struct ep_err *err)
{
	for (uint32_t i = 0; i < keys->n; i++) {
		int rc = r ? ep_regex_match(r, keys->keys[i].name, err) : without;
		EP_TRY(rc);
		ret[i] = rc > 0;
	}
	return 0;
}

/* What is found is asked of labels that a sample has, not of all there ever were. */
static void mark_labels(struct labels *f, struct ep_pack *pack)
{
	const struct ep_profile *v = f->view;
	for (uint32_t i = 0; i < v->n_samples; i++) {
		const struct ep_sample *s = &v->samples[i];
		if (i && same_labels(s, s - 1))
			continue;
		for (uint32_t k = s->first_label; k < s->first_label + s->n_labels; k++) {
			uint32_t key = ep_keys_number(f->keys, v->labels[k].key);
			f->found.first |= f->shown[key];
			f->found.second |= f->hidden[key];
			if (f->shown[key] && !f->hidden[key])
				ep_pack_keep(pack, k);
		}
	}
	ep_pack_count(pack);
}

static int pack_labels(struct ep_profile *v, const struct ep_pack *pack)
{
	uint32_t n = ep_pack_before(pack, v->n_labels);
	struct ep_label *labels = ep_arena_alloc(v->arena, n * sizeof(*labels));
	struct ep_sample *samples = ep_view_copy(v, samples);
	if (!labels || !samples)
		return -ENOMEM;
	for (uint32_t i = 0; i < v->n_labels; i++)
		if (pack->bits[i / 64] >> i % 64 & 1)
			labels[ep_pack_before(pack, i)] = v->labels[i];
	for (uint32_t i = 0; i < v->n_samples; i++)
		ep_pack_move(pack, &samples[i].first_label, &samples[i].n_labels);
	v->labels = labels;
	v->n_labels = n;
	v->samples = samples;
	return 0;
}

int ep_tagfilter_labels(struct ep_profile *view, const struct ep_keys *keys,
			const struct ep_regex *show, const struct ep_regex *hide,
			struct ep_tagfilter_found *ret_found, struct ep_err *err)
{
	*ret_found = (struct ep_tagfilter_found){0};
	if (!show && !hide)
		return 0;
	ep_auto(ep_arena) scratch = ep_arena_new(0);
	struct ep_pack pack;
	if (!scratch || !ep_pack_init(&pack, view->n_labels, scratch))
		return no_memory(err);
	struct labels f = {.view = view,
			   .keys = keys,
			   .shown = ep_arena_array(scratch, uint8_t, keys->n),
			   .hidden = ep_arena_array(scratch, uint8_t, keys->n)};
	if (!f.shown || !f.hidden)
		return no_memory(err);
	EP_TRY(judge_keys(keys, show, true, f.shown, err));
	EP_TRY(judge_keys(keys, hide, false, f.hidden, err));
	mark_labels(&f, &pack);
	*ret_found = f.found;
	int rc = pack_labels(view, &pack);
	return rc < 0 ? no_memory(err) : 0;
}
