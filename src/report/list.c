/*
 * list.c - the report `list`: the source of functions, each line with its samples.
 *
 * Source: google/pprof source.go (printSource); docs/formats/report-source-json.md.
 */
#include "report/asm.h"
#include "report/callgraph.h"
#include "report/namemap.h"
#include "report/reports.h"
#include "report/sourcefile.h"
#include "report/text.h"
#include "report/wrap.h"

#include "base/sort.h"
#include "codec/json.h"

enum { MARGIN = 5 }; /* lines before the first sample and behind the last */

/* A node of a function that was asked for. */
struct row {
	struct ep_slice name, file;
	int64_t line, start_line;
	int64_t flat, cum;
};

struct rows {
	struct row *at;
	size_t n;
};

/* The rows of one function in one file, by line. */
struct routine {
	const struct row *rows;
	size_t n;
	int64_t flat, cum;
	int64_t first, last; /* lines to show, last included */
};

struct listing {
	const struct ep_report *r;
	struct ep_sourcefile_reader *reader;
	struct ep_buf *out;
	struct ep_jsonw json;
};

/* --- which ------------------------------------------------------------------------ */

static bool before(const void *va, const void *vb, void *arg)
{
	(void)arg; /* the order needs nothing else */
	const struct row *a = va, *b = vb;
	int c = ep_slice_cmp(a->name, b->name);
	if (c == 0)
		c = ep_slice_cmp(a->file, b->file);
	if (c != 0)
		return c < 0;
	return a->line < b->line;
}

/* The nodes of functions that match. */
static int choose(const struct ep_report *r, const struct ep_callgraph *g,
		  struct ep_namemap *known, struct rows *ret, struct ep_err *err)
{
	struct row *rows = ep_arena_array(g->arena, struct row, g->n_shown + 1);
	if (!rows)
		return ep_fail(err, -ENOMEM, 0, "out of memory");
	size_t n = 0;
	for (uint32_t i = 0; i < g->n_shown; i++) {
		const struct ep_callgraph_node *node = &g->nodes[g->shown[i]];
		const struct ep_callgraph_frame *f = &g->frames[node->frame];
		int rc = ep_namemap_match(known, r->argument, f->name, err);
		EP_TRY(rc);
		if (rc)
			rows[n++] = (struct row){f->name,	f->file,    f->line,
						 f->start_line, node->flat, node->cum};
	}
	ep_sort(rows, n, sizeof(*rows), before, NULL);
	*ret = (struct rows){rows, n};
	return 0;
}

/* The next function and file of sorted rows. */
static bool next_routine(const struct rows *rows, size_t *at, struct routine *ret)
{
	if (*at >= rows->n)
		return false;
	const struct row *first = &rows->at[*at];
	*ret = (struct routine){.rows = first, .first = INT64_MAX, .last = INT64_MIN};
	for (; *at < rows->n; ++*at, ret->n++) {
		const struct row *row = &rows->at[*at];
		if (!ep_slice_eq(row->name, first->name) ||
		    !ep_slice_eq(row->file, first->file))
			break;
		int64_t start = row->start_line, end;
		if (start == 0 && __builtin_sub_overflow(row->line, MARGIN, &start))
			start = INT64_MIN;
		if (__builtin_add_overflow(row->line, MARGIN, &end))
			end = INT64_MAX;
		ret->first = start < ret->first ? start : ret->first;
		ret->last = end > ret->last ? end : ret->last;
		ret->flat = ep_wrap_add(ret->flat, row->flat);
		ret->cum = ep_wrap_add(ret->cum, row->cum);
	}
	if (ret->first < 1)
		ret->first = 1;
	return true;
}

/* --- lines ------------------------------------------------------------------------ */

struct line {
	int64_t number;
	int64_t flat, cum;
	struct ep_slice text;
};

/* Line `number` of a routine; *at walks over its rows.  False behind the file's end. */
static bool line_of(const struct routine *t, const struct ep_sourcefile *f,
		    int64_t number, size_t *at, struct line *ret)
{
	*ret = (struct line){.number = number};
	if (!ep_sourcefile_line(f, number, &ret->text))
		return false;
	while (*at < t->n && t->rows[*at].line < number)
		++*at;
	for (; *at < t->n && t->rows[*at].line == number; ++*at) {
		ret->flat = ep_wrap_add(ret->flat, t->rows[*at].flat);
		ret->cum = ep_wrap_add(ret->cum, t->rows[*at].cum);
	}
	return true;
}

/* --- as text ---------------------------------------------------------------------- */

static void add_line(const struct listing *l, const struct line *line)
{
	ep_report_add_value(l->r, l->out, line->flat, true);
	ep_report_add_value(l->r, l->out, line->cum, true);
	ep_buf_printf(l->out, "%6jd:", (intmax_t)line->number);
	ep_buf_add(l->out, line->text.p, line->text.n);
	ep_buf_add_char(l->out, '\n');
}

static void add_head(const struct listing *l, const struct routine *t)
{
	char share[EP_UNITS_LABEL_MAX];
	ep_buf_add_str(l->out, "ROUTINE ======================== ");
	ep_buf_add(l->out, t->rows->name.p, t->rows->name.n);
	ep_buf_add_str(l->out, " in ");
	ep_buf_add(l->out, t->rows->file.p, t->rows->file.n);
	ep_buf_add_char(l->out, '\n');
	ep_report_add_value(l->r, l->out, t->flat, false);
	ep_report_add_value(l->r, l->out, t->cum, false);
	ep_buf_printf(l->out, "(flat, cum) %s of Total\n",
		      ep_units_percent(share, t->cum, l->r->total));
}

