/*
 * nameless.h - what a function without a name is called: "python3.11+0x13f6c0",
 * the file and where in it the function begins.
 */
#ifndef EP_SYMBOL_NAMELESS_H
#define EP_SYMBOL_NAMELESS_H

#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>

enum { EP_NAMELESS_MAX = 448 };

/* In: the mapping's file, "" is [unknown].  The slice is of ret_text. */
struct ep_slice ep_nameless_format(struct ep_slice path, uint64_t file_offset,
				   char ret_text[EP_NAMELESS_MAX]);
/* Was a name in a mapping of this file made by ep_nameless_format()? */
bool ep_nameless_is(struct ep_slice name, struct ep_slice path);

#endif
