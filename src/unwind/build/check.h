/*
 * check.h - is this a table one may walk?
 */
#ifndef EP_UNWIND_BUILD_CHECK_H
#define EP_UNWIND_BUILD_CHECK_H

#include "base/err.h"
#include "unwind/table.h"

/*
 * ep_check_table - check bytes from a file or a stranger, wholly.
 *
 * in       data, n   8-byte aligned; n may be more than the table
 * out      ret_t     the same bytes as a table; safe for ep_table_find() with any
 *                    address
 * errors   -ENODATA  shorter than it says; -ENOTSUP another version or CPU;
 *          -EBADMSG  anything inconsistent, or the checksum
 * threads  any thread
 * cost     one pass, about a millisecond a megabyte
 */
int ep_check_table(const void *data, size_t n, const struct ep_table **ret_t,
		   struct ep_err *err);

#endif
