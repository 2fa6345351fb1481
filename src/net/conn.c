/* conn.c - one HTTP/1.1 connection: read a request, hand it over, write the answer. */
#include "net/conn.h"

#include "base/clock.h"
#include "net/http2.h"

#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

enum { READ_CHUNK = 64 << 10, MAX_READS = 8 };
/* How long an early answer waits for its client to stop sending. */
#define DRAIN_NS (2 * EP_NS_PER_S)

static void write_some(struct ep_conn *c);

static uint64_t deadline(const struct ep_conn *c, uint64_t timeout_ns)
{
	return c->serve->now_ns + timeout_ns;
}

struct ep_slice ep_exchange_out(const struct ep_exchange *ex)
{
	const struct ep_http *x = &ex->x;
	if (x->out_static)
		return (struct ep_slice){x->out_static, x->n_out_static};
	return (struct ep_slice){(const char *)x->out.data, x->out.len};
}

static void start_response(struct ep_conn *c)
{
	struct ep_http *x = &c->ex->x;
	struct ep_slice out = ep_exchange_out(c->ex);
	c->keep_alive = c->keep_alive && !c->serve->is_stopping;
	ep_buf_clear(&c->out_head);
	ep_http1_format_head(x, out.n, c->keep_alive, &c->out_head);
	if (ep_buf_failed(&c->out_head)) {
		ep_conn_close(c);
		return;
	}
	c->n_written = 0;
	c->state = EP_CONN_WRITE;
	c->deadline_ns = deadline(c, c->serve->cfg.body_timeout_ns);
	write_some(c);
}

/* Answer without a handler, then let the client finish and close. */
static void refuse(struct ep_conn *c, int status, const char *text)
{
	if (!c->ex && !(c->ex = ep_exchange_new(c))) {
		ep_conn_close(c);
		return;
	}
	if (!c->ex->x.status)
		ep_http_text(&c->ex->x, status, "%s\n", text);
	atomic_fetch_add(&c->serve->refused_total, 1);
	c->keep_alive = false;
	c->drain_after = true;
	start_response(c);
}

static void submit(struct ep_conn *c)
{
	c->ex->x.body = (struct ep_slice){(const char *)c->ex->body.data, c->ex->body.len};
	c->state = EP_CONN_WORK;
	c->deadline_ns = UINT64_MAX;
	ep_conn_want(c, 0);
	ep_exchange_submit(c->ex);
}

static void say_continue(struct ep_conn *c)
{
	static const char line[] = "HTTP/1.1 100 Continue\r\n\r\n";
	struct iovec v = {(char *)line, sizeof(line) - 1};
	/* A client that has sent only a head has an empty socket buffer. */
	if (ep_conn_send(c, &v, 1) != sizeof(line) - 1)
		ep_conn_close(c);
}

static void start_body(struct ep_conn *c)
{
	struct ep_serve *s = c->serve;
	bool has_body = c->head.body != EP_HTTP1_NO_BODY;
	if (s->cfg.admit && !s->cfg.admit(s->cfg.room, &c->ex->x)) {
		if (has_body)
			refuse(c, 500, "");
		else
			start_response(c);
		return;
	}
	if (!has_body) {
		submit(c);
		return;
	}
	if (c->head.body == EP_HTTP1_LENGTH && c->head.n_body > s->cfg.max_body_bytes) {
		char text[160];
		(void)snprintf(text, sizeof(text),
			       "the body of %llu bytes is over the limit of %zu (--max-body)",
			       (unsigned long long)c->head.n_body, s->cfg.max_body_bytes);
		refuse(c, 413, text);
		return;
	}
	c->chunks = (struct ep_http1_chunks){0};
	c->state = EP_CONN_BODY;
	c->deadline_ns = deadline(c, s->cfg.body_timeout_ns);
	if (c->head.expects_continue && !c->in.len)
		say_continue(c);
}

/* A preface, or what may become one: only as the first bytes of a connection. */
static bool is_http2(struct ep_conn *c)
{
	size_t n = c->in.len < EP_HTTP2_PREFACE_LEN ? c->in.len : EP_HTTP2_PREFACE_LEN;
	if (c->n_requests || memcmp(c->in.data, EP_HTTP2_PREFACE, n) != 0)
		return false;
	if (n == EP_HTTP2_PREFACE_LEN)
		ep_http2_start(c);
	return true;
}

