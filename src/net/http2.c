/* http2.c - see http2.h.  Limits: 100 streams, 64 KB of headers, our body limits. */
#include "net/http2.h"

#include <nghttp2/nghttp2.h>

#include "base/clock.h"

#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

enum { MAX_STREAMS = 100, READ_CHUNK = 64 << 10, MAX_READS = 8, MAX_OUT = 256 << 10 };
enum { MAX_HEADER_BYTES = 64 << 10, WINDOW = 1 << 20 };

struct ep_http2 {
	nghttp2_session *session;
	struct ep_exchange *streams; /* being read, in work, or being written */
	unsigned n_streams;
	struct ep_buf out;
	bool is_draining;
};

/* What of a response's body was handed to nghttp2; kept in the exchange's arena. */
struct sending {
	struct ep_slice body;
	size_t at;
	struct ep_exchange *ex;
};

/* --- streams ------------------------------------------------------------------------ */

static struct ep_exchange *add_stream(struct ep_conn *c, int32_t id)
{
	struct ep_exchange *ex = ep_exchange_new(c);
	if (!ex)
		return NULL;
	ex->stream = id;
	ex->x.is_http2 = true;
	ex->next = c->h2->streams;
	if (ex->next)
		ex->next->prev = ex;
	c->h2->streams = ex;
	c->h2->n_streams++;
	return ex;
}

static void drop_stream(struct ep_conn *c, struct ep_exchange *ex)
{
	if (ex->prev)
		ex->prev->next = ex->next;
	else
		c->h2->streams = ex->next;
	if (ex->next)
		ex->next->prev = ex->prev;
	c->h2->n_streams--;
	ep_exchange_free(ex);
}

static ssize_t read_out(nghttp2_session *s, int32_t id, uint8_t *to, size_t n, uint32_t *flags,
			nghttp2_data_source *source, void *user);

static nghttp2_nv header(const char *name, const char *value)
{
	return (nghttp2_nv){(uint8_t *)name, (uint8_t *)value, strlen(name), strlen(value),
			    NGHTTP2_NV_FLAG_NONE};
}

