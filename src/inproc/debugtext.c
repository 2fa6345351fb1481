/* debugtext.c - see debugtext.h. */
#include "inproc/debugtext.h"

#include "base/sort.h"
#include "inproc/labels.h"
#include "inproc/namer.h"

#include <stdio.h>
#include <string.h>

enum { TAB = 8, COLUMNS = 4, MAX_CELL = 512 };

/* ---- one stack ----------------------------------------------------------------------------- */

struct line {
	char address[24];
	char function[MAX_CELL];
	const char *file;
};

static void fill_line(struct line *l, const struct ep_batch *b, struct ep_namer *names,
		      const struct ep_tally_frame *f)
{
	struct ep_symbol sym;
	*l = (struct line){.file = ""};
	if (f->mapping == EP_CODE_LABELS) {
		ep_labels_format((const struct everprof_labels *)(uintptr_t)f->address,
				 l->function, sizeof(l->function));
		return;
	}
	snprintf(l->address, sizeof(l->address), "0x%llx", (unsigned long long)f->address);
	if (f->mapping >= b->n_mappings)
		return;
	l->file = b->mappings[f->mapping].path;
	if (!names || ep_namer_find(names, f->mapping, f->address, &sym) < 0 || !sym.name.n)
		return;
	const struct ep_code_mapping *m = &b->mappings[f->mapping];
	uint64_t at = f->address - m->start + m->file_offset; /* in the file, as file_offset is */
	int n = snprintf(l->function, sizeof(l->function), "%.*s",
			 (int)(sym.name.n < MAX_CELL - 32 ? sym.name.n : MAX_CELL - 32),
			 sym.name.p);
	if (sym.file_offset) /* else it is main, guessed */
		snprintf(l->function + n, sizeof(l->function) - (size_t)n, "+0x%llx",
			 (unsigned long long)(at - sym.file_offset));
}

void ep_debugtext_frame(const struct ep_batch *b, struct ep_namer *names,
			const struct ep_tally_frame *f, struct ep_buf *out)
{
	struct line l;
	fill_line(&l, b, names, f);
	ep_buf_printf(out, "%s\n\t%s %s\n", *l.function ? l.function : "?",
		      *l.file ? l.file : "[memory]", l.address);
}

/* A cell and the tabs behind it, so that the column is `width` wide. */
static void cell(struct ep_buf *out, const char *text, size_t width)
{
	ep_buf_add_str(out, text);
	for (size_t at = strlen(text); at < width; at = (at / TAB + 1) * TAB)
		ep_buf_add_char(out, '\t');
}

static size_t column(size_t longest)
{
	return (longest + 1 + TAB - 1) / TAB * TAB;
}

void ep_debugtext_frames(const struct ep_batch *b, struct ep_namer *names,
		    const struct ep_tally_stack *s, struct ep_buf *out)
{
	struct line l;
	size_t address = 0, function = 0;
	const uint32_t *ids = b->tally->stack_frames + s->first;
	for (uint32_t i = 0; i < s->n; i++) {
		fill_line(&l, b, names, &b->tally->frames[ids[i]]);
		size_t n = strlen(l.address), k = strlen(l.function);
		address = n > address ? n : address;
		function = k > function ? k : function;
	}
	for (uint32_t i = 0; i < s->n; i++) {
		fill_line(&l, b, names, &b->tally->frames[ids[i]]);
		cell(out, "#", TAB);
		if (!*l.function && !*l.file) {
			ep_buf_add_str(out, l.address);
		} else {
			cell(out, l.address, column(address));
			cell(out, l.function, column(function));
			ep_buf_add_str(out, l.file);
		}
		ep_buf_add_char(out, '\n');
	}
	ep_buf_add_char(out, '\n');
}

/* ---- labels ---------------------------------------------------------------------------------- */

/* As Go's %q, for what matters: quotes, backslashes, controls. */
static void quoted(struct ep_buf *out, struct ep_slice s)
{
	ep_buf_add_char(out, '"');
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		if (c == '"' || c == '\\')
			ep_buf_printf(out, "\\%c", c);
		else if (c < ' ' || c == 0x7f)
			ep_buf_printf(out, "\\x%02x", c);
		else
			ep_buf_add_char(out, (char)c);
	}
	ep_buf_add_char(out, '"');
}

void ep_debugtext_labels(const struct everprof_labels *labels, struct ep_buf *out)
{
	if (!labels || !labels->n)
		return;
	ep_buf_add_str(out, "# labels: {");
	for (uint32_t i = 0; i < labels->n; i++) {
		if (i)
			ep_buf_add_str(out, ", ");
		quoted(out, labels->pairs[i].key);
		ep_buf_add_char(out, ':');
		quoted(out, labels->pairs[i].value);
	}
	ep_buf_add_str(out, "}\n");
}

/* ---- the whole --------------------------------------------------------------------------------- */

/* How rows are put in order, and how one begins. */
struct form {
	int column; /* largest first */
	void (*begin)(const struct ep_tally_row *r, struct ep_buf *out);
};

struct order {
	const struct ep_tally *t;
	int column;
};

