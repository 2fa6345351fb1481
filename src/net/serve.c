/*
 * serve.c - the loop: accept, wait, deadlines, exchanges that come back.
 * See serve.h.
 */
#include "net/serve.h"

#include "base/clock.h"
#include "net/addr.h"
#include "net/conn.h"
#include "net/http2.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

enum { MAX_EVENTS = 256, SPARE_FILES = 64, ACCEPTS_A_TURN = 64 };

static void close_fd(int fd)
{
	if (fd >= 0)
		(void)close(fd); /* nothing buffered */
}

/* --- exchanges -------------------------------------------------------------- */

struct ep_exchange *ep_exchange_new(struct ep_conn *c)
{
	struct ep_exchange *ex = ep_zalloc(sizeof(*ex));
	if (!ex)
		return NULL;
	ex->x.arena = ep_arena_new(0);
	if (!ex->x.arena) {
		ep_free(ex);
		return NULL;
	}
	ep_buf_init(&ex->body, c->serve->cfg.max_body_bytes);
	ep_buf_init(&ex->x.out, SIZE_MAX / 4);
	ex->conn = c;
	ex->x.is_loopback_peer = c->is_loopback_peer;
	ex->x.is_tls = c->tls != NULL;
	ex->x.peer = c->peer;
	return ex;
}

bool ep_exchange_charge(struct ep_exchange *ex)
{
	struct ep_serve *s = ex->conn->serve;
	s->bodies_bytes += ex->body.cap - ex->n_charged;
	ex->n_charged = ex->body.cap;
	atomic_store(&s->bodies_now, s->bodies_bytes);
	return s->bodies_bytes <= s->cfg.max_bodies_bytes;
}

void ep_exchange_free(struct ep_exchange *ex)
{
	if (!ex)
		return;
	ex->conn->serve->bodies_bytes -= ex->n_charged;
	ep_buf_fini(&ex->body);
	ep_buf_fini(&ex->x.out);
	ep_arena_free(ex->x.arena);
	ep_free(ex);
}

static void poke(struct ep_serve *s)
{
	uint64_t one = 1;
	(void)!write(s->event_fd, &one, sizeof(one)); /* full means it is awake */
}

/* On a worker. */
static void run_exchange(struct ep_job *job)
{
	struct ep_exchange *ex = (struct ep_exchange *)job;
	struct ep_serve *s = ex->conn->serve;
	s->cfg.handle(s->cfg.room, &ex->x);
	if (ep_buf_failed(&ex->x.out))
		ep_http_text(&ex->x, 503, "the answer does not fit in memory\n");
	else if (!ex->x.status)
		ep_http_text(&ex->x, 500, "no answer\n");
	pthread_mutex_lock(&s->done_lock);
	ex->next_done = s->done;
	s->done = ex;
	pthread_mutex_unlock(&s->done_lock);
	poke(s);
}

void ep_exchange_submit(struct ep_exchange *ex)
{
	struct ep_serve *s = ex->conn->serve;
	ex->job.run = run_exchange;
	ex->is_in_work = true;
	ex->conn->n_in_work++;
	atomic_fetch_add(&s->requests_total, 1);
	atomic_fetch_add(&s->in_flight_now, 1);
	ep_pool_submit(s->lanes[ex->x.lane % EP_HTTP_LANES], &ex->job);
}

/* --- connections ------------------------------------------------------------ */

ssize_t ep_conn_recv(struct ep_conn *c, void *to, size_t n)
{
	return c->tls ? ep_tls_recv(c->tls, to, n) : recv(c->fd, to, n, 0);
}

ssize_t ep_conn_send(struct ep_conn *c, const struct iovec *v, int n_v)
{
	struct msghdr msg = {.msg_iov = (struct iovec *)v, .msg_iovlen = (size_t)n_v};
	return c->tls ? ep_tls_send(c->tls, v, n_v) : sendmsg(c->fd, &msg, MSG_NOSIGNAL);
}

/* What TLS has unpacked and nobody read makes no event: being writable stands in for it,
 * and for a read that has to write first. */
