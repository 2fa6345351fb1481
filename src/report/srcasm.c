/*
 * srcasm.c - see srcasm.h.
 *
 * In order: stretches of code around the samples; their instructions, each put under
 * the lines it belongs to; then lines gathered into routines.
 */
#include "report/srcasm.h"

#include "report/srcasm_in.h"
#include "report/text.h"
#include "report/wrap.h"

#include "base/grow.h"
#include "base/sort.h"
#include "symbol/object.h"

enum {
	MAX_CHAIN = 64,	    /* functions at an instruction */
	MAX_STRETCHES = 25, /* of code to disassemble: those with the most samples */
	AROUND = 500,	    /* bytes before the first sample and behind the last */
	NEAR = 32,	    /* bytes over which a line number is carried on */
	MERGE_LINES = 20,   /* ranges of a function that are nearer are one */
	CONTEXT = 5,	    /* lines shown around */
};
#define MAX_ARENA (2ull << 30)
#define MAX_LINE (INT64_MAX / 2) /* no file has it; sums with it can't overflow */

/* A function at an address. */
struct frame {
	struct ep_slice function, file;
	int64_t line;
};

struct chain {
	struct frame at[MAX_CHAIN]; /* the innermost first */
	uint32_t n;
};

struct binary {
	bool asked;
	struct ep_object *object; /* NULL: there is none */
};

/* Code from one spot to another, with some around. */
struct stretch {
	uint64_t begin, end;
	int64_t flat;
	uint32_t mapping;
	uint32_t first, n; /* in spots of interest */
};

struct work {
	const struct ep_report *r;
	const struct ep_profile *p;
	struct ep_objects *objects;
	struct ep_err *err;
	struct ep_srcasm *to;
	struct ep_srcasm_spots spots;
	struct ep_namemap files;     /* as binaries write them; values are clean */
	struct ep_namemap names;     /* of files, clean */
	struct binary *binaries;     /* of each mapping */
	struct ep_srcasm_spot **hot; /* spots of interest, by address */
	uint32_t n_hot;
	struct stretch *stretches;
	uint32_t n_stretches;
	uint32_t *seen; /* of each instruction: the last file that counted it, + 1 */
};

static int no_memory(struct work *w)
{
	return ep_fail(w->err, -ENOMEM, 0, "out of memory");
}

/* --- instructions under lines ----------------------------------------------------- */

static struct ep_slice without_prefix(struct ep_slice s, const char *prefix)
{
	size_t n = strlen(prefix);
	if (s.n < n || memcmp(s.p, prefix, n) != 0)
		return s;
	return (struct ep_slice){s.p + n, s.n - n};
}

/* The number of a file by a name that need not be clean. */
static int file_of(struct work *w, struct ep_slice raw, uint32_t *ret_file)
{
	uint32_t i = ep_namemap_find(&w->files, raw);
	if (i == EP_INDEX_NONE) {
		ep_auto_buf clean;
		ep_buf_init(&clean, 1 << 20);
		ep_text_add_clean_path(
			&clean,
			without_prefix(without_prefix(raw, "/proc/self/cwd/"), "./"));
		struct ep_slice name = {
			ep_arena_copy(w->to->arena, clean.data, clean.len), clean.len};
		if (ep_buf_failed(&clean) || !name.p ||
		    ep_namemap_put(&w->files, raw, name) < 0 ||
		    ep_namemap_put(&w->names, name, name) < 0)
			return no_memory(w);
		i = ep_namemap_find(&w->files, raw);
	}
	*ret_file = ep_namemap_find(&w->names, w->files.values[i]);
	return 0;
}

