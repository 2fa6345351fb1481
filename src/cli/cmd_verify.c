/*
 * cmd_verify.c - everprof verify: the profiler proves itself on this machine.
 */
#include "cli/commands.h"

#include "base/clock.h"
#include "cli/flags.h"
#include "cli/preload.h"
#include "codec/json.h"
#include "proof/verify.h"
#include "proof/workload.h"

#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

/* What we start ourselves with as the workload.  Not for people. */
#define CHILD_FLAG "--as-workload"
#define MIN_SECONDS 2
#define MAX_SECONDS 3600

static const char about[] =
	"Half a minute of work whose truth is known by its own clocks and counters: CPU time "
	"by function, label and thread, a lock, a sleep, leaks, objects, scopes. Prints what "
	"everprof measured of it on this machine, how far off that is, and what it cost. The "
	"bounds are statistical, from the number of samples taken. Exits 0 when every figure is "
	"within its bound.";

static const char examples[] = "  everprof verify\n"
			       "  sudo everprof verify\n"
			       "  everprof verify --json | jq '.rows[] | select(.verdict != \"ok\")'\n";

static void show_progress(void *arg, const char *phase, double done)
{
	enum { BAR = 30 };
	char bar[BAR + 1];
	(void)arg;
	for (int i = 0; i < BAR; i++)
		bar[i] = i < (int)(done * BAR) ? '#' : '-';
	bar[BAR] = '\0';
	fprintf(stderr, "\r\033[K[%s] %s", bar, phase);
}

static double load_now(void)
{
	double load = 0;
	return getloadavg(&load, 1) == 1 ? load : 0;
}

struct machine {
	struct utsname u;
	long n_cpus;
	double load_before;
};

static void print_json(const struct machine *m, const struct ep_findings *f, double seconds,
		       bool ok, struct ep_buf *out)
{
	struct ep_jsonw w = ep_jsonw_to(out);
	ep_jsonw_open(&w, NULL, '{');
	ep_jsonw_str(&w, "version", EP_VERSION);
	ep_jsonw_str(&w, "kernel", m->u.release);
	ep_jsonw_str(&w, "machine", m->u.machine);
	ep_jsonw_int(&w, "cpus", m->n_cpus);
	ep_jsonw_double(&w, "load_before", m->load_before);
	ep_jsonw_double(&w, "load_after", load_now());
	ep_jsonw_double(&w, "seconds", seconds);
	ep_jsonw_bool(&w, "ok", ok);
	ep_finding_json(f, &w);
	ep_jsonw_close(&w, '}');
	ep_buf_add_char(out, '\n');
}

static void print_text(const struct machine *m, const struct ep_findings *f, double seconds,
		       bool ok, struct ep_buf *out)
{
	bool colour = isatty(STDOUT_FILENO) && !getenv("NO_COLOR");
	ep_buf_printf(out, "everprof %s on Linux %s, %s, %ld CPUs; load %.1f before, %.1f after\n\n",
		      EP_VERSION, m->u.release, m->u.machine, m->n_cpus, m->load_before,
		      load_now());
	ep_finding_format(f, colour, out);
	size_t n_off = ep_finding_count(f, EP_VERDICT_OFF);
	size_t n_unknown = ep_finding_count(f, EP_VERDICT_UNKNOWN);
	ep_buf_printf(out, "\n%zu figures in %.0f s: %zu within their bounds", f->n, seconds,
		      ep_finding_count(f, EP_VERDICT_OK));
	if (n_off)
		ep_buf_printf(out, ", %zu not", n_off);
	if (n_unknown)
		ep_buf_printf(out, ", %zu not measured", n_unknown);
	ep_buf_add_str(out, ok ? ".\n" : "; docs/verify.md says what to look at.\n");
}

static int run(const struct ep_verify_options *o, bool json)
{
	struct machine m = {.n_cpus = sysconf(_SC_NPROCESSORS_ONLN), .load_before = load_now()};
	struct ep_findings f;
	struct ep_err err = {0};
	uint64_t began_ns = ep_clock_mono_ns();
	(void)uname(&m.u); /* else it stays empty */
	int rc = ep_verify_run(o, &f, &err);
	if (o->progress)
		fputs("\r\033[K", stderr);
	if (rc < 0) {
		fprintf(stderr, "everprof verify: %s\n", err.text);
		return 1;
	}
	bool ok = ep_finding_count(&f, EP_VERDICT_OFF) == 0;
	double seconds = (double)(ep_clock_mono_ns() - began_ns) / 1e9;
	ep_auto_buf out;
	ep_buf_init(&out, 1 << 20);
	(json ? print_json : print_text)(&m, &f, seconds, ok, &out);
	if (ep_buf_failed(&out) || fwrite(out.data, 1, out.len, stdout) != out.len)
		return 1;
	return !ok;
}

int ep_cmd_verify(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], CHILD_FLAG))
		return ep_workload_main(argv[2]);
	bool json = false;
	int64_t seconds = 30;
	const struct ep_flag table[] = {
		{"seconds", 0, "N", EP_FLAG_INT, &seconds,
		 "how long (30); more makes the bounds narrower"},
		{"json", 0, NULL, EP_FLAG_BOOL, &json, "JSON instead of text"},
		{0},
	};
	const struct ep_flags flags = {"verify", NULL, about, examples, table};
	char library[PATH_MAX];
	int rest, rc = ep_flags_parse(&flags, argc, argv, &rest);
	if (rc >= 0)
		return rc;
	if (seconds < MIN_SECONDS || seconds > MAX_SECONDS) {
		fprintf(stderr, "everprof verify: --seconds is %d to %d\n", MIN_SECONDS,
			MAX_SECONDS);
		return 2;
	}
	if (ep_preload_find(library) < 0) {
		fprintf(stderr, "everprof verify: libeverprof.so is not beside everprof nor in "
				"its library folder\n");
		return 1;
	}
	const struct ep_verify_options o = {
		.library = library,
		.child_flag = CHILD_FLAG,
		.duration_ns = (uint64_t)seconds * EP_NS_PER_S,
		.progress = isatty(STDERR_FILENO) ? show_progress : NULL,
	};
	return run(&o, json);
}
