/*
 * rust.h - Rust's two manglings.
 */
#ifndef EP_SYMBOL_RUST_H
#define EP_SYMBOL_RUST_H

#include "base/buf.h"

#include <stdbool.h>

/*
 * Both append the readable name to out and return true, or return false and may
 * leave a part of it there; out has been cleared by the caller.  Any thread.
 */

/* _ZN4core3fmt5Write9write_fmt17h0123456789abcdefE */
bool ep_rust_demangle_legacy(const char *name, struct ep_buf *out);
/* _RNvCs1234_7mycrate3foo; source: RFC 2603 and the rustc book. */
bool ep_rust_demangle(const char *name, struct ep_buf *out);

#endif
