/* server.c - open everything, serve, close everything.  See server.h. */
#include "server/server.h"

#include "api/api.h"
#include "base/log.h"
#include "ingest/ingest.h"
#include "net/serve.h"
#include "server/datadir.h"
#include "server/guard.h"
#include "server/localsyms.h"
#include "server/metrics.h"
#include "store/store.h"
#include "symbol/symbol.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

struct server {
	const struct ep_server_config *cfg;
	struct ep_addr addr;
	struct ep_tenants *tenants;
	struct ep_store *store;
	struct ep_symcache *symbols;
	struct ep_localsyms *localsyms;
	struct ep_ingest *ingest;
	struct ep_api *api;
	struct ep_guard guard;
	struct ep_serve *serve;
	struct ep_metrics metrics;
};

/* For ep_server_stop(), which a signal handler calls. */
static struct ep_serve *_Atomic running;
static atomic_bool stop_asked;

static void on_profile(void *arg, const struct ep_profile *p)
{
	struct server *s = arg;
	ep_localsyms_see(s->localsyms, p);
}

static void on_metrics(void *arg, struct ep_buf *out)
{
	struct server *s = arg;
	ep_metrics_write(&s->metrics, out);
}

static bool knows_token(void *arg, struct ep_slice token)
{
	struct server *s = arg;
	return ep_tenants_knows(s->tenants, token);
}

static int join(char *to, const char *dir, const char *name, struct ep_err *err)
{
	int n = snprintf(to, PATH_MAX, "%s/%s", dir, name);
	return n < PATH_MAX ? 0 : ep_fail(err, -EINVAL, 0, "--data: the path is too long");
}

static int check_access(struct server *s, struct ep_err *err)
{
	EP_TRY(ep_addr_parse(s->cfg->listen, &s->addr, err));
	EP_TRY(ep_tenants_load(s->cfg->token_file, &s->tenants, err));
	if (!ep_addr_is_loopback((struct sockaddr *)&s->addr.sa) && !s->cfg->token_file)
		return ep_fail(err, -EACCES, 0,
			       "listening on %s lets other machines in, which needs tokens: give "
			       "--token-file FILE (a line each: TOKEN [TENANT [ROLE]]), or listen "
			       "on 127.0.0.1",
			       s->cfg->listen);
	return 0;
}

static int open_rooms(struct server *s, struct ep_err *err)
{
	char path[PATH_MAX];
	EP_TRY(ep_datadir_make(s->cfg->data_dir, err));
	EP_TRY(join(path, s->cfg->data_dir, "store", err));
	EP_TRY(ep_store_open(path, &s->store, err));
	EP_TRY(join(path, s->cfg->data_dir, "symbols", err));
	EP_TRY(ep_symcache_new(path, &s->symbols, err));
	if (ep_localsyms_new(s->symbols, &s->localsyms) < 0)
		return ep_fail(err, -ENOMEM, 0, "can't start the symbol thread");
	struct ep_ingest_config in = {.store = s->store,
				      .max_profile_bytes = s->cfg->max_profile_bytes,
				      .on_profile = on_profile,
				      .arg = s};
	struct ep_api_config api = {.env = {.store = s->store, .symbols = s->symbols},
				    .sees = s->cfg->sees,
				    .has_agent = s->cfg->has_agent,
				    .metrics = on_metrics,
				    .knows_token = s->cfg->token_file ? knows_token : NULL,
				    .arg = s};
	if (ep_ingest_new(&in, &s->ingest) < 0 || ep_api_new(&api, &s->api) < 0)
		return ep_fail(err, -ENOMEM, 0, "no memory to start");
	return 0;
}

static int open_door(struct server *s, struct ep_err *err)
{
	EP_TRY(ep_guard_set_hosts(&s->guard, &s->addr, s->cfg->hosts, err));
	s->guard.tenants = s->tenants;
	s->guard.tables[s->guard.n_tables++] = ep_ingest_table(s->ingest);
	s->guard.tables[s->guard.n_tables++] = ep_api_table(s->api);
	s->metrics = (struct ep_metrics){.serve = s->serve,
					 .guard = &s->guard,
					 .ingest = s->ingest,
					 .localsyms = s->localsyms,
					 .store = s->store};
	return 0;
}

/* The port is taken first: the usual mistake is told before anything is touched. */
static int bind_port(struct server *s, struct ep_err *err)
{
	struct ep_serve_config cfg = {.listen = s->cfg->listen,
				      .admit = ep_guard_admit,
				      .handle = ep_guard_handle,
				      .room = &s->guard,
				      .n_workers = s->cfg->n_workers,
				      .max_body_bytes = s->cfg->max_body_bytes,
				      .max_bodies_bytes = s->cfg->max_bodies_bytes};
	return ep_serve_new(&cfg, &s->serve, err);
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
	if (s->cfg->ready)
		s->cfg->ready(s->cfg->arg, ep_serve_address(s->serve));
	return ep_serve_run(s->serve);
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
	ep_symcache_free(s->symbols);
	ep_store_close(s->store);
	ep_tenants_free(s->tenants);
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
