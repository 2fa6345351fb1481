/* dwarf_file.c - the sections of a file, its units and abbreviations.  See dwarf_in.h. */
#include "symbol/dwarf_in.h"

#include "base/hash.h"
#include "base/sort.h"
#include "symbol/debugfile.h"

#include <stdio.h>

static const char *const section_names[EP_DWARF_N_SECTIONS] = {
	[EP_DWARF_INFO] = ".debug_info",
	[EP_DWARF_ABBREV] = ".debug_abbrev",
	[EP_DWARF_LINE] = ".debug_line",
	[EP_DWARF_STR] = ".debug_str",
	[EP_DWARF_LINE_STR] = ".debug_line_str",
	[EP_DWARF_STR_OFFSETS] = ".debug_str_offsets",
	[EP_DWARF_ADDR] = ".debug_addr",
	[EP_DWARF_RANGES] = ".debug_ranges",
	[EP_DWARF_RNGLISTS] = ".debug_rnglists",
	[EP_DWARF_ARANGES] = ".debug_aranges",
};

bool ep_dwarf_grow(void *array, size_t n, size_t *cap, size_t size)
{
	if (n < *cap)
		return true;
	size_t more = *cap ? *cap * 2 : 64;
	void **p = array;
	if (more > EP_DWARF_MAX_ROWS)
		return false;
	void *bigger = ep_realloc(*p, more * size);
	if (!bigger)
		return false;
	*p = bigger;
	*cap = more;
	return true;
}

/* The head of a unit; false at something that is none. */
static bool read_head(struct ep_dwarf_at *a, const uint8_t *section, struct ep_dwarf_unit *u)
{
	u->start = (uint64_t)(a->p - section);
	ep_dwarf_length(a, &u->offset_size);
	if (a->bad)
		return false;
	u->end = (uint64_t)(a->end - section);
	u->version = (uint8_t)ep_dwarf_u(a, 2);
	u->type = DW_UT_compile;
	if (u->version >= 5) {
		u->type = ep_dwarf_u8(a);
		u->addr_size = ep_dwarf_u8(a);
		u->abbrev_offset = ep_dwarf_u(a, u->offset_size);
	} else {
		u->abbrev_offset = ep_dwarf_u(a, u->offset_size);
		u->addr_size = ep_dwarf_u8(a);
	}
	if (u->type == DW_UT_skeleton || u->type == DW_UT_split_compile)
		ep_dwarf_skip(a, 8); /* the .dwo's number: its name is enough */
	if (u->type == DW_UT_type || u->type == DW_UT_split_type)
		ep_dwarf_skip(a, 8 + u->offset_size);
	u->dies = (uint64_t)(a->p - section);
	u->is_bad = a->bad || u->version < 2 || u->version > 5 ||
		    (u->addr_size != 8 && u->addr_size != 4);
	return true;
}

static int find_units(struct ep_dwarf_file *file, struct ep_err *err)
{
	struct ep_elffile_bytes info = file->section[EP_DWARF_INFO];
	size_t cap = 0;
	for (uint64_t at = 0; at < info.n;) {
		struct ep_dwarf_at a = ep_dwarf_at(info.p, info.n, at);
		struct ep_dwarf_unit u = {.file = file};
		if (!read_head(&a, info.p, &u) || file->n_units == EP_DWARF_MAX_UNITS)
			break; /* what was found can still be used */
		if (!ep_dwarf_grow(&file->units, file->n_units, &cap, sizeof(u)))
			return ep_fail(err, -ENOMEM, 0, "no memory for DWARF units");
		file->units[file->n_units++] = u;
		at = u.end;
	}
	return 0;
}

int ep_dwarf_file_init(struct ep_dwarf_file *file, struct ep_debuginfo *d, struct ep_elffile *elf,
		       bool is_dwo, struct ep_err *err)
{
	*file = (struct ep_dwarf_file){.dwarf = d, .elf = elf, .is_dwo = is_dwo};
	for (unsigned i = 0; i < EP_DWARF_N_SECTIONS; i++) {
		char name[64];
		(void)snprintf(name, sizeof(name), "%s%s", section_names[i],
			       is_dwo ? ".dwo" : ""); /* fits */
		file->section[i] = ep_elffile_section(elf, name);
	}
	return find_units(file, err);
}

