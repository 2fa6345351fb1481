/*
 * args.c - see args.h.  The order of the checks is the reference's, since the first
 * mistake found is the one that is named.
 */
#include "pprof/args.h"

#include "pprof/goflags.h"
#include "pprof/nearest.h"
#include "symbol/object.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_NAME = 40, MAX_FORMATS = 32, MAX_CHOICES = 8 };

#define AT(member) offsetof(struct ep_args, member)

struct misc {
	const char *name;
	enum ep_goflags_kind kind;
	size_t offset;
};

static const struct misc misc[] = {
	{"seconds", EP_GOFLAGS_INT, AT(seconds)},
	{"timeout", EP_GOFLAGS_INT, AT(timeout)},
	{"buildid", EP_GOFLAGS_STRING, AT(build_id)},
	{"add_comment", EP_GOFLAGS_STRING, AT(comment)},
	{"symbolize", EP_GOFLAGS_STRING, AT(symbolize)},
	{"tools", EP_GOFLAGS_STRING, AT(tools)},
	{"http", EP_GOFLAGS_STRING, AT(http)},
	{"no_browser", EP_GOFLAGS_BOOL, AT(no_browser)},
	{"all_frames", EP_GOFLAGS_BOOL, AT(all_frames)},
	{"tls_cert", EP_GOFLAGS_STRING, AT(tls_cert)},
	{"tls_key", EP_GOFLAGS_STRING, AT(tls_key)},
	{"tls_ca", EP_GOFLAGS_STRING, AT(tls_ca)},
};
enum { N_MISC = sizeof(misc) / sizeof(misc[0]) };

/* In the order in which they win over each other. */
static const struct {
	const char *name, *type;
} aliases[] = {
	{"total_delay", "delay"},	    {"mean_delay", "delay"},
	{"contentions", "contentions"},	    {"inuse_space", "inuse_space"},
	{"inuse_objects", "inuse_objects"}, {"alloc_space", "alloc_space"},
	{"alloc_objects", "alloc_objects"},
};
enum { N_ALIASES = sizeof(aliases) / sizeof(aliases[0]) };

static const struct ep_args_flag flags[] = {
	{NULL, NULL, "Sources"},
	{"seconds", "N", "How long a time-based profile is collected"},
	{"timeout", "N", "Seconds to wait for a profile"},
	{"base", "SOURCE", "Subtract this profile; may be repeated"},
	{"diff_base", "SOURCE", "Compare with this profile; may be repeated"},
	{"buildid", "ID", "Build ID of the main binary, if the profile has none"},
	{"add_comment", "TEXT", "A comment for the profile"},
	{"symbolize", "MODE",
	 "none, local, fastlocal, remote, force; demangle=none, full, templates, "
	 "default"},
	{"tools", "LIST", "Where objdump is ($PPROF_TOOLS)"},
	{"all_frames", NULL, "Ignore the profile's drop_frames and keep_frames"},
	{"tls_cert", "FILE", "TLS client certificate, PEM"},
	{"tls_key", "FILE", "Its key, PEM"},
	{"tls_ca", "FILE", "TLS certificates to trust"},
	{NULL, NULL, "Page"},
	{"http", "HOST:PORT", "Show the profile on a web page at this address"},
	{"no_browser", NULL, "With -http: open no browser"},
	{NULL, NULL, "Short for -sample_index"},
	{"inuse_space", NULL, "Memory in use"},
	{"inuse_objects", NULL, "Objects in use"},
	{"alloc_space", NULL, "Memory allocated"},
	{"alloc_objects", NULL, "Objects allocated"},
	{"total_delay", NULL, "-sample_index=delay"},
	{"contentions", NULL, "Number of waits"},
	{"mean_delay", NULL, "-mean -sample_index=delay"},
	{0},
};

const struct ep_args_flag *ep_args_flags(void)
{
	return flags;
}

