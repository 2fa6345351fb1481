/* server.c - open everything, serve, close everything.  See server.h. */
#include "server/server.h"

#include "api/api.h"
#include "base/clock.h"
#include "base/log.h"
#include "ingest/ingest.h"
#include "net/serve.h"
#include "net/tls.h"
#include "query/fntree.h"
#include "server/datadir.h"
#include "server/guard.h"
#include "server/localsyms.h"
#include "server/metrics.h"
#include "server/rooms.h"
#include "server/selfprofile.h"
#include "tenant/audit.h"

#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

struct server {
	const struct ep_server_config *cfg;
	struct ep_addr addr;
	struct ep_tenants *tenants;
	struct ep_tls *tls;
	struct ep_rooms *rooms;
	struct ep_fntrees *trees;
	char audit[PATH_MAX];
	char own_token[600]; /* of whatever of ours pushes here */
	struct ep_localsyms *localsyms;
	struct ep_ingest *ingest;
	struct ep_api *api;
	struct ep_guard guard;
	struct ep_serve *serve;
	struct ep_metrics metrics;
};

/* Trees of functions between queries: of three million stacks. */
static const size_t max_trees_bytes = 64u << 20;
static const uint64_t max_trees_idle_ns = 600 * EP_NS_PER_S;

/* For ep_server_stop(), which a signal handler calls. */
static struct ep_serve *_Atomic running;
static atomic_bool stop_asked;

/* Files of this machine name its own frames, not those a tenant sends from elsewhere.
 * Profiles come as long as a server lives: here it is seen that nobody asks any more. */
static void on_profile(void *arg, const struct ep_http *x, const struct ep_profile *p)
{
	struct server *s = arg;
	(void)ep_fntrees_trim(s->trees, max_trees_idle_ns);
	if (x->is_loopback_peer || !strcmp(x->tenant->name, EP_TENANT_ANONYMOUS))
		ep_localsyms_see(s->localsyms, atomic_load(&x->tenant->symbols), p);
}

static void on_metrics(void *arg, const struct ep_http *x, struct ep_buf *out)
{
	struct server *s = arg;
	if (x->is_bound)
		ep_metrics_write_tenant(x->tenant, out);
	else
		ep_metrics_write(&s->metrics, out);
}

static void note(const struct server *s, const char *action, const char *detail)
{
	struct ep_audit_event e = {.action = action, .ok = true, .detail = detail};
	(void)ep_audit(s->audit, &e); /* it logs what it can't write */
}

static bool knows_token(void *arg, const struct ep_http *x, struct ep_slice token)
{
	struct server *s = arg;
	struct ep_asker who;
	struct ep_audit_event e = {.action = "sign-in", .peer = x->peer};
	e.ok = ep_tenants_knows(s->tenants, token, &who);
	e.token = who.token;
	e.tenant = who.tenant ? who.tenant->name : NULL;
	(void)ep_audit(s->audit, &e); /* it logs what it can't write */
	return e.ok;
}

static bool asks_tokens(void *arg)
{
	struct server *s = arg;
	return ep_tenants_ask(s->tenants);
}

static bool on_admit(void *arg, struct ep_http *x)
{
	struct server *s = arg;
	return ep_guard_admit(&s->guard, x);
}

static void on_handle(void *arg, struct ep_http *x)
{
	struct server *s = arg;
	ep_guard_handle(&s->guard, x);
}

static void warn_of_end(const struct server *s)
{
	int64_t end = s->tls ? ep_tls_expires(s->tls) : 0;
	if (end && end < (int64_t)(ep_clock_wall_ns() / EP_NS_PER_S))
		ep_log_warn("the certificate in %s has expired", s->cfg->tls_cert);
}

static void on_reload(void *arg)
{
	struct server *s = arg;
	struct ep_err err = {0};
	if (!s->tls)
		return; /* tokens are read again whenever they change */
	if (ep_tls_reload(s->tls, &err) < 0) {
		ep_log_error("%s; the old certificate stays in use", err.text);
		return;
	}
	ep_log_info("the certificate was read again");
	note(s, "reload", s->cfg->tls_cert);
	warn_of_end(s);
}

