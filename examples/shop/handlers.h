/* handlers.h - what each endpoint does, under its labels. */
#ifndef SHOP_HANDLERS_H
#define SHOP_HANDLERS_H

#include <stddef.h>

struct request {
	char path[64];
	char tenant[16];
	char query[64]; /* search words, or a product number */
};

/* Writes a JSON body and returns its length, or 0 when there is no such path.
 * Any thread. */
size_t handle_request(const struct request *r, char *body, size_t max);

/* Keep a copy of every session from now on, or no more: a deliberate leak. */
void handlers_set_leak(int on);

#endif
