/* exchange.c - see exchange.h.  Source: RFC 9110, RFC 9112. */
#include "push/exchange.h"

#include "base/clock.h"
#include "push/https.h"

#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	MIN_FD = 10, /* 0..9 are the numbers that programs and shells play with */
	IDLE_MS = 100,
	MAX_HEAD_BYTES = 16384,
	READ_BYTES = 8192,
	WIRE_BYTES = 16384 + 512, /* a TLS record */
	MAX_BODY_BYTES = 1 << 30,
};

static int wait_for(int fd, short events, const struct ep_exchange *x, struct ep_err *err)
{
	for (;;) {
		uint64_t now = ep_clock_mono_ns();
		if (now >= x->deadline_ns)
			return ep_fail(err, -ETIMEDOUT, 0, "the server did not answer in time");
		uint64_t ms = (x->deadline_ns - now) / EP_NS_PER_MS + 1;
		struct pollfd p = {.fd = fd, .events = events};
		int n = poll(&p, 1, ms > IDLE_MS ? IDLE_MS : (int)ms);
		if (n > 0)
			return 0;
		if (x->idle && x->idle(x->idle_arg))
			return ep_fail(err, -ETIMEDOUT, 0, "given up waiting for the server");
		if (n < 0 && errno != EINTR)
			return ep_fail(err, -EIO, 0, "poll: %s", strerror(errno));
	}
}

static int open_socket(int family)
{
	int low = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (low < 0 || low >= MIN_FD)
		return low;
	int fd = fcntl(low, F_DUPFD_CLOEXEC, MIN_FD);
	close(low);
	return fd;
}

static int connect_one(const struct addrinfo *a, const struct ep_exchange *x, struct ep_err *err)
{
	int fd = open_socket(a->ai_family);
	if (fd < 0)
		return ep_fail(err, -EIO, 0, "socket: %s", strerror(errno));
	int rc = 0, e = 0;
	if (connect(fd, a->ai_addr, a->ai_addrlen) < 0)
		e = errno;
	if (e == EINPROGRESS || e == EINTR) {
		socklen_t n = sizeof(e);
		rc = wait_for(fd, POLLOUT, x, err);
		if (rc == 0 && getsockopt(fd, SOL_SOCKET, SO_ERROR, &e, &n) < 0)
			e = errno;
	}
	if (rc == 0 && e)
		rc = ep_fail(err, e == ETIMEDOUT ? -ETIMEDOUT : -ECONNREFUSED, 0,
			     "connect: %s", strerror(e));
	if (rc < 0) {
		close(fd);
		return rc;
	}
	return fd;
}

static int connect_any(const struct ep_exchange *x, struct ep_err *err)
{
	const struct ep_url *u = x->url;
	char port[8];
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
	struct addrinfo *list = NULL;
	snprintf(port, sizeof(port), "%u", u->port);
	int e = getaddrinfo(u->host, port, &hints, &list);
	if (e)
		return ep_fail(err, -ECONNREFUSED, 0, "%s: %s", u->host, gai_strerror(e));
	int rc = -ECONNREFUSED;
	for (struct addrinfo *a = list; a && rc < 0; a = a->ai_next)
		rc = connect_one(a, x, err);
	freeaddrinfo(list);
	if (rc >= 0 && err)
		*err = (struct ep_err){0}; /* an earlier address may have failed */
	return rc;
}

/* ---- bytes over the connection --------------------------------------------------------- */

struct wire {
	const struct ep_exchange *x;
	int fd;
	struct ep_https_session *tls; /* NULL: plain */
};

static int send_plain(struct wire *w, const void *data, size_t n, struct ep_err *err)
{
	const char *p = data;
	while (n) {
		ssize_t k = send(w->fd, p, n, MSG_NOSIGNAL);
		if (k > 0) {
			p += k;
			n -= (size_t)k;
		} else if (k < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
			EP_TRY(wait_for(w->fd, POLLOUT, w->x, err));
		} else if (k < 0 && errno != EINTR) {
			return ep_fail(err, -EIO, 0, "send: %s", strerror(errno));
		}
	}
	return 0;
}

/* 0 at the end of the stream. */
static int recv_plain(struct wire *w, void *to, size_t n, struct ep_err *err)
{
	for (;;) {
		ssize_t k = recv(w->fd, to, n, 0);
		if (k >= 0)
			return (int)k;
		if (errno == EAGAIN || errno == EWOULDBLOCK)
			EP_TRY(wait_for(w->fd, POLLIN, w->x, err));
		else if (errno != EINTR)
			return ep_fail(err, -EIO, 0, "recv: %s", strerror(errno));
	}
}

/* What TLS has to say goes out. */
static int send_taken(struct wire *w, struct ep_err *err)
{
	char bytes[WIRE_BYTES];
	int n;
	while ((n = ep_https_take(w->tls, bytes, sizeof(bytes))) > 0)
		EP_TRY(send_plain(w, bytes, (size_t)n, err));
	return 0;
}