static int join(char *to, const char *dir, const char *name, struct ep_err *err)
{
	int n = snprintf(to, PATH_MAX, "%s/%s", dir, name);
	return n < PATH_MAX ? 0 : ep_fail(err, -EINVAL, 0, "--data: the path is too long");
}

static int make_own_token(struct server *s, struct ep_err *err)
{
	unsigned char raw[16];
	if (s->cfg->own_token && *s->cfg->own_token) {
		(void)snprintf(s->own_token, sizeof(s->own_token), "%s", s->cfg->own_token);
		return 0;
	}
	if (getrandom(raw, sizeof(raw), 0) != sizeof(raw))
		return ep_fail(err, -EIO, 0, "no random bytes: %s", strerror(errno));
	for (unsigned i = 0; i < sizeof(raw); i++)
		(void)snprintf(s->own_token + 2 * i, 3, "%02x", raw[i]);
	return 0;
}

static int check_access(struct server *s, struct ep_err *err)
{
	EP_TRY(ep_addr_parse(s->cfg->listen, &s->addr, err));
	char list[PATH_MAX];
	EP_TRY(make_own_token(s, err));
	EP_TRY(join(list, s->cfg->data_dir, "tokens", err));
	EP_TRY(join(s->audit, s->cfg->data_dir, "audit.log", err));
	struct ep_tenants_config tenants = {.token_file = s->cfg->token_file,
					    .token_list = list,
					    .own_token = s->own_token,
					    .by_header = s->cfg->multi_tenant,
					    .limits = s->cfg->limits,
					    .own = s->cfg->own_limits,
					    .n_own = s->cfg->n_own_limits};
	EP_TRY(ep_tenants_new(&tenants, &s->tenants, err));
	if (s->cfg->tls_key && !s->cfg->tls_cert)
		return ep_fail(err, -EINVAL, 0, "--tls-key needs --tls-cert FILE beside it");
	if (s->cfg->tls_cert)
		EP_TRY(ep_tls_new(s->cfg->tls_cert, s->cfg->tls_key, &s->tls, err));
	if (!ep_addr_is_loopback((struct sockaddr *)&s->addr.sa) && !ep_tenants_ask(s->tenants))
		return ep_fail(err, -EACCES, 0,
			       "listening on %s lets other machines in, which needs tokens: make one "
			       "with `everprof admin token new`, or give --token-file FILE, or "
			       "listen on 127.0.0.1",
			       s->cfg->listen);
	return 0;
}

static int open_rooms(struct server *s, struct ep_err *err)
{
	struct ep_tenant *first = ep_tenants_nth(s->tenants, 0);
	EP_TRY(ep_datadir_make(s->cfg->data_dir, err));
	EP_TRY(ep_rooms_new(s->cfg->data_dir, s->tenants, &s->rooms, err));
	EP_TRY(ep_rooms_open(s->rooms, first, err)); /* others with their first request */
	if (ep_localsyms_new(&s->localsyms) < 0)
		return ep_fail(err, -ENOMEM, 0, "can't start the symbol thread");
	struct ep_ingest_config in = {.max_profile_bytes = s->cfg->max_profile_bytes,
				      .on_profile = on_profile,
				      .arg = s};
	if (ep_fntrees_new(max_trees_bytes, &s->trees) < 0)
		return ep_fail(err, -ENOMEM, 0, "no memory to start");
	struct ep_api_config api = {.env = {.trees = s->trees},
				    .sees = s->cfg->sees,
				    .has_agent = s->cfg->has_agent,
				    .metrics = on_metrics,
				    .knows_token = knows_token,
				    .asks_tokens = asks_tokens,
				    .arg = s};
	if (ep_ingest_new(&in, &s->ingest) < 0 || ep_api_new(&api, &s->api) < 0)
		return ep_fail(err, -ENOMEM, 0, "no memory to start");
	return 0;
}

static int open_door(struct server *s, struct ep_err *err)
{
	EP_TRY(ep_guard_set_hosts(&s->guard, &s->addr, s->cfg->hosts, err));
	s->guard.tenants = s->tenants;
	s->guard.rooms = s->rooms;
	s->guard.audit = s->audit;
	s->guard.tables[s->guard.n_tables++] = ep_ingest_table(s->ingest);
	s->guard.tables[s->guard.n_tables++] = ep_api_table(s->api);
	s->guard.tables[s->guard.n_tables++] = ep_selfprofile_table();
	s->metrics = (struct ep_metrics){.serve = s->serve,
					 .guard = &s->guard,
					 .ingest = s->ingest,
					 .localsyms = s->localsyms,
					 .rooms = s->rooms,
					 .tenants = s->tenants};
	return 0;
}