/* Where there are no lines to show, the reference does not look for the file, and says
 * that it is not there only if another routine did. */
static int add_routine(const struct listing *l, const struct routine *t)
{
	const struct ep_sourcefile *f = ep_sourcefile_opened(l->reader, t->rows->file);
	if (!f && t->first <= t->last)
		EP_TRY(ep_sourcefile_open(l->reader, t->rows->file, &f));
	add_head(l, t);
	if (f && !f->found)
		ep_buf_printf(l->out, " Error: %s\n", f->error);
	if (!f || !f->found)
		return 0;
	struct line line;
	size_t at = 0;
	for (int64_t n = t->first; n <= t->last && line_of(t, f, n, &at, &line); n++)
		add_line(l, &line);
	return 0;
}

/* A function without any file says so; one with some shows those. */
static int add_all(const struct listing *l, const struct rows *rows)
{
	char total[EP_UNITS_LABEL_MAX];
	struct routine t;
	struct ep_slice nowhere = {0};
	ep_buf_printf(l->out, "Total: %s\n", ep_report_label(l->r, total, l->r->total));
	for (size_t at = 0; next_routine(rows, &at, &t);) {
		if (t.rows->file.n) {
			EP_TRY(add_routine(l, &t));
			continue;
		}
		nowhere = t.rows->name;
		if (at < rows->n && ep_slice_eq(rows->at[at].name, nowhere))
			continue;
		ep_buf_add_str(l->out, "No source information for ");
		ep_buf_add(l->out, nowhere.p, nowhere.n);
		ep_buf_add_char(l->out, '\n');
	}
	if (nowhere.n)
		ep_note(l->r->notes, "The profile has names without lines; -symbolize=force "
				     "takes both from the binary");
	return 0;
}

/* --- as JSON ---------------------------------------------------------------------- */

static void json_line(struct listing *l, const struct line *line)
{
	ep_jsonw_open(&l->json, NULL, '{');
	ep_jsonw_int(&l->json, "line", line->number);
	ep_asm_json_values(&l->json, l->r, line->flat, line->cum);
	ep_jsonw_slice(&l->json, "text", line->text);
	ep_jsonw_close(&l->json, '}');
}

/* Without the source, the lines that have samples are still known. */
static void json_bare_lines(struct listing *l, const struct routine *t)
{
	for (size_t i = 0; i < t->n;) {
		struct line line = {.number = t->rows[i].line};
		for (; i < t->n && t->rows[i].line == line.number; i++) {
			line.flat = (int64_t)((uint64_t)line.flat +
					      (uint64_t)t->rows[i].flat);
			line.cum = (int64_t)((uint64_t)line.cum +
					     (uint64_t)t->rows[i].cum);
		}
		json_line(l, &line);
	}
}

static int json_routine(struct listing *l, const struct routine *t)
{
	const struct ep_sourcefile *f = NULL;
	if (t->rows->file.n)
		EP_TRY(ep_sourcefile_open(l->reader, t->rows->file, &f));
	ep_jsonw_open(&l->json, NULL, '{');
	ep_jsonw_slice(&l->json, "function", t->rows->name);
	ep_jsonw_slice(&l->json, "file", t->rows->file);
	ep_asm_json_values(&l->json, l->r, t->flat, t->cum);
	if (!f || !f->found)
		ep_jsonw_str(&l->json, "error",
			     f ? f->error : "the profile names no source file");
	ep_jsonw_open(&l->json, "lines", '[');
	struct line line;
	size_t at = 0;
	if (!f || !f->found)
		json_bare_lines(l, t);
	for (int64_t n = t->first; f && n <= t->last && line_of(t, f, n, &at, &line);
	     n++)
		json_line(l, &line);
	ep_jsonw_close(&l->json, ']');
	ep_jsonw_close(&l->json, '}');
	return 0;
}

static int json_all(struct listing *l, const struct rows *rows)
{
	struct routine t;
	l->json = ep_jsonw_to(l->out);
	ep_jsonw_open(&l->json, NULL, '{');
	ep_asm_json_head(&l->json, l->r, "list");
	ep_jsonw_open(&l->json, "routines", '[');
	for (size_t at = 0; next_routine(rows, &at, &t);)
		EP_TRY(json_routine(l, &t));
	ep_jsonw_close(&l->json, ']');
	ep_jsonw_close(&l->json, '}');
	ep_buf_add_char(l->out, '\n');
	return 0;
}

/* ---------------------------------------------------------------------------------- */

int ep_list_write(struct ep_report *r, struct ep_objects *objects, struct ep_buf *out,
		  struct ep_err *err)
{
	(void)objects; /* sources need no binary */
	ep_auto(ep_callgraph) g = NULL;
	ep_auto(ep_sourcefile_reader) reader = NULL;
	struct rows rows = {0};
	EP_TRY(ep_callgraph_new(r, &g, err));
	struct ep_namemap known = {0};
	int rc = choose(r, g, &known, &rows, err);
	ep_namemap_fini(&known);
	EP_TRY(rc);
	if (rows.n == 0)
		return ep_fail(err, -ENOENT, 0, "no matches found for regexp: %s",
			       r->o.argument);
	EP_TRY(ep_sourcefile_reader_new(r->o.source_path, r->o.trim_path, &reader,
					err));
	struct listing l = {.r = r, .reader = reader, .out = out};
	rc = r->o.json ? json_all(&l, &rows) : add_all(&l, &rows);
	return rc < 0 ? ep_fail(err, rc, 0, "cannot keep the sources") : 0;
}
