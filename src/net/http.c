/* http.c - looking into a request, filling a response.  See http.h. */
#include "net/http.h"

#include "codec/json.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct ep_slice ep_http_header(const struct ep_http *x, const char *name)
{
	for (uint32_t i = 0; i < x->n_headers; i++)
		if (ep_slice_is(x->headers[i].name, name))
			return x->headers[i].value;
	return (struct ep_slice){0};
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

struct ep_slice ep_http_unescape(struct ep_arena *a, struct ep_slice s, bool plus_is_space)
{
	char *to = ep_arena_alloc(a, s.n + 1);
	if (!to)
		return (struct ep_slice){0};
	size_t n = 0;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		if (c == '%') {
			bool whole = s.n - i > 2;
			int hi = whole ? hex_digit(s.p[i + 1]) : -1;
			int lo = whole ? hex_digit(s.p[i + 2]) : -1;
			if (hi < 0 || lo < 0 || (hi == 0 && lo == 0))
				return (struct ep_slice){0};
			c = (char)(hi << 4 | lo);
			i += 2;
		} else if (c == '+' && plus_is_space) {
			c = ' ';
		} else if (c == '\0') {
			return (struct ep_slice){0};
		}
		to[n++] = c;
	}
	to[n] = '\0';
	return (struct ep_slice){to, n};
}

const char *ep_http_param(struct ep_http *x, const char *name, unsigned nth)
{
	const char *at = x->query.p, *end = at + x->query.n;
	while (at && at < end) {
		const char *amp = memchr(at, '&', (size_t)(end - at));
		const char *stop = amp ? amp : end;
		const char *eq = memchr(at, '=', (size_t)(stop - at));
		struct ep_slice key = {at, (size_t)((eq ? eq : stop) - at)};
		key = ep_http_unescape(x->arena, key, true);
		if (key.p && ep_slice_is(key, name) && nth-- == 0) {
			struct ep_slice value = {eq ? eq + 1 : stop, 0};
			value.n = (size_t)(stop - value.p);
			return ep_http_unescape(x->arena, value, true).p;
		}
		at = stop + 1;
	}
	return NULL;
}

/* The weight in "; q=0.5" is 0. */
static bool is_refused(struct ep_slice params)
{
	const char *q = params.n ? memmem(params.p, params.n, "q=", 2) : NULL;
	if (!q)
		return false;
	const char *end = params.p + params.n;
	for (q += 2; q < end && (*q == '0' || *q == '.' || *q == ' ' || *q == '\t'); q++)
		continue;
	return q == end;
}

bool ep_http_takes_gzip(const struct ep_http *x)
{
	struct ep_slice list = ep_http_header(x, "accept-encoding");
	for (size_t at = 0, stop; at < list.n; at = stop + 1) {
		for (stop = at; stop < list.n && list.p[stop] != ',';)
			stop++;
		while (at < stop && list.p[at] == ' ')
			at++;
		size_t n = 0;
		while (at + n < stop && list.p[at + n] != ';' && list.p[at + n] != ' ')
			n++;
		struct ep_slice name = {list.p + at, n};
		if (ep_slice_is(name, "gzip") || ep_slice_is(name, "*"))
			return !is_refused((struct ep_slice){name.p + n, stop - at - n});
	}
	return false;
}

void ep_http_text(struct ep_http *x, int status, const char *fmt, ...)
{
	char line[1024];
	va_list ap;
	va_start(ap, fmt);
	(void)vsnprintf(line, sizeof(line), fmt, ap); /* a long line is cut */
	va_end(ap);
	x->status = status;
	x->content_type = "text/plain; charset=utf-8";
	ep_buf_clear(&x->out);
	x->out_static = NULL;
	x->n_out_static = 0;
	ep_buf_add_str(&x->out, line);
}

void ep_http_fail(struct ep_http *x, int status, const char *code, const char *fmt, ...)
{
	char line[1024];
	va_list ap;
	va_start(ap, fmt);
	(void)vsnprintf(line, sizeof(line), fmt, ap); /* a long line is cut */
	va_end(ap);
	ep_http_text(x, status, "%s", "");
	x->content_type = "application/json";
	struct ep_jsonw w = ep_jsonw_to(&x->out);
	ep_jsonw_open(&w, NULL, '{');
	ep_jsonw_str(&w, "code", code);
	ep_jsonw_str(&w, "message", line);
	ep_jsonw_str(&w, "error", line);
	ep_jsonw_close(&w, '}');
	ep_buf_add_char(&x->out, '\n');
}

void ep_http_set_header(struct ep_http *x, const char *name, const char *value)
{
	if (value && x->n_reply_headers < EP_HTTP_MAX_REPLY_HEADERS)
		x->reply_headers[x->n_reply_headers++] =
			(struct ep_http_reply_header){name, value};
}

const char *ep_http_reason(int status)
{
	static const struct {
		int status;
		const char *reason;
	} table[] = {
		{200, "OK"},
		{204, "No Content"},
		{302, "Found"},
		{303, "See Other"},
		{304, "Not Modified"},
		{400, "Bad Request"},
		{401, "Unauthorized"},
		{403, "Forbidden"},
		{404, "Not Found"},
		{405, "Method Not Allowed"},
		{408, "Request Timeout"},
		{409, "Conflict"},
		{411, "Length Required"},
		{413, "Content Too Large"},
		{414, "URI Too Long"},
		{415, "Unsupported Media Type"},
		{417, "Expectation Failed"},
		{421, "Misdirected Request"},
		{422, "Unprocessable Content"},
		{429, "Too Many Requests"},
		{431, "Request Header Fields Too Large"},
		{499, "Client Closed Request"},
		{500, "Internal Server Error"},
		{501, "Not Implemented"},
		{503, "Service Unavailable"},
		{504, "Gateway Timeout"},
		{505, "HTTP Version Not Supported"},
		{507, "Insufficient Storage"},
	};
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (table[i].status == status)
			return table[i].reason;
	return "Status";
}
