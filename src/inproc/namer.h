/*
 * namer.h - function names from the symbol tables of this machine, for profiles
 * that are written locally.
 */
#ifndef EP_INPROC_NAMER_H
#define EP_INPROC_NAMER_H

#include "inproc/code.h"
#include "symbol/symbol.h"

struct ep_namer;

/*
 * ep_namer_new - an empty cache over a list of mappings.
 *
 * in       mappings  [n], by id; borrowed while the object lives
 * out      NULL when memory is short
 * threads  one thread at a time per object; reads files, never in a handler
 */
struct ep_namer *ep_namer_new(const struct ep_code_mapping *mappings, uint32_t n);
void ep_namer_free(struct ep_namer *n);
EP_DEFINE_AUTO(ep_namer);

/*
 * ep_namer_find - the function at an address of mapping `id`.
 *
 * errors   -ENOENT  no function covers it, or its file is gone or another one
 * out      ret      slices live as long as the object
 */
int ep_namer_find(struct ep_namer *n, uint32_t id, uint64_t address, struct ep_symbol *ret);

#endif
