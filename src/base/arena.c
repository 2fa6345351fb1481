/* arena.c - a list of chunks that double in size.  See arena.h. */
#include "base/arena.h"

#include <errno.h>
#include <string.h>

enum {
	FIRST_CHUNK = 4096 - 64,
	LARGEST_CHUNK = 1 << 20,
	ALIGN = 16,
};

struct chunk {
	struct chunk *next;
	size_t size;
	_Alignas(ALIGN) unsigned char data[];
};

/* A block of the heap that the arena only frees. */
struct adopted {
	struct adopted *next;
	void *p;
};

struct ep_arena {
	struct chunk *chunks;
	struct adopted *adopted;
	unsigned char *at;
	size_t left;
	size_t used;
	size_t max;
	size_t next_chunk;
};

struct ep_arena *ep_arena_new(size_t max_bytes)
{
	struct ep_arena *a = ep_zalloc(sizeof(*a));
	if (!a)
		return NULL;
	a->max = max_bytes ? max_bytes : SIZE_MAX;
	a->next_chunk = FIRST_CHUNK;
	return a;
}

void ep_arena_free(struct ep_arena *a)
{
	if (!a)
		return;
	for (struct adopted *d = a->adopted; d; d = d->next)
		ep_free(d->p);
	for (struct chunk *c = a->chunks; c;) {
		struct chunk *next = c->next;
		ep_free(c);
		c = next;
	}
	ep_free(a);
}

static bool grow(struct ep_arena *a, size_t need)
{
	size_t size = a->next_chunk;
	if (size < need)
		size = need;
	else if (a->next_chunk < LARGEST_CHUNK)
		a->next_chunk *= 2;
	struct chunk *c = ep_alloc(sizeof(*c) + size);
	if (!c)
		return false;
	c->size = size;
	if (a->chunks && size - need < a->left) {
		/* An oversized request: keep filling the current chunk. */
		c->next = a->chunks->next;
		a->chunks->next = c;
		return true;
	}
	c->next = a->chunks;
	a->chunks = c;
	a->at = c->data;
	a->left = size;
	return true;
}

void *ep_arena_alloc(struct ep_arena *a, size_t n_bytes)
{
	if (n_bytes > a->max - a->used || n_bytes > SIZE_MAX / 2)
		return NULL;
	/* Nothing still has an address, so that NULL always means failure. */
	size_t n = ((n_bytes ? n_bytes : 1) + ALIGN - 1) & ~(size_t)(ALIGN - 1);
	if (n > a->left) {
		struct chunk *before = a->chunks;
		if (!grow(a, n))
			return NULL;
		if (before && a->chunks == before) {
			a->used += n_bytes;
			return a->chunks->next->data;
		}
	}
	void *p = a->at;
	a->at += n;
	a->left -= n;
	a->used += n_bytes;
	return p;
}

void *ep_arena_zalloc(struct ep_arena *a, size_t n, size_t size)
{
	size_t n_bytes;
	if (!ep_mul_size(n, size, &n_bytes))
		return NULL;
	void *p = ep_arena_alloc(a, n_bytes);
	if (p)
		memset(p, 0, n_bytes);
	return p;
}

char *ep_arena_copy(struct ep_arena *a, const void *p, size_t n_bytes)
{
	char *copy = ep_arena_alloc(a, n_bytes + 1);
	if (!copy)
		return NULL;
	if (n_bytes)
		memcpy(copy, p, n_bytes);
	copy[n_bytes] = '\0';
	return copy;
}

int ep_arena_adopt(struct ep_arena *a, void *p, size_t n_bytes)
{
	size_t left = a->max - a->used;
	if (left < sizeof(struct adopted) || n_bytes > left - sizeof(struct adopted))
		return -E2BIG;
	struct adopted *d = ep_arena_alloc(a, sizeof(*d));
	if (!d)
		return -ENOMEM;
	*d = (struct adopted){.next = a->adopted, .p = p};
	a->adopted = d;
	a->used += n_bytes;
	return 0;
}

size_t ep_arena_used(const struct ep_arena *a)
{
	return a->used;
}
