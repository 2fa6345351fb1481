/* vars.c - see vars.h. */
#include "pprof/vars.h"

#include <ctype.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define AT(member) offsetof(struct ep_vars, member)

static const struct ep_vars_choice sorts[] = {
	{"cum", "Sort entries based on cumulative weight\n", 0},
	{"flat", "Sort entries based on own weight\n", 1},
	{0},
};

static const struct ep_vars_choice granularities[] = {
	{"functions",
	 "Aggregate at the function level.\n"
	 "Ignores the filename where the function was defined.\n",
	 EP_BY_FUNCTION},
	{"filefunctions",
	 "Aggregate at the function level.\n"
	 "Takes into account the filename where the function was defined.\n",
	 EP_BY_FILEFUNCTION},
	{"files", "Aggregate at the file level.", EP_BY_FILE},
	{"lines", "Aggregate at the source code line level.", EP_BY_LINE},
	{"addresses",
	 "Aggregate at the address level.\n"
	 "Includes functions' addresses in the output.\n",
	 EP_BY_ADDRESS},
	{0},
};

#define TAG_EXAMPLES                                                                   \
	"Use name=value syntax to limit the matching to a specific tag.\n"             \
	"Numeric tag filter examples: 1kb, 1kb:10kb, memory=32mb:\n"                   \
	"String tag filter examples: foo, foo.*bar, mytag=foo.*bar\n"
#define MATCHING "Matching includes the function name, filename or object name.\n"

