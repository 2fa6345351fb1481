/*
 * agent.h - sample every process of this machine and push what they did.
 *
 * `everprof agent` and the sampler process of `everprof up` are this one call.
 * It picks the best way this kernel and user allow (agent/doctor.h says which),
 * drops every capability it no longer needs, and sends one profile per service
 * and interval.
 */
#ifndef EP_AGENT_AGENT_H
#define EP_AGENT_AGENT_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EP_AGENT_HZ 99
#define EP_AGENT_INTERVAL_NS 5000000000ull

struct ep_agent_config {
	size_t sz;	       /* sizeof(struct ep_agent_config) */
	const char *server;    /* http[s]://HOST:PORT; NULL: http://127.0.0.1:4040 */
	const char *token;     /* Bearer token, or NULL */
	const char *tenant;    /* or NULL */
	const char *spool_dir; /* where profiles wait for the server; NULL: memory */
	const char *host;      /* the label host; NULL: the host name */
	unsigned hz;	       /* samples a second and CPU, 19..99; 0: 99 */
	uint64_t interval_ns;  /* between profiles, 1 s..60 s; 0: 5 s */
	bool no_upload;	       /* do not offer symbol tables to the server */
	bool no_bpf;	       /* do without eBPF, for tests and locked-down hosts */
	/* Told once, when samples begin, how CPU is sampled, in one sentence; and
	 * later of trouble, once a kind.  NULL: it goes to the log. */
	void (*say)(void *arg, const char *sentence);
	void *say_arg;
	const char *server_ca; /* of https: PEM; NULL: the system's authorities */
};

/*
 * ep_agent_run - sample until ep_agent_stop().
 *
 * The last interval is sent (or spooled) before it returns.
 *
 * errors   -EINVAL   a number out of its range, a server that is no http URL
 *          -EACCES   this user may sample nothing at all; the text says what to change
 *          -ENOTSUP  no way of sampling on this kernel
 *          -ENOMEM
 * threads  one call a process, since it gives up capabilities for good
 */
int ep_agent_run(const struct ep_agent_config *config, struct ep_err *err);

/* Make ep_agent_run() return soon.  Any thread; signal-safe; before it is fine. */
void ep_agent_stop(void);

#endif
