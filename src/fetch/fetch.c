/*
 * fetch.c - one HTTP exchange by libcurl; see fetch.h.
 *
 * HTTP/1.1 only: the status line's words are part of the message users see, and
 * HTTP/2 has none.
 */
#include "fetch/fetch.h"

#include "base/clock.h"
#include "fetch/curl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/un.h>

enum {
	MAX_REDIRECTS = 10, /* Go's client has the same bound */
	MAX_WORDS = 4096,   /* of a failed answer's body */
	STALL_S = 60,
};

#define DEFAULT_MAX_BYTES ((size_t)1 << 30)

struct ep_fetch {
	char *cert, *key, *ca, *token_file; /* NULL: none */
};

/* --- the object ------------------------------------------------------------------- */

static bool copy(char **slot, const char *s)
{
	return !s || !*s || (*slot = ep_strdup(s)) != NULL;
}

int ep_fetch_new(const struct ep_fetch_options *o, struct ep_fetch **ret_f, struct ep_err *err)
{
	ep_auto(ep_fetch) f = ep_zalloc(sizeof(*f));
	if (!f || !copy(&f->cert, o->tls_cert) || !copy(&f->key, o->tls_key) ||
	    !copy(&f->ca, o->tls_ca) || !copy(&f->token_file, o->token_file))
		return ep_fail(err, -ENOMEM, 0, "out of memory");
	*ret_f = ep_take(&f);
	return 0;
}

void ep_fetch_free(struct ep_fetch *f)
{
	if (!f)
		return;
	ep_free(f->cert);
	ep_free(f->key);
	ep_free(f->ca);
	ep_free(f->token_file);
	ep_free(f);
}

/* --- where to --------------------------------------------------------------------- */

struct target {
	char *url;    /* as curl takes it; owned */
	char *socket; /* owned; NULL: by name and port */
	bool is_insecure;
};

static void target_fini(struct target *t)
{
	ep_free(t->url);
	ep_free(t->socket);
}

static char *join(const char *a, const char *b)
{
	size_t n = strlen(a), m = strlen(b);
	char *s = ep_alloc(n + m + 1);
	if (!s)
		return NULL;
	memcpy(s, a, n);
	memcpy(s + n, b, m + 1);
	return s;
}

/* unix:SOCKET:/PATH; slashes before SOCKET that only a URL needs are taken off. */
static int target_unix(const char *url, struct target *t, struct ep_err *err)
{
	const char *path = url + strlen("unix:");
	if (!strncmp(path, "//", 2))
		path += 2;
	const char *colon = strstr(path, ":/");
	size_t n = colon ? (size_t)(colon - path) : strlen(path);
	if (n == 0 || n >= sizeof(((struct sockaddr_un *)0)->sun_path))
		return ep_fail(err, -EINVAL, 0, "%s: a socket is named unix:SOCKET:/PATH", url);
	t->socket = ep_zalloc(n + 1);
	t->url = join("http://localhost", colon ? colon + 1 : "/");
	if (!t->socket || !t->url)
		return ep_fail(err, -ENOMEM, 0, "out of memory");
	memcpy(t->socket, path, n);
	return 0;
}

static int target_init(struct target *t, const char *url, struct ep_err *err)
{
	static const char insecure[] = "https+insecure://";
	if (!strncasecmp(url, "unix:", 5))
		return target_unix(url, t, err);
	t->is_insecure = !strncasecmp(url, insecure, strlen(insecure));
	if (t->is_insecure)
		t->url = join("https://", url + strlen(insecure));
	else if (!strncasecmp(url, "http://:", 8)) /* no host is this one */
		t->url = join("http://localhost", url + strlen("http://"));
	else
		t->url = ep_strdup(url);
	return t->url ? 0 : ep_fail(err, -ENOMEM, 0, "out of memory");
}

/* --- one exchange ----------------------------------------------------------------- */

