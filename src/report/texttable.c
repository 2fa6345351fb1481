/* texttable.c - see texttable.h.  Source: Go's package text/tabwriter (AlignRight, padding 1). */
#include "report/texttable.h"

#include "report/text.h"

enum {
	PADDING = 1,
	MAX_COLUMNS = 256, /* aligned; further ones stand side by side */
	ESCAPE = 0xff,
};

static uint32_t n_cells(const struct ep_texttable *t)
{
	return (uint32_t)(t->cells.len / sizeof(struct ep_texttable_cell));
}

static uint32_t n_lines(const struct ep_texttable *t)
{
	return (uint32_t)(t->lines.len / sizeof(uint32_t));
}

static uint32_t line_start(const struct ep_texttable *t, uint32_t line)
{
	const uint32_t *starts = (const void *)t->lines.data;
	return line < n_lines(t) ? starts[line] : n_cells(t);
}

/* Cells of a line, with the one before the newline. */
static uint32_t line_length(const struct ep_texttable *t, uint32_t line)
{
	return line_start(t, line + 1) - line_start(t, line);
}

static const struct ep_texttable_cell *cell_at(const struct ep_texttable *t, uint32_t i)
{
	return (const struct ep_texttable_cell *)(const void *)t->cells.data + i;
}

/* --- writing ---------------------------------------------------------------------- */

struct columns {
	uint32_t widths[MAX_COLUMNS];
	uint32_t n;
};

static void write_cell(struct ep_texttable *t, uint32_t i, uint32_t width)
{
	const struct ep_texttable_cell *c = cell_at(t, i);
	size_t start = i ? cell_at(t, i - 1)->end : 0;
	for (uint32_t n = c->width; n < width; n++)
		ep_buf_add_char(t->out, ' ');
	ep_buf_add(t->out, t->text.data + start, c->end - start);
}

/* The last line of all is not ended yet. */
static void write_lines(struct ep_texttable *t, const struct columns *c, uint32_t from, uint32_t to)
{
	for (uint32_t line = from; line < to; line++) {
		uint32_t first = line_start(t, line), n = line_length(t, line);
		for (uint32_t k = 0; k < n; k++)
			write_cell(t, first + k, k < c->n ? c->widths[k] : 0);
		if (line + 1 < n_lines(t))
			ep_buf_add_char(t->out, '\n');
	}
}

static bool has_column(const struct ep_texttable *t, uint32_t line, uint32_t column)
{
	return column + 1 < line_length(t, line);
}

/* Write lines whose first columns are known: find the blocks of the next one. */
static void format(struct ep_texttable *t, struct columns *c, uint32_t from, uint32_t to)
{
	uint32_t line = from, column = c->n;
	while (line < to && column < MAX_COLUMNS) {
		if (!has_column(t, line, column)) {
			line++;
			continue;
		}
		write_lines(t, c, from, line);
		from = line;
		uint32_t width = 0;
		for (; line < to && has_column(t, line, column); line++) {
			uint32_t w = cell_at(t, line_start(t, line) + column)->width + PADDING;
			width = w > width ? w : width;
		}
		c->widths[c->n++] = width;
		format(t, c, from, line);
		c->n--;
		from = line;
		line++; /* it has no such cell, or it ended the block */
	}
	write_lines(t, c, from, to);
}

static void start_line(struct ep_texttable *t)
{
	uint32_t first = n_cells(t);
	ep_buf_add(&t->lines, &first, sizeof(first));
}

static int failure(const struct ep_texttable *t)
{
	int rc = t->failed;
	rc = rc ? rc : ep_buf_failed(&t->text);
	rc = rc ? rc : ep_buf_failed(&t->cells);
	return rc ? rc : ep_buf_failed(&t->lines);
}

static void flush(struct ep_texttable *t)
{
	struct columns c = {.n = 0};
	t->failed = failure(t);
	if (!t->failed)
		format(t, &c, 0, n_lines(t));
	ep_buf_clear(&t->text);
	ep_buf_clear(&t->cells);
	ep_buf_clear(&t->lines);
	t->cell_start = 0;
	start_line(t);
}

/* --- reading ---------------------------------------------------------------------- */

static void end_cell(struct ep_texttable *t)
{
	struct ep_slice s = {(char *)t->text.data + t->cell_start, t->text.len - t->cell_start};
	struct ep_texttable_cell c = {t->text.len, (uint32_t)ep_text_length(s) - t->hidden};
	ep_buf_add(&t->cells, &c, sizeof(c));
	t->cell_start = t->text.len;
	t->hidden = 0;
}

static void end_line(struct ep_texttable *t, bool always)
{
	bool alone = line_length(t, n_lines(t) - 1) == 1;
	start_line(t);
	if (always || alone)
		flush(t);
}

static void add_byte(struct ep_texttable *t, char byte)
{
	bool is_mark = (unsigned char)byte == ESCAPE;
	if (is_mark && t->escaped)
		t->hidden += 2; /* the two marks are written, but have no width */
	if (is_mark)
		t->escaped = !t->escaped;
	bool ends_line = byte == '\n' || byte == '\f';
	if (t->escaped || !(ends_line || byte == '\t' || byte == '\v')) {
		ep_buf_add_char(&t->text, byte);
		return;
	}
	end_cell(t);
	if (ends_line)
		end_line(t, byte == '\f');
}

void ep_texttable_init(struct ep_texttable *t, struct ep_buf *out)
{
	const size_t max = (size_t)1 << 30;
	*t = (struct ep_texttable){.out = out};
	ep_buf_init(&t->text, max);
	ep_buf_init(&t->cells, max);
	ep_buf_init(&t->lines, max);
	start_line(t);
}

void ep_texttable_add(struct ep_texttable *t, struct ep_slice text)
{
	for (size_t i = 0; i < text.n; i++)
		add_byte(t, text.p[i]);
}

int ep_texttable_finish(struct ep_texttable *t)
{
	if (t->escaped)
		t->hidden += 2;
	if (t->text.len > t->cell_start)
		end_cell(t);
	flush(t);
	ep_buf_fini(&t->text);
	ep_buf_fini(&t->cells);
	ep_buf_fini(&t->lines);
	return t->failed;
}
