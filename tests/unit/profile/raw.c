/* raw.c - see raw.h.  Layout: google/pprof profile.go, func (p *Profile) String. */
#include "raw.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* Without the zeros at the end of a fraction. */
static void trim(char *text)
{
	for (size_t n = strlen(text); n && (text[n - 1] == '0' || text[n - 1] == '.');
	     n--) {
		bool point = text[n - 1] == '.';
		text[n - 1] = '\0';
		if (point)
			break;
	}
}

static void add_time(int64_t ns, struct ep_buf *out)
{
	time_t s = (time_t)(ns / 1000000000);
	struct tm tm;
	gmtime_r(&s, &tm);
	char text[40], fraction[12];
	strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &tm);
	snprintf(fraction, sizeof(fraction), ".%09d", (int)(ns % 1000000000));
	trim(fraction);
	ep_buf_printf(out, "Time: %s%s +0000 UTC\n", text, fraction);
}

/* The first four characters of Go's notation of a duration; none here is below 1 s. */
static void add_duration(int64_t ns, struct ep_buf *out)
{
	char text[80];
	int64_t minutes = ns / 60000000000;
	snprintf(text, sizeof(text), "%.9f", (double)(ns % 60000000000) / 1e9);
	trim(text);
	strcat(text, "s");
	if (minutes)
		ep_buf_printf(out, "Duration: %" PRId64 "m%.2s\n", minutes, text);
	else
		ep_buf_printf(out, "Duration: %.4s\n", text);
}

static void add_str(const struct ep_profile *p, ep_str s, struct ep_buf *out)
{
	ep_buf_add(out, p->strings[s].p, p->strings[s].n);
}

static uint64_t id_of(const uint64_t *ids, uint32_t i)
{
	return ids ? ids[i] : (uint64_t)i + 1;
}

static void add_header(const struct ep_profile *p, struct ep_buf *out)
{
	for (uint32_t i = 0; i < p->n_comments; i++) {
		ep_buf_add_str(out, "Comment: ");
		add_str(p, p->comments[i], out);
		ep_buf_add_str(out, "\n");
	}
	if (p->doc_url)
		ep_buf_printf(out, "Doc: %.*s\n", EP_SLICE_ARG(p->strings[p->doc_url]));
	ep_buf_printf(out, "PeriodType: %.*s %.*s\nPeriod: %" PRId64 "\n",
		      EP_SLICE_ARG(p->strings[p->period_type.type]),
		      EP_SLICE_ARG(p->strings[p->period_type.unit]), p->period);
	if (p->time_ns)
		add_time(p->time_ns, out);
	if (p->duration_ns)
		add_duration(p->duration_ns, out);
	ep_buf_add_str(out, "Samples:\n");
	for (uint32_t i = 0; i < p->n_sample_types; i++) {
		struct ep_value_type t = p->sample_types[i];
		bool is_default = ep_slice_eq(p->strings[t.type],
					      p->strings[p->default_sample_type]);
		ep_buf_printf(out, "%s%.*s/%.*s%s", i ? " " : "",
			      EP_SLICE_ARG(p->strings[t.type]),
			      EP_SLICE_ARG(p->strings[t.unit]),
			      is_default ? "[dflt]" : "");
	}
	ep_buf_add_str(out, "\n");
}

/* Strings before numbers, by key; values of one key keep their order. */
static void sort_labels(const struct ep_profile *p, struct ep_label *l, uint32_t n)
{
	for (uint32_t i = 1; i < n; i++)
		for (uint32_t k = i; k; k--) {
			bool number = !l[k].str, before = !l[k - 1].str;
			int c = ep_slice_cmp(p->strings[l[k - 1].key],
					     p->strings[l[k].key]);
			if (before != number ? !before : c <= 0)
				break;
			struct ep_label swap = l[k];
			l[k] = l[k - 1];
			l[k - 1] = swap;
		}
}

/* "key:[v1 v2] key2:[v]". */
static void add_labels(const struct ep_profile *p, const struct ep_label *l, uint32_t n,
		       bool strings, struct ep_buf *out)
{
	if (!n)
		return;
	ep_buf_add_str(out, "                ");
	for (uint32_t i = 0; i < n; i++) {
		bool again = i && l[i].key == l[i - 1].key;
		if (i)
			ep_buf_add_str(out, again ? " " : "] ");
		if (!again) {
			add_str(p, l[i].key, out);
			ep_buf_add_str(out, ":[");
		}
		if (strings)
			add_str(p, l[i].str, out);
		else if (l[i].num_unit)
			ep_buf_printf(out, "%" PRId64 " %.*s", l[i].num,
				      EP_SLICE_ARG(p->strings[l[i].num_unit]));
		else
			ep_buf_printf(out, "%" PRId64, l[i].num);
	}
	ep_buf_add_str(out, "]\n");
}

