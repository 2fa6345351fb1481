/*
 * agent.c - see agent.h.
 *
 * This thread listens for new processes and, once an interval, empties the
 * source, gathers, and hands the profiles to the sending thread (send.c).
 */
#include "agent/agent.h"

#include "agent/best.h"
#include "agent/caps.h"
#include "agent/engine.h"
#include "agent/load.h"
#include "agent/send.h"
#include "base/clock.h"
#include "base/log.h"
#include "profile/encode.h"

#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define STOP_NS (3 * EP_NS_PER_S)
#define REPORT_NS (600 * EP_NS_PER_S)
#define MAX_BYTES ((size_t)256 << 20)

static volatile int stop_now;

struct agent {
	struct ep_agent_config config;
	char host[128];
	enum ep_sampling way;
	struct ep_send *send;
	struct ep_engine *engine;
	uint64_t from_ns, until_ns; /* wall clock of the interval being sent */
	uint64_t began_ns;
};

void ep_agent_stop(void)
{
	stop_now = 1;
}

static void say(void *arg, const char *sentence)
{
	struct agent *a = arg;
	if (a->config.say)
		a->config.say(a->config.say_arg, sentence);
	else
		ep_log_info("%s", sentence);
}

/* In app{k=v,…} a few characters have a meaning, and names come from anybody. */
static void add_clean(struct ep_buf *b, const char *s)
{
	for (; *s; s++)
		ep_buf_add_char(
			b, strchr("{},=\"", *s) || (unsigned char)*s < ' ' ? '_' : *s);
}

static void add_label(struct ep_buf *b, const char *key, const char *value)
{
	if (!*value)
		return;
	ep_buf_printf(b, ",%s=", key);
	add_clean(b, value);
}

static void format_name(const struct agent *a, const struct ep_service *s,
			struct ep_buf *b)
{
	add_clean(b, s->name);
	ep_buf_add_str(b, "{profiler=agent");
	add_label(b, "host", a->host);
	add_label(b, "container", s->container);
	add_label(b, "version", s->version);
	ep_buf_add_char(b, '}');
}

static int on_profile(void *arg, const struct ep_service *service, struct ep_profile *p,
		      struct ep_err *err)
{
	struct agent *a = arg;
	ep_auto(ep_profile) owned = p;
	ep_auto_buf name, bytes;
	ep_buf_init(&name, 4096);
	ep_buf_init(&bytes, MAX_BYTES);
	format_name(a, service, &name);
	EP_TRY(ep_encode_gzip(owned, &bytes, err));
	uint64_t from_ns = (uint64_t)owned->time_ns;
	return ep_send_profile(a->send, ep_buf_cstr(&name), from_ns,
			       from_ns + (uint64_t)owned->duration_ns, a->config.hz,
			       &bytes);
}

/* How user stacks ended and what their tables take, for the log. */
static void report_walks(const struct agent *a, const struct ep_source_stats *s)
{
	static const char *const names[EP_STEP_N] = {
		[EP_STEP_OK] = "by frame pointer",
		[EP_STEP_END] = "whole",
		[EP_STEP_FULL] = "too deep",
		[EP_STEP_NO_TABLE] = "cut at code without rows",
		[EP_STEP_UNSUPPORTED] = "cut at a row of an unknown kind",
		[EP_STEP_BAD_CFA] = "cut at a bad stack pointer",
		[EP_STEP_OUTSIDE] = "cut at an unreadable stack",
		[EP_STEP_NOT_CODE] = "cut outside of code",
	};
	struct ep_areas_stats c;
	ep_engine_areas(a->engine, &c);
	if (!c.n_words)
		return;
	for (int i = 0; i < EP_STEP_N; i++)
		if (s->ended[i])
			ep_log_debug("stacks %s: %llu", names[i],
				     (unsigned long long)s->ended[i]);
	ep_log_debug("unwind tables: %u in %u of %u KB; %llu made, %llu evicted, "
		     "%llu found no room",
		     c.n_tables, (c.n_words - c.n_free) / 256, c.n_words / 256,
		     (unsigned long long)c.n_made, (unsigned long long)c.n_evicted,
		     (unsigned long long)c.n_no_room);
}

