/* serverflags.c - see serverflags.h. */
#include "cli/serverflags.h"

#include "base/log.h"
#include "base/mem.h"
#include "server/datadir.h"

#include <stdio.h>
#include <string.h>

static void make_rows(struct ep_limits *l, struct ep_flag ret_rows[EP_SERVERFLAGS_LIMITS])
{
	const struct ep_flag rows[EP_SERVERFLAGS_LIMITS] = {
		{"rate", 0, "SIZE", EP_FLAG_SIZE, &l->rate,
		 "bytes of pushes a second, as they are sent; over it 429"},
		{"burst", 0, "SIZE", EP_FLAG_SIZE, &l->burst,
		 "bytes at once above the rate (ten seconds of it)"},
		{"daily", 0, "SIZE", EP_FLAG_SIZE, &l->daily,
		 "bytes of pushes a day, from 00:00 UTC; over it 429"},
		{"profile-size", 0, "SIZE", EP_FLAG_SIZE, &l->profile_size,
		 "of one profile, unpacked, below max-profile; over it 413"},
		{"series", 0, "N", EP_FLAG_INT, &l->series,
		 "label sets that push within an hour; a new one over it 429"},
		{"label-names", 0, "N", EP_FLAG_INT, &l->label_names,
		 "labels of a series; over it 422"},
		{"label-name-size", 0, "SIZE", EP_FLAG_SIZE, &l->label_name_size,
		 "of a label's name; over it 422"},
		{"label-value-size", 0, "SIZE", EP_FLAG_SIZE, &l->label_value_size,
		 "of a label's value; over it 422"},
		{"label-values", 0, "N", EP_FLAG_INT, &l->label_values,
		 "values of one label within an hour; a new one over it 429"},
		{"query-time", 0, "TIME", EP_FLAG_DURATION, &l->query_time,
		 "of one query; over it 504"},
		{"query-bytes", 0, "SIZE", EP_FLAG_SIZE, &l->query_bytes,
		 "of rows that one query may read, unpacked; over it 422 or 429"},
		{"query-nodes", 0, "N", EP_FLAG_INT, &l->query_nodes,
		 "of the tree that one query merges; over it 422 or 429"},
		{0},
	};
	memcpy(ret_rows, rows, sizeof(rows));
}

static const struct ep_flag *add_tenant(void *arg, const char *name, struct ep_err *err)
{
	struct ep_serverflags *f = arg;
	if (ep_tenant_check_name(ep_slice_of(name), err) < 0)
		return NULL;
	struct ep_serverflags_tenant *t = ep_zalloc(sizeof(*t));
	if (!t) {
		ep_fail(err, -ENOMEM, 0, "no memory");
		return NULL;
	}
	memcpy(t->name, name, strlen(name) + 1);
	t->limits = f->limits;
	make_rows(&t->limits, t->rows);
	*f->last_tenant = t;
	f->last_tenant = &t->next;
	f->n_tenants++;
	return t->rows;
}

static const struct ep_flag *nth_tenant(void *arg, size_t i, const char **ret_name)
{
	struct ep_serverflags *f = arg;
	struct ep_serverflags_tenant *t = f->tenants;
	while (t && i--)
		t = t->next;
	if (t)
		*ret_name = t->name;
	return t ? t->rows : NULL;
}

static void init_sections(struct ep_serverflags *f)
{
	f->last_tenant = &f->tenants;
	make_rows(&f->limits, f->limit_rows);
	f->sections[0] = (struct ep_flag_section){
		.name = "limits",
		.help = "What every tenant may do; 0 is no limit.",
		.rows = f->limit_rows};
	f->sections[1] = (struct ep_flag_section){
		.name = "tenants",
		.help = "Tenants with limits of their own: NAME, and below it keys of limits; what is "
			"not named is as in limits.",
		.member = add_tenant,
		.nth = nth_tenant,
		.arg = f};
}

