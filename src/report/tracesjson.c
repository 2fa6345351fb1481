/* tracesjson.c - see tracesjson.h. */
#include "report/tracesjson.h"

#include "report/callgraph.h"
#include "report/labelgroups.h"
#include "report/reportjson.h"
#include "report/text.h"

struct page {
	const struct ep_report *r;
	struct ep_jsonw w;
	uint32_t *first; /* frame of each location, and of the one behind the last */
	struct ep_buf path, name;
	struct ep_labelgroups labels;
};

/* line NULL: a location without any. */
static void add_frame(struct page *pg, const struct ep_location *l, const struct ep_line *line,
		      bool inlined)
{
	const struct ep_profile *p = pg->r->p;
	struct ep_text_place place = {.address = l->address};
	if (line) {
		const struct ep_function *f = &p->functions[line->function];
		place.function = ep_profile_str(p, f->name);
		place.line = line->line;
		place.column = line->column;
		ep_buf_clear(&pg->path);
		if (f->filename)
			ep_text_add_clean_path(&pg->path, ep_profile_str(p, f->filename));
		place.file = (struct ep_slice){(char *)pg->path.data, pg->path.len};
	}
	if (!place.function.n && l->mapping != EP_NONE)
		place.object = ep_profile_str(p, p->mappings[l->mapping].filename);
	ep_buf_clear(&pg->name);
	ep_text_add_place(&pg->name, &place);
	ep_jsonw_open(&pg->w, NULL, '{');
	ep_jsonw_slice(&pg->w, "name",
		       (struct ep_slice){(char *)pg->name.data, pg->name.len});
	ep_reportjson_place(&pg->w, &place);
	if (inlined)
		ep_jsonw_bool(&pg->w, "inlined", true);
	ep_jsonw_close(&pg->w, '}');
}

static void add_frames(struct page *pg)
{
	const struct ep_profile *p = pg->r->p;
	uint32_t n = 0;
	ep_jsonw_open(&pg->w, "frames", '[');
	for (uint32_t i = 0; i < p->n_locations; i++) {
		const struct ep_location *l = &p->locations[i];
		pg->first[i] = n;
		n += l->n_lines ? l->n_lines : 1;
		if (!l->n_lines)
			add_frame(pg, l, NULL, false);
		for (uint32_t k = 0; k < l->n_lines; k++)
			add_frame(pg, l, &p->lines[l->first_line + k], k + 1 < l->n_lines);
	}
	pg->first[p->n_locations] = n;
	ep_jsonw_close(&pg->w, ']');
}

static void add_label(struct page *pg, const struct ep_labelgroup *g)
{
	const struct ep_key *key = &pg->r->keys.keys[g->key];
	ep_jsonw_key(&pg->w, key->name);
	ep_jsonw_open(&pg->w, NULL, '[');
	for (uint32_t i = 0; i < g->n; i++) {
		const struct ep_label *l = &g->values[i];
		if (l->str)
			ep_jsonw_slice(&pg->w, NULL, ep_profile_str(pg->r->p, l->str));
		else
			ep_jsonw_int(&pg->w, NULL, l->num);
	}
	ep_jsonw_close(&pg->w, ']');
}

static void add_labels(struct page *pg, const char *name, const struct ep_labelgroup *g,
		       uint32_t n)
{
	if (!n)
		return;
	ep_jsonw_open(&pg->w, name, '{');
	for (uint32_t i = 0; i < n; i++)
		add_label(pg, &g[i]);
	ep_jsonw_close(&pg->w, '}');
}

static int add_sample(struct page *pg, uint32_t i)
{
	const struct ep_sample *s = &pg->r->p->samples[i];
	const uint32_t *stack = ep_profile_stack(pg->r->p, s);
	if (!s->n_locations)
		return 0;
	int64_t value =
		ep_callgraph_mean(ep_report_value(pg->r, i), ep_report_divisor(pg->r, i));
	EP_TRY(ep_labelgroups_of(pg->r, s, &pg->labels));
	const struct ep_labelgroups *l = &pg->labels;
	ep_jsonw_open(&pg->w, NULL, '{');
	ep_jsonw_int(&pg->w, "value", value);
	ep_reportjson_text(&pg->w, pg->r, "value_text", value);
	ep_jsonw_open(&pg->w, "stack", '[');
	for (uint32_t k = 0; k < s->n_locations; k++)
		for (uint32_t f = pg->first[stack[k]]; f < pg->first[stack[k] + 1]; f++)
			ep_jsonw_uint(&pg->w, NULL, f);
	ep_jsonw_close(&pg->w, ']');
	add_labels(pg, "labels", l->groups, l->n_strings);
	add_labels(pg, "numbers", l->groups + l->n_strings, l->n_groups - l->n_strings);
	ep_jsonw_close(&pg->w, '}');
	return ep_buf_drain(pg->w.out);
}

/* What numbers of each key count. */
static void add_units(struct page *pg)
{
	const struct ep_keys *keys = &pg->r->keys;
	ep_jsonw_open(&pg->w, "number_units", '{');
	for (uint32_t i = 0; i < keys->n; i++)
		if (keys->keys[i].has_numbers) {
			ep_jsonw_key(&pg->w, keys->keys[i].name);
			ep_jsonw_slice(&pg->w, NULL, keys->keys[i].unit);
		}
	ep_jsonw_close(&pg->w, '}');
}

static int add_all(struct page *pg)
{
	ep_reportjson_open(&pg->w, pg->r, "traces");
	add_units(pg);
	add_frames(pg);
	ep_jsonw_open(&pg->w, "traces", '[');
	for (uint32_t i = 0; i < pg->r->p->n_samples; i++)
		EP_TRY(add_sample(pg, i));
	ep_jsonw_close(&pg->w, ']');
	ep_reportjson_close(&pg->w);
	return ep_buf_failed(&pg->path) ? ep_buf_failed(&pg->path) : ep_buf_failed(&pg->name);
}

int ep_tracesjson_write(struct ep_report *r, struct ep_buf *out, struct ep_err *err)
{
	struct page pg = {.r = r, .w = ep_jsonw_to(out)};
	uint32_t *first ep_auto_mem =
		ep_alloc(((size_t)r->p->n_locations + 1) * sizeof(*first));
	ep_buf_init(&pg.path, EP_NONE);
	ep_buf_init(&pg.name, EP_NONE);
	pg.first = first;
	int rc = first ? add_all(&pg) : -ENOMEM;
	ep_buf_fini(&pg.path);
	ep_buf_fini(&pg.name);
	ep_labelgroups_fini(&pg.labels);
	return rc < 0 ? ep_fail(err, rc, 0, "no room for the traces") : 0;
}
