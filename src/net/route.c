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

const struct ep_route *ep_route_find(const struct ep_route_table *tables, size_t n_tables,
				     const struct ep_http *x, void **ret_room,
				     int *ret_status, const char **ret_allow)
{
	const struct ep_route *best = NULL;
	size_t best_fit = 0;
	*ret_status = 404;
	for (size_t t = 0; t < n_tables; t++)
		for (size_t i = 0; i < tables[t].n; i++) {
			const struct ep_route *r = &tables[t].routes[i];
			size_t fit = fits(r->path, x->path);
			if (fit < best_fit || !fit)
				continue;
			if (!takes(r->method, x->method)) {
				if (!best || fit > best_fit) {
					*ret_status = 405;
					*ret_allow = r->method;
				}
				continue;
			}
			if (best && fit == best_fit)
				continue;
			best = r;
			best_fit = fit;
			*ret_room = tables[t].room;
		}
	return best;
}
