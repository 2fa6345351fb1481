/*
 * dwarf_range.c - address ranges, and the map from address to unit.  See dwarf_in.h.
 *
 * Linkers drop functions, but not what is said of them: such ranges begin at 0, 1 or
 * the highest address, and are passed over.
 *
 * Source: DWARF 5, 2.17, 6.1.2, 7.25; DWARF 4, 2.17.3.
 */
#include "symbol/dwarf_in.h"

#include "base/sort.h"

enum {
	RLE_end_of_list = 0,
	RLE_base_addressx = 1,
	RLE_startx_endx = 2,
	RLE_startx_length = 3,
	RLE_offset_pair = 4,
	RLE_base_address = 5,
	RLE_start_end = 6,
	RLE_start_length = 7,
	FORM_addrx_ = 0x1b,
	FORM_rnglistx_ = 0x23,
};

void ep_dwarf_range_take(struct ep_dwarf_pcs *p, uint16_t name,
			 const struct ep_dwarf_value *v)
{
	if (name == DW_AT_low_pc) {
		p->has_low = true;
		p->low = *v;
	} else if (name == DW_AT_high_pc) {
		p->has_high = true;
		p->high = *v;
	} else if (name == DW_AT_ranges) {
		p->has_ranges = true;
		p->ranges = *v;
	}
}

struct list {
	struct ep_dwarf_unit *u;
	uint64_t base;
	ep_dwarf_range_fn *fn;
	void *ctx;
};

static bool give(const struct list *l, uint64_t lo, uint64_t hi)
{
	uint64_t code = l->u->file->dwarf->code_start;
	if (lo >= hi || lo < code)
		return true;
	return l->fn(l->ctx, lo, hi);
}

/* .debug_ranges: pairs of offsets from a base. */
static void old_list(struct list *l, struct ep_elffile_bytes s, uint64_t offset)
{
	unsigned size = l->u->addr_size;
	uint64_t top = size == 4 ? UINT32_MAX : UINT64_MAX;
	struct ep_dwarf_at a = ep_dwarf_at(s.p, s.n, offset);
	for (;;) {
		uint64_t lo = ep_dwarf_u(&a, size), hi = ep_dwarf_u(&a, size);
		if (a.bad || (!lo && !hi))
			return;
		if (lo == top)
			l->base = hi;
		else if (!give(l, lo + l->base, hi + l->base))
			return;
	}
}

static uint64_t indexed(const struct list *l, struct ep_dwarf_at *a)
{
	struct ep_dwarf_value v = {.form = FORM_addrx_, .u = ep_dwarf_uleb(a)};
	uint64_t address = 0;
	if (!ep_dwarf_form_address(l->u, &v, &address))
		ep_dwarf_spoil(a);
	return address;
}

static bool next_entry(struct list *l, struct ep_dwarf_at *a)
{
	unsigned size = l->u->addr_size;
	uint64_t lo, hi;
	switch (ep_dwarf_u8(a)) {
	case RLE_base_addressx:
		l->base = indexed(l, a);
		return !a->bad;
	case RLE_base_address:
		l->base = ep_dwarf_u(a, size);
		return !a->bad;
	case RLE_startx_endx:
		lo = indexed(l, a);
		hi = indexed(l, a);
		break;
	case RLE_startx_length:
		lo = indexed(l, a);
		hi = lo + ep_dwarf_uleb(a);
		break;
	case RLE_offset_pair:
		lo = l->base + ep_dwarf_uleb(a);
		hi = l->base + ep_dwarf_uleb(a);
		break;
	case RLE_start_end:
		lo = ep_dwarf_u(a, size);
		hi = ep_dwarf_u(a, size);
		break;
	case RLE_start_length:
		lo = ep_dwarf_u(a, size);
		hi = lo + ep_dwarf_uleb(a);
		break;
	default: /* the end, or unknown */
		return false;
	}
	return !a->bad && give(l, lo, hi);
}

/* Where a list by its number begins. */
static bool numbered(const struct list *l, struct ep_elffile_bytes s, uint64_t number,
		     uint64_t *ret_offset)
{
	uint64_t base = l->u->root ? l->u->root->rnglists_base : 0, at;
	if (!base) /* a .dwo names none: the first table's */
		base = l->u->offset_size == 8 ? 20 : 12;
	if (__builtin_mul_overflow(number, (uint64_t)l->u->offset_size, &at) ||
	    __builtin_add_overflow(at, base, &at))
		return false;
	struct ep_dwarf_at a = ep_dwarf_at(s.p, s.n, at);
	*ret_offset = base + ep_dwarf_u(&a, l->u->offset_size);
	return !a.bad;
}

static void ranges(struct list *l, const struct ep_dwarf_value *v)
{
	struct ep_dwarf_unit *u = l->u, *skeleton = u->skeleton;
	uint64_t offset = v->u;
	if (u->version < 5) {
		/* GNU's split units have their ranges in the program's file. */
		struct ep_dwarf_file *f = skeleton ? skeleton->file : u->file;
		if (skeleton && skeleton->root)
			offset += skeleton->root->ranges_base;
		old_list(l, f->section[EP_DWARF_RANGES], offset);
		return;
	}
	struct ep_elffile_bytes s = u->file->section[EP_DWARF_RNGLISTS];
	if (v->form == FORM_rnglistx_ && !numbered(l, s, v->u, &offset))
		return;
	struct ep_dwarf_at a = ep_dwarf_at(s.p, s.n, offset);
	while (next_entry(l, &a))
		;
}

