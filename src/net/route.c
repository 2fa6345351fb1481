/* route.c - see route.h. */
#include "net/route.h"

#include <string.h>

/* How well a pattern fits: 0 not at all, else its length; an exact one fits best. */
static size_t fits(const char *pattern, struct ep_slice path)
{
	size_t n = strlen(pattern);
	if (n && pattern[n - 1] == '*')
		return path.n >= n - 1 && !memcmp(path.p, pattern, n - 1) ? n : 0;
	return ep_slice_is(path, pattern) ? SIZE_MAX : 0;
}

static bool takes(const char *methods, struct ep_slice method)
{
	if (ep_slice_is(method, "HEAD"))
		method = ep_slice_of("GET");
	for (const char *at = methods; *at;) {
		size_t n = strcspn(at, "|");
		if (ep_slice_eq((struct ep_slice){at, n}, method))
			return true;
		at += n + (at[n] == '|');
	}
	return false;
}

/* The best fit of all rows, whatever their methods. */
static size_t best_fit(const struct ep_route_table *tables, size_t n_tables,
		       struct ep_slice path)
{
	size_t best = 0;
	for (size_t t = 0; t < n_tables; t++)
		for (size_t i = 0; i < tables[t].n; i++) {
			size_t fit = fits(tables[t].routes[i].path, path);
			best = fit > best ? fit : best;
		}
	return best;
}

const struct ep_route *ep_route_find(const struct ep_route_table *tables, size_t n_tables,
				     const struct ep_http *x, void **ret_room,
				     int *ret_status, const char **ret_allow)
{
	size_t best = best_fit(tables, n_tables, x->path);
	*ret_status = best ? 405 : 404;
	for (size_t t = 0; best && t < n_tables; t++)
		for (size_t i = 0; i < tables[t].n; i++) {
			const struct ep_route *r = &tables[t].routes[i];
			if (fits(r->path, x->path) != best)
				continue;
			*ret_allow = r->method;
			*ret_room = tables[t].room;
			if (takes(r->method, x->method))
				return r;
		}
	return NULL;
}
