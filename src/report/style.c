/* style.c - see style.h. */
#include "report/style.h"

#include "report/text.h"

#include <math.h>

#define RESET "\x1b[0m"
#define NAME_MIN 16 /* shorter ones tell nothing: such a line is too long rather */

/* Bytes of the first n characters. */
static size_t head_bytes(struct ep_slice s, size_t n)
{
	size_t i = 0;
	while (i < s.n) {
		bool begins = (s.p[i] & 0xc0) != 0x80;
		if (begins && n-- == 0)
			break;
		i++;
	}
	return i;
}

/* Bytes of the last n characters. */
static size_t tail_bytes(struct ep_slice s, size_t n)
{
	size_t i = s.n;
	while (i && n)
		n -= (s.p[--i] & 0xc0) != 0x80;
	return s.n - i;
}

/* The end says more than the start: the method behind its package. */
static void add_fitting(struct ep_slice name, size_t room, struct ep_buf *out)
{
	room = room < NAME_MIN ? NAME_MIN : room;
	if (ep_text_length(name) <= room) {
		ep_buf_add(out, name.p, name.n);
		return;
	}
	size_t head = (room - 1) * 2 / 5;
	size_t tail = tail_bytes(name, room - 1 - head);
	ep_buf_add(out, name.p, head_bytes(name, head));
	ep_buf_add_str(out, "…");
	ep_buf_add(out, name.p + name.n - tail, tail);
}

/* Red for what is worth a look, green for what went away, as in pictures. */
static const char *colour(double share)
{
	if (share <= -0.01)
		return "\x1b[32m";
	if (share >= 0.1)
		return "\x1b[1;31m";
	return share >= 0.02 ? "\x1b[33m" : "";
}

void ep_style_name(const struct ep_report *r, struct ep_slice name, size_t taken,
		   double share, struct ep_buf *out)
{
	const char *start = r->o.colour ? colour(share) : "";
	size_t width = r->o.width > 0 ? (size_t)r->o.width : SIZE_MAX;
	ep_buf_add_str(out, start);
	add_fitting(name, width > taken ? width - taken : 0, out);
	if (*start)
		ep_buf_add_str(out, RESET);
}

void ep_style_aside(const struct ep_report *r, const char *text, struct ep_buf *out)
{
	bool dim = r->o.colour && *text;
	ep_buf_add_str(out, dim ? "\x1b[2m" : "");
	ep_buf_add_str(out, text);
	ep_buf_add_str(out, dim ? RESET : "");
}

double ep_style_share(const struct ep_report *r, int64_t value)
{
	return r->total ? (double)value / fabs((double)r->total) : 0;
}
