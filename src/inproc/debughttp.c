/*
 * debughttp.c - see debughttp.h.
 *
 * A connection is one request: read it, answer it, close.  What waits for time to pass
 * (captures, of which there is one at a time) is answered on a thread of its own, so
 * the others are served meanwhile.
 */
#include "inproc/debughttp.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "inproc/debuglisten.h"
#include "inproc/debugparse.h"
#include "inproc/debugroutes.h"
#include "inproc/fd.h"
#include "inproc/spawn.h"
#include "inproc/start.h"
#include "inproc/tokens.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

enum { MAX_CONNECTIONS = 32 };
#define READ_NS (5 * EP_NS_PER_S)   /* for the whole request */
#define WRITE_NS (30 * EP_NS_PER_S) /* for the whole answer */
#define MAX_ANSWER ((size_t)256 << 20)

enum state { READING, WAITING, WRITING };

struct connection {
	int fd;
	enum state state;
	uint64_t deadline_ns;
	char peer[64];
	char *in; /* EP_DEBUGPARSE_HEAD, more for a body */
	size_t n_in, cap_in, head;
	struct ep_debugparse parsed;
	struct ep_buf out;
	size_t sent;
	bool head_only;
	_Atomic bool answered; /* by the thread of a capture */
	_Atomic bool abandoned;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of start and stop */
static int listener = -1, waker = -1;
static _Atomic bool stopping, running;
static char address[128];
static struct connection *connections[MAX_CONNECTIONS];

/* ---- answers -------------------------------------------------------------------------------- */

static const char *reason(int status)
{
	switch (status) {
	case 200: return "OK";
	case 307: return "Temporary Redirect";
	case 400: return "Bad Request";
	case 401: return "Unauthorized";
	case 403: return "Forbidden";
	case 404: return "Not Found";
	case 405: return "Method Not Allowed";
	case 413: return "Content Too Large";
	case 429: return "Too Many Requests";
	case 431: return "Request Header Fields Too Large";
	case 501: return "Not Implemented";
	case 505: return "HTTP Version Not Supported";
	default: return "Internal Server Error";
	}
}

static int put_head(void *ctx, int status, const char *const *headers, size_t n_body)
{
	struct connection *c = ctx;
	ep_buf_printf(&c->out, "HTTP/1.1 %d %s\r\nContent-Length: %zu\r\nConnection: close\r\n",
		      status, reason(status), n_body);
	for (int i = 0; headers[i]; i += 2)
		ep_buf_printf(&c->out, "%s: %s\r\n", headers[i], headers[i + 1]);
	ep_buf_add_str(&c->out, "\r\n");
	return ep_buf_failed(&c->out);
}

static int put_body(void *ctx, const void *p, size_t n)
{
	struct connection *c = ctx;
	if (!c->head_only)
		ep_buf_add(&c->out, p, n);
	return ep_buf_failed(&c->out);
}

static int has_gone(void *ctx)
{
	struct connection *c = ctx;
	char byte;
	ssize_t n = recv(c->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
	return n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR) || atomic_load(&stopping);
}

static void answer(struct connection *c)
{
	const everprof_http_request rq = {
		.method = c->parsed.method,
		.path = c->parsed.path,
		.query = c->parsed.query,
		.authorization = c->parsed.authorization,
		.accept = c->parsed.accept,
		.peer = c->peer,
		.body = c->in + c->head,
		.n_body = c->parsed.n_body,
	};
	const everprof_http_writer w = {c, put_head, put_body, has_gone};
	(void)everprof_http_handle(&rq, &w); /* a client that has gone needs no answer */
}

static void refuse(struct connection *c, int status, const char *sentence)
{
	const char *const headers[] = {"Content-Type", "text/plain; charset=utf-8",
				       "X-Content-Type-Options", "nosniff", NULL};
	char text[128];
	int n = snprintf(text, sizeof(text), "%s\n", sentence);
	(void)put_head(c, status, headers, (size_t)n); /* the buffer remembers a failure */
	(void)put_body(c, text, (size_t)n);
}

/* ---- connections ------------------------------------------------------------------------------ */

static void close_connection(struct connection *c)
{
	close(c->fd);
	ep_buf_fini(&c->out);
	ep_free(c->in);
	ep_free(c);
}

static void start_writing(struct connection *c)
{
	c->state = WRITING;
	c->deadline_ns = ep_clock_mono_ns() + WRITE_NS;
}

static void *capture_main(void *arg)
{
	struct connection *c = arg;
	answer(c);
	atomic_store(&c->answered, true);
	uint64_t one = 1;
	(void)!write(waker, &one, sizeof(one)); /* full: it wakes anyway */
	return NULL;
}

/* A page elsewhere that resolves its name to 127.0.0.1 is not on this machine. */
static bool is_local_host(const char *host)
{
	if (!host || !strncmp(address, "unix:", 5))
		return true;
	size_t n = *host == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":");
	char name[80];
	snprintf(name, sizeof(name), "%.*s", (int)(n < 79 ? n : 79), host);
	return !strcasecmp(name, "localhost") || !strncmp(name, "127.", 4) ||
	       !strcmp(name, "[::1]");
}

