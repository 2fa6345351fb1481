/*
 * names.h - function names from the symbol tables of this machine, for profiles
 * that are written locally.
 */
#ifndef EP_INPROC_NAMES_H
#define EP_INPROC_NAMES_H

#include "inproc/code.h"
#include "symbol/symbol.h"

struct ep_names;

/*
 * ep_names_new - an empty cache over a list of mappings.
 *
 * in       mappings  [n], by id; borrowed while the object lives
 * out      NULL when memory is short
 * threads  one thread at a time per object; reads files, never in a handler
 */
struct ep_names *ep_names_new(const struct ep_code_mapping *mappings, uint32_t n);
void ep_names_free(struct ep_names *n);
EP_DEFINE_AUTO(ep_names);

/*
 * ep_names_find - the function at an address of mapping `id`.
 *
 * errors   -ENOENT  no symbol covers it, or its file is gone or another one
 * out      ret      slices live as long as the object
 */
int ep_names_find(struct ep_names *n, uint32_t id, uint64_t address, struct ep_symbol *ret);

#endif
