/* comparejson.c - a comparison as JSON: docs/diff.md has the fields.  See compare.h. */
#include "codec/json.h"
#include "pprof/compare.h"

#include <math.h>

static void add_value(struct ep_jsonw *w, const char *key, double v)
{
	ep_jsonw_double(w, key, round(v));
}

static void add_change(struct ep_jsonw *w, const char *key, const struct ep_change *d)
{
	ep_jsonw_open(w, key, '{');
	if (!key)
		ep_jsonw_slice(w, "name", d->name);
	add_value(w, "a", d->a);
	add_value(w, "b", d->b);
	add_value(w, "change", d->change);
	if (d->error >= 0) {
		add_value(w, "error", d->error);
		ep_jsonw_double(w, "p", d->p);
	}
	ep_jsonw_bool(w, "sure", d->is_sure);
	ep_jsonw_close(w, '}');
}

static void add_list(struct ep_jsonw *w, const char *key, const struct ep_compare *c,
		     const struct ep_change *list)
{
	size_t shown = 0;
	ep_jsonw_open(w, key, '[');
	for (size_t i = 0; i < c->n && shown < c->o->limit; i++)
		if (list[i].change != 0) {
			add_change(w, NULL, &list[i]);
			shown++;
		}
	ep_jsonw_close(w, ']');
}

static void add_input(struct ep_jsonw *w, const struct ep_compare *c, int i)
{
	static const char *const by[] = {
		[EP_EVENTS_UNKNOWN] = "unknown",
		[EP_EVENTS_COLUMN] = "column",
		[EP_EVENTS_PERIOD] = "period",
		[EP_EVENTS_HEAP] = "heap",
	};
	ep_jsonw_open(w, i ? "b" : "a", '{');
	ep_jsonw_str(w, "name", c->o->names[i]);
	ep_jsonw_int(w, "duration_ns", c->duration_ns[i]);
	add_value(w, "total", c->weights.total[i].value);
	if (c->by[i])
		ep_jsonw_double(w, "samples", c->n_events[i]);
	ep_jsonw_str(w, "samples_by", by[c->by[i]]);
	ep_jsonw_close(w, '}');
}

void ep_compare_json(const struct ep_compare *c, struct ep_buf *out)
{
	static const char *const scales[] = {
		[EP_COMPARE_PLAIN] = "none",
		[EP_COMPARE_DURATION] = "duration",
		[EP_COMPARE_TOTAL] = "total",
	};
	struct ep_jsonw w = ep_jsonw_to(out);
	ep_jsonw_open(&w, NULL, '{');
	ep_jsonw_int(&w, "version", 1);
	ep_jsonw_slice(&w, "type", c->type);
	ep_jsonw_slice(&w, "unit", c->unit);
	add_input(&w, c, 0);
	add_input(&w, c, 1);
	ep_jsonw_str(&w, "scaled_by", scales[c->scale]);
	ep_jsonw_str(&w, "why", c->why);
	ep_jsonw_double(&w, "factor", c->factor);
	ep_jsonw_bool(&w, "has_errors", c->has_errors);
	add_change(&w, "total", &c->total);
	if (!*c->o->group_by)
		add_list(&w, "self", c, c->self);
	add_list(&w, *c->o->group_by ? "values" : "cumulative", c, c->cum);
	ep_jsonw_close(&w, '}');
	ep_buf_add_char(out, '\n');
}
