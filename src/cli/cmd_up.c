/*
 * cmd_up.c - everprof up: server and agent on one machine.
 *
 * Three processes: this one only watches; the agent keeps the capabilities that
 * sampling needs; the server runs as an unprivileged user.  Stopping, the agent
 * sends its last profiles before the server stops.
 */
#include "cli/commands.h"

#include "agent/agent.h"
#include "agent/doctor.h"
#include "base/clock.h"
#include "base/log.h"
#include "cli/child.h"
#include "cli/serverflags.h"
#include "server/datadir.h"

#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define AGENT_STOP_NS (15 * EP_NS_PER_S)
#define SERVER_STOP_NS (20 * EP_NS_PER_S)

enum { EXIT_NOT_ALLOWED = 77, MAX_RESTARTS = 5 };

static const char about[] =
	"Profiles every process of this machine (or, without privileges, your own) and shows "
	"them on a web page. Ctrl-C stops it; the next start shows the history.";

static const char examples[] = "  sudo everprof up\n"
			       "  everprof up --listen 127.0.0.1:5050 --data ./profiles\n";

struct up {
	struct ep_serverflags f;
	int64_t hz;
	char *sees;
	struct passwd *user; /* NULL: stay who we are */
	int news;            /* write end: the server's "+ADDRESS" or its error */
	char url[640];   /* of the page */
	char inner[640]; /* for our own agent */
	char token[600];
	char spool[PATH_MAX]; /* where the agent's profiles wait; "": in memory */
	struct ep_child server, agent;
	unsigned n_restarts;
};

static volatile sig_atomic_t n_signals, n_hangups;

static void on_signal(int sig)
{
	(void)sig;
	n_signals++;
}

/* A closed terminal ends us; where there is none, it asks to read the files again. */
static void on_hangup(int sig)
{
	(void)sig;
	n_hangups++;
}

/* --- the server's process ---------------------------------------------------------- */

static int settle(void *arg, struct ep_err *err)
{
	struct up *u = arg;
	const char *step = "";
	if (u->user && ep_child_become(u->user->pw_uid, u->user->pw_gid, &step) < 0)
		return ep_fail(err, -EACCES, 0, "can't become the user %s (%s: %s)",
			       u->user->pw_name, step, strerror(errno));
	return 0;
}

static void tell(int fd, char kind, const char *text)
{
	char line[600];
	int n = snprintf(line, sizeof(line), "%c%s", kind, text);
	if (n > 0)
		(void)!write(fd, line, (size_t)n < sizeof(line) ? (size_t)n : sizeof(line) - 1);
	(void)close(fd); /* one message */
}

static void on_ready(void *arg, const char *url, const char *inner_url)
{
	struct up *u = arg;
	char both[256];
	(void)snprintf(both, sizeof(both), "%s %s", url, inner_url);
	tell(u->news, '+', both);
	u->news = -1;
}

static void on_server_hangup(int sig)
{
	(void)sig;
	ep_server_reload();
}

static int run_server(void *arg)
{
	struct up *u = arg;
	struct ep_server_config cfg;
	struct ep_err err = {0};
	struct sigaction again = {.sa_handler = on_server_hangup, .sa_flags = SA_RESTART};
	sigemptyset(&again.sa_mask);
	sigaction(SIGHUP, &again, NULL);
	ep_log_set_name("everprof up: server");
	ep_serverflags_apply(&u->f, &cfg);
	cfg.sees = u->sees;
	cfg.has_agent = true;
	cfg.own_token = u->f.token_file ? NULL : u->token;
	cfg.has_inner_door = true;
	cfg.settle = settle;
	cfg.ready = on_ready;
	cfg.arg = u;
	if (ep_server_run(&cfg, &err) >= 0)
		return 0;
	if (u->news >= 0)
		tell(u->news, '-', err.text);
	else
		ep_log_error("%s", err.text);
	return 1;
}

/* Start it and hear whether it answers.  0, or 1 after its error was printed. */
static int start_server(struct up *u)
{
	int fds[2];
	char text[600] = "";
	if (pipe2(fds, O_CLOEXEC) < 0)
		return 1;
	u->news = fds[1];
	int rc = ep_child_start(&u->server, run_server, u, ep_server_stop);
	(void)close(fds[1]); /* the child holds the other */
	ssize_t n = -1;
	while (rc == 0 && (n = read(fds[0], text, sizeof(text) - 1)) < 0 && errno == EINTR &&
	       !n_signals)
		continue;
	(void)close(fds[0]); /* one message */
	if (n > 0 && text[0] == '+' && sscanf(text + 1, "%639s %639s", u->url, u->inner) == 2)
		return 0;
	if (!n_signals)
		fprintf(stderr, "everprof up: %s\n",
			n > 1 ? text + 1 : "the server ended before it answered");
	ep_child_release(&u->server);
	(void)ep_child_wait(&u->server, ep_clock_mono_ns() + SERVER_STOP_NS);
	return 1;
}

