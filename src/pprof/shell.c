/*
 * shell.c - see shell.h.  What is said, and where, is the reference's: remarks and help
 * on standard error, reports and the prompt on standard output.
 */
#include "pprof/shell.h"

#include "pprof/command.h"
#include "pprof/line.h"
#include "pprof/output.h"
#include "pprof/ui.h"
#include "report/prepare.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_TEXT = 1 << 20 };

static struct ep_slice trim(struct ep_slice s)
{
	while (s.n && isspace((unsigned char)s.p[0]))
		s = (struct ep_slice){s.p + 1, s.n - 1};
	while (s.n && isspace((unsigned char)s.p[s.n - 1]))
		s.n--;
	return s;
}

/* --- what it says -------------------------------------------------------------- */

static void greet(struct ep_session *s)
{
	struct ep_report_options o = ep_vars_options(&s->vars, EP_REPORT_TEXT, "");
	ep_auto(ep_report) r = NULL;
	if (ep_report_prepare_header(s->profile, &o, &r, NULL) >= 0) {
		ep_auto_buf text;
		ep_buf_init(&text, MAX_TEXT);
		ep_report_header_lines(r, &text);
		ep_ui_print(ep_buf_cstr(&text));
		if (r->total == 0 && s->profile->n_sample_types > 1) {
			ep_ui_print("No samples were found with the default sample "
				    "value type.");
			ep_ui_print("Try \"sample_index\" command to analyze different "
				    "sample "
				    "values.\n");
		}
	}
	ep_ui_print("Entering interactive mode (type \"help\" for commands, \"o\" for "
		    "options)");
}