/* Under frame `at` of a chain. */
static int add_entry(struct work *w, uint32_t inst, const struct chain *c, uint32_t at)
{
	struct ep_srcasm *s = w->to;
	const struct frame *f = &c->at[at];
	if (f->line > MAX_LINE || f->line < -MAX_LINE)
		return 0;
	struct ep_srcasm_call *calls = NULL;
	if (at && !(calls = ep_arena_array(s->arena, struct ep_srcasm_call, at)))
		return no_memory(w);
	for (uint32_t i = 0; i < at; i++)
		calls[i] = (struct ep_srcasm_call){c->at[at - 1 - i].file,
						   c->at[at - 1 - i].line};
	if (ep_grow((void **)&s->entries, &s->cap_entries, s->n_entries, sizeof(*s->entries)) < 0)
		return no_memory(w);
	struct ep_srcasm_entry e = {.order = s->n_entries,
				    .line = f->line,
				    .inst = inst,
				    .function = f->function,
				    .calls = calls,
				    .n_calls = at};
	EP_TRY(file_of(w, f->file, &e.file));
	s->entries[s->n_entries++] = e;
	return 0;
}

static bool is_of_interest(const struct work *w, const struct chain *c)
{
	for (uint32_t i = 0; i < c->n; i++)
		if (ep_namemap_find(&w->spots.interest, c->at[i].function) !=
		    EP_INDEX_NONE)
			return true;
	return false;
}

static int add_inst(struct work *w, struct ep_srcasm_inst inst, const struct chain *c)
{
	struct ep_srcasm *s = w->to;
	if (!is_of_interest(w, c))
		return 0;
	if (ep_grow((void **)&s->insts, &s->cap_insts, s->n_insts, sizeof(*s->insts)) < 0)
		return no_memory(w);
	if (inst.text.n) {
		inst.text.p = ep_arena_copy(s->arena, inst.text.p, inst.text.n);
		if (!inst.text.p)
			return no_memory(w);
	}
	s->insts[s->n_insts] = inst;
	for (uint32_t i = 0; i < c->n; i++)
		if (ep_namemap_find(&w->spots.interest, c->at[i].function) !=
		    EP_INDEX_NONE)
			EP_TRY(add_entry(w, s->n_insts, c, i));
	s->n_insts++;
	return 0;
}

/* --- addresses without code ------------------------------------------------------- */

/* What the profile itself says of a spot. */
static void chain_of_spot(const struct work *w, const struct ep_srcasm_spot *spot,
			  struct chain *c)
{
	const struct ep_location *l = &w->p->locations[spot->location];
	c->n = 0;
	for (uint32_t i = 0; i < l->n_lines && c->n < MAX_CHAIN; i++) {
		const struct ep_line *line = &w->p->lines[l->first_line + i];
		const struct ep_function *f = &w->p->functions[line->function];
		c->at[c->n++] = (struct frame){w->p->strings[f->name],
					       w->p->strings[f->filename], line->line};
	}
}

static int add_bare(struct work *w, const struct ep_srcasm_spot *spot)
{
	struct chain c;
	chain_of_spot(w, spot, &c);
	struct ep_srcasm_inst inst = {
		.address = spot->address, .shown = spot->address, .n_bytes = 1};
	if (c.n) {
		inst.file = c.at[0].file;
		inst.line = c.at[0].line;
	}
	return add_inst(w, inst, &c);
}

/* --- code ------------------------------------------------------------------------- */

static struct ep_object *object_of(struct work *w, uint32_t mapping)
{
	if (mapping == EP_NONE || !w->objects)
		return NULL;
	struct binary *b = &w->binaries[mapping];
	if (!b->asked) {
		b->asked = true;
		if (ep_objects_open(w->objects, w->p, mapping, &b->object, NULL) < 0)
			b->object = NULL; /* its lines are shown without code */
	}
	return b->object;
}

/* The functions at an instruction; one without a name where nothing is known. */
static void chain_of(struct ep_object *o, uint64_t address, struct chain *c)
{
	struct ep_object_frame frames[MAX_CHAIN];
	c->n = (uint32_t)ep_object_frames(o, address, frames, MAX_CHAIN);
	for (uint32_t i = 0; i < c->n; i++)
		c->at[i] = (struct frame){ep_slice_of(frames[i].function),
					  ep_slice_of(frames[i].file), frames[i].line};
	if (c->n == 0)
		c->at[c->n++] = (struct frame){0};
}