struct exchange {
	const struct ep_curl *curl;
	CURL *handle;
	const struct ep_fetch_request *rq;
	struct ep_buf *out;
	size_t max_bytes, n_bytes;
	bool is_too_long, is_late;
	uint64_t deadline_ns; /* of the head; 0: none */
	/* of the answer now coming in; redirects begin a new one */
	char status[128]; /* "404 Not Found" */
	bool is_ok, is_go_pprof, is_text;
	bool has_head;
	struct ep_buf words; /* the body of an answer that is not 200 */
	char curl_says[CURL_ERROR_SIZE];
};

static bool header_is(const char *line, size_t n, const char *name, const char **ret_value)
{
	size_t k = strlen(name);
	if (n <= k || strncasecmp(line, name, k) || line[k] != ':')
		return false;
	*ret_value = line + k + 1;
	return true;
}

static void on_status(struct exchange *x, const char *line, size_t n)
{
	const char *space = memchr(line, ' ', n);
	size_t at = space ? (size_t)(space - line) + 1 : n;
	while (n > at && (line[n - 1] == '\r' || line[n - 1] == '\n' || line[n - 1] == ' '))
		n--;
	(void)snprintf(x->status, sizeof(x->status), "%.*s", (int)(n - at), line + at);
	x->is_ok = !strncmp(x->status, "200", 3);
	x->is_go_pprof = x->is_text = x->has_head = false;
}

static size_t on_header(char *line, size_t size, size_t n, void *ctx)
{
	struct exchange *x = ctx;
	const char *value;
	n *= size;
	if (n >= 5 && !strncmp(line, "HTTP/", 5)) {
		on_status(x, line, n);
	} else if (header_is(line, n, "X-Go-Pprof", &value)) {
		x->is_go_pprof = true;
	} else if (header_is(line, n, "Content-Type", &value)) {
		x->is_text = memmem(value, n - (size_t)(value - line), "text/plain", 10) != NULL;
	} else if (n <= 2) {
		x->has_head = true;
	}
	return n;
}

static size_t on_body(char *p, size_t size, size_t n, void *ctx)
{
	struct exchange *x = ctx;
	n *= size;
	if (!x->is_ok) {
		size_t room = MAX_WORDS - x->words.len;
		ep_buf_add(&x->words, p, n < room ? n : room);
		return n;
	}
	x->n_bytes += n;
	if (x->n_bytes > x->max_bytes) {
		x->is_too_long = true;
		return 0;
	}
	ep_buf_add(x->out, p, n);
	return ep_buf_failed(x->out) ? 0 : n;
}

/* Called about once a second, also while nothing comes. */
static int on_progress(void *ctx, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
	struct exchange *x = ctx;
	(void)a, (void)b, (void)c, (void)d;
	x->is_late = x->deadline_ns && !x->has_head && ep_clock_mono_ns() > x->deadline_ns;
	return x->is_late;
}

/* curl reads http_proxy but not HTTP_PROXY, which a CGI client can set; Go takes it
 * where there is no CGI. */
static void set_proxy(struct exchange *x, const char *url)
{
	const char *host = strstr(url, "://");
	host = host ? host + 3 : url;
	size_t n = strcspn(host, "/?#");
	const char *at = memrchr(host, '@', n);
	host = at ? at + 1 : host;
	if (!strncasecmp(host, "localhost", 9) || !strncmp(host, "127.", 4) ||
	    !strncmp(host, "[::1]", 5))
		x->curl->setopt(x->handle, CURLOPT_NOPROXY, "*");
	else if (!strncasecmp(url, "http:", 5) && !getenv("http_proxy") &&
		 !getenv("REQUEST_METHOD") && getenv("HTTP_PROXY"))
		x->curl->setopt(x->handle, CURLOPT_PROXY, getenv("HTTP_PROXY"));
}

