/* https.c - see https.h.  Source: RFC 8446, RFC 6125, RFC 6066 (server names). */
#include "push/https.h"

#include "push/openssl.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define FORK_WAIT_NS 500000000 /* of a fork; longer than any call under the lock */

struct ep_https {
	char *ca_file;
	SSL_CTX *context; /* NULL until needed, and after a refusal: the file may be mended */
};

struct ep_https_session {
	struct ep_https *tls;
	SSL *ssl;
	BIO *in, *out; /* the SSL's */
	char host[256];
};

/* Held in every call of OpenSSL, and while the process forks. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static bool fork_has_lock;
static const struct ep_openssl *o; /* set before any session is there */

void ep_https_before_fork(void)
{
	struct timespec end;
	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_nsec += FORK_WAIT_NS;
	end.tv_sec += end.tv_nsec / 1000000000;
	end.tv_nsec %= 1000000000;
	/* Who forks in a library's constructor has the loader's lock, which a call of
	 * OpenSSL's may wait for. */
	bool got = pthread_mutex_timedlock(&lock, &end) == 0;
	if (got)
		fork_has_lock = true;
}

void ep_https_after_fork(bool in_child)
{
	bool had = fork_has_lock;
	fork_has_lock = false;
	if (in_child)
		pthread_mutex_init(&lock, NULL);
	else if (had)
		pthread_mutex_unlock(&lock);
}

bool ep_https_is_loaded(void)
{
	return ep_openssl_is_loaded();
}

int ep_https_new(const char *ca_file, struct ep_https **ret_t)
{
	ep_auto(ep_https) t = ep_zalloc(sizeof(*t));
	if (!t || (ca_file && !(t->ca_file = ep_strdup(ca_file))))
		return -ENOMEM;
	*ret_t = ep_take(&t);
	return 0;
}

static void forget_context(struct ep_https *t)
{
	if (t->context)
		o->SSL_CTX_free(t->context);
	t->context = NULL;
}

void ep_https_free(struct ep_https *t)
{
	if (!t)
		return;
	pthread_mutex_lock(&lock);
	forget_context(t);
	pthread_mutex_unlock(&lock);
	ep_free(t->ca_file);
	ep_free(t);
}

/* OpenSSL's own words for the first thing that went wrong. */
static const char *reason(void)
{
	unsigned long e = o->ERR_get_error();
	const char *text = e ? o->ERR_reason_error_string(e) : NULL;
	o->ERR_clear_error();
	return text ? text : "broken off";
}

/* ---- whom to trust -------------------------------------------------------------------- */

static int trust(struct ep_https *t, struct ep_err *err)
{
	if (!t->ca_file && !o->SSL_CTX_set_default_verify_paths(t->context))
		return ep_fail(err, -EACCES, 0, "the system's certificate authorities: %s", reason());
	if (t->ca_file && !o->SSL_CTX_load_verify_file(t->context, t->ca_file))
		return ep_fail(err, -EACCES, 0, "no certificates in %.120s: %s", t->ca_file, reason());
	return 0;
}

static int make_context(struct ep_https *t, struct ep_err *err)
{
	if (t->context)
		return 0;
	t->context = o->SSL_CTX_new_ex(o->library, NULL, o->TLS_client_method());
	if (!t->context)
		return ep_fail(err, -ENOTSUP, 0, "OpenSSL: %s", reason());
	o->SSL_CTX_set_verify(t->context, SSL_VERIFY_PEER, NULL);
	int rc = 0;
	if (!o->SSL_CTX_ctrl(t->context, SSL_CTRL_SET_MIN_PROTO_VERSION, TLS1_2_VERSION, NULL))
		rc = ep_fail(err, -ENOTSUP, 0, "OpenSSL without TLS 1.2: %s", reason());
	if (rc == 0)
		rc = trust(t, err);
	if (rc < 0)
		forget_context(t);
	return rc;
}

/* ---- a session ------------------------------------------------------------------------- */

static bool is_address(const char *host)
{
	struct in6_addr a;
	return inet_pton(AF_INET, host, &a) == 1 || inet_pton(AF_INET6, host, &a) == 1;
}

/* The name is sent, as servers have several, and it has to be in the certificate. */
static bool name_peer(struct ep_https_session *s)
{
	static const unsigned char http1[] = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};
	if (o->SSL_set_alpn_protos(s->ssl, http1, sizeof(http1)) != 0)
		return false;
	if (is_address(s->host))
		return o->X509_VERIFY_PARAM_set1_ip_asc(o->SSL_get0_param(s->ssl), s->host);
	o->SSL_set_hostflags(s->ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	return o->SSL_set1_host(s->ssl, s->host) &&
	       o->SSL_ctrl(s->ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
			   s->host);
}

static void free_session(struct ep_https_session *s)
{
	o->SSL_free(s->ssl); /* NULL is fine, and its BIOs go with it */
	o->ERR_clear_error();
	ep_free(s);
}

