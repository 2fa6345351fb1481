/* goflags.c - see goflags.h.  Source: pkg.go.dev/flag, pkg.go.dev/strconv. */
#include "pprof/goflags.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

int ep_goflags_bool(const char *s, bool *ret)
{
	static const char *const yes[] = {"1", "t", "T", "true", "TRUE", "True"};
	static const char *const no[] = {"0", "f", "F", "false", "FALSE", "False"};
	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
		if (!strcmp(s, yes[i]) || !strcmp(s, no[i])) {
			*ret = !strcmp(s, yes[i]);
			return 0;
		}
	}
	return -EINVAL;
}

/* A sign, then 0x, 0o, 0b, 0 or nothing, then digits. */
int ep_goflags_int(const char *s, int64_t *ret)
{
	bool is_negative = *s == '-';
	s += *s == '-' || *s == '+';
	int base = 10;
	if (s[0] == '0' && s[1]) {
		int c = tolower((unsigned char)s[1]);
		base = c == 'x' ? 16 : c == 'b' ? 2 : 8;
		s += base != 8 || c == 'o' ? 2 : 1;
	}
	if (!isxdigit((unsigned char)*s))
		return -EINVAL;
	char *end;
	errno = 0;
	unsigned long long v = strtoull(s, &end, base);
	if (end == s || *end)
		return -EINVAL;
	if (errno || v > (unsigned long long)INT64_MAX + is_negative)
		return -E2BIG;
	*ret = is_negative ? (int64_t)(0 - v) : (int64_t)v;
	return 0;
}

int ep_goflags_float(const char *s, double *ret)
{
	char *end;
	double v = strtod(s, &end);
	if (end == s || *end || isspace((unsigned char)*s))
		return -EINVAL;
	if (isinf(v) && !strpbrk(s, "iI"))
		return -E2BIG;
	*ret = v;
	return 0;
}

static int read_value(enum ep_goflags_kind kind, struct ep_goflags_value *v)
{
	switch (kind) {
	case EP_GOFLAGS_BOOL:
		return ep_goflags_bool(v->s, &v->b);
	case EP_GOFLAGS_INT:
		return ep_goflags_int(v->s, &v->i);
	case EP_GOFLAGS_FLOAT:
		return ep_goflags_float(v->s, &v->f);
	default:
		return 0;
	}
}

static int bad_value(enum ep_goflags_kind kind, struct ep_slice name, const char *text,
		     int rc, struct ep_err *err)
{
	const char *why = rc == -E2BIG ? "value out of range" : "parse error";
	if (kind == EP_GOFLAGS_BOOL)
		return ep_fail(err, -EINVAL, 0,
			       "invalid boolean value \"%s\" for -%.*s: %s", text,
			       EP_SLICE_ARG(name), why);
	return ep_fail(err, -EINVAL, 0, "invalid value \"%s\" for flag -%.*s: %s", text,
		       EP_SLICE_ARG(name), why);
}

/* The flag at argv[*i], which moves to the last argument it took. */
static int parse_one(const struct ep_goflags *f, int argc, char **argv, int *i,
		     struct ep_slice *ret_unknown, struct ep_err *err)
{
	const char *arg = argv[*i];
	struct ep_slice name = {arg + 1 + (arg[1] == '-'), 0};
	name.n = strcspn(name.p, "=");
	if (name.n == 0 || name.p[0] == '-')
		return ep_fail(err, -EINVAL, 0, "bad flag syntax: %s", arg);
	struct ep_goflags_value v = {.s = name.p[name.n] ? name.p + name.n + 1 : NULL};
	enum ep_goflags_kind kind = f->kind(f->ctx, name);
	if (kind == EP_GOFLAGS_UNKNOWN) {
		*ret_unknown = name;
		if (ep_slice_is(name, "help") || ep_slice_is(name, "h"))
			return -ECANCELED;
		return ep_fail(err, -ENOENT, 0, "flag provided but not defined: -%.*s",
			       EP_SLICE_ARG(name));
	}
	if (!v.s && kind == EP_GOFLAGS_BOOL)
		v.s = "true";
	if (!v.s && *i + 1 < argc)
		v.s = argv[++*i];
	if (!v.s)
		return ep_fail(err, -EINVAL, 0, "flag needs an argument: -%.*s",
			       EP_SLICE_ARG(name));
	int rc = read_value(kind, &v);
	if (rc < 0)
		return bad_value(kind, name, v.s, rc, err);
	return f->take(f->ctx, name, &v, err);
}

int ep_goflags_parse(const struct ep_goflags *f, int argc, char **argv, int *ret_rest,
		     struct ep_slice *ret_unknown, struct ep_err *err)
{
	int i = 1;
	for (; i < argc && argv[i][0] == '-' && argv[i][1]; i++) {
		if (!strcmp(argv[i], "--")) {
			i++;
			break;
		}
		EP_TRY(parse_one(f, argc, argv, &i, ret_unknown, err));
	}
	*ret_rest = i;
	return 0;
}
