/*
 * weblist.c - the report `weblist`: source and instructions as a page of HTML.
 *
 * The body is byte for byte the reference's, which fills a template with Go's
 * html/template: its rules of escaping are here.  The style and the script in the head
 * are our own.
 *
 * Source: behaviour of google/pprof; docs/formats/report-source-json.md.
 */
#include "report/asm.h"
#include "report/reports.h"
#include "report/sourcefile.h"
#include "report/srcasm.h"
#include "report/text.h"
#include "report/wrap.h"

#include "base/sort.h"

enum {
	INDENT = 4, /* of instructions under their line, and of each inlined call */
	CODE_WIDTH = 80, /* columns before the place of an instruction */
	MAX_FILES = 50,	 /* in JSON: those with the most samples of their own */
};

struct page {
	struct ep_report *r;
	const struct ep_srcasm *s;
	struct ep_sourcefile_reader *reader;
	struct ep_buf *out;
	struct ep_buf line; /* of code, in the making */
};

static const char head[] =
	"  <style type=\"text/css\">\n"
	"body { font-family: sans-serif; }\n"
	".legend { font-size: 1.25em; }\n"
	".line, .nop, .unimportant { color: #999; }\n"
	".inlinesrc { color: #006; }\n"
	".livesrc { cursor: pointer; }\n"
	".livesrc:hover { background: #eee; }\n"
	".asm { color: #070; display: none; }\n"
	".asm.open { display: block; }\n"
	"</style>\n"
	"  <script type=\"text/javascript\">\n"
	"/* A click on a line opens the code behind it. */\n"
	"function pprof_toggle_asm(event) {\n"
	"  const next = event.target.nextElementSibling;\n"
	"  if (!event.target.classList.contains('livesrc') || !next) return;\n"
	"  if (next.classList.contains('asm')) next.classList.toggle('open');\n"
	"}\n"
	"</script>\n";

/* --- escaping --------------------------------------------------------------------- */

static const char *escape_of(char c)
{
	switch (c) {
	case '\0':
		return "\xef\xbf\xbd"; /* U+FFFD */
	case '"':
		return "&#34;";
	case '&':
		return "&amp;";
	case '\'':
		return "&#39;";
	case '+':
		return "&#43;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	default:
		return NULL;
	}
}

/* As html/template writes data between tags. */
static void add_escaped(struct ep_buf *out, struct ep_slice s)
{
	size_t from = 0;
	for (size_t i = 0; i < s.n; i++) {
		const char *e = escape_of(s.p[i]);
		if (!e)
			continue;
		ep_buf_add(out, s.p + from, i - from);
		ep_buf_add_str(out, e);
		from = i + 1;
	}
	ep_buf_add(out, s.p + from, s.n - from);
}

/* The reference escapes the files of instructions once more than it should, but for
 * the plus sign, which the first time leaves alone. */
static void add_escaped_twice(struct ep_buf *out, struct ep_slice s)
{
	for (size_t i = 0; i < s.n; i++) {
		struct ep_slice one = {s.p + i, 1};
		const char *e = s.p[i] == '+' ? NULL : escape_of(s.p[i]);
		add_escaped(out, e ? ep_slice_of(e) : one);
	}
}

/* --- columns ---------------------------------------------------------------------- */

static void add_value(const struct page *page, int64_t value)
{
	char label[EP_UNITS_LABEL_MAX];
	ep_buf_add_char(page->out, ' ');
	ep_text_add_right_str(page->out,
			      value ? ep_report_label(page->r, label, value) : ".", 10);
}

static bool is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static struct ep_slice trim(struct ep_slice s)
{
	while (s.n && is_blank(s.p[0])) {
		s.p++;
		s.n--;
	}
	while (s.n && is_blank(s.p[s.n - 1]))
		s.n--;
	return s;
}

