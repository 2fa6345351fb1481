/*
 * tls.c - see tls.h.
 *
 * Only what TLS 1.2 and 1.3 with forward secrecy and an AEAD need is left on, which is
 * also what HTTP/2 asks for.  The key and the certificate are read whole before anything
 * is replaced, so that a bad pair leaves the old one at work.
 */
#include "net/tls.h"

#include <dlfcn.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* One TLS record: a head and a small body travel in one. */
enum { RECORD = 16 << 10 };

#define SSL_FUNCTIONS(X)                                                                     \
	X(SSL_CTX_new)                                                                       \
	X(SSL_CTX_free)                                                                      \
	X(SSL_CTX_ctrl)                                                                      \
	X(SSL_CTX_set_options)                                                               \
	X(SSL_CTX_set_cipher_list)                                                           \
	X(SSL_CTX_set_session_id_context)                                                    \
	X(SSL_CTX_set_default_passwd_cb)                                                     \
	X(SSL_CTX_use_certificate_chain_file)                                                \
	X(SSL_CTX_use_PrivateKey_file)                                                       \
	X(SSL_CTX_check_private_key)                                                         \
	X(SSL_CTX_get0_certificate)                                                          \
	X(SSL_CTX_set_alpn_select_cb)                                                        \
	X(TLS_server_method)                                                                 \
	X(SSL_new)                                                                           \
	X(SSL_free)                                                                          \
	X(SSL_set_fd)                                                                        \
	X(SSL_set_accept_state)                                                              \
	X(SSL_do_handshake)                                                                  \
	X(SSL_read)                                                                          \
	X(SSL_write)                                                                         \
	X(SSL_get_error)                                                                     \
	X(SSL_pending)                                                                       \
	X(SSL_shutdown)
#define CRYPTO_FUNCTIONS(X)                                                                  \
	X(ERR_clear_error)                                                                   \
	X(X509_get0_notAfter)                                                                \
	X(ASN1_TIME_to_tm)

static struct {
#define MEMBER(name) __typeof__(name) *name;
	SSL_FUNCTIONS(MEMBER)
	CRYPTO_FUNCTIONS(MEMBER)
#undef MEMBER
} o;

struct ep_tls {
	pthread_mutex_t lock;
	SSL_CTX *ctx; /* connections hold references of their own */
	int64_t expires_s;
	char *cert, *key;
};

struct ep_tls_conn {
	SSL *ssl;
	bool wants_write, is_open, is_broken;
};

static bool find(void *lib, const char *name, void *to)
{
	void *at = lib ? dlsym(lib, name) : NULL;
	memcpy(to, &at, sizeof(at));
	return at != NULL;
}

static int load(struct ep_err *err)
{
	void *crypto = dlopen("libcrypto.so.3", RTLD_NOW | RTLD_GLOBAL);
	void *ssl = dlopen("libssl.so.3", RTLD_NOW | RTLD_LOCAL);
	bool all = crypto && ssl;
#define FIND_SSL(name) all = find(ssl, #name, &o.name) && all;
#define FIND_CRYPTO(name) all = find(crypto, #name, &o.name) && all;
	SSL_FUNCTIONS(FIND_SSL)
	CRYPTO_FUNCTIONS(FIND_CRYPTO)
	if (!all)
		return ep_fail(err, -ENOTSUP, 0,
			       "TLS needs OpenSSL's libssl.so.3, which can't be loaded; install "
			       "it (Debian: apt install libssl3)");
	return 0;
}

/* --- certificates --------------------------------------------------------------------- */

/* h2 when the client offers it, else http/1.1; a client without ALPN gets HTTP/1.1. */
static int choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *n_out,
			   const unsigned char *in, unsigned n, void *arg)
{
	static const char *const ours[] = {"\2h2", "\10http/1.1"};
	(void)ssl;
	(void)arg;
	for (unsigned k = 0; k < 2; k++)
		for (unsigned i = 0; i < n && i + in[i] < n; i += 1u + in[i])
			if (in[i] == ours[k][0] && !memcmp(in + i + 1, ours[k] + 1, in[i])) {
				*out = in + i + 1;
				*n_out = in[i];
				return SSL_TLSEXT_ERR_OK;
			}
	return SSL_TLSEXT_ERR_ALERT_FATAL;
}