static void handle(struct connection *c)
{
	const everprof_http_request rq = {.path = c->parsed.path, .query = c->parsed.query};
	c->head_only = !strcmp(c->parsed.method, "HEAD");
	if (!ep_tokens_asked() && !is_local_host(c->parsed.host)) {
		refuse(c, 403, "this Host is not this machine");
		start_writing(c);
	} else if (!strcmp(c->parsed.path, "/debug/pprof") || !strcmp(c->parsed.path, "/")) {
		const char *const headers[] = {"Location", "/debug/pprof/", NULL};
		(void)put_head(c, 307, headers, 0); /* the buffer remembers a failure */
		start_writing(c);
	} else if (strncmp(c->parsed.path, "/debug/pprof/", 13)) {
		refuse(c, 404, "profiles are at /debug/pprof/");
		start_writing(c);
	} else if (!ep_debugroutes_waits(&rq)) {
		answer(c);
		start_writing(c);
	} else {
		c->state = WAITING;
		c->deadline_ns = UINT64_MAX; /* captures are clamped */
		if (ep_spawn("everprof-http", capture_main, c) < 0) {
			refuse(c, 500, "no thread to be had");
			start_writing(c);
		}
	}
}

/* Room for a body behind the head. */
static bool grow(struct connection *c, size_t n)
{
	if (n <= c->cap_in)
		return true;
	char *more = ep_alloc(n);
	if (!more)
		return false;
	memcpy(more, c->in, c->n_in);
	char **parts[] = {&c->parsed.method, &c->parsed.path, &c->parsed.query, &c->parsed.host,
			  &c->parsed.authorization, &c->parsed.accept};
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (*parts[i])
			*parts[i] = more + (*parts[i] - c->in);
	ep_free(c->in);
	c->in = more;
	c->cap_in = n;
	return true;
}

static const char *sentence_of(int status)
{
	return status == 413 ? "the body is too large" : status == 431 ? "the head is too large"
							: "this is no request we understand";
}

/* false: close it. */
static bool read_more(struct connection *c)
{
	ssize_t n = recv(c->fd, c->in + c->n_in, c->cap_in - c->n_in, MSG_DONTWAIT);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	if (n == 0)
		return false;
	c->n_in += (size_t)n;
	if (!c->head) {
		int rc = ep_debugparse(c->in, c->n_in, &c->parsed);
		if (rc < 0) {
			refuse(c, -rc, sentence_of(-rc));
			start_writing(c);
		}
		if (rc <= 0)
			return true;
		c->head = (size_t)rc;
	}
	if (!grow(c, c->head + c->parsed.n_body))
		return false;
	if (c->n_in >= c->head + c->parsed.n_body)
		handle(c);
	return true;
}

