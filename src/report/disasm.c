/*
 * disasm.c - the report `disasm`: the instructions of functions, each with its samples.
 *
 * Source: google/pprof report.go (PrintAssembly); docs/formats/report-source-json.md.
 */
#include "report/asm.h"
#include "report/callgraph.h"
#include "report/namemap.h"
#include "report/reports.h"
#include "report/text.h"
#include "report/wrap.h"

#include "base/sort.h"
#include "symbol/demangle.h"

enum {
	MAX_CHAIN = 64,	   /* inlined calls at one instruction, in JSON */
	MAX_ROUTINES = 50, /* in JSON: those with the most samples of their own */
};

/* A function of a binary that has samples. */
struct routine {
	struct ep_object *object;
	const char *const *names; /* aliases; the first one names it */
	size_t n_names;
	uint64_t start, end; /* the last byte included; the file's own numbering */
	const struct ep_asm_sample *samples;
	size_t n_samples;
	int64_t flat, cum;
	uint64_t bias; /* process address - the file's */
};

struct disasm {
	struct ep_report *r;
	struct ep_callgraph *g;
	struct ep_objects *objects;
	struct ep_buf *out;
	struct ep_err *err;
	struct ep_namemap known; /* names that were matched */
	bool by_address;	 /* the argument is one as well */
	uint64_t address;
	struct routine *routines;
	size_t n_routines, cap_routines;
	size_t n_symbols; /* found in binaries, with samples or without */
};

static int out_of_memory(struct ep_err *err)
{
	return ep_fail(err, -ENOMEM, 0, "out of memory");
}

/* --- which binaries --------------------------------------------------------------- */

/* Mappings with a function whose name matches, or that hold the address. */
static int choose_mappings(struct disasm *d, bool *wanted)
{
	const struct ep_profile *p = d->r->p;
	struct ep_slice last = {0}; /* the file that was marked last */
	for (uint32_t i = 0; i < d->g->n_shown; i++) {
		const struct ep_callgraph_frame *f =
			ep_callgraph_frame_of(d->g, d->g->shown[i]);
		if (f->objfile.n == 0 || ep_slice_eq(f->objfile, last))
			continue;
		/* The whole of what reports print of a node, file and line too. */
		struct ep_slice printed =
			ep_callgraph_name(d->g, d->g->nodes[d->g->shown[i]].frame);
		int rc = ep_regex_match(d->r->argument, printed, d->err);
		EP_TRY(rc);
		if (rc == 0)
			continue;
		last = f->objfile;
		for (uint32_t m = 0; m < p->n_mappings; m++)
			if (ep_slice_eq(p->strings[p->mappings[m].filename], last))
				wanted[m] = true;
	}
	for (uint32_t m = 0; m < p->n_mappings && d->by_address; m++)
		if (d->address >= p->mappings[m].start &&
		    d->address <= p->mappings[m].limit)
			wanted[m] = true;
	return 0;
}

/* --- which functions -------------------------------------------------------------- */

static bool earlier(const void *va, const void *vb, void *arg)
{
	(void)arg; /* the order needs nothing else */
	const struct ep_asm_sample *a = va, *b = vb;
	if (a->address != b->address)
		return a->address < b->address;
	int c = ep_slice_cmp(a->function, b->function);
	c = c ? c : ep_slice_cmp(a->file, b->file);
	return c ? c < 0 : a->line < b->line;
}

/* All samples within a binary, by the binary's addresses. */
static int samples_of(struct disasm *d, const struct ep_object *o,
		      struct ep_asm_sample **ret_samples, size_t *ret_n,
		      uint64_t *ret_bias)
{
	struct ep_asm_sample *s =
		ep_arena_array(d->g->arena, struct ep_asm_sample, d->g->n_shown);
	if (!s)
		return out_of_memory(d->err);
	size_t n = 0;
	for (uint32_t i = 0; i < d->g->n_shown; i++) {
		const struct ep_callgraph_node *node = &d->g->nodes[d->g->shown[i]];
		const struct ep_callgraph_frame *f = &d->g->frames[node->frame];
		uint64_t address;
		if (!ep_object_address(o, f->address, &address))
			continue;
		*ret_bias = f->address - address; /* the same for all of a mapping */
		s[n++] = (struct ep_asm_sample){address,   f->name,	 f->file,
						f->line,   node->flat,	 node->flat_div,
						node->cum, node->cum_div};
	}
	ep_sort(s, n, sizeof(*s), earlier, NULL);
	*ret_samples = s;
	*ret_n = n;
	return 0;
}

