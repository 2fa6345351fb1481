/*
 * flags.c - see flags.h.  Knows nothing of any command.
 */
#include "cli/flags.h"

#include "base/clock.h"
#include "cli/configfile.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { MARGIN = 80, HELP_COLUMN = 27 }; /* of --help */

struct unit {
	const char *name;
	uint64_t factor;
};

/* Longer names first where one begins the other. */
static const struct unit time_units[] = {
	{"ns", 1},
	{"us", 1000},
	{"ms", EP_NS_PER_MS},
	{"s", EP_NS_PER_S},
	{"m", 60 * EP_NS_PER_S},
	{"h", 3600 * EP_NS_PER_S},
	{"d", 86400 * EP_NS_PER_S},
	{NULL, 0},
};

static const struct unit size_units[] = {
	{"kb", 1ull << 10},
	{"mb", 1ull << 20},
	{"gb", 1ull << 30},
	{"tb", 1ull << 40},
	{"kib", 1ull << 10},
	{"mib", 1ull << 20},
	{"gib", 1ull << 30},
	{"tib", 1ull << 40},
	{"k", 1ull << 10},
	{"m", 1ull << 20},
	{"g", 1ull << 30},
	{"t", 1ull << 40},
	{"b", 1},
	{"", 1},
	{NULL, 0},
};

static const struct unit *find_unit(const struct unit *units, const char *s, size_t n)
{
	for (; units->name; units++)
		if (strlen(units->name) == n && !strncasecmp(units->name, s, n))
			return units;
	return NULL;
}

/* One NUMBER[.FRACTION]UNIT at *s, added to *sum. */
static int add_term(const char **s, const struct unit *units, uint64_t *sum)
{
	if (!isdigit((unsigned char)**s))
		return -EINVAL;
	uint64_t whole = 0;
	for (; isdigit((unsigned char)**s); ++*s)
		if (__builtin_mul_overflow(whole, 10, &whole) ||
		    __builtin_add_overflow(whole, **s - '0', &whole))
			return -EINVAL;
	double fraction = 0, place = 0.1;
	if (**s == '.')
		for (++*s; isdigit((unsigned char)**s); ++*s, place /= 10)
			fraction += place * (**s - '0');
	size_t n = 0;
	while (isalpha((unsigned char)(*s)[n]))
		n++;
	const struct unit *u = find_unit(units, *s, n);
	*s += n;
	if (!u || __builtin_mul_overflow(whole, u->factor, &whole) ||
	    __builtin_add_overflow(*sum, whole, sum))
		return -EINVAL;
	return __builtin_add_overflow(*sum, (uint64_t)(fraction * u->factor + 0.5), sum)
		       ? -EINVAL
		       : 0;
}

int ep_flags_duration(const char *text, uint64_t *ret_ns)
{
	uint64_t sum = 0;
	if (!strcmp(text, "0")) {
		*ret_ns = 0;
		return 0;
	}
	do
		EP_TRY(add_term(&text, time_units, &sum));
	while (*text);
	*ret_ns = sum;
	return 0;
}

int ep_flags_size(const char *text, uint64_t *ret_bytes)
{
	uint64_t sum = 0;
	EP_TRY(add_term(&text, size_units, &sum));
	if (*text)
		return -EINVAL;
	*ret_bytes = sum;
	return 0;
}

static int set_int(const char *text, int64_t *to)
{
	char *end;
	errno = 0;
	long long v = strtoll(text, &end, 10);
	if (end == text || *end || errno)
		return -EINVAL;
	*to = v;
	return 0;
}

static int set_bool(const char *text, bool *to)
{
	bool yes = !strcmp(text, "true") || !strcmp(text, "yes") || !strcmp(text, "1");
	bool no = !strcmp(text, "false") || !strcmp(text, "no") || !strcmp(text, "0");
	if (!yes && !no)
		return -EINVAL;
	*to = yes;
	return 0;
}

int ep_flags_set(const struct ep_flag *g, const char *text)
{
	switch (g->kind) {
	case EP_FLAG_STRING:
		*(const char **)g->to = text;
		return 0;
	case EP_FLAG_DURATION:
		return ep_flags_duration(text, g->to);
	case EP_FLAG_SIZE:
		return ep_flags_size(text, g->to);
	case EP_FLAG_INT:
		return set_int(text, g->to);
	case EP_FLAG_BOOL:
		return set_bool(text, g->to);
	}
	return -EINVAL;
}

static const char *const wants[] = {
	[EP_FLAG_STRING] = "a text",
	[EP_FLAG_DURATION] = "a duration like 250ms, 10s or 24h",
	[EP_FLAG_SIZE] = "a size like 64MB or 2GB",
	[EP_FLAG_INT] = "a whole number",
	[EP_FLAG_BOOL] = "true or false",
};

const char *ep_flags_wants(enum ep_flag_kind kind)
{
	return wants[kind];
}

static const struct ep_flag *find_name(const struct ep_flags *f, const char *s,
				       size_t n)
{
	for (const struct ep_flag *g = f->flags; g->name; g++)
		if (strlen(g->name) == n && !memcmp(g->name, s, n))
			return g;
	return NULL;
}

static const struct ep_flag *find_letter(const struct ep_flags *f, char letter)
{
	for (const struct ep_flag *g = f->flags; g->name; g++)
		if (g->letter && g->letter == letter)
			return g;
	return NULL;
}

