/*
 * callgraph_frames.c - what each line of each location is called in this report.
 *
 * Done once for each location, so that samples meet numbers only.
 */
#include "report/callgraph_inside.h"

#include "base/hash.h"
#include "base/index.h"
#include "report/sourcefile.h"
#include "report/text.h"

struct table {
	struct ep_index names_ix, frames_ix;
	struct ep_slice *names; /* interned: equal ones have equal pointers */
	uint32_t n_names;
	uint32_t *name_of, *file_of; /* of strings of the profile; EP_NONE: not asked yet */
	struct ep_buf scratch;
	bool keeps_objects;
};

static void table_fini(struct table *t)
{
	ep_index_fini(&t->names_ix);
	ep_index_fini(&t->frames_ix);
	ep_buf_fini(&t->scratch);
}

static int intern(struct table *t, struct ep_slice s, uint32_t *ret)
{
	struct ep_index_iter it;
	uint64_t h = ep_hash64(s.p, s.n);
	for (uint32_t i = ep_index_first(&t->names_ix, h, &it); i != EP_INDEX_NONE;
	     i = ep_index_next(&t->names_ix, &it))
		if (ep_slice_eq(t->names[i], s)) {
			*ret = i;
			return 0;
		}
	EP_TRY(ep_index_add(&t->names_ix, h, t->n_names));
	t->names[t->n_names] = s;
	*ret = t->n_names++;
	return 0;
}

static int name_of(struct ep_callgraph_maker *m, struct table *t, ep_str s,
		   struct ep_slice *ret)
{
	if (t->name_of[s] == EP_NONE)
		EP_TRY(intern(t, ep_profile_str(m->r->p, s), &t->name_of[s]));
	*ret = t->names[t->name_of[s]];
	return 0;
}

/* "" stays. */
static int clean(struct ep_arena *arena, struct ep_buf *scratch, struct ep_slice *path)
{
	if (!path->n)
		return 0;
	ep_buf_clear(scratch);
	ep_text_add_clean_path(scratch, *path);
	EP_TRY(ep_buf_failed(scratch));
	struct ep_slice cleaned = {(const char *)scratch->data, scratch->len};
	if (ep_slice_eq(cleaned, *path))
		return 0;
	path->n = cleaned.n;
	path->p = ep_arena_copy(arena, cleaned.p, cleaned.n);
	return path->p ? 0 : -ENOMEM;
}

static int file_of(struct ep_callgraph_maker *m, struct table *t, ep_str s,
		   struct ep_slice *ret)
{
	if (t->file_of[s] == EP_NONE) {
		struct ep_slice f = ep_profile_str(m->r->p, s);
		f = ep_sourcefile_trim(f, m->r->o.trim_path, m->r->o.source_path);
		EP_TRY(clean(m->g->arena, &t->scratch, &f));
		EP_TRY(intern(t, f, &t->file_of[s]));
	}
	*ret = t->names[t->file_of[s]];
	return 0;
}

static bool same(const struct ep_callgraph_frame *a, const struct ep_callgraph_frame *b)
{
	return a->name.p == b->name.p && a->file.p == b->file.p &&
	       a->objfile.p == b->objfile.p && a->address == b->address &&
	       a->start_line == b->start_line && a->line == b->line &&
	       a->column == b->column;
}

static uint64_t hash(const struct ep_callgraph_frame *f)
{
	uint64_t h = ep_hash_mix((uintptr_t)f->name.p, (uintptr_t)f->file.p);
	h = ep_hash_mix(h, (uintptr_t)f->objfile.p);
	h = ep_hash_mix(h, f->address);
	h = ep_hash_mix(h, (uint64_t)f->start_line);
	h = ep_hash_mix(h, (uint64_t)f->line);
	return ep_hash_mix(h, (uint64_t)f->column);
}

