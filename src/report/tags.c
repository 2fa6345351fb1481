/*
 * tags.c - the report `tags`: the values of each label, and how much each is of all.
 *
 * Sums are collected by label as it stands in the table, then by the text that is shown:
 * two numbers may look the same.  Source: google/pprof report.go (printTags).
 */
#include "base/hash.h"
#include "base/index.h"
#include "base/sort.h"
#include "report/reportjson.h"
#include "report/reports.h"
#include "report/table.h"

struct row {
	uint32_t key; /* number in the report's keys */
	ep_str str;   /* 0: a number */
	int64_t num;
	uint64_t sum; /* wraps */
	struct ep_slice text;
};

struct tags {
	struct ep_report *r;
	struct ep_arena *scratch;
	uint32_t *row_of; /* by label of the table; EP_NONE: not known yet */
	struct ep_buf rows;
	struct ep_index index;
	struct ep_table table;
	int failed;
};

static struct row *row_at(struct tags *t, uint32_t i)
{
	return (struct row *)(void *)t->rows.data + i;
}

static uint32_t n_rows(const struct tags *t)
{
	return (uint32_t)(t->rows.len / sizeof(struct row));
}

/* --- sums ------------------------------------------------------------------------- */

static uint32_t find_row(struct tags *t, const struct ep_label *l)
{
	struct row row = {.key = ep_keys_number(&t->r->keys, l->key),
			  .str = l->str,
			  .num = l->str ? 0 : l->num};
	uint64_t h = ep_hash_mix(ep_hash_mix(row.key, row.str), (uint64_t)row.num);
	struct ep_index_iter it;
	for (uint32_t i = ep_index_first(&t->index, h, &it); i != EP_INDEX_NONE;
	     i = ep_index_next(&t->index, &it)) {
		const struct row *o = row_at(t, i);
		if (o->key == row.key && o->str == row.str && o->num == row.num)
			return i;
	}
	uint32_t i = n_rows(t);
	ep_buf_add(&t->rows, &row, sizeof(row));
	if (ep_buf_failed(&t->rows) || ep_index_add(&t->index, h, i) < 0) {
		t->failed = -ENOMEM;
		return EP_NONE;
	}
	return i;
}

static void add_samples(struct tags *t)
{
	const struct ep_profile *p = t->r->p;
	for (uint32_t i = 0; i < p->n_samples; i++) {
		const struct ep_sample *s = &p->samples[i];
		uint64_t value = (uint64_t)ep_report_value(t->r, i);
		for (uint32_t k = s->first_label; k < s->first_label + s->n_labels; k++) {
			if (t->row_of[k] == EP_NONE)
				t->row_of[k] = find_row(t, &p->labels[k]);
			if (t->failed)
				return;
			row_at(t, t->row_of[k])->sum += value;
		}
	}
}

/* --- text ------------------------------------------------------------------------- */

static void set_text(struct tags *t, struct row *row)
{
	char label[EP_UNITS_LABEL_MAX];
	if (row->str) {
		row->text = t->r->p->strings[row->str];
		return;
	}
	ep_units_label(label, row->num, t->r->keys.keys[row->key].unit, t->r->unit);
	size_t n = strlen(label);
	row->text = (struct ep_slice){ep_arena_copy(t->scratch, label, n), n};
	if (!row->text.p)
		t->failed = -ENOMEM;
}

static bool text_before(const void *a, const void *b, void *arg)
{
	(void)arg;
	const struct row *x = a, *y = b;
	return x->key != y->key ? x->key < y->key : ep_slice_cmp(x->text, y->text) < 0;
}

static int64_t size_of(const struct row *row)
{
	int64_t v = (int64_t)row->sum;
	return v < 0 ? (int64_t)(0 - row->sum) : v;
}

/* What is as large as another comes by name. */
static bool shown_before(const void *a, const void *b, void *arg)
{
	const struct row *x = a, *y = b;
	if (x->key != y->key || size_of(x) == size_of(y))
		return text_before(a, b, arg);
	return size_of(x) > size_of(y);
}

/* Rows with one text become one. */
static uint32_t join_rows(struct tags *t)
{
	uint32_t n = n_rows(t), kept = 0;
	for (uint32_t i = 0; i < n && !t->failed; i++)
		set_text(t, row_at(t, i));
	if (t->failed)
		return 0;
	ep_sort(t->rows.data, n, sizeof(struct row), text_before, NULL);
	for (uint32_t i = 0; i < n; i++) {
		struct row *row = row_at(t, i), *last = kept ? row_at(t, kept - 1) : NULL;
		if (last && last->key == row->key && ep_slice_eq(last->text, row->text))
			last->sum += row->sum;
		else
			*row_at(t, kept++) = *row;
	}
	ep_sort(t->rows.data, kept, sizeof(struct row), shown_before, NULL);
	return kept;
}

/* --- the table -------------------------------------------------------------------- */