/* A server has nobody to ask. */
static int no_passphrase(char *buf, int size, int rwflag, void *arg)
{
	(void)buf, (void)size, (void)rwflag, (void)arg;
	return 0;
}

static int check_readable(const char *flag, const char *path, struct ep_err *err)
{
	FILE *f = fopen(path, "re");
	if (f) {
		fclose(f);
		return 0;
	}
	return ep_fail(err, errno == ENOENT || errno == EACCES ? -errno : -EIO, 0,
		       "%s: %s can't be read: %s", flag, path, strerror(errno));
}

static int use_files(SSL_CTX *ctx, const char *cert, const char *key, struct ep_err *err)
{
	EP_TRY(check_readable("--tls-cert", cert, err));
	EP_TRY(check_readable("--tls-key", key, err));
	if (o.SSL_CTX_use_certificate_chain_file(ctx, cert) != 1)
		return ep_fail(err, -EBADMSG, 0,
			       "--tls-cert: %s holds no certificate in PEM form (it begins with "
			       "-----BEGIN CERTIFICATE-----)",
			       cert);
	if (o.SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) == 1 &&
	    o.SSL_CTX_check_private_key(ctx) == 1)
		return 0;
	return ep_fail(err, -EBADMSG, 0,
		       "--tls-key: %s holds no private key in PEM form without a passphrase that "
		       "belongs to the certificate in %s",
		       key, cert);
}

static int64_t end_of(SSL_CTX *ctx)
{
	struct tm tm;
	X509 *x = o.SSL_CTX_get0_certificate(ctx);
	const ASN1_TIME *end = x ? o.X509_get0_notAfter(x) : NULL;
	return end && o.ASN1_TIME_to_tm(end, &tm) == 1 ? (int64_t)timegm(&tm) : 0;
}

static int make(const char *cert, const char *key, SSL_CTX **ret_ctx, struct ep_err *err)
{
	SSL_CTX *ctx = o.SSL_CTX_new(o.TLS_server_method());
	if (!ctx)
		return ep_fail(err, -ENOMEM, 0, "no memory for TLS");
	o.SSL_CTX_ctrl(ctx, SSL_CTRL_SET_MIN_PROTO_VERSION, TLS1_2_VERSION, NULL);
	o.SSL_CTX_ctrl(ctx, SSL_CTRL_MODE,
		       SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
			       SSL_MODE_RELEASE_BUFFERS,
		       NULL);
	o.SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
					   SSL_OP_CIPHER_SERVER_PREFERENCE |
					   SSL_OP_PRIORITIZE_CHACHA);
	o.SSL_CTX_set_cipher_list(ctx, "ECDHE+AESGCM:ECDHE+CHACHA20");
	o.SSL_CTX_set_session_id_context(ctx, (const unsigned char *)"everprof", 8);
	o.SSL_CTX_set_default_passwd_cb(ctx, no_passphrase);
	o.SSL_CTX_set_alpn_select_cb(ctx, choose_protocol, NULL);
	int rc = use_files(ctx, cert, key, err);
	o.ERR_clear_error();
	if (rc < 0)
		o.SSL_CTX_free(ctx);
	else
		*ret_ctx = ctx;
	return rc;
}

int ep_tls_new(const char *cert, const char *key, struct ep_tls **ret_t, struct ep_err *err)
{
	EP_TRY(load(err));
	ep_auto(ep_tls) t = ep_zalloc(sizeof(*t));
	if (!t)
		return ep_fail(err, -ENOMEM, 0, "no memory for TLS");
	pthread_mutex_init(&t->lock, NULL);
	/* As given: a renewal may put a link to other files there. */
	t->cert = ep_strdup(cert);
	t->key = ep_strdup(key ? key : cert);
	if (!t->cert || !t->key)
		return ep_fail(err, -ENOMEM, 0, "no memory for TLS");
	EP_TRY(make(t->cert, t->key, &t->ctx, err));
	t->expires_s = end_of(t->ctx);
	*ret_t = ep_take(&t);
	return 0;
}

int ep_tls_reload(struct ep_tls *t, struct ep_err *err)
{
	SSL_CTX *fresh = NULL;
	EP_TRY(make(t->cert, t->key, &fresh, err));
	pthread_mutex_lock(&t->lock);
	SSL_CTX *old = t->ctx;
	t->ctx = fresh;
	t->expires_s = end_of(fresh);
	pthread_mutex_unlock(&t->lock);
	o.SSL_CTX_free(old);
	return 0;
}

