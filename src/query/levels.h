/*
 * levels.h - a tree as rows of bars: the flame graph form of Pyroscope's API.
 *
 * One tree gives groups of 4 per bar, a diff groups of 7.  Offsets are deltas to
 * the end of the previous bar of the level.  What a tree left out (`more`)
 * becomes one last sibling "other".
 * Source: spec of querier.v1, FlameGraph.levels and FlameGraphDiff.levels.
 */
#ifndef EP_QUERY_LEVELS_H
#define EP_QUERY_LEVELS_H

#include "query/result.h"

struct ep_level {
	int64_t *values;
	uint32_t n; /* numbers, not bars */
};

struct ep_levels {
	struct ep_arena *arena;
	struct ep_slice *names; /* distinct; [0] is "total" */
	uint32_t n_names;
	struct ep_level *levels;
	uint32_t n_levels;
	int64_t total, max_self;
	int64_t left_ticks, right_ticks; /* of a diff */
};

/*
 * ep_levels_new - lay out a tree.
 *
 * out      an empty tree (total 0) gives no names and no levels
 * errors   -ENOMEM
 * owns     the caller frees with ep_levels_free(); names point into the tree
 * threads  any thread
 */
int ep_levels_new(const struct ep_tree *t, struct ep_levels **ret_l);
void ep_levels_free(struct ep_levels *l);
EP_DEFINE_AUTO(ep_levels);

#endif