/* false: nothing more can be done with what is there. */
static bool read_head(struct ep_conn *c)
{
	if (!c->in.len || is_http2(c))
		return false;
	if (!c->ex && !(c->ex = ep_exchange_new(c))) {
		ep_conn_close(c);
		return false;
	}
	int status = 400;
	struct ep_err err = {0};
	int n = ep_http1_parse_head((const char *)c->in.data, c->in.len, &c->ex->x, &c->head,
				    &status, &err);
	if (n < 0) {
		refuse(c, status, err.text);
		return false;
	}
	if (n == 0)
		return false;
	ep_buf_consume(&c->in, (size_t)n);
	c->keep_alive = c->head.keep_alive;
	c->n_requests++;
	start_body(c);
	return true;
}

static int take_body(struct ep_conn *c, struct ep_err *err)
{
	const char *p = (const char *)c->in.data;
	size_t used = 0;
	int rc;
	if (c->head.body == EP_HTTP1_CHUNKED) {
		rc = ep_http1_read_chunks(&c->chunks, p, c->in.len, &c->ex->body, &used, err);
	} else {
		uint64_t left = c->head.n_body - c->ex->body.len;
		used = c->in.len < left ? c->in.len : (size_t)left;
		ep_buf_add(&c->ex->body, p, used);
		rc = ep_buf_failed(&c->ex->body);
		if (rc == 0)
			rc = c->ex->body.len == c->head.n_body;
	}
	ep_buf_consume(&c->in, used);
	return rc;
}

static bool read_body(struct ep_conn *c)
{
	struct ep_err err = {0};
	int rc = take_body(c, &err);
	char text[160];
	if (rc == -E2BIG) {
		(void)snprintf(text, sizeof(text),
			       "the body is over the limit of %zu bytes (--max-body)",
			       c->serve->cfg.max_body_bytes);
		refuse(c, 413, err.text[0] && !ep_buf_failed(&c->ex->body) ? err.text : text);
	} else if (rc == -EBADMSG) {
		refuse(c, 400, err.text);
	} else if (rc < 0 || !ep_exchange_charge(c->ex)) {
		(void)snprintf(text, sizeof(text),
			       "all bodies being read are over the limit of %zu bytes "
			       "(--max-bodies); try again",
			       c->serve->cfg.max_bodies_bytes);
		refuse(c, 503, text);
	} else if (rc == 1) {
		submit(c);
	} else {
		return false;
	}
	return true;
}

/* The one place that goes from request to request: no recursion over pipelined ones. */
static void process(struct ep_conn *c)
{
	bool more = true;
	while (more && c->fd >= 0) {
		if (c->state == EP_CONN_HEAD)
			more = read_head(c);
		else if (c->state == EP_CONN_BODY)
			more = read_body(c);
		else
			more = false;
	}
	if (c->fd >= 0 && (c->state == EP_CONN_HEAD || c->state == EP_CONN_BODY))
		ep_conn_want(c, EPOLLIN);
}

/* Once nothing more can be read now: what TLS holds back asks for another turn. */
static void wait_for_more(struct ep_conn *c)
{
	if (c->fd >= 0 && (c->state == EP_CONN_HEAD || c->state == EP_CONN_BODY ||
			   c->state == EP_CONN_DRAIN))
		ep_conn_want(c, EPOLLIN);
}

/* --- TLS ------------------------------------------------------------------------------ */

/* The first byte of a handshake is a record's type, 22. */
static bool speaks_tls(struct ep_conn *c)
{
	static const char sorry[] = "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n"
				    "Content-Type: text/plain\r\nContent-Length: 42\r\n\r\n"
				    "this port speaks TLS: ask it with https://";
	unsigned char first;
	if (c->has_greeted || recv(c->fd, &first, 1, MSG_PEEK) != 1)
		return true;
	c->has_greeted = true;
	if (first == 22)
		return true;
	(void)!send(c->fd, sorry, sizeof(sorry) - 1, MSG_NOSIGNAL); /* it closes anyway */
	return false;
}

static void shake_hands(struct ep_conn *c)
{
	int rc = speaks_tls(c) ? ep_tls_handshake(c->tls) : -EIO;
	if (rc < 0) {
		atomic_fetch_add(&c->serve->refused_total, 1);
		ep_conn_close(c);
		return;
	}
	if (rc == 1) {
		c->state = EP_CONN_HEAD;
		c->deadline_ns = deadline(c, c->serve->cfg.head_timeout_ns);
	}
	ep_conn_want(c, ep_tls_wants_write(c->tls) ? EPOLLOUT : EPOLLIN);
}