int64_t ep_tls_expires(const struct ep_tls *t)
{
	return __atomic_load_n(&t->expires_s, __ATOMIC_RELAXED);
}

void ep_tls_free(struct ep_tls *t)
{
	if (!t)
		return;
	if (t->ctx)
		o.SSL_CTX_free(t->ctx);
	ep_free(t->cert);
	ep_free(t->key);
	pthread_mutex_destroy(&t->lock);
	ep_free(t);
}

/* --- one connection ---------------------------------------------------------------------- */

struct ep_tls_conn *ep_tls_accept(struct ep_tls *t, int fd)
{
	struct ep_tls_conn *c = ep_zalloc(sizeof(*c));
	if (!c)
		return NULL;
	pthread_mutex_lock(&t->lock);
	c->ssl = o.SSL_new(t->ctx);
	pthread_mutex_unlock(&t->lock);
	if (!c->ssl || o.SSL_set_fd(c->ssl, fd) != 1) {
		ep_tls_conn_free(c);
		return NULL;
	}
	o.SSL_set_accept_state(c->ssl);
	return c;
}

void ep_tls_conn_free(struct ep_tls_conn *c)
{
	if (!c)
		return;
	if (c->ssl)
		o.SSL_free(c->ssl);
	ep_free(c);
}

/* The errno that a socket would have given; 0: the end of the stream. */
static int errno_of(struct ep_tls_conn *c, int rc)
{
	int system = errno;
	c->wants_write = false;
	switch (o.SSL_get_error(c->ssl, rc)) {
	case SSL_ERROR_WANT_WRITE:
		c->wants_write = true;
		return EAGAIN;
	case SSL_ERROR_WANT_READ:
		return EAGAIN;
	case SSL_ERROR_ZERO_RETURN:
		return 0;
	case SSL_ERROR_SYSCALL:
		c->is_broken = true;
		return system ? system : ECONNRESET;
	default:
		c->is_broken = true;
		return EPROTO;
	}
}

int ep_tls_handshake(struct ep_tls_conn *c)
{
	o.ERR_clear_error();
	errno = 0;
	int rc = o.SSL_do_handshake(c->ssl);
	if (rc == 1) {
		c->is_open = true;
		return 1;
	}
	int e = errno_of(c, rc);
	return e == EAGAIN ? 0 : -EIO;
}

bool ep_tls_wants_write(const struct ep_tls_conn *c)
{
	return c->wants_write;
}

ssize_t ep_tls_recv(struct ep_tls_conn *c, void *to, size_t n)
{
	size_t got = 0;
	while (got < n) {
		size_t left = n - got;
		o.ERR_clear_error();
		errno = 0;
		int rc = o.SSL_read(c->ssl, (char *)to + got, left < INT32_MAX ? (int)left : INT32_MAX);
		if (rc > 0) {
			c->wants_write = false;
			got += (size_t)rc;
			continue;
		}
		int e = errno_of(c, rc);
		if (got)
			break; /* the fault comes again with the next call */
		errno = e;
		return e ? -1 : 0;
	}
	return (ssize_t)got;
}

ssize_t ep_tls_send(struct ep_tls_conn *c, const struct iovec *v, int n_v)
{
	char record[RECORD];
	const void *p = v[0].iov_base;
	size_t n = v[0].iov_len;
	if (n_v > 1 && n < RECORD) {
		size_t more = v[1].iov_len < RECORD - n ? v[1].iov_len : RECORD - n;
		memcpy(record, p, n);
		memcpy(record + n, v[1].iov_base, more);
		p = record;
		n += more;
	}
	o.ERR_clear_error();
	errno = 0;
	int rc = o.SSL_write(c->ssl, p, n < INT32_MAX ? (int)n : INT32_MAX);
	if (rc > 0) {
		c->wants_write = false;
		return rc;
	}
	int e = errno_of(c, rc);
	errno = e ? e : EPIPE;
	return -1;
}

bool ep_tls_has_pending(const struct ep_tls_conn *c)
{
	return o.SSL_pending(c->ssl) > 0;
}

void ep_tls_bye(struct ep_tls_conn *c)
{
	if (!c->is_open || c->is_broken)
		return;
	c->is_open = false;
	o.ERR_clear_error();
	(void)o.SSL_shutdown(c->ssl); /* a peer that has gone needs none */
	o.ERR_clear_error();
}