static void add_types(const struct ep_profile *p, struct ep_buf *out)
{
	for (uint32_t i = 0; i < p->n_sample_types; i++)
		ep_buf_printf(out, "%s%.*s", i ? " | " : "",
			      EP_SLICE_ARG(p->strings[p->sample_types[i].type]));
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void add_choices(const struct ep_vars_field *f, struct ep_buf *out)
{
	const char *names[8];
	size_t n = 0;
	for (const struct ep_vars_choice *c = f->choices; c->name; c++)
		names[n++] = c->name;
	qsort(names, n, sizeof(names[0]), by_name);
	for (size_t i = 0; i < n; i++)
		ep_buf_printf(out, "%s%s", i ? " | " : "", names[i]);
}

static void option_line(const struct ep_session *s, const struct ep_vars_field *f,
			struct ep_buf *out)
{
	const struct ep_profile *p = s->profile;
	ep_auto_buf value, comment;
	ep_buf_init(&value, MAX_TEXT);
	ep_buf_init(&comment, MAX_TEXT);
	ep_vars_get(&s->vars, f, &value);
	bool is_unset = value.len == 0;
	if (f->choices) {
		ep_buf_add_str(&comment, "//: [");
		add_choices(f, &comment);
		ep_buf_add_char(&comment, ']');
		if (is_unset)
			ep_buf_add_str(&value, "(default)");
	} else if (!strcmp(f->name, "sample_index")) {
		ep_buf_add_str(&comment, "//: [");
		add_types(p, &comment);
		ep_buf_add_char(&comment, ']');
		if (is_unset && p->n_sample_types) {
			struct ep_slice last =
				p->strings[p->sample_types[p->n_sample_types - 1].type];
			ep_buf_add(&value, last.p, last.n);
		}
	} else if (!strcmp(f->name, "nodecount") && s->vars.o.nodecount == -1) {
		ep_buf_add_str(&comment, "//: default");
	} else if (is_unset) {
		ep_buf_add_str(&value, "\"\"");
	}
	ep_buf_printf(out, "  %-25s = %-20s %s\n", f->name, ep_buf_cstr(&value),
		      ep_buf_cstr(&comment));
}

/* Ours are listed once they are set, so that the list is else the reference's. */
static bool is_listed(const struct ep_session *s, const struct ep_vars_field *f)
{
	if (!strcmp(f->name, "source_path"))
		return false;
	if (!f->is_ours)
		return true;
	struct ep_vars plain;
	ep_vars_init(&plain, NULL);
	ep_auto_buf now, then;
	ep_buf_init(&now, MAX_TEXT);
	ep_buf_init(&then, MAX_TEXT);
	ep_vars_get(&s->vars, f, &now);
	ep_vars_get(&plain, f, &then);
	return strcmp(ep_buf_cstr(&now), ep_buf_cstr(&then)) != 0;
}

static void print_options(const struct ep_session *s)
{
	const struct ep_vars_field *sorted[64];
	size_t n = 0;
	for (const struct ep_vars_field *f = ep_vars_fields(); f->name; f++) {
		if (!is_listed(s, f))
			continue;
		size_t at = n++;
		for (; at && strcmp(sorted[at - 1]->name, f->name) > 0; at--)
			sorted[at] = sorted[at - 1];
		sorted[at] = f;
	}
	ep_auto_buf text;
	ep_buf_init(&text, MAX_TEXT);
	for (size_t i = 0; i < n; i++)
		option_line(s, sorted[i], &text);
	ep_ui_print(ep_buf_cstr(&text));
}

static void help_row(const char *name, const char *help, struct ep_buf *out)
{
	ep_buf_printf(out, "    %-20s %.*s\n", name, (int)strcspn(help, "\n"), help);
}

static void print_help(void)
{
	ep_auto_buf text;
	ep_buf_init(&text, MAX_TEXT);
	ep_buf_add_str(&text, "  Reports:\n");
	for (const struct ep_format *f = ep_formats_all(); f->name; f++)
		help_row(f->name, f->description, &text);
	ep_buf_add_str(&text, "\n  Options, set by NAME=VALUE:\n");
	for (const struct ep_vars_field *f = ep_vars_fields(); f->name; f++) {
		if (!f->choices)
			help_row(f->name, f->help, &text);
	}
	for (const struct ep_vars_field *f = ep_vars_fields(); f->name; f++) {
		if (!f->choices)
			continue;
		ep_buf_printf(&text, "\n  Values of %s:\n", f->name);
		for (const struct ep_vars_choice *c = f->choices; c->name; c++)
			help_row(c->name, c->help, &text);
	}
	ep_buf_add_str(&text, "\n  The shell:\n");
	help_row("o, options", "all options and their values", &text);
	help_row(":", "clear focus, ignore, hide, tagfocus and tagignore", &text);
	help_row("TYPE",
		 "the same as sample_index=TYPE; total_TYPE, mean_TYPE: without and "
		 "with "
		 "mean",
		 &text);
	help_row("help NAME", "more on a report or an option", &text);
	help_row("q, quit, exit, ^D", "leave", &text);
	ep_ui_print(ep_buf_cstr(&text));
}

static void help_on(const struct ep_session *s, struct ep_slice name)
{
	const struct ep_vars_choice *choice;
	const struct ep_format *format = ep_formats_find(name);
	const struct ep_vars_field *f = ep_vars_find(name, &choice);
	ep_auto_buf text;
	ep_buf_init(&text, MAX_TEXT);
	if (format) {
		ep_formats_help(format, &text);
	} else if (choice) {
		ep_buf_add_str(&text, choice->help);
	} else if (f && !f->choices) {
		ep_buf_add_str(&text, f->help);
		if (!strcmp(f->name, "sample_index")) {
			ep_buf_add_str(&text, "Types here: ");
			add_types(s->profile, &text);
		}
	} else {
		ep_buf_printf(&text, "Unknown command: %.*s", EP_SLICE_ARG(name));
		ep_ui_error(ep_buf_cstr(&text));
		return;
	}
	ep_ui_print(ep_buf_cstr(&text));
}

/* "help" with its words joined by single blanks. */
static void help(const struct ep_session *s, struct ep_slice rest)
{
	ep_auto_buf name;
	ep_buf_init(&name, MAX_TEXT);
	for (struct ep_slice w; (w = ep_command_word(&rest)).n;) {
		if (name.len)
			ep_buf_add_char(&name, ' ');
		ep_buf_add(&name, w.p, w.n);
	}
	if (name.len)
		help_on(s, (struct ep_slice){(const char *)name.data, name.len});
	else
		print_help();
}

/* --- assignments ---------------------------------------------------------------- */

/* A column by name or number; what is kept is the name. */
static int check_sample_index(const struct ep_session *s, struct ep_slice *value,
			      struct ep_err *err)
{
	const struct ep_profile *p = s->profile;
	const char *text = ep_arena_copy(s->vars.strings, value->p, value->n);
	uint32_t column;
	if (!text)
		return ep_fail(err, -ENOMEM, 0, "out of memory");
	EP_TRY(ep_report_column(p, text, &column, err));
	*value = p->strings[p->sample_types[column].type];
	return 0;
}

static struct ep_slice without_comment(struct ep_slice s)
{
	for (size_t i = s.n; i-- > 0;)
		if (s.n - i >= 3 && !memcmp(s.p + i, "//:", 3))
			return (struct ep_slice){s.p, i};
	return s;
}

/* NAME=VALUE, or a NAME that needs no value.  False: the line is something else. */
static bool assign(struct ep_session *s, struct ep_slice line)
{
	const char *eq = memchr(line.p, '=', line.n);
	struct ep_slice name = {line.p, eq ? (size_t)(eq - line.p) : line.n},
			value = {"", 0};
	name = trim(name);
	const struct ep_vars_choice *choice;
	if (!ep_vars_find(name, &choice))
		return false;
	struct ep_err err = {0};
	int rc = 0;
	if (eq)
		value = trim(without_comment(
			(struct ep_slice){eq + 1, (size_t)(line.p + line.n - eq - 1)}));
	else if (!ep_vars_is_bool(name))
		rc = ep_fail(&err, -EINVAL, 0,
			     "please specify a value, e.g. %.*s=<val>",
			     EP_SLICE_ARG(name));
	if (rc >= 0 && ep_slice_is(name, "sample_index"))
		rc = check_sample_index(s, &value, &err);
	if (rc >= 0)
		rc = ep_vars_set(&s->vars, name, value, &err);
	if (rc < 0)
		ep_ui_error(err.text);
	return true;
}

/* --- lines ---------------------------------------------------------------------- */

static void report(struct ep_session *s, struct ep_slice line)
{
	struct ep_command_line c;
	struct ep_err err = {0};
	int rc = ep_command_parse(line, &s->vars, &c, &err);
	if (rc >= 0)
		rc = ep_output_report(s, &c.vars, c.format, c.argument, &err);
	if (rc < 0)
		ep_ui_error(err.text);
}

/* False: leave the shell. */
static bool run_line(struct ep_session *s, struct ep_slice line)
{
	if (assign(s, line))
		return true;
	struct ep_slice rest = line, first = ep_command_word(&rest);
	if (ep_slice_is(first, "exit") || ep_slice_is(first, "quit") ||
	    ep_slice_is(first, "q"))
		return false;
	if (ep_slice_is(first, "o") || ep_slice_is(first, "options"))
		print_options(s);
	else if (ep_slice_is(first, "help"))
		help(s, rest);
	else if (first.n)
		report(s, line);
	return true;
}

/* A sample type by its name, with or without total_ or mean_ before it. */
static bool is_type(const struct ep_session *s, struct ep_slice word,
		    struct ep_slice *ret_type, int *ret_mean)
{
	static const char *const before[] = {"", "total_", "mean_"};
	/* The last type and the longest form win, as in the reference's table. */
	for (uint32_t i = s->profile->n_sample_types; i-- > 0;) {
		struct ep_slice type =
			s->profile->strings[s->profile->sample_types[i].type];
		for (int k = 2; k >= 0; k--) {
			size_t n = strlen(before[k]);
			if (word.n != n + type.n || memcmp(word.p, before[k], n) != 0 ||
			    memcmp(word.p + n, type.p, type.n) != 0)
				continue;
			*ret_type = type;
			*ret_mean = k == 0 ? -1 : k == 2;
			return true;
		}
	}
	return false;
}

static void choose_type(struct ep_session *s, struct ep_slice type, int mean)
{
	struct ep_err err = {0};
	if (mean >= 0)
		s->vars.o.mean = mean;
	struct ep_slice value = type;
	int rc = check_sample_index(s, &value, &err);
	if (rc >= 0)
		rc = ep_vars_set(&s->vars, ep_slice_of("sample_index"), value, &err);
	if (rc < 0)
		ep_ui_error(err.text);
}

static void clear_filters(struct ep_session *s)
{
	struct ep_report_options *o = &s->vars.o;
	o->focus = o->ignore = o->hide = o->tagfocus = o->tagignore = "";
}

static bool expand_and_run(struct ep_session *s, struct ep_slice line)
{
	struct ep_slice type;
	int mean;
	if (ep_slice_is(line, ":"))
		clear_filters(s);
	else if (is_type(s, line, &type, &mean))
		choose_type(s, type, mean);
	else
		return run_line(s, line);
	return true;
}

int ep_shell_run(struct ep_session *s, struct ep_err *err)
{
	ep_auto(ep_line_reader) reader = NULL;
	if (ep_line_open(s->profile, &reader) < 0)
		return ep_fail(err, -ENOMEM, 0, "out of memory");
	ep_ui_set_red(ep_line_is_edited(reader) && ep_ui_is_terminal(2));
	s->is_shell = true;
	s->vars.o.compact_labels = true;
	greet(s);
	struct ep_slice line;
	while (ep_line_read(reader, "(pprof) ", &line) > 0)
		if (!expand_and_run(s, trim(line)))
			break;
	return 0;
}