static bool needs_a_turn(const struct ep_conn *c)
{
	return c->tls && c->state != EP_CONN_TLS &&
	       (ep_tls_has_pending(c->tls) || ep_tls_wants_write(c->tls));
}

void ep_conn_want(struct ep_conn *c, uint32_t events)
{
	if ((events & EPOLLIN) && needs_a_turn(c))
		events |= EPOLLOUT;
	if (c->events == events)
		return;
	struct epoll_event ev = {.events = events, .data.ptr = c};
	(void)epoll_ctl(c->serve->epoll_fd, EPOLL_CTL_MOD, c->fd, &ev); /* is in the set */
	c->events = events;
}

static void want_accepts(struct ep_serve *s, bool on)
{
	struct epoll_event ev = {.events = on ? EPOLLIN : 0, .data.ptr = s};
	if (s->is_accepting == on || s->listen_fd < 0)
		return;
	(void)epoll_ctl(s->epoll_fd, EPOLL_CTL_MOD, s->listen_fd, &ev); /* is in the set */
	ev.data.ptr = &s->plain_fd;
	if (s->plain_fd >= 0)
		(void)epoll_ctl(s->epoll_fd, EPOLL_CTL_MOD, s->plain_fd, &ev); /* likewise */
	s->is_accepting = on;
}

static void free_conn(struct ep_conn *c)
{
	struct ep_serve *s = c->serve;
	if (c->prev)
		c->prev->next = c->next;
	else
		s->conns = c->next;
	if (c->next)
		c->next->prev = c->prev;
	s->n_conns--;
	atomic_store(&s->connections_now, s->n_conns);
	ep_http2_free(c);
	ep_exchange_free(c->ex);
	ep_tls_conn_free(c->tls);
	ep_buf_fini(&c->in);
	ep_buf_fini(&c->out_head);
	ep_free(c);
}

/* The struct stays for the sweep: events of this turn may still name it. */
void ep_conn_close(struct ep_conn *c)
{
	if (c->fd < 0)
		return;
	if (c->tls)
		ep_tls_bye(c->tls);
	(void)close(c->fd); /* nothing buffered to lose */
	c->fd = -1;
	c->deadline_ns = 0;
	want_accepts(c->serve, !c->serve->is_stopping);
}

static void add_conn(struct ep_serve *s, int fd, struct ep_tls *tls,
		     const struct sockaddr *peer, socklen_t n_peer)
{
	struct ep_conn *c = ep_zalloc(sizeof(*c));
	struct epoll_event ev = {.events = EPOLLIN, .data.ptr = c};
	if (c && tls)
		c->tls = ep_tls_accept(tls, fd);
	if (!c || (tls && !c->tls) || epoll_ctl(s->epoll_fd, EPOLL_CTL_ADD, fd, &ev) < 0) {
		if (c)
			ep_tls_conn_free(c->tls);
		ep_free(c);
		(void)close(fd); /* nothing sent yet */
		return;
	}
	int on = 1;
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)); /* speed only */
	c->serve = s;
	c->fd = fd;
	c->events = EPOLLIN;
	c->state = tls ? EP_CONN_TLS : EP_CONN_HEAD;
	c->is_loopback_peer = ep_addr_is_loopback(peer);
	(void)getnameinfo(peer, n_peer, c->peer, sizeof(c->peer), NULL, 0, NI_NUMERICHOST);
	c->deadline_ns = s->now_ns + s->cfg.head_timeout_ns;
	/* One read beyond a whole head; a body leaves at once. */
	ep_buf_init(&c->in, EP_HTTP1_MAX_HEAD + (256 << 10));
	ep_buf_init(&c->out_head, 64 << 10);
	c->next = s->conns;
	if (c->next)
		c->next->prev = c;
	s->conns = c;
	s->n_conns++;
	atomic_fetch_add(&s->connections_total, 1);
	atomic_store(&s->connections_now, s->n_conns);
}

