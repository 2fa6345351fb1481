/* text.c - see text.h.  Source: google/pprof graph.go (NameComponents), Go's fmt,
 * path/filepath and unicode/utf8. */
#include "report/text.h"

#include <inttypes.h>

size_t ep_text_character(struct ep_slice s)
{
	const unsigned char *p = (const unsigned char *)s.p;
	if (p[0] < 0xc2 || p[0] > 0xf4)
		return 1;
	size_t more = p[0] < 0xe0 ? 1 : p[0] < 0xf0 ? 2 : 3;
	if (s.n <= more)
		return 1;
	/* What is too long, a surrogate or past the last shows in the second byte. */
	unsigned char low = p[0] == 0xe0 ? 0xa0 : p[0] == 0xf0 ? 0x90 : 0x80;
	unsigned char high = p[0] == 0xed ? 0x9f : p[0] == 0xf4 ? 0x8f : 0xbf;
	if (p[1] < low || p[1] > high)
		return 1;
	for (size_t i = 2; i <= more; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 1;
	return more + 1;
}

size_t ep_text_length(struct ep_slice s)
{
	size_t n = 0;
	for (size_t i = 0; i < s.n; n++)
		i += ep_text_character((struct ep_slice){s.p + i, s.n - i});
	return n;
}

void ep_text_add_right(struct ep_buf *out, struct ep_slice s, size_t width)
{
	for (size_t n = ep_text_length(s); n < width; n++)
		ep_buf_add_char(out, ' ');
	ep_buf_add(out, s.p, s.n);
}

/* --- paths ------------------------------------------------------------------------ */

struct ep_slice ep_text_base_name(struct ep_slice path)
{
	if (!path.n)
		return ep_slice_of(".");
	while (path.n && path.p[path.n - 1] == '/')
		path.n--;
	if (!path.n)
		return ep_slice_of("/");
	size_t at = path.n;
	while (at && path.p[at - 1] != '/')
		at--;
	return (struct ep_slice){path.p + at, path.n - at};
}

static struct ep_slice next_element(struct ep_slice *path)
{
	while (path->n && path->p[0] == '/') {
		path->p++;
		path->n--;
	}
	struct ep_slice e = {path->p, 0};
	while (e.n < path->n && e.p[e.n] != '/')
		e.n++;
	path->p += e.n;
	path->n -= e.n;
	return e;
}

/* Remove the last element written behind `floor`. */
static void drop_element(struct ep_buf *out, size_t floor)
{
	size_t at = out->len - 1;
	while (at > floor && out->data[at] != '/')
		at--;
	out->len = at;
}

void ep_text_add_clean_path(struct ep_buf *out, struct ep_slice path)
{
	bool rooted = path.n && path.p[0] == '/';
	if (rooted)
		ep_buf_add_char(out, '/');
	size_t start = out->len, floor = start; /* nothing before it can be dropped */
	for (;;) {
		struct ep_slice e = next_element(&path);
		if (!e.n)
			break;
		if (ep_slice_is(e, "."))
			continue;
		bool up = ep_slice_is(e, "..");
		if (up && out->len > floor && !ep_buf_failed(out)) {
			drop_element(out, floor);
			continue;
		}
		if (up && rooted)
			continue;
		if (out->len > start)
			ep_buf_add_char(out, '/');
		ep_buf_add(out, e.p, e.n);
		if (up)
			floor = out->len;
	}
	if (!rooted && out->len == start)
		ep_buf_add_char(out, '.');
}

/* --- places ----------------------------------------------------------------------- */

static void add_slice(struct ep_buf *out, struct ep_slice s)
{
	ep_buf_add(out, s.p, s.n);
}

static void add_source(struct ep_buf *out, const struct ep_text_place *p)
{
	add_slice(out, p->file);
	if (p->line)
		ep_buf_printf(out, ":%" PRId64, p->line);
	if (p->line && p->column)
		ep_buf_printf(out, ":%" PRId64, p->column);
}

void ep_text_add_place(struct ep_buf *out, const struct ep_text_place *p)
{
	bool source = p->line || p->file.n;
	if (p->address)
		ep_buf_printf(out, "%016" PRIx64, p->address);
	if (p->address && p->function.n)
		ep_buf_add_char(out, ' ');
	add_slice(out, p->function);
	if (!source && p->function.n)
		return;
	if (p->address || p->function.n)
		ep_buf_add_char(out, ' ');
	if (source) {
		add_source(out, p);
	} else if (p->object.n) {
		ep_buf_add_char(out, '[');
		add_slice(out, ep_text_base_name(p->object));
		ep_buf_add_char(out, ']');
	} else {
		ep_buf_add_str(out, "<unknown>");
	}
}