/* Columns of white space that a line begins with. */
static size_t indentation(struct ep_slice line)
{
	size_t column = 0;
	for (size_t i = 0; i < line.n; i++) {
		if (line.p[i] == ' ')
			column++;
		else if (line.p[i] == '\t')
			column = (column / 8 + 1) * 8;
		else
			break;
	}
	return column;
}

/* Text behind an indent, tabs as spaces, filled up to the width of code. */
static void add_code(struct page *page, size_t indent, struct ep_slice text)
{
	struct ep_buf *line = &page->line;
	ep_buf_clear(line);
	size_t column = indent;
	for (size_t i = 0; i < indent; i++)
		ep_buf_add_char(line, ' ');
	while (text.n) {
		size_t n = ep_text_character(text);
		struct ep_slice c = {text.p, n};
		text = (struct ep_slice){text.p + n, text.n - n};
		column++;
		if (*c.p == '\t') {
			ep_buf_add_char(line, ' ');
			for (; column % 8; column++)
				ep_buf_add_char(line, ' ');
		} else if (n == 1 && (unsigned char)*c.p >= 0x80) {
			ep_buf_add_str(line, "\xef\xbf\xbd"); /* no UTF-8 */
		} else {
			ep_buf_add(line, c.p, n);
		}
	}
	for (; column < CODE_WIDTH; column++)
		ep_buf_add_char(line, ' ');
	add_escaped(page->out, (struct ep_slice){(char *)line->data, line->len});
}

/* --- instructions ----------------------------------------------------------------- */

static bool same_call(const struct ep_srcasm_call *a, const struct ep_srcasm_call *b)
{
	return a->line == b->line && ep_slice_eq(a->file, b->file);
}

static int add_call(struct page *page, const struct ep_srcasm_call *c, size_t indent)
{
	const struct ep_sourcefile *f;
	struct ep_slice text = {0};
	EP_TRY(ep_sourcefile_open(page->reader, c->file, &f));
	(void)ep_sourcefile_line(f, c->line, &text); /* else it stays empty */
	ep_buf_printf(page->out, " %8s %10s %10s %8s  <span class=inlinesrc>", "", "",
		      "", "");
	add_code(page, indent, trim(text));
	ep_buf_add_str(page->out, "</span> <span class=unimportant>");
	add_escaped(page->out, ep_text_base_name(c->file));
	ep_buf_printf(page->out, ":%jd</span>\n", (intmax_t)c->line);
	return 0;
}

/* The inlined calls that the instruction before did not have. */
static int add_calls(struct page *page, const struct ep_srcasm_entry *e,
		     const struct ep_srcasm_entry *before, size_t indent)
{
	uint32_t n_before = before ? before->n_calls : 0;
	for (uint32_t i = 0; i < e->n_calls; i++) {
		if (i < n_before && same_call(&e->calls[i], &before->calls[i]))
			continue;
		n_before = 0;
		EP_TRY(add_call(page, &e->calls[i], indent + INDENT * i));
	}
	return 0;
}

static void add_inst(struct page *page, const struct ep_srcasm_inst *inst,
		     size_t indent)
{
	ep_buf_printf(page->out, " %8s", "");
	add_value(page, inst->flat);
	add_value(page, inst->cum);
	ep_buf_printf(page->out, " %8jx: ", (uintmax_t)inst->shown);
	add_code(page, indent, inst->text);
	ep_buf_add_str(page->out, " <span class=unimportant>");
	if (inst->file.n) {
		add_escaped_twice(page->out, ep_text_base_name(inst->file));
		ep_buf_printf(page->out, ":%jd", (intmax_t)inst->line);
	}
	ep_buf_add_str(page->out, "</span>\n");
}