struct parse {
	struct ep_args *a;
	const char *formats[MAX_FORMATS]; /* argument, or "" of one without; NULL: not
					     asked */
	unsigned choices[2]; /* bits of those set, of sort and granularity */
	bool aliases[N_ALIASES];
	const char **bases, **diff_bases;
	size_t n_bases, n_diff_bases;
};

/* Names with '-' for '_' are taken too: --group-by. */
static struct ep_slice plain_name(struct ep_slice name, char buf[MAX_NAME])
{
	if (name.n >= MAX_NAME)
		return name;
	for (size_t i = 0; i < name.n; i++)
		buf[i] = name.p[i] == '-' ? '_' : name.p[i];
	return (struct ep_slice){buf, name.n};
}

static int find_misc(struct ep_slice name)
{
	for (int i = 0; i < N_MISC; i++)
		if (ep_slice_is(name, misc[i].name))
			return i;
	return -1;
}

static int find_alias(struct ep_slice name)
{
	for (int i = 0; i < N_ALIASES; i++)
		if (ep_slice_is(name, aliases[i].name))
			return i;
	return -1;
}

static bool is_base(struct ep_slice name)
{
	return ep_slice_is(name, "base") || ep_slice_is(name, "diff_base");
}

static enum ep_goflags_kind config_kind(const struct ep_vars_field *f,
					const struct ep_vars_choice *choice)
{
	if (choice)
		return EP_GOFLAGS_BOOL;
	switch (f->kind) {
	case EP_VARS_BOOL:
		return EP_GOFLAGS_BOOL;
	case EP_VARS_INT:
		return EP_GOFLAGS_INT;
	case EP_VARS_FLOAT:
		return EP_GOFLAGS_FLOAT;
	case EP_VARS_STRING:
		return EP_GOFLAGS_STRING;
	case EP_VARS_CHOICE: /* a group's name is no flag */
		break;
	}
	return EP_GOFLAGS_UNKNOWN;
}

static enum ep_goflags_kind flag_kind(void *ctx, struct ep_slice given)
{
	(void)ctx;
	char buf[MAX_NAME];
	struct ep_slice name = plain_name(given, buf);
	const struct ep_format *f = ep_formats_find(name);
	if (f)
		return f->has_argument ? EP_GOFLAGS_STRING : EP_GOFLAGS_BOOL;
	const struct ep_vars_choice *choice;
	const struct ep_vars_field *field = ep_vars_find(name, &choice);
	if (field)
		return config_kind(field, choice);
	if (find_misc(name) >= 0)
		return misc[find_misc(name)].kind;
	if (find_alias(name) >= 0)
		return EP_GOFLAGS_BOOL;
	return is_base(name) ? EP_GOFLAGS_STRING : EP_GOFLAGS_UNKNOWN;
}

static int take_choice(struct parse *s, const struct ep_vars_field *f,
		       const struct ep_vars_choice *c, bool on)
{
	unsigned *bits = &s->choices[f->offset != offsetof(struct ep_vars, sort)];
	unsigned bit = 1u << (c - f->choices);
	*bits = on ? *bits | bit : *bits & ~bit;
	return 0;
}

static int take_config(struct parse *s, const struct ep_vars_field *f,
		       const struct ep_goflags_value *v, struct ep_err *err)
{
	void *to = (char *)&s->a->vars + f->offset;
	if (f->kind == EP_VARS_BOOL)
		*(bool *)to = v->b;
	else if (f->kind == EP_VARS_FLOAT)
		*(double *)to = v->f;
	else if (f->kind == EP_VARS_STRING)
		*(const char **)to = v->s;
	else if (v->i > INT32_MAX || v->i < INT32_MIN)
		return ep_fail(err, -EINVAL, 0,
			       "invalid value \"%s\" for flag -%s: value out of range",
			       v->s, f->name);
	else
		*(int *)to = (int)v->i;
	return 0;
}