/* The flag at argv[*i] and its value; *i moves to the last argument it took. */
static int read_flag(const struct ep_flags *f, int argc, char **argv, int *i,
		     const struct ep_flag **ret_g, const char **ret_value,
		     struct ep_err *err)
{
	const char *a = argv[*i], *value = NULL;
	const struct ep_flag *g;
	if (a[1] == '-') {
		size_t n = strcspn(a + 2, "=");
		g = find_name(f, a + 2, n);
		if (a[2 + n])
			value = a + 3 + n;
	} else {
		g = find_letter(f, a[1]);
		if (a[2])
			value = a + 2 + (a[2] == '=');
	}
	if (!g)
		return ep_fail(err, -EINVAL, 0, "there is no flag \"%s\"", a);
	if (!value && g->kind == EP_FLAG_BOOL)
		value = "true";
	if (!value && *i + 1 < argc)
		value = argv[++*i];
	if (!value)
		return ep_fail(err, -EINVAL, 0, "%s wants %s", a, wants[g->kind]);
	*ret_g = g;
	*ret_value = value;
	return 0;
}

static bool is_flag(const char *a)
{
	return a[0] == '-' && a[1] && strcmp(a, "--") != 0;
}

/* One pass over argv.  With only_config, nothing but --config is looked at. */
static int pass(const struct ep_flags *f, int argc, char **argv, bool only_config,
		int *ret_rest, struct ep_err *err)
{
	int i = 1;
	for (; i < argc && is_flag(argv[i]); i++) {
		const char *name = argv[i], *value = NULL;
		const struct ep_flag *g = NULL;
		EP_TRY(read_flag(f, argc, argv, &i, &g, &value, err));
		if (only_config && !strcmp(g->name, "config"))
			EP_TRY(ep_configfile_read(f, value, err));
		if (!only_config && ep_flags_set(g, value) < 0)
			return ep_fail(err, -EINVAL, 0, "%.*s wants %s, not \"%s\"",
				       (int)strcspn(name, "="), name, wants[g->kind],
				       value);
	}
	*ret_rest = i < argc && !strcmp(argv[i], "--") ? i + 1 : i;
	return 0;
}

static bool asks_help(int argc, char **argv)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h"))
			return true;
	return false;
}

static bool asks_config(const struct ep_flags *f)
{
	const struct ep_flag *g = find_name(f, "print-config", 12);
	return g && *(const bool *)g->to;
}

int ep_flags_parse(const struct ep_flags *f, int argc, char **argv, int *ret_rest)
{
	struct ep_err err = {0};
	if (asks_help(argc, argv)) {
		ep_flags_print_help(f, stdout);
		return 0;
	}
	int rc = 0;
	if (find_name(f, "config", 6))
		rc = pass(f, argc, argv, true, ret_rest, &err);
	if (rc >= 0)
		rc = pass(f, argc, argv, false, ret_rest, &err);
	if (rc >= 0 && !f->synopsis && *ret_rest < argc)
		rc = ep_fail(&err, -EINVAL, 0, "it takes no argument, and got \"%s\"",
			     argv[*ret_rest]);
	if (rc >= 0 && asks_config(f)) {
		ep_configfile_print(f, stdout);
		return 0;
	}
	if (rc >= 0)
		return -1;
	fprintf(stderr, "everprof %s: %s", f->command, err.text);
	if (err.code == -EINVAL) /* else it is about a file, and help would not help */
		fprintf(stderr, "; see `everprof %s --help`", f->command);
	fputc('\n', stderr);
	return 2;
}

/*
 * Words up to the margin, further lines indented; ends the line.  A word is what
 * stands between blanks or line ends of the text.
 */
static void print_wrapped(const char *text, unsigned indent, FILE *to)
{
	unsigned at = indent;
	for (const char *s = text + strspn(text, " \n"); *s; s += strspn(s, " \n")) {
		unsigned n = (unsigned)strcspn(s, " \n");
		bool first = at == indent;
		if (!first && at + 1 + n > MARGIN) {
			fprintf(to, "\n%*s", (int)indent, "");
			at = indent;
			first = true;
		}
		fprintf(to, "%s%.*s", first ? "" : " ", (int)n, s);
		at += n + !first;
		s += n;
	}
	fputc('\n', to);
}

static void print_flag(const struct ep_flag *g, FILE *to)
{
	char letter[8] = "    ";
	if (g->letter)
		snprintf(letter, sizeof(letter), "-%c, ", g->letter);
	int n = fprintf(to, "  %s--%s%s%s", letter, g->name, g->arg ? " " : "",
			g->arg ? g->arg : "");
	if (n > HELP_COLUMN - 2)
		fprintf(to, "\n%*s", HELP_COLUMN, "");
	else
		fprintf(to, "%*s", HELP_COLUMN - n, "");
	print_wrapped(g->help, HELP_COLUMN, to);
}

void ep_flags_print_help(const struct ep_flags *f, FILE *to)
{
	const char *synopsis = f->synopsis ? f->synopsis : f->flags->name ? "[FLAGS]" : "";
	fprintf(to, "usage: everprof %s%s%s\n\n", f->command, *synopsis ? " " : "", synopsis);
	print_wrapped(f->about, 0, to);
	if (f->flags->name)
		fputs("\nflags:\n", to);
	for (const struct ep_flag *g = f->flags; g->name; g++)
		print_flag(g, to);
	if (f->examples)
		fprintf(to, "\nexamples:\n%s", f->examples);
}
