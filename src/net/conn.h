/*
 * conn.h - what serve.c, conn.c and http2.c share: one connection, one exchange.
 * Internal to the room.  All of it belongs to the loop thread, but for an
 * exchange in work, which belongs to its worker until it comes back.
 */
#ifndef EP_NET_CONN_H
#define EP_NET_CONN_H

#include "net/http1.h"
#include "net/pool.h"
#include "net/serve.h"
#include "net/tls.h"

#include <pthread.h>
#include <stdatomic.h>

struct ep_http2;

struct ep_exchange {
	struct ep_job job; /* first: the pool hands it back */
	struct ep_http x;
	struct ep_buf body;
	size_t n_charged; /* of serve->bodies_bytes */
	struct ep_conn *conn;
	int32_t stream; /* HTTP/2; 0: its stream is gone */
	bool is_in_work; /* with a worker */
	struct ep_exchange *next_done;
	struct ep_exchange *next, *prev; /* of the streams of an HTTP/2 connection */
};

enum ep_conn_state {
	EP_CONN_TLS,   /* shaking hands */
	EP_CONN_HEAD,  /* waiting for a head; idle when nothing came yet */
	EP_CONN_BODY,
	EP_CONN_WORK,  /* with a worker; nothing is read */
	EP_CONN_WRITE,
	EP_CONN_DRAIN, /* answered early: swallow the rest so that the answer arrives */
	EP_CONN_HTTP2,
};

struct ep_conn {
	struct ep_serve *serve;
	struct ep_conn *next, *prev;
	int fd; /* -1: closed, waiting for its exchanges to come back */
	uint32_t events;
	bool is_loopback_peer;
	char peer[64]; /* numeric address */
	enum ep_conn_state state;
	uint64_t deadline_ns; /* of CLOCK_MONOTONIC */
	unsigned n_in_work;
	struct ep_tls_conn *tls; /* NULL: plain */
	bool has_greeted;        /* TLS: the first byte was seen */
	struct ep_buf in;

	/* HTTP/1.1 */
	struct ep_exchange *ex; /* being read, in work or being written */
	struct ep_http1_head head;
	struct ep_http1_chunks chunks;
	struct ep_buf out_head;
	size_t n_written;
	uint64_t n_requests;
	bool keep_alive;
	bool drain_after;

	struct ep_http2 *h2;
};

struct ep_serve {
	struct ep_serve_config cfg;
	int listen_fd, epoll_fd, event_fd;
	char address[80];
	int plain_fd; /* the second listener, without TLS; -1: none */
	char plain_address[80];
	struct ep_job reload_job;
	atomic_bool reload_asked, is_reloading;
	struct ep_pool *lanes[EP_HTTP_LANES];
	struct ep_conn *conns; /* newest first */
	unsigned n_conns;
	bool is_accepting;
	bool is_stopping;
	uint64_t stop_at_ns;
	uint64_t now_ns; /* of this turn of the loop */
	size_t bodies_bytes;
	atomic_bool stop_asked;

	pthread_mutex_t done_lock;
	struct ep_exchange *done;

	_Atomic uint64_t connections_total, connections_now, requests_total, refused_total,
		timeouts_total, in_flight_now, bodies_now;
};

/* serve.c */
struct ep_exchange *ep_exchange_new(struct ep_conn *c);
void ep_exchange_free(struct ep_exchange *ex);
/* Hand a whole request to a worker. */
void ep_exchange_submit(struct ep_exchange *ex);
/* Account the body's memory; false when all bodies together are over the limit. */
bool ep_exchange_charge(struct ep_exchange *ex);
/* Close the socket; the struct goes when its last exchange is back. */
void ep_conn_close(struct ep_conn *c);
void ep_conn_want(struct ep_conn *c, uint32_t events);
/* recv() and sendmsg() without waiting, through TLS where there is any. */
ssize_t ep_conn_recv(struct ep_conn *c, void *to, size_t n);
ssize_t ep_conn_send(struct ep_conn *c, const struct iovec *v, int n_v);

/* conn.c: HTTP/1.1.  After any of these the connection may be closed. */
void ep_conn_on_readable(struct ep_conn *c);
void ep_conn_on_writable(struct ep_conn *c);
void ep_conn_on_done(struct ep_conn *c, struct ep_exchange *ex);
void ep_conn_on_deadline(struct ep_conn *c);
/* Bytes of the body of a response. */
struct ep_slice ep_exchange_out(const struct ep_exchange *ex);

#endif