/* Full: the connection that would be closed first anyway makes room. */
static bool evict(struct ep_serve *s)
{
	struct ep_conn *victim = NULL;
	for (struct ep_conn *c = s->conns; c; c = c->next) {
		bool idle = c->fd >= 0 && !c->n_in_work &&
			    (c->state == EP_CONN_HEAD || c->state == EP_CONN_DRAIN ||
			     c->state == EP_CONN_TLS ||
			     (c->h2 && ep_http2_is_idle(c)));
		if (idle && (!victim || c->deadline_ns < victim->deadline_ns))
			victim = c;
	}
	if (!victim)
		return false;
	atomic_fetch_add(&s->timeouts_total, 1);
	ep_conn_close(victim);
	return true;
}

static void accept_some(struct ep_serve *s, int listen_fd, struct ep_tls *tls)
{
	for (int i = 0; i < ACCEPTS_A_TURN && listen_fd >= 0; i++) {
		if (s->n_conns >= s->cfg.max_connections && !evict(s)) {
			want_accepts(s, false);
			return;
		}
		struct sockaddr_storage peer;
		socklen_t n = sizeof(peer);
		int fd = accept4(listen_fd, (struct sockaddr *)&peer, &n,
				 SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd < 0) {
			if (errno == EMFILE || errno == ENFILE)
				want_accepts(s, false); /* on again when one closes */
			return;
		}
		add_conn(s, fd, tls, (struct sockaddr *)&peer, n);
	}
}

/* --- the loop --------------------------------------------------------------- */

static void take_back(struct ep_serve *s)
{
	uint64_t n;
	(void)!read(s->event_fd, &n, sizeof(n)); /* empty is fine */
	pthread_mutex_lock(&s->done_lock);
	struct ep_exchange *done = ep_take(&s->done);
	pthread_mutex_unlock(&s->done_lock);
	while (done) {
		struct ep_exchange *ex = done;
		done = ex->next_done;
		ex->conn->n_in_work--;
		atomic_fetch_sub(&s->in_flight_now, 1);
		ex->is_in_work = false;
		if (ex->conn->h2)
			ep_http2_on_done(ex->conn, ex);
		else
			ep_conn_on_done(ex->conn, ex);
	}
}

static void on_event(struct ep_conn *c, uint32_t events)
{
	if (c->fd >= 0 && (events & (EPOLLHUP | EPOLLERR)) && !(events & EPOLLIN))
		ep_conn_close(c);
	if (c->fd >= 0 && (events & EPOLLIN))
		c->h2 ? ep_http2_on_readable(c) : ep_conn_on_readable(c);
	if (c->fd >= 0 && (events & EPOLLOUT))
		c->h2 ? ep_http2_on_writable(c) : ep_conn_on_writable(c);
}

/* Deadlines, and the memory of what closed in this turn. */
static void sweep(struct ep_serve *s)
{
	for (struct ep_conn *c = s->conns, *next; c; c = next) {
		next = c->next;
		bool is_idle = c->h2 ? ep_http2_is_idle(c)
				     : (c->state == EP_CONN_HEAD && !c->in.len) ||
					       c->state == EP_CONN_TLS;
		if (c->fd >= 0 && s->is_stopping && c->h2)
			ep_http2_drain(c);
		if (c->fd >= 0 && s->is_stopping && is_idle)
			ep_conn_close(c);
		else if (c->fd >= 0 && c->deadline_ns <= s->now_ns)
			c->h2 ? ep_http2_on_deadline(c) : ep_conn_on_deadline(c);
		if (c->fd < 0 && !c->n_in_work)
			free_conn(c);
	}
}

static void begin_stop(struct ep_serve *s)
{
	s->is_stopping = true;
	s->stop_at_ns = s->now_ns + s->cfg.grace_ns;
	close_fd(s->listen_fd);
	close_fd(s->plain_fd);
	s->listen_fd = s->plain_fd = -1;
}

/* --- reload -------------------------------------------------------------------------- */

/* On a worker. */
static void run_reload(struct ep_job *job)
{
	struct ep_serve *s = (struct ep_serve *)((char *)job - offsetof(struct ep_serve, reload_job));
	s->cfg.reload(s->cfg.room);
	atomic_store(&s->is_reloading, false);
	poke(s);
}

