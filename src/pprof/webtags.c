/*
 * webtags.c - the labels of the samples, by weight: what the page's tag filters offer.
 *
 * Each value comes with the text that asks for it in tagfocus or tagignore.
 */
#include "pprof/webroom.h"

#include "base/hash.h"
#include "base/index.h"
#include "codec/json.h"
#include "report/prepare.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_VALUES = 200, MAX_NOTES = 4096 };

struct tag {
	struct ep_label label;
	int64_t total;
};

struct tags {
	const struct ep_report *r;
	struct tag *v;
	uint32_t n, cap;
	struct ep_index ix;
};

static void tags_fini(struct tags *t)
{
	ep_free(t->v);
	ep_index_fini(&t->ix);
}

static int count(struct tags *t, const struct ep_label *l, int64_t weight)
{
	struct ep_index_iter it;
	uint64_t hash = ep_hash_mix(ep_hash_mix(l->key, l->str), (uint64_t)l->num ^ l->num_unit);
	for (uint32_t id = ep_index_first(&t->ix, hash, &it); id != EP_INDEX_NONE;
	     id = ep_index_next(&t->ix, &it)) {
		const struct ep_label *have = &t->v[id].label;
		if (have->key == l->key && have->str == l->str && have->num == l->num &&
		    have->num_unit == l->num_unit) {
			t->v[id].total += weight;
			return 0;
		}
	}
	if (t->n == t->cap) {
		uint32_t cap = t->cap ? t->cap * 2 : 256;
		struct tag *v = ep_realloc(t->v, cap * sizeof(*v));
		if (!v)
			return -ENOMEM;
		t->v = v;
		t->cap = cap;
	}
	EP_TRY(ep_index_add(&t->ix, hash, t->n));
	t->v[t->n++] = (struct tag){*l, weight};
	return 0;
}

static int collect(struct tags *t)
{
	const struct ep_profile *p = t->r->p;
	for (uint32_t i = 0; i < p->n_samples; i++) {
		int64_t v = ep_report_value(t->r, i);
		const struct ep_sample *s = &p->samples[i];
		for (uint32_t k = 0; v && k < s->n_labels; k++)
			EP_TRY(count(t, &p->labels[s->first_label + k], v < 0 ? -v : v));
	}
	return 0;
}

static int by_key_and_weight(const void *a, const void *b, void *profile)
{
	const struct tag *x = a, *y = b;
	const struct ep_profile *p = profile;
	int c = ep_slice_cmp(ep_profile_str(p, x->label.key), ep_profile_str(p, y->label.key));
	if (c)
		return c;
	if (x->total != y->total)
		return x->total < y->total ? 1 : -1;
	c = ep_slice_cmp(ep_profile_str(p, x->label.str), ep_profile_str(p, y->label.str));
	return c ? c : (x->label.num > y->label.num) - (x->label.num < y->label.num);
}

/* "64kB", and "65536bytes" that finds exactly it. */
static void write_number(struct ep_jsonw *j, const struct ep_profile *p, const struct ep_label *l)
{
	char text[EP_UNITS_LABEL_MAX], exact[96];
	struct ep_slice unit = ep_profile_str(p, l->num_unit);
	ep_units_label(text, l->num, unit, unit.n ? ep_slice_of("auto") : unit);
	(void)snprintf(exact, sizeof(exact), "%lld%.*s", (long long)l->num,
		       unit.n > 32 ? 32 : (int)unit.n, unit.n ? unit.p : "");
	ep_jsonw_str(j, "value", text);
	ep_jsonw_str(j, "filter", exact);
}

/* Commas part expressions, so one in a value is "any character". */
static void write_text(struct ep_jsonw *j, struct ep_slice s)
{
	ep_auto_buf re;
	ep_buf_init(&re, 64 << 10);
	ep_buf_add_char(&re, '^');
	for (size_t i = 0; i < s.n; i++) {
		if (strchr("\\.+*?()|[]{}^$", s.p[i]))
			ep_buf_add_char(&re, '\\');
		ep_buf_add_char(&re, s.p[i] == ',' ? '.' : s.p[i]);
	}
	ep_buf_add_char(&re, '$');
	ep_jsonw_slice(j, "value", s);
	ep_jsonw_str(j, "filter", ep_buf_cstr(&re));
}

/* One key: its values [from, to), heaviest first. */
static void write_key(struct ep_jsonw *j, const struct tags *t, uint32_t from, uint32_t to)
{
	const struct ep_profile *p = t->r->p;
	int64_t total = 0;
	for (uint32_t i = from; i < to; i++)
		total += t->v[i].total;
	ep_jsonw_open(j, NULL, '{');
	ep_jsonw_slice(j, "name", ep_profile_str(p, t->v[from].label.key));
	ep_jsonw_int(j, "total", total);
	ep_jsonw_uint(j, "count", to - from);
	ep_jsonw_bool(j, "numeric", !t->v[from].label.str);
	ep_jsonw_open(j, "values", '[');
	for (uint32_t i = from; i < to && i - from < MAX_VALUES; i++) {
		ep_jsonw_open(j, NULL, '{');
		if (t->v[i].label.str)
			write_text(j, ep_profile_str(p, t->v[i].label.str));
		else
			write_number(j, p, &t->v[i].label);
		ep_jsonw_int(j, "total", t->v[i].total);
		ep_jsonw_close(j, '}');
	}
	ep_jsonw_close(j, ']');
	ep_jsonw_close(j, '}');
}

static int write_tags(struct ep_http *x, struct tags *t)
{
	struct ep_jsonw j = ep_jsonw_to(&x->out);
	const struct ep_profile *p = t->r->p;
	if (t->n)
		qsort_r(t->v, t->n, sizeof(*t->v), by_key_and_weight, (void *)p);
	x->status = 200;
	x->content_type = "application/json";
	ep_buf_clear(&x->out);
	ep_jsonw_open(&j, NULL, '{');
	ep_jsonw_slice(&j, "unit", t->r->sample_unit);
	ep_jsonw_int(&j, "total", t->r->total);
	ep_jsonw_open(&j, "tags", '[');
	for (uint32_t i = 0, to; i < t->n; i = to) {
		struct ep_slice key = ep_profile_str(p, t->v[i].label.key);
		for (to = i + 1; to < t->n &&
				 ep_slice_eq(key, ep_profile_str(p, t->v[to].label.key));)
			to++;
		write_key(&j, t, i, to);
	}
	ep_jsonw_close(&j, ']');
	ep_jsonw_close(&j, '}');
	return ep_buf_failed(&x->out);
}

static int tags(const struct ep_web *w, struct ep_http *x, struct ep_err *err)
{
	ep_auto(ep_report) r = NULL;
	__attribute__((cleanup(tags_fini))) struct tags t = {0};
	ep_auto_buf notes;
	struct ep_vars v;
	ep_buf_init(&notes, MAX_NOTES);
	struct ep_notes to = ep_webvars_notes(&notes);
	EP_TRY(ep_webvars_read(w, x, &v, err));
	const struct ep_report_options o = ep_vars_options(&v, EP_REPORT_TAGS, "");
	EP_TRY(ep_report_prepare(w->session->profile, &o, &to, &r, err));
	t.r = r;
	EP_TRY(collect(&t));
	return write_tags(x, &t);
}

void ep_webtags_get(void *room, struct ep_http *x)
{
	struct ep_err err = {0};
	int rc = tags(room, x, &err);
	if (rc < 0)
		ep_webvars_fail(x, rc, &err);
}