/* --- reading and writing ------------------------------------------------------------------ */

/* Bytes read, 0 when there are none now, -1 when the connection was closed. */
static ssize_t fill(struct ep_conn *c)
{
	uint8_t *to = ep_buf_reserve(&c->in, READ_CHUNK);
	ssize_t n = to ? ep_conn_recv(c, to, READ_CHUNK) : 0;
	if (n > 0) {
		c->in.len += (size_t)n;
		return n;
	}
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	ep_conn_close(c);
	return -1;
}

static void drain(struct ep_conn *c)
{
	char junk[READ_CHUNK];
	for (int i = 0; i < MAX_READS; i++) {
		ssize_t n = ep_conn_recv(c, junk, sizeof(junk));
		if (n > 0)
			continue;
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		ep_conn_close(c);
		return;
	}
}

void ep_conn_on_readable(struct ep_conn *c)
{
	if (c->state == EP_CONN_TLS)
		shake_hands(c);
	if (c->state == EP_CONN_DRAIN)
		drain(c);
	for (int i = 0; i < MAX_READS && c->fd >= 0; i++) {
		if (c->h2 || (c->state != EP_CONN_HEAD && c->state != EP_CONN_BODY))
			break;
		bool was_idle = c->state == EP_CONN_HEAD && !c->in.len;
		ssize_t n = fill(c);
		if (n <= 0)
			break;
		if (was_idle)
			c->deadline_ns = deadline(c, c->serve->cfg.head_timeout_ns);
		process(c);
	}
	wait_for_more(c);
}

static void finish_response(struct ep_conn *c)
{
	ep_exchange_free(ep_take(&c->ex));
	if (c->drain_after) {
		c->state = EP_CONN_DRAIN;
		c->deadline_ns = deadline(c, DRAIN_NS);
		if (c->tls)
			ep_tls_bye(c->tls);
		(void)shutdown(c->fd, SHUT_WR); /* a gone peer shows on the next read */
		ep_conn_want(c, EPOLLIN);
		return;
	}
	if (!c->keep_alive) {
		ep_conn_close(c);
		return;
	}
	c->state = EP_CONN_HEAD;
	c->deadline_ns = deadline(c, c->in.len ? c->serve->cfg.head_timeout_ns
					       : c->serve->cfg.idle_timeout_ns);
	if (!c->in.len)
		ep_buf_fini(&c->in); /* an idle connection holds no memory */
}

static void write_some(struct ep_conn *c)
{
	struct ep_slice body = ep_exchange_out(c->ex);
	if (ep_slice_is(c->ex->x.method, "HEAD"))
		body.n = 0;
	size_t n_head = c->out_head.len, all = n_head + body.n;
	while (c->n_written < all) {
		struct iovec v[2];
		size_t at = c->n_written, skip = at > n_head ? at - n_head : 0;
		int n_v = 0;
		if (at < n_head)
			v[n_v++] = (struct iovec){c->out_head.data + at, n_head - at};
		if (body.n > skip)
			v[n_v++] = (struct iovec){(char *)body.p + skip, body.n - skip};
		ssize_t n = ep_conn_send(c, v, n_v);
		if (n > 0) {
			c->n_written += (size_t)n;
		} else if (errno == EAGAIN) {
			ep_conn_want(c, EPOLLOUT);
			return;
		} else if (errno != EINTR) {
			ep_conn_close(c);
			return;
		}
	}
	finish_response(c);
}

void ep_conn_on_writable(struct ep_conn *c)
{
	if (c->state == EP_CONN_WRITE) {
		write_some(c);
		process(c);
	} else if (c->tls) {
		ep_conn_on_readable(c); /* it had more, or waited to write while reading */
	} else {
		process(c);
	}
}

void ep_conn_on_done(struct ep_conn *c, struct ep_exchange *ex)
{
	(void)ex; /* the only one: c->ex */
	if (c->fd < 0)
		return;
	start_response(c);
	process(c);
}

void ep_conn_on_deadline(struct ep_conn *c)
{
	bool asked = (c->state == EP_CONN_HEAD && c->in.len) || c->state == EP_CONN_BODY;
	if (c->state != EP_CONN_DRAIN && (c->state != EP_CONN_HEAD || c->in.len))
		atomic_fetch_add(&c->serve->timeouts_total, 1);
	if (asked)
		refuse(c, 408, "the request did not arrive in time");
	else
		ep_conn_close(c);
}
