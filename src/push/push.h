/*
 * push.h - an upload queue with a disk spool: the library and the agent share it.
 *
 * Profiles are pushed to POST /ingest of a Pyroscope-compatible server.  While
 * the server is away they wait in a folder within a byte limit, the oldest is
 * dropped and counted first, and they drain with back-off and jitter when it
 * returns.  No library beyond libc; OpenSSL is loaded for https servers.
 */
#ifndef EP_PUSH_PUSH_H
#define EP_PUSH_PUSH_H

#include "base/err.h"
#include "base/mem.h"
#include "base/slice.h"

#include <stddef.h>
#include <stdint.h>

struct ep_push;

struct ep_push_config {
	size_t sz;               /* sizeof(struct ep_push_config) */
	const char *server;      /* http[s]://[USER:PASSWORD@]HOST:PORT[/PREFIX] */
	const char *token;       /* Bearer token; with a colon, USER:PASSWORD for Basic; or NULL */
	const char *tenant;      /* X-Scope-OrgID, or NULL */
	const char *spool_dir;   /* NULL: keep in memory only, within max_spool_bytes */
	size_t max_spool_bytes;  /* 0: 64 MB */
	const char *spy_name;    /* "everprof-lib", "everprof-agent" */
	/* Called every 100 ms or so while a drain or request waits for the server;
	 * other than 0 gives the exchange up (-ETIMEDOUT).  May be NULL. */
	int (*idle)(void *arg);
	void *idle_arg;
	const char *ca_file;     /* of https: PEM; NULL: the system's authorities */
};

#define EP_PUSH_BLOCK "__kind__=block,"

struct ep_push_item {
	/* app{k=v,…} as /ingest takes it.  A label EP_PUSH_BLOCK stays here: it says that
	 * contentions and delay are those of a block profile, not of mutex. */
	const char *name;
	uint64_t from_ns, until_ns;
	uint32_t sample_rate_hz; /* 0: not said */
	const void *pprof_gz;
	size_t n_bytes;
};

struct ep_push_stats {
	uint64_t sent, failed_tries, dropped, rejected, waiting, bytes_waiting;
	char last_error[160];
};

/*
 * 0, -EINVAL for an address that is no http URL, -ENOMEM.  A token wins over the
 * password of the address.  Strings are copied.
 * One thread at a time per queue, for all calls; none is signal-safe.  Programs
 * may share spool_dir: each server and tenant has a folder of its own in it, and
 * what an earlier process left there is sent by whoever comes first.
 */
int ep_push_new(const struct ep_push_config *config, struct ep_push **ret_p,
		struct ep_err *err);
/* What still waits goes to the spool first. */
void ep_push_free(struct ep_push *p);
EP_DEFINE_AUTO(ep_push);

/* Take a profile into the queue; the bytes are copied or written.  Never waits. */
int ep_push_add(struct ep_push *p, const struct ep_push_item *item);

/*
 * Send what waits until the queue is empty, a try fails, or the deadline (of
 * CLOCK_MONOTONIC) passes.  Returns the number still waiting.  A server's 4xx
 * other than 408, 425, 429 rejects the item for good, counted with its sentence.
 * It tries at once; ep_push_next_try_ns() says when that is polite.
 */
int ep_push_drain(struct ep_push *p, uint64_t deadline_ns);

/* When the next try is due (CLOCK_MONOTONIC); UINT64_MAX when nothing waits. */
uint64_t ep_push_next_try_ns(const struct ep_push *p);
void ep_push_stats(const struct ep_push *p, struct ep_push_stats *ret_stats);

/*
 * ep_push_request - one plain HTTP exchange with the server of the queue; the
 * agent uses it for symbols.
 *
 * in       method, path   as sent; headers of the queue (token, tenant) are added
 * out      ret_body       may be NULL; appended, at most max of the buffer
 * errors   -ECONNREFUSED, -ETIMEDOUT, -EIO, -EBADMSG
 * returns  the HTTP status on success
 */
struct ep_buf;
int ep_push_request(struct ep_push *p, const char *method, const char *path,
		    const char *content_type, const void *body, size_t n_body,
		    uint64_t timeout_ns, struct ep_buf *ret_body, struct ep_err *err);

#endif
