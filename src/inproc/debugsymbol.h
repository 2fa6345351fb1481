/*
 * debugsymbol.h - names of addresses for tools that ask from outside.
 */
#ifndef EP_INPROC_DEBUGSYMBOL_H
#define EP_INPROC_DEBUGSYMBOL_H

#include "base/buf.h"
#include "base/slice.h"

/*
 * ep_debugsymbol - "num_symbols: 1", then "0xADDR NAME" for each that has one.
 *
 * in       addresses  joined by '+', each 0x…, decimal or octal; others are passed over;
 *                     at most 64 K of them
 * threads  any, not under the drain lock; reads symbol tables of files
 * source   the symbolz protocol of gperftools
 */
void ep_debugsymbol(struct ep_slice addresses, struct ep_buf *out);

#endif