/* One asked for during one that runs follows it. */
static void begin_reload(struct ep_serve *s)
{
	if (!s->cfg.reload || !atomic_load(&s->reload_asked) ||
	    atomic_exchange(&s->is_reloading, true))
		return;
	atomic_store(&s->reload_asked, false);
	s->reload_job.run = run_reload;
	ep_pool_submit(s->lanes[EP_HTTP_LANES - 1], &s->reload_job);
}

void ep_serve_reload(struct ep_serve *s)
{
	atomic_store(&s->reload_asked, true);
	poke(s);
}

static void turn(struct ep_serve *s, int timeout_ms)
{
	struct epoll_event events[MAX_EVENTS];
	int n = epoll_wait(s->epoll_fd, events, MAX_EVENTS, timeout_ms);
	s->now_ns = ep_clock_mono_ns();
	for (int i = 0; i < n; i++) {
		void *who = events[i].data.ptr;
		if (who == s)
			accept_some(s, s->listen_fd, s->cfg.tls);
		else if (who == &s->plain_fd)
			accept_some(s, s->plain_fd, NULL);
		else if (who == &s->event_fd)
			take_back(s);
		else
			on_event(who, events[i].events);
	}
}

int ep_serve_run(struct ep_serve *s)
{
	uint64_t next_sweep_ns = 0;
	s->now_ns = ep_clock_mono_ns();
	while (!s->is_stopping || (s->conns && s->now_ns < s->stop_at_ns)) {
		turn(s, s->is_stopping ? 20 : 500);
		if (atomic_load(&s->stop_asked) && !s->is_stopping)
			begin_stop(s);
		begin_reload(s);
		if (s->now_ns >= next_sweep_ns || s->is_stopping) {
			sweep(s);
			next_sweep_ns = s->now_ns + EP_NS_PER_S / 4;
		}
	}
	return 0;
}

void ep_serve_stop(struct ep_serve *s)
{
	atomic_store(&s->stop_asked, true);
	poke(s);
}

/* --- start ------------------------------------------------------------------ */

static void apply_defaults(struct ep_serve_config *cfg)
{
#define EP_DEFAULT(field, value) (cfg->field = cfg->field ? cfg->field : (value))
	EP_DEFAULT(n_workers, 4);
	EP_DEFAULT(max_connections, 4096);
	EP_DEFAULT(max_body_bytes, (size_t)64 << 20);
	EP_DEFAULT(max_bodies_bytes, (size_t)512 << 20);
	EP_DEFAULT(head_timeout_ns, 10 * EP_NS_PER_S);
	EP_DEFAULT(idle_timeout_ns, 120 * EP_NS_PER_S);
	EP_DEFAULT(body_timeout_ns, 60 * EP_NS_PER_S);
	EP_DEFAULT(grace_ns, 10 * EP_NS_PER_S);
#undef EP_DEFAULT
	struct rlimit r;
	if (getrlimit(RLIMIT_NOFILE, &r) < 0)
		return;
	r.rlim_cur = r.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &r); /* the old limit does, with fewer clients */
	if (getrlimit(RLIMIT_NOFILE, &r) == 0 && r.rlim_cur != RLIM_INFINITY &&
	    r.rlim_cur < cfg->max_connections + SPARE_FILES)
		cfg->max_connections =
			r.rlim_cur > 2 * SPARE_FILES ? r.rlim_cur - SPARE_FILES : SPARE_FILES;
}

static int bind_failed(const struct ep_addr *a, struct ep_err *err)
{
	char text[80];
	ep_addr_format((const struct sockaddr *)&a->sa, text, sizeof(text));
	if (errno == EADDRINUSE)
		return ep_fail(err, -EEXIST, 0,
			       "%s is taken by another program; choose another with "
			       "--listen ADDR:PORT",
			       text);
	if (errno == EACCES)
		return ep_fail(err, -EACCES, 0,
			       "this user may not listen on %s; choose a port over 1023 with "
			       "--listen ADDR:PORT",
			       text);
	if (errno == EADDRNOTAVAIL)
		return ep_fail(err, -EINVAL, 0,
			       "this machine has no address of %s; choose another with "
			       "--listen ADDR:PORT",
			       text);
	return ep_fail(err, -EIO, 0, "can't listen on %s: %s", text, strerror(errno));
}

