/*
 * serverflags.h - the flags that `serve` and `up` share, and where data goes.
 */
#ifndef EP_CLI_SERVERFLAGS_H
#define EP_CLI_SERVERFLAGS_H

#include "cli/flags.h"
#include "server/server.h"

enum { EP_SERVERFLAGS_LIMITS = 13 }; /* with the row of zeroes */

/* A member of the section `tenants`. */
struct ep_serverflags_tenant {
	struct ep_serverflags_tenant *next;
	char name[EP_TENANT_NAME + 1];
	struct ep_limits limits;
	struct ep_flag rows[EP_SERVERFLAGS_LIMITS];
};

struct ep_serverflags {
	const char *listen, *data, *config, *token_file, *hosts, *tls_cert, *tls_key;
	uint64_t max_body, max_bodies, max_profile;
	int64_t workers;
	bool print_config, multi_tenant, self_profile;
	const char *log_format, *log_level;
	struct ep_limits limits;
	struct ep_flag limit_rows[EP_SERVERFLAGS_LIMITS];
	struct ep_serverflags_tenant *tenants, **last_tenant; /* for the life of the program */
	size_t n_tenants;
	struct ep_flag_section sections[3];
	char default_data[4096];
};

enum {
	EP_SERVERFLAGS_ROWS = 17, /* with the row of zeroes */
	EP_SERVERFLAGS_MAX_WORKERS = 64,
};

/* Defaults into f, and the rows of the table that point at it. */
void ep_serverflags_init(struct ep_serverflags *f, struct ep_flag ret_rows[EP_SERVERFLAGS_ROWS]);
/* -1: fine; else the exit code, after a sentence on standard error. */
int ep_serverflags_check(const struct ep_serverflags *f, const char *command);
/* The server's configuration from the parsed flags. */
void ep_serverflags_apply(const struct ep_serverflags *f, struct ep_server_config *ret_cfg);

#endif
