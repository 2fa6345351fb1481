/* connect.c - see connect.h. */
#include "net/connect.h"

#include "codec/gzip.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct code {
	const char *name;
	int http;
	const char *grpc;
} codes[] = {
	{"canceled", 499, "1"},
	{"unknown", 500, "2"},
	{"invalid_argument", 400, "3"},
	{"deadline_exceeded", 504, "4"},
	{"not_found", 404, "5"},
	{"already_exists", 409, "6"},
	{"permission_denied", 403, "7"},
	{"resource_exhausted", 429, "8"},
	{"failed_precondition", 400, "9"},
	{"aborted", 409, "10"},
	{"out_of_range", 400, "11"},
	{"unimplemented", 501, "12"},
	{"internal", 500, "13"},
	{"unavailable", 503, "14"},
	{"data_loss", 500, "15"},
	{"unauthenticated", 401, "16"},
};

static const struct code *find_code(const char *name)
{
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (!strcmp(codes[i].name, name))
			return &codes[i];
	return &codes[1];
}

int ep_connect_status(const char *code)
{
	return find_code(code)->http;
}

const char *ep_connect_code_of(int rc)
{
	switch (rc) {
	case -EINVAL:
	case -EBADMSG:
	case -ENODATA:
		return "invalid_argument";
	case -E2BIG:
		return "resource_exhausted";
	case -ENOENT:
		return "not_found";
	case -EEXIST:
		return "already_exists";
	case -EACCES:
		return "permission_denied";
	case -ENOTSUP:
		return "unimplemented";
	case -ETIMEDOUT:
		return "deadline_exceeded";
	case -ECANCELED:
		return "canceled";
	case -EAGAIN:
	case -ENOSPC:
	case -ENOMEM:
		return "unavailable";
	default:
		return "internal";
	}
}

/* encoding: of Content-Encoding or grpc-encoding. */
static int unpack(struct ep_http *x, struct ep_slice encoding, size_t max_bytes,
		  struct ep_err *err)
{
	if (!encoding.n || ep_slice_is(encoding, "identity"))
		return 0;
	if (!ep_slice_is(encoding, "gzip"))
		return ep_fail(err, -ENOTSUP, 0,
			       "the encoding %.*s is not read here; gzip is",
			       (int)(encoding.n > 40 ? 40 : encoding.n), encoding.p);
	ep_auto_buf plain;
	ep_buf_init(&plain, max_bytes);
	EP_TRY(ep_gzip_unpack(x->body.p, x->body.n, &plain, err));
	char *copy = ep_arena_copy(x->arena, plain.data, plain.len);
	if (!copy)
		return ep_fail(err, -ENOMEM, 0, "no memory for the unpacked body");
	x->body = (struct ep_slice){copy, plain.len};
	return 0;
}

int ep_http_unpack(struct ep_http *x, size_t max_bytes, struct ep_err *err)
{
	return unpack(x, ep_http_header(x, "content-encoding"), max_bytes, err);
}

static bool is_type(struct ep_slice type, const char *want)
{
	size_t n = strlen(want);
	return type.n >= n && !strncasecmp(type.p, want, n) &&
	       (type.n == n || type.p[n] == ';' || type.p[n] == ' ');
}

/* One length-prefixed message (gRPC): flag, 4 bytes of length, message. */
static bool unframe(struct ep_connect *c, size_t max_bytes)
{
	struct ep_http *x = c->x;
	const unsigned char *p = (const unsigned char *)x->body.p;
	if (x->body.n < 5) {
		ep_connect_fail(c, "invalid_argument", "a gRPC message is missing");
		return false;
	}
	size_t n = (size_t)p[1] << 24 | (size_t)p[2] << 16 | (size_t)p[3] << 8 | p[4];
	if (n != x->body.n - 5) {
		ep_connect_fail(c, "unimplemented", "one whole gRPC message a call");
		return false;
	}
	c->message = (struct ep_slice){x->body.p + 5, n};
	if (!p[0])
		return true;
	struct ep_err err = {0};
	x->body = c->message;
	int rc = unpack(x, ep_http_header(x, "grpc-encoding"), max_bytes, &err);
	if (rc < 0)
		ep_connect_fail_err(c, rc, &err);
	c->message = x->body;
	return rc >= 0;
}

bool ep_connect_open(struct ep_connect *c, struct ep_http *x, size_t max_bytes)
{
	struct ep_slice type = ep_http_header(x, "content-type");
	struct ep_err err = {0};
	*c = (struct ep_connect){.x = x, .codec = EP_CONNECT_JSON};
	if (is_type(type, "application/grpc") || is_type(type, "application/grpc+proto")) {
		c->codec = EP_CONNECT_GRPC;
		return unframe(c, max_bytes);
	}
	if (is_type(type, "application/proto")) {
		c->codec = EP_CONNECT_PROTO;
	} else if (!is_type(type, "application/json")) {
		ep_http_fail(x, 415, "unknown",
			     "the Content-Type is application/json or application/proto");
		ep_http_set_header(x, "Accept-Post", "application/proto, application/json");
		return false;
	}
	int rc = ep_http_unpack(x, max_bytes, &err);
	if (rc < 0) {
		ep_connect_fail_err(c, rc, &err);
		return false;
	}
	c->message = x->body;
	if (!c->message.n && c->codec == EP_CONNECT_JSON)
		c->message = ep_slice_of("{}");
	return true;
}

void ep_connect_done(struct ep_connect *c)
{
	struct ep_http *x = c->x;
	x->status = 200;
	if (c->codec == EP_CONNECT_JSON) {
		x->content_type = "application/json";
	} else if (c->codec == EP_CONNECT_PROTO) {
		x->content_type = "application/proto";
	} else {
		size_t n = x->out.len;
		uint8_t frame[5] = {0, (uint8_t)(n >> 24), (uint8_t)(n >> 16),
				    (uint8_t)(n >> 8), (uint8_t)n};
		x->content_type = "application/grpc";
		x->grpc_status = "0";
		if (ep_buf_reserve(&x->out, 5)) {
			memmove(x->out.data + 5, x->out.data, n);
			memcpy(x->out.data, frame, 5);
			x->out.len += 5;
		}
	}
}

static void fail_grpc(struct ep_http *x, const char *code, const char *line)
{
	ep_buf_clear(&x->out);
	x->status = 200;
	x->content_type = "application/grpc";
	x->grpc_status = find_code(code)->grpc;
	/* Percent-encoding of all but plain ASCII, as the protocol asks. */
	struct ep_buf b;
	ep_buf_init(&b, 8192);
	for (const char *p = line; *p; p++)
		if (*p < ' ' || *p > '~' || *p == '%')
			ep_buf_printf(&b, "%%%02X", (unsigned char)*p);
		else
			ep_buf_add_char(&b, *p);
	x->grpc_message = ep_arena_copy(x->arena, ep_buf_cstr(&b), b.len);
	ep_buf_fini(&b);
}

void ep_connect_fail(struct ep_connect *c, const char *code, const char *fmt, ...)
{
	char line[1024];
	va_list ap;
	va_start(ap, fmt);
	(void)vsnprintf(line, sizeof(line), fmt, ap); /* a long line is cut */
	va_end(ap);
	if (c->codec == EP_CONNECT_GRPC)
		fail_grpc(c->x, code, line);
	else
		ep_http_fail(c->x, find_code(code)->http, code, "%s", line);
}

void ep_connect_fail_err(struct ep_connect *c, int rc, const struct ep_err *err)
{
	ep_connect_fail(c, ep_connect_code_of(rc), "%s", err->text);
}