/* What is under a line: n entries, with gaps marked. */
static int add_insts(struct page *page, const struct ep_srcasm_entry *e, uint32_t n,
		     size_t indent)
{
	const struct ep_srcasm_inst *last = NULL;
	ep_buf_add_str(page->out, "<span class=asm>");
	for (uint32_t i = 0; i < n; i++) {
		const struct ep_srcasm_inst *inst = &page->s->insts[e[i].inst];
		if (last && inst->address != last->address + last->n_bytes)
			ep_buf_printf(page->out, " %8s %27s⋮\n", "", "");
		last = inst;
		EP_TRY(add_calls(page, &e[i], i ? &e[i - 1] : NULL, indent + INDENT));
		if (inst->text.n)
			add_inst(page, inst, indent + INDENT + INDENT * e[i].n_calls);
	}
	ep_buf_add_str(page->out, "</span>");
	return 0;
}

/* --- lines ------------------------------------------------------------------------ */

/* A line with what was made of it. */
struct line {
	int64_t number;
	struct ep_slice text;
	const struct ep_srcasm_entry *entries;
	uint32_t n;
	int64_t flat, cum;
};

/* Line `number` of a routine, whose entries from *at on are not shown yet.  False
 * when there is nothing to show. */
static bool line_of(const struct ep_srcasm *s, const struct ep_srcasm_routine *t,
		    const struct ep_sourcefile *f, int64_t number, uint32_t *at,
		    struct line *ret)
{
	*ret = (struct line){.number = number, .entries = &s->entries[*at]};
	for (; *at < t->first + t->n && s->entries[*at].line == number;
	     ++*at, ret->n++) {
		const struct ep_srcasm_inst *inst = &s->insts[s->entries[*at].inst];
		ret->flat = ep_wrap_add(ret->flat, inst->flat);
		ret->cum = ep_wrap_add(ret->cum, inst->cum);
	}
	if (ep_sourcefile_line(f, number, &ret->text))
		return true;
	ret->text = ep_slice_of(number ? "???"
				       : "<instructions with unknown line numbers>");
	return ret->n > 0;
}

static int add_line(struct page *page, const struct line *line)
{
	bool nested = false;
	for (uint32_t i = 0; i < line->n && !nested; i++)
		nested = line->entries[i].n_calls ||
			 page->s->insts[line->entries[i].inst].text.n;
	ep_buf_printf(page->out, "\n<span class=line> %6jd</span> <span class=%s> ",
		      (intmax_t)line->number,
		      nested	? "livesrc"
		      : line->n ? "deadsrc"
				: "nop");
	add_value(page, line->flat);
	add_value(page, line->cum);
	ep_buf_printf(page->out, " %8s  ", "");
	add_escaped(page->out, line->text);
	ep_buf_add_str(page->out, " </span>");
	return nested ? add_insts(page, line->entries, line->n, indentation(line->text))
		      : 0;
}

static int add_routine(struct page *page, const struct ep_srcasm_file *file,
		       const struct ep_srcasm_routine *t)
{
	char share[EP_UNITS_LABEL_MAX];
	const struct ep_sourcefile *f;
	EP_TRY(ep_sourcefile_open(page->reader, file->name, &f));
	ep_buf_add_str(page->out, "<h2>");
	add_escaped(page->out, t->name);
	ep_buf_add_str(page->out, "</h2><p class=\"filename\">");
	add_escaped(page->out, file->name);
	ep_buf_add_str(page->out,
		       "</p>\n<pre onClick=\"pprof_toggle_asm(event)\">\n  Total:  ");
	char label[EP_UNITS_LABEL_MAX];
	ep_text_add_right_str(page->out, ep_report_label(page->r, label, t->flat), 10);
	ep_buf_add_char(page->out, ' ');
	ep_text_add_right_str(page->out, ep_report_label(page->r, label, t->cum), 10);
	ep_buf_printf(page->out, " (flat, cum) %s",
		      ep_units_percent(share, t->cum, page->r->total));
	struct line line;
	uint32_t at = t->first;
	for (int64_t n = t->begin; n < t->end; n++)
		if (line_of(page->s, t, f, n, &at, &line))
			EP_TRY(add_line(page, &line));
	ep_buf_add_str(page->out, "\n</pre>\n");
	return 0;
}

/* --- the page --------------------------------------------------------------------- */

