/*
 * hold.h - use the current code map while nobody frees it.
 *
 * A hazard pointer: announce the map before using it, and look again; once the
 * announcement is seen, code.c does not free it.  Signal-safe.
 */
#ifndef EP_INPROC_SIG_HOLD_H
#define EP_INPROC_SIG_HOLD_H

#include "inproc/sig/state.h"

/* NULL when there is no map, or it changed eight times meanwhile. */
static inline __attribute__((always_inline)) const struct ep_sig_map *
ep_hold_map(_Atomic(const struct ep_sig_map *) *hazard)
{
	const struct ep_sig_map *m = atomic_load(&ep_sig_map);
	for (int tries = 0; m && tries < 8; tries++) {
		atomic_store(hazard, m);
		const struct ep_sig_map *again = atomic_load(&ep_sig_map);
		if (again == m)
			return m;
		m = again;
	}
	atomic_store(hazard, NULL);
	return NULL;
}

static inline void ep_hold_release(_Atomic(const struct ep_sig_map *) *hazard)
{
	atomic_store_explicit(hazard, NULL, memory_order_release);
}

/* Unknown code, or a stack of unknown bounds: ask the drain for a look, once until it
 * is done. */
void ep_hold_ask_for_look(void);

#endif