static void set_tls(struct exchange *x, const struct ep_fetch *f, const struct target *t)
{
	const struct ep_curl *c = x->curl;
	if (f->cert)
		c->setopt(x->handle, CURLOPT_SSLCERT, f->cert);
	if (f->key)
		c->setopt(x->handle, CURLOPT_SSLKEY, f->key);
	if (f->ca) {
		c->setopt(x->handle, CURLOPT_CAINFO, f->ca);
		c->setopt(x->handle, CURLOPT_CAPATH, NULL);
	}
	if (t->is_insecure) {
		c->setopt(x->handle, CURLOPT_SSL_VERIFYPEER, 0L);
		c->setopt(x->handle, CURLOPT_SSL_VERIFYHOST, 0L);
	}
}

/* libcurl does not follow it to another host. */
static int set_token(struct exchange *x, const struct ep_fetch *f, struct ep_err *err)
{
	ep_auto_buf token;
	ep_buf_init(&token, 8192);
	if (!f->token_file)
		return 0;
	EP_TRY(ep_fetch_file(f->token_file, 4096, &token, err));
	token.len = strcspn(ep_buf_cstr(&token), " \t\r\n"); /* the first word, as everywhere */
	x->curl->setopt(x->handle, CURLOPT_HTTPAUTH, CURLAUTH_BEARER);
	x->curl->setopt(x->handle, CURLOPT_XOAUTH2_BEARER, ep_buf_cstr(&token));
	return 0;
}

static void set_request(struct exchange *x, const struct target *t)
{
	const struct ep_curl *c = x->curl;
	CURL *h = x->handle;
	c->setopt(h, CURLOPT_URL, t->url);
	c->setopt(h, CURLOPT_PROTOCOLS_STR, "http,https");
	c->setopt(h, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	c->setopt(h, CURLOPT_FOLLOWLOCATION, 1L);
	c->setopt(h, CURLOPT_MAXREDIRS, (long)MAX_REDIRECTS);
	c->setopt(h, CURLOPT_ACCEPT_ENCODING, "gzip");
	c->setopt(h, CURLOPT_USERAGENT, "everprof/" EP_VERSION);
	c->setopt(h, CURLOPT_NOSIGNAL, 1L);
	if (t->socket)
		c->setopt(h, CURLOPT_UNIX_SOCKET_PATH, t->socket);
	if (x->rq->post) {
		c->setopt(h, CURLOPT_POST, 1L);
		c->setopt(h, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)x->rq->body.n);
		c->setopt(h, CURLOPT_POSTFIELDS, x->rq->body.n ? x->rq->body.p : "");
	}
	if (x->rq->timeout_ns) {
		x->deadline_ns = ep_clock_mono_ns() + x->rq->timeout_ns;
		c->setopt(h, CURLOPT_CONNECTTIMEOUT_MS,
			  (long)(x->rq->timeout_ns / EP_NS_PER_MS));
	}
}

static void set_callbacks(struct exchange *x)
{
	const struct ep_curl *c = x->curl;
	CURL *h = x->handle;
	c->setopt(h, CURLOPT_HEADERFUNCTION, on_header);
	c->setopt(h, CURLOPT_HEADERDATA, x);
	c->setopt(h, CURLOPT_WRITEFUNCTION, on_body);
	c->setopt(h, CURLOPT_WRITEDATA, x);
	c->setopt(h, CURLOPT_NOPROGRESS, 0L);
	c->setopt(h, CURLOPT_XFERINFOFUNCTION, on_progress);
	c->setopt(h, CURLOPT_XFERINFODATA, x);
	c->setopt(h, CURLOPT_ERRORBUFFER, x->curl_says);
}

/* An answer came, but not 200. */
static int fail_status(struct exchange *x, struct ep_err *err)
{
	int status = atoi(x->status);
	int rc = status == 401 || status == 403 ? -EACCES : status == 404 ? -ENOENT : -EIO;
	if (!x->is_go_pprof || !x->is_text)
		return ep_fail(err, rc, 0, "server response: %s", x->status);
	while (x->words.len && x->words.data[x->words.len - 1] == '\n')
		x->words.len--;
	return ep_fail(err, rc, 0, "server response: %s - %s", x->status, ep_buf_cstr(&x->words));
}

