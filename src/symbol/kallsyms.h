/*
 * kallsyms.h - the kernel's functions, from /proc/kallsyms.
 */
#ifndef EP_SYMBOL_KALLSYMS_H
#define EP_SYMBOL_KALLSYMS_H

#include "base/err.h"
#include "base/mem.h"
#include "base/slice.h"

#include <stdint.h>

struct ep_kallsyms;

/*
 * ep_kallsyms_parse - from the file's text: "ADDRESS TYPE NAME[\t[MODULE]]".
 *
 * Keeps code (types t, T, w, W), one name an address: a global before a local
 * one, fewer leading underscores, the shorter, the first in byte order.
 * errors   -EACCES  all addresses are 0: kptr_restrict, or no capability
 *          -ENOENT  no code; -ENOMEM; -E2BIG
 * owns     the caller frees with ep_kallsyms_free()
 */
int ep_kallsyms_parse(struct ep_slice text, struct ep_kallsyms **ret_k,
		      struct ep_err *err);
/* The same from a file, "/proc/kallsyms" in earnest.  -EIO besides. */
int ep_kallsyms_read(const char *path, struct ep_kallsyms **ret_k, struct ep_err *err);
void ep_kallsyms_free(struct ep_kallsyms *k);
EP_DEFINE_AUTO(ep_kallsyms);

/*
 * ep_kallsyms_find - the function at a kernel address.
 *
 * out      ret_name    lives as long as the object
 *          ret_module  without brackets; empty for the kernel proper.  May be NULL
 * errors   -ENOENT     below the first or far (over 1 MiB) above the last
 * threads  any thread
 */
int ep_kallsyms_find(const struct ep_kallsyms *k, uint64_t address,
		     struct ep_slice *ret_name, struct ep_slice *ret_module);
uint32_t ep_kallsyms_count(const struct ep_kallsyms *k);

#endif