/* The first sample at or behind an address. */
static size_t lower_bound(const struct ep_asm_sample *s, size_t n, uint64_t address)
{
	size_t low = 0;
	while (low < n) {
		size_t middle = low + (n - low) / 2;
		if (s[middle].address < address)
			low = middle + 1;
		else
			n = middle;
	}
	return low;
}

static int add_routine(struct disasm *d, struct routine t)
{
	for (size_t i = 0; i < t.n_samples; i++) {
		t.flat = ep_wrap_add(t.flat, t.samples[i].flat);
		t.cum = ep_wrap_add(t.cum, t.samples[i].cum);
	}
	if (d->n_routines == d->cap_routines) {
		size_t cap = d->cap_routines ? d->cap_routines * 2 : 64;
		struct routine *more = ep_realloc(d->routines, cap * sizeof(*more));
		if (!more)
			return out_of_memory(d->err);
		d->routines = more;
		d->cap_routines = cap;
	}
	d->routines[d->n_routines++] = t;
	return 0;
}

/* The binary forgets names with the next question. */
static const char *const *keep_names(struct disasm *d, const struct ep_object_symbol *s)
{
	const char **names = ep_arena_array(d->g->arena, const char *, s->n_names);
	for (size_t i = 0; names && i < s->n_names; i++) {
		names[i] = ep_arena_copy(d->g->arena, s->names[i], strlen(s->names[i]));
		if (!names[i])
			return NULL;
	}
	return names;
}

struct want {
	const struct ep_regex *regex;
	int failed;
};

static bool want_name(void *ctx, struct ep_slice name)
{
	struct want *w = ctx;
	int rc = ep_regex_match(w->regex, name, NULL);
	if (rc < 0)
		w->failed = rc;
	return rc > 0;
}

/* An address of the file; that of a process is one too where it can be told. */
static uint64_t address_in(const struct disasm *d, const struct ep_object *o)
{
	uint64_t address = d->by_address ? d->address : 0;
	if (address)
		(void)ep_object_address(o, address, &address); /* else it stays */
	return address;
}

static int add_binary(struct disasm *d, struct ep_object *o)
{
	struct ep_asm_sample *samples = NULL;
	size_t n_samples = 0, n;
	uint64_t bias = 0;
	const struct ep_object_symbol *symbols;
	struct want w = {d->r->argument, 0};
	EP_TRY(samples_of(d, o, &samples, &n_samples, &bias));
	int rc = ep_object_symbols(o, want_name, &w, address_in(d, o), &symbols, &n,
				   NULL);
	if (w.failed)
		return ep_fail(d->err, w.failed, 0, "the expression %s takes too long",
			       d->r->o.argument);
	if (rc == -ENOMEM)
		return out_of_memory(d->err);
	if (rc < 0)
		return 0; /* no table of symbols: none of them match */
	d->n_symbols += n;
	for (size_t i = 0; i < n; i++) {
		const struct ep_object_symbol *s = &symbols[i];
		size_t from = lower_bound(samples, n_samples, s->start);
		size_t to = from;
		while (to < n_samples && samples[to].address <= s->end)
			to++;
		if (from == to)
			continue;
		const char *const *names = keep_names(d, s);
		if (!names)
			return out_of_memory(d->err);
		EP_TRY(add_routine(d, (struct routine){.object = o,
						       .names = names,
						       .n_names = s->n_names,
						       .start = s->start,
						       .end = s->end,
						       .samples = samples + from,
						       .n_samples = to - from,
						       .bias = bias}));
	}
	return 0;
}