static int begin(struct ep_https_session *s, struct ep_err *err)
{
	EP_TRY(make_context(s->tls, err));
	s->ssl = o->SSL_new(s->tls->context);
	s->in = o->BIO_new(o->BIO_s_mem());
	s->out = o->BIO_new(o->BIO_s_mem());
	if (!s->ssl || !s->in || !s->out) {
		o->BIO_free(s->in);
		o->BIO_free(s->out);
		return ep_fail(err, -ENOMEM, 0, "OpenSSL: %s", reason());
	}
	o->SSL_set_bio(s->ssl, s->in, s->out);
	o->SSL_set_connect_state(s->ssl);
	return name_peer(s) ? 0 : ep_fail(err, -ENOMEM, 0, "OpenSSL: %s", reason());
}

int ep_https_open(struct ep_https *t, const char *host, struct ep_https_session **ret_s,
		struct ep_err *err)
{
	const struct ep_openssl *found = ep_openssl_get(err);
	if (!found)
		return -ENOTSUP;
	struct ep_https_session *s = ep_zalloc(sizeof(*s));
	if (!s)
		return ep_fail(err, -ENOMEM, 0, "out of memory");
	s->tls = t;
	snprintf(s->host, sizeof(s->host), "%s", host);
	pthread_mutex_lock(&lock);
	o = found;
	o->ERR_clear_error();
	int rc = begin(s, err);
	if (rc < 0)
		free_session(s);
	pthread_mutex_unlock(&lock);
	if (rc == 0)
		*ret_s = s;
	return rc;
}

void ep_https_close(struct ep_https_session *s)
{
	if (!s)
		return;
	pthread_mutex_lock(&lock);
	free_session(s);
	pthread_mutex_unlock(&lock);
}

static int refuse(struct ep_https_session *s, struct ep_err *err)
{
	long v = o->SSL_get_verify_result(s->ssl);
	if (v == X509_V_OK)
		return ep_fail(err, -EIO, 0, "no TLS with %.60s: %s", s->host, reason());
	o->ERR_clear_error();
	forget_context(s->tls); /* the session has its own hold on it */
	return ep_fail(err, -EACCES, 0, "the certificate of %.60s is refused: %s", s->host,
		       o->X509_verify_cert_error_string(v));
}

/* It is not broken: the other side has to say something first. */
static bool wants_more(struct ep_https_session *s, int rc)
{
	int e = o->SSL_get_error(s->ssl, rc);
	return e == SSL_ERROR_WANT_READ || e == SSL_ERROR_WANT_WRITE;
}

int ep_https_handshake(struct ep_https_session *s, struct ep_err *err)
{
	pthread_mutex_lock(&lock);
	o->ERR_clear_error();
	int n = o->SSL_do_handshake(s->ssl);
	int rc = n == 1 ? 0 : wants_more(s, n) ? -EAGAIN : refuse(s, err);
	pthread_mutex_unlock(&lock);
	return rc;
}

int ep_https_write(struct ep_https_session *s, const void *p, size_t n, struct ep_err *err)
{
	size_t written = 0;
	if (n == 0)
		return 0;
	pthread_mutex_lock(&lock);
	o->ERR_clear_error();
	/* Memory takes all of it: a server that wants to renegotiate must do without us. */
	bool ok = o->SSL_write_ex(s->ssl, p, n, &written) && written == n;
	int rc = ok ? 0 : ep_fail(err, -EIO, 0, "TLS: %s", reason());
	pthread_mutex_unlock(&lock);
	return rc;
}

int ep_https_read(struct ep_https_session *s, void *to, size_t n, struct ep_err *err)
{
	size_t got = 0;
	pthread_mutex_lock(&lock);
	o->ERR_clear_error();
	int rc = o->SSL_read_ex(s->ssl, to, n, &got);
	if (rc == 1)
		rc = (int)got;
	else if (wants_more(s, rc))
		rc = -EAGAIN;
	else if (o->SSL_get_error(s->ssl, rc) == SSL_ERROR_ZERO_RETURN)
		rc = 0;
	else
		rc = ep_fail(err, -EIO, 0, "TLS: %s", reason());
	pthread_mutex_unlock(&lock);
	return rc;
}

void ep_https_bye(struct ep_https_session *s)
{
	pthread_mutex_lock(&lock);
	(void)o->SSL_shutdown(s->ssl); /* the server's own good-bye is not waited for */
	o->ERR_clear_error();
	pthread_mutex_unlock(&lock);
}

int ep_https_take(struct ep_https_session *s, void *to, size_t n)
{
	pthread_mutex_lock(&lock);
	int k = o->BIO_read(s->out, to, (int)n);
	pthread_mutex_unlock(&lock);
	return k > 0 ? k : 0;
}

int ep_https_feed(struct ep_https_session *s, const void *p, size_t n)
{
	pthread_mutex_lock(&lock);
	int k = o->BIO_write(s->in, p, (int)n);
	pthread_mutex_unlock(&lock);
	return k == (int)n ? 0 : -ENOMEM;
}