static int fail_curl(struct exchange *x, CURLcode code, struct ep_err *err)
{
	const char *verb = x->rq->post ? "Post" : "Get";
	const char *url = x->rq->url;
	const char *why = x->curl_says[0] ? x->curl_says : x->curl->strerror(code);
	if (x->is_too_long || ep_buf_failed(x->out) == -E2BIG)
		return ep_fail(err, -E2BIG, 0, "%s \"%s\": the answer is over %zu bytes", verb, url,
			       x->max_bytes);
	if (ep_buf_failed(x->out) || code == CURLE_OUT_OF_MEMORY)
		return ep_fail(err, -ENOMEM, 0, "out of memory");
	if (x->is_late)
		return ep_fail(err, -ETIMEDOUT, 0, "%s \"%s\": no answer within %.0f s", verb, url,
			       (double)x->rq->timeout_ns / EP_NS_PER_S);
	switch (code) {
	case CURLE_OPERATION_TIMEDOUT:
		return ep_fail(err, -ETIMEDOUT, 0, "%s \"%s\": %s", verb, url, why);
	case CURLE_COULDNT_CONNECT:
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_RESOLVE_PROXY:
		return ep_fail(err, -ECONNREFUSED, 0, "%s \"%s\": %s", verb, url, why);
	case CURLE_URL_MALFORMAT:
	case CURLE_UNSUPPORTED_PROTOCOL:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CACERT_BADFILE:
		return ep_fail(err, -EINVAL, 0, "%s \"%s\": %s", verb, url, why);
	default:
		return ep_fail(err, -EIO, 0, "%s \"%s\": %s", verb, url, why);
	}
}

static int run(struct exchange *x, const struct ep_fetch *f, const struct target *t,
	       struct ep_err *err)
{
	set_request(x, t);
	set_callbacks(x);
	set_proxy(x, t->url);
	set_tls(x, f, t);
	EP_TRY(set_token(x, f, err));
	x->curl->setopt(x->handle, CURLOPT_LOW_SPEED_LIMIT, 1L);
	/* A profile of N seconds is silent for N seconds: the stall is one of bodies. */
	long stall_s = STALL_S + (long)(x->rq->timeout_ns / EP_NS_PER_S);
	x->curl->setopt(x->handle, CURLOPT_LOW_SPEED_TIME, x->rq->timeout_ns ? stall_s : 0L);
	CURLcode code = x->curl->perform(x->handle);
	if (code != CURLE_OK)
		return fail_curl(x, code, err);
	return x->is_ok ? 0 : fail_status(x, err);
}

static int check_tls(const struct ep_fetch *f, struct ep_err *err)
{
	if (f->key && !f->cert)
		return ep_fail(err, -EINVAL, 0,
			       "-tls_key is specified, so -tls_cert must also be specified");
	if (f->cert && !f->key)
		return ep_fail(err, -EINVAL, 0,
			       "-tls_cert is specified, so -tls_key must also be specified");
	return 0;
}

int ep_fetch_url(const struct ep_fetch *f, const struct ep_fetch_request *rq,
		 struct ep_buf *out, struct ep_err *err)
{
	__attribute__((cleanup(target_fini))) struct target t = {0};
	struct exchange x = {.rq = rq, .out = out,
			     .max_bytes = rq->max_bytes ? rq->max_bytes : DEFAULT_MAX_BYTES};
	EP_TRY(check_tls(f, err));
	EP_TRY(target_init(&t, rq->url, err));
	x.curl = ep_curl_get(err);
	if (!x.curl)
		return -ENOTSUP;
	x.handle = x.curl->easy_init();
	if (!x.handle)
		return ep_fail(err, -ENOMEM, 0, "out of memory");
	ep_buf_init(&x.words, MAX_WORDS + 1);
	int rc = run(&x, f, &t, err);
	ep_buf_fini(&x.words);
	x.curl->cleanup(x.handle);
	return rc;
}
