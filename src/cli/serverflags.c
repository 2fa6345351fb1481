/* serverflags.c - see serverflags.h. */
#include "cli/serverflags.h"

#include "server/datadir.h"

#include <stdio.h>
#include <string.h>

void ep_serverflags_init(struct ep_serverflags *f, struct ep_flag ret_rows[EP_SERVERFLAGS_ROWS])
{
	*f = (struct ep_serverflags){.listen = "127.0.0.1:4040",
				     .max_body = 64 << 20,
				     .max_bodies = 512 << 20,
				     .max_profile = 64 << 20,
				     .workers = 4};
	ep_datadir_default(f->default_data, sizeof(f->default_data));
	f->data = f->default_data;
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
		{"config", 0, "FILE", EP_FLAG_STRING, &f->config,
		 "the same flags as YAML (key: value), and limits of tenants"},
		{"print-config", 0, NULL, EP_FLAG_BOOL, &f->print_config,
		 "print every setting as such a file"},
		{0},
	};
	memcpy(ret_rows, rows, sizeof(rows));
}

int ep_serverflags_check(const struct ep_serverflags *f, const char *command)
{
	const char *wrong = NULL;
	if (f->workers < 1 || f->workers > EP_SERVERFLAGS_MAX_WORKERS)
		wrong = "--workers is 1 to 64";
	else if (!f->max_body || !f->max_bodies || !f->max_profile)
		wrong = "--max-body, --max-bodies and --max-profile are more than 0";
	if (wrong)
		fprintf(stderr, "everprof %s: %s\n", command, wrong);
	return wrong ? 2 : -1;
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
		.max_body_bytes = (size_t)f->max_body,
		.max_bodies_bytes = (size_t)f->max_bodies,
		.max_profile_bytes = (size_t)f->max_profile,
		.n_workers = (unsigned)f->workers,
	};
}