void ep_dwarf_file_fini(struct ep_dwarf_file *file)
{
	for (size_t i = 0; i < file->n_units; i++) {
		ep_dwarf_line_free(file->units[i].lines);
		ep_dwarf_tree_free(file->units[i].tree);
	}
	ep_free(file->units);
	ep_free(file->abbrevs);
	ep_index_fini(&file->abbrev_index);
	if (file->alt) {
		ep_dwarf_file_fini(file->alt);
		ep_free(file->alt);
	}
	if (file->owns_elf)
		ep_elffile_free(file->elf);
}

struct ep_dwarf_unit *ep_dwarf_file_unit(struct ep_dwarf_file *file, uint64_t offset)
{
	size_t lo = 0, hi = file->n_units;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (file->units[mid].end <= offset)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo == file->n_units || file->units[lo].start > offset || file->units[lo].is_bad)
		return NULL;
	return &file->units[lo];
}

struct ep_dwarf_file *ep_dwarf_file_alt(struct ep_dwarf_file *file)
{
	if (file->alt_tried)
		return file->alt;
	file->alt_tried = true;
	ep_auto(ep_elffile) elf = NULL;
	if (ep_debugfile_alt(file->elf, file->dwarf->notes, &elf) < 0)
		return NULL;
	struct ep_dwarf_file *alt = ep_alloc(sizeof(*alt));
	if (!alt)
		return NULL;
	int rc = ep_dwarf_file_init(alt, file->dwarf, elf, false, NULL);
	alt->alt_tried = true; /* it has none itself */
	alt->owns_elf = true;
	(void)ep_take(&elf); /* the file's now */
	if (rc < 0) {
		ep_dwarf_file_fini(alt);
		ep_free(alt);
		return NULL;
	}
	return file->alt = alt;
}

/* ---- abbreviations ---- */

/* One declaration's attributes, up to 0, 0; false at the end of the section. */
static bool next_attr(struct ep_dwarf_at *a, struct ep_dwarf_attr *attr)
{
	enum { IMPLICIT_CONST = 0x21 };
	uint64_t name = ep_dwarf_uleb(a), form = ep_dwarf_uleb(a);
	attr->name = name > UINT16_MAX ? UINT16_MAX : (uint16_t)name;
	attr->form = form > UINT16_MAX ? UINT16_MAX : (uint16_t)form;
	attr->implicit = form == IMPLICIT_CONST ? ep_dwarf_sleb(a) : 0;
	return !a->bad && (name || form);
}

struct counts {
	size_t abbrevs, attrs;
};

static struct counts count(struct ep_dwarf_at a)
{
	struct counts n = {0};
	struct ep_dwarf_attr attr;
	while (ep_dwarf_uleb(&a)) {
		(void)ep_dwarf_uleb(&a);
		(void)ep_dwarf_u8(&a);
		while (next_attr(&a, &attr))
			n.attrs++;
		if (a.bad)
			break;
		n.abbrevs++;
	}
	return n;
}

/* The bytes of all values of an abbreviation; UINT32_MAX: they vary. */
static uint32_t total(const struct ep_dwarf_abbrevs *all, const struct ep_dwarf_attr *attrs,
		      uint32_t n)
{
	uint64_t sum = 0;
	for (uint32_t i = 0; i < n; i++) {
		bool is_fixed;
		sum += ep_dwarf_form_fixed(attrs[i].form, all->version, all->addr_size,
					   all->offset_size, &is_fixed);
		if (!is_fixed)
			return UINT32_MAX;
	}
	return sum < UINT32_MAX ? (uint32_t)sum : UINT32_MAX;
}

static bool before(const void *x, const void *y, void *arg)
{
	(void)arg;
	const struct ep_dwarf_abbrev *a = x, *b = y;
	return a->code != b->code ? a->code < b->code : a->first_attr < b->first_attr;
}

