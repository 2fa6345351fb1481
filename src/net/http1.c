/* http1.c - see http1.h. */
#include "net/http1.h"

#include <string.h>

/* RFC 9110 5.6.2 */
static bool is_token_char(unsigned char c)
{
	static const char others[] = "!#$%&'*+-.^_`|~";
	return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') ||
	       (c && strchr(others, c));
}

static bool is_token(struct ep_slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!is_token_char((unsigned char)s.p[i]))
			return false;
	return s.n > 0;
}

static struct ep_slice trim(struct ep_slice s)
{
	while (s.n && (s.p[0] == ' ' || s.p[0] == '\t'))
		s.p++, s.n--;
	while (s.n && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
		s.n--;
	return s;
}

static bool eq_nocase(struct ep_slice s, const char *lower)
{
	if (s.n != strlen(lower))
		return false;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		if (c >= 'A' && c <= 'Z')
			c |= 0x20;
		if (c != lower[i])
			return false;
	}
	return true;
}

/* What is being read, so that the helpers take one argument. */
struct reader {
	const char *begin;
	struct ep_http *x;
	struct ep_http1_head *head;
	int *status;
	struct ep_err *err;
	uint32_t n_hosts, n_lengths, n_codings;
	bool is_http10;
};

static int refuse(struct reader *r, int status, int code, const char *at, const char *text)
{
	*r->status = status;
	return ep_fail(r->err, code, (uint64_t)(at - r->begin), "%s", text);
}

/* The path without its escapes; the query stays as sent. */
static int read_target(struct reader *r, struct ep_slice target)
{
	struct ep_http *x = r->x;
	if (ep_slice_is(target, "*"))
		return refuse(r, 400, -EBADMSG, target.p, "the target * is for no route here");
	if (target.n > 7 && !memcmp(target.p, "http://", 7)) {
		/* Absolute form: the authority there overrides Host (RFC 9112 3.2.2). */
		const char *slash = memchr(target.p + 7, '/', target.n - 7);
		if (!slash)
			return refuse(r, 400, -EBADMSG, target.p, "the target has no path");
		size_t skip = (size_t)(slash - target.p);
		x->host = (struct ep_slice){target.p + 7, skip - 7};
		target = (struct ep_slice){slash, target.n - skip};
	}
	if (!target.n || target.p[0] != '/')
		return refuse(r, 400, -EBADMSG, target.p, "the target does not start with /");
	if (memchr(target.p, '#', target.n))
		return refuse(r, 400, -EBADMSG, target.p, "the target holds a #");
	const char *mark = memchr(target.p, '?', target.n);
	struct ep_slice path = {target.p, mark ? (size_t)(mark - target.p) : target.n};
	if (mark)
		x->query = (struct ep_slice){mark + 1, target.n - path.n - 1};
	x->path = ep_http_unescape(x->arena, path, false);
	if (!x->path.p)
		return refuse(r, 400, -EBADMSG, target.p, "the path has a bad % escape");
	return 0;
}

static int read_request_line(struct reader *r, struct ep_slice line)
{
	const char *sp = memchr(line.p, ' ', line.n);
	const char *sp2 = sp ? memchr(sp + 1, ' ', line.n - (size_t)(sp + 1 - line.p)) : NULL;
	if (!sp2)
		return refuse(r, 400, -EBADMSG, line.p, "the request line has not three parts");
	struct ep_slice target = {sp + 1, (size_t)(sp2 - sp - 1)};
	struct ep_slice version = {sp2 + 1, line.n - (size_t)(sp2 + 1 - line.p)};
	r->x->method = (struct ep_slice){line.p, (size_t)(sp - line.p)};
	if (!is_token(r->x->method) || r->x->method.n > 32)
		return refuse(r, 400, -EBADMSG, line.p, "the method is no token");
	for (size_t i = 0; i < target.n; i++)
		if ((unsigned char)target.p[i] <= ' ' || target.p[i] == 0x7f)
			return refuse(r, 400, -EBADMSG, target.p + i,
				      "the target holds a control character");
	r->is_http10 = ep_slice_is(version, "HTTP/1.0");
	if (!r->is_http10 && !ep_slice_is(version, "HTTP/1.1")) {
		bool looks = version.n == 8 && !memcmp(version.p, "HTTP/", 5);
		return refuse(r, looks ? 505 : 400, looks ? -ENOTSUP : -EBADMSG, version.p,
			      "the version is neither HTTP/1.1 nor HTTP/1.0");
	}
	r->head->keep_alive = !r->is_http10;
	return read_target(r, target);
}