static bool by_name(const void *va, const void *vb, void *arg)
{
	(void)arg; /* the order needs nothing else */
	const struct routine *a = va, *b = vb;
	int c = strcmp(a->names[0], b->names[0]);
	return c ? c < 0 : a->start < b->start;
}

static bool by_flat(const void *va, const void *vb, void *arg)
{
	const struct routine *a = va, *b = vb;
	return a->flat != b->flat ? a->flat > b->flat : by_name(va, vb, arg);
}

static int find_routines(struct disasm *d)
{
	const struct ep_profile *p = d->r->p;
	bool *wanted = ep_arena_array(d->g->arena, bool, p->n_mappings + 1);
	if (!wanted)
		return out_of_memory(d->err);
	EP_TRY(choose_mappings(d, wanted));
	for (uint32_t m = 0; m < p->n_mappings && d->objects; m++) {
		struct ep_object *o;
		struct ep_err why = {0};
		if (!wanted[m])
			continue;
		int rc = ep_objects_open(d->objects, p, m, &o, &why);
		if (rc == -ENOMEM)
			return out_of_memory(d->err);
		if (rc < 0)
			ep_note_stray(d->r->notes, why.text);
		else
			EP_TRY(add_binary(d, o));
	}
	ep_sort(d->routines, d->n_routines, sizeof(*d->routines),
		d->r->o.json ? by_flat : by_name, NULL);
	return 0;
}

static int nothing_found(const struct disasm *d)
{
	if (!d->by_address)
		return ep_fail(d->err, -ENOENT, 0, "no matches found for regexp %s",
			       d->r->o.argument);
	if (d->n_symbols == 0)
		return ep_fail(d->err, -ENOENT, 0, "no matches found for address 0x%jx",
			       (uintmax_t)d->address);
	return ep_fail(
		d->err, -ENOENT, 0,
		"address 0x%jx found in binary, but the corresponding symbols do not "
		"have samples in the profile",
		(uintmax_t)d->address);
}

/* A linked name as objdump writes it: demangled, with parameters. */
static struct ep_slice readable(const struct disasm *d, const char *name)
{
	ep_auto_buf text;
	ep_buf_init(&text, 1 << 20);
	if (!ep_demangle(name, &text))
		return ep_slice_of(name);
	struct ep_slice s = {ep_arena_copy(d->g->arena, text.data, text.len), text.len};
	return s.p ? s : ep_slice_of(name);
}

/* LLVM's objdump does not look for separate debug files: then we say what is where. */
static void place_code(const struct disasm *d, const struct routine *t,
		       struct ep_asm_inst *insts, size_t n)
{
	struct ep_object_frame frames[MAX_CHAIN];
	const char *last = NULL;
	struct ep_slice name = {0};
	for (size_t i = 0; i < n; i++) {
		size_t k = ep_object_frames(t->object, insts[i].address + t->bias,
					    frames, MAX_CHAIN);
		if (k == 0 || !*frames[0].file)
			continue;
		if (frames[k - 1].function != last) {
			last = frames[k - 1].function;
			name = readable(d, last);
		}
		insts[i].function = name;
		insts[i].file = ep_text_base_name(ep_slice_of(frames[0].file));
		insts[i].line = frames[0].line;
	}
}

/* The instructions of a routine with their samples; ep_free() them. */
static int instructions(const struct disasm *d, const struct routine *t,
			struct ep_asm_inst **ret_insts, size_t *ret_n)
{
	const struct ep_object_inst *insts;
	uint64_t end = t->end == UINT64_MAX ? t->end : t->end + 1;
	EP_TRY(ep_object_disasm(t->object, t->start, end, d->r->o.intel_syntax, &insts,
				ret_n, d->err));
	struct ep_asm_inst *to = ep_alloc(*ret_n * sizeof(*to));
	if (!to)
		return out_of_memory(d->err);
	ep_asm_annotate(insts, *ret_n, t->samples, t->n_samples, to);
	bool has_files = false;
	for (size_t i = 0; i < *ret_n && !has_files; i++)
		has_files = *insts[i].file;
	if (!has_files)
		place_code(d, t, to, *ret_n);
	*ret_insts = to;
	return 0;
}

