/* rowsort.c - see rowsort.h. */
#include "store/rowsort.h"

/* Least significant byte first; bytes that are equal everywhere cost nothing more. */
struct ep_rowkey *ep_rowsort(struct ep_rowkey *keys, struct ep_rowkey *spare, uint32_t n)
{
	uint64_t any = 0, all = UINT64_MAX;
	for (uint32_t i = 0; i < n; i++) {
		any |= keys[i].at;
		all &= keys[i].at;
	}
	for (unsigned shift = 0; shift < 64 && n; shift += 8) {
		uint32_t count[256] = {0}, at = 0;
		if (!((any ^ all) >> shift & 0xff))
			continue;
		for (uint32_t i = 0; i < n; i++)
			count[keys[i].at >> shift & 0xff]++;
		for (unsigned b = 0; b < 256; b++) {
			uint32_t c = count[b];
			count[b] = at;
			at += c;
		}
		for (uint32_t i = 0; i < n; i++)
			spare[count[keys[i].at >> shift & 0xff]++] = keys[i];
		struct ep_rowkey *t = keys;
		keys = spare;
		spare = t;
	}
	return keys;
}