static int open_listener(const char *listen_at, int *ret_fd, char ret_address[80],
			 struct ep_err *err)
{
	struct ep_addr a;
	EP_TRY(ep_addr_parse(listen_at, &a, err));
	int on = 1;
	int fd = *ret_fd = socket(a.sa.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return bind_failed(&a, err);
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&a.sa, a.n) < 0 || listen(fd, 1024) < 0)
		return bind_failed(&a, err);
	(void)getsockname(fd, (struct sockaddr *)&a.sa, &a.n); /* it is bound */
	ep_addr_format((struct sockaddr *)&a.sa, ret_address, 80);
	return 0;
}

static int open_loop(struct ep_serve *s, struct ep_err *err)
{
	s->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	s->event_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	struct epoll_event listen_ev = {.events = EPOLLIN, .data.ptr = s};
	struct epoll_event plain_ev = {.events = EPOLLIN, .data.ptr = &s->plain_fd};
	struct epoll_event event_ev = {.events = EPOLLIN, .data.ptr = &s->event_fd};
	if (s->epoll_fd < 0 || s->event_fd < 0 ||
	    epoll_ctl(s->epoll_fd, EPOLL_CTL_ADD, s->listen_fd, &listen_ev) < 0 ||
	    (s->plain_fd >= 0 &&
	     epoll_ctl(s->epoll_fd, EPOLL_CTL_ADD, s->plain_fd, &plain_ev) < 0) ||
	    epoll_ctl(s->epoll_fd, EPOLL_CTL_ADD, s->event_fd, &event_ev) < 0)
		return ep_fail(err, -EIO, 0, "can't make an event loop: %s", strerror(errno));
	s->is_accepting = true;
	for (unsigned i = 0; i < EP_HTTP_LANES; i++) {
		int rc = ep_pool_new(s->cfg.n_workers, &s->lanes[i]);
		if (rc < 0)
			return ep_fail(err, rc, 0, "can't start worker threads");
	}
	return 0;
}

int ep_serve_new(const struct ep_serve_config *config, struct ep_serve **ret_s,
		 struct ep_err *err)
{
	ep_auto(ep_serve) s = ep_zalloc(sizeof(*s));
	if (!s)
		return ep_fail(err, -ENOMEM, 0, "no memory for the server");
	s->cfg = *config;
	s->listen_fd = s->plain_fd = s->epoll_fd = s->event_fd = -1;
	pthread_mutex_init(&s->done_lock, NULL);
	apply_defaults(&s->cfg);
	EP_TRY(open_listener(s->cfg.listen, &s->listen_fd, s->address, err));
	if (s->cfg.listen_plain)
		EP_TRY(open_listener(s->cfg.listen_plain, &s->plain_fd, s->plain_address, err));
	EP_TRY(open_loop(s, err));
	s->cfg.listen = s->cfg.listen_plain = NULL;
	*ret_s = ep_take(&s);
	return 0;
}

void ep_serve_free(struct ep_serve *s)
{
	if (!s)
		return;
	for (unsigned i = 0; i < EP_HTTP_LANES; i++)
		ep_pool_free(s->lanes[i]); /* joins: what was in work is done */
	take_back(s);
	while (s->conns) {
		ep_conn_close(s->conns);
		free_conn(s->conns);
	}
	close_fd(s->listen_fd);
	close_fd(s->plain_fd);
	close_fd(s->epoll_fd);
	close_fd(s->event_fd);
	pthread_mutex_destroy(&s->done_lock);
	ep_free(s);
}

const char *ep_serve_address(const struct ep_serve *s)
{
	return s->address;
}

const char *ep_serve_plain_address(const struct ep_serve *s)
{
	return s->plain_address;
}

void ep_serve_get_stats(const struct ep_serve *s, struct ep_serve_stats *ret_stats)
{
	*ret_stats = (struct ep_serve_stats){
		.connections_total = s->connections_total,
		.connections_now = s->connections_now,
		.requests_total = s->requests_total,
		.refused_total = s->refused_total,
		.timeouts_total = s->timeouts_total,
		.in_flight_now = s->in_flight_now,
		.bodies_bytes_now = s->bodies_now,
	};
}