/* --- the agent's process ------------------------------------------------------------ */

/* The address that this machine reaches the server by. */
static void server_url(const struct up *u, char *url, size_t n)
{
	const char *colon = strrchr(u->inner, ':');
	if (!strncmp(u->inner, "http://0.0.0.0:", 15))
		(void)snprintf(url, n, "http://127.0.0.1%s", colon);
	else if (!strncmp(u->inner, "http://[::]:", 12))
		(void)snprintf(url, n, "http://[::1]%s", colon);
	else
		(void)snprintf(url, n, "%s", u->inner);
}

/* How CPU is sampled stands in the doctor's first line already, when it came true. */
static void on_sentence(void *arg, const char *sentence)
{
	const struct up *u = arg;
	size_t n = strcspn(sentence, ",.;");
	if (!u->sees || strncmp(u->sees, sentence, n) != 0)
		ep_log_info("%s", sentence);
}

static int run_agent(void *arg)
{
	struct up *u = arg;
	char url[700];
	struct ep_err err = {0};
	server_url(u, url, sizeof(url));
	ep_log_set_name("everprof up: agent");
	struct ep_agent_config cfg = {.sz = sizeof(cfg),
				      .server = url,
				      .token = u->token[0] ? u->token : NULL,
				      .spool_dir = u->spool[0] ? u->spool : NULL,
				      .hz = (unsigned)u->hz,
				      .say = on_sentence,
				      .say_arg = u};
	int rc = ep_agent_run(&cfg, &err);
	if (rc >= 0)
		return 0;
	ep_log_error("%s", err.text);
	return rc == -EACCES || rc == -ENOTSUP || rc == -EINVAL ? EXIT_NOT_ALLOWED : 1;
}

/* Without such a file there may be a list of hashes: then the server takes this one, too. */
static void make_token(struct up *u)
{
	unsigned char raw[16];
	if (getrandom(raw, sizeof(raw), 0) != sizeof(raw))
		return; /* as without one */
	for (unsigned i = 0; i < sizeof(raw); i++)
		(void)snprintf(u->token + 2 * i, 3, "%02x", raw[i]);
}

/* With tokens, the agent needs one that may push: the first of the file. */
static void read_token(struct up *u)
{
	char line[1024], token[513], tenant[65], role[17];
	FILE *f = u->f.token_file ? fopen(u->f.token_file, "re") : NULL;
	while (f && !u->token[0] && fgets(line, sizeof(line), f)) {
		int n = sscanf(line, "%512s %64s %16s", token, tenant, role);
		if (n >= 1 && token[0] != '#' && (n < 3 || strcmp(role, "read") != 0))
			(void)snprintf(u->token, sizeof(u->token), "%s", token);
	}
	if (f)
		fclose(f);
	if (!u->f.token_file)
		make_token(u);
}

/* --- watching ------------------------------------------------------------------------ */

/* true: go on.  An agent that died is started again, a few times. */
static bool watch_agent(struct up *u)
{
	int status;
	if (!ep_child_has_ended(&u->agent, &status))
		return true;
	if (status == EXIT_NOT_ALLOWED) {
		fprintf(stderr, "everprof up: going on without sampling; programs can still push "
				"to %s\n",
			u->url);
		return true;
	}
	if (u->n_restarts++ == MAX_RESTARTS) {
		fprintf(stderr, "everprof up: the agent died %d times and stays off; the server "
				"goes on\n",
			MAX_RESTARTS + 1);
		return true;
	}
	fprintf(stderr, "everprof up: the agent died (%s %d); starting it again\n",
		status < 0 ? "signal," : "status", status);
	sleep(u->n_restarts); /* a signal ends it early */
	return ep_child_start(&u->agent, run_agent, u, ep_agent_stop) == 0;
}

static bool watch_server(struct up *u)
{
	int status;
	if (!ep_child_has_ended(&u->server, &status))
		return true;
	fprintf(stderr, "everprof up: the server ended unexpectedly; stopping\n");
	return false;
}

/* The agent first, so that its last profiles find a server. */
static int stop_both(struct up *u, bool server_lives)
{
	ep_child_release(&u->agent);
	(void)ep_child_wait(&u->agent, ep_clock_mono_ns() + AGENT_STOP_NS);
	ep_child_release(&u->server);
	int status = ep_child_wait(&u->server, ep_clock_mono_ns() + SERVER_STOP_NS);
	return server_lives && status == 0 ? 0 : 1;
}

static int watch(struct up *u)
{
	bool server_lives = true;
	sigset_t chld;
	struct timespec wait = {.tv_sec = 1};
	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	while (!n_signals && server_lives) {
		(void)sigtimedwait(&chld, NULL, &wait); /* a turn a second in any case */
		if (n_hangups && u->server.pid) {
			n_hangups = 0;
			(void)kill(u->server.pid, SIGHUP); /* ended: watch_server() sees it */
		}
		server_lives = watch_server(u);
		if (server_lives && !n_signals && !watch_agent(u))
			break;
	}
	if (n_signals) {
		printf("\neverprof up: stopping\n");
		fflush(stdout); /* before the last words of the others */
	}
	int rc = stop_both(u, server_lives);
	(void)rmdir(u->spool); /* stays when something waits in it */
	if (n_signals && rc == 0)
		printf("everprof up: stopped; the history is kept in %s\n", u->f.data);
	return rc;
}