/* The help is what the reference's shell prints: its users, and tests, compare it. */
static const struct ep_vars_field fields[] = {
	{"output", EP_VARS_STRING, AT(output), NULL, false, false,
	 "Output filename for file-based outputs\n", NULL},
	{"call_tree", EP_VARS_BOOL, AT(o.call_tree), "calltree", true, false,
	 "Create a context-sensitive call tree\n"
	 "Treat locations reached through different paths as separate.\n",
	 NULL},
	{"relative_percentages", EP_VARS_BOOL, AT(o.relative_percentages), "rel", true,
	 false,
	 "Show percentages relative to focused subgraph\n"
	 "If unset, percentages are relative to full graph before focusing\n"
	 "to facilitate comparison with original graph.\n",
	 NULL},
	{"unit", EP_VARS_STRING, AT(o.unit), "unit", true, false,
	 "Measurement units to display\n"
	 "Scale the sample values to this unit.\n"
	 "For time-based profiles, use seconds, milliseconds, nanoseconds, etc.\n"
	 "For memory profiles, use megabytes, kilobytes, bytes, etc.\n"
	 "Using auto will scale each value independently to the most natural unit.\n",
	 NULL},
	{"compact_labels", EP_VARS_BOOL, AT(o.compact_labels), "compact", true, false,
	 "Show minimal headers", NULL},
	{"source_path", EP_VARS_STRING, AT(o.source_path), NULL, false, false,
	 "Search path for source files", NULL},
	{"trim_path", EP_VARS_STRING, AT(o.trim_path), NULL, false, false,
	 "Path to trim from source paths before search", NULL},
	{"intel_syntax", EP_VARS_BOOL, AT(o.intel_syntax), "intel", true, false,
	 "Show assembly in Intel syntax\n"
	 "Only applicable to commands `disasm` and `weblist`\n",
	 NULL},
	{"mean", EP_VARS_BOOL, AT(o.mean), "mean", true, false,
	 "Average sample value over first value (count)\n"
	 "For memory profiles, report average memory per allocation.\n"
	 "For time-based profiles, report average time per event.\n",
	 NULL},
	{"sample_index", EP_VARS_STRING, AT(o.sample_index), "si", false, false,
	 "Sample value to report (0-based index or name)\n"
	 "Profiles contain multiple values per sample.\n"
	 "Use sample_index=i to select the ith value (starting at 0).\n",
	 NULL},
	{"divide_by", EP_VARS_FLOAT, AT(o.divide_by), NULL, false, false,
	 "Ratio to divide all samples before visualization\n"
	 "Divide all samples values by a constant, eg the number of processors or "
	 "jobs.\n",
	 NULL},
	{"normalize", EP_VARS_BOOL, AT(o.normalize), "norm", true, false,
	 "Scales profile based on the base profile.\n", NULL},
	{"sort", EP_VARS_CHOICE, AT(sort), "sort", true, false, "", sorts},
	{"tagroot", EP_VARS_STRING, AT(o.tagroot), NULL, true, false,
	 "Adds pseudo stack frames for labels key/value pairs at the callstack root.\n"
	 "A comma-separated list of label keys.\n"
	 "The first key creates frames at the new root.\n",
	 NULL},
	{"tagleaf", EP_VARS_STRING, AT(o.tagleaf), NULL, true, false,
	 "Adds pseudo stack frames for labels key/value pairs at the callstack leaf.\n"
	 "A comma-separated list of label keys.\n"
	 "The last key creates frames at the new leaf.\n",
	 NULL},
	{"drop_negative", EP_VARS_BOOL, AT(o.drop_negative), "dropneg", true, false,
	 "Ignore negative differences\n"
	 "Do not show any locations with values <0.\n",
	 NULL},
	{"nodecount", EP_VARS_INT, AT(o.nodecount), "n", true, false,
	 "Max number of nodes to show\n"
	 "Uses heuristics to limit the number of locations to be displayed.\n"
	 "On graphs, dotted edges represent paths through nodes that have been "
	 "removed.\n",
	 NULL},
	{"nodefraction", EP_VARS_FLOAT, AT(o.nodefraction), "nf", true, false,
	 "Hide nodes below <f>*total", NULL},
	{"edgefraction", EP_VARS_FLOAT, AT(o.edgefraction), "ef", true, false,
	 "Hide edges below <f>*total", NULL},
	{"trim", EP_VARS_BOOL, AT(o.trim), "trim", true, false,
	 "Honor nodefraction/edgefraction/nodecount defaults\n"
	 "Set to false to get the full profile, without any trimming.\n",
	 NULL},
	{"focus", EP_VARS_STRING, AT(o.focus), "f", true, false,
	 "Restricts to samples going through a node matching regexp\n"
	 "Discard samples that do not include a node matching this regexp.\n" MATCHING,
	 NULL},
	{"ignore", EP_VARS_STRING, AT(o.ignore), "i", true, false,
	 "Skips paths going through any nodes matching regexp\n"
	 "If set, discard samples that include a node matching this regexp.\n" MATCHING,
	 NULL},
	{"prune_from", EP_VARS_STRING, AT(o.prune_from), "prunefrom", true, false,
	 "Drops any functions below the matched frame.\n"
	 "If set, any frames matching the specified regexp and any frames\n"
	 "below it will be dropped from each sample.\n",
	 NULL},
	{"hide", EP_VARS_STRING, AT(o.hide), "h", true, false,
	 "Skips nodes matching regexp\n"
	 "Discard nodes that match this location.\n"
	 "Other nodes from samples that include this location will be "
	 "shown.\n" MATCHING,
	 NULL},
	{"show", EP_VARS_STRING, AT(o.show), "s", true, false,
	 "Only show nodes matching regexp\n"
	 "If set, only show nodes that match this location.\n" MATCHING,
	 NULL},
	{"show_from", EP_VARS_STRING, AT(o.show_from), "sf", true, false,
	 "Drops functions above the highest matched frame.\n"
	 "If set, all frames above the highest match are dropped from every "
	 "sample.\n" MATCHING,
	 NULL},
	{"tagfocus", EP_VARS_STRING, AT(o.tagfocus), "tf", true, false,
	 "Restricts to samples with tags in range or matched by regexp\n" TAG_EXAMPLES,
	 NULL},
	{"tagignore", EP_VARS_STRING, AT(o.tagignore), "ti", true, false,
	 "Discard samples with tags in range or matched by regexp\n" TAG_EXAMPLES,
	 NULL},
	{"tagshow", EP_VARS_STRING, AT(o.tagshow), "ts", true, false,
	 "Only consider tags matching this regexp\n"
	 "Discard tags that do not match this regexp\n",
	 NULL},
	{"taghide", EP_VARS_STRING, AT(o.taghide), "th", true, false,
	 "Skip tags matching this regexp\n"
	 "Discard tags that match this regexp\n",
	 NULL},
	{"noinlines", EP_VARS_BOOL, AT(o.noinlines), "noinlines", true, false,
	 "Ignore inlines.\n"
	 "Attributes inlined functions to their first out-of-line caller.\n",
	 NULL},
	{"showcolumns", EP_VARS_BOOL, AT(o.showcolumns), "showcolumns", true, false,
	 "Show column numbers at the source code line level.\n", NULL},
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
	for (const struct ep_vars_field *f = fields; f->name; f++) {
		if (ep_slice_is(name, f->name)) {
			*ret_choice = NULL;
			return f;
		}
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

/* Go's strconv.Atoi, with its words. */
static int set_int(const char *text, int *to, struct ep_err *err)
{
	char *end;
	errno = 0;
	long long v = strtoll(text, &end, 10);
	if (end == text || *end || isspace((unsigned char)text[0]))
		return ep_fail(err, -EINVAL, 0,
			       "strconv.Atoi: parsing \"%s\": invalid syntax", text);
	if (errno || v > INT_MAX || v < INT_MIN)
		return ep_fail(err, -EINVAL, 0,
			       "strconv.Atoi: parsing \"%s\": value out of range",
			       text);
	*to = (int)v;
	return 0;
}

static int set_float(const char *text, double *to, struct ep_err *err)
{
	char *end;
	double v = strtod(text, &end);
	if (end == text || *end || isspace((unsigned char)text[0]))
		return ep_fail(err, -EINVAL, 0,
			       "strconv.ParseFloat: parsing \"%s\": invalid syntax",
			       text);
	*to = v;
	return 0;
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
