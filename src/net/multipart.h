/*
 * multipart.h - multipart/form-data, whole in memory.
 *
 * Source: RFC 7578, RFC 2046 5.1.
 */
#ifndef EP_NET_MULTIPART_H
#define EP_NET_MULTIPART_H

#include "base/err.h"
#include "base/slice.h"

#include <stdint.h>

struct ep_part {
	struct ep_slice name, filename, content_type; /* empty when not given */
	struct ep_slice body;
};

/*
 * ep_multipart_parse - split a body into its parts; nothing is copied.
 *
 * in       content_type  the whole header value, for its boundary
 *          max           room in ret_parts
 * out      ret_parts, ret_n
 * errors   -EBADMSG  no boundary, a part without a name, no closing boundary;
 *                    err->pos is the offset in the body
 *          -E2BIG    more than max parts
 * threads  any thread
 */
int ep_multipart_parse(struct ep_slice content_type, struct ep_slice body,
		       struct ep_part *ret_parts, uint32_t max, uint32_t *ret_n,
		       struct ep_err *err);

#endif