static int read_length(struct reader *r, struct ep_slice v)
{
	uint64_t n = 0;
	for (size_t i = 0; i < v.n; i++) {
		if (v.p[i] < '0' || v.p[i] > '9' || i > 17)
			return refuse(r, 400, -EBADMSG, v.p, "Content-Length is no number");
		n = n * 10 + (uint64_t)(v.p[i] - '0');
	}
	if (!v.n)
		return refuse(r, 400, -EBADMSG, v.p, "Content-Length is empty");
	if (r->n_lengths++)
		return refuse(r, 400, -EBADMSG, v.p, "Content-Length is there twice");
	r->head->body = n ? EP_HTTP1_LENGTH : EP_HTTP1_NO_BODY;
	r->head->n_body = n;
	return 0;
}

/* Connection: a list of words; only close and keep-alive mean something here. */
static void read_connection(struct reader *r, struct ep_slice v)
{
	while (v.n) {
		const char *comma = memchr(v.p, ',', v.n);
		struct ep_slice word = {v.p, comma ? (size_t)(comma - v.p) : v.n};
		size_t used = word.n + (comma ? 1 : 0);
		v = (struct ep_slice){v.p + used, v.n - used};
		word = trim(word);
		if (eq_nocase(word, "close"))
			r->head->keep_alive = false;
		else if (eq_nocase(word, "keep-alive") && r->is_http10)
			r->head->keep_alive = true;
	}
}

static int read_framing(struct reader *r, struct ep_slice name, struct ep_slice value)
{
	if (ep_slice_is(name, "content-length"))
		return read_length(r, value);
	if (ep_slice_is(name, "transfer-encoding")) {
		if (r->n_codings++ || !eq_nocase(value, "chunked"))
			return refuse(r, 501, -ENOTSUP, value.p,
				      "a transfer encoding other than chunked, once");
		return 0;
	}
	if (ep_slice_is(name, "host")) {
		if (r->n_hosts++)
			return refuse(r, 400, -EBADMSG, value.p, "Host is there twice");
		if (!r->x->host.p)
			r->x->host = value;
		return 0;
	}
	if (ep_slice_is(name, "connection"))
		read_connection(r, value);
	if (ep_slice_is(name, "expect")) {
		if (!eq_nocase(value, "100-continue"))
			return refuse(r, 417, -ENOTSUP, value.p,
				      "Expect takes 100-continue only");
		r->head->expects_continue = !r->is_http10;
	}
	return 0;
}

static int read_header(struct reader *r, struct ep_slice line)
{
	struct ep_http *x = r->x;
	const char *colon = memchr(line.p, ':', line.n);
	if (line.p[0] == ' ' || line.p[0] == '\t')
		return refuse(r, 400, -EBADMSG, line.p, "a header line is folded");
	if (!colon)
		return refuse(r, 400, -EBADMSG, line.p, "a header has no colon");
	struct ep_slice name = {line.p, (size_t)(colon - line.p)};
	struct ep_slice value = {colon + 1, line.n - name.n - 1};
	if (!is_token(name))
		return refuse(r, 400, -EBADMSG, line.p, "a header's name is no token");
	value = trim(value);
	for (size_t i = 0; i < value.n; i++) {
		unsigned char c = (unsigned char)value.p[i];
		if ((c < ' ' && c != '\t') || c == 0x7f)
			return refuse(r, 400, -EBADMSG, value.p + i,
				      "a header holds a control character");
	}
	if (x->n_headers == EP_HTTP_MAX_HEADERS)
		return refuse(r, 431, -E2BIG, line.p, "more than 100 headers");
	/* The head was copied into the arena: lowering in place touches our copy. */
	for (size_t i = 0; i < name.n; i++)
		if (name.p[i] >= 'A' && name.p[i] <= 'Z')
			((char *)name.p)[i] |= 0x20;
	x->headers[x->n_headers++] = (struct ep_http_header){name, value};
	return read_framing(r, name, value);
}

