/*
 * dwarf_line.c - line programs, DWARF 2 to 5, into rows.  See dwarf_in.h.
 *
 * Source: DWARF 5, 6.2; DWARF 4, 6.2 for the older tables of files.
 */
#include "symbol/dwarf_in.h"

#include "base/sort.h"

#include <stdio.h>

enum {
	LNS_copy = 1,
	LNS_advance_pc = 2,
	LNS_advance_line = 3,
	LNS_set_file = 4,
	LNS_set_column = 5,
	LNS_negate_stmt = 6,
	LNS_set_basic_block = 7,
	LNS_const_add_pc = 8,
	LNS_fixed_advance_pc = 9,
	LNS_set_prologue_end = 10,
	LNS_set_epilogue_begin = 11,
	LNS_set_isa = 12,
	LNE_end_sequence = 1,
	LNE_set_address = 2,
	LNE_define_file = 3,
	LNE_set_discriminator = 4,
	LNCT_path = 1,
	LNCT_directory_index = 2,
	MAX_FORMATS = 16, /* of a table's entry */
	MAX_FILES = 1 << 20,
};

struct program {
	struct ep_dwarf_unit *u; /* for forms: version and sizes are the table's */
	struct ep_dwarf_lines *l;
	struct ep_dwarf_at a;
	uint8_t min_inst, max_ops, opcode_base, line_range;
	int8_t line_base;
	uint8_t n_args[256];
	uint64_t code_start;
	/* The state machine. */
	uint64_t address, file, discriminator;
	uint64_t line, column, op;
	size_t first_row; /* of the sequence */
	bool failed;
};

void ep_dwarf_line_free(struct ep_dwarf_lines *l)
{
	if (!l)
		return;
	ep_free(l->rows);
	ep_free(l->runs);
	ep_free(l->dirs);
	ep_free(l->files);
	ep_free(l);
}

/* ---- folders and files ---- */

static void add_dir(struct program *g, const char *dir)
{
	struct ep_dwarf_lines *l = g->l;
	if (l->n_dirs < MAX_FILES &&
	    ep_dwarf_grow(&l->dirs, l->n_dirs, &l->cap_dirs, sizeof(*l->dirs)))
		l->dirs[l->n_dirs++] = dir;
	else
		g->failed = true;
}

static void add_file(struct program *g, const char *name, uint64_t dir)
{
	struct ep_dwarf_lines *l = g->l;
	if (l->n_files < MAX_FILES &&
	    ep_dwarf_grow(&l->files, l->n_files, &l->cap_files, sizeof(*l->files)))
		l->files[l->n_files++] = (struct ep_dwarf_line_file){name, NULL, dir};
	else
		g->failed = true;
}

static void old_file(struct program *g, struct ep_dwarf_at *a, const char *name)
{
	uint64_t dir = ep_dwarf_uleb(a);
	(void)ep_dwarf_uleb(a); /* time */
	(void)ep_dwarf_uleb(a); /* size */
	if (!a->bad)
		add_file(g, name, dir);
}

/* Up to DWARF 4: number 0 is the unit's own folder, files count from 1. */
static void old_tables(struct program *g, struct ep_dwarf_at *a)
{
	const char *s;
	add_dir(g, "");
	while (!g->failed && *(s = ep_dwarf_str(a)))
		add_dir(g, s);
	add_file(g, "", 0);
	while (!g->failed && *(s = ep_dwarf_str(a)))
		old_file(g, a, s);
}

struct formats {
	struct ep_dwarf_attr of[MAX_FORMATS];
	unsigned n;
};

static bool read_formats(struct ep_dwarf_at *a, struct formats *f)
{
	f->n = ep_dwarf_u8(a);
	if (f->n > MAX_FORMATS)
		ep_dwarf_spoil(a);
	for (unsigned i = 0; i < f->n && !a->bad; i++) {
		f->of[i].name = (uint16_t)ep_dwarf_uleb(a);
		f->of[i].form = (uint16_t)ep_dwarf_uleb(a);
		f->of[i].implicit = 0;
	}
	return !a->bad;
}

static bool read_entry(struct program *g, struct ep_dwarf_at *a, const struct formats *f,
		       bool is_dir)
{
	const char *name = "";
	uint64_t dir = 0;
	for (unsigned i = 0; i < f->n; i++) {
		struct ep_dwarf_value v;
		if (!ep_dwarf_form_read(a, g->u, &f->of[i], &v))
			return false;
		if (f->of[i].name == LNCT_path)
			name = ep_dwarf_form_string(g->u, &v);
		else if (f->of[i].name == LNCT_directory_index)
			dir = v.u;
	}
	if (is_dir)
		add_dir(g, name ? name : "");
	else
		add_file(g, name ? name : "", dir);
	return !g->failed;
}

static void new_table(struct program *g, struct ep_dwarf_at *a, bool is_dir)
{
	struct formats f;
	if (!read_formats(a, &f))
		return;
	uint64_t n = ep_dwarf_uleb(a);
	for (uint64_t i = 0; i < n && !a->bad; i++)
		if (!read_entry(g, a, &f, is_dir))
			return;
}

