/* cmd_serve.c - everprof serve: the server alone. */
#include "cli/commands.h"

#include "base/log.h"
#include "cli/serverflags.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

static const char about[] =
	"Takes profiles in (Pyroscope's push APIs), keeps them, and answers queries and the "
	"web page, all on one port. Ctrl-C or SIGTERM stops it cleanly.";

static const char examples[] =
	"  everprof serve\n"
	"  everprof serve --listen 0.0.0.0:4040 --token-file tokens --tls-cert cert.pem\n"
	"  everprof serve --data ./data --listen 127.0.0.1:5050\n";

static void on_signal(int sig)
{
	(void)sig;
	ep_server_stop();
}

static void on_hangup(int sig)
{
	(void)sig;
	ep_server_reload();
}

static void on_ready(void *arg, const char *url, const char *inner_url)
{
	(void)arg;
	(void)inner_url;
	printf("everprof serve: %s\n", url);
	fflush(stdout);
}

static void catch_signals(void)
{
	struct sigaction stop = {.sa_handler = on_signal};
	struct sigaction ignore = {.sa_handler = SIG_IGN};
	sigemptyset(&stop.sa_mask);
	sigaction(SIGINT, &stop, NULL);
	sigaction(SIGTERM, &stop, NULL);
	sigaction(SIGPIPE, &ignore, NULL);
	struct sigaction again = {.sa_handler = on_hangup, .sa_flags = SA_RESTART};
	sigemptyset(&again.sa_mask);
	sigaction(SIGHUP, &again, NULL);
}

int ep_cmd_serve(int argc, char **argv)
{
	struct ep_serverflags f;
	struct ep_flag table[EP_SERVERFLAGS_ROWS];
	struct ep_server_config cfg;
	struct ep_err err = {0};
	ep_serverflags_init(&f, table);
	const struct ep_flags flags = {"serve", NULL, about, examples, table, f.sections};
	int rest, rc = ep_flags_parse(&flags, argc, argv, &rest);
	if (rc < 0)
		rc = ep_serverflags_check(&f, "serve");
	if (rc >= 0)
		return rc;
	ep_log_set_name("everprof serve");
	ep_serverflags_apply(&f, &cfg);
	cfg.ready = on_ready;
	catch_signals();
	if (ep_server_run(&cfg, &err) < 0) {
		fprintf(stderr, "everprof serve: %s\n", err.text);
		return 1;
	}
	return 0;
}
