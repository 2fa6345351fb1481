/* command.c - see command.h. */
#include "pprof/command.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct words {
	struct ep_slice digits; /* of "top10": comes first */
	struct ep_slice rest;
};

struct ep_slice ep_command_word(struct ep_slice *rest)
{
	size_t at = 0, n = 0;
	while (at < rest->n && isspace((unsigned char)rest->p[at]))
		at++;
	while (at + n < rest->n && !isspace((unsigned char)rest->p[at + n]))
		n++;
	struct ep_slice word = {rest->p + at, n};
	*rest = (struct ep_slice){rest->p + at + n, rest->n - at - n};
	return word;
}

static struct ep_slice next(struct words *w)
{
	struct ep_slice digits = w->digits;
	w->digits.n = 0;
	return digits.n ? digits : ep_command_word(&w->rest);
}

/* "top10" is "top 10", when there is no command "top10". */
static struct ep_slice split_digits(struct ep_slice name, struct words *w)
{
	size_t n = name.n;
	while (n && isdigit((unsigned char)name.p[n - 1]))
		n--;
	if (n == 0 || n == name.n)
		return name;
	w->digits = (struct ep_slice){name.p + n, name.n - n};
	return (struct ep_slice){name.p, n};
}

/* As a Go string literal, so far as names need it. */
static const char *quoted(struct ep_slice s, char buf[160])
{
	size_t at = 0;
	buf[at++] = '"';
	for (size_t i = 0; i < s.n && at < 150; i++) {
		unsigned char c = (unsigned char)s.p[i];
		if (c == '"' || c == '\\')
			buf[at++] = '\\';
		if (c < ' ' || c == 127)
			at += (size_t)sprintf(buf + at, "\\x%02x", c);
		else
			buf[at++] = (char)c;
	}
	buf[at++] = '"';
	buf[at] = '\0';
	return buf;
}

static int no_command(struct ep_slice name, struct words *w, struct ep_err *err)
{
	const struct ep_vars_choice *choice;
	const struct ep_vars_field *f = ep_vars_find(name, &choice);
	char buf[160];
	if (!f || (f->kind == EP_VARS_CHOICE && !choice))
		return ep_fail(err, -EINVAL, 0, "unrecognized command: %s",
			       quoted(name, buf));
	struct ep_slice value = next(w);
	return ep_fail(err, -EINVAL, 0, "did you mean: %.*s=%.*s", EP_SLICE_ARG(name),
		       EP_SLICE_ARG(value.n ? value : ep_slice_of("<val>")));
}

static bool is_number(struct ep_slice s, int *ret)
{
	char text[16], *end;
	if (s.n == 0 || s.n >= sizeof(text) || isspace((unsigned char)s.p[0]))
		return false;
	memcpy(text, s.p, s.n);
	text[s.n] = '\0';
	long v = strtol(text, &end, 10);
	if (*end || v > INT32_MAX || v < INT32_MIN)
		return false;
	*ret = (int)v;
	return true;
}

/* a|b */
static void add_regex(struct ep_buf *b, struct ep_slice s)
{
	if (b->len && s.n)
		ep_buf_add_char(b, '|');
	ep_buf_add(b, s.p, s.n);
}

static int set(struct ep_vars *v, const char *name, struct ep_slice value,
	       struct ep_err *err)
{
	return ep_vars_set(v, ep_slice_of(name), value, err);
}

static int take_output(struct ep_slice word, struct words *w, struct ep_vars *v,
		       struct ep_err *err)
{
	struct ep_slice file = {word.p + 1, word.n - 1};
	if (!file.n)
		file = next(w);
	if (!file.n)
		return ep_fail(err, -EINVAL, 0, "unexpected end of line after >");
	return set(v, "output", file, err);
}

static int take_words(struct words *w, struct ep_vars *v, struct ep_buf *focus,
		      struct ep_buf *ignore, struct ep_err *err)
{
	for (struct ep_slice t; (t = next(w)).n;) {
		if (is_number(t, &v->o.nodecount))
			continue;
		if (t.p[0] == '>')
			EP_TRY(take_output(t, w, v, err));
		else if (ep_slice_is(t, "-cum") || ep_slice_is(t, "--cum"))
			EP_TRY(set(v, "sort", ep_slice_of("cum"), err));
		else if (t.p[0] == '-')
			add_regex(ignore, (struct ep_slice){t.p + 1, t.n - 1});
		else
			add_regex(focus, t);
	}
	return 0;
}

static int set_filters(struct ep_command_line *c, const struct ep_buf *focus,
		       const struct ep_buf *ignore, struct ep_err *err)
{
	bool is_tags = c->format->kind == EP_REPORT_TAGS;
	if (focus->len)
		EP_TRY(set(&c->vars, is_tags ? "tagfocus" : "focus",
			   (struct ep_slice){(const char *)focus->data, focus->len},
			   err));
	if (ignore->len)
		EP_TRY(set(&c->vars, is_tags ? "tagignore" : "ignore",
			   (struct ep_slice){(const char *)ignore->data, ignore->len},
			   err));
	return 0;
}

int ep_command_parse(struct ep_slice line, const struct ep_vars *vars,
		     struct ep_command_line *ret_c, struct ep_err *err)
{
	struct words w = {.rest = line};
	struct ep_command_line c = {.vars = *vars, .argument = ""};
	struct ep_slice name = next(&w);
	c.format = ep_formats_find(name);
	if (!c.format) {
		name = split_digits(name, &w);
		c.format = ep_formats_find(name);
	}
	if (!c.format)
		return no_command(name, &w, err);
	if (c.format->has_argument) {
		struct ep_slice a = next(&w);
		if (!a.n)
			return ep_fail(err, -EINVAL, 0,
				       "command %s requires an argument",
				       c.format->name);
		c.argument = ep_arena_copy(vars->strings, a.p, a.n);
		if (!c.argument)
			return ep_fail(err, -ENOMEM, 0, "out of memory");
	}
	ep_auto_buf focus, ignore;
	ep_buf_init(&focus, line.n + 1);
	ep_buf_init(&ignore, line.n + 1);
	EP_TRY(take_words(&w, &c.vars, &focus, &ignore, err));
	EP_TRY(set_filters(&c, &focus, &ignore, err));
	if (c.vars.o.nodecount == -1 && c.format->kind == EP_REPORT_TEXT)
		c.vars.o.nodecount = 10;
	*ret_c = c;
	return 0;
}