/* --- as text ---------------------------------------------------------------------- */

static void add_head(const struct disasm *d, const struct routine *t)
{
	char share[EP_UNITS_LABEL_MAX];
	ep_buf_printf(d->out, "ROUTINE ======================== %s\n", t->names[0]);
	for (size_t i = 1; i < t->n_names; i++)
		ep_buf_printf(d->out, "    AKA ======================== %s\n",
			      t->names[i]);
	ep_report_add_value(d->r, d->out, t->flat, false);
	ep_report_add_value(d->r, d->out, t->cum, false);
	ep_buf_printf(d->out, "(flat, cum) %s of Total\n",
		      ep_units_percent(share, t->cum, d->r->total));
}

/* "FUNCTION FILE:LINE", without what is unknown. */
static void place_of(const struct ep_asm_inst *i, struct ep_buf *place)
{
	if (i->function.n) {
		ep_buf_add(place, i->function.p, i->function.n);
		ep_buf_add_char(place, ' ');
	}
	ep_buf_add(place, i->file.p, i->file.n);
	if (i->file.n && i->line)
		ep_buf_printf(place, ":%jd", (intmax_t)i->line);
}

static bool same_place(const struct ep_asm_inst *a, const struct ep_asm_inst *b)
{
	return a->line == b->line && ep_slice_eq(a->function, b->function) &&
	       ep_slice_eq(a->file, b->file);
}

static void add_instruction(const struct disasm *d, const struct ep_asm_inst *i)
{
	ep_report_add_value(d->r, d->out, i->flat, true);
	ep_report_add_value(d->r, d->out, i->cum, true);
	ep_buf_printf(d->out, "%10jx: %s", (uintmax_t)i->address, i->text);
}

/* The place stands behind a short instruction, above a long one. */
static void add_with_place(const struct disasm *d, const struct ep_asm_inst *i,
			   struct ep_slice place)
{
	enum { SHORT = 40, INDENT = 74 };
	size_t n = strlen(i->text);
	if (place.n && n >= SHORT)
		ep_buf_printf(d->out, "%*s;%.*s\n", INDENT, "", EP_SLICE_ARG(place));
	add_instruction(d, i);
	if (place.n && n < SHORT) {
		for (n = ep_text_length(ep_slice_of(i->text)); n < SHORT; n++)
			ep_buf_add_char(d->out, ' ');
		ep_buf_printf(d->out, ";%.*s", EP_SLICE_ARG(place));
	}
	ep_buf_add_char(d->out, '\n');
}

static int add_code(const struct disasm *d, const struct routine *t)
{
	ep_auto_mem struct ep_asm_inst *insts = NULL;
	size_t n;
	EP_TRY(instructions(d, t, &insts, &n));
	add_head(d, t);
	struct ep_asm_inst nowhere = {0};
	const struct ep_asm_inst *last = &nowhere;
	struct ep_buf place;
	ep_buf_init(&place, d->out->max);
	for (size_t i = 0; i < n; last = &insts[i++]) {
		ep_buf_clear(&place);
		if (!same_place(&insts[i], last))
			place_of(&insts[i], &place);
		add_with_place(d, &insts[i],
			       (struct ep_slice){(char *)place.data, place.len});
	}
	int rc = ep_buf_failed(&place);
	ep_buf_fini(&place);
	return rc < 0 ? out_of_memory(d->err) : 0;
}

static int as_text(const struct disasm *d)
{
	char total[EP_UNITS_LABEL_MAX];
	ep_buf_printf(d->out, "Total: %s\n", ep_report_label(d->r, total, d->r->total));
	for (size_t i = 0; i < d->n_routines; i++)
		EP_TRY(add_code(d, &d->routines[i]));
	return 0;
}

/* --- as JSON ---------------------------------------------------------------------- */