/* Names of HTTP/2 headers are lower case. */
static const char *lower(struct ep_arena *a, const char *name)
{
	char *copy = ep_arena_copy(a, name, strlen(name));
	for (char *p = copy; p && *p; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p |= 0x20;
	return copy ? copy : "x-no-memory";
}

static void respond(struct ep_conn *c, struct ep_exchange *ex)
{
	struct ep_http *x = &ex->x;
	nghttp2_nv nv[EP_HTTP_MAX_REPLY_HEADERS + 3];
	size_t n = 0;
	struct sending *s = ep_arena_zalloc(x->arena, 1, sizeof(*s));
	char *numbers = ep_arena_alloc(x->arena, 40);
	if (!s || !numbers) {
		(void)nghttp2_submit_rst_stream(c->h2->session, NGHTTP2_FLAG_NONE, ex->stream,
						NGHTTP2_INTERNAL_ERROR);
		return;
	}
	s->body = ep_exchange_out(ex);
	s->ex = ex;
	if (ep_slice_is(x->method, "HEAD"))
		s->body.n = 0;
	(void)snprintf(numbers, 8, "%d", x->status);
	(void)snprintf(numbers + 8, 32, "%zu", s->body.n);
	nv[n++] = header(":status", numbers);
	if (x->content_type)
		nv[n++] = header("content-type", x->content_type);
	if (!x->grpc_status)
		nv[n++] = header("content-length", numbers + 8);
	for (uint32_t i = 0; i < x->n_reply_headers; i++)
		nv[n++] = header(lower(x->arena, x->reply_headers[i].name),
				 x->reply_headers[i].value);
	nghttp2_data_provider data = {.source.ptr = s, .read_callback = read_out};
	if (nghttp2_submit_response(c->h2->session, ex->stream, nv, n, &data) != 0)
		(void)nghttp2_submit_rst_stream(c->h2->session, NGHTTP2_FLAG_NONE, ex->stream,
						NGHTTP2_INTERNAL_ERROR);
}

static void submit_trailers(nghttp2_session *session, struct ep_exchange *ex)
{
	nghttp2_nv nv[2];
	size_t n = 0;
	nv[n++] = header("grpc-status", ex->x.grpc_status);
	if (ex->x.grpc_message)
		nv[n++] = header("grpc-message", ex->x.grpc_message);
	(void)nghttp2_submit_trailer(session, ex->stream, nv, n); /* a gone stream needs none */
}

static ssize_t read_out(nghttp2_session *session, int32_t id, uint8_t *to, size_t n,
			uint32_t *flags, nghttp2_data_source *source, void *user)
{
	struct sending *s = source->ptr;
	size_t left = s->body.n - s->at, take = left < n ? left : n;
	(void)id;
	(void)user;
	if (take)
		memcpy(to, s->body.p + s->at, take);
	s->at += take;
	if (s->at == s->body.n) {
		*flags |= NGHTTP2_DATA_FLAG_EOF;
		if (s->ex->x.grpc_status) {
			*flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
			submit_trailers(session, s->ex);
		}
	}
	return (ssize_t)take;
}

/* --- what nghttp2 tells -------------------------------------------------------------- */

static struct ep_exchange *exchange_of(nghttp2_session *s, int32_t id)
{
	return nghttp2_session_get_stream_user_data(s, id);
}

static int on_begin_headers(nghttp2_session *s, const nghttp2_frame *f, void *user)
{
	struct ep_conn *c = user;
	if (f->hd.type != NGHTTP2_HEADERS || f->headers.cat != NGHTTP2_HCAT_REQUEST)
		return 0;
	struct ep_exchange *ex = add_stream(c, f->hd.stream_id);
	if (!ex)
		return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
	return nghttp2_session_set_stream_user_data(s, f->hd.stream_id, ex);
}

static bool set_path(struct ep_http *x, struct ep_slice target)
{
	const char *mark = memchr(target.p, '?', target.n);
	struct ep_slice path = {target.p, mark ? (size_t)(mark - target.p) : target.n};
	if (mark)
		x->query = (struct ep_slice){mark + 1, target.n - path.n - 1};
	x->path = ep_http_unescape(x->arena, path, false);
	return x->path.n && x->path.p[0] == '/';
}

static int on_header(nghttp2_session *s, const nghttp2_frame *f, const uint8_t *name,
		     size_t n_name, const uint8_t *value, size_t n_value, uint8_t flags,
		     void *user)
{
	struct ep_exchange *ex = exchange_of(s, f->hd.stream_id);
	(void)flags;
	(void)user;
	/* After the body these are trailers, which mean nothing here. */
	if (!ex || f->headers.cat != NGHTTP2_HCAT_REQUEST)
		return 0;
	struct ep_http *x = &ex->x;
	struct ep_slice k = {ep_arena_copy(x->arena, name, n_name), n_name};
	struct ep_slice v = {ep_arena_copy(x->arena, value, n_value), n_value};
	if (!k.p || !v.p || ep_arena_used(x->arena) > MAX_HEADER_BYTES)
		return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
	if (ep_slice_is(k, ":method"))
		x->method = v;
	else if (ep_slice_is(k, ":path"))
		return set_path(x, v) ? 0 : NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
	else if (ep_slice_is(k, ":authority") || (ep_slice_is(k, "host") && !x->host.p))
		x->host = v;
	else if (k.p[0] != ':' && x->n_headers == EP_HTTP_MAX_HEADERS)
		return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
	else if (k.p[0] != ':')
		x->headers[x->n_headers++] = (struct ep_http_header){k, v};
	return 0;
}

static int on_data(nghttp2_session *s, uint8_t flags, int32_t id, const uint8_t *p, size_t n,
		   void *user)
{
	struct ep_conn *c = user;
	struct ep_exchange *ex = exchange_of(s, id);
	(void)flags;
	if (!ex || ex->x.status)
		return 0; /* answered already: swallow */
	ep_buf_add(&ex->body, p, n);
	int failed = ep_buf_failed(&ex->body);
	if (failed == 0 && ep_exchange_charge(ex))
		return 0;
	if (failed == -E2BIG)
		ep_http_fail(&ex->x, 413, "resource_exhausted",
			     "the body is over the limit of %zu bytes (--max-body)",
			     c->serve->cfg.max_body_bytes);
	else
		ep_http_fail(&ex->x, 503, "unavailable", "all bodies being read are over the limit of %zu bytes (--max-bodies)",
			     c->serve->cfg.max_bodies_bytes);
	respond(c, ex);
	return 0;
}

static void on_request(struct ep_exchange *ex)
{
	ex->x.body = (struct ep_slice){(const char *)ex->body.data, ex->body.len};
	ep_exchange_submit(ex);
}

static int on_frame(nghttp2_session *s, const nghttp2_frame *f, void *user)
{
	struct ep_conn *c = user;
	struct ep_exchange *ex = exchange_of(s, f->hd.stream_id);
	const struct ep_serve_config *cfg = &c->serve->cfg;
	bool is_head = f->hd.type == NGHTTP2_HEADERS && f->headers.cat == NGHTTP2_HCAT_REQUEST;
	if (!ex || (f->hd.type != NGHTTP2_HEADERS && f->hd.type != NGHTTP2_DATA))
		return 0;
	if (is_head && cfg->admit && !cfg->admit(cfg->room, &ex->x)) {
		respond(c, ex);
		return 0;
	}
	if ((f->hd.flags & NGHTTP2_FLAG_END_STREAM) && !ex->x.status)
		on_request(ex);
	return 0;
}

static int on_close(nghttp2_session *s, int32_t id, uint32_t code, void *user)
{
	struct ep_exchange *ex = exchange_of(s, id);
	(void)code;
	if (!ex)
		return 0;
	/* One that a worker has comes back with stream 0 and is freed then. */
	if (ex->is_in_work)
		ex->stream = 0;
	else
		drop_stream(user, ex);
	return 0;
}

/* --- the connection ------------------------------------------------------------------ */

static void pump_out(struct ep_conn *c)
{
	struct ep_http2 *h = c->h2;
	for (;;) {
		while (h->out.len < MAX_OUT) {
			const uint8_t *p;
			ssize_t n = nghttp2_session_mem_send(h->session, &p);
			if (n <= 0)
				break;
			ep_buf_add(&h->out, p, (size_t)n);
		}
		if (!h->out.len || ep_buf_failed(&h->out))
			break;
		struct iovec v = {h->out.data, h->out.len};
		ssize_t n = ep_conn_send(c, &v, 1);
		if (n > 0) {
			ep_buf_consume(&h->out, (size_t)n);
			c->deadline_ns = c->serve->now_ns + c->serve->cfg.idle_timeout_ns;
		} else if (errno != EINTR) {
			break;
		}
	}
	bool is_over = !nghttp2_session_want_read(h->session) &&
		       !nghttp2_session_want_write(h->session) && !h->out.len;
	if (ep_buf_failed(&h->out) || is_over)
		ep_conn_close(c);
	else if (h->out.len && errno != EAGAIN)
		ep_conn_close(c);
	else
		ep_conn_want(c, h->out.len ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

static bool feed(struct ep_conn *c, const uint8_t *p, size_t n)
{
	if (nghttp2_session_mem_recv(c->h2->session, p, n) >= 0)
		return true;
	ep_conn_close(c);
	return false;
}

void ep_http2_on_readable(struct ep_conn *c)
{
	uint8_t chunk[READ_CHUNK];
	for (int i = 0; i < MAX_READS; i++) {
		ssize_t n = ep_conn_recv(c, chunk, sizeof(chunk));
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			break;
		if (n <= 0) {
			ep_conn_close(c);
			return;
		}
		c->deadline_ns = c->serve->now_ns + c->serve->cfg.idle_timeout_ns;
		if (!feed(c, chunk, (size_t)n))
			return;
	}
	pump_out(c);
}

void ep_http2_on_writable(struct ep_conn *c)
{
	if (c->tls && (ep_tls_has_pending(c->tls) || ep_tls_wants_write(c->tls)))
		ep_http2_on_readable(c); /* epoll does not see what TLS holds back */
	else
		pump_out(c);
}

void ep_http2_on_done(struct ep_conn *c, struct ep_exchange *ex)
{
	if (c->fd < 0 || !ex->stream) {
		drop_stream(c, ex);
		return;
	}
	respond(c, ex);
	pump_out(c);
}

bool ep_http2_is_idle(const struct ep_conn *c)
{
	return !c->h2->n_streams;
}

void ep_http2_drain(struct ep_conn *c)
{
	if (c->h2->is_draining)
		return;
	c->h2->is_draining = true;
	int32_t last = nghttp2_session_get_last_proc_stream_id(c->h2->session);
	(void)nghttp2_submit_goaway(c->h2->session, NGHTTP2_FLAG_NONE, last, NGHTTP2_NO_ERROR,
				    NULL, 0); /* closing follows anyway */
	pump_out(c);
}

void ep_http2_on_deadline(struct ep_conn *c)
{
	if (c->n_in_work)
		c->deadline_ns = c->serve->now_ns + c->serve->cfg.idle_timeout_ns;
	else
		ep_conn_close(c);
}

static nghttp2_session *new_session(struct ep_conn *c)
{
	nghttp2_session_callbacks *cb;
	nghttp2_option *o;
	nghttp2_session *s = NULL;
	if (nghttp2_session_callbacks_new(&cb) != 0)
		return NULL;
	if (nghttp2_option_new(&o) != 0) {
		nghttp2_session_callbacks_del(cb);
		return NULL;
	}
	nghttp2_option_set_max_outbound_ack(o, 100); /* a flood of pings ends the connection */
	nghttp2_session_callbacks_set_on_begin_headers_callback(cb, on_begin_headers);
	nghttp2_session_callbacks_set_on_header_callback(cb, on_header);
	nghttp2_session_callbacks_set_on_data_chunk_recv_callback(cb, on_data);
	nghttp2_session_callbacks_set_on_frame_recv_callback(cb, on_frame);
	nghttp2_session_callbacks_set_on_stream_close_callback(cb, on_close);
	if (nghttp2_session_server_new2(&s, cb, c, o) != 0)
		s = NULL;
	nghttp2_option_del(o);
	nghttp2_session_callbacks_del(cb);
	return s;
}

void ep_http2_start(struct ep_conn *c)
{
	const nghttp2_settings_entry settings[] = {
		{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, MAX_STREAMS},
		{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, WINDOW},
		{NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, MAX_HEADER_BYTES},
	};
	c->h2 = ep_zalloc(sizeof(*c->h2));
	if (!c->h2) {
		ep_conn_close(c);
		return;
	}
	c->state = EP_CONN_HTTP2;
	c->deadline_ns = c->serve->now_ns + c->serve->cfg.idle_timeout_ns;
	ep_buf_init(&c->h2->out, 4 << 20);
	c->h2->session = new_session(c);
	if (!c->h2->session ||
	    nghttp2_submit_settings(c->h2->session, NGHTTP2_FLAG_NONE, settings, 3) != 0 ||
	    nghttp2_session_set_local_window_size(c->h2->session, NGHTTP2_FLAG_NONE, 0,
						  8 * WINDOW) != 0) {
		ep_conn_close(c);
		return;
	}
	if (!feed(c, c->in.data, c->in.len))
		return;
	ep_buf_fini(&c->in);
	pump_out(c);
}

void ep_http2_free(struct ep_conn *c)
{
	if (!c->h2)
		return;
	/* Deleting the session calls on_close for its streams; the rest go here. */
	if (c->h2->session)
		nghttp2_session_del(c->h2->session);
	while (c->h2->streams)
		drop_stream(c, c->h2->streams);
	ep_buf_fini(&c->h2->out);
	ep_free(c->h2);
	c->h2 = NULL;
}