static void fill(struct ep_dwarf_at at, struct ep_dwarf_abbrevs *all,
		 struct ep_dwarf_abbrev *a, struct ep_dwarf_attr *attrs)
{
	uint32_t n_attrs = 0;
	bool is_sorted = true;
	for (size_t i = 0; i < all->n; i++) {
		a[i].code = ep_dwarf_uleb(&at);
		a[i].tag = (uint16_t)ep_dwarf_uleb(&at);
		a[i].has_children = ep_dwarf_u8(&at) != 0;
		a[i].first_attr = n_attrs;
		while (next_attr(&at, &attrs[n_attrs]))
			n_attrs++;
		a[i].n_attrs = n_attrs - a[i].first_attr;
		a[i].n_fixed = total(all, attrs + a[i].first_attr, a[i].n_attrs);
		is_sorted &= !i || a[i - 1].code < a[i].code;
	}
	if (!is_sorted)
		ep_sort(a, all->n, sizeof(*a), before, NULL);
}

static struct ep_dwarf_abbrevs *parse_abbrevs(struct ep_dwarf_unit *u)
{
	struct ep_dwarf_file *f = u->file;
	struct ep_elffile_bytes s = f->section[EP_DWARF_ABBREV];
	struct ep_dwarf_at at = ep_dwarf_at(s.p, s.n, u->abbrev_offset);
	struct counts n = count(at);
	struct ep_arena *arena = f->dwarf->arena;
	struct ep_dwarf_abbrevs *all = ep_arena_array(arena, struct ep_dwarf_abbrevs, 1);
	/* One more attribute: the 0, 0 that ends the last is read into it. */
	struct ep_dwarf_attr *attrs =
		ep_arena_array(arena, struct ep_dwarf_attr, n.attrs + 1);
	struct ep_dwarf_abbrev *a =
		ep_arena_array(arena, struct ep_dwarf_abbrev, n.abbrevs + 1);
	if (!all || !attrs || !a || n.attrs > UINT32_MAX)
		return NULL;
	*all = (struct ep_dwarf_abbrevs){.offset = u->abbrev_offset,
					 .version = u->version,
					 .addr_size = u->addr_size,
					 .offset_size = u->offset_size,
					 .a = a,
					 .attrs = attrs,
					 .n = n.abbrevs};
	fill(at, all, a, attrs);
	return all;
}

static uint64_t abbrev_hash(const struct ep_dwarf_unit *u)
{
	return ep_hash_mix(u->abbrev_offset, (uint64_t)u->version << 16 |
						     (uint64_t)u->addr_size << 8 |
						     u->offset_size);
}

static const struct ep_dwarf_abbrevs *find_abbrevs(struct ep_dwarf_unit *u)
{
	struct ep_dwarf_file *f = u->file;
	struct ep_index_iter it;
	for (uint32_t id = ep_index_first(&f->abbrev_index, abbrev_hash(u), &it);
	     id != EP_INDEX_NONE; id = ep_index_next(&f->abbrev_index, &it)) {
		const struct ep_dwarf_abbrevs *x = f->abbrevs[id];
		if (x->offset == u->abbrev_offset && x->version == u->version &&
		    x->addr_size == u->addr_size && x->offset_size == u->offset_size)
			return x;
	}
	return NULL;
}

const struct ep_dwarf_abbrevs *ep_dwarf_file_abbrevs(struct ep_dwarf_unit *u)
{
	struct ep_dwarf_file *f = u->file;
	if (u->abbrevs)
		return u->abbrevs;
	u->abbrevs = find_abbrevs(u);
	if (u->abbrevs)
		return u->abbrevs;
	if (!ep_dwarf_grow(&f->abbrevs, f->n_abbrevs, &f->cap_abbrevs, sizeof(*f->abbrevs)))
		return NULL;
	struct ep_dwarf_abbrevs *all = parse_abbrevs(u);
	if (!all || ep_index_add(&f->abbrev_index, abbrev_hash(u), (uint32_t)f->n_abbrevs) < 0)
		return NULL;
	f->abbrevs[f->n_abbrevs++] = all;
	return u->abbrevs = all;
}

