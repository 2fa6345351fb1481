/*
 * webapi.c - the page's questions about its one profile: docs/pprof-web.md.
 *
 * Trees and tables are the page's own views; everything else is a report as
 * `everprof pprof` prints it, and the page shows its text.
 */
#include "base/path.h"
#include "codec/json.h"
#include "pprof/draw.h"
#include "pprof/webdot.h"
#include "pprof/webjson.h"
#include "pprof/webroom.h"
#include "pprof/websettings.h"
#include "profile/encode.h"
#include "profile/ledger.h"
#include "profile/scale.h"
#include "report/report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	DEFAULT_NODES = 16384,
	MAX_NODES = 1 << 20,
	DEFAULT_ROWS = 1000,
	MAX_PATH = 512,
	MAX_NOTES = 64 << 10,
};
#define MAX_TEXT ((size_t)256 << 20)

static struct ep_jsonw answer_json(struct ep_http *x)
{
	x->status = 200;
	x->content_type = "application/json";
	ep_buf_clear(&x->out);
	return ep_jsonw_to(&x->out);
}

static uint32_t number(struct ep_http *x, const char *name, uint32_t otherwise, uint32_t most)
{
	const char *text = ep_http_param(x, name, 0);
	char *end;
	unsigned long n = text && *text ? strtoul(text, &end, 10) : otherwise;
	return (text && *text && *end) || n == 0 || n > most ? otherwise : (uint32_t)n;
}

static void write_lines(struct ep_jsonw *w, const char *key, struct ep_slice lines)
{
	ep_jsonw_open(w, key, '[');
	while (lines.n) {
		const char *end = memchr(lines.p, '\n', lines.n);
		size_t n = end ? (size_t)(end - lines.p) : lines.n;
		ep_jsonw_slice(w, NULL, (struct ep_slice){lines.p, n});
		n += end != NULL;
		lines = (struct ep_slice){lines.p + n, lines.n - n};
	}
	ep_jsonw_close(w, ']');
}

static struct ep_slice slice_of(const struct ep_buf *b)
{
	return (struct ep_slice){(const char *)b->data, b->len};
}

/* --- flame graph and table -------------------------------------------------------------- */

/* One prepared report as a tree of calls. */
static int make_tree(const struct ep_web *w, const struct ep_report_options *o,
		     struct ep_buf *notes, struct ep_report **ret_r, struct ep_webtree **ret_t,
		     struct ep_err *err)
{
	struct ep_notes to = ep_webvars_notes(notes);
	enum ep_webtree_parts parts = o->call_tree ? EP_WEBTREE_ALL : EP_WEBTREE_FUNCTIONS;
	EP_TRY(ep_report_prepare(w->session->profile, o, &to, ret_r, err));
	return ep_webtree_new(*ret_r, parts, ret_t, err);
}

static int flamegraph(const struct ep_web *w, struct ep_http *x, struct ep_err *err)
{
	ep_auto(ep_report) r = NULL;
	ep_auto(ep_webtree) t = NULL;
	ep_auto_buf notes;
	struct ep_slice path[MAX_PATH];
	struct ep_vars v;
	struct ep_webjson_cut cut = {.max_nodes = number(x, "max_nodes", DEFAULT_NODES, MAX_NODES),
				     .path = path};
	ep_buf_init(&notes, MAX_NOTES);
	for (const char *p; cut.n_path < MAX_PATH && (p = ep_http_param(x, "path", cut.n_path));)
		path[cut.n_path++] = ep_slice_of(p);
	EP_TRY(ep_webvars_read(w, x, &v, err));
	if (v.granularity < 0)
		v.granularity = EP_BY_FILEFUNCTION;
	struct ep_report_options o = ep_vars_options(&v, EP_REPORT_DOT, "");
	o.call_tree = true;
	o.trim = false;
	EP_TRY(make_tree(w, &o, &notes, &r, &t, err));
	struct ep_jsonw j = answer_json(x);
	ep_jsonw_open(&j, NULL, '{');
	EP_TRY(ep_webjson_tree(&j, "tree", t, &cut));
	ep_jsonw_int(&j, "whole", r->total);
	write_lines(&j, "notes", slice_of(&notes));
	ep_jsonw_close(&j, '}');
	return ep_buf_failed(&x->out);
}