static int check_framing(struct reader *r)
{
	const char *at = r->begin;
	if (r->n_codings && r->n_lengths)
		return refuse(r, 400, -EBADMSG, at,
			      "both Content-Length and Transfer-Encoding");
	if (r->n_codings && r->is_http10)
		return refuse(r, 400, -EBADMSG, at, "Transfer-Encoding with HTTP/1.0");
	if (r->n_codings)
		r->head->body = EP_HTTP1_CHUNKED;
	if (!r->n_hosts && !r->is_http10)
		return refuse(r, 400, -EBADMSG, at, "Host is missing");
	return 0;
}

/* Bytes up to and with the empty line; 0 when it is not there yet. */
static size_t find_end(const char *p, size_t n)
{
	const char *at = p ? memmem(p, n, "\r\n\r\n", 4) : NULL;
	return at ? (size_t)(at - p) + 4 : 0;
}

static int check_size(struct reader *r, const char *p, size_t n, size_t end)
{
	size_t have = end ? end : n;
	const char *line_end = memchr(p, '\n', have);
	if ((line_end ? (size_t)(line_end - p) : have) > EP_HTTP1_MAX_LINE)
		return refuse(r, 414, -E2BIG, p, "the request line is over 16 KB");
	if (have > EP_HTTP1_MAX_HEAD)
		return refuse(r, 431, -E2BIG, p, "the headers are over 32 KB");
	/* Refuse early: waiting for CRLF CRLF behind a bare LF would wait for ever. */
	if (line_end && (line_end == p || line_end[-1] != '\r'))
		return refuse(r, 400, -EBADMSG, line_end, "a line ends without CR");
	return 0;
}

int ep_http1_parse_head(const char *p, size_t n, struct ep_http *x,
			struct ep_http1_head *ret_head, int *ret_status, struct ep_err *err)
{
	struct ep_http1_head head = {0};
	struct reader r = {.begin = p, .x = x, .head = &head, .status = ret_status, .err = err};
	if (!n)
		return 0;
	size_t end = find_end(p, n);
	EP_TRY(check_size(&r, p, n, end));
	if (!end)
		return 0;
	char *copy = ep_arena_copy(x->arena, p, end);
	if (!copy)
		return refuse(&r, 503, -ENOMEM, p, "no memory for the headers");
	r.begin = copy;
	const char *at = copy, *stop = copy + end - 2;
	for (bool first = true; at < stop; first = false) {
		const char *nl = memchr(at, '\n', (size_t)(stop - at));
		if (!nl || nl == at || nl[-1] != '\r')
			return refuse(&r, 400, -EBADMSG, at, "a line ends without CR");
		struct ep_slice line = {at, (size_t)(nl - 1 - at)};
		if (memchr(line.p, '\r', line.n))
			return refuse(&r, 400, -EBADMSG, at, "a line holds a bare CR");
		if (!line.n)
			return refuse(&r, 400, -EBADMSG, at, "an empty line too early");
		EP_TRY(first ? read_request_line(&r, line) : read_header(&r, line));
		at = nl + 1;
	}
	EP_TRY(check_framing(&r));
	*ret_head = head;
	return (int)end;
}

/* --- chunks ---------------------------------------------------------------- */

enum { SIZE, EXTENSION, SIZE_LF, DATA, DATA_CR, DATA_LF, TRAILER, TRAILER_LF };
enum { MAX_CHUNK_LINE = 256, MAX_TRAILERS = 4096 };

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int bad_chunk(struct ep_err *err, const char *text)
{
	return ep_fail(err, -EBADMSG, 0, "chunked body: %s", text);
}