const struct ep_dwarf_abbrev *ep_dwarf_file_abbrev(const struct ep_dwarf_abbrevs *all,
						   uint64_t code)
{
	if (code - 1 < all->n && all->a[code - 1].code == code)
		return &all->a[code - 1]; /* nearly all files: 1, 2, 3, … */
	size_t lo = 0, hi = all->n;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (all->a[mid].code < code)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < all->n && all->a[lo].code == code ? &all->a[lo] : NULL;
}

/* ---- the first DIE ---- */

/* Strings and addresses may be indexes into tables whose place is told only later. */
struct late {
	struct ep_dwarf_value comp_dir, dwo_name, low_pc;
	bool has_comp_dir, has_dwo_name, has_low_pc;
};

static void take_root(struct ep_dwarf_root *r, struct late *late, uint16_t name,
		      const struct ep_dwarf_value *v)
{
	switch (name) {
	case DW_AT_comp_dir:
		late->comp_dir = *v;
		late->has_comp_dir = true;
		break;
	case DW_AT_dwo_name:
	case DW_AT_GNU_dwo_name:
		late->dwo_name = *v;
		late->has_dwo_name = true;
		break;
	case DW_AT_low_pc:
		late->low_pc = *v;
		late->has_low_pc = true;
		break;
	case DW_AT_stmt_list:
		r->stmt_list = v->u;
		r->has_stmt_list = true;
		break;
	case DW_AT_str_offsets_base:
		r->str_offsets_base = v->u;
		break;
	case DW_AT_addr_base:
	case DW_AT_GNU_addr_base:
		r->addr_base = v->u;
		break;
	case DW_AT_rnglists_base:
		r->rnglists_base = v->u;
		break;
	case DW_AT_GNU_ranges_base:
		r->ranges_base = v->u;
		break;
	case DW_AT_GNU_dwo_id:
		r->dwo_id = v->u;
		break;
	default:
		break;
	}
}

static void resolve(struct ep_dwarf_unit *u, struct ep_dwarf_root *r, const struct late *late)
{
	if (late->has_comp_dir)
		r->comp_dir = ep_dwarf_form_string(u, &late->comp_dir);
	if (late->has_dwo_name)
		r->dwo_name = ep_dwarf_form_string(u, &late->dwo_name);
	if (late->has_low_pc)
		(void)ep_dwarf_form_address(u, &late->low_pc, &r->low_pc); /* else 0 */
	if (!r->comp_dir)
		r->comp_dir = "";
}

/* The declaration is searched for, and is the first: a map without .debug_aranges
 * needs all units' first DIEs, but not all their abbreviations. */
static bool find_decl(struct ep_dwarf_unit *u, uint64_t code, struct ep_dwarf_at *ret_attrs)
{
	struct ep_elffile_bytes s = u->file->section[EP_DWARF_ABBREV];
	struct ep_dwarf_at a = ep_dwarf_at(s.p, s.n, u->abbrev_offset);
	struct ep_dwarf_attr attr;
	uint64_t c;
	while (!a.bad && (c = ep_dwarf_uleb(&a)) != 0) {
		(void)ep_dwarf_uleb(&a);
		(void)ep_dwarf_u8(&a);
		*ret_attrs = a;
		if (c == code)
			return !a.bad;
		while (next_attr(&a, &attr))
			;
	}
	return false;
}

