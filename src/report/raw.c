/* raw.c - the report `raw`: all tables as text.  Source: google/pprof profile.go
 * (Profile.String). */
#include "report/gotime.h"
#include "report/labelgroups.h"
#include "report/reports.h"
#include "report/text.h"

#include <inttypes.h>

struct raw {
	const struct ep_report *r;
	const struct ep_profile *p;
	struct ep_buf *out;
};

static void add_str(struct raw *w, ep_str s)
{
	ep_buf_add(w->out, w->p->strings[s].p, w->p->strings[s].n);
}

static void add_text(struct raw *w, const char *text)
{
	ep_buf_add_str(w->out, text);
}

/* Numbers are most of the text of a large profile. */
static char *put_digits(char *end, uint64_t v)
{
	do
		*--end = (char)('0' + v % 10);
	while (v /= 10);
	return end;
}

static void add_number(struct raw *w, uint64_t v, bool negative, size_t width)
{
	char digits[24];
	char *end = digits + sizeof(digits), *at = put_digits(end, v);
	if (negative)
		*--at = '-';
	for (size_t n = (size_t)(end - at); n < width; n++)
		ep_buf_add_char(w->out, ' ');
	ep_buf_add(w->out, at, (size_t)(end - at));
}

static void add_signed(struct raw *w, int64_t v, size_t width)
{
	add_number(w, v < 0 ? 0 - (uint64_t)v : (uint64_t)v, v < 0, width);
}

/* --- the head --------------------------------------------------------------------- */

/* The first four characters of it: what a precision does to text in Go. */
static void add_duration(struct raw *w, int64_t duration_ns)
{
	char text[EP_GOTIME_DURATION_MAX];
	ep_gotime_duration(text, duration_ns);
	struct ep_slice s = ep_slice_of(text);
	while (ep_text_length(s) > 4)
		s.n--;
	ep_buf_add(w->out, s.p, s.n);
}

static void add_head(struct raw *w)
{
	const struct ep_profile *p = w->p;
	for (uint32_t i = 0; i < p->n_comments; i++) {
		add_text(w, "Comment: ");
		add_str(w, p->comments[i]);
		add_text(w, "\n");
	}
	if (p->strings[p->doc_url].n) {
		add_text(w, "Doc: ");
		add_str(w, p->doc_url);
		add_text(w, "\n");
	}
	add_text(w, "PeriodType: ");
	add_str(w, p->period_type.type);
	add_text(w, " ");
	add_str(w, p->period_type.unit);
	ep_buf_printf(w->out, "\nPeriod: %" PRId64 "\n", p->period);
	if (p->time_ns) {
		add_text(w, "Time: ");
		ep_gotime_add_time(w->out, p->time_ns);
		add_text(w, "\n");
	}
	if (p->duration_ns) {
		add_text(w, "Duration: ");
		add_duration(w, p->duration_ns);
		add_text(w, "\n");
	}
}

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Without white space at the ends, wherever that comes from. */
static void add_trimmed(struct raw *w, struct ep_slice s)
{
	while (s.n && is_space(s.p[0]))
		s = (struct ep_slice){s.p + 1, s.n - 1};
	while (s.n && is_space(s.p[s.n - 1]))
		s.n--;
	ep_buf_add(w->out, s.p, s.n);
}

static void add_types(struct raw *w)
{
	enum { MAX_TEXT = 1 << 20 };
	const struct ep_profile *p = w->p;
	ep_auto_buf line;
	ep_buf_init(&line, MAX_TEXT);
	for (uint32_t i = 0; i < p->n_sample_types; i++) {
		struct ep_slice type = p->strings[p->sample_types[i].type];
		struct ep_slice unit = p->strings[p->sample_types[i].unit];
		bool chosen = ep_slice_eq(type, p->strings[p->default_sample_type]);
		ep_buf_printf(&line, "%.*s/%.*s%s ", EP_SLICE_ARG(type), EP_SLICE_ARG(unit),
			      chosen ? "[dflt]" : "");
	}
	add_trimmed(w, (struct ep_slice){(char *)line.data, line.len});
	add_text(w, "\n");
}

/* --- samples ---------------------------------------------------------------------- */

/* A number has its unit beside it, if any of its key has one. */
static bool has_units(const struct ep_labelgroup *g)
{
	for (uint32_t i = 0; i < g->n; i++)
		if (g->values[i].num_unit)
			return true;
	return false;
}

static void add_group(struct raw *w, const struct ep_labelgroup *g)
{
	bool units = has_units(g);
	struct ep_slice key = w->r->keys.keys[g->key].name;
	ep_buf_add(w->out, key.p, key.n);
	add_text(w, ":[");
	for (uint32_t i = 0; i < g->n; i++) {
		if (i)
			add_text(w, " ");
		if (g->values[i].str) {
			add_str(w, g->values[i].str);
			continue;
		}
		add_signed(w, g->values[i].num, 0);
		if (!units)
			continue;
		add_text(w, " ");
		add_str(w, g->values[i].num_unit);
	}
	add_text(w, "]");
}

