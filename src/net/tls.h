/*
 * tls.h - TLS 1.2 and 1.3 for the server's port: certificates and one connection.
 *
 * OpenSSL is loaded when a certificate is given and not before
 * (docs/decisions/0801-what-is-loaded-late.md).
 */
#ifndef EP_NET_TLS_H
#define EP_NET_TLS_H

#include "base/err.h"
#include "base/mem.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

struct ep_tls;
struct ep_tls_conn;

/*
 * ep_tls_new - read a certificate chain and its key, both PEM.
 *
 * in       key     NULL: the key stands in the same file
 * errors   -ENOENT, -EACCES, -EIO, -EBADMSG (not PEM, or they don't belong together),
 *          -ENOTSUP (no OpenSSL on this machine), -ENOMEM; a sentence with the file
 * owns     the caller frees with ep_tls_free(); connections keep what they use
 * threads  start-up
 */
int ep_tls_new(const char *cert, const char *key, struct ep_tls **ret_t, struct ep_err *err);
void ep_tls_free(struct ep_tls *t);
EP_DEFINE_AUTO(ep_tls);

/*
 * ep_tls_reload - read the same files again.
 *
 * New connections get the new certificate, open ones go on.  On an error nothing
 * changes.  Any thread.
 */
int ep_tls_reload(struct ep_tls *t, struct ep_err *err);

/* When the certificate ends, in seconds since the epoch; 0: unknown.  Any thread. */
int64_t ep_tls_expires(const struct ep_tls *t);

/* A connection on an accepted, non-blocking socket, which stays the caller's.  NULL when
 * memory is short.  All that follows: one thread at a time per connection. */
struct ep_tls_conn *ep_tls_accept(struct ep_tls *t, int fd);
void ep_tls_conn_free(struct ep_tls_conn *c);

/* 1: the handshake is done; 0: it waits for the socket; negative: it failed.  Afterwards
 * ep_tls_wants_write() tells what it waits for. */
int ep_tls_handshake(struct ep_tls_conn *c);
bool ep_tls_wants_write(const struct ep_tls_conn *c);

/* Like recv() and sendmsg() on a non-blocking socket, errno included.  After a write that
 * gave EAGAIN the next one starts with the same bytes, and at least as many. */
ssize_t ep_tls_recv(struct ep_tls_conn *c, void *to, size_t n);
ssize_t ep_tls_send(struct ep_tls_conn *c, const struct iovec *v, int n_v);
/* Bytes that recv() would give though the socket has none: epoll does not see them. */
bool ep_tls_has_pending(const struct ep_tls_conn *c);
/* Tell the peer that nothing follows; does not wait. */
void ep_tls_bye(struct ep_tls_conn *c);

#endif