/* The value of a legend line "NAME: value"; "unknown" without one. */
static struct ep_slice legend_value(struct ep_slice legend, const char *name)
{
	size_t n = strlen(name);
	for (size_t i = 0; i < legend.n;) {
		const char *p = legend.p + i;
		const char *end = memchr(p, '\n', legend.n - i);
		size_t len = end ? (size_t)(end - p) : legend.n - i;
		if (len >= n && memcmp(p, name, n) == 0)
			return (struct ep_slice){p + n, len - n};
		i += len + 1;
	}
	return ep_slice_of("unknown");
}

static void add_head(const struct page *page, struct ep_slice legend)
{
	ep_buf_add_str(page->out,
		       "<!DOCTYPE html>\n<html>\n<head>\n  <meta charset=\"utf-8\">\n"
		       "  <title>");
	add_escaped(page->out, legend_value(legend, "File: "));
	ep_buf_add_char(page->out, ' ');
	add_escaped(page->out, legend_value(legend, "Type: "));
	ep_buf_add_str(page->out, "</title>\n  \n");
	ep_buf_add_str(page->out, head);
	ep_buf_add_str(page->out, "</head>\n<body>\n\n");
}

static void add_legend(const struct page *page, struct ep_slice legend)
{
	char total[EP_UNITS_LABEL_MAX];
	ep_buf_add_str(page->out, "<div class=\"legend\">");
	for (size_t i = 0; i < legend.n;) {
		const char *p = legend.p + i;
		const char *end = memchr(p, '\n', legend.n - i);
		size_t len = end ? (size_t)(end - p) : legend.n - i;
		if (i)
			ep_buf_add_str(page->out, "<br>\n");
		add_escaped(page->out, (struct ep_slice){p, len});
		i += len + 1;
	}
	ep_buf_add_str(page->out, "<br>Total: ");
	add_escaped(page->out,
		    ep_slice_of(ep_report_label(page->r, total, page->r->total)));
	ep_buf_add_str(page->out, "</div>");
}

static int as_html(struct page *page)
{
	struct ep_buf legend;
	ep_buf_init(&legend, 1 << 20);
	ep_report_header_lines(page->r, &legend);
	struct ep_slice text = {(char *)legend.data, legend.len};
	add_head(page, text);
	add_legend(page, text);
	int rc = ep_buf_failed(&legend);
	ep_buf_fini(&legend);
	for (uint32_t i = 0; i < page->s->n_files; i++) {
		const struct ep_srcasm_file *f = &page->s->files[i];
		for (uint32_t k = 0; k < f->n && rc == 0; k++)
			if (page->s->routines[f->first + k].cum)
				rc = add_routine(page, f,
						 &page->s->routines[f->first + k]);
	}
	ep_buf_add_str(page->out, "\n</body>\n</html>\n");
	return rc;
}

/* --- as JSON ---------------------------------------------------------------------- */

static void json_inst(const struct page *page, struct ep_jsonw *w,
		      const struct ep_srcasm_entry *e)
{
	const struct ep_srcasm_inst *inst = &page->s->insts[e->inst];
	ep_jsonw_open(w, NULL, '{');
	ep_asm_json_address(w, "address", inst->shown);
	ep_asm_json_values(w, page->r, inst->flat, inst->cum);
	ep_jsonw_slice(w, "text", inst->text);
	ep_jsonw_slice(w, "file", inst->file);
	ep_jsonw_int(w, "line", inst->line);
	if (e->n_calls)
		ep_jsonw_open(w, "inlined", '[');
	for (uint32_t i = 0; i < e->n_calls; i++) {
		ep_jsonw_open(w, NULL, '{');
		ep_jsonw_slice(w, "file", e->calls[i].file);
		ep_jsonw_int(w, "line", e->calls[i].line);
		ep_jsonw_close(w, '}');
	}
	if (e->n_calls)
		ep_jsonw_close(w, ']');
	ep_jsonw_close(w, '}');
}

