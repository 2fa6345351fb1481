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
/* The same, with "<>" in place of generic arguments. */
bool ep_rust_demangle_style(const char *name, bool generics, struct ep_buf *out);
/* The older mangling by the rules of the reference, which reads fewer escapes, and
 * takes a name for Rust's when its hash has 5 different digits. */
bool ep_rust_demangle_old(const char *name, struct ep_buf *out);

#endif
