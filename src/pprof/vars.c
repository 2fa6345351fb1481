/* vars.c - see vars.h. */
#include "pprof/vars.h"

#include "pprof/goflags.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define AT(member) offsetof(struct ep_vars, member)

static const struct ep_vars_choice sorts[] = {
	{"cum", "By what a function and all it calls take\n", 0},
	{"flat", "By what a function itself takes\n", 1},
	{0},
};

static const struct ep_vars_choice granularities[] = {
	{"functions", "A row for each function name\n", EP_BY_FUNCTION},
	{"filefunctions", "A row for each function name and file\n",
	 EP_BY_FILEFUNCTION},
	{"files", "A row for each source file\n", EP_BY_FILE},
	{"lines", "A row for each source line\n", EP_BY_LINE},
	{"addresses", "A row for each address\n", EP_BY_ADDRESS},
	{0},
};

#define TAG_EXAMPLES                                                                   \
	"A range: 1kb, 1kb:10kb, 32mb:, :5ms; of one label: size=32mb:\n"              \
	"A regex: foo, foo.*bar; of one label: key=foo.*bar\n"
#define MATCHING "Names of functions, of source files and of binaries are tried.\n"

/* The names are the reference's and so is their order; the help is not. */
static const struct ep_vars_field fields[] = {
	{"output", EP_VARS_STRING, AT(output), NULL, false, false,
	 "File to write the report to; standard output without it\n", NULL},
	{"call_tree", EP_VARS_BOOL, AT(o.call_tree), "calltree", true, false,
	 "A tree of call paths: a function once for each way to it\n"
	 "Only graphs and callgrind show it.\n",
	 NULL},
	{"relative_percentages", EP_VARS_BOOL, AT(o.relative_percentages), "rel", true,
	 false,
	 "Percentages of what the filters leave\n"
	 "Without it they are of the whole profile, so that a filtered report\n"
	 "still tells how much of everything it is.\n",
	 NULL},
	{"unit", EP_VARS_STRING, AT(o.unit), "unit", true, false,
	 "Unit of the values: ms, s, kb, mb, ..., auto, minimum\n"
	 "auto scales each value by itself; minimum finds one unit for the "
	 "whole\n"
	 "report.  A unit of another family (seconds of bytes) changes "
	 "nothing.\n",
	 NULL},
	{"compact_labels", EP_VARS_BOOL, AT(o.compact_labels), "compact", true, false,
	 "Leave out the lines on file, type and time over a report\n", NULL},
	{"source_path", EP_VARS_STRING, AT(o.source_path), NULL, false, false,
	 "Folders with source files, by colons, each with its parents\n", NULL},
	{"trim_path", EP_VARS_STRING, AT(o.trim_path), NULL, false, false,
	 "Beginnings to cut off source paths, by colons\n", NULL},
	{"intel_syntax", EP_VARS_BOOL, AT(o.intel_syntax), "intel", true, false,
	 "Intel's syntax for assembly, in disasm and weblist\n", NULL},
	{"mean", EP_VARS_BOOL, AT(o.mean), "mean", true, false,
	 "Values divided by the first column: bytes an object, time a wait\n", NULL},
	{"sample_index", EP_VARS_STRING, AT(o.sample_index), "si", false, false,
	 "The column to report: a type's name, or a number from 0\n", NULL},
	{"divide_by", EP_VARS_FLOAT, AT(o.divide_by), NULL, false, false,
	 "Divide all values by this number\n"
	 "Say, by the number of machines that the profile was merged from.\n",
	 NULL},
	{"normalize", EP_VARS_BOOL, AT(o.normalize), "norm", true, false,
	 "Scale the profile to the total of its base\n", NULL},
	{"sort", EP_VARS_CHOICE, AT(sort), "sort", true, false, "", sorts},
	{"tagroot", EP_VARS_STRING, AT(o.tagroot), "tagroot", true, false,
	 "Labels whose values become frames at the root of stacks\n"
	 "Keys by commas; the first one is outermost.\n",
	 NULL},
	{"tagleaf", EP_VARS_STRING, AT(o.tagleaf), "tagleaf", true, false,
	 "Labels whose values become frames at the leaf of stacks\n"
	 "Keys by commas; the last one is innermost.\n",
	 NULL},
	{"drop_negative", EP_VARS_BOOL, AT(o.drop_negative), "dropneg", true, false,
	 "Leave out what became less than its base\n", NULL},
	{"nodecount", EP_VARS_INT, AT(o.nodecount), "n", true, false,
	 "At most so many functions; -1 is the report's own number\n"
	 "Graphs draw a dotted edge where a path leads over what was left "
	 "out.\n",
	 NULL},
	{"nodefraction", EP_VARS_FLOAT, AT(o.nodefraction), "nf", true, false,
	 "Leave out functions below this part of the total\n", NULL},
	{"edgefraction", EP_VARS_FLOAT, AT(o.edgefraction), "ef", true, false,
	 "Leave out edges below this part of the total\n", NULL},
	{"trim", EP_VARS_BOOL, AT(o.trim), "trim", true, false,
	 "Leave out what is small: nodecount, nodefraction, edgefraction\n"
	 "false shows everything.\n",
	 NULL},
	{"focus", EP_VARS_STRING, AT(o.focus), "f", true, false,
	 "Only stacks that go through a match of this regex\n" MATCHING, NULL},
	{"ignore", EP_VARS_STRING, AT(o.ignore), "i", true, false,
	 "No stacks that go through a match of this regex\n" MATCHING, NULL},
	{"prune_from", EP_VARS_STRING, AT(o.prune_from), "prunefrom", true, false,
	 "Cut stacks at a match of this regex: it and all it calls go\n", NULL},
	{"hide", EP_VARS_STRING, AT(o.hide), "h", true, false,
	 "Leave matching frames out of their stacks\n" MATCHING, NULL},
	{"show", EP_VARS_STRING, AT(o.show), "s", true, false,
	 "Leave all but matching frames out of their stacks\n" MATCHING, NULL},
	{"show_from", EP_VARS_STRING, AT(o.show_from), "sf", true, false,
	 "Cut what is above the outermost match of this regex\n"
	 "Stacks without a match go.\n" MATCHING,
	 NULL},
	{"tagfocus", EP_VARS_STRING, AT(o.tagfocus), "tf", true, false,
	 "Only samples with a label in a range, or matching a "
	 "regex\n" TAG_EXAMPLES,
	 NULL},
	{"tagignore", EP_VARS_STRING, AT(o.tagignore), "ti", true, false,
	 "No samples with a label in a range, or matching a "
	 "regex\n" TAG_EXAMPLES,
	 NULL},
	{"tagshow", EP_VARS_STRING, AT(o.tagshow), "ts", true, false,
	 "Only labels whose key matches this regex\n", NULL},
	{"taghide", EP_VARS_STRING, AT(o.taghide), "th", true, false,
	 "No labels whose key matches this regex\n", NULL},
	{"noinlines", EP_VARS_BOOL, AT(o.noinlines), "noinlines", true, false,
	 "Inlined functions count for the function they are in\n", NULL},
	{"showcolumns", EP_VARS_BOOL, AT(o.showcolumns), "showcolumns", true, false,
	 "Show columns beside line numbers\n", NULL},
	{"granularity", EP_VARS_CHOICE, AT(granularity), "g", true, false, "",
	 granularities},
	{"group_by", EP_VARS_STRING, AT(o.group_by), "groupby", true, true,
	 "Rows are the values of this label, not functions\n", NULL},
	{"json", EP_VARS_BOOL, AT(o.json), NULL, false, true,
	 "JSON, of the reports that have such a form\n", NULL},
	{0},
};