/* The instructions of a stretch. */
struct code {
	struct ep_object *object;
	uint64_t bias; /* from the file's numbering to the process */
	const struct ep_object_inst *insts;
	size_t n;
};

static struct ep_srcasm_inst inst_at(const struct code *code, size_t i)
{
	const struct ep_object_inst *in = &code->insts[i];
	bool has_next = i + 1 < code->n && in[1].address > in->address;
	return (struct ep_srcasm_inst){.address = in->address + code->bias,
				       .shown = in->address,
				       .n_bytes = has_next ? in[1].address - in->address
							   : 1,
				       .text = ep_slice_of(in->text)};
}

/* The spot of a stretch within an instruction, *at on; NULL: there is none. */
static const struct ep_srcasm_spot *spot_in(const struct work *w,
					    const struct stretch *s,
					    const struct ep_srcasm_inst *inst,
					    uint32_t *at)
{
	while (*at < s->n && w->hot[s->first + *at]->address < inst->address)
		++*at;
	if (*at == s->n ||
	    w->hot[s->first + *at]->address - inst->address >= inst->n_bytes)
		return NULL;
	return w->hot[s->first + *at];
}

/*
 * An instruction without a line number has that of one shortly before it.  One with
 * samples of interest is shown even where the binary has other names than the profile.
 */
static int add_code(struct work *w, const struct stretch *s, const struct code *code)
{
	struct chain c, last;
	uint64_t last_address = 0, highest = 0;
	uint32_t at = 0;
	last.n = 0;
	for (size_t i = 0; i < code->n; i++) {
		struct ep_srcasm_inst inst = inst_at(code, i);
		if (inst.address <= highest)
			continue; /* objdump may repeat itself */
		highest = inst.address;
		chain_of(code->object, inst.address, &c);
		inst.file = c.at[0].file;
		inst.line = c.at[0].line;
		bool has_line = inst.line != 0;
		if (!has_line && last.n && inst.address - last_address <= NEAR)
			c = last;
		const struct ep_srcasm_spot *spot = spot_in(w, s, &inst, &at);
		if (spot && !is_of_interest(w, &c)) {
			chain_of_spot(w, spot, &c);
		} else if (has_line) {
			memcpy(last.at, c.at, c.n * sizeof(*c.at));
			last.n = c.n;
			last_address = inst.address;
		}
		EP_TRY(add_inst(w, inst, &c));
	}
	return 0;
}

/* Disassemble a stretch; without code its spots are shown as they are. */
static int add_stretch(struct work *w, const struct stretch *s)
{
	struct code code = {.object = w->binaries[s->mapping].object};
	struct ep_err why = {0};
	uint64_t begin;
	int rc = -ENOENT;
	if (ep_object_address(code.object, s->begin, &begin)) {
		code.bias = s->begin - begin;
		rc = ep_object_disasm(code.object, begin, s->end - code.bias,
				      w->r->o.intel_syntax, &code.insts, &code.n, &why);
	}
	if (rc == -ENOMEM)
		return no_memory(w);
	if (why.code)
		ep_note(w->r->notes, "%s", why.text);
	if (code.n)
		return add_code(w, s, &code);
	for (uint32_t i = 0; i < s->n; i++)
		EP_TRY(add_bare(w, w->hot[s->first + i]));
	return 0;
}

/* --- stretches -------------------------------------------------------------------- */

static uint32_t mapping_of(const struct work *w, const struct ep_srcasm_spot *spot)
{
	return w->p->locations[spot->location].mapping;
}

static struct stretch next_stretch(const struct work *w, uint32_t *at)
{
	struct stretch s = {.first = *at, .mapping = mapping_of(w, w->hot[*at])};
	const struct ep_mapping *m = &w->p->mappings[s.mapping];
	s.begin = s.end = w->hot[*at]->address;
	for (; *at < w->n_hot; ++*at, s.n++) {
		const struct ep_srcasm_spot *spot = w->hot[*at];
		if (s.n &&
		    (spot->address - s.end > 2 * AROUND || spot->address >= m->limit))
			break;
		s.end = spot->address;
		s.flat = ep_wrap_add(s.flat, spot->flat);
	}
	s.begin = s.begin - AROUND > s.begin || s.begin - AROUND < m->start
			  ? m->start
			  : s.begin - AROUND;
	s.end = m->limit - s.end >= AROUND ? s.end + AROUND : m->limit;
	return s;
}