static void take_misc(struct parse *s, const struct misc *m,
		      const struct ep_goflags_value *v)
{
	void *to = (char *)s->a + m->offset;
	if (m->kind == EP_GOFLAGS_BOOL)
		*(bool *)to = v->b;
	else if (m->kind == EP_GOFLAGS_INT)
		*(int64_t *)to = v->i;
	else
		*(const char **)to = v->s;
}

static void take_base(struct parse *s, bool is_diff, const char *source)
{
	if (!*source)
		return;
	if (is_diff)
		s->diff_bases[s->n_diff_bases++] = source;
	else
		s->bases[s->n_bases++] = source;
}

static int take_flag(void *ctx, struct ep_slice given, const struct ep_goflags_value *v,
		     struct ep_err *err)
{
	struct parse *s = ctx;
	char buf[MAX_NAME];
	struct ep_slice name = plain_name(given, buf);
	const struct ep_format *f = ep_formats_find(name);
	if (f) {
		bool on = f->has_argument ? *v->s : v->b;
		s->formats[f - ep_formats_all()] = on ? v->s : NULL;
		return 0;
	}
	const struct ep_vars_choice *choice;
	const struct ep_vars_field *field = ep_vars_find(name, &choice);
	if (field)
		return choice ? take_choice(s, field, choice, v->b)
			      : take_config(s, field, v, err);
	if (find_misc(name) >= 0)
		take_misc(s, &misc[find_misc(name)], v);
	else if (find_alias(name) >= 0)
		s->aliases[find_alias(name)] = v->b;
	else
		take_base(s, ep_slice_is(name, "diff_base"), v->s);
	return 0;
}

static int unknown_flag(struct ep_slice name, struct ep_err *err)
{
	const char *near = ep_nearest_flag(name);
	*err = (struct ep_err){0};
	if (near)
		return ep_fail(
			err, -ENOENT, 0,
			"flag provided but not defined: -%.*s; did you mean -%s?",
			EP_SLICE_ARG(name), near);
	return ep_fail(err, -ENOENT, 0, "flag provided but not defined: -%.*s",
		       EP_SLICE_ARG(name));
}

/* --- what the flags say together ----------------------------------------------- */

static int set_choice(struct ep_args *a, const char *field, unsigned bits,
		      struct ep_err *err)
{
	const struct ep_vars_choice *none;
	const struct ep_vars_field *f = ep_vars_find(ep_slice_of(field), &none);
	char names[128] = "";
	size_t n = 0, len = 0;
	for (size_t i = 0; f->choices[i].name; i++) {
		if (!(bits & 1u << i))
			continue;
		len += (size_t)snprintf(names + len, sizeof(names) - len, "%s%s",
					n++ ? " " : "", f->choices[i].name);
		*(int *)((char *)&a->vars + f->offset) = f->choices[i].value;
	}
	if (n > 1)
		return ep_fail(err, -EINVAL, 0, "conflicting options set: [%s]", names);
	return 0;
}

static int choose_format(struct parse *s, struct ep_err *err)
{
	for (size_t i = 0; ep_formats_all()[i].name; i++) {
		if (!s->formats[i])
			continue;
		if (s->a->format)
			return ep_fail(err, -EINVAL, 0,
				       "must set at most one output format");
		s->a->format = &ep_formats_all()[i];
		s->a->argument = s->a->format->has_argument ? s->formats[i] : "";
	}
	if (s->a->format && *s->a->http)
		return ep_fail(err, -EINVAL, 0,
			       "-http is not compatible with an output format on the "
			       "command line");
	if (s->a->no_browser && !*s->a->http)
		return ep_fail(err, -EINVAL, 0,
			       "-no_browser only makes sense with -http");
	return 0;
}

