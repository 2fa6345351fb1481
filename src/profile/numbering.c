/* numbering.c - see numbering.h. */
#include "profile/numbering.h"

#include "base/hash.h"
#include "base/mem.h"

#include <errno.h>
#include <string.h>

int ep_numbering_init(struct ep_numbering *n, const struct ep_profile *p)
{
	*n = (struct ep_numbering){.p = p};
	n->to = ep_alloc(p->n_strings * sizeof(*n->to));
	n->order = ep_alloc(p->n_strings * sizeof(*n->order));
	if (!n->to || !n->order)
		return -ENOMEM;
	memset(n->to, 0xff, p->n_strings * sizeof(*n->to));
	(void)ep_numbering_of(n, 0); /* failed says it too */
	return n->failed ? -ENOMEM : 0;
}

void ep_numbering_fini(struct ep_numbering *n)
{
	ep_free(n->to);
	ep_free(n->order);
	ep_index_fini(&n->by_content);
}

ep_str ep_numbering_add(struct ep_numbering *n, ep_str old)
{
	struct ep_slice s = n->p->strings[old];
	uint64_t hash = ep_hash64(s.p, s.n);
	struct ep_index_iter it;
	for (uint32_t i = ep_index_first(&n->by_content, hash, &it); i != EP_INDEX_NONE;
	     i = ep_index_next(&n->by_content, &it))
		if (ep_slice_eq(n->p->strings[n->order[i]], s))
			return n->to[old] = i;
	if (ep_index_add(&n->by_content, hash, n->n) < 0) {
		n->failed = true;
		return n->to[old] = 0;
	}
	n->order[n->n] = old;
	return n->to[old] = n->n++;
}