static bool busier(const void *va, const void *vb, void *arg)
{
	(void)arg; /* the order needs nothing else */
	const struct stretch *a = va, *b = vb;
	return a->flat != b->flat ? a->flat > b->flat : a->begin < b->begin;
}

/* Spots of interest: those with a binary make stretches, the others stand alone. */
static int divide(struct work *w)
{
	uint32_t n = w->spots.n;
	w->hot = ep_arena_array(w->to->arena, struct ep_srcasm_spot *, n + 1);
	w->stretches = ep_arena_array(w->to->arena, struct stretch, n + 1);
	w->binaries = ep_arena_array(w->to->arena, struct binary, w->p->n_mappings + 1);
	if (!w->hot || !w->stretches || !w->binaries)
		return no_memory(w);
	for (uint32_t i = 0; i < n; i++) {
		struct ep_srcasm_spot *spot = &w->spots.at[i];
		if (spot->location == EP_NONE)
			continue;
		if (object_of(w, mapping_of(w, spot)))
			w->hot[w->n_hot++] = spot;
		else
			EP_TRY(add_bare(w, spot));
	}
	for (uint32_t at = 0; at < w->n_hot;)
		w->stretches[w->n_stretches++] = next_stretch(w, &at);
	ep_sort(w->stretches, w->n_stretches, sizeof(*w->stretches), busier, NULL);
	return 0;
}

/* --- sums and routines ------------------------------------------------------------ */

/* A sample in the middle of an instruction counts to its start. */
static void count(const struct ep_srcasm_spots *spots, struct ep_srcasm_inst *inst)
{
	uint32_t low = 0, high = spots->n;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		if (spots->at[middle].address < inst->address)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < spots->n && spots->at[low].address - inst->address < inst->n_bytes;
	     low++) {
		inst->flat = ep_wrap_add(inst->flat, spots->at[low].flat);
		inst->cum = ep_wrap_add(inst->cum, spots->at[low].cum);
	}
}

static bool entry_before(const void *va, const void *vb, void *arg)
{
	const struct work *w = arg;
	const struct ep_srcasm_entry *a = va, *b = vb;
	if (a->file != b->file)
		return ep_slice_cmp(w->names.keys[a->file], w->names.keys[b->file]) < 0;
	return a->line != b->line ? a->line < b->line : a->order < b->order;
}

/* The routine of a line, to which its first entry belongs. */
static struct ep_srcasm_routine line_at(const struct work *w, uint32_t i)
{
	const struct ep_srcasm *s = w->to;
	const struct ep_srcasm_entry *e = &s->entries[i];
	uint32_t pretty = ep_namemap_find(&w->spots.pretty, e->function);
	struct ep_srcasm_routine t = {.name = pretty == EP_INDEX_NONE
						      ? e->function
						      : w->spots.pretty.values[pretty],
				      .begin = e->line,
				      .end = e->line + 1,
				      .first = i};
	for (; i < s->n_entries && s->entries[i].file == e->file &&
	       s->entries[i].line == e->line;
	     i++, t.n++) {
		t.flat = ep_wrap_add(t.flat, s->insts[s->entries[i].inst].flat);
		t.cum = ep_wrap_add(t.cum, s->insts[s->entries[i].inst].cum);
	}
	return t;
}

/* Lines around; between two routines the gap is divided.  Line 0 stands for unknown
 * lines and has nothing around it. */
static void widen(struct ep_srcasm_routine *t, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		if (i == 0) {
			if (t[i].begin > CONTEXT)
				t[i].begin -= CONTEXT;
			else if (t[i].begin > 1)
				t[i].begin = 1;
			continue;
		}
		int64_t half = (t[i].begin - t[i - 1].end) / 2;
		half = half < CONTEXT ? half : CONTEXT;
		t[i - 1].end += half;
		t[i].begin -= half;
	}
	if (n)
		t[n - 1].end += CONTEXT;
}

