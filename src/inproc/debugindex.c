/* debugindex.c - see debugindex.h. */
#include "inproc/debugindex.h"

#include "inproc/registry.h"

#include <string.h>

struct row {
	const char *name, *description;
	uint64_t count;
	const char *query; /* what a click asks for */
};

/* What is no kind: it takes time, or is no profile. */
static const struct row others[] = {
	{"cmdline", "The command line of the program, where it may be shown.", 0, ""},
	{"profile", "CPU profile of ?seconds=N, 30 without; `go tool pprof` opens it.", 0, ""},
	{"symbol", "Names of addresses: ?0xA+0xB, or in the body of a POST.", 0, ""},
	{"trace", "Execution trace of ?seconds=N.", 0, "?seconds=1"},
};
enum { N_OTHERS = sizeof(others) / sizeof(others[0]), MAX_ROWS = EP_REGISTRY_MAX + N_OTHERS };

static int by_name(const struct row *a, const struct row *b)
{
	return strcmp(a->name, b->name);
}

static uint32_t list(struct row rows[MAX_ROWS])
{
	const struct ep_kind *k;
	uint32_t n = 0;
	for (uint32_t i = 0; (k = ep_registry_at(i)) != NULL; i++)
		rows[n++] = (struct row){k->name, k->description, k->count(k), "?debug=1"};
	for (int i = 0; i < N_OTHERS; i++)
		rows[n++] = others[i];
	for (uint32_t i = 1; i < n; i++) /* few: by insertion */
		for (uint32_t j = i; j > 0 && by_name(&rows[j], &rows[j - 1]) < 0; j--) {
			struct row t = rows[j];
			rows[j] = rows[j - 1];
			rows[j - 1] = t;
		}
	return n;
}

static void escaped(struct ep_buf *out, const char *s)
{
	for (; *s; s++) {
		if (strchr("<>&\"'", *s))
			ep_buf_printf(out, "&#%d;", *s);
		else
			ep_buf_add_char(out, *s);
	}
}

void ep_debugindex_html(struct ep_buf *out)
{
	struct row rows[MAX_ROWS];
	uint32_t n = list(rows);
	ep_buf_add_str(out,
		       "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
		       "<title>/debug/pprof/</title>\n<style>"
		       ":root{color-scheme:light dark}"
		       "body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:46rem;padding:0 1rem}"
		       "table{border-collapse:collapse}td,th{text-align:left;padding:.15rem .8rem .15rem 0}"
		       "td:first-child,th:first-child{text-align:right;font-variant-numeric:tabular-nums}"
		       "dt{font-weight:600;margin-top:.6rem}dd{margin:0}</style></head>\n<body>\n"
		       "<h1>/debug/pprof/</h1>\n<p>Set debug=1 as a query parameter to export in legacy "
		       "text format</p>\n<p>Types of profiles available:</p>\n"
		       "<table>\n<tr><th>Count</th><th>Profile</th></tr>\n");
	for (uint32_t i = 0; i < n; i++) {
		ep_buf_printf(out, "<tr><td>%llu</td><td><a href=\"", (unsigned long long)rows[i].count);
		escaped(out, rows[i].name);
		ep_buf_printf(out, "%s\">", rows[i].query);
		escaped(out, rows[i].name);
		ep_buf_add_str(out, "</a></td></tr>\n");
	}
	ep_buf_add_str(out, "</table>\n<h2>Profile Descriptions:</h2>\n<dl>\n");
	for (uint32_t i = 0; i < n; i++) {
		ep_buf_add_str(out, "<dt>");
		escaped(out, rows[i].name);
		ep_buf_add_str(out, "</dt><dd>");
		escaped(out, rows[i].description);
		ep_buf_add_str(out, "</dd>\n");
	}
	ep_buf_add_str(out, "</dl>\n</body></html>\n");
}

/* Names are checked, and the descriptions are ours: nothing to escape but quotes. */
static void json_string(struct ep_buf *out, const char *s)
{
	ep_buf_add_char(out, '"');
	for (; *s; s++) {
		if (*s == '"' || *s == '\\')
			ep_buf_add_char(out, '\\');
		ep_buf_add_char(out, *s);
	}
	ep_buf_add_char(out, '"');
}

void ep_debugindex_json(struct ep_buf *out, unsigned profile_s, unsigned trace_s)
{
	struct row rows[MAX_ROWS];
	uint32_t n = list(rows);
	ep_buf_add_str(out, "{\"profiles\":[");
	for (uint32_t i = 0; i < n; i++) {
		ep_buf_add_str(out, i ? ",\n{\"name\":" : "\n{\"name\":");
		json_string(out, rows[i].name);
		ep_buf_printf(out, ",\"count\":%llu,\"href\":", (unsigned long long)rows[i].count);
		json_string(out, rows[i].name);
		ep_buf_add_str(out, ",\"description\":");
		json_string(out, rows[i].description);
		ep_buf_add_char(out, '}');
	}
	ep_buf_printf(out, "\n],\n\"limits\":{\"profile_seconds\":%u,\"trace_seconds\":%u}}\n", profile_s,
		      trace_s);
}
