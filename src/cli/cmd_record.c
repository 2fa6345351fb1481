/*
 * cmd_record.c - everprof record: one profile to a file, no server needed.
 */
#include "cli/commands.h"

#include "agent/best.h"
#include "agent/engine.h"
#include "agent/perf.h"
#include "base/clock.h"
#include "cli/flags.h"
#include "profile/encode.h"
#include "symbol/name.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define DRAIN_NS (2 * EP_NS_PER_S)
#define DEFAULT_NS (10 * EP_NS_PER_S)

static const char about[] =
	"Samples CPU time and writes one profile (pprof, gzip), with function names. A "
	"command is followed with all it starts, to its end; everprof exits as it did.";

static const char examples[] =
	"  everprof record -o cpu.pb.gz -- ./program --its-flag\n"
	"  everprof record -o cpu.pb.gz -d 30s -p 1234\n"
	"  sudo everprof record -o machine.pb.gz -d 10s -a\n"
	"  go tool pprof -http=: cpu.pb.gz\n";

struct options {
	const char *out;
	uint64_t duration_ns;
	int64_t hz, pid;
	bool all, no_bpf;
	char **command; /* NULL: none */
	int fd;		/* of out */
	bool is_new, is_written;
};

static volatile int stop_now;
static volatile sig_atomic_t child_pid;

static void on_signal(int sig)
{
	if (sig == SIGCHLD)
		return; /* it has ended a wait, which is all it is for */
	/* A command gets the signal too, and decides itself when to end. */
	if (child_pid > 0) {
		if (sig == SIGTERM)
			kill(child_pid, sig);
		return;
	}
	stop_now = 1;
}

static void catch_signals(void)
{
	struct sigaction a = {.sa_handler = on_signal};
	sigaction(SIGINT, &a, NULL);
	sigaction(SIGTERM, &a, NULL);
	sigaction(SIGCHLD, &a, NULL);
}

static int fail(const struct ep_err *err)
{
	fprintf(stderr, "everprof record: %s\n", err->text);
	return 1;
}

static int write_all(int fd, const uint8_t *p, size_t n)
{
	while (n) {
		ssize_t done = write(fd, p, n);
		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return -errno;
		p += done;
		n -= (size_t)done;
	}
	return 0;
}

static int cant_write(const char *path, int code, struct ep_err *err)
{
	return ep_fail(err, -code, 0, "%s can't be written: %s", path, strerror(code));
}

/*
 * Before the recording, so that a wrong path is told at once.  An older profile
 * keeps its content until there is a new one.
 */