static int read_size_char(struct ep_http1_chunks *c, char ch, struct ep_err *err)
{
	int digit = hex_value(ch);
	if (c->state == SIZE && digit >= 0) {
		if (c->n_line++ >= 15)
			return bad_chunk(err, "a size of more than 15 digits");
		c->left = c->left << 4 | (uint64_t)digit;
		return 0;
	}
	if (!c->n_line)
		return bad_chunk(err, "a chunk without a size");
	if (ch == '\r') {
		c->state = SIZE_LF;
		return 0;
	}
	if (c->state == SIZE && ch != ';')
		return bad_chunk(err, "a size that is no hexadecimal number");
	c->state = EXTENSION;
	if (ch == '\n' || ch == '\0')
		return bad_chunk(err, "a control character in an extension");
	if (++c->n_line > MAX_CHUNK_LINE)
		return bad_chunk(err, "an extension over 256 bytes");
	return 0;
}

/* Trailers are read and dropped: nothing here means anything by them. */
static int read_trailer_char(struct ep_http1_chunks *c, char ch, struct ep_err *err)
{
	if (++c->n_trailer > MAX_TRAILERS)
		return ep_fail(err, -E2BIG, 0, "chunked body: trailers over 4 KB");
	if (ch == '\r')
		c->state = TRAILER_LF;
	else if (ch == '\n')
		return bad_chunk(err, "a trailer ends without CR");
	else
		c->n_line++;
	return 0;
}

static int read_framing_char(struct ep_http1_chunks *c, char ch, struct ep_err *err)
{
	switch (c->state) {
	case SIZE:
	case EXTENSION:
		return read_size_char(c, ch, err);
	case DATA_CR:
		if (ch != '\r')
			return bad_chunk(err, "a chunk is longer than its size");
		c->state = DATA_LF;
		return 0;
	case TRAILER:
		return read_trailer_char(c, ch, err);
	default:
		break;
	}
	if (ch != '\n')
		return bad_chunk(err, "CR without LF");
	if (c->state == TRAILER_LF && c->n_line == 0)
		return 1;
	if (c->state == SIZE_LF)
		c->state = c->left ? DATA : TRAILER;
	else
		c->state = c->state == DATA_LF ? SIZE : TRAILER;
	c->n_line = 0;
	return 0;
}

int ep_http1_read_chunks(struct ep_http1_chunks *c, const char *p, size_t n,
			 struct ep_buf *out, size_t *ret_used, struct ep_err *err)
{
	size_t i = 0;
	int rc = 0;
	while (i < n && rc == 0) {
		if (c->state != DATA) {
			rc = read_framing_char(c, p[i++], err);
			continue;
		}
		size_t take = n - i < c->left ? n - i : (size_t)c->left;
		ep_buf_add(out, p + i, take);
		if (ep_buf_failed(out))
			rc = ep_fail(err, ep_buf_failed(out), 0, "the body is over %zu bytes",
				     out->max);
		i += take;
		c->left -= take;
		if (!c->left)
			c->state = DATA_CR;
	}
	*ret_used = i;
	return rc;
}

/* --- the response ---------------------------------------------------------- */

void ep_http1_format_head(const struct ep_http *x, size_t n_body, bool keep_alive,
			  struct ep_buf *out)
{
	ep_buf_printf(out, "HTTP/1.1 %d %s\r\n", x->status, ep_http_reason(x->status));
	if (x->content_type)
		ep_buf_printf(out, "Content-Type: %s\r\n", x->content_type);
	for (uint32_t i = 0; i < x->n_reply_headers; i++)
		ep_buf_printf(out, "%s: %s\r\n", x->reply_headers[i].name,
			      x->reply_headers[i].value);
	if (x->status != 204 && x->status != 304)
		ep_buf_printf(out, "Content-Length: %zu\r\n", n_body);
	if (!keep_alive)
		ep_buf_add_str(out, "Connection: close\r\n");
	ep_buf_add_str(out, "\r\n");
}
