/* catalog.h - what the shop sells, and how customers find it. */
#ifndef SHOP_CATALOG_H
#define SHOP_CATALOG_H

#include <stddef.h>

enum { SHOP_MAX_HITS = 20 };

struct product {
	char name[48];
	char text[200];
	int price_cents;
};

struct hit {
	const struct product *product;
	int score;
};

/* Fill the catalog with n products made from a fixed seed.  Start-up only. */
void catalog_fill(size_t n);

/* The best products for a query of words, best first; returns how many.  Any thread. */
size_t catalog_search(const char *query, struct hit hits[SHOP_MAX_HITS]);

/* Any thread; id is taken modulo the size. */
const struct product *catalog_get(size_t id);

#endif