/* The lines of a file, entries *at on, become routines. */
static void gather_file(struct work *w, uint32_t *at)
{
	struct ep_srcasm *s = w->to;
	uint32_t name = s->entries[*at].file;
	struct ep_srcasm_file *f = &s->files[s->n_files];
	*f = (struct ep_srcasm_file){.name = w->names.keys[name],
				     .first = s->n_routines};
	while (*at < s->n_entries && s->entries[*at].file == name) {
		struct ep_srcasm_routine line = line_at(w, *at);
		struct ep_srcasm_routine *last =
			f->n ? &s->routines[s->n_routines - 1] : NULL;
		*at += line.n;
		if (last && line.begin - last->end < MERGE_LINES &&
		    ep_slice_eq(line.name, last->name)) {
			last->end = line.end;
			last->n += line.n;
			last->flat = ep_wrap_add(last->flat, line.flat);
			last->cum = ep_wrap_add(last->cum, line.cum);
		} else {
			s->routines[s->n_routines++] = line;
			f->n++;
		}
		for (uint32_t i = line.first; i < line.first + line.n; i++) {
			uint32_t inst = s->entries[i].inst;
			if (w->seen[inst] == s->n_files + 1)
				continue;
			w->seen[inst] = s->n_files + 1;
			f->flat = ep_wrap_add(f->flat, s->insts[inst].flat);
			f->cum = ep_wrap_add(f->cum, s->insts[inst].cum);
		}
	}
	widen(&s->routines[f->first], f->n);
	s->n_files++;
}

static int gather(struct work *w)
{
	struct ep_srcasm *s = w->to;
	s->routines =
		ep_arena_array(s->arena, struct ep_srcasm_routine, s->n_entries + 1);
	s->files = ep_arena_array(s->arena, struct ep_srcasm_file, w->names.n + 1);
	w->seen = ep_arena_array(s->arena, uint32_t, s->n_insts + 1);
	if (!s->routines || !s->files || !w->seen)
		return no_memory(w);
	for (uint32_t i = 0; i < s->n_insts; i++)
		count(&w->spots, &s->insts[i]);
	ep_sort(s->entries, s->n_entries, sizeof(*s->entries), entry_before, w);
	for (uint32_t at = 0; at < s->n_entries;)
		gather_file(w, &at);
	return 0;
}

/* ---------------------------------------------------------------------------------- */

static int run(struct work *w)
{
	EP_TRY(ep_srcasm_spots_init(&w->spots, w->to->arena, w->r, w->err));
	w->to->any_match = w->spots.interest.n > 0;
	EP_TRY(divide(w));
	uint32_t n = w->n_stretches < MAX_STRETCHES ? w->n_stretches : MAX_STRETCHES;
	for (uint32_t i = 0; i < n; i++)
		EP_TRY(add_stretch(w, &w->stretches[i]));
	return gather(w);
}

int ep_srcasm_new(const struct ep_report *r, struct ep_objects *objects,
		  struct ep_srcasm **ret_s, struct ep_err *err)
{
	ep_auto(ep_srcasm) s = ep_zalloc(sizeof(*s));
	if (s)
		s->arena = ep_arena_new(MAX_ARENA);
	if (!s || !s->arena)
		return ep_fail(err, -ENOMEM, 0, "out of memory");
	struct work w = {.r = r, .p = r->p, .objects = objects, .err = err, .to = s};
	int rc = run(&w);
	ep_srcasm_spots_fini(&w.spots);
	ep_namemap_fini(&w.files);
	ep_namemap_fini(&w.names);
	EP_TRY(rc);
	*ret_s = ep_take(&s);
	return 0;
}

void ep_srcasm_free(struct ep_srcasm *s)
{
	if (!s)
		return;
	ep_arena_free(s->arena);
	ep_free(s->insts);
	ep_free(s->entries);
	ep_free(s);
}
