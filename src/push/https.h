/*
 * https.h - what goes over a connection to an https server, encrypted and back.
 *
 * Bytes in, bytes out: it touches no socket and never waits, so that time limits,
 * signals and descriptors stay with exchange.c.  TLS 1.2 and up; the certificate and
 * the name in it are checked.
 */
#ifndef EP_PUSH_HTTPS_H
#define EP_PUSH_HTTPS_H

#include "base/err.h"
#include "base/mem.h"

#include <stdbool.h>
#include <stddef.h>

struct ep_https;	       /* whom to trust */
struct ep_https_session; /* one connection */

/* Loads nothing yet.  ca_file: PEM, copied; NULL: the system's authorities.  -ENOMEM. */
int ep_https_new(const char *ca_file, struct ep_https **ret_t);
void ep_https_free(struct ep_https *t);
EP_DEFINE_AUTO(ep_https);

/*
 * ep_https_open - a connection to `host`, a name or an address, begins.
 *
 * errors   -ENOTSUP  no OpenSSL 3; -EACCES the file of authorities can't be used; -ENOMEM
 * owns     ret_s goes to ep_https_close(), before ep_https_free()
 * threads  one at a time per ep_https; not signal-safe
 */
int ep_https_open(struct ep_https *t, const char *host, struct ep_https_session **ret_s,
		struct ep_err *err);
void ep_https_close(struct ep_https_session *s);

/* Before any other byte.  0: done; -EAGAIN: take, send, receive, feed, and call again;
 * -EACCES: the certificate is refused, err says why; -EIO: no TLS with this server. */
int ep_https_handshake(struct ep_https_session *s, struct ep_err *err);
/* Encrypt all n bytes; take them.  -EIO. */
int ep_https_write(struct ep_https_session *s, const void *p, size_t n, struct ep_err *err);
/* Up to n decrypted bytes; 0: the server said good-bye; -EAGAIN: feed more; -EIO. */
int ep_https_read(struct ep_https_session *s, void *to, size_t n, struct ep_err *err);
/* Say good-bye; take it. */
void ep_https_bye(struct ep_https_session *s);

/* Encrypted bytes on their way out, at most n; 0: none. */
int ep_https_take(struct ep_https_session *s, void *to, size_t n);
/* Encrypted bytes that came in.  -ENOMEM. */
int ep_https_feed(struct ep_https_session *s, const void *p, size_t n);

/* Was OpenSSL loaded into this process?  Any thread. */
bool ep_https_is_loaded(void);

/*
 * Around a fork, so that the child never finds a lock of OpenSSL's held: its own use of
 * OpenSSL would wait for ever.  Waits for the calls above, each some milliseconds.
 */
void ep_https_before_fork(void);
void ep_https_after_fork(bool in_child);

#endif
