/*
 * server.h - the server as one call: store, ingest, queries, page on one port.
 */
#ifndef EP_SERVER_SERVER_H
#define EP_SERVER_SERVER_H

#include "base/err.h"
#include "tenant/tenant.h"

#include <stdbool.h>
#include <stddef.h>

struct ep_server_config {
	size_t sz;              /* sizeof(struct ep_server_config) */
	const char *listen;     /* ADDR:PORT; NULL: 127.0.0.1:4040 */
	const char *data_dir;   /* made when it is not there */
	const char *token_file; /* NULL: no tokens; then only loopback is listened on */
	const char *own_token;  /* may push, too: of our own agent; NULL */
	bool self_profile;      /* keep profiles of the server itself, service "everprof" */
	bool multi_tenant;      /* X-Scope-OrgID names the tenant also without tokens */
	struct ep_limits limits;
	const struct ep_tenant_limits *own_limits; /* of tenants, instead */
	size_t n_own_limits;
	const char *tls_cert, *tls_key; /* PEM; NULL: plain HTTP; no key: it is with the cert */
	bool has_inner_door; /* with TLS: a plain port on loopback too, for our own agent */
	const char *hosts;      /* more names that Host may hold, comma-separated; NULL */
	size_t max_body_bytes;    /* of a request; 0: 64 MB */
	size_t max_bodies_bytes;  /* of all requests at once; 0: 512 MB */
	size_t max_profile_bytes; /* unpacked; 0: 64 MB */
	unsigned n_workers;       /* 0: 4 */
	const char *sees;       /* the doctor's lines for the page, or NULL */
	bool has_agent;         /* an agent of ours samples this machine */
	/*
	 * Called once after the port is bound and the token file is read, before the
	 * data folder is touched: the place to give up privileges.  May be NULL; a
	 * negative errno ends the start.
	 */
	int (*settle)(void *arg, struct ep_err *err);
	/* Called once when requests are answered, with the URL, and that of the inner door
	 * (else the same). */
	void (*ready)(void *arg, const char *url, const char *inner_url);
	void *arg;
};

/*
 * ep_server_run - serve until ep_server_stop().
 *
 * Stopped, it takes no more connections, finishes the requests in work and closes
 * the store; everything acknowledged is on disk at any moment before that, too.
 *
 * errors   -EINVAL, -EACCES, -EEXIST (port taken), -EIO, -ENOTSUP, -EAGAIN (the data
 *          folder is in use): one sentence that says what to do
 * threads  one call a process
 */
int ep_server_run(const struct ep_server_config *config, struct ep_err *err);

/* Any thread; signal-safe; before the start is fine. */
void ep_server_stop(void);

/* Read the certificate and the tokens again; what can't be read stays as it was, and is
 * logged.  Any thread; signal-safe; before the start is fine. */
void ep_server_reload(void);

#endif
