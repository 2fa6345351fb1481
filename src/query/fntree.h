/*
 * fntree.h - the tree of functions of a dictionary, kept beside it.
 *
 * A node is (parent, function); a parent's id is below its children's.  It follows from
 * the dictionary and from the symbols known, not from a query: so it is made once, grows
 * with the dictionary, and is made again when other symbols are known.  A query adds its
 * weights by node.  How it grew does not show: nodes are numbered in the order of stacks.
 */
#ifndef EP_QUERY_FNTREE_H
#define EP_QUERY_FNTREE_H

#include "query/sums.h"

struct ep_fntree {
	struct ep_fns fns; /* [0] is the root's, "total" */
	uint32_t n, cap;
	uint32_t *parent; /* by node; node 0 is the root */
	struct ep_fntree_node {
		uint32_t fn;
		uint32_t first_child, next; /* inside: some of its children; 0: none */
	} *v;
	uint32_t *rank;	       /* by function: its place by name, after ep_fntree_rank() */
	/* Inside. */
	struct ep_index ix; /* the other children, by parent and function */
	uint32_t *order; /* functions by name */
	uint32_t n_ranked;
};

/* borrows: what is added lives longer than the tree, and is not copied.  -ENOMEM. */
int ep_fntree_init(struct ep_fntree *t, bool borrows);
void ep_fntree_fini(struct ep_fntree *t);
/* EP_INDEX_NONE when memory is short. */
uint32_t ep_fntree_child(struct ep_fntree *t, uint32_t parent, uint32_t fn);
/* -ENOMEM */
int ep_fntree_rank(struct ep_fntree *t);

/* That of one dictionary. */
struct ep_dicttree {
	struct ep_fntree t;
	struct ep_naming names;
	uint32_t *node; /* by stack: where its weight goes */
	uint32_t n, cap; /* stacks it knows */
};

int ep_dicttree_init(struct ep_dicttree *x, const struct ep_dict *d, struct ep_symcache *symbols);
void ep_dicttree_fini(struct ep_dicttree *x);
/*
 * Take in the stacks below n.
 * in       needed  by stack, their parents among them; NULL: all
 * errors   -ENOMEM
 */
int ep_dicttree_grow(struct ep_dicttree *x, uint32_t n, const uint8_t *needed);
size_t ep_dicttree_bytes(const struct ep_dicttree *x);

/* --- kept ones ---------------------------------------------------------------------------- */

struct ep_fntrees;
struct ep_fntrees_entry;

/*
 * ep_fntrees_new - trees of many dictionaries, made when they are first asked for.
 * in       max_bytes  what those may take that nobody uses; the one unused longest goes
 *                     first.  One that would be larger than all of it is not kept.
 * threads  all calls: any thread
 */
int ep_fntrees_new(size_t max_bytes, struct ep_fntrees **ret_c);
/* Nobody uses one. */
void ep_fntrees_free(struct ep_fntrees *c);
EP_DEFINE_AUTO(ep_fntrees);
/* Drop those that were not used for this long; what is left. */
size_t ep_fntrees_trim(struct ep_fntrees *c, uint64_t idle_ns);

/*
 * ep_fntrees_get - the tree of a dictionary with its stacks below n, with the symbols
 * known now.  It does not change until ep_fntrees_put(): a thread holds one at a time,
 * and not for long, since who finds it too small waits meanwhile.
 *
 * in       d       the caller keeps it alive until ep_fntrees_put()
 * out      *ret_e  NULL: it is not kept, make one yourself
 * errors   -ENOMEM
 */
int ep_fntrees_get(struct ep_fntrees *c, const struct ep_dict *d, uint32_t n,
		   struct ep_symcache *symbols, struct ep_fntrees_entry **ret_e,
		   const struct ep_dicttree **ret_x);
void ep_fntrees_put(struct ep_fntrees *c, struct ep_fntrees_entry *e);

#endif
