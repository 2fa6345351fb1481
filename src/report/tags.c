/*
 * tags.c - the report `tags`: the values of each label, and how much each is of all.
 *
 * Values are counted by what stands in the table, a string's index or a number, and only
 * what is new there is looked up by the text that is shown: two numbers may look the
 * same.  Source: google/pprof report.go (printTags).
 */
#include "base/hash.h"
#include "base/index.h"
#include "report/reportjson.h"
#include "report/reports.h"
#include "report/texttable.h"

#include <stdlib.h>

/* A label as it stands in the table. */
struct value {
	uint32_t key; /* number in the report's keys */
	ep_str str;   /* 0: a number */
	int64_t num;
	uint32_t row;
};

/* A line of the report. */
struct row {
	uint32_t key;
	uint64_t sum; /* wraps */
	struct ep_slice text;
};

struct tags {
	struct ep_report *r;
	struct ep_arena *scratch;
	uint32_t *by_string; /* a value with this string, EP_NONE without any */
	struct ep_buf values, rows;
	struct ep_index value_index, row_index;
	struct ep_texttable table;
	int failed;
};

#define COUNT(buf, type) ((uint32_t)((buf).len / sizeof(type)))

static struct row *row_at(struct tags *t, uint32_t i)
{
	return (struct row *)(void *)t->rows.data + i;
}

static struct value *value_at(struct tags *t, uint32_t i)
{
	return (struct value *)(void *)t->values.data + i;
}

/* --- sums ------------------------------------------------------------------------- */

static uint32_t add_element(struct tags *t, struct ep_buf *to, struct ep_index *ix,
			    uint64_t h, const void *element, size_t size)
{
	uint32_t i = (uint32_t)(to->len / size);
	ep_buf_add(to, element, size);
	if (ep_buf_failed(to) || ep_index_add(ix, h, i) < 0) {
		t->failed = -ENOMEM;
		return EP_NONE;
	}
	return i;
}

static struct ep_slice text_of(struct tags *t, const struct value *v)
{
	char label[EP_UNITS_LABEL_MAX];
	if (v->str)
		return t->r->p->strings[v->str];
	ep_units_label(label, v->num, t->r->keys.keys[v->key].unit, t->r->unit);
	size_t n = strlen(label);
	char *copy = ep_arena_copy(t->scratch, label, n);
	if (!copy)
		t->failed = -ENOMEM;
	return (struct ep_slice){copy, copy ? n : 0};
}

static uint32_t find_row(struct tags *t, const struct value *v)
{
	struct row row = {.key = v->key, .text = text_of(t, v)};
	uint64_t h = ep_hash_mix(ep_hash64(row.text.p, row.text.n), row.key);
	struct ep_index_iter it;
	for (uint32_t i = ep_index_first(&t->row_index, h, &it); i != EP_INDEX_NONE;
	     i = ep_index_next(&t->row_index, &it)) {
		const struct row *o = row_at(t, i);
		if (o->key == row.key && ep_slice_eq(o->text, row.text))
			return i;
	}
	return add_element(t, &t->rows, &t->row_index, h, &row, sizeof(row));
}

static bool is_value(const struct value *v, uint32_t key, const struct ep_label *l)
{
	return v->key == key && v->str == l->str && (l->str || v->num == l->num);
}

static uint32_t find_value(struct tags *t, uint32_t key, const struct ep_label *l)
{
	struct value v = {.key = key, .str = l->str, .num = l->str ? 0 : l->num};
	uint64_t h = ep_hash_mix(ep_hash_mix(key, v.str), (uint64_t)v.num);
	struct ep_index_iter it;
	for (uint32_t i = ep_index_first(&t->value_index, h, &it); i != EP_INDEX_NONE;
	     i = ep_index_next(&t->value_index, &it))
		if (is_value(value_at(t, i), key, l))
			return i;
	v.row = find_row(t, &v);
	return add_element(t, &t->values, &t->value_index, h, &v, sizeof(v));
}

/* A string is mostly the value of one key. */
static uint32_t value_of(struct tags *t, const struct ep_label *l)
{
	uint32_t key = ep_keys_number(&t->r->keys, l->key), i = t->by_string[l->str];
	if (i != EP_NONE && is_value(value_at(t, i), key, l))
		return i;
	return t->by_string[l->str] = find_value(t, key, l);
}

static void add_samples(struct tags *t)
{
	const struct ep_profile *p = t->r->p;
	for (uint32_t i = 0; i < p->n_samples; i++) {
		const struct ep_sample *s = &p->samples[i];
		uint64_t sum = (uint64_t)ep_report_value(t->r, i);
		for (uint32_t k = s->first_label; k < s->first_label + s->n_labels; k++) {
			uint32_t v = value_of(t, &p->labels[k]);
			if (t->failed)
				return;
			row_at(t, value_at(t, v)->row)->sum += sum;
		}
	}
}

/* --- order ------------------------------------------------------------------------ */

/* What comes first has the smaller key, then the larger size. */
struct place {
	uint32_t key;
	uint64_t size;
	const struct row *row;
};

/* What is as large as another comes by name. */
static int compare(const void *a, const void *b)
{
	const struct place *x = a, *y = b;
	if (x->key != y->key)
		return x->key < y->key ? -1 : 1;
	if (x->size != y->size)
		return x->size > y->size ? -1 : 1;
	return ep_slice_cmp(x->row->text, y->row->text);
}

static struct place *sort_rows(struct tags *t)
{
	uint32_t n = COUNT(t->rows, struct row);
	struct place *places = ep_arena_array(t->scratch, struct place, (size_t)n + 1);
	for (uint32_t i = 0; places && i < n; i++) {
		const struct row *row = row_at(t, i);
		bool negative = (int64_t)row->sum < 0;
		places[i] = (struct place){row->key, negative ? 0 - row->sum : row->sum, row};
	}
	if (places)
		qsort(places, n, sizeof(*places), compare);
	return places;
}

