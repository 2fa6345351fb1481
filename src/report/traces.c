/*
 * traces.c - the report `traces`: every sample with its labels and its stack.
 *
 * A location's lines are formatted once, however many samples show it.
 * Source: google/pprof report.go (printTraces).
 */
#include "base/sort.h"
#include "report/labelgroups.h"
#include "report/reports.h"
#include "report/text.h"
#include "report/tracesjson.h"

#define SEPARATOR "-----------+-------------------------------------------------------\n"

struct traces {
	const struct ep_report *r;
	struct ep_buf *out;
	struct ep_buf names;  /* of all frames */
	struct ep_buf ends;   /* size_t: where each frame's name ends */
	uint32_t *first;      /* frame of a location, and of the one behind the last */
	struct ep_labelgroups labels;
	struct ep_buf lines;     /* of the labels of a sample, to be sorted */
	struct ep_buf line_ends; /* size_t */
};

enum { COLUMN = 10 };

/* --- frames ----------------------------------------------------------------------- */

static void add_frame(struct traces *t, const struct ep_location *l, const struct ep_line *line,
		      struct ep_buf *path)
{
	const struct ep_profile *p = t->r->p;
	struct ep_text_place place = {.address = l->address};
	if (line) {
		const struct ep_function *f = &p->functions[line->function];
		place.function = p->strings[f->name];
		place.line = line->line;
		place.column = line->column;
		ep_buf_clear(path);
		if (p->strings[f->filename].n)
			ep_text_add_clean_path(path, p->strings[f->filename]);
		place.file = (struct ep_slice){(char *)path->data, path->len};
	}
	if (!place.function.n && l->mapping != EP_NONE)
		place.object = p->strings[p->mappings[l->mapping].filename];
	ep_text_add_place(&t->names, &place);
}

static void end_frame(struct traces *t, const char *text)
{
	ep_buf_add_str(&t->names, text);
	ep_buf_add(&t->ends, &t->names.len, sizeof(t->names.len));
}

static void add_location(struct traces *t, const struct ep_location *l, struct ep_buf *path)
{
	if (!l->n_lines) {
		add_frame(t, l, NULL, path);
		end_frame(t, "\n");
	}
	for (uint32_t i = 0; i < l->n_lines; i++) {
		add_frame(t, l, &t->r->p->lines[l->first_line + i], path);
		end_frame(t, i + 1 < l->n_lines ? " (inline)\n" : "\n");
	}
}

static int format_locations(struct traces *t)
{
	const struct ep_profile *p = t->r->p;
	enum { MAX_PATH = 1 << 20 };
	ep_auto_buf path;
	ep_buf_init(&path, MAX_PATH);
	for (uint32_t i = 0; i < p->n_locations; i++) {
		t->first[i] = (uint32_t)(t->ends.len / sizeof(size_t));
		add_location(t, &p->locations[i], &path);
	}
	t->first[p->n_locations] = (uint32_t)(t->ends.len / sizeof(size_t));
	EP_TRY(ep_buf_failed(&path));
	EP_TRY(ep_buf_failed(&t->ends));
	return ep_buf_failed(&t->names);
}

/* The value stands on the first line of a stack alone. */
static void add_stack(struct traces *t, const struct ep_sample *s, const char *value)
{
	const uint32_t *stack = ep_profile_stack(t->r->p, s);
	const size_t *ends = (const void *)t->ends.data;
	for (uint32_t i = 0; i < s->n_locations; i++)
		for (uint32_t k = t->first[stack[i]]; k < t->first[stack[i] + 1]; k++) {
			size_t start = k ? ends[k - 1] : 0;
			ep_text_add_right_str(t->out, value, COLUMN);
			ep_buf_add_str(t->out, "   ");
			ep_buf_add(t->out, t->names.data + start, ends[k] - start);
			value = "";
		}
}

/* --- labels ----------------------------------------------------------------------- */

static void add_values(struct traces *t, const struct ep_labelgroup *g)
{
	const struct ep_profile *p = t->r->p;
	struct ep_slice unit = t->r->keys.keys[g->key].unit;
	for (uint32_t i = 0; i < g->n; i++) {
		const struct ep_label *l = &g->values[i];
		char number[EP_UNITS_LABEL_MAX];
		struct ep_slice text = p->strings[l->str];
		if (!l->str)
			text = ep_slice_of(
				ep_units_label(number, l->num, unit, ep_slice_of("auto")));
		if (i)
			ep_buf_add_char(&t->lines, ' ');
		ep_buf_add(&t->lines, text.p, text.n);
	}
	ep_buf_add_char(&t->lines, '\n');
}