/* 1: more came in; 0: the stream ended. */
static int feed(struct wire *w, struct ep_err *err)
{
	char bytes[WIRE_BYTES];
	EP_TRY(send_taken(w, err));
	int n = recv_plain(w, bytes, sizeof(bytes), err);
	if (n <= 0)
		return n;
	if (ep_https_feed(w->tls, bytes, (size_t)n) < 0)
		return ep_fail(err, -ENOMEM, 0, "out of memory");
	return 1;
}

static int shake_hands(struct wire *w, struct ep_err *err)
{
	int rc;
	while ((rc = ep_https_handshake(w->tls, err)) == -EAGAIN) {
		int n = feed(w, err);
		if (n < 0) {
			ep_err_context(err, "TLS handshake");
			return n;
		}
		if (n == 0)
			return ep_fail(err, -EIO, 0, "the server broke the TLS handshake off");
	}
	if (rc < 0)
		(void)send_taken(w, NULL); /* why, for the server's log */
	return rc;
}

static int send_all(struct wire *w, const void *data, size_t n, struct ep_err *err)
{
	if (!w->tls)
		return send_plain(w, data, n, err);
	for (const char *p = data; n;) {
		size_t k = n < 16384 ? n : 16384;
		EP_TRY(ep_https_write(w->tls, p, k, err));
		EP_TRY(send_taken(w, err));
		p += k;
		n -= k;
	}
	return 0;
}

static int recv_all(struct wire *w, void *to, size_t n, struct ep_err *err)
{
	int k;
	if (!w->tls)
		return recv_plain(w, to, n, err);
	while ((k = ep_https_read(w->tls, to, n, err)) == -EAGAIN) {
		/* A stream that ends without a good-bye is no worse than one of plain
		 * HTTP: the answer's own length tells if it is whole. */
		if ((k = feed(w, err)) <= 0)
			return k;
	}
	return k;
}

/* More bytes into b; 0 at the end of the stream. */
static int recv_some(struct wire *w, struct ep_buf *b, struct ep_err *err)
{
	uint8_t *to = ep_buf_reserve(b, READ_BYTES);
	if (!to)
		return ep_fail(err, ep_buf_failed(b), 0, "the answer is too long");
	int k = recv_all(w, to, READ_BYTES, err);
	if (k > 0)
		b->len += (size_t)k;
	return k;
}

/* ---- HTTP ------------------------------------------------------------------------------ */

static void build_head(const struct ep_exchange *x, struct ep_buf *b)
{
	const char *open = strchr(x->url->host, ':') ? "[" : "";
	const char *close = *open ? "]" : "";
	ep_buf_printf(b, "%s %s%s HTTP/1.1\r\nHost: %s%s%s:%u\r\n", x->method,
		      x->url->prefix, x->path, open, x->url->host, close, x->url->port);
	ep_buf_printf(b, "User-Agent: everprof/%s\r\nConnection: close\r\n", EP_VERSION);
	if (x->content_type)
		ep_buf_printf(b, "Content-Type: %s\r\n", x->content_type);
	ep_buf_printf(b, "Content-Length: %zu\r\n%s\r\n", x->n_body,
		      x->headers ? x->headers : "");
}

struct head {
	struct ep_answer answer;
	size_t n;	 /* bytes of the head with its empty line */
	bool has_length; /* else the body ends with the stream */
	bool chunked;
	size_t length;
};

/* The value of a header within [p, end), or NULL. */
static const char *header(const char *p, const char *name)
{
	size_t n = strlen(name);
	while ((p = strstr(p, "\r\n")) != NULL) {
		p += 2;
		if (strncasecmp(p, name, n) == 0 && p[n] == ':')
			return p + n + 1 + strspn(p + n + 1, " \t");
	}
	return NULL;
}

static int parse_head(char *text, struct head *h, struct ep_err *err)
{
	if (strncmp(text, "HTTP/1.", 7) != 0 || strlen(text) < 12)
		return ep_fail(err, -EBADMSG, 0, "the server does not speak HTTP/1");
	h->answer.status = atoi(text + 9);
	if (h->answer.status < 100 || h->answer.status > 599)
		return ep_fail(err, -EBADMSG, 0, "the server's answer has no status");
	const char *v = header(text, "content-length");
	if (v) {
		h->has_length = true;
		h->length = strtoull(v, NULL, 10);
	}
	v = header(text, "transfer-encoding");
	h->chunked = v && strncasecmp(v, "chunked", 7) == 0;
	v = header(text, "retry-after");
	if (v)
		h->answer.retry_after_s = (unsigned)strtoul(v, NULL, 10);
	return 0;
}