static void add_sample(const struct ep_profile *p, uint32_t i, struct raw_ids ids,
		       struct ep_buf *out)
{
	const struct ep_sample *s = &p->samples[i];
	for (uint32_t k = 0; k < p->n_sample_types; k++)
		ep_buf_printf(out, " %10" PRId64, ep_profile_values(p, i)[k]);
	ep_buf_add_str(out, ": ");
	for (uint32_t k = 0; k < s->n_locations; k++)
		ep_buf_printf(out, "%" PRIu64 " ",
			      id_of(ids.locations, ep_profile_stack(p, s)[k]));
	ep_buf_add_str(out, "\n");
	struct ep_label l[100];
	assert(s->n_labels <= 100);
	memcpy(l, p->labels + s->first_label, s->n_labels * sizeof(*l));
	sort_labels(p, l, s->n_labels);
	uint32_t n_strings = 0;
	while (n_strings < s->n_labels && l[n_strings].str)
		n_strings++;
	add_labels(p, l, n_strings, true, out);
	add_labels(p, l + n_strings, s->n_labels - n_strings, false, out);
}

/* Go's %#x of 0 is 0x0, C's is 0. */
static void add_location(const struct ep_profile *p, uint32_t i, struct raw_ids ids,
			 struct ep_buf *out)
{
	const struct ep_location *l = &p->locations[i];
	ep_buf_printf(out, "%6" PRIu64 ": 0x%" PRIx64 " ", id_of(ids.locations, i),
		      l->address);
	if (l->mapping != EP_NONE)
		ep_buf_printf(out, "M=%" PRIu64 " ", id_of(ids.mappings, l->mapping));
	if (l->is_folded)
		ep_buf_add_str(out, "[F] ");
	if (!l->n_lines)
		ep_buf_add_str(out, "\n");
	for (uint32_t k = 0; k < l->n_lines; k++) {
		const struct ep_line *line = &p->lines[l->first_line + k];
		const struct ep_function *f = &p->functions[line->function];
		ep_buf_add_str(out, k ? "             " : "");
		add_str(p, f->name, out);
		ep_buf_add_str(out, " ");
		add_str(p, f->filename, out);
		ep_buf_printf(out, ":%" PRId64 ":%" PRId64 " s=%" PRId64, line->line,
			      line->column, f->start_line);
		if (f->name != f->system_name) {
			ep_buf_add_str(out, "(");
			add_str(p, f->system_name, out);
			ep_buf_add_str(out, ")");
		}
		ep_buf_add_str(out, "\n");
	}
}

static void add_mapping(const struct ep_profile *p, uint32_t i, struct raw_ids ids,
			struct ep_buf *out)
{
	const struct ep_mapping *m = &p->mappings[i];
	ep_buf_printf(out, "%" PRIu64 ": 0x%" PRIx64 "/0x%" PRIx64 "/0x%" PRIx64 " ",
		      id_of(ids.mappings, i), m->start, m->limit, m->file_offset);
	add_str(p, m->filename, out);
	ep_buf_add_str(out, " ");
	add_str(p, m->build_id, out);
	ep_buf_printf(out, " %s%s%s%s\n", m->has_functions ? "[FN]" : "",
		      m->has_filenames ? "[FL]" : "", m->has_line_numbers ? "[LN]" : "",
		      m->has_inline_frames ? "[IN]" : "");
}

void raw_format(const struct ep_profile *p, struct raw_ids ids, struct ep_buf *out)
{
	add_header(p, out);
	for (uint32_t i = 0; i < p->n_samples; i++)
		add_sample(p, i, ids, out);
	ep_buf_add_str(out, "Locations\n");
	for (uint32_t i = 0; i < p->n_locations; i++)
		add_location(p, i, ids, out);
	ep_buf_add_str(out, "Mappings\n");
	for (uint32_t i = 0; i < p->n_mappings; i++)
		add_mapping(p, i, ids, out);
}
