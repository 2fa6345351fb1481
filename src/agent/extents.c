/*
 * extents.c - see extents.h.
 */
#include "agent/extents.h"

#include "base/mem.h"

#include <errno.h>
#include <string.h>

int ep_extents_init(struct ep_extents *e, uint32_t at, uint32_t limit)
{
	*e = (struct ep_extents){.cap = 64};
	e->free = ep_alloc(e->cap * sizeof(e->free[0]));
	if (!e->free)
		return -ENOMEM;
	ep_extents_put(e, at, limit - at);
	return 0;
}

void ep_extents_fini(struct ep_extents *e)
{
	ep_free(e->free);
	*e = (struct ep_extents){0};
}

static void drop(struct ep_extents *e, uint32_t i)
{
	e->n--;
	memmove(&e->free[i], &e->free[i + 1], (e->n - i) * sizeof(e->free[0]));
}

int ep_extents_take(struct ep_extents *e, uint32_t n, uint32_t *ret_at)
{
	for (uint32_t i = 0; i < e->n; i++) {
		struct ep_extent *f = &e->free[i];
		if (f->n < n)
			continue;
		*ret_at = f->at;
		f->at += n;
		f->n -= n;
		e->n_free -= n;
		if (!f->n)
			drop(e, i);
		return 0;
	}
	return -ENOSPC;
}

static int insert(struct ep_extents *e, uint32_t i, struct ep_extent x)
{
	if (e->n == e->cap) {
		void *p = ep_realloc(e->free, e->cap * 2 * sizeof(e->free[0]));
		if (!p)
			return -ENOMEM;
		e->free = p;
		e->cap *= 2;
	}
	memmove(&e->free[i + 1], &e->free[i], (e->n - i) * sizeof(e->free[0]));
	e->free[i] = x;
	e->n++;
	return 0;
}

void ep_extents_put(struct ep_extents *e, uint32_t at, uint32_t n)
{
	uint32_t i = 0;
	if (!n)
		return;
	while (i < e->n && e->free[i].at < at)
		i++;
	bool joins_last = i && e->free[i - 1].at + e->free[i - 1].n == at;
	bool joins_next = i < e->n && at + n == e->free[i].at;
	if (joins_last) {
		e->free[i - 1].n += n + (joins_next ? e->free[i].n : 0);
		if (joins_next)
			drop(e, i);
	} else if (joins_next) {
		e->free[i].at = at;
		e->free[i].n += n;
	} else if (insert(e, i, (struct ep_extent){at, n}) < 0) {
		return;
	}
	e->n_free += n;
}