/* The functions at an instruction, the innermost inlined one first. */
static void json_chain(struct ep_jsonw *w, struct ep_object *o,
		       uint64_t process_address)
{
	struct ep_object_frame frames[MAX_CHAIN];
	size_t n = ep_object_frames(o, process_address, frames, MAX_CHAIN);
	if (n < 2)
		return; /* nothing is inlined */
	ep_jsonw_open(w, "inlined", '[');
	for (size_t i = 0; i < n; i++) {
		ep_jsonw_open(w, NULL, '{');
		ep_jsonw_str(w, "function", frames[i].function);
		ep_jsonw_str(w, "file", frames[i].file);
		ep_jsonw_int(w, "line", frames[i].line);
		ep_jsonw_close(w, '}');
	}
	ep_jsonw_close(w, ']');
}

static void json_instruction(const struct disasm *d, struct ep_jsonw *w,
			     const struct routine *t, const struct ep_asm_inst *i)
{
	ep_jsonw_open(w, NULL, '{');
	ep_asm_json_address(w, "address", i->address);
	ep_asm_json_values(w, d->r, i->flat, i->cum);
	ep_jsonw_str(w, "text", i->text);
	ep_jsonw_slice(w, "function", i->function);
	ep_jsonw_slice(w, "file", i->file);
	ep_jsonw_int(w, "line", i->line);
	json_chain(w, t->object, i->address + t->bias);
	ep_jsonw_close(w, '}');
}

static int json_routine(const struct disasm *d, struct ep_jsonw *w,
			const struct routine *t)
{
	ep_auto_mem struct ep_asm_inst *insts = NULL;
	size_t n;
	EP_TRY(instructions(d, t, &insts, &n));
	ep_jsonw_open(w, NULL, '{');
	ep_jsonw_open(w, "names", '[');
	for (size_t i = 0; i < t->n_names; i++)
		ep_jsonw_str(w, NULL, t->names[i]);
	ep_jsonw_close(w, ']');
	ep_jsonw_str(w, "binary", ep_object_path(t->object));
	ep_jsonw_str(w, "build_id", ep_object_build_id(t->object));
	ep_asm_json_values(w, d->r, t->flat, t->cum);
	ep_jsonw_open(w, "instructions", '[');
	for (size_t i = 0; i < n; i++)
		json_instruction(d, w, t, &insts[i]);
	ep_jsonw_close(w, ']');
	ep_jsonw_close(w, '}');
	return 0;
}

static int as_json(const struct disasm *d)
{
	struct ep_jsonw w = ep_jsonw_to(d->out);
	size_t n = d->n_routines < MAX_ROUTINES ? d->n_routines : MAX_ROUTINES;
	ep_jsonw_open(&w, NULL, '{');
	ep_asm_json_head(&w, d->r, "disasm");
	ep_jsonw_uint(&w, "left_out", d->n_routines - n);
	ep_jsonw_open(&w, "routines", '[');
	for (size_t i = 0; i < n; i++)
		EP_TRY(json_routine(d, &w, &d->routines[i]));
	ep_jsonw_close(&w, ']');
	ep_jsonw_close(&w, '}');
	ep_buf_add_char(d->out, '\n');
	return 0;
}

/* ---------------------------------------------------------------------------------- */

int ep_disasm_write(struct ep_report *r, struct ep_objects *objects, struct ep_buf *out,
		    struct ep_err *err)
{
	ep_auto(ep_callgraph) g = NULL;
	EP_TRY(ep_callgraph_new(r, &g, err));
	struct disasm d = {.r = r, .g = g, .objects = objects, .out = out, .err = err};
	d.by_address = ep_asm_parse_address(r->o.argument, &d.address);
	int rc = find_routines(&d);
	if (rc == 0)
		rc = d.n_routines == 0 ? nothing_found(&d)
		     : r->o.json       ? as_json(&d)
				       : as_text(&d);
	ep_free(d.routines);
	ep_namemap_fini(&d.known);
	return rc;
}