static int add_frame(struct ep_callgraph *g, struct table *t,
		     const struct ep_callgraph_frame *f, uint32_t *ret)
{
	struct ep_index_iter it;
	uint64_t h = hash(f);
	for (uint32_t i = ep_index_first(&t->frames_ix, h, &it); i != EP_INDEX_NONE;
	     i = ep_index_next(&t->frames_ix, &it))
		if (same(&g->frames[i], f)) {
			*ret = i;
			return 0;
		}
	EP_TRY(ep_index_add(&t->frames_ix, h, g->n_frames));
	g->frames[g->n_frames] = *f;
	*ret = g->n_frames++;
	return 0;
}

/* line NULL: a location nothing is known of but its place. */
static int frame_of(struct ep_callgraph_maker *m, struct table *t,
		    const struct ep_location *l, const struct ep_line *line, uint32_t *ret)
{
	const struct ep_profile *p = m->r->p;
	struct ep_callgraph_frame f = {.address = l->address};
	bool wants_object = true;
	f.name = f.file = f.objfile = t->names[0];
	if (line) {
		const struct ep_function *fn = &p->functions[line->function];
		EP_TRY(name_of(m, t, fn->name, &f.name));
		EP_TRY(file_of(m, t, fn->filename, &f.file));
		f.line = line->line;
		f.column = line->column;
		wants_object = t->keeps_objects || !f.name.n;
		if (wants_object)
			f.start_line = fn->start_line;
	}
	if (wants_object && l->mapping != EP_NONE)
		EP_TRY(name_of(m, t, p->mappings[l->mapping].filename, &f.objfile));
	return add_frame(m->g, t, &f, ret);
}

static int frames_of_location(struct ep_callgraph_maker *m, struct table *t, uint32_t i,
			      uint32_t *n)
{
	const struct ep_location *l = &m->r->p->locations[i];
	m->first_frame[i] = *n;
	if (!l->n_lines)
		EP_TRY(frame_of(m, t, l, NULL, &m->frames[(*n)++]));
	for (uint32_t k = 0; k < l->n_lines; k++)
		EP_TRY(frame_of(m, t, l, &m->r->p->lines[l->first_line + k],
				&m->frames[(*n)++]));
	return 0;
}

static bool keeps_objects(enum ep_report_kind kind)
{
	return kind == EP_REPORT_RAW || kind == EP_REPORT_LIST || kind == EP_REPORT_WEBLIST ||
	       kind == EP_REPORT_DISASM || kind == EP_REPORT_CALLGRIND;
}

static int fill(struct ep_callgraph_maker *m, struct table *t)
{
	const struct ep_profile *p = m->r->p;
	uint32_t n = 0, none;
	EP_TRY(intern(t, (struct ep_slice){"", 0}, &none));
	for (uint32_t i = 0; i < p->n_locations; i++)
		EP_TRY(frames_of_location(m, t, i, &n));
	m->first_frame[p->n_locations] = n;
	return 0;
}

int ep_callgraph_frames_make(struct ep_callgraph_maker *m)
{
	const struct ep_profile *p = m->r->p;
	size_t n = 0;
	for (uint32_t i = 0; i < p->n_locations; i++)
		n += p->locations[i].n_lines ? p->locations[i].n_lines : 1;
	struct table t = {.keeps_objects = keeps_objects(m->r->o.kind)};
	m->first_frame = ep_alloc(((size_t)p->n_locations + 1) * sizeof(uint32_t));
	m->frames = ep_alloc((n + 1) * sizeof(uint32_t));
	m->g->frames = ep_callgraph_array(m->g, struct ep_callgraph_frame, n);
	/* Every string once as a name and once as a file, and "". */
	size_t n_strings = p->n_strings;
	uint32_t *of ep_auto_mem = ep_alloc(n_strings * 2 * sizeof(*of) + 1);
	struct ep_slice *names ep_auto_mem = ep_alloc((n_strings * 2 + 1) * sizeof(*names));
	if (!m->first_frame || !m->frames || !m->g->frames || !of || !names)
		return -ENOMEM;
	memset(of, 0xff, n_strings * 2 * sizeof(*of));
	t.name_of = of;
	t.file_of = of + n_strings;
	t.names = names;
	ep_buf_init(&t.scratch, EP_NONE);
	int rc = fill(m, &t);
	table_fini(&t);
	return rc;
}