/* --- start --------------------------------------------------------------------------- */

static void catch_signals(void)
{
	struct sigaction a = {.sa_handler = on_signal};
	sigset_t chld;
	sigemptyset(&a.sa_mask);
	sigaction(SIGINT, &a, NULL);
	sigaction(SIGTERM, &a, NULL);
	if (!isatty(STDIN_FILENO))
		a.sa_handler = on_hangup;
	sigaction(SIGHUP, &a, NULL);
	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	sigprocmask(SIG_BLOCK, &chld, NULL); /* waited for */
}

/* Who the server becomes: only root can, and only root needs to. */
static int choose_user(struct up *u)
{
	struct ep_err err = {0};
	if (geteuid() != 0)
		return 0;
	u->user = getpwnam("everprof");
	if (!u->user)
		u->user = getpwnam("nobody");
	if (!u->user) {
		fprintf(stderr, "everprof up: there is no user \"everprof\" or \"nobody\" for the "
				"server to run as; make one: useradd -r everprof\n");
		return 1;
	}
	if (ep_datadir_give(u->f.data, u->user->pw_uid, u->user->pw_gid, &err) < 0) {
		fprintf(stderr, "everprof up: %s\n", err.text);
		return 1;
	}
	return 0;
}

/*
 * Beside the data folder and not in it: that belongs to the server's user, who could
 * put a link there, and the agent writes as root.
 */
static void choose_spool(struct up *u)
{
	struct stat st;
	size_t n = strlen(u->f.data);
	while (n > 1 && u->f.data[n - 1] == '/')
		n--;
	int len = snprintf(u->spool, sizeof(u->spool), "%.*s-spool", (int)n, u->f.data);
	bool fits = len > 0 && (size_t)len < sizeof(u->spool);
	/* Now, while we may: the agent writes only where its user may. */
	if (fits && (mkdir(u->spool, 0700) == 0 || errno == EEXIST || geteuid() != 0) &&
	    (lstat(u->spool, &st) < 0 || (S_ISDIR(st.st_mode) && st.st_uid == geteuid() &&
					  !(st.st_mode & (S_IWGRP | S_IWOTH)))))
		return;
	fprintf(stderr, "everprof up: %s is not a folder of this user alone; profiles wait in "
			"memory while the server is busy\n",
		u->spool);
	u->spool[0] = '\0';
}

static void look(struct up *u)
{
	struct ep_doctor d;
	struct ep_buf text;
	ep_doctor_look(&d);
	ep_buf_init(&text, 8192);
	ep_doctor_format(&d, &text);
	u->sees = strdup(ep_buf_cstr(&text));
	ep_buf_fini(&text);
}

static int parse(struct up *u, int argc, char **argv)
{
	struct ep_flag table[EP_SERVERFLAGS_ROWS + 1];
	ep_serverflags_init(&u->f, table);
	table[EP_SERVERFLAGS_ROWS - 1] = (struct ep_flag){
		"hz", 0, "N", EP_FLAG_INT, &u->hz, "samples a second and CPU, 19 to 99 (99)"};
	table[EP_SERVERFLAGS_ROWS] = (struct ep_flag){0};
	const struct ep_flags flags = {"up", NULL, about, examples, table, u->f.sections};
	int rest, rc = ep_flags_parse(&flags, argc, argv, &rest);
	if (rc < 0)
		rc = ep_serverflags_check(&u->f, "up");
	if (rc >= 0)
		return rc;
	if (u->hz < 19 || u->hz > 99) {
		fprintf(stderr, "everprof up: --hz is 19 to 99\n");
		return 2;
	}
	return -1;
}

int ep_cmd_up(int argc, char **argv)
{
	static struct up u = {.hz = 99, .server = {.name = "server"}, .agent = {.name = "agent"}};
	int rc = parse(&u, argc, argv);
	if (rc >= 0)
		return rc;
	ep_log_set_name("everprof up");
	catch_signals();
	look(&u);
	read_token(&u);
	if (choose_user(&u) != 0)
		return 1;
	choose_spool(&u);
	if (start_server(&u) != 0) {
		(void)rmdir(u.spool); /* nothing waits in it but from an earlier time */
		return n_signals ? 0 : 1;
	}
	printf("%s\n  %s\n\n", u.sees ? u.sees : "", u.url);
	fflush(stdout);
	if (ep_child_start(&u.agent, run_agent, &u, ep_agent_stop) < 0)
		fprintf(stderr, "everprof up: can't start the agent: %s\n", strerror(errno));
	return watch(&u);
}