void ep_vars_init(struct ep_vars *c, struct ep_arena *strings)
{
	*c = (struct ep_vars){
		.output = "", .sort = 1, .granularity = -1, .strings = strings};
	ep_report_options_init(&c->o);
}

const struct ep_vars_field *ep_vars_fields(void)
{
	return fields;
}

const struct ep_vars_field *ep_vars_find(struct ep_slice name,
					 const struct ep_vars_choice **ret_choice)
{
	*ret_choice = NULL;
	for (const struct ep_vars_field *f = fields; f->name; f++) {
		if (ep_slice_is(name, f->name))
			return f;
		for (const struct ep_vars_choice *c = f->choices; c && c->name; c++)
			if (ep_slice_is(name, c->name)) {
				*ret_choice = c;
				return f;
			}
	}
	return NULL;
}

bool ep_vars_is_bool(struct ep_slice name)
{
	const struct ep_vars_choice *choice;
	const struct ep_vars_field *f = ep_vars_find(name, &choice);
	return f && (choice || f->kind == EP_VARS_BOOL);
}

static bool is_one_of(const char *s, const char *const *words)
{
	for (; *words; words++)
		if (!strcasecmp(s, *words))
			return true;
	return false;
}

static int set_bool(const char *text, bool *to, struct ep_err *err)
{
	static const char *const yes[] = {"true", "t", "yes", "y", "1", "", NULL};
	static const char *const no[] = {"false", "f", "no", "n", "0", NULL};
	if (!is_one_of(text, yes) && !is_one_of(text, no))
		return ep_fail(err, -EINVAL, 0,
			       "illegal value \"%s\" for bool variable", text);
	*to = is_one_of(text, yes);
	return 0;
}

/* With the words of the Go function that the reference calls. */
static int bad_number(const char *func, const char *text, int rc, struct ep_err *err)
{
	return ep_fail(err, -EINVAL, 0, "strconv.%s: parsing \"%s\": %s", func, text,
		       rc == -E2BIG ? "value out of range" : "invalid syntax");
}