static int open_out(struct options *o, struct ep_err *err)
{
	if (!strcmp(o->out, "-")) {
		o->fd = STDOUT_FILENO;
		return 0;
	}
	struct stat st;
	o->is_new = stat(o->out, &st) < 0;
	o->fd = open(o->out, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	return o->fd < 0 ? cant_write(o->out, errno, err) : 0;
}

/* Nothing was recorded: no empty file stays behind. */
static void drop_out(const struct options *o)
{
	if (o->is_new && !o->is_written)
		(void)unlink(o->out); /* the recording's error is the one to tell */
}

static int write_file(struct options *o, const struct ep_buf *b, struct ep_err *err)
{
	o->is_written = true;
	/* A pipe or a terminal can't be cut, and need not be. */
	if (o->fd != STDOUT_FILENO && ftruncate(o->fd, 0) < 0 && errno != EINVAL)
		return cant_write(o->out, errno, err);
	int rc = write_all(o->fd, b->data, b->len);
	if (rc == 0 && o->fd != STDOUT_FILENO && close(o->fd) < 0)
		rc = -errno;
	return rc < 0 ? cant_write(o->out, -rc, err) : 0;
}

/* The one profile, on its way to the file. */
static int on_profile(void *arg, const struct ep_service *service, struct ep_profile *p,
		      struct ep_err *err)
{
	struct options *o = arg;
	ep_auto(ep_profile) owned = p;
	ep_auto_buf bytes;
	ep_buf_init(&bytes, (size_t)1 << 30);
	(void)service; /* all are in one */
	EP_TRY(ep_name_profile(owned, "", NULL, err));
	EP_TRY(ep_encode_gzip(owned, &bytes, err));
	return write_file(o, &bytes, err);
}

/* -- the command --------------------------------------------------------------- */

struct child {
	pid_t pid;
	int go;	    /* written: it may exec */
	int failed; /* read: errno of a failed exec; end of file: it runs */
};

static void be_child(char **command, int go, int failed)
{
	char c;
	ssize_t got = read(go, &c, 1);
	if (got == 1)
		execvp(command[0], command);
	int code = errno;
	(void)!write(failed, &code,
		     sizeof(code)); /* the parent sees the end either way */
	_exit(127);
}

static int start_child(char **command, struct child *ret, struct ep_err *err)
{
	int go[2], failed[2];
	if (pipe2(go, O_CLOEXEC) < 0)
		return ep_fail(err, -errno, 0, "no pipe: %s", strerror(errno));
	if (pipe2(failed, O_CLOEXEC) < 0) {
		close(go[0]);
		close(go[1]);
		return ep_fail(err, -errno, 0, "no pipe: %s", strerror(errno));
	}
	pid_t pid = fork();
	if (pid == 0) {
		close(go[1]);
		be_child(command, go[0], failed[1]);
	}
	int code = -errno;
	close(go[0]);
	close(failed[1]);
	*ret = (struct child){pid, go[1], failed[0]};
	return pid < 0 ? ep_fail(err, code, 0, "no new process: %s", strerror(-code))
		       : 0;
}

/* Lets the child exec.  0, or -errno of the exec. */
static int release_child(struct child *c)
{
	int code = 0;
	(void)!write(c->go, "x", 1); /* if it died, the end of file below tells */
	close(c->go);
	ssize_t got = read(c->failed, &code, sizeof(code));
	close(c->failed);
	return got == sizeof(code) ? -code : 0;
}

static void abandon_child(struct child *c)
{
	close(c->go); /* it reads the end of file and leaves */
	close(c->failed);
	(void)waitpid(c->pid, NULL, 0);
}

static int exit_code_of(int status)
{
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* -- recording ----------------------------------------------------------------- */

/* Samples until a moment, a signal, or the child's end (then its status). */
static bool record_until(struct ep_engine *e, uint64_t until_ns, pid_t child,
			 int *ret_status, struct ep_err *err)
{
	bool ended = false;
	uint64_t drain_ns = ep_clock_mono_ns() + DRAIN_NS;
	while (!stop_now && !ended && err->code == 0) {
		uint64_t now = ep_clock_mono_ns();
		if (now >= until_ns)
			break;
		uint64_t next = now + 100 * EP_NS_PER_MS;
		ep_engine_wait(e,
			       child || next > until_ns
				       ? (next < until_ns ? next : until_ns)
				       : next,
			       &stop_now);
		if (ep_clock_mono_ns() >= drain_ns) {
			(void)ep_engine_drain(e, err); /* seen in err */
			drain_ns = ep_clock_mono_ns() + DRAIN_NS;
		}
		ended = child && waitpid(child, ret_status, WNOHANG) == child;
	}
	return ended;
}

static int finish(struct ep_engine *e, struct options *o, uint64_t began_ns)
{
	struct ep_err err = {0};
	struct ep_source_stats s;
	uint64_t took_ns = ep_clock_mono_ns() - began_ns;
	if (ep_engine_drain(e, &err) < 0 ||
	    ep_engine_emit(e, on_profile, o, &err) < 0)
		return fail(&err);
	ep_engine_totals(e, &s);
	fprintf(stderr,
		"everprof record: %llu samples, %.2f s of CPU time in %.1f s, %llu "
		"lost; %s\n",
		(unsigned long long)s.taken, (double)s.taken / (double)o->hz,
		took_ns / 1e9, (unsigned long long)s.lost, o->out);
	return 0;
}

static int start_engine(const struct options *o, struct ep_source *source,
			struct ep_engine **ret_e, struct ep_err *err)
{
	struct ep_engine_config config = {.hz = (unsigned)o->hz, .in_one = true};
	return ep_engine_new(&config, source, ret_e, err);
}

static int record_machine_or_pid(struct options *o)
{
	struct ep_err err = {0};
	struct ep_source *source = NULL;
	ep_auto(ep_engine) e = NULL;
	ep_auto_buf why;
	ep_buf_init(&why, 4096);
	enum ep_sampling way = EP_SAMPLING_NONE;
	bool kernel = true;
	int rc = o->all ? ep_best_open((unsigned)o->hz, DRAIN_NS, o->no_bpf, &way, &why,
				       &source, &err)
			: ep_perf_open(EP_PERF_PID, (pid_t)o->pid, (unsigned)o->hz,
				       &kernel, &source, &err);
	if (rc < 0)
		return fail(&err);
	if (o->all && way != EP_SAMPLING_BPF)
		fprintf(stderr, "everprof record: %s\n", ep_buf_cstr(&why));
	if (!kernel)
		fputs("everprof record: of user code only; with sudo, also of the "
		      "kernel\n",
		      stderr);
	if (start_engine(o, source, &e, &err) < 0)
		return fail(&err);
	uint64_t began_ns = ep_clock_mono_ns();
	uint64_t want_ns = o->duration_ns ? o->duration_ns : DEFAULT_NS;
	(void)record_until(e, began_ns + want_ns, 0, NULL,
			   &err); /* no child to wait for */
	return err.code ? fail(&err) : finish(e, o, began_ns);
}

static int record_command(struct options *o)
{
	struct ep_err err = {0};
	struct ep_source *source = NULL;
	struct child c = {0, -1, -1};
	ep_auto(ep_engine) e = NULL;
	bool kernel = false;
	if (start_child(o->command, &c, &err) < 0)
		return fail(&err);
	child_pid = c.pid;
	if (ep_perf_open(EP_PERF_ON_EXEC, c.pid, (unsigned)o->hz, &kernel, &source,
			 &err) < 0 ||
	    start_engine(o, source, &e, &err) < 0) {
		abandon_child(&c);
		return fail(&err);
	}
	uint64_t began_ns = ep_clock_mono_ns();
	int rc = release_child(&c), status = 0;
	if (rc < 0) {
		(void)waitpid(c.pid, NULL, 0);
		fprintf(stderr, "everprof record: %s can't be run: %s\n", o->command[0],
			strerror(-rc));
		return rc == -ENOENT ? 127 : 126;
	}
	uint64_t until_ns = o->duration_ns ? began_ns + o->duration_ns : UINT64_MAX;
	bool ended = record_until(e, until_ns, c.pid, &status, &err);
	int failed = err.code ? fail(&err) : finish(e, o, began_ns);
	while (!ended && waitpid(c.pid, &status, 0) < 0 && errno == EINTR)
		;
	return failed ? failed : exit_code_of(status);
}

static int check(struct options *o, int argc, char **argv, int rest)
{
	const char *wrong = NULL;
	int n_targets = o->all + (o->pid != 0) + (rest < argc);
	if (!o->out)
		wrong = "needs a file to write: -o FILE";
	else if (n_targets != 1)
		wrong = "needs one of -p PID, -a, or -- COMMAND";
	else if (o->pid < 0 || o->pid > INT32_MAX)
		wrong = "-p wants the id of a process";
	else if (o->hz < 1 || o->hz > 1000)
		wrong = "-F wants 1 to 1000 samples a second";
	if (wrong) {
		fprintf(stderr,
			"everprof record: %s; `everprof record --help` has examples\n",
			wrong);
		return 2;
	}
	o->command = rest < argc ? argv + rest : NULL;
	return -1;
}

int ep_cmd_record(int argc, char **argv)
{
	struct options o = {.hz = 99};
	const struct ep_flag table[] = {
		{"out", 'o', "FILE", EP_FLAG_STRING, &o.out,
		 "write the profile here; - is stdout"},
		{"duration", 'd', "TIME", EP_FLAG_DURATION, &o.duration_ns,
		 "how long (10s; a command: to its end)"},
		{"frequency", 'F', "HZ", EP_FLAG_INT, &o.hz,
		 "samples a second of CPU time (99)"},
		{"pid", 'p', "PID", EP_FLAG_INT, &o.pid,
		 "this process, its threads, and what it starts"},
		{"all", 'a', NULL, EP_FLAG_BOOL, &o.all,
		 "every process of the machine"},
		{"no-bpf", 0, NULL, EP_FLAG_BOOL, &o.no_bpf,
		 "with -a: do without eBPF"},
		{0},
	};
	const struct ep_flags flags = {"record",
				       "-o FILE [FLAGS] (-p PID | -a | -- COMMAND...)",
				       about, examples, table};
	int rest, rc = ep_flags_parse(&flags, argc, argv, &rest);
	if (rc < 0)
		rc = check(&o, argc, argv, rest);
	if (rc >= 0)
		return rc;
	struct ep_err err = {0};
	if (open_out(&o, &err) < 0)
		return fail(&err);
	catch_signals();
	rc = o.command ? record_command(&o) : record_machine_or_pid(&o);
	drop_out(&o);
	return rc;
}