/* "1.50s (12.34%)", the percentage only of a total that is above 0. */
static void add_share(struct tags *t, int64_t value)
{
	char buf[EP_UNITS_LABEL_MAX];
	if (t->r->total <= 0)
		return;
	ep_table_add_str(&t->table, " (");
	ep_table_add_str(&t->table, ep_units_percent(buf, value, t->r->total));
	ep_table_add_str(&t->table, ")");
}

static void add_value(struct tags *t, int64_t value)
{
	char buf[EP_UNITS_LABEL_MAX];
	ep_table_add_str(&t->table, ep_report_label(t->r, buf, value));
}

static void add_key(struct tags *t, uint32_t from, uint32_t to)
{
	uint64_t sum = 0;
	for (uint32_t i = from; i < to; i++)
		sum += row_at(t, i)->sum;
	ep_table_add(&t->table, t->r->keys.keys[row_at(t, from)->key].name);
	ep_table_add_str(&t->table, ":\t Total ");
	add_value(t, (int64_t)sum);
	ep_table_add_str(&t->table, " of ");
	add_value(t, t->r->total);
	add_share(t, (int64_t)sum);
	ep_table_add_str(&t->table, "\n");
	for (uint32_t i = from; i < to; i++) {
		const struct row *row = row_at(t, i);
		ep_table_add_str(&t->table, " \t");
		add_value(t, (int64_t)row->sum);
		add_share(t, (int64_t)row->sum);
		ep_table_add_str(&t->table, ":\t ");
		ep_table_add(&t->table, row->text);
		ep_table_add_str(&t->table, "\n");
	}
	ep_table_add_str(&t->table, "\n");
}

/* The first row behind `from` that belongs to another key. */
static uint32_t end_of_key(struct tags *t, uint32_t from, uint32_t n)
{
	uint32_t to = from + 1;
	while (to < n && row_at(t, to)->key == row_at(t, from)->key)
		to++;
	return to;
}

/* --- JSON ------------------------------------------------------------------------- */

static void add_key_json(struct tags *t, struct ep_jsonw *w, uint32_t from, uint32_t to)
{
	uint64_t sum = 0;
	for (uint32_t i = from; i < to; i++)
		sum += row_at(t, i)->sum;
	ep_jsonw_open(w, NULL, '{');
	ep_jsonw_slice(w, "key", t->r->keys.keys[row_at(t, from)->key].name);
	ep_jsonw_int(w, "weight", (int64_t)sum);
	ep_reportjson_text(w, t->r, "weight_text", (int64_t)sum);
	ep_jsonw_open(w, "values", '[');
	for (uint32_t i = from; i < to; i++) {
		const struct row *row = row_at(t, i);
		ep_jsonw_open(w, NULL, '{');
		ep_jsonw_slice(w, "value", row->text);
		ep_jsonw_int(w, "weight", (int64_t)row->sum);
		ep_reportjson_text(w, t->r, "weight_text", (int64_t)row->sum);
		ep_jsonw_close(w, '}');
	}
	ep_jsonw_close(w, ']');
	ep_jsonw_close(w, '}');
}

static int write_json(struct tags *t, uint32_t n, struct ep_buf *out)
{
	struct ep_jsonw w = ep_jsonw_to(out);
	ep_reportjson_open(&w, t->r, "tags");
	ep_jsonw_open(&w, "tags", '[');
	for (uint32_t from = 0, to; from < n; from = to) {
		to = end_of_key(t, from, n);
		add_key_json(t, &w, from, to);
	}
	ep_jsonw_close(&w, ']');
	ep_reportjson_close(&w);
	return 0;
}

/* --- all -------------------------------------------------------------------------- */

static int write_all(struct tags *t, struct ep_buf *out)
{
	size_t n_bytes = t->r->p->n_labels * sizeof(*t->row_of);
	t->row_of = ep_arena_alloc(t->scratch, n_bytes);
	if (!t->row_of)
		return -ENOMEM;
	memset(t->row_of, 0xff, n_bytes);
	add_samples(t);
	uint32_t n = t->failed ? 0 : join_rows(t);
	EP_TRY(t->failed);
	if (t->r->o.json)
		return write_json(t, n, out);
	ep_table_init(&t->table, out);
	for (uint32_t from = 0, to; from < n; from = to) {
		to = end_of_key(t, from, n);
		add_key(t, from, to);
	}
	return ep_table_finish(&t->table);
}

int ep_tags_write(struct ep_report *r, struct ep_objects *objects, struct ep_buf *out,
		  struct ep_err *err)
{
	(void)objects;
	ep_auto(ep_arena) scratch = ep_arena_new(0);
	if (!scratch)
		return ep_fail(err, -ENOMEM, 0, "no memory for a report");
	struct tags t = {.r = r, .scratch = scratch};
	ep_buf_init(&t.rows, (size_t)UINT32_MAX * sizeof(struct row) / 2);
	int rc = write_all(&t, out);
	ep_buf_fini(&t.rows);
	ep_index_fini(&t.index);
	return rc < 0 ? ep_fail(err, rc, 0, "no room for the tags") : 0;
}
