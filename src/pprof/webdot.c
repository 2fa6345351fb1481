/* webdot.c - see webdot.h. */
#include "pprof/webdot.h"

#include "base/slice.h"

#include <stdio.h>
#include <string.h>

enum { MAX_STRING = 4096 }; /* dot reads 16384 bytes of one */

/* The legend is on the page already. */
static void drop_legend(struct ep_buf *dot)
{
	char *text = (char *)dot->data;
	char *line = dot->len ? memmem(text, dot->len, "\nsubgraph cluster_L ", 20) : NULL;
	if (!line)
		return;
	char *end = memchr(line + 1, '\n', dot->len - (size_t)(line + 1 - text));
	size_t rest = end ? (size_t)(text + dot->len - end) : 0;
	memmove(line, end ? end : line, rest);
	dot->len = (size_t)(line - text) + rest;
}

/* The reference writes labels of samples without escapes, so that a quote in one ends
 * the graph; what `dot` gets here has them. */
static void escape_tags(struct ep_buf *dot)
{
	static const char begin[] = " [label = \"";
	ep_auto_buf out;
	struct ep_slice rest = {(const char *)dot->data, dot->len};
	ep_buf_init(&out, dot->max);
	for (const char *p; rest.n && (p = memmem(rest.p, rest.n, begin, sizeof(begin) - 1));) {
		char end[64];
		const char *line = memrchr(rest.p, '\n', (size_t)(p - rest.p));
		line = line ? line + 1 : rest.p;
		(void)snprintf(end, sizeof(end), "\" id=\"%.*s\" ", p - line < 32 ? (int)(p - line) : 32,
			       line);
		p += sizeof(begin) - 1;
		const char *last = rest.p + rest.n;
		const char *stop = memmem(p, (size_t)(last - p), end, strlen(end));
		ep_buf_add(&out, rest.p, (size_t)(p - rest.p));
		for (stop = stop ? stop : p; p < stop; p++) {
			if (*p == '"' && p[-1] != '\\')
				ep_buf_add_char(&out, '\\');
			ep_buf_add_char(&out, *p);
		}
		rest = (struct ep_slice){p, (size_t)(last - p)};
	}
	ep_buf_add(&out, rest.p, rest.n);
	struct ep_buf old = *dot;
	*dot = out;
	out = old;
}

/* Strings are cut between characters, never within an escape. */
static void shorten(struct ep_buf *dot)
{
	ep_auto_buf out;
	size_t in_string = 0; /* bytes since the quote, that one too */
	ep_buf_init(&out, dot->max);
	for (size_t i = 0; i < dot->len; i++) {
		uint8_t c = dot->data[i];
		size_t n = in_string && c == '\\' && i + 1 < dot->len ? 2 : 1;
		bool is_whole = (c & 0xc0) != 0x80;
		if (in_string && c == '"')
			in_string = 0;
		else if (in_string && in_string < MAX_STRING)
			in_string += n;
		else if (in_string && (is_whole || in_string > MAX_STRING)) {
			in_string = MAX_STRING + 1; /* the rest of it goes */
			i += n - 1;
			continue;
		} else if (c == '"')
			in_string = 1;
		ep_buf_add(&out, dot->data + i, n);
		i += n - 1;
	}
	struct ep_buf old = *dot;
	*dot = out;
	out = old;
}

int ep_webdot_mend(struct ep_buf *dot)
{
	drop_legend(dot);
	escape_tags(dot);
	shorten(dot);
	return ep_buf_failed(dot);
}
