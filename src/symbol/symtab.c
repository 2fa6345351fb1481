/* symtab.c - checks a table file and looks names up in it.  See symbol.h. */
#include "symbol/symbol.h"

#include "base/hash.h"
#include "base/mem.h"
#include "symbol/format.h"

#include <string.h>

/* Functions inside functions are rare and shallow; more than this many starts are
 * not looked back over for one that encloses an address. */
enum { MAX_ENCLOSED = 16 };

struct ep_symtab {
	const struct ep_format_head *head;
	const struct ep_format_segment *segments;
	const struct ep_format_symbol *symbols;
	const char *strings;
	uint32_t n_named;
};

static int check_head(const struct ep_format_head *h, size_t n, struct ep_err *err)
{
	if (n < sizeof(*h))
		return ep_fail(err, -ENODATA, n, "a symbol table of %zu bytes", n);
	if (h->magic != EP_FORMAT_MAGIC)
		return ep_fail(err, -EBADMSG, 0, "not a symbol table");
	/* Version 1 is the same, and has no functions without a name. */
	if (!h->version || h->version > EP_FORMAT_VERSION)
		return ep_fail(err, -EBADMSG, 8,
			       "symbol table version %u, known are 1 to %u", h->version,
			       EP_FORMAT_VERSION);
	if (h->n_segments > EP_FORMAT_MAX_SEGMENTS ||
	    h->n_symbols > EP_FORMAT_MAX_SYMBOLS ||
	    h->n_strings > EP_FORMAT_MAX_STRINGS || !h->n_strings)
		return ep_fail(err, -EBADMSG, 12,
			       "symbol table with impossible counts");
	uint64_t want = sizeof(*h) +
			(uint64_t)h->n_segments * sizeof(struct ep_format_segment) +
			(uint64_t)h->n_symbols * sizeof(struct ep_format_symbol) +
			h->n_strings;
	if (h->n_bytes != want)
		return ep_fail(err, -EBADMSG, 16, "symbol table with a wrong size");
	if (n < want)
		return ep_fail(err, -ENODATA, n,
			       "symbol table cut short: %zu of %llu bytes", n,
			       (unsigned long long)want);
	if (h->build_id[EP_FORMAT_BUILD_ID - 1])
		return ep_fail(err, -EBADMSG, 40,
			       "symbol table with an endless build ID");
	return 0;
}

static int check_sum(const struct ep_format_head *h, struct ep_err *err)
{
	uint64_t sum = ep_hash64_sealed(h, h->n_bytes, offsetof(struct ep_format_head, checksum));
	if (sum != h->checksum)
		return ep_fail(err, -EBADMSG, 24, "symbol table with a wrong checksum");
	return 0;
}

static int check_content(struct ep_symtab *t, struct ep_err *err)
{
	const struct ep_format_head *h = t->head;
	if (t->strings[0] || t->strings[h->n_strings - 1])
		return ep_fail(err, -EBADMSG, 0, "symbol table with endless strings");
	for (uint32_t i = 0; i < h->n_segments; i++)
		if (t->segments[i].offset + t->segments[i].n_bytes <
		    t->segments[i].offset)
			return ep_fail(err, -EBADMSG, i, "segment %u is impossible", i);
	for (uint32_t i = 0; i < h->n_symbols; i++) {
		const struct ep_format_symbol *s = &t->symbols[i];
		if (s->name >= h->n_strings || s->system >= h->n_strings)
			return ep_fail(err, -EBADMSG, i, "symbol %u without a name", i);
		if (i && s->start <= s[-1].start)
			return ep_fail(err, -EBADMSG, i, "symbol %u out of order", i);
		t->n_named += t->strings[s->name] != '\0';
	}
	return 0;
}

int ep_symtab_open(const void *data, size_t n, struct ep_symtab **ret_t,
		   struct ep_err *err)
{
	const struct ep_format_head *h = data;
	if ((uintptr_t)data % 8)
		return ep_fail(err, -EINVAL, 0, "symbol table not aligned");
	EP_TRY(check_head(h, n, err));
	EP_TRY(check_sum(h, err));
	ep_auto(ep_symtab) t = ep_zalloc(sizeof(*t));
	if (!t)
		return ep_fail(err, -ENOMEM, 0, "no memory for a symbol table");
	t->head = h;
	t->segments = (const struct ep_format_segment *)(h + 1);
	t->symbols = (const struct ep_format_symbol *)(t->segments + h->n_segments);
	t->strings = (const char *)(t->symbols + h->n_symbols);
	EP_TRY(check_content(t, err));
	*ret_t = ep_take(&t);
	return 0;
}

void ep_symtab_free(struct ep_symtab *t)
{
	ep_free(t);
}

const char *ep_symtab_build_id(const struct ep_symtab *t)
{
	return t->head->build_id;
}

uint32_t ep_symtab_count(const struct ep_symtab *t)
{
	return t->n_named;
}

bool ep_symtab_is_current(const struct ep_symtab *t)
{
	return t->head->version == EP_FORMAT_VERSION;
}

bool ep_symtab_is_better(const struct ep_symtab *t, const struct ep_symtab *than)
{
	if (t->n_named != than->n_named)
		return t->n_named > than->n_named;
	if (t->head->version != than->head->version)
		return t->head->version > than->head->version;
	return t->head->n_symbols > than->head->n_symbols;
}

int ep_symtab_find(const struct ep_symtab *t, uint64_t vaddr, struct ep_symbol *ret_s)
{
	const struct ep_format_symbol *first = t->symbols, *at = first;
	for (size_t n = t->head->n_symbols; n > 0;) {
		size_t half = n / 2;
		if (at[half].start <= vaddr) {
			at += half + 1;
			n -= half + 1;
		} else {
			n = half;
		}
	}
	for (int i = 0; i < MAX_ENCLOSED && at > first; i++) {
		at--;
		if (vaddr - at->start >= at->size)
			continue;
		*ret_s = (struct ep_symbol){
			.name = ep_slice_of(t->strings + at->name),
			.system_name = ep_slice_of(t->strings + at->system),
			.start = at->start,
			.size = at->size};
		return 0;
	}
	return -ENOENT;
}

uint64_t ep_symtab_vaddr(const struct ep_symtab *t, uint64_t file_offset)
{
	for (uint32_t i = 0; i < t->head->n_segments; i++) {
		const struct ep_format_segment *s = &t->segments[i];
		if (file_offset >= s->offset && file_offset - s->offset < s->n_bytes)
			return file_offset - s->offset + s->vaddr;
	}
	return UINT64_MAX;
}

int ep_symtab_find_offset(const struct ep_symtab *t, uint64_t file_offset,
			  struct ep_symbol *ret_s)
{
	uint64_t vaddr = ep_symtab_vaddr(t, file_offset);
	struct ep_symbol s;
	if (vaddr == UINT64_MAX)
		return -ENOENT;
	EP_TRY(ep_symtab_find(t, vaddr, &s));
	uint64_t into = vaddr - s.start;
	/* A table that lies may have it begin in front of the file. */
	s.file_offset = into < file_offset ? file_offset - into : 0;
	*ret_s = s;
	return 0;
}
