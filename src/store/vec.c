/* vec.c - see vec.h. */
#include "store/vec.h"

#include "base/mem.h"

#include <string.h>

void ep_vec_init(struct ep_vec *v, uint32_t elem_bytes)
{
	memset(v, 0, sizeof(*v));
	v->elem_bytes = elem_bytes;
}

void ep_vec_fini(struct ep_vec *v)
{
	for (unsigned k = 0; k < EP_VEC_CHUNKS; k++)
		ep_free(v->chunks[k]);
	memset(v->chunks, 0, sizeof(v->chunks));
	atomic_store(&v->n, 0);
}

void *ep_vec_next(struct ep_vec *v)
{
	uint32_t n = atomic_load_explicit(&v->n, memory_order_relaxed);
	uint32_t top = 31u - (uint32_t)__builtin_clz(n + (1u << EP_VEC_BASE_BITS));
	uint32_t k = top - EP_VEC_BASE_BITS;
	if (k >= EP_VEC_CHUNKS)
		return NULL;
	if (!v->chunks[k])
		v->chunks[k] = ep_zalloc((size_t)v->elem_bytes << top);
	return v->chunks[k] ? ep_vec_at(v, n, v->elem_bytes) : NULL;
}

size_t ep_vec_bytes(const struct ep_vec *v)
{
	size_t bytes = 0;
	for (unsigned k = 0; k < EP_VEC_CHUNKS && v->chunks[k]; k++)
		bytes += (size_t)v->elem_bytes << (k + EP_VEC_BASE_BITS);
	return bytes;
}
