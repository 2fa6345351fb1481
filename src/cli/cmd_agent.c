/*
 * cmd_agent.c - everprof agent: sample every process here, send to a server.
 */
#include "cli/commands.h"

#include "agent/agent.h"
#include "base/clock.h"
#include "base/log.h"
#include "cli/flags.h"
#include "server/datadir.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char about[] =
	"Samples the CPU time of every process of this machine and sends one profile a "
	"service and interval to a server. Where eBPF is not allowed it does what this user "
	"may do, and says so; `everprof doctor` says what to change for more.";

static const char examples[] =
	"  sudo everprof agent --server http://profiles.example:4040\n"
	"  sudo everprof agent --config /etc/everprof/agent.conf\n"
	"  everprof agent --frequency 49      # this user's processes only\n";

struct options {
	const char *server, *token_file, *server_ca, *tenant, *data, *host, *config;
	int64_t hz;
	uint64_t interval_ns;
	bool no_bpf, no_upload, verbose;
};

static void on_signal(int sig)
{
	(void)sig;
	ep_agent_stop();
}

/* The first word of the file. */
static int read_token(const char *path, char *ret, size_t n)
{
	FILE *f = fopen(path, "re");
	if (!f || !fgets(ret, (int)n, f))
		ret[0] = '\0';
	if (f)
		fclose(f);
	ret[strcspn(ret, " \t\r\n")] = '\0';
	return ret[0] ? 0 : -1;
}

static int run(const struct options *o)
{
	char token[512] = "", data[4096], spool[sizeof(data) + 8];
	struct ep_err err = {0};
	if (o->token_file && read_token(o->token_file, token, sizeof(token)) < 0) {
		fprintf(stderr, "everprof agent: there is no token in %s\n",
			o->token_file);
		return 1;
	}
	if (!o->data)
		ep_datadir_default(data, sizeof(data));
	/* Beside the server's folder and not in it, which belongs to another user. */
	snprintf(spool, sizeof(spool), o->data ? "%s/spool" : "%s-spool",
		 o->data ? o->data : data);
	struct sigaction a = {.sa_handler = on_signal};
	sigaction(SIGINT, &a, NULL);
	sigaction(SIGTERM, &a, NULL);
	signal(SIGPIPE, SIG_IGN);
	ep_log_set_name("everprof agent");
	ep_log_set_level(o->verbose ? EP_LOG_DEBUG : EP_LOG_INFO);
	struct ep_agent_config config = {
		.sz = sizeof(config),
		.server = o->server,
		.token = token[0] ? token : NULL,
		.server_ca = o->server_ca,
		.tenant = o->tenant,
		.spool_dir = spool,
		.host = o->host,
		.hz = (unsigned)o->hz,
		.interval_ns = o->interval_ns,
		.no_upload = o->no_upload,
		.no_bpf = o->no_bpf,
	};
	int rc = ep_agent_run(&config, &err);
	if (rc < 0)
		fprintf(stderr, "everprof agent: %s\n", err.text);
	return rc == -EINVAL ? 2 : rc < 0;
}

int ep_cmd_agent(int argc, char **argv)
{
	bool print_config = false;
	struct options o = {
		.server = "http://127.0.0.1:4040",
		.hz = EP_AGENT_HZ,
		.interval_ns = EP_AGENT_INTERVAL_NS,
	};
	const struct ep_flag table[] = {
		{"server", 0, "URL", EP_FLAG_STRING, &o.server,
		 "where profiles go (http://127.0.0.1:4040)"},
		{"server-token-file", 0, "FILE", EP_FLAG_STRING, &o.token_file,
		 "the token that the server asks for"},
		{"server-ca", 0, "FILE", EP_FLAG_STRING, &o.server_ca,
		 "for https: the authorities to trust, PEM (the system's)"},
		{"tenant", 0, "NAME", EP_FLAG_STRING, &o.tenant,
		 "whose profiles they are"},
		{"data", 0, "DIR", EP_FLAG_STRING, &o.data,
		 "profiles wait in DIR/spool while the server is away "
		 "(/var/lib/everprof-spool, or $XDG_DATA_HOME/everprof-spool)"},
		{"host", 0, "NAME", EP_FLAG_STRING, &o.host,
		 "the label host (the host's name)"},
		{"frequency", 'F', "HZ", EP_FLAG_INT, &o.hz,
		 "samples a second and CPU, 19 to 99 (99)"},
		{"interval", 0, "TIME", EP_FLAG_DURATION, &o.interval_ns,
		 "a profile each, 1s to 60s (5s)"},
		{"no-upload", 0, NULL, EP_FLAG_BOOL, &o.no_upload,
		 "do not send symbol tables of the programs seen"},
		{"no-bpf", 0, NULL, EP_FLAG_BOOL, &o.no_bpf, "do without eBPF"},
		{"config", 0, "FILE", EP_FLAG_STRING, &o.config,
		 "the same flags as YAML: key: value"},
		{"print-config", 0, NULL, EP_FLAG_BOOL, &print_config,
		 "print every setting as such a file"},
		{"verbose", 'v', NULL, EP_FLAG_BOOL, &o.verbose, "say more"},
		{0},
	};
	const struct ep_flags flags = {"agent", NULL, about, examples, table, NULL};
	int rest, rc = ep_flags_parse(&flags, argc, argv, &rest);
	if (rc >= 0)
		return rc;
	return run(&o);
}
