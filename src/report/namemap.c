/* namemap.c - see namemap.h. */
#include "report/namemap.h"

#include "base/hash.h"
#include "base/mem.h"

uint32_t ep_namemap_find(const struct ep_namemap *m, struct ep_slice key)
{
	struct ep_index_iter it;
	for (uint32_t i = ep_index_first(&m->by_key, ep_hash64(key.p, key.n), &it);
	     i != EP_INDEX_NONE; i = ep_index_next(&m->by_key, &it))
		if (ep_slice_eq(m->keys[i], key))
			return i;
	return EP_INDEX_NONE;
}

static int grow(struct ep_namemap *m)
{
	uint32_t cap = m->cap ? m->cap * 2 : 64;
	struct ep_slice *keys = ep_realloc(m->keys, cap * sizeof(*keys));
	if (keys)
		m->keys = keys;
	struct ep_slice *values = ep_realloc(m->values, cap * sizeof(*values));
	if (values)
		m->values = values;
	if (!keys || !values)
		return -ENOMEM;
	m->cap = cap;
	return 0;
}

int ep_namemap_put(struct ep_namemap *m, struct ep_slice key, struct ep_slice value)
{
	uint32_t i = ep_namemap_find(m, key);
	if (i == EP_INDEX_NONE) {
		if (m->n == m->cap)
			EP_TRY(grow(m));
		EP_TRY(ep_index_add(&m->by_key, ep_hash64(key.p, key.n), m->n));
		i = m->n++;
		m->keys[i] = key;
	}
	m->values[i] = value;
	return 0;
}

void ep_namemap_fini(struct ep_namemap *m)
{
	ep_free(m->keys);
	ep_free(m->values);
	ep_index_fini(&m->by_key);
}

int ep_namemap_match(struct ep_namemap *known, const struct ep_regex *regex,
		     struct ep_slice name, struct ep_err *err)
{
	uint32_t i = ep_namemap_find(known, name);
	if (i != EP_INDEX_NONE)
		return known->values[i].p != NULL;
	int rc = ep_regex_match(regex, name, err);
	EP_TRY(rc);
	struct ep_slice yes = {"", 0}, no = {NULL, 0};
	if (ep_namemap_put(known, name, rc ? yes : no) < 0)
		return ep_fail(err, -ENOMEM, 0, "out of memory");
	return rc > 0;
}
