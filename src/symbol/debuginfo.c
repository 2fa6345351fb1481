/* debuginfo.c - the question and the answer.  See debuginfo.h. */
#include "symbol/dwarf_in.h"

int ep_debuginfo_new(struct ep_elffile *f, const struct ep_notes *notes, struct ep_debuginfo **ret_d,
		 struct ep_err *err)
{
	ep_auto(ep_debuginfo) d = ep_zalloc(sizeof(*d));
	if (d)
		d->arena = ep_arena_new(EP_DWARF_MAX_ARENA);
	if (!d || !d->arena)
		return ep_fail(err, -ENOMEM, 0, "no memory for debug information");
	d->notes = notes;
	d->code_start = UINT64_MAX;
	size_t n;
	const Elf64_Phdr *p = ep_elf_segments(ep_elffile_elf(f), &n);
	for (size_t i = 0; i < n; i++)
		if (p[i].p_type == PT_LOAD && (p[i].p_flags & PF_X) &&
		    p[i].p_vaddr < d->code_start)
			d->code_start = p[i].p_vaddr;
	if (d->code_start == UINT64_MAX)
		d->code_start = 0;
	EP_TRY(ep_dwarf_file_init(&d->main, d, f, false, err));
	if (!d->main.n_units)
		return ep_fail(err, -ENOENT, 0, "%s has no debug information",
			       ep_elffile_path(f));
	*ret_d = ep_take(&d);
	return 0;
}

void ep_debuginfo_free(struct ep_debuginfo *d)
{
	if (!d)
		return;
	ep_dwarf_file_fini(&d->main);
	for (size_t i = 0; i < d->n_dwos; i++) {
		ep_dwarf_file_fini(d->dwos[i]);
		ep_free(d->dwos[i]);
	}
	ep_free(d->dwos);
	ep_free(d->map);
	ep_arena_free(d->arena);
	ep_free(d);
}

/* ---- tables of units ---- */

static size_t bytes_of(const struct ep_dwarf_unit *u)
{
	size_t n = 0;
	if (u->lines)
		n += u->lines->cap_rows * sizeof(*u->lines->rows) +
		     u->lines->cap_runs * sizeof(*u->lines->runs) +
		     u->lines->cap_files * sizeof(*u->lines->files);
	if (u->tree)
		n += u->tree->cap_fns * sizeof(*u->tree->fns) +
		     u->tree->cap_segments * sizeof(*u->tree->segments);
	return n;
}

static void drop_file(struct ep_dwarf_file *f)
{
	for (size_t i = 0; i < f->n_units; i++) {
		ep_dwarf_line_free(f->units[i].lines);
		ep_dwarf_tree_free(f->units[i].tree);
		f->units[i].lines = NULL;
		f->units[i].tree = NULL;
	}
}

static void drop_tables(struct ep_debuginfo *d)
{
	drop_file(&d->main);
	for (size_t i = 0; i < d->n_dwos; i++)
		drop_file(d->dwos[i]);
	d->n_table_bytes = 0;
}

/* Lines are in the program's file, functions may be in a .dwo. */
static bool read_tables(struct ep_debuginfo *d, struct ep_dwarf_unit *u,
			struct ep_dwarf_unit *whole)
{
	if (u->lines && whole->tree)
		return true;
	if (d->n_table_bytes > EP_DWARF_MAX_TABLES)
		drop_tables(d);
	if (!u->lines) {
		u->lines = ep_dwarf_line_read(u);
		d->n_table_bytes += bytes_of(u);
	}
	if (!whole->tree) {
		whole->tree = ep_dwarf_tree_read(whole);
		d->n_table_bytes += bytes_of(whole);
	}
	return u->lines && whole->tree;
}

/* ---- frames ---- */

struct answer {
	struct ep_dwarf_unit *unit, *whole;
	struct ep_debuginfo_frame *frames;
	size_t n, max;
};

static void put_place(struct answer *a, struct ep_debuginfo_frame *f, uint64_t file, uint64_t line,
		      uint64_t column)
{
	f->file = ep_dwarf_line_path(a->unit, a->unit->lines, file);
	f->line = (uint32_t)line;
	f->column = (uint32_t)column;
}

static void put_function(struct answer *a, struct ep_debuginfo_frame *f, const struct ep_dwarf_fn *fn)
{
	struct ep_dwarf_about about;
	ep_dwarf_die_about((struct ep_dwarf_die){a->whole, fn->die}, &about);
	f->linkage_name = about.linkage_name ? about.linkage_name : "";
	f->name = about.name ? about.name : "";
	f->start_line = about.decl_line > UINT32_MAX ? 0 : (uint32_t)about.decl_line;
	f->is_inlined = fn->is_inlined && fn->parent != UINT32_MAX;
	f->start = fn->start;
}

static void fill(struct answer *a, const struct ep_dwarf_row *row, uint32_t id)
{
	const struct ep_dwarf_tree *t = a->whole->tree;
	const struct ep_dwarf_fn *callee = NULL;
	for (unsigned hops = 0; a->n < a->max && hops < EP_DWARF_MAX_CHAIN; hops++) {
		struct ep_debuginfo_frame *f = &a->frames[a->n++];
		*f = (struct ep_debuginfo_frame){.linkage_name = "", .name = "", .file = ""};
		if (callee) {
			put_place(a, f, callee->call_file, callee->call_line,
				  callee->call_column);
			f->discriminator = callee->call_discriminator;
		} else if (row) {
			put_place(a, f, row->file, row->line, row->column);
			f->discriminator = row->discriminator;
		}
		if (id == UINT32_MAX)
			return;
		callee = &t->fns[id];
		put_function(a, f, callee);
		if (callee->parent == UINT32_MAX)
			return;
		id = callee->parent;
	}
}

static bool ask(struct ep_debuginfo *d, struct ep_dwarf_unit *u, uint64_t address, struct answer *a)
{
	if (!ep_dwarf_file_root(u))
		return false;
	a->unit = u;
	a->whole = ep_dwarf_file_whole(u);
	if (!read_tables(d, u, a->whole))
		return false;
	const struct ep_dwarf_row *row = ep_dwarf_line_find(u->lines, address);
	uint32_t id = ep_dwarf_tree_find(a->whole->tree, address);
	if (!row && id == UINT32_MAX)
		return false;
	fill(a, row, id);
	return a->n > 0;
}

size_t ep_debuginfo_frames(struct ep_debuginfo *d, uint64_t address, struct ep_debuginfo_frame *ret_frames,
		       size_t max)
{
	struct answer a = {.frames = ret_frames, .max = max};
	if (!d->has_map)
		(void)ep_dwarf_range_map(d); /* what it could read is there */
	size_t lo = 0, hi = d->n_map;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (d->map[mid].lo <= address)
			lo = mid + 1;
		else
			hi = mid;
	}
	for (unsigned tries = 0; lo && tries < EP_DWARF_MAX_CANDIDATES; tries++) {
		const struct ep_dwarf_span *s = &d->map[--lo];
		if (s->max_hi <= address)
			break;
		if (s->hi > address && ask(d, &d->main.units[s->unit], address, &a))
			break;
	}
	return a.n;
}
