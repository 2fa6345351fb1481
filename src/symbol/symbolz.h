/*
 * symbolz.h - names from the server that a profile came from.
 *
 * One POST a mapping, "0xA+0xB+…", to the page `symbol` (or `symbolz`) beside the
 * profile's; the answer has a line "0xA name" for each that is known.
 *
 * Source: gperftools' pprof_remote_servers.html; google/pprof, internal/symbolz.
 */
#ifndef EP_SYMBOL_SYMBOLZ_H
#define EP_SYMBOL_SYMBOLZ_H

#include "symbol/relabel.h"
#include "symbol/symbolize.h"

/*
 * ep_symbolz_run - ask for all mappings without functions (all with force).
 *
 * errors   what remote->post returns; -EBADMSG addresses that can't be; -ENOMEM
 */
int ep_symbolz_run(struct ep_relabel *r, bool force, const struct ep_symbolize_remote *remote,
		   struct ep_err *err);

/* The page to ask beside a profile's URL, without a query; false when it is no URL. */
bool ep_symbolz_url(const char *source, struct ep_buf *out);

#endif