static bool comes_first(const void *a, const void *b, void *arg)
{
	const struct order *o = arg;
	const struct ep_tally *t = o->t;
	uint32_t i = *(const uint32_t *)a, k = *(const uint32_t *)b;
	const struct ep_tally_row *x = &t->rows[i], *y = &t->rows[k];
	if (x->values[o->column] != y->values[o->column])
		return x->values[o->column] > y->values[o->column];
	/* In the order of their places in the code, so that two looks are alike. */
	const struct ep_tally_stack *s = &t->stacks[x->stack], *u = &t->stacks[y->stack];
	for (uint32_t f = 0; f < s->n && f < u->n; f++) {
		uint64_t p = t->frames[t->stack_frames[s->first + f]].address;
		uint64_t q = t->frames[t->stack_frames[u->first + f]].address;
		if (p != q)
			return p < q;
	}
	if (s->n != u->n)
		return s->n < u->n;
	return i < k; /* by labels: as they came */
}

static void write_more(const struct ep_tally_more *m, struct ep_buf *out)
{
	if (!m)
		return;
	ep_buf_printf(out, "# state: %s%s%s, stack: %s\n", m->state, m->wait ? " in " : "",
		      m->wait ? m->wait : "", m->stack);
}

static void write_row(const struct ep_batch *b, struct ep_namer *names,
		      const struct ep_tally_row *r, struct ep_buf *out)
{
	const struct ep_tally *t = b->tally;
	const struct ep_tally_stack *s = &t->stacks[r->stack];
	ep_buf_add_str(out, " @");
	for (uint32_t i = 0; i < s->n; i++)
		ep_buf_printf(out, " 0x%llx",
			      (unsigned long long)t->frames[t->stack_frames[s->first + i]].address);
	ep_buf_add_char(out, '\n');
	ep_debugtext_labels(r->labels, out);
	if (r->age)
		ep_buf_printf(out, "# age: %s\n", r->age);
	write_more(r->more, out);
	ep_debugtext_frames(b, names, s, out);
}

static int write_rows(const struct ep_batch *b, const struct form *form, struct ep_buf *out)
{
	const struct ep_tally *t = b->tally;
	struct order by = {t, form->column};
	ep_auto(ep_namer) names = ep_namer_new(b->mappings, b->n_mappings);
	ep_auto_mem uint32_t *order = ep_alloc((t->n_rows + 1) * sizeof(*order));
	if (!names || !order)
		return -ENOMEM;
	for (uint32_t i = 0; i < t->n_rows; i++)
		order[i] = i;
	ep_sort(order, t->n_rows, sizeof(*order), comes_first, &by);
	for (uint32_t i = 0; i < t->n_rows; i++) {
		form->begin(&t->rows[order[i]], out);
		write_row(b, names, &t->rows[order[i]], out);
	}
	return ep_buf_failed(out);
}

static void begin_count(const struct ep_tally_row *r, struct ep_buf *out)
{
	ep_buf_printf(out, "%lld", (long long)r->values[0]);
}

int ep_debugtext_counts(const struct ep_batch *b, struct ep_buf *out)
{
	static const struct form form = {0, begin_count};
	ep_buf_printf(out, "%s profile: total %lld\n", b->shape->name, (long long)b->tally->weight);
	return write_rows(b, &form, out);
}

enum { ALLOC_OBJECTS, ALLOC_BYTES, INUSE_OBJECTS, INUSE_BYTES };

static void begin_heap(const struct ep_tally_row *r, struct ep_buf *out)
{
	const int64_t *v = r->values;
	ep_buf_printf(out, "%lld: %lld [%lld: %lld]", (long long)v[INUSE_OBJECTS],
		      (long long)v[INUSE_BYTES], (long long)v[ALLOC_OBJECTS],
		      (long long)v[ALLOC_BYTES]);
}

int ep_debugtext_heap(const struct ep_batch *b, struct ep_buf *out)
{
	static const struct form form = {INUSE_BYTES, begin_heap};
	struct ep_tally_row sum = {0};
	struct ep_batch of_all_ages = *b;
	ep_auto(ep_tally) t = ep_tally_new();
	if (!t)
		return -ENOMEM;
	ep_tally_merge_ages(t, b->tally);
	of_all_ages.tally = t;
	for (uint32_t i = 0; i < t->n_rows; i++)
		for (int k = 0; k < EP_TALLY_VALUES; k++)
			sum.values[k] += t->rows[i].values[k];
	ep_buf_add_str(out, "heap profile: ");
	begin_heap(&sum, out);
	ep_buf_add_str(out, " @ heapprofile\n");
	return write_rows(&of_all_ages, &form, out);
}

/* Our cycles are nanoseconds. */
static void begin_contention(const struct ep_tally_row *r, struct ep_buf *out)
{
	ep_buf_printf(out, "%lld %lld", (long long)r->values[1], (long long)r->values[0]);
}

int ep_debugtext_contention(const struct ep_batch *b, struct ep_buf *out)
{
	static const struct form form = {1, begin_contention};
	bool mutex = !strcmp(b->shape->name, "mutex");
	ep_buf_printf(out, "--- %s:\ncycles/second=1000000000\n", mutex ? "mutex" : "contention");
	if (mutex)
		ep_buf_add_str(out, "sampling period=1\n");
	return write_rows(b, &form, out);
}

static void begin_scopes(const struct ep_tally_row *r, struct ep_buf *out)
{
	ep_buf_printf(out, "%lld %lld", (long long)r->values[0], (long long)r->values[1]);
}

int ep_debugtext_scopes(const struct ep_batch *b, struct ep_buf *out)
{
	static const struct form form = {0, begin_scopes};
	ep_buf_printf(out, "scopes profile: total %lld\n", (long long)b->tally->weight);
	return write_rows(b, &form, out);
}
