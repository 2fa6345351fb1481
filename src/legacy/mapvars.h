/*
 * mapvars.h - the variables of a memory map: "build=/home/x", then "$build/lib.so".
 */
#ifndef EP_LEGACY_MAPVARS_H
#define EP_LEGACY_MAPVARS_H

#include "base/err.h"
#include "base/mem.h"
#include "base/slice.h"

struct ep_mapvars;

/* The caller frees.  -ENOMEM. */
int ep_mapvars_new(struct ep_mapvars **ret_v, struct ep_err *err);
void ep_mapvars_free(struct ep_mapvars *v);
EP_DEFINE_AUTO(ep_mapvars);

/* Remember a line "NAME = VALUE"; of several with one name the first counts.  Any other
 * line does nothing.  -E2BIG, -ENOMEM. */
int ep_mapvars_set(struct ep_mapvars *v, struct ep_slice line, struct ep_err *err);

/*
 * ep_mapvars_replace - each $NAME by its value; of names that begin alike the older
 * wins.
 *
 * out      ret_line  the same slice when nothing was replaced; else lives until the
 * next call errors   -E2BIG    it grew too long; -ENOMEM threads  one thread at a time
 * per object
 */
int ep_mapvars_replace(struct ep_mapvars *v, struct ep_slice line,
		       struct ep_slice *ret_line, struct ep_err *err);

#endif