/* ---- the program ---- */

static void add_row(struct program *g)
{
	struct ep_dwarf_lines *l = g->l;
	if (!ep_dwarf_grow(&l->rows, l->n_rows, &l->cap_rows, sizeof(*l->rows))) {
		g->failed = true;
		return;
	}
	l->rows[l->n_rows++] = (struct ep_dwarf_row){
		.address = g->address,
		.file = g->file > UINT32_MAX ? UINT32_MAX : (uint32_t)g->file,
		.line = g->line > UINT32_MAX ? 0 : (uint32_t)g->line,
		.discriminator = (uint32_t)g->discriminator,
		.column = g->column > UINT16_MAX ? 0 : (uint16_t)g->column};
	g->discriminator = 0;
}

static void reset(struct program *g)
{
	g->address = g->op = g->discriminator = g->column = 0;
	g->file = g->line = 1;
	g->first_row = g->l->n_rows;
}

static void end_sequence(struct program *g)
{
	struct ep_dwarf_lines *l = g->l;
	size_t n = l->n_rows - g->first_row;
	uint64_t lo = n ? l->rows[g->first_row].address : 0;
	if (!n || lo >= g->address || lo < g->code_start)
		l->n_rows = g->first_row; /* dropped by the linker */
	else if (ep_dwarf_grow(&l->runs, l->n_runs, &l->cap_runs, sizeof(*l->runs)))
		l->runs[l->n_runs++] =
			(struct ep_dwarf_run){lo, g->address, g->first_row, n};
	else
		g->failed = true;
	reset(g);
}

static void advance(struct program *g, uint64_t ops)
{
	if (g->max_ops <= 1) {
		g->address += ops * g->min_inst;
		return;
	}
	g->address += g->min_inst * ((g->op + ops) / g->max_ops);
	g->op = (g->op + ops) % g->max_ops;
}

static void extended(struct program *g)
{
	struct ep_dwarf_at *a = &g->a;
	uint64_t n = ep_dwarf_uleb(a);
	if (!n || n > ep_dwarf_left(a)) {
		ep_dwarf_spoil(a);
		return;
	}
	struct ep_dwarf_at in = {a->p, a->p + n, false};
	ep_dwarf_skip(a, n);
	switch (ep_dwarf_u8(&in)) {
	case LNE_end_sequence:
		end_sequence(g);
		break;
	case LNE_set_address:
		g->address = ep_dwarf_u(&in, n - 1 > 8 ? 8 : (unsigned)n - 1);
		g->op = 0;
		break;
	case LNE_define_file:
		old_file(g, &in, ep_dwarf_str(&in));
		break;
	case LNE_set_discriminator:
		g->discriminator = ep_dwarf_uleb(&in);
		break;
	default:
		break;
	}
}

static void standard(struct program *g, uint8_t op)
{
	struct ep_dwarf_at *a = &g->a;
	switch (op) {
	case LNS_copy:
		add_row(g);
		break;
	case LNS_advance_pc:
		advance(g, ep_dwarf_uleb(a));
		break;
	case LNS_advance_line:
		g->line = (uint32_t)(g->line + (uint64_t)ep_dwarf_sleb(a));
		break;
	case LNS_set_file:
		g->file = ep_dwarf_uleb(a);
		break;
	case LNS_set_column:
		g->column = ep_dwarf_uleb(a);
		break;
	case LNS_negate_stmt:
	case LNS_set_basic_block:
	case LNS_set_prologue_end:
	case LNS_set_epilogue_begin:
		break;
	case LNS_const_add_pc:
		advance(g, (uint64_t)(255 - g->opcode_base) / g->line_range);
		break;
	case LNS_fixed_advance_pc:
		g->address += ep_dwarf_u(a, 2);
		g->op = 0;
		break;
	case LNS_set_isa:
	default: /* one of a later version */
		for (unsigned i = 0; i < g->n_args[op]; i++)
			(void)ep_dwarf_uleb(a);
	}
}

static void run(struct program *g)
{
	reset(g);
	while (!g->a.bad && !g->failed && g->a.p < g->a.end) {
		uint8_t op = ep_dwarf_u8(&g->a);
		if (op >= g->opcode_base) {
			unsigned n = op - g->opcode_base;
			advance(g, n / g->line_range);
			g->line = (uint32_t)(g->line + (uint64_t)(int64_t)(g->line_base +
							 (int)(n % g->line_range)));
			add_row(g);
		} else if (op == 0) {
			extended(g);
		} else {
			standard(g, op);
		}
	}
	g->l->n_rows = g->first_row; /* of a sequence without an end */
}

