/*
 * http2.h - HTTP/2 on a connection whose first bytes are its preface (h2c with
 * prior knowledge): what gRPC clients and some Connect clients speak.
 *
 * nghttp2 does frames and HPACK; each stream becomes a struct ep_exchange like
 * any HTTP/1.1 request.  Internal to the room.
 */
#ifndef EP_NET_HTTP2_H
#define EP_NET_HTTP2_H

#include "net/conn.h"

#define EP_HTTP2_PREFACE "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
#define EP_HTTP2_PREFACE_LEN 24

/* Take the connection over; c->in holds the preface and perhaps more.  Closes it
 * on failure. */
void ep_http2_start(struct ep_conn *c);
void ep_http2_on_readable(struct ep_conn *c);
void ep_http2_on_writable(struct ep_conn *c);
void ep_http2_on_done(struct ep_conn *c, struct ep_exchange *ex);
void ep_http2_on_deadline(struct ep_conn *c);
/* The server stops: no new streams. */
void ep_http2_drain(struct ep_conn *c);
bool ep_http2_is_idle(const struct ep_conn *c);
/* Exchanges in work belong to their workers still and must be back. */
void ep_http2_free(struct ep_conn *c);

#endif