static bool line_before(const void *a, const void *b, void *arg)
{
	(void)arg;
	return ep_slice_cmp(*(const struct ep_slice *)a, *(const struct ep_slice *)b) < 0;
}

/* Their lines in order, padding and all. */
static int sort_lines(struct traces *t)
{
	size_t n = t->line_ends.len / sizeof(size_t), start = 0;
	const size_t *ends = (const void *)t->line_ends.data;
	struct ep_slice *lines ep_auto_mem = ep_alloc(n * sizeof(*lines));
	if (!lines)
		return -ENOMEM;
	for (size_t i = 0; i < n; start = ends[i++])
		lines[i] = (struct ep_slice){(char *)t->lines.data + start, ends[i] - start};
	ep_sort(lines, n, sizeof(*lines), line_before, NULL);
	for (size_t i = 0; i < n; i++)
		ep_buf_add(t->out, lines[i].p, lines[i].n);
	return 0;
}

static int add_labels(struct traces *t, const struct ep_labelgroup *g, uint32_t n)
{
	if (!n)
		return 0;
	ep_buf_clear(&t->lines);
	ep_buf_clear(&t->line_ends);
	for (uint32_t i = 0; i < n; i++) {
		ep_text_add_right(&t->lines, t->r->keys.keys[g[i].key].name, COLUMN);
		ep_buf_add_str(&t->lines, ":  ");
		add_values(t, &g[i]);
		ep_buf_add(&t->line_ends, &t->lines.len, sizeof(t->lines.len));
	}
	EP_TRY(ep_buf_failed(&t->lines));
	EP_TRY(ep_buf_failed(&t->line_ends));
	return sort_lines(t);
}

/* --- samples ---------------------------------------------------------------------- */

static int64_t value_of(const struct ep_report *r, uint32_t i)
{
	int64_t v = ep_report_value(r, i), d = ep_report_divisor(r, i);
	if (d == -1)
		return (int64_t)(0 - (uint64_t)v);
	return d ? v / d : v;
}

static int add_sample(struct traces *t, uint32_t i)
{
	const struct ep_sample *s = &t->r->p->samples[i];
	char value[EP_UNITS_LABEL_MAX];
	if (!s->n_locations)
		return 0;
	ep_buf_add_str(t->out, SEPARATOR);
	EP_TRY(ep_labelgroups_of(t->r, s, &t->labels));
	uint32_t strings = t->labels.n_strings;
	EP_TRY(add_labels(t, t->labels.groups, strings));
	EP_TRY(add_labels(t, t->labels.groups + strings, t->labels.n_groups - strings));
	add_stack(t, s, ep_report_label(t->r, value, value_of(t->r, i)));
	return ep_buf_drain(t->out);
}

static int write_all(struct traces *t)
{
	EP_TRY(format_locations(t));
	size_t start = t->out->len;
	ep_report_header_lines(t->r, t->out);
	if (t->out->len == start)
		ep_buf_add_char(t->out, '\n');
	for (uint32_t i = 0; i < t->r->p->n_samples; i++)
		EP_TRY(add_sample(t, i));
	ep_buf_add_str(t->out, SEPARATOR);
	return 0;
}

int ep_traces_write(struct ep_report *r, struct ep_objects *objects, struct ep_buf *out,
		    struct ep_err *err)
{
	(void)objects;
	if (r->o.json)
		return ep_tracesjson_write(r, out, err);
	struct traces t = {.r = r, .out = out};
	struct ep_buf *bufs[] = {&t.names, &t.ends, &t.lines, &t.line_ends};
	for (size_t i = 0; i < sizeof(bufs) / sizeof(*bufs); i++)
		ep_buf_init(bufs[i], (size_t)1 << 31);
	t.first = ep_alloc(((size_t)r->p->n_locations + 1) * sizeof(*t.first));
	int rc = t.first ? write_all(&t) : -ENOMEM;
	for (size_t i = 0; i < sizeof(bufs) / sizeof(*bufs); i++)
		ep_buf_fini(bufs[i]);
	ep_labelgroups_fini(&t.labels);
	ep_free(t.first);
	return rc < 0 ? ep_fail(err, rc, 0, "no room for the traces") : 0;
}