/* Up to the tables; false at something that can't be read. */
static bool read_head(struct program *g, struct ep_dwarf_unit *u, struct ep_dwarf_at *tables)
{
	struct ep_dwarf_at *a = &g->a;
	ep_dwarf_length(a, &u->offset_size);
	u->version = (uint8_t)ep_dwarf_u(a, 2);
	if (a->bad || u->version < 2 || u->version > 5)
		return false;
	g->l->version = u->version;
	if (u->version >= 5) {
		u->addr_size = ep_dwarf_u8(a);
		(void)ep_dwarf_u8(a); /* segment selectors */
	}
	uint64_t n = ep_dwarf_u(a, u->offset_size);
	*tables = *a;
	if (n > ep_dwarf_left(a))
		return false;
	tables->end = a->p + n;
	ep_dwarf_skip(a, n);
	g->min_inst = ep_dwarf_u8(tables);
	g->max_ops = u->version >= 4 ? ep_dwarf_u8(tables) : 1;
	(void)ep_dwarf_u8(tables); /* default is_stmt */
	g->line_base = (int8_t)ep_dwarf_u8(tables);
	g->line_range = ep_dwarf_u8(tables);
	g->opcode_base = ep_dwarf_u8(tables);
	for (unsigned i = 1; i < g->opcode_base; i++)
		g->n_args[i] = ep_dwarf_u8(tables);
	return !tables->bad && g->line_range && g->opcode_base;
}

static bool before(const void *x, const void *y, void *arg)
{
	(void)arg;
	const struct ep_dwarf_run *a = x, *b = y;
	return a->lo != b->lo ? a->lo < b->lo : a->first < b->first;
}

static void read_program(struct program *g)
{
	struct ep_dwarf_at tables;
	/* Forms in the tables are read with the table's own version and sizes. */
	struct ep_dwarf_unit u = *g->u;
	if (!read_head(g, &u, &tables))
		return;
	g->u = &u;
	if (u.version >= 5) {
		new_table(g, &tables, true);
		new_table(g, &tables, false);
	} else {
		old_tables(g, &tables);
	}
	if (!g->failed)
		run(g);
}

struct ep_dwarf_lines *ep_dwarf_line_read(struct ep_dwarf_unit *u)
{
	struct ep_elffile_bytes s = u->file->section[EP_DWARF_LINE];
	struct ep_dwarf_lines *l = ep_zalloc(sizeof(*l));
	if (!l || !u->root || !u->root->has_stmt_list)
		return l;
	struct program g = {.u = u,
			    .l = l,
			    .a = ep_dwarf_at(s.p, s.n, u->root->stmt_list),
			    .code_start = u->file->dwarf->code_start};
	read_program(&g);
	ep_sort(l->runs, l->n_runs, sizeof(*l->runs), before, NULL);
	return l;
}

const struct ep_dwarf_row *ep_dwarf_line_find(const struct ep_dwarf_lines *l, uint64_t address)
{
	size_t lo = 0, hi = l->n_runs;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (l->runs[mid].lo <= address)
			lo = mid + 1;
		else
			hi = mid;
	}
	const struct ep_dwarf_run *r = lo ? &l->runs[lo - 1] : NULL;
	if (!r || r->hi <= address)
		return NULL;
	const struct ep_dwarf_row *rows = l->rows + r->first;
	/* Of rows at one address the last one counts. */
	for (lo = 0, hi = r->n; lo < hi;) {
		size_t mid = lo + (hi - lo) / 2;
		if (rows[mid].address <= address)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo ? &rows[lo - 1] : NULL;
}

/* ---- paths ---- */

static bool ends_in_slash(const char *s)
{
	size_t n = strlen(s);
	return n && s[n - 1] == '/';
}

static const char *join(struct ep_arena *arena, const char *a, const char *b, const char *c)
{
	char *s;
	size_t n = strlen(a) + strlen(b) + strlen(c) + 3;
	s = ep_arena_alloc(arena, n);
	if (!s)
		return c;
	(void)snprintf(s, n, "%s%s%s%s%s", a, *a && !ends_in_slash(a) ? "/" : "", b,
		       *b && !ends_in_slash(b) ? "/" : "", c); /* n is enough */
	return s;
}

static const char *make_path(struct ep_dwarf_unit *u, const struct ep_dwarf_lines *l,
			     const struct ep_dwarf_line_file *f)
{
	const char *dir = f->dir < l->n_dirs ? l->dirs[f->dir] : "";
	const char *top = u->root ? u->root->comp_dir : "";
	if (!*f->name || *f->name == '/')
		return f->name;
	/* Number 0 is the unit's own folder, which DWARF 5 writes out. */
	if (*dir == '/' || (l->version >= 5 && f->dir == 0))
		top = "";
	return join(u->file->dwarf->arena, top, dir, f->name);
}

const char *ep_dwarf_line_path(struct ep_dwarf_unit *u, struct ep_dwarf_lines *l, uint64_t file)
{
	if (file >= l->n_files)
		return "";
	struct ep_dwarf_line_file *f = &l->files[file];
	if (!f->path)
		f->path = make_path(u, l, f);
	return f->path;
}
