/*
 * localsyms.h - names from this machine's own files, made in the background.
 *
 * A profile names its mappings by build ID and path.  When the server knows no
 * names for a build ID and the file lies on this machine, one thread makes the
 * symbol table, once.
 */
#ifndef EP_SERVER_LOCALSYMS_H
#define EP_SERVER_LOCALSYMS_H

#include "base/mem.h"
#include "profile/profile.h"
#include "symbol/symbol.h"

struct ep_localsyms;

/* 0, -ENOMEM, -EAGAIN. */
int ep_localsyms_new(struct ep_localsyms **ret_l);
/* Waits for the file in work only. */
void ep_localsyms_free(struct ep_localsyms *l);
EP_DEFINE_AUTO(ep_localsyms);
/* Look at a profile's mappings; queues what is new to this cache, which is borrowed until
 * ep_localsyms_free().  Any thread; does not wait. */
void ep_localsyms_see(struct ep_localsyms *l, struct ep_symcache *cache,
		      const struct ep_profile *p);
/* Tables made, files tried without success. */
void ep_localsyms_counts(const struct ep_localsyms *l, uint64_t *ret_made, uint64_t *ret_failed);

#endif