static uint64_t base_of(const struct ep_dwarf_unit *u)
{
	const struct ep_dwarf_unit *owner = u->skeleton ? u->skeleton : u;
	return owner->root ? owner->root->low_pc : 0;
}

void ep_dwarf_range_each(struct ep_dwarf_unit *u, const struct ep_dwarf_pcs *p,
			 ep_dwarf_range_fn *fn, void *ctx)
{
	struct list l = {u, base_of(u), fn, ctx};
	uint64_t lo, hi;
	if (p->has_ranges) {
		ranges(&l, &p->ranges);
		return;
	}
	if (!p->has_low || !p->has_high || !ep_dwarf_form_address(u, &p->low, &lo))
		return;
	if (!ep_dwarf_form_is_address(&p->high))
		hi = lo + p->high.u;
	else if (!ep_dwarf_form_address(u, &p->high, &hi))
		return;
	(void)give(&l, lo, hi); /* the only one */
}

/* ---- the map ---- */

struct map {
	struct ep_debuginfo *d;
	size_t cap;
	uint32_t unit;
	bool failed, added;
};

static bool add_span(void *ctx, uint64_t lo, uint64_t hi)
{
	struct map *m = ctx;
	struct ep_debuginfo *d = m->d;
	if (!ep_dwarf_grow(&d->map, d->n_map, &m->cap, sizeof(*d->map))) {
		m->failed = true;
		return false;
	}
	d->map[d->n_map++] = (struct ep_dwarf_span){lo, hi, 0, m->unit};
	m->added = true;
	return true;
}

/* One table of .debug_aranges: a unit's.  A full one; some producers leave out a
 * unit, but none of them part of one. */
static void read_table(struct map *m, struct ep_dwarf_at *a, const uint8_t *section)
{
	uint8_t offset_size;
	uint64_t start = (uint64_t)(a->p - section);
	ep_dwarf_length(a, &offset_size);
	uint64_t version = ep_dwarf_u(a, 2), offset = ep_dwarf_u(a, offset_size);
	unsigned size = ep_dwarf_u8(a);
	uint64_t segment = ep_dwarf_u8(a);
	struct ep_dwarf_unit *u = ep_dwarf_file_unit(&m->d->main, offset);
	if (a->bad || version != 2 || segment || (size != 4 && size != 8) || !u ||
	    u->start != offset)
		return;
	m->unit = (uint32_t)(u - m->d->main.units);
	uint64_t at = (uint64_t)(a->p - section) - start;
	ep_dwarf_skip(a, (2 * size - at % (2 * size)) % (2 * size));
	while (!a->bad && !m->failed) {
		uint64_t lo = ep_dwarf_u(a, size), n = ep_dwarf_u(a, size);
		if (a->bad || (!lo && !n))
			return;
		if (n && lo >= m->d->code_start && lo + n > lo)
			(void)add_span(m, lo, lo + n); /* says so in m */
	}
}

static void read_aranges(struct map *m, bool *has)
{
	struct ep_elffile_bytes s = m->d->main.section[EP_DWARF_ARANGES];
	for (uint64_t at = 0; at < s.n && !m->failed;) {
		struct ep_dwarf_at a = ep_dwarf_at(s.p, s.n, at), next = a;
		uint8_t size;
		ep_dwarf_length(&next, &size);
		if (next.bad)
			return;
		m->added = false;
		read_table(m, &a, s.p);
		if (m->added)
			has[m->unit] = true;
		at = (uint64_t)(next.end - s.p);
	}
}

static void read_unit(struct map *m, struct ep_dwarf_unit *u)
{
	struct ep_dwarf_pcs pcs;
	if (!ep_dwarf_file_root(u) || !ep_dwarf_file_pcs(u, &pcs))
		return;
	m->unit = (uint32_t)(u - u->file->units);
	ep_dwarf_range_each(u, &pcs, add_span, m);
}

static bool before(const void *x, const void *y, void *arg)
{
	(void)arg;
	const struct ep_dwarf_span *a = x, *b = y;
	return a->lo != b->lo	? a->lo < b->lo
	       : a->hi != b->hi ? a->hi > b->hi
				: a->unit < b->unit;
}

static void order(struct ep_debuginfo *d)
{
	uint64_t top = 0;
	ep_sort(d->map, d->n_map, sizeof(*d->map), before, NULL);
	for (size_t i = 0; i < d->n_map; i++) {
		if (d->map[i].hi > top)
			top = d->map[i].hi;
		d->map[i].max_hi = top;
	}
}

int ep_dwarf_range_map(struct ep_debuginfo *d)
{
	struct map m = {.d = d};
	ep_auto_mem bool *has = ep_zalloc(d->main.n_units + 1);
	if (!has)
		return -ENOMEM;
	read_aranges(&m, has);
	for (size_t i = 0; i < d->main.n_units && !m.failed; i++)
		if (!has[i] && !d->main.units[i].is_bad)
			read_unit(&m, &d->main.units[i]);
	order(d);
	d->has_map = true;
	return m.failed ? -ENOMEM : 0;
}
