/* units.c - see units.h.  Source: google/pprof internal/measurement. */
#include "profile/units.h"

#include <math.h>
#include <stdio.h>

struct unit {
	const char *name;	/* as printed */
	const char *aliases[4]; /* lower case, without the s of a plural */
	double size;
};

enum { MAX_UNITS = 9 };

struct family {
	const char *base; /* for values below 1 of everything */
	double base_size;
	struct unit units[MAX_UNITS + 1]; /* rising; ends with no name */
};

static const struct family families[] = {
	{"B",
	 1,
	 {{"B", {"b", "byte"}, 1},
	  {"kB", {"kb", "kbyte", "kilobyte"}, 0x1p10},
	  {"MB", {"mb", "mbyte", "megabyte"}, 0x1p20},
	  {"GB", {"gb", "gbyte", "gigabyte"}, 0x1p30},
	  {"TB", {"tb", "tbyte", "terabyte"}, 0x1p40},
	  {"PB", {"pb", "pbyte", "petabyte"}, 0x1p50}}},
	/* No minutes.  The reference's alias with a mu is never found: the s of a plural
	 * is cut off it first. */
	{"s",
	 1e9,
	 {{"ns", {"ns", "nanosecond"}, 1},
	  {"us", {"μs", "us", "microsecond"}, 1e3},
	  {"ms", {"ms", "millisecond"}, 1e6},
	  {"s", {"s", "sec", "second"}, 1e9},
	  {"hrs", {"hour", "hr"}, 3600e9}}},
	{"GCU",
	 1,
	 {{"n*GCU", {"nanogcu"}, 1e-9},
	  {"u*GCU", {"microgcu"}, 1e-6},
	  {"m*GCU", {"milligcu"}, 1e-3},
	  {"GCU", {"gcu"}, 1},
	  {"k*GCU", {"kilogcu"}, 1e3},
	  {"M*GCU", {"megagcu"}, 1e6},
	  {"G*GCU", {"gigagcu"}, 1e9},
	  {"T*GCU", {"teragcu"}, 1e12},
	  {"P*GCU", {"petagcu"}, 1e15}}},
};
enum { N_FAMILIES = sizeof(families) / sizeof(*families), LONGEST_ALIAS = 16 };

/* In small letters and the singular; false when it is longer than any. */
static bool normalize(struct ep_slice name, char ret[LONGEST_ALIAS + 2])
{
	if (name.n > LONGEST_ALIAS)
		return false;
	for (size_t i = 0; i < name.n; i++) {
		char c = name.p[i];
		ret[i] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
	}
	size_t n = name.n;
	if (n > 2 && ret[n - 1] == 's')
		n--;
	ret[n] = '\0';
	return true;
}

static const struct unit *find_in(const struct family *f, const char *alias)
{
	for (const struct unit *u = f->units; u->name; u++)
		for (size_t i = 0; i < 4 && u->aliases[i]; i++)
			if (!strcmp(u->aliases[i], alias))
				return u;
	return NULL;
}

static const struct unit *find(struct ep_slice name, int family)
{
	char alias[LONGEST_ALIAS + 2];
	return normalize(name, alias) ? find_in(&families[family], alias) : NULL;
}

static const struct unit *find_any(struct ep_slice name, int *ret_family)
{
	char alias[LONGEST_ALIAS + 2];
	if (!normalize(name, alias))
		return NULL;
	for (int i = 0; i < N_FAMILIES; i++) {
		const struct unit *u = find_in(&families[i], alias);
		if (u) {
			*ret_family = i;
			return u;
		}
	}
	return NULL;
}

static bool is_automatic(struct ep_slice to)
{
	return ep_slice_is(to, "minimum") || ep_slice_is(to, "auto");
}

/* A unit nobody knows is only printed if it was asked for and says something. */
static struct ep_slice unknown_unit(struct ep_slice to)
{
	bool plain = is_automatic(to) || ep_slice_is(to, "count") ||
		     ep_slice_is(to, "sample") || ep_slice_is(to, "unit");
	return plain ? ep_slice_of("") : to;
}

struct ep_units_pair ep_units_pair(struct ep_slice from, struct ep_slice to)
{
	struct ep_units_pair p = {1, 1, ep_slice_of(""), -1, false};
	const struct unit *u = find_any(from, &p.family);
	if (!u) {
		p.unit = unknown_unit(to);
		return p;
	}
	p.from = u->size;
	p.automatic = is_automatic(to);
	const struct unit *t = p.automatic ? NULL : find(to, p.family);
	p.to = t ? t->size : families[p.family].base_size;
	p.unit = ep_slice_of(t ? t->name : families[p.family].base);
	return p;
}

static double choose(const struct ep_units_pair *p, double base, struct ep_slice *ret_unit)
{
	const struct unit *best = NULL;
	for (const struct unit *u = families[p->family].units; u->name; u++)
		if (base / u->size >= 1)
			best = u;
	*ret_unit = best ? ep_slice_of(best->name) : p->unit;
	return base / (best ? best->size : p->to);
}

double ep_units_convert(const struct ep_units_pair *p, int64_t value,
			struct ep_slice *ret_unit)
{
	*ret_unit = p->unit;
	if (p->family < 0)
		return (double)value;
	/* The smallest number has no positive one. */
	bool negative = value < 0 && value != INT64_MIN;
	double base = (double)(negative ? -value : value) * p->from;
	double v = p->automatic ? choose(p, base, ret_unit) : base / p->to;
	return negative ? -v : v;
}

double ep_units_scale(int64_t value, struct ep_slice from, struct ep_slice to,
		      struct ep_slice *ret_unit)
{
	struct ep_units_pair p = ep_units_pair(from, to);
	return ep_units_convert(&p, value, ret_unit);
}

char *ep_units_pair_label(char buf[EP_UNITS_LABEL_MAX], const struct ep_units_pair *p,
			  int64_t value)
{
	struct ep_slice unit;
	double v = ep_units_convert(p, value, &unit);
	char number[64]; /* 19 digits and the 24 of PGCU in nGCU */
	size_t n = (size_t)snprintf(number, sizeof(number), "%.2f", v);
	if (n > 3 && !strcmp(number + n - 3, ".00"))
		number[n - 3] = '\0';
	if (!strcmp(number, "0") || !strcmp(number, "-0"))
		snprintf(buf, EP_UNITS_LABEL_MAX, "0");
	else
		snprintf(buf, EP_UNITS_LABEL_MAX, "%s%.*s", number, EP_SLICE_ARG(unit));
	return buf;
}

char *ep_units_label(char buf[EP_UNITS_LABEL_MAX], int64_t value, struct ep_slice from,
		     struct ep_slice to)
{
	struct ep_units_pair p = ep_units_pair(from, to);
	return ep_units_pair_label(buf, &p, value);
}

char *ep_units_percent(char buf[EP_UNITS_LABEL_MAX], int64_t value, int64_t total)
{
	double r = total ? fabs((double)value / (double)total) * 100 : 0;
	if (r >= 99.95 && r <= 100.05)
		snprintf(buf, EP_UNITS_LABEL_MAX, "  100%%");
	else
		snprintf(buf, EP_UNITS_LABEL_MAX, r >= 1 ? "%5.2f%%" : "%5.2g%%", r);
	return buf;
}

bool ep_units_are_related(struct ep_slice a, struct ep_slice b)
{
	int fa = 0, fb = 0;
	return ep_slice_eq(a, b) ||
	       (find_any(a, &fa) && find_any(b, &fb) && fa == fb);
}
