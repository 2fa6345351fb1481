/*
 * webjson.h - a tree of calls and its functions as JSON, in the forms of docs/api.md.
 */
#ifndef EP_PPROF_WEBJSON_H
#define EP_PPROF_WEBJSON_H

#include "codec/json.h"
#include "pprof/webtree.h"

struct ep_webjson_cut {
	uint32_t max_nodes; /* the heaviest stay, the rest is in `more`; 0: all stay */
	const struct ep_slice *path; /* names below the root: only what is under them */
	uint32_t n_path;
};

/* Append a tree under this key.  -ENOMEM.  Any thread. */
int ep_webjson_tree(struct ep_jsonw *w, const char *key, const struct ep_webtree *t,
		    const struct ep_webjson_cut *cut);

/* Append the functions, heaviest self first; `limit` of them, 0: all.  -ENOMEM. */
int ep_webjson_top(struct ep_jsonw *w, const struct ep_webtree *t, uint32_t limit);

#endif