static void json_line(const struct page *page, struct ep_jsonw *w,
		      const struct line *line)
{
	ep_jsonw_open(w, NULL, '{');
	ep_jsonw_int(w, "line", line->number);
	ep_asm_json_values(w, page->r, line->flat, line->cum);
	ep_jsonw_slice(w, "text", line->text);
	if (line->n)
		ep_jsonw_open(w, "instructions", '[');
	for (uint32_t i = 0; i < line->n; i++)
		json_inst(page, w, &line->entries[i]);
	if (line->n)
		ep_jsonw_close(w, ']');
	ep_jsonw_close(w, '}');
}

static int json_routine(const struct page *page, struct ep_jsonw *w,
			const struct ep_srcasm_file *file,
			const struct ep_srcasm_routine *t)
{
	const struct ep_sourcefile *f;
	EP_TRY(ep_sourcefile_open(page->reader, file->name, &f));
	ep_jsonw_open(w, NULL, '{');
	ep_jsonw_slice(w, "function", t->name);
	ep_jsonw_slice(w, "file", file->name);
	ep_asm_json_values(w, page->r, t->flat, t->cum);
	if (!f->found)
		ep_jsonw_str(w, "error", f->error);
	ep_jsonw_open(w, "lines", '[');
	struct line line;
	uint32_t at = t->first;
	for (int64_t n = t->begin; n < t->end; n++)
		if (line_of(page->s, t, f, n, &at, &line))
			json_line(page, w, &line);
	ep_jsonw_close(w, ']');
	ep_jsonw_close(w, '}');
	return 0;
}

static bool busier(const void *va, const void *vb, void *arg)
{
	(void)arg; /* the order needs nothing else */
	const struct ep_srcasm_file *a = va, *b = vb;
	return a->flat != b->flat ? a->flat > b->flat
				  : ep_slice_cmp(a->name, b->name) < 0;
}

static int as_json(struct page *page)
{
	struct ep_jsonw w = ep_jsonw_to(page->out);
	const struct ep_srcasm *s = page->s;
	uint32_t n = s->n_files < MAX_FILES ? s->n_files : MAX_FILES;
	ep_sort(s->files, s->n_files, sizeof(*s->files), busier, NULL);
	ep_jsonw_open(&w, NULL, '{');
	ep_asm_json_head(&w, page->r, "weblist");
	ep_jsonw_uint(&w, "left_out", s->n_files - n);
	ep_jsonw_open(&w, "routines", '[');
	for (uint32_t i = 0; i < n; i++)
		for (uint32_t k = 0; k < s->files[i].n; k++)
			if (s->routines[s->files[i].first + k].cum)
				EP_TRY(json_routine(
					page, &w, &s->files[i],
					&s->routines[s->files[i].first + k]));
	ep_jsonw_close(&w, ']');
	ep_jsonw_close(&w, '}');
	ep_buf_add_char(page->out, '\n');
	return 0;
}

/* ---------------------------------------------------------------------------------- */

int ep_weblist_write(struct ep_report *r, struct ep_objects *objects,
		     struct ep_buf *out, struct ep_err *err)
{
	ep_auto(ep_srcasm) s = NULL;
	ep_auto(ep_sourcefile_reader) reader = NULL;
	EP_TRY(ep_srcasm_new(r, objects, &s, err));
	if (!s->any_match)
		return ep_fail(err, -ENOENT, 0, "no matches found for regexp: %s",
			       r->o.argument);
	EP_TRY(ep_sourcefile_reader_new(r->o.source_path, r->o.trim_path, &reader,
					err));
	struct page page = {.r = r, .s = s, .reader = reader, .out = out};
	ep_buf_init(&page.line, out->max);
	int rc = r->o.json ? as_json(&page) : as_html(&page);
	rc = rc ? rc : ep_buf_failed(&page.line);
	ep_buf_fini(&page.line);
	return rc < 0 ? ep_fail(err, rc, 0, "the page is too large") : 0;
}
