/*
 * arena.h - memory for one profile or one request, freed whole.
 */
#ifndef EP_BASE_ARENA_H
#define EP_BASE_ARENA_H

#include "base/mem.h"

#include <stddef.h>

struct ep_arena;

/*
 * ep_arena_new - an empty arena.
 *
 * in       max_bytes  what it may hold in all; 0 means no bound
 * out      NULL when memory is short
 * owns     the caller frees it with ep_arena_free(), and all in it
 * threads  one thread at a time per arena
 */
struct ep_arena *ep_arena_new(size_t max_bytes);
void ep_arena_free(struct ep_arena *a);
EP_DEFINE_AUTO(ep_arena);

/* 16-byte aligned, not cleared; NULL past the bound or when memory is short. */
void *ep_arena_alloc(struct ep_arena *a, size_t n_bytes);
/* n * size bytes, cleared; NULL also on overflow. */
void *ep_arena_zalloc(struct ep_arena *a, size_t n, size_t size);
/* A copy with a NUL behind it. */
char *ep_arena_copy(struct ep_arena *a, const void *p, size_t n_bytes);
/*
 * ep_arena_adopt - let the arena own a block that came from ep_alloc().
 *
 * errors   -E2BIG   past the bound, -ENOMEM; p stays the caller's then
 */
int ep_arena_adopt(struct ep_arena *a, void *p, size_t n_bytes);
/* Bytes handed out so far, adopted ones too. */
size_t ep_arena_used(const struct ep_arena *a);

#define ep_arena_array(a, type, n) ((type *)ep_arena_zalloc((a), (n), sizeof(type)))

#endif
