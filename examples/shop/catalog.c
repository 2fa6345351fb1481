/* catalog.c - a linear scan with a score for each word: honest CPU work. */
#include "catalog.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const words[] = {
	"red",   "oak",   "steel", "small", "round", "lamp",  "table", "chair",
	"brass", "linen", "mug",   "plate", "light", "heavy", "clock", "shelf",
	"blue",  "glass", "knife", "board", "frame", "rug",   "stool", "basket",
};
enum { N_WORDS = sizeof(words) / sizeof(words[0]) };

static struct product *products;
static size_t n_products;

static unsigned next_random(unsigned *state)
{
	*state = *state * 1664525u + 1013904223u;
	return *state >> 8;
}

void catalog_fill(size_t n)
{
	unsigned seed = 7;
	products = calloc(n, sizeof(*products));
	if (!products)
		abort();
	n_products = n;
	for (size_t i = 0; i < n; i++) {
		struct product *p = &products[i];
		snprintf(p->name, sizeof(p->name), "%s %s %s",
			 words[next_random(&seed) % N_WORDS],
			 words[next_random(&seed) % N_WORDS],
			 words[next_random(&seed) % N_WORDS]);
		size_t at = 0;
		while (at < sizeof(p->text) - 10)
			at += (size_t)snprintf(p->text + at, sizeof(p->text) - at, "%s ",
					       words[next_random(&seed) % N_WORDS]);
		p->price_cents = (int)(next_random(&seed) % 20000) + 99;
	}
}

/* A loop of our own, not strstr(): inside of a stripped libc nothing has a name. */
static const char *find_word(const char *text, const char *word, size_t n)
{
	for (; *text; text++) {
		size_t i = 0;
		while (i < n && text[i] == word[i])
			i++;
		if (i == n)
			return text;
	}
	return NULL;
}

static int count_word(const char *text, const char *word, size_t n)
{
	int found = 0;
	for (const char *at = text; (at = find_word(at, word, n)); at += n)
		found++;
	return found;
}

static int score_product(const struct product *p, char terms[][16], size_t n_terms)
{
	int score = 0;
	for (size_t i = 0; i < n_terms; i++) {
		size_t n = strlen(terms[i]);
		score += 5 * count_word(p->name, terms[i], n);
		score += count_word(p->text, terms[i], n);
	}
	return score;
}

static size_t split_query(const char *query, char terms[4][16])
{
	size_t n = 0;
	while (*query && n < 4) {
		size_t len = strcspn(query, "+ ");
		if (len)
			snprintf(terms[n++], 16, "%.*s", len > 15 ? 15 : (int)len, query);
		query += len;
		query += strspn(query, "+ ");
	}
	return n;
}

static void keep_best(struct hit *hits, size_t *n_hits, struct hit h)
{
	size_t at = *n_hits;
	if (at == SHOP_MAX_HITS && hits[at - 1].score >= h.score)
		return;
	if (at < SHOP_MAX_HITS)
		at = (*n_hits)++;
	else
		at--;
	while (at && hits[at - 1].score < h.score) {
		hits[at] = hits[at - 1];
		at--;
	}
	hits[at] = h;
}

size_t catalog_search(const char *query, struct hit hits[SHOP_MAX_HITS])
{
	char terms[4][16];
	size_t n_terms = split_query(query, terms);
	size_t n_hits = 0;
	for (size_t i = 0; i < n_products; i++) {
		int score = score_product(&products[i], terms, n_terms);
		if (score)
			keep_best(hits, &n_hits, (struct hit){&products[i], score});
	}
	return n_hits;
}

const struct product *catalog_get(size_t id)
{
	return &products[id % n_products];
}
