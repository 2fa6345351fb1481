/* pprof_json.c - see pprof_json.h.  Ids are index + 1, zero values are left out. */
#include "api/pprof_json.h"

static void number(struct ep_jsonw *w, const char *key, int64_t n)
{
	if (n)
		ep_jsonw_int_str(w, key, n);
}

static void flag(struct ep_jsonw *w, const char *key, bool on)
{
	if (on)
		ep_jsonw_bool(w, key, true);
}

static void value_type(struct ep_jsonw *w, const char *key, const struct ep_value_type *t)
{
	ep_jsonw_open(w, key, '{');
	number(w, "type", t->type);
	number(w, "unit", t->unit);
	ep_jsonw_close(w, '}');
}

static void sample(struct ep_jsonw *w, const struct ep_profile *p, uint32_t i)
{
	const struct ep_sample *s = &p->samples[i];
	const uint32_t *stack = ep_profile_stack(p, s);
	ep_jsonw_open(w, NULL, '{');
	ep_jsonw_open(w, "locationId", '[');
	for (uint32_t j = 0; j < s->n_locations; j++)
		ep_jsonw_int_str(w, NULL, (int64_t)stack[j] + 1);
	ep_jsonw_close(w, ']');
	ep_jsonw_open(w, "value", '[');
	for (uint32_t j = 0; j < p->n_sample_types; j++)
		ep_jsonw_int_str(w, NULL, ep_profile_values(p, i)[j]);
	ep_jsonw_close(w, ']');
	ep_jsonw_open(w, "label", '[');
	for (uint32_t j = 0; j < s->n_labels; j++) {
		const struct ep_label *l = &p->labels[s->first_label + j];
		ep_jsonw_open(w, NULL, '{');
		number(w, "key", l->key);
		number(w, "str", l->str);
		number(w, "num", l->num);
		number(w, "numUnit", l->num_unit);
		ep_jsonw_close(w, '}');
	}
	ep_jsonw_close(w, ']');
	ep_jsonw_close(w, '}');
}

static void mapping(struct ep_jsonw *w, const struct ep_profile *p, uint32_t i)
{
	const struct ep_mapping *m = &p->mappings[i];
	ep_jsonw_open(w, NULL, '{');
	number(w, "id", (int64_t)i + 1);
	number(w, "memoryStart", (int64_t)m->start);
	number(w, "memoryLimit", (int64_t)m->limit);
	number(w, "fileOffset", (int64_t)m->file_offset);
	number(w, "filename", m->filename);
	number(w, "buildId", m->build_id);
	flag(w, "hasFunctions", m->has_functions);
	flag(w, "hasFilenames", m->has_filenames);
	flag(w, "hasLineNumbers", m->has_line_numbers);
	flag(w, "hasInlineFrames", m->has_inline_frames);
	ep_jsonw_close(w, '}');
}

static void location(struct ep_jsonw *w, const struct ep_profile *p, uint32_t i)
{
	const struct ep_location *l = &p->locations[i];
	ep_jsonw_open(w, NULL, '{');
	number(w, "id", (int64_t)i + 1);
	number(w, "mappingId", l->mapping == EP_NONE ? 0 : (int64_t)l->mapping + 1);
	number(w, "address", (int64_t)l->address);
	ep_jsonw_open(w, "line", '[');
	for (uint32_t j = 0; j < l->n_lines; j++) {
		const struct ep_line *line = &p->lines[l->first_line + j];
		ep_jsonw_open(w, NULL, '{');
		number(w, "functionId", (int64_t)line->function + 1);
		number(w, "line", line->line);
		ep_jsonw_close(w, '}');
	}
	ep_jsonw_close(w, ']');
	flag(w, "isFolded", l->is_folded);
	ep_jsonw_close(w, '}');
}

static void function(struct ep_jsonw *w, const struct ep_profile *p, uint32_t i)
{
	const struct ep_function *f = &p->functions[i];
	ep_jsonw_open(w, NULL, '{');
	number(w, "id", (int64_t)i + 1);
	number(w, "name", f->name);
	number(w, "systemName", f->system_name);
	number(w, "filename", f->filename);
	number(w, "startLine", f->start_line);
	ep_jsonw_close(w, '}');
}

static void table(struct ep_jsonw *w, const char *key, const struct ep_profile *p, uint32_t n,
		  void (*one)(struct ep_jsonw *, const struct ep_profile *, uint32_t))
{
	ep_jsonw_open(w, key, '[');
	for (uint32_t i = 0; i < n; i++)
		one(w, p, i);
	ep_jsonw_close(w, ']');
}

static void sample_type(struct ep_jsonw *w, const struct ep_profile *p, uint32_t i)
{
	value_type(w, NULL, &p->sample_types[i]);
}

static void string(struct ep_jsonw *w, const struct ep_profile *p, uint32_t i)
{
	ep_jsonw_slice(w, NULL, p->strings[i]);
}

void ep_pprof_json_write(struct ep_jsonw *w, const struct ep_profile *p)
{
	table(w, "sampleType", p, p->n_sample_types, sample_type);
	table(w, "sample", p, p->n_samples, sample);
	table(w, "mapping", p, p->n_mappings, mapping);
	table(w, "location", p, p->n_locations, location);
	table(w, "function", p, p->n_functions, function);
	table(w, "stringTable", p, p->n_strings, string);
	number(w, "timeNanos", p->time_ns);
	number(w, "durationNanos", p->duration_ns);
	value_type(w, "periodType", &p->period_type);
	number(w, "period", p->period);
	number(w, "defaultSampleType", p->default_sample_type);
}