const struct ep_dwarf_root *ep_dwarf_file_root(struct ep_dwarf_unit *u)
{
	struct ep_elffile_bytes info = u->file->section[EP_DWARF_INFO];
	if (u->root || u->is_bad)
		return u->root;
	struct ep_dwarf_root *r = ep_arena_array(u->file->dwarf->arena, struct ep_dwarf_root, 1);
	struct ep_dwarf_at a = ep_dwarf_at(info.p, u->end, u->dies), decl;
	struct late late = {0};
	struct ep_dwarf_attr attr;
	uint64_t code = ep_dwarf_uleb(&a);
	if (!r || !code || !find_decl(u, code, &decl)) {
		u->is_bad = true;
		return NULL;
	}
	r->comp_dir = "";
	while (next_attr(&decl, &attr)) {
		struct ep_dwarf_value v;
		if (!ep_dwarf_form_read(&a, u, &attr, &v))
			break;
		take_root(r, &late, attr.name, &v);
	}
	u->root = r;
	resolve(u, r, &late);
	return r;
}

bool ep_dwarf_file_pcs(struct ep_dwarf_unit *u, struct ep_dwarf_pcs *ret_pcs)
{
	struct ep_elffile_bytes info = u->file->section[EP_DWARF_INFO];
	struct ep_dwarf_at a = ep_dwarf_at(info.p, u->end, u->dies), decl;
	struct ep_dwarf_attr attr;
	*ret_pcs = (struct ep_dwarf_pcs){0};
	if (!find_decl(u, ep_dwarf_uleb(&a), &decl))
		return false;
	while (next_attr(&decl, &attr)) {
		struct ep_dwarf_value v;
		if (!ep_dwarf_form_read(&a, u, &attr, &v))
			return false;
		ep_dwarf_range_take(ret_pcs, attr.name, &v);
	}
	return true;
}

/* ---- .dwo ---- */

/* A .dwo file has one unit of code. */
static struct ep_dwarf_unit *unit_of_dwo(struct ep_dwarf_file *file)
{
	for (size_t i = 0; i < file->n_units; i++) {
		struct ep_dwarf_unit *u = &file->units[i];
		if (!u->is_bad && (u->type == DW_UT_compile || u->type == DW_UT_split_compile))
			return u;
	}
	return NULL;
}

static struct ep_dwarf_file *add_dwo(struct ep_debuginfo *d, struct ep_elffile *elf)
{
	struct ep_dwarf_file *file = ep_alloc(sizeof(*file));
	if (!file)
		return NULL;
	int rc = ep_dwarf_file_init(file, d, elf, true, NULL);
	file->alt_tried = true;
	if (rc < 0) {
		ep_dwarf_file_fini(file);
		ep_free(file);
		return NULL;
	}
	file->owns_elf = true;
	d->dwos[d->n_dwos++] = file;
	return file;
}

static void say_missing(struct ep_debuginfo *d, const char *name)
{
	if (d->n_dwos_missing++ == 0) /* one line for all of them */
		ep_note(d->notes, "%s: split debug file %s not found",
			ep_elffile_path(d->main.elf), name);
}

static struct ep_dwarf_unit *open_dwo(struct ep_dwarf_unit *u)
{
	struct ep_debuginfo *d = u->file->dwarf;
	ep_auto(ep_elffile) elf = NULL;
	if (!d->dwos)
		d->dwos = ep_zalloc(EP_DWARF_MAX_DWO * sizeof(struct ep_dwarf_file *));
	if (!d->dwos || d->n_dwos == EP_DWARF_MAX_DWO)
		return NULL;
	if (ep_debugfile_dwo(u->file->elf, u->root->comp_dir, u->root->dwo_name, &elf) < 0) {
		say_missing(d, u->root->dwo_name);
		return NULL;
	}
	struct ep_dwarf_file *file = add_dwo(d, elf);
	if (!file)
		return NULL;
	(void)ep_take(&elf); /* the file's now */
	struct ep_dwarf_unit *whole = unit_of_dwo(file);
	if (!whole)
		return NULL;
	whole->skeleton = u;
	return ep_dwarf_file_root(whole) ? whole : NULL;
}

struct ep_dwarf_unit *ep_dwarf_file_whole(struct ep_dwarf_unit *u)
{
	if (u->file->is_dwo || !u->root || !u->root->dwo_name)
		return u;
	if (!u->dwo_tried) {
		u->dwo_tried = true;
		u->dwo = open_dwo(u);
	}
	return u->dwo ? u->dwo : u;
}