/* --- the table -------------------------------------------------------------------- */

/* "1.50s (12.34%)", the percentage only of a total that is above 0. */
static void add_share(struct tags *t, int64_t value)
{
	char buf[EP_UNITS_LABEL_MAX];
	if (t->r->total <= 0)
		return;
	ep_texttable_add_str(&t->table, " (");
	ep_texttable_add_str(&t->table, ep_units_percent(buf, value, t->r->total));
	ep_texttable_add_str(&t->table, ")");
}

static void add_value(struct tags *t, int64_t value)
{
	char buf[EP_UNITS_LABEL_MAX];
	ep_texttable_add_str(&t->table, ep_report_label(t->r, buf, value));
}

static void add_key(struct tags *t, const struct place *from, const struct place *to)
{
	uint64_t sum = 0;
	for (const struct place *p = from; p < to; p++)
		sum += p->row->sum;
	ep_texttable_add(&t->table, t->r->keys.keys[from->key].name);
	ep_texttable_add_str(&t->table, ":\t Total ");
	add_value(t, (int64_t)sum);
	ep_texttable_add_str(&t->table, " of ");
	add_value(t, t->r->total);
	add_share(t, (int64_t)sum);
	ep_texttable_add_str(&t->table, "\n");
	for (const struct place *p = from; p < to; p++) {
		ep_texttable_add_str(&t->table, " \t");
		add_value(t, (int64_t)p->row->sum);
		add_share(t, (int64_t)p->row->sum);
		ep_texttable_add_str(&t->table, ":\t ");
		ep_texttable_add(&t->table, p->row->text);
		ep_texttable_add_str(&t->table, "\n");
	}
	ep_texttable_add_str(&t->table, "\n");
}

/* The first place behind `from` that belongs to another key. */
static const struct place *end_of_key(const struct place *from, const struct place *end)
{
	const struct place *to = from + 1;
	while (to < end && to->key == from->key)
		to++;
	return to;
}

static int write_table(struct tags *t, const struct place *places, const struct place *end,
		       struct ep_buf *out)
{
	ep_texttable_init(&t->table, out);
	for (const struct place *from = places, *to; from < end; from = to) {
		to = end_of_key(from, end);
		add_key(t, from, to);
	}
	return ep_texttable_finish(&t->table);
}

/* --- JSON ------------------------------------------------------------------------- */

static void add_key_json(struct tags *t, struct ep_jsonw *w, const struct place *from,
			 const struct place *to)
{
	uint64_t sum = 0;
	for (const struct place *p = from; p < to; p++)
		sum += p->row->sum;
	ep_jsonw_open(w, NULL, '{');
	ep_jsonw_slice(w, "key", t->r->keys.keys[from->key].name);
	ep_jsonw_int(w, "weight", (int64_t)sum);
	ep_reportjson_text(w, t->r, "weight_text", (int64_t)sum);
	ep_jsonw_open(w, "values", '[');
	for (const struct place *p = from; p < to; p++) {
		ep_jsonw_open(w, NULL, '{');
		ep_jsonw_slice(w, "value", p->row->text);
		ep_jsonw_int(w, "weight", (int64_t)p->row->sum);
		ep_reportjson_text(w, t->r, "weight_text", (int64_t)p->row->sum);
		ep_jsonw_close(w, '}');
	}
	ep_jsonw_close(w, ']');
	ep_jsonw_close(w, '}');
}

static int write_json(struct tags *t, const struct place *places, const struct place *end,
		      struct ep_buf *out)
{
	struct ep_jsonw w = ep_jsonw_to(out);
	ep_reportjson_open(&w, t->r, "tags");
	ep_jsonw_open(&w, "tags", '[');
	for (const struct place *from = places, *to; from < end; from = to) {
		to = end_of_key(from, end);
		add_key_json(t, &w, from, to);
	}
	ep_jsonw_close(&w, ']');
	ep_reportjson_close(&w);
	return 0;
}

/* --- all -------------------------------------------------------------------------- */

static int write_all(struct tags *t, struct ep_buf *out)
{
	size_t n_bytes = t->r->p->n_strings * sizeof(*t->by_string);
	t->by_string = ep_arena_alloc(t->scratch, n_bytes);
	if (!t->by_string)
		return -ENOMEM;
	memset(t->by_string, 0xff, n_bytes);
	add_samples(t);
	EP_TRY(t->failed);
	const struct place *places = sort_rows(t);
	if (!places)
		return -ENOMEM;
	const struct place *end = places + COUNT(t->rows, struct row);
	return t->r->o.json ? write_json(t, places, end, out)
			    : write_table(t, places, end, out);
}

int ep_tags_write(struct ep_report *r, struct ep_objects *objects, struct ep_buf *out,
		  struct ep_err *err)
{
	(void)objects;
	ep_auto(ep_arena) scratch = ep_arena_new(0);
	if (!scratch)
		return ep_fail(err, -ENOMEM, 0, "no memory for a report");
	struct tags t = {.r = r, .scratch = scratch};
	const size_t max = (size_t)UINT32_MAX * sizeof(struct row) / 2;
	ep_buf_init(&t.values, max);
	ep_buf_init(&t.rows, max);
	int rc = write_all(&t, out);
	ep_buf_fini(&t.values);
	ep_buf_fini(&t.rows);
	ep_index_fini(&t.value_index);
	ep_index_fini(&t.row_index);
	return rc < 0 ? ep_fail(err, rc, 0, "no room for the tags") : 0;
}
