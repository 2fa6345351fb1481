/*
 * connect.h - unary RPC over HTTP: Connect (JSON and protobuf), and gRPC on HTTP/2.
 *
 * A handler opens a call, which unpacks the message, and closes it with a result
 * or an error; which protocol it was is not its business.
 * Source: connectrpc.com/docs/protocol, grpc.io PROTOCOL-HTTP2.
 */
#ifndef EP_NET_CONNECT_H
#define EP_NET_CONNECT_H

#include "net/http.h"

enum ep_connect_codec { EP_CONNECT_JSON, EP_CONNECT_PROTO, EP_CONNECT_GRPC };

struct ep_connect {
	struct ep_http *x;
	enum ep_connect_codec codec;
	struct ep_slice message; /* unpacked; in JSON an empty body is {} */
};

/*
 * ep_connect_open - take the message of a request.
 *
 * in       max_bytes  bound on the unpacked message
 * returns  false: the error was answered already
 * threads  the worker of the exchange
 */
bool ep_connect_open(struct ep_connect *c, struct ep_http *x, size_t max_bytes);

/* The handler appended a whole message to x->out: answer 200. */
void ep_connect_done(struct ep_connect *c);

/* Answer with a Connect code ("invalid_argument") and a sentence. */
void ep_connect_fail(struct ep_connect *c, const char *code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* The same from a negative errno of our closed list. */
void ep_connect_fail_err(struct ep_connect *c, int rc, const struct ep_err *err);

/* Connect code and HTTP status of a negative errno. */
const char *ep_connect_code_of(int rc);
int ep_connect_status(const char *code);

/*
 * ep_http_unpack - take Content-Encoding off the body: identity or gzip.
 *
 * out      x->body, the unpacked bytes live in the exchange's arena
 * errors   -EBADMSG, -E2BIG (over max_bytes), -ENOTSUP another encoding, -ENOMEM
 */
int ep_http_unpack(struct ep_http *x, size_t max_bytes, struct ep_err *err);

#endif
