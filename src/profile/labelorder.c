/* labelorder.c - see labelorder.h. */
#include "profile/labelorder.h"

#include "base/mem.h"

#include <string.h>

void ep_labelorder_fini(struct ep_labelorder *o)
{
	ep_free(o->last);
	ep_free(o->sorted);
	ep_free(o->from);
	*o = (struct ep_labelorder){0};
}

static bool make_room(struct ep_labelorder *o, uint32_t n)
{
	if (n <= o->cap)
		return true;
	ep_labelorder_fini(o);
	uint32_t cap = n < 8 ? 8 : n;
	o->last = ep_alloc(cap * sizeof(*o->last));
	o->sorted = ep_alloc(cap * sizeof(*o->sorted));
	o->from = ep_alloc(cap * sizeof(*o->from));
	if (!o->last || !o->sorted || !o->from) {
		ep_labelorder_fini(o);
		return false;
	}
	o->cap = cap;
	return true;
}

static bool is_as_before(const struct ep_labelorder *o, const struct ep_label *labels,
			 uint32_t n)
{
	if (n != o->n)
		return false;
	for (uint32_t i = 0; i < n; i++)
		if (labels[i].key != o->last[i].key || !labels[i].str != !o->last[i].str)
			return false;
	return true;
}

static int compare(const struct ep_slice *strings, const struct ep_label *a,
		   const struct ep_label *b)
{
	if (!a->str != !b->str)
		return a->str ? -1 : 1;
	return a->key == b->key ? 0 : ep_slice_cmp(strings[a->key], strings[b->key]);
}

static void find_order(struct ep_labelorder *o, const struct ep_slice *strings)
{
	o->is_sorted = true;
	for (uint32_t i = 0; i < o->n; i++) {
		uint32_t k = i;
		for (; k && compare(strings, &o->last[o->from[k - 1]], &o->last[i]) > 0; k--)
			o->from[k] = o->from[k - 1];
		o->from[k] = i;
		o->is_sorted &= k == i;
	}
}

const struct ep_label *ep_labelorder_sort(struct ep_labelorder *o,
					  const struct ep_slice *strings,
					  const struct ep_label *labels, uint32_t n)
{
	if (n < 2)
		return labels;
	if (!is_as_before(o, labels, n)) {
		if (!make_room(o, n))
			return NULL;
		memcpy(o->last, labels, n * sizeof(*labels));
		o->n = n;
		find_order(o, strings);
	}
	if (o->is_sorted)
		return labels;
	for (uint32_t i = 0; i < n; i++)
		o->sorted[i] = labels[o->from[i]];
	return o->sorted;
}