static int top(const struct ep_web *w, struct ep_http *x, struct ep_err *err)
{
	ep_auto(ep_report) r = NULL;
	ep_auto(ep_webtree) t = NULL;
	ep_auto_buf notes;
	struct ep_vars v;
	ep_buf_init(&notes, MAX_NOTES);
	EP_TRY(ep_webvars_read(w, x, &v, err));
	struct ep_report_options o = ep_vars_options(&v, EP_REPORT_TEXT, "");
	o.call_tree = false;
	EP_TRY(make_tree(w, &o, &notes, &r, &t, err));
	struct ep_jsonw j = answer_json(x);
	return ep_webjson_top(&j, t, number(x, "limit", DEFAULT_ROWS, UINT32_MAX));
}

/* --- reports as they are printed ---------------------------------------------------------- */

static const struct {
	const char *name;
	enum ep_report_kind kind;
	bool has_argument, is_by_line;
} reports[] = {
	{"graph", EP_REPORT_DOT, false, false},	 {"dot", EP_REPORT_DOT, false, false},
	{"peek", EP_REPORT_PEEK, true, true},	 {"source", EP_REPORT_WEBLIST, true, false},
	{"list", EP_REPORT_LIST, true, false},	 {"disasm", EP_REPORT_DISASM, true, false},
	{"text", EP_REPORT_TEXT, false, false},	 {"tree", EP_REPORT_TREE, false, false},
	{"traces", EP_REPORT_TRACES, false, false}, {"tags", EP_REPORT_TAGS, false, false},
	{"raw", EP_REPORT_RAW, false, false},
};

static int draw(struct ep_web *w, struct ep_buf *text, struct ep_err *err)
{
	struct ep_err why = {0};
	int rc = ep_webdot_mend(text);
	if (rc >= 0)
		rc = ep_draw_dot("svg", text, &why);
	if (rc >= 0)
		return 0;
	ep_note(&w->session->notes, "%s", why.text);
	return ep_fail(err, -ENOTSUP, 0, "Could not execute dot; may need to install graphviz.");
}

static int write_report(struct ep_web *w, const struct ep_report_options *o,
			struct ep_buf *notes, struct ep_buf *text, struct ep_err *err)
{
	struct ep_notes to = ep_webvars_notes(notes);
	bool opens = o->kind == EP_REPORT_LIST || o->kind == EP_REPORT_WEBLIST ||
		     o->kind == EP_REPORT_DISASM;
	if (opens)
		pthread_mutex_lock(&w->objects_lock);
	int rc = ep_report_write(w->session->profile, o, w->session->objects, &to, text, err);
	if (opens)
		pthread_mutex_unlock(&w->objects_lock);
	return rc;
}

static int report(struct ep_web *w, struct ep_http *x, struct ep_err *err)
{
	ep_auto_buf notes, text;
	struct ep_vars v;
	const char *name = ep_http_param(x, "kind", 0), *argument = ep_http_param(x, "f", 0);
	size_t i = 0, n = sizeof(reports) / sizeof(reports[0]);
	ep_buf_init(&notes, MAX_NOTES);
	ep_buf_init(&text, MAX_TEXT);
	while (name && i < n && strcmp(reports[i].name, name) != 0)
		i++;
	if (!name || i == n)
		return ep_fail(err, -EINVAL, 0, "kind: no such report");
	EP_TRY(ep_webvars_read(w, x, &v, err));
	if (reports[i].is_by_line)
		v.granularity = EP_BY_LINE;
	const struct ep_report_options o = ep_vars_options(
		&v, reports[i].kind, reports[i].has_argument && argument ? argument : "");
	EP_TRY(write_report(w, &o, &notes, &text, err));
	if (!strcmp(name, "graph"))
		EP_TRY(draw(w, &text, err));
	struct ep_jsonw j = answer_json(x);
	ep_jsonw_open(&j, NULL, '{');
	ep_jsonw_str(&j, "kind", name);
	ep_jsonw_slice(&j, "text", slice_of(&text));
	write_lines(&j, "notes", slice_of(&notes));
	ep_jsonw_close(&j, '}');
	return ep_buf_failed(&x->out);
}

/* --- the profile itself ------------------------------------------------------------------- */

static void write_types(struct ep_jsonw *j, const struct ep_profile *p)
{
	ep_jsonw_open(j, "types", '[');
	for (uint32_t c = 0; c < p->n_sample_types; c++) {
		int64_t total = 0;
		for (uint32_t i = 0; i < p->n_samples; i++)
			total += ep_profile_values(p, i)[c];
		ep_jsonw_open(j, NULL, '{');
		ep_jsonw_slice(j, "name", ep_profile_str(p, p->sample_types[c].type));
		ep_jsonw_slice(j, "unit", ep_profile_str(p, p->sample_types[c].unit));
		ep_jsonw_int(j, "total", total);
		ep_jsonw_close(j, '}');
	}
	ep_jsonw_close(j, ']');
}