static bool write_more(struct connection *c)
{
	if (ep_buf_failed(&c->out) || !c->out.len)
		return false;
	ssize_t n = send(c->fd, c->out.data + c->sent, c->out.len - c->sent,
			 MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	c->sent += (size_t)n;
	return c->sent < c->out.len;
}

static struct connection *new_connection(int fd)
{
	struct connection *c = ep_zalloc(sizeof(*c));
	char *in = ep_alloc(EP_DEBUGPARSE_HEAD);
	if (!c || !in) {
		ep_free(c);
		ep_free(in);
		return NULL;
	}
	c->fd = fd;
	c->in = in;
	c->cap_in = EP_DEBUGPARSE_HEAD;
	c->deadline_ns = ep_clock_mono_ns() + READ_NS;
	ep_buf_init(&c->out, MAX_ANSWER);
	return c;
}

static void accept_one(void)
{
	char peer[64];
	int fd = ep_debuglisten_accept(listener, peer);
	if (fd < 0)
		return;
	for (int i = 0; i < MAX_CONNECTIONS; i++) {
		if (connections[i])
			continue;
		connections[i] = new_connection(fd);
		if (!connections[i])
			break;
		memcpy(connections[i]->peer, peer, sizeof(peer));
		return;
	}
	close(fd); /* all are taken: they have deadlines, it may come again */
}

/* false: it is done with. */
static bool serve(struct connection *c, short events)
{
	if (c->state == WAITING && atomic_load(&c->answered))
		start_writing(c);
	if (c->state == WAITING)
		return true;
	if (ep_clock_mono_ns() > c->deadline_ns)
		return false;
	if (c->state == READING && (events & (POLLIN | POLLHUP | POLLERR)) && !read_more(c))
		return false;
	return c->state != WRITING || write_more(c);
}

/* ---- the loop ------------------------------------------------------------------------------------ */

static void one_turn(void)
{
	struct pollfd p[MAX_CONNECTIONS + 2] = {{waker, POLLIN, 0}, {listener, POLLIN, 0}};
	bool idle = true;
	for (int i = 0; i < MAX_CONNECTIONS; i++) {
		const struct connection *c = connections[i];
		/* A negative descriptor is passed over. */
		p[i + 2] = (struct pollfd){c && c->state != WAITING ? c->fd : -1,
					   c && c->state == WRITING ? POLLOUT : POLLIN, 0};
		idle &= !c;
	}
	if (poll(p, MAX_CONNECTIONS + 2, idle ? -1 : 1000) < 0)
		return; /* EINTR */
	uint64_t n;
	if (p[0].revents)
		(void)!read(waker, &n, sizeof(n)); /* emptied, however often it was rung */
	for (int i = 0; i < MAX_CONNECTIONS; i++)
		if (connections[i] && !serve(connections[i], p[i + 2].revents)) {
			close_connection(connections[i]);
			connections[i] = NULL;
		}
	if (p[1].revents)
		accept_one();
}

static bool any_waits(void)
{
	for (int i = 0; i < MAX_CONNECTIONS; i++)
		if (connections[i] && connections[i]->state == WAITING &&
		    !atomic_load(&connections[i]->answered))
			return true;
	return false;
}

static void *listen_main(void *unused)
{
	while (!atomic_load(&stopping))
		one_turn();
	while (any_waits()) { /* they see that we stop, within 100 ms */
		struct timespec t = {0, 10 * 1000000};
		nanosleep(&t, NULL);
	}
	for (int i = 0; i < MAX_CONNECTIONS; i++) {
		if (connections[i])
			close_connection(connections[i]);
		connections[i] = NULL;
	}
	close(listener);
	ep_debuglisten_forget(address);
	atomic_store(&running, false);
	return unused;
}

/* ---- start and stop ---------------------------------------------------------------------------------- */

static int start(const everprof_http_config *c)
{
	if (atomic_load(&running))
		return -EEXIST;
	if (c->token_file && *c->token_file)
		EP_TRY(ep_tokens_open(c->token_file));
	ep_debugroutes_limit(&(struct ep_debugroutes_limits){
		.profile_s = c->max_profile_seconds ? c->max_profile_seconds : 60,
		.trace_s = c->max_trace_seconds ? c->max_trace_seconds : 10,
		.cmdline = c->show_cmdline,
	});
	int fd = ep_debuglisten_open(c->listen, ep_tokens_asked(), address);
	if (fd < 0)
		return fd;
	if (waker < 0)
		waker = ep_fd_move_up(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
	listener = fd;
	atomic_store(&stopping, false);
	atomic_store(&running, true);
	int rc = waker < 0 ? -EAGAIN : ep_spawn("everprof-http", listen_main, NULL);
	if (rc < 0) {
		atomic_store(&running, false);
		close(fd);
	}
	return rc;
}

static int start_locked(const everprof_http_config *c)
{
	pthread_mutex_lock(&lock);
	int rc = start(c);
	pthread_mutex_unlock(&lock);
	return rc;
}

__attribute__((visibility("default"))) int
everprof_http_start_sized(const everprof_http_config *config, size_t size)
{
	everprof_http_config c = {0};
	int saved = errno;
	if (config)
		memcpy(&c, config, size < sizeof(c) ? size : sizeof(c));
	int rc = c.listen ? start_locked(&c) : -EINVAL;
	if (rc == 0) {
		rc = ep_start_engine(); /* or there is nothing to serve */
		if (rc < 0)
			everprof_http_stop();
	}
	errno = saved;
	return rc;
}

__attribute__((visibility("default"))) void everprof_http_stop(void)
{
	uint64_t one = 1;
	int saved = errno;
	pthread_mutex_lock(&lock);
	if (atomic_load(&running)) {
		atomic_store(&stopping, true);
		(void)!write(waker, &one, sizeof(one)); /* full: it wakes anyway */
		while (atomic_load(&running)) {
			struct timespec t = {0, 1000000};
			nanosleep(&t, NULL);
		}
	}
	pthread_mutex_unlock(&lock);
	errno = saved;
}

__attribute__((visibility("default"))) const char *everprof_http_address(void)
{
	return atomic_load(&running) ? address : NULL;
}

void ep_debughttp_limit_mounted(const struct ep_config *c)
{
	ep_debugroutes_limit(&(struct ep_debugroutes_limits){
		.profile_s = (unsigned)c->http_seconds, .trace_s = 10, .cmdline = c->http_cmdline});
}

int ep_debughttp_start_configured(const struct ep_config *c)
{
	const everprof_http_config http = {.listen = c->http,
					   .token_file = c->http_token_file,
					   .max_profile_seconds = (unsigned)c->http_seconds,
					   .show_cmdline = c->http_cmdline};
	int rc = start_locked(&http);
	if (rc == -EADDRINUSE)
		ep_config_say("%s is taken; this process goes on without /debug/pprof", c->http);
	else if (rc < 0 && rc != -EINVAL && rc != -EACCES)
		ep_config_say("EVERPROF_HTTP %s: %s", c->http, strerror(-rc));
	return rc == -EINVAL || rc == -EACCES ? rc : 0;
}

void ep_debughttp_child(void)
{
	pthread_mutex_init(&lock, NULL);
	if (!atomic_load(&running))
		return;
	close(listener);
	for (int i = 0; i < MAX_CONNECTIONS; i++) {
		if (connections[i])
			close(connections[i]->fd); /* their memory may be cut in the middle */
		connections[i] = NULL;
	}
	close(waker);
	listener = waker = -1;
	atomic_store(&running, false);
}