/* The order is that of "key:[values]", in which a key may come behind a longer one. */
static bool comes_before(const struct raw *w, const struct ep_labelgroup *a,
			 const struct ep_labelgroup *b)
{
	struct ep_slice x = w->r->keys.keys[a->key].name, y = w->r->keys.keys[b->key].name;
	size_t n = x.n < y.n ? x.n : y.n;
	int c = n ? memcmp(x.p, y.p, n) : 0;
	if (c || x.n == y.n)
		return c < 0;
	/* One goes on where the other has its colon; ties need keys with ":[" in them. */
	return x.n > n ? (unsigned char)x.p[n] < ':' : (unsigned char)y.p[n] > ':';
}

static void add_groups(struct raw *w, struct ep_labelgroup *g, uint32_t n)
{
	if (!n)
		return;
	for (uint32_t i = 1; i < n; i++)
		for (uint32_t k = i; k && comes_before(w, &g[k], &g[k - 1]); k--) {
			struct ep_labelgroup swap = g[k];
			g[k] = g[k - 1];
			g[k - 1] = swap;
		}
	add_text(w, "                ");
	for (uint32_t i = 0; i < n; i++) {
		if (i)
			add_text(w, " ");
		add_group(w, &g[i]);
	}
	add_text(w, "\n");
}

static int add_sample(struct raw *w, uint32_t i, struct ep_labelgroups *labels)
{
	const struct ep_sample *s = &w->p->samples[i];
	const uint32_t *stack = ep_profile_stack(w->p, s);
	for (uint32_t k = 0; k < w->p->n_sample_types; k++) {
		add_text(w, " ");
		add_signed(w, ep_profile_values(w->p, i)[k], 10);
	}
	add_text(w, ": ");
	for (uint32_t k = 0; k < s->n_locations; k++) {
		add_number(w, ep_profile_id(&w->p->location_ids, stack[k]), false, 0);
		add_text(w, " ");
	}
	add_text(w, "\n");
	EP_TRY(ep_labelgroups_of(w->r, s, labels));
	add_groups(w, labels->groups, labels->n_strings);
	add_groups(w, labels->groups + labels->n_strings, labels->n_groups - labels->n_strings);
	return 0;
}

static int add_samples(struct raw *w)
{
	struct ep_labelgroups labels = {0};
	int rc = 0;
	for (uint32_t i = 0; i < w->p->n_samples && rc == 0; i++) {
		rc = add_sample(w, i, &labels);
		if (rc == 0)
			rc = ep_buf_drain(w->out);
	}
	ep_labelgroups_fini(&labels);
	return rc;
}

/* --- locations and mappings ------------------------------------------------------- */

static void add_line(struct raw *w, const struct ep_line *l)
{
	const struct ep_function *f = &w->p->functions[l->function];
	struct ep_slice name = w->p->strings[f->name],
			system_name = w->p->strings[f->system_name];
	add_str(w, f->name);
	add_text(w, " ");
	add_str(w, f->filename);
	ep_buf_printf(w->out, ":%" PRId64 ":%" PRId64 " s=%" PRId64, l->line, l->column,
		      f->start_line);
	if (!ep_slice_eq(name, system_name)) {
		add_text(w, "(");
		add_str(w, f->system_name);
		add_text(w, ")");
	}
	add_text(w, "\n");
}

static void add_location(struct raw *w, uint32_t i)
{
	const struct ep_location *l = &w->p->locations[i];
	ep_buf_printf(w->out, "%6" PRIu64 ": 0x%" PRIx64 " ",
		      ep_profile_id(&w->p->location_ids, i), l->address);
	if (l->mapping != EP_NONE)
		ep_buf_printf(w->out, "M=%" PRIu64 " ",
			      ep_profile_id(&w->p->mapping_ids, l->mapping));
	if (l->is_folded)
		add_text(w, "[F] ");
	if (!l->n_lines)
		add_text(w, "\n");
	for (uint32_t k = 0; k < l->n_lines; k++) {
		if (k)
			add_text(w, "             ");
		add_line(w, &w->p->lines[l->first_line + k]);
	}
}

static void add_mapping(struct raw *w, uint32_t i)
{
	const struct ep_mapping *m = &w->p->mappings[i];
	ep_buf_printf(w->out, "%" PRIu64 ": 0x%" PRIx64 "/0x%" PRIx64 "/0x%" PRIx64 " ",
		      ep_profile_id(&w->p->mapping_ids, i), m->start, m->limit,
		      m->file_offset);
	add_str(w, m->filename);
	add_text(w, " ");
	add_str(w, m->build_id);
	ep_buf_printf(w->out, " %s%s%s%s\n", m->has_functions ? "[FN]" : "",
		      m->has_filenames ? "[FL]" : "", m->has_line_numbers ? "[LN]" : "",
		      m->has_inline_frames ? "[IN]" : "");
}

int ep_raw_write(struct ep_report *r, struct ep_objects *objects, struct ep_buf *out,
		 struct ep_err *err)
{
	(void)objects;
	struct raw w = {.r = r, .p = r->p, .out = out};
	add_head(&w);
	add_text(&w, "Samples:\n");
	add_types(&w);
	int rc = add_samples(&w);
	if (rc < 0)
		return ep_fail(err, rc, 0, "no room for the report");
	add_text(&w, "Locations\n");
	for (uint32_t i = 0; i < r->p->n_locations; i++) {
		add_location(&w, i);
		ep_buf_drain(out);
	}
	add_text(&w, "Mappings\n");
	for (uint32_t i = 0; i < r->p->n_mappings; i++)
		add_mapping(&w, i);
	return 0;
}