void ep_serverflags_init(struct ep_serverflags *f, struct ep_flag ret_rows[EP_SERVERFLAGS_ROWS])
{
	*f = (struct ep_serverflags){.listen = "127.0.0.1:4040",
				     .log_format = "text",
				     .log_level = "info",
				     .max_body = 64 << 20,
				     .max_bodies = 512 << 20,
				     .max_profile = 64 << 20,
				     .workers = 4};
	ep_datadir_default(f->default_data, sizeof(f->default_data));
	f->data = f->default_data;
	init_sections(f);
	const struct ep_flag rows[EP_SERVERFLAGS_ROWS] = {
		{"listen", 0, "ADDR:PORT", EP_FLAG_STRING, &f->listen,
		 "where to answer (127.0.0.1:4040); off loopback --token-file is needed"},
		{"data", 0, "DIR", EP_FLAG_STRING, &f->data,
		 "profiles and symbols (/var/lib/everprof as root, else "
		 "$XDG_DATA_HOME/everprof)"},
		{"token-file", 0, "FILE", EP_FLAG_STRING, &f->token_file,
		 "tokens accepted, a line each: TOKEN [TENANT [ROLE]]; ROLE is admin, "
		 "read or write"},
		{"tls-cert", 0, "FILE", EP_FLAG_STRING, &f->tls_cert,
		 "answer with TLS: the certificate and those between it and the root, PEM; read "
		 "again on SIGHUP"},
		{"tls-key", 0, "FILE", EP_FLAG_STRING, &f->tls_key,
		 "its private key, PEM (in the same file)"},
		{"host", 0, "NAMES", EP_FLAG_STRING, &f->hosts,
		 "more names this server is asked by, comma-separated; others are refused"},
		{"max-body", 0, "SIZE", EP_FLAG_SIZE, &f->max_body, "of one request (64MB)"},
		{"max-bodies", 0, "SIZE", EP_FLAG_SIZE, &f->max_bodies,
		 "of all requests being read at once (512MB)"},
		{"max-profile", 0, "SIZE", EP_FLAG_SIZE, &f->max_profile,
		 "of one profile, unpacked (64MB)"},
		{"workers", 0, "N", EP_FLAG_INT, &f->workers,
		 "threads that answer queries, and as many that take profiles (4)"},
		{"self-profile", 0, NULL, EP_FLAG_BOOL, &f->self_profile,
		 "keep profiles of the server itself, as service everprof"},
		{"log-format", 0, "FORM", EP_FLAG_STRING, &f->log_format,
		 "of the lines on standard error: text or json (text)"},
		{"log-level", 0, "LEVEL", EP_FLAG_STRING, &f->log_level,
		 "error, warning, info or debug (info)"},
		{"multi-tenant", 0, NULL, EP_FLAG_BOOL, &f->multi_tenant,
		 "X-Scope-OrgID names the tenant, and must, also where no tokens are asked for"},
		{"config", 0, "FILE", EP_FLAG_STRING, &f->config,
		 "the same flags as YAML (key: value), and limits of tenants"},
		{"print-config", 0, NULL, EP_FLAG_BOOL, &f->print_config,
		 "print every setting as such a file"},
		{0},
	};
	memcpy(ret_rows, rows, sizeof(rows));
}

static bool set_log(const struct ep_serverflags *f)
{
	static const char *const levels[] = {"error", "warning", "info", "debug"};
	bool is_json = f->log_format && !strcmp(f->log_format, "json");
	if (!is_json && (!f->log_format || strcmp(f->log_format, "text") != 0))
		return false;
	ep_log_set_json(is_json);
	for (unsigned i = 0; i < 4; i++)
		if (f->log_level && !strcmp(f->log_level, levels[i])) {
			ep_log_set_level((enum ep_log_level)i);
			return true;
		}
	return false;
}

int ep_serverflags_check(const struct ep_serverflags *f, const char *command)
{
	const char *wrong = NULL;
	if (f->workers < 1 || f->workers > EP_SERVERFLAGS_MAX_WORKERS)
		wrong = "--workers is 1 to 64";
	else if (!f->max_body || !f->max_bodies || !f->max_profile)
		wrong = "--max-body, --max-bodies and --max-profile are more than 0";
	if (!wrong && !set_log(f))
		wrong = "--log-format is text or json, --log-level error, warning, info or debug";
	if (wrong)
		fprintf(stderr, "everprof %s: %s\n", command, wrong);
	return wrong ? 2 : -1;
}

/* Reachable to the end, so that a leak checker sees it is meant; never read. */
static void *volatile kept[2];

static struct ep_tenant_limits *list_tenants(const struct ep_serverflags *f)
{
	struct ep_tenant_limits *all = ep_alloc((f->n_tenants + 1) * sizeof(*all));
	size_t n = 0;
	kept[0] = f->tenants;
	kept[1] = all;
	for (struct ep_serverflags_tenant *t = f->tenants; all && t; t = t->next)
		all[n++] = (struct ep_tenant_limits){t->name, t->limits};
	return all;
}

void ep_serverflags_apply(const struct ep_serverflags *f, struct ep_server_config *ret_cfg)
{
	*ret_cfg = (struct ep_server_config){
		.sz = sizeof(*ret_cfg),
		.listen = f->listen,
		.data_dir = f->data,
		.token_file = f->token_file,
		.tls_cert = f->tls_cert,
		.tls_key = f->tls_key,
		.hosts = f->hosts,
		.self_profile = f->self_profile,
		.multi_tenant = f->multi_tenant,
		.limits = f->limits,
		.own_limits = list_tenants(f), /* for the life of the program */
		.n_own_limits = f->n_tenants,
		.max_body_bytes = (size_t)f->max_body,
		.max_bodies_bytes = (size_t)f->max_bodies,
		.max_profile_bytes = (size_t)f->max_profile,
		.n_workers = (unsigned)f->workers,
	};
}
