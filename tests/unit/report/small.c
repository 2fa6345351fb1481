/* small.c - see small.h. */
#include "small.h"

#include "report/report.h"
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void small_start(struct small *s, const char *type, const char *unit)
{
	*s = (struct small){0};
	assert_int_equal(ep_build_new(0, &s->b), 0);
	ep_build_sample_type(s->b, type, unit);
}

static struct ep_line line_of(struct small *s, char *frame)
{
	char *at = strchr(frame, '@'), *colon = strchr(frame, ':');
	struct ep_line line = {.line = at ? atoi(at + 1) : 0};
	if (at)
		*at = 0;
	if (colon)
		*colon = 0;
	struct ep_function f = {.name = ep_build_cstr(s->b, colon ? colon + 1 : frame),
				.filename = ep_build_cstr(s->b, colon ? frame : "")};
	line.function = ep_build_function(s->b, &f);
	return line;
}

/* "caller>callee": lines are innermost first. */
static uint32_t location_of(struct small *s, char *text)
{
	char *frames[8], *rest = NULL;
	struct ep_line lines[8];
	uint32_t n = 0;
	for (char *f = strtok_r(text, ">", &rest); f && n < 8; f = strtok_r(NULL, ">", &rest))
		frames[n++] = f;
	for (uint32_t i = 0; i < n; i++)
		lines[i] = line_of(s, frames[n - 1 - i]);
	return ep_build_location(s->b, 0, EP_NONE, lines, n);
}

static struct ep_label label_of(struct small *s, const char *text)
{
	char *copy = strdup(text), *value = strchr(copy, '='), *unit = strchr(copy, '#');
	struct ep_label l = {0};
	*value++ = 0;
	l.key = ep_build_cstr(s->b, copy);
	if (unit) {
		*unit++ = 0;
		l.num = atoll(value);
		l.num_unit = ep_build_cstr(s->b, unit);
	} else {
		l.str = ep_build_cstr(s->b, value);
	}
	free(copy);
	return l;
}

void small_add_with(struct small *s, const char *stack, const char *label, int64_t value)
{
	char *copy = strdup(stack), *rest = NULL;
	uint32_t locations[16], leaf_first[16], n = 0;
	for (char *l = strtok_r(copy, " ", &rest); l; l = strtok_r(NULL, " ", &rest))
		locations[n++] = location_of(s, l);
	for (uint32_t i = 0; i < n; i++)
		leaf_first[i] = locations[n - 1 - i];
	struct ep_label l = {0};
	if (label)
		l = label_of(s, label);
	ep_build_sample(s->b, leaf_first, n, &l, label != NULL, &value);
	free(copy);
}

void small_add(struct small *s, const char *stack, int64_t value)
{
	small_add_with(s, stack, NULL, value);
}

struct ep_profile *small_finish(struct small *s)
{
	struct ep_err err = {0};
	assert_int_equal(ep_build_finish(s->b, &s->p, &err), 0);
	return s->p;
}

void small_fini(struct small *s)
{
	ep_build_free(s->b);
	ep_profile_free(s->p);
}

char *small_report(const struct ep_profile *p, const struct ep_report_options *o)
{
	struct ep_err err = {0};
	struct ep_buf out;
	ep_buf_init(&out, 1 << 20);
	int rc = ep_report_write(p, o, NULL, NULL, &out, &err);
	char *text = strdup(rc < 0 ? err.text : ep_buf_cstr(&out));
	ep_buf_fini(&out);
	return text;
}

static void set(struct ep_report_options *o, const char *name, const char *value)
{
	if (!strcmp(name, "nodecount"))
		o->nodecount = atoi(value);
	else if (!strcmp(name, "nodefraction"))
		o->nodefraction = atof(value);
	else if (!strcmp(name, "edgefraction"))
		o->edgefraction = atof(value);
	else if (!strcmp(name, "width"))
		o->width = atoi(value);
	else if (!strcmp(name, "argument"))
		o->argument = value;
	else if (!strcmp(name, "group_by"))
		o->group_by = value;
	else if (!strcmp(name, "unit"))
		o->unit = value;
	else if (!strcmp(name, "lines"))
		o->granularity = EP_BY_LINE;
	else if (!strcmp(name, "notrim"))
		o->trim = false;
	else if (!strcmp(name, "cum"))
		o->cum_sort = true;
	else if (!strcmp(name, "call_tree"))
		o->call_tree = true;
	else if (!strcmp(name, "drop_negative"))
		o->drop_negative = true;
	else if (!strcmp(name, "json"))
		o->json = true;
	else if (!strcmp(name, "colour"))
		o->colour = true;
	else
		fail_msg("no option %s", name);
}

char *small_report_of(const struct ep_profile *p, enum ep_report_kind kind,
		      const char *options)
{
	struct ep_report_options o;
	ep_report_options_init(&o);
	o.kind = kind;
	char *copy = strdup(options), *rest = NULL;
	for (char *w = strtok_r(copy, " ", &rest); w; w = strtok_r(NULL, " ", &rest)) {
		char *value = strchr(w, '=');
		if (value)
			*value++ = 0;
		set(&o, w, value);
	}
	char *text = small_report(p, &o);
	free(copy);
	return text;
}