/* The port is taken first: the usual mistake is told before anything is touched. */
static int bind_port(struct server *s, struct ep_err *err)
{
	struct ep_serve_config cfg = {.listen = s->cfg->listen,
				      .admit = on_admit,
				      .handle = on_handle,
				      .reload = on_reload,
				      .room = s,
				      .tls = s->tls,
				      .listen_plain = s->tls && (s->cfg->has_inner_door ||
								 s->cfg->self_profile)
							      ? "127.0.0.1:0"
							      : NULL,
				      .n_workers = s->cfg->n_workers,
				      .max_body_bytes = s->cfg->max_body_bytes,
				      .max_bodies_bytes = s->cfg->max_bodies_bytes};
	return ep_serve_new(&cfg, &s->serve, err);
}

static void tell_ready(struct server *s)
{
	char url[100], inner[100];
	const char *plain = ep_serve_plain_address(s->serve);
	(void)snprintf(url, sizeof(url), "%s://%s", s->tls ? "https" : "http",
		       ep_serve_address(s->serve));
	(void)snprintf(inner, sizeof(inner), "http://%s", plain);
	if (s->cfg->ready)
		s->cfg->ready(s->cfg->arg, url, *plain ? inner : url);
}

/* Over loopback like any program, by the plain door: where TLS is, it is for this alone. */
static void profile_itself(struct server *s)
{
	char url[100];
	const char *plain = ep_serve_plain_address(s->serve);
	const char *at = *plain ? plain : ep_serve_address(s->serve);
	const char *colon = strrchr(at, ':');
	bool any = !strncmp(at, "0.0.0.0:", 8) || !strncmp(at, "[::]:", 5);
	(void)snprintf(url, sizeof(url), "http://%s%s", any ? "127.0.0.1" : "", any ? colon : at);
	ep_selfprofile_start(s->cfg->self_profile ? url : NULL, s->own_token);
}

static int run(struct server *s, struct ep_err *err)
{
	EP_TRY(check_access(s, err));
	EP_TRY(bind_port(s, err));
	if (s->cfg->settle)
		EP_TRY(s->cfg->settle(s->cfg->arg, err));
	EP_TRY(open_rooms(s, err));
	EP_TRY(open_door(s, err));
	atomic_store(&running, s->serve);
	if (atomic_load(&stop_asked))
		ep_serve_stop(s->serve);
	(void)signal(SIGPIPE, SIG_IGN); /* TLS writes to sockets by write() */
	warn_of_end(s);
	note(s, "start", ep_serve_address(s->serve));
	profile_itself(s);
	tell_ready(s);
	int rc = ep_serve_run(s->serve);
	ep_selfprofile_cut();
	note(s, "stop", NULL);
	return rc;
}

int ep_server_run(const struct ep_server_config *config, struct ep_err *err)
{
	struct ep_server_config cfg = *config;
	struct server *s = ep_zalloc(sizeof(*s));
	if (!s)
		return ep_fail(err, -ENOMEM, 0, "no memory to start");
	if (!cfg.listen)
		cfg.listen = "127.0.0.1:4040";
	s->cfg = &cfg;
	int rc = run(s, err);
	/* Requests in work end first; what they use goes after them. */
	atomic_store(&running, NULL);
	ep_serve_free(s->serve);
	ep_api_free(s->api);
	ep_ingest_free(s->ingest);
	ep_localsyms_free(s->localsyms);
	ep_fntrees_free(s->trees);
	ep_rooms_free(s->rooms);
	ep_tenants_free(s->tenants);
	ep_tls_free(s->tls);
	ep_free(s);
	return rc;
}

void ep_server_stop(void)
{
	atomic_store(&stop_asked, true);
	struct ep_serve *s = atomic_load(&running);
	if (s)
		ep_serve_stop(s);
}

void ep_server_reload(void)
{
	struct ep_serve *s = atomic_load(&running);
	if (s)
		ep_serve_reload(s);
}