static int set_int(const char *text, int *to, struct ep_err *err)
{
	int64_t v = 0;
	const char *digits = text + (*text == '-' || *text == '+');
	int rc = *digits && !digits[strspn(digits, "0123456789")] ? 0 : -EINVAL;
	digits += strspn(digits, "0"); /* not an octal number here */
	if (rc == 0 && *digits)
		rc = ep_goflags_int(digits, &v);
	if (rc == 0 && v > INT32_MAX)
		rc = -E2BIG;
	if (rc < 0)
		return bad_number("Atoi", text, rc, err);
	*to = (int)(*text == '-' ? -v : v);
	return 0;
}

static int set_float(const char *text, double *to, struct ep_err *err)
{
	int rc = ep_goflags_float(text, to);
	return rc < 0 ? bad_number("ParseFloat", text, rc, err) : 0;
}

static int set_choice(const struct ep_vars_field *f, const char *text, int *to,
		      struct ep_err *err)
{
	for (const struct ep_vars_choice *c = f->choices; c->name; c++)
		if (!strcmp(text, c->name)) {
			*to = c->value;
			return 0;
		}
	return ep_fail(err, -EINVAL, 0, "invalid \"%s\" value \"%s\"", f->name, text);
}

static int set_field(struct ep_vars *c, const struct ep_vars_field *f, const char *text,
		     struct ep_err *err)
{
	void *to = (char *)c + f->offset;
	switch (f->kind) {
	case EP_VARS_BOOL:
		return set_bool(text, to, err);
	case EP_VARS_INT:
		return set_int(text, to, err);
	case EP_VARS_FLOAT:
		return set_float(text, to, err);
	case EP_VARS_CHOICE:
		return set_choice(f, text, to, err);
	case EP_VARS_STRING:
		*(const char **)to = text;
		return 0;
	}
	return -EINVAL;
}

int ep_vars_set(struct ep_vars *c, struct ep_slice name, struct ep_slice value,
		struct ep_err *err)
{
	const struct ep_vars_choice *choice;
	const struct ep_vars_field *f = ep_vars_find(name, &choice);
	const char *text = ep_arena_copy(c->strings, value.p, value.n);
	if (!text)
		return ep_fail(err, -ENOMEM, 0, "out of memory");
	/* A choice by its name wants a plain yes, in Go's spelling. */
	static const char *const yes[] = {"1", "t", "true", NULL};
	if (!f || (choice && !is_one_of(text, yes)))
		return ep_fail(err, -EINVAL, 0, "unknown config field \"%.*s\"",
			       EP_SLICE_ARG(name));
	return set_field(c, f, choice ? choice->name : text, err);
}

void ep_vars_format_float(double v, struct ep_buf *out)
{
	char text[40];
	for (int digits = 1; digits <= 17; digits++) {
		snprintf(text, sizeof(text), "%.*e", digits - 1, v);
		if (strtod(text, NULL) == v)
			break;
	}
	int exponent = 0;
	const char *e = strchr(text, 'e');
	if (e)
		exponent = atoi(e + 1);
	if (!e || exponent < -4 || exponent >= 21) {
		ep_buf_add_str(out, text);
		return;
	}
	size_t mantissa = strcspn(text, ".e") == strcspn(text, "e")
				  ? 0
				  : (size_t)(e - strchr(text, '.') - 1);
	int places = (int)mantissa - exponent;
	ep_buf_printf(out, "%.*f", places > 0 ? places : 0, v);
}

void ep_vars_get(const struct ep_vars *c, const struct ep_vars_field *f,
		 struct ep_buf *out)
{
	const void *from = (const char *)c + f->offset;
	switch (f->kind) {
	case EP_VARS_BOOL:
		ep_buf_add_str(out, *(const bool *)from ? "true" : "false");
		return;
	case EP_VARS_INT:
		ep_buf_printf(out, "%d", *(const int *)from);
		return;
	case EP_VARS_FLOAT:
		ep_vars_format_float(*(const double *)from, out);
		return;
	case EP_VARS_STRING:
		ep_buf_add_str(out, *(const char *const *)from);
		return;
	case EP_VARS_CHOICE:
		for (const struct ep_vars_choice *k = f->choices; k->name; k++)
			if (k->value == *(const int *)from)
				ep_buf_add_str(out, k->name);
	}
}

struct ep_report_options ep_vars_options(const struct ep_vars *c,
					 enum ep_report_kind kind, const char *argument)
{
	struct ep_report_options o = c->o;
	o.kind = kind;
	o.argument = argument;
	o.cum_sort = c->sort == sorts[0].value;
	o.granularity = c->granularity < 0 ? EP_BY_FUNCTION
					   : (enum ep_granularity)c->granularity;
	return o;
}