static bool has_key(const struct ep_profile *p, const char *key)
{
	for (uint32_t i = 0; i < p->n_labels; i++)
		if (ep_slice_is(ep_profile_str(p, p->labels[i].key), key))
			return true;
	return false;
}

/* How two profiles became this one; "": it is one. */
static const char *diff_kind(const struct ep_profile *p)
{
	size_t n = (size_t)p->n_samples * p->n_sample_types;
	for (size_t i = 0; i < n; i++)
		if (p->values[i] < 0)
			return has_key(p, EP_SCALE_BASE_KEY) ? "compare" : "net";
	return "";
}

static void write_ledger(struct ep_jsonw *j, const struct ep_profile *p)
{
	struct ep_ledger l;
	if (!ep_ledger_of_profile(p, &l))
		return;
	ep_jsonw_open(j, "ledger", '{');
	ep_jsonw_uint(j, "asked", l.asked);
	ep_jsonw_uint(j, "taken", l.taken);
	ep_jsonw_uint(j, "lost", l.lost);
	ep_jsonw_uint(j, "truncated", l.truncated);
	ep_jsonw_close(j, '}');
}

static int info(struct ep_web *w, struct ep_http *x, struct ep_err *err)
{
	const struct ep_profile *p = w->session->profile;
	ep_auto_buf header;
	struct ep_vars v;
	ep_buf_init(&header, MAX_NOTES);
	EP_TRY(ep_webvars_read(w, x, &v, err));
	struct ep_report_options o = ep_vars_options(&v, EP_REPORT_TEXT, "");
	o.compact_labels = false;
	EP_TRY(ep_report_header(p, &o, &header, err));
	struct ep_jsonw j = answer_json(x);
	ep_jsonw_open(&j, NULL, '{');
	ep_jsonw_str(&j, "version", EP_VERSION);
	ep_jsonw_slice(&j, "file", p->n_mappings ?
					   ep_path_name(ep_profile_str(p, p->mappings[0].filename)) :
					   (struct ep_slice){0});
	ep_jsonw_slice(&j, "doc_url", ep_profile_str(p, p->doc_url));
	uint32_t column = *v.o.sample_index ? ep_profile_column(p, v.o.sample_index) :
					      ep_profile_default_column(p);
	ep_jsonw_uint(&j, "column", column == EP_NONE ? ep_profile_default_column(p) : column);
	write_types(&j, p);
	ep_jsonw_str(&j, "diff", diff_kind(p));
	ep_jsonw_int(&j, "time_ms", p->time_ns / 1000000);
	ep_jsonw_int(&j, "duration_ms", p->duration_ns / 1000000);
	write_ledger(&j, p);
	write_lines(&j, "header", slice_of(&header));
	ep_websettings_write(w, &j);
	ep_jsonw_close(&j, '}');
	return ep_buf_failed(&x->out);
}

/* --- the handlers --------------------------------------------------------------------------- */

static void answer(struct ep_http *x, int rc, const struct ep_err *err)
{
	if (rc < 0)
		ep_webvars_fail(x, rc, err);
}

void ep_webapi_flamegraph(void *room, struct ep_http *x)
{
	struct ep_err err = {0};
	answer(x, flamegraph(room, x, &err), &err);
}

void ep_webapi_top(void *room, struct ep_http *x)
{
	struct ep_err err = {0};
	answer(x, top(room, x, &err), &err);
}

void ep_webapi_report(void *room, struct ep_http *x)
{
	struct ep_err err = {0};
	answer(x, report(room, x, &err), &err);
}

void ep_webapi_info(void *room, struct ep_http *x)
{
	struct ep_err err = {0};
	answer(x, info(room, x, &err), &err);
}

void ep_webapi_download(void *room, struct ep_http *x)
{
	const struct ep_web *w = room;
	struct ep_err err = {0};
	x->status = 200;
	x->content_type = "application/vnd.google.protobuf+gzip";
	ep_buf_clear(&x->out);
	int rc = ep_encode_gzip(w->session->profile, &x->out, &err);
	if (rc >= 0)
		ep_http_set_header(x, "Content-Disposition", "attachment;filename=profile.pb.gz");
	answer(x, rc, &err);
}