/* Own CPU time and memory, for the log. */
static void report(const struct agent *a)
{
	struct rusage u;
	struct ep_source_stats s;
	getrusage(RUSAGE_SELF, &u);
	ep_engine_totals(a->engine, &s);
	double cpu = (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
		     (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
	double took = (double)(ep_clock_mono_ns() - a->began_ns) / 1e9;
	ep_log_info("%llu samples, %llu lost; itself %.2f %% of a CPU, %ld MB at most",
		    (unsigned long long)s.taken, (unsigned long long)s.lost,
		    took > 0 ? 100 * cpu / took : 0, u.ru_maxrss / 1024);
	report_walks(a, &s);
}

/*
 * What is needed from here on: other processes' maps, environment and root
 * (CAP_SYS_PTRACE), their binaries (CAP_DAC_READ_SEARCH), and those of them that
 * are deleted (CAP_CHECKPOINT_RESTORE).  Reading the probe's maps needs CAP_BPF
 * before kernel 6.0 only, so it is tried without.
 */
static void drop_capabilities(struct agent *a)
{
	int keep[4] = {CAP_SYS_PTRACE, CAP_DAC_READ_SEARCH, CAP_CHECKPOINT_RESTORE};
	unsigned n = 3;
	if (a->way == EP_SAMPLING_BPF) {
		bool had_bpf = ep_caps_set(CAP_BPF, false) == 0;
		bool had_admin = ep_caps_set(CAP_SYS_ADMIN, false) == 0;
		if (!ep_load_works(ep_engine_source(a->engine)))
			keep[n++] = had_bpf ? CAP_BPF : CAP_SYS_ADMIN;
		(void)had_admin; /* without either, both calls fail alike */
	}
	if (ep_caps_keep_only(keep, n) < 0)
		say(a, "capabilities can't be given up; the agent goes on with all of "
		       "them");
}

static int send_round(struct agent *a, struct ep_err *err)
{
	EP_TRY(ep_engine_drain(a->engine, err));
	int rc = ep_engine_emit(a->engine, on_profile, a, err);
	if (rc < 0)
		ep_log_warn("a profile is dropped: %s",
			    err->code ? err->text : "the server is far behind");
	*err = (struct ep_err){0};
	return 0;
}

static int loop(struct agent *a, struct ep_err *err)
{
	uint64_t next = ep_clock_mono_ns() + a->config.interval_ns;
	uint64_t report_at = a->began_ns + REPORT_NS;
	while (!stop_now) {
		ep_engine_wait(a->engine, next, &stop_now);
		uint64_t now = ep_clock_mono_ns();
		if (now < next && !stop_now)
			continue; /* a signal that was not for us */
		EP_TRY(send_round(a, err));
		next = now + a->config.interval_ns;
		if (now >= report_at) {
			report(a);
			report_at = now + REPORT_NS;
		}
	}
	report(a);
	return 0;
}

static int check(struct agent *a, const struct ep_agent_config *config,
		 struct ep_err *err)
{
	if (config->sz != sizeof(*config))
		return ep_fail(err, -EINVAL, 0,
			       "struct ep_agent_config has another size");
	a->config = *config;
	if (!a->config.hz)
		a->config.hz = EP_AGENT_HZ;
	if (!a->config.interval_ns)
		a->config.interval_ns = EP_AGENT_INTERVAL_NS;
	if (!a->config.server)
		a->config.server = "http://127.0.0.1:4040";
	if (a->config.hz < 19 || a->config.hz > 99)
		return ep_fail(err, -EINVAL, 0, "the frequency is 19 to 99 Hz, not %u",
			       a->config.hz);
	if (a->config.interval_ns < EP_NS_PER_S ||
	    a->config.interval_ns > 60 * EP_NS_PER_S)
		return ep_fail(err, -EINVAL, 0, "the interval is 1 s to 60 s");
	if (a->config.host)
		snprintf(a->host, sizeof(a->host), "%s", a->config.host);
	else if (gethostname(a->host, sizeof(a->host) - 1) < 0)
		snprintf(a->host, sizeof(a->host), "unknown");
	return 0;
}

static int start(struct agent *a, struct ep_err *err)
{
	struct ep_push_config push = {
		.sz = sizeof(push),
		.server = a->config.server,
		.token = a->config.token,
		.tenant = a->config.tenant,
		.spool_dir = a->config.spool_dir,
		.spy_name = "everprof-agent",
		.ca_file = a->config.server_ca,
	};
	struct ep_source *source = NULL;
	ep_auto_buf why;
	ep_buf_init(&why, 1024);
	EP_TRY(ep_best_open(a->config.hz, a->config.interval_ns, a->config.no_bpf,
			    &a->way, &why, &source, err));
	struct ep_engine_config engine = {.hz = a->config.hz};
	EP_TRY(ep_engine_new(&engine, source, &a->engine, err));
	drop_capabilities(a);
	/* The thread starts with what is left, so it comes after. */
	EP_TRY(ep_send_new(&push, a->config.no_upload, say, a, &a->send, err));
	if (!a->config.no_upload)
		ep_engine_offer(a->engine, ep_send_offer, a->send);
	say(a, ep_buf_cstr(&why));
	return 0;
}

int ep_agent_run(const struct ep_agent_config *config, struct ep_err *err)
{
	struct agent a = {.began_ns = ep_clock_mono_ns()};
	EP_TRY(check(&a, config, err));
	int rc = start(&a, err);
	if (rc >= 0)
		rc = loop(&a, err);
	ep_send_stop(a.send, STOP_NS);
	ep_engine_free(a.engine);
	return rc;
}