/* Read up to the end of a head into b.  A 1xx answer is passed over. */
static int read_head(struct wire *w, struct ep_buf *b, struct head *ret_h, struct ep_err *err)
{
	for (;;) {
		(void)ep_buf_cstr(b); /* for its NUL */
		char *end = b->len ? memmem(b->data, b->len, "\r\n\r\n", 4) : NULL;
		if (!end) {
			int k = recv_some(w, b, err);
			if (k < 0)
				return k;
			if (k == 0)
				return ep_fail(err, -EIO, 0,
					       "the server closed the connection");
			continue;
		}
		struct head h = {.n = (size_t)(end - (char *)b->data) + 4};
		*end = '\0';
		EP_TRY(parse_head((char *)b->data, &h, err));
		ep_buf_consume(b, h.n);
		if (h.answer.status >= 200) {
			*ret_h = h;
			return 0;
		}
	}
}

/* Take the chunks out of raw[0..n); -ENODATA when the last one is not there yet. */
static int dechunk(const uint8_t *raw, size_t n, struct ep_buf *out)
{
	size_t at = 0;
	for (;;) {
		const uint8_t *nl = at < n ? memchr(raw + at, '\n', n - at) : NULL;
		if (!nl)
			return -ENODATA;
		char *stop;
		size_t size = strtoull((const char *)raw + at, &stop, 16);
		if (stop == (const char *)raw + at)
			return -EBADMSG;
		at = (size_t)(nl - raw) + 1;
		if (size == 0)
			return 0;
		if (size > n - at)
			return -ENODATA;
		ep_buf_add(out, raw + at, size);
		at += size;
		if (n - at < 2)
			return -ENODATA;
		at += 2;
	}
}

static int read_body(struct wire *w, const struct head *h, struct ep_buf *raw,
		     struct ep_err *err)
{
	for (;;) {
		if (h->has_length && !h->chunked && raw->len >= h->length) {
			raw->len = h->length;
			return 0;
		}
		int k = recv_some(w, raw, err);
		if (k < 0)
			return k;
		if (k == 0 && h->has_length && !h->chunked)
			return ep_fail(err, -EIO, 0, "the answer broke off");
		if (k == 0)
			return 0;
	}
}

static int converse(struct wire *w, struct ep_answer *ret_answer, struct ep_buf *ret_body,
		    struct ep_err *err)
{
	const struct ep_exchange *x = w->x;
	ep_auto_buf raw;
	size_t max = ret_body->max < MAX_BODY_BYTES ? ret_body->max : MAX_BODY_BYTES;
	ep_buf_init(&raw, MAX_HEAD_BYTES + READ_BYTES + max);
	build_head(x, &raw);
	if (ep_buf_failed(&raw))
		return ep_fail(err, ep_buf_failed(&raw), 0, "the request is too long");
	EP_TRY(send_all(w, raw.data, raw.len, err));
	/* A server may refuse and close before it has read all: its answer is
	 * worth more than our broken send. */
	int sent = send_all(w, x->body, x->n_body, NULL);
	ep_buf_clear(&raw);
	struct head h = {0};
	EP_TRY(read_head(w, &raw, &h, err));
	if (sent < 0 && h.answer.status < 400)
		return ep_fail(err, sent, 0, "the request could not be sent whole");
	EP_TRY(read_body(w, &h, &raw, err));
	if (h.chunked && raw.len) {
		(void)ep_buf_cstr(&raw); /* strtoull needs an end */
		int rc = dechunk(raw.data, raw.len, ret_body);
		if (rc < 0)
			return ep_fail(err, -EBADMSG, 0, "the answer's chunks are broken");
	} else {
		ep_buf_add(ret_body, raw.data, raw.len);
	}
	if (ep_buf_failed(ret_body))
		return ep_fail(err, ep_buf_failed(ret_body), 0, "the answer is too long");
	*ret_answer = h.answer;
	return 0;
}

static int converse_tls(struct wire *w, struct ep_answer *ret_answer, struct ep_buf *ret_body,
			struct ep_err *err)
{
	int rc = shake_hands(w, err);
	if (rc == 0)
		rc = converse(w, ret_answer, ret_body, err);
	if (rc == 0) {
		char bye[64];
		ep_https_bye(w->tls);
		int n = ep_https_take(w->tls, bye, sizeof(bye));
		(void)send(w->fd, bye, (size_t)n, MSG_NOSIGNAL); /* nobody waits for it */
	}
	ep_https_close(w->tls);
	return rc;
}

int ep_exchange_run(const struct ep_exchange *x, struct ep_answer *ret_answer,
		    struct ep_buf *ret_body, struct ep_err *err)
{
	struct wire w = {.x = x, .fd = -1};
	if (x->tls) /* first: without OpenSSL there is nobody to connect for */
		EP_TRY(ep_https_open(x->tls, x->url->host, &w.tls, err));
	w.fd = connect_any(x, err);
	if (w.fd < 0) {
		ep_https_close(w.tls);
		return w.fd;
	}
	int rc = w.tls ? converse_tls(&w, ret_answer, ret_body, err)
		       : converse(&w, ret_answer, ret_body, err);
	close(w.fd);
	return rc;
}