static void choose_sample(struct parse *s, const struct ep_notes *notes)
{
	for (size_t i = 0; i < N_ALIASES; i++) {
		if (!s->aliases[i])
			continue;
		if (*s->a->vars.o.sample_index)
			ep_note(notes, "Multiple value selections, ignoring -%s",
				aliases[i].name);
		else
			s->a->vars.o.sample_index = aliases[i].type;
		if (!strcmp(aliases[i].name, "mean_delay"))
			s->a->vars.o.mean = true;
	}
}

static int choose_bases(struct parse *s, struct ep_err *err)
{
	struct ep_args *a = s->a;
	if (s->n_bases && s->n_diff_bases)
		return ep_fail(err, -EINVAL, 0,
			       "-base and -diff_base flags cannot both be specified");
	a->is_diff_base = s->n_diff_bases > 0;
	a->bases = a->is_diff_base ? s->diff_bases : s->bases;
	a->n_bases = s->n_bases + s->n_diff_bases;
	if (a->vars.o.normalize && !a->n_bases)
		return ep_fail(err, -EINVAL, 0,
			       "must have base profile to normalize by");
	return 0;
}

/* "-list cpu.pb.gz": the file was taken for the expression. */
static void note_swallowed(const struct parse *s, const struct ep_notes *notes)
{
	for (size_t i = 0; ep_formats_all()[i].name; i++) {
		const struct ep_format *f = &ep_formats_all()[i];
		if (s->formats[i] && f->has_argument && access(s->formats[i], F_OK) == 0)
			ep_note(notes, "-%s takes an expression: -%s=REGEX %s", f->name,
				f->name, s->formats[i]);
	}
}

/* Parsing stops at the first source. */
static void note_late_flags(const struct ep_args *a, const struct ep_notes *notes)
{
	for (size_t i = 1; i < a->n_sources; i++)
		if (a->sources[i][0] == '-' && a->sources[i][1])
			ep_note(notes, "flags stand before the sources: %s is read as a file",
				a->sources[i]);
}

static int check(struct parse *s, const struct ep_notes *notes, struct ep_err *err)
{
	struct ep_args *a = s->a;
	if (a->n_sources == 0) {
		note_swallowed(s, notes);
		return ep_fail(err, -ENODATA, 0, "no profile source specified");
	}
	note_late_flags(a, notes);
	if (a->n_sources > 1 && ep_objects_can_open(a->sources[0])) {
		a->binary = *a->sources++;
		a->n_sources--;
	}
	EP_TRY(set_choice(a, "sort", s->choices[0], err));
	EP_TRY(set_choice(a, "granularity", s->choices[1], err));
	EP_TRY(choose_format(s, err));
	choose_sample(s, notes);
	return choose_bases(s, err);
}

int ep_args_parse(int argc, char **argv, struct ep_arena *arena,
		  const struct ep_notes *notes, struct ep_args *a, struct ep_err *err)
{
	const char *tools = getenv("PPROF_TOOLS");
	*a = (struct ep_args){.argument = "",
			      .build_id = "",
			      .symbolize = "",
			      .comment = "",
			      .http = "",
			      .tls_cert = "",
			      .tls_key = "",
			      .tls_ca = "",
			      .tools = tools ? tools : "",
			      .seconds = -1,
			      .timeout = -1};
	ep_vars_init(&a->vars, arena);
	struct parse s = {.a = a};
	size_t n = (size_t)(argc > 0 ? argc : 0) + 1;
	s.bases = ep_arena_array(arena, const char *, n);
	s.diff_bases = ep_arena_array(arena, const char *, n);
	if (!s.bases || !s.diff_bases)
		return ep_fail(err, -ENOMEM, 0, "out of memory");
	const struct ep_goflags f = {flag_kind, take_flag, &s};
	struct ep_slice unknown = {0};
	int rest, rc = ep_goflags_parse(&f, argc, argv, &rest, &unknown, err);
	if (rc == -ENOENT)
		return unknown_flag(unknown, err);
	EP_TRY(rc);
	a->sources = (const char **)(argv + rest);
	a->n_sources = (size_t)(argc - rest);
	return check(&s, notes, err);
}
