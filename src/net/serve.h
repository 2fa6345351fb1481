/*
 * serve.h - one port that answers requests: an event loop and a few workers.
 *
 * The loop thread does all socket work and never waits; handlers run on the
 * worker threads with a complete request and may wait for the disk.  A
 * connection has at most one HTTP/1.1 request in work; pipelined ones wait in
 * its buffer.  HTTP/2 without TLS is told by its preface (http2.h).
 */
#ifndef EP_NET_SERVE_H
#define EP_NET_SERVE_H

#include "base/mem.h"
#include "net/http.h"

struct ep_serve;

struct ep_tls;

struct ep_serve_config {
	const char *listen; /* ADDR:PORT; port 0 takes a free one */
	struct ep_tls *tls; /* borrowed; NULL: plain.  Then HTTP/2 is also agreed on by ALPN */
	const char *listen_plain; /* a second listener that stays plain; NULL: none */
	/* After ep_serve_reload(), on a worker, never two at once.  May be NULL. */
	void (*reload)(void *room);
	/*
	 * Called on the loop thread when a head is whole and before its body is read.
	 * false: the response is filled, the body is not read.  Must not wait.
	 * May be NULL.
	 */
	bool (*admit)(void *room, struct ep_http *x);
	ep_http_handler handle; /* on a worker */
	void *room;
	unsigned n_workers;          /* of each lane; 0: 4 */
	unsigned max_connections;    /* 0: 4096 or what the file limit allows */
	size_t max_body_bytes;       /* of one request; 0: 64 MB; over it: 413 */
	size_t max_bodies_bytes;     /* of all requests at once; 0: 512 MB; over it: 503 */
	uint64_t head_timeout_ns;    /* 0: 10 s from the first byte, or from accept */
	uint64_t idle_timeout_ns;    /* 0: 120 s between requests */
	uint64_t body_timeout_ns;    /* 0: 60 s for a body; also for writing a response */
	uint64_t grace_ns;           /* 0: 10 s for requests in work when stopped */
};

/* Counters, read while it runs. */
struct ep_serve_stats {
	uint64_t connections_total, connections_now, requests_total, refused_total;
	uint64_t timeouts_total, in_flight_now, bodies_bytes_now;
};

/*
 * ep_serve_new - bind and listen.
 *
 * errors   -EINVAL     the address
 *          -EACCES, -EEXIST (port taken), -EIO; err says what and what to do
 * owns     strings of config are not kept
 * threads  start-up only
 */
int ep_serve_new(const struct ep_serve_config *config, struct ep_serve **ret_s,
		 struct ep_err *err);
void ep_serve_free(struct ep_serve *s);
EP_DEFINE_AUTO(ep_serve);

/* "127.0.0.1:4040" with the port that was bound. */
const char *ep_serve_address(const struct ep_serve *s);
/* Likewise of listen_plain; "" without one. */
const char *ep_serve_plain_address(const struct ep_serve *s);

/* Serve until ep_serve_stop(); finishes what is in work.  0 or -EIO. */
int ep_serve_run(struct ep_serve *s);
/* Any thread; signal-safe. */
void ep_serve_stop(struct ep_serve *s);
/* Have config.reload called.  Any thread; signal-safe. */
void ep_serve_reload(struct ep_serve *s);
void ep_serve_get_stats(const struct ep_serve *s, struct ep_serve_stats *ret_stats);

#endif
