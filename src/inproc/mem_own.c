/*
 * mem_own.c - memory for the library that never enters the host's malloc.
 *
 * Powers of two from 32 bytes to 64 KB, carved from chunks, each size with a free
 * list; larger ones are a mapping each.  A block begins with 16 bytes that say its
 * size.  One lock: the drain thread allocates, the others rarely.
 */
#include "inproc/mem_own.h"

#include "base/mem.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>

enum {
	MIN_SHIFT = 5,
	MAX_SHIFT = 16,
	CHUNK_BYTES = 256 << 10,
	PAGE_BYTES = 4096,
	POPULATE_WRITE = 23, /* MADV_POPULATE_WRITE, not in older headers */
};

struct block {
	size_t n_bytes; /* of the whole block, head included */
	struct block *next; /* while it is free */
};

_Static_assert(sizeof(struct block) == 16, "keeps what follows aligned");

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct block *free_lists[MAX_SHIFT + 1];
static char *chunk, *chunk_end;

void ep_mem_own_lock(void)
{
	pthread_mutex_lock(&lock);
}

void ep_mem_own_unlock(void)
{
	pthread_mutex_unlock(&lock);
}

void *ep_mem_own_pages(size_t n_bytes)
{
	void *p = mmap(NULL, n_bytes, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	return p == MAP_FAILED ? NULL : p;
}

void ep_mem_own_populate(void *pages, size_t n_bytes)
{
	int saved = errno;
	(void)madvise(pages, n_bytes, POPULATE_WRITE); /* they come when written to */
	errno = saved;
}

static size_t round_to_pages(size_t n)
{
	return (n + PAGE_BYTES - 1) & ~(size_t)(PAGE_BYTES - 1);
}

static int shift_of(size_t n)
{
	return n <= (1u << MIN_SHIFT) ? MIN_SHIFT : 64 - __builtin_clzll(n - 1);
}

static struct block *carve(size_t n)
{
	if ((size_t)(chunk_end - chunk) < n) {
		char *fresh = ep_mem_own_pages(CHUNK_BYTES); /* the old rest is given up */
		if (!fresh)
			return NULL;
		chunk = fresh;
		chunk_end = fresh + CHUNK_BYTES;
	}
	struct block *b = (struct block *)chunk;
	chunk += n;
	return b;
}

static void *alloc_small(int shift)
{
	pthread_mutex_lock(&lock);
	struct block *b = free_lists[shift];
	if (b)
		free_lists[shift] = b->next;
	else
		b = carve((size_t)1 << shift);
	pthread_mutex_unlock(&lock);
	if (!b)
		return NULL;
	b->n_bytes = (size_t)1 << shift;
	return b + 1;
}

void *ep_alloc(size_t n_bytes)
{
	if (n_bytes > SIZE_MAX / 2)
		return NULL;
	size_t n = n_bytes + sizeof(struct block);
	if (n <= (size_t)1 << MAX_SHIFT)
		return alloc_small(shift_of(n));
	n = round_to_pages(n);
	struct block *b = ep_mem_own_pages(n);
	if (!b)
		return NULL;
	b->n_bytes = n;
	return b + 1;
}

void *ep_zalloc(size_t n_bytes)
{
	void *p = ep_alloc(n_bytes);
	if (p)
		memset(p, 0, n_bytes);
	return p;
}

void ep_free(void *p)
{
	if (!p)
		return;
	struct block *b = (struct block *)p - 1;
	if (b->n_bytes > (size_t)1 << MAX_SHIFT) {
		(void)munmap(b, b->n_bytes); /* it was a mapping of just this size */
		return;
	}
	int shift = shift_of(b->n_bytes);
	pthread_mutex_lock(&lock);
	b->next = free_lists[shift];
	free_lists[shift] = b;
	pthread_mutex_unlock(&lock);
}

void *ep_realloc(void *p, size_t n_bytes)
{
	if (!p)
		return ep_alloc(n_bytes);
	if (n_bytes > SIZE_MAX / 2)
		return NULL;
	struct block *b = (struct block *)p - 1;
	size_t have = b->n_bytes - sizeof(*b), n = n_bytes + sizeof(*b);
	if (n_bytes <= have && n > b->n_bytes / 4)
		return p;
	if (b->n_bytes > (size_t)1 << MAX_SHIFT && n > (size_t)1 << MAX_SHIFT) {
		n = round_to_pages(n);
		struct block *moved = mremap(b, b->n_bytes, n, MREMAP_MAYMOVE);
		if (moved == MAP_FAILED)
			return NULL;
		moved->n_bytes = n;
		return moved + 1;
	}
	void *q = ep_alloc(n_bytes);
	if (!q)
		return NULL;
	memcpy(q, p, have < n_bytes ? have : n_bytes);
	ep_free(p);
	return q;
}
