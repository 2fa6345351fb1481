/* outside.c - see outside.h. */
#include "proof/outside.h"

#include "agent/best.h"
#include "agent/engine.h"
#include "agent/perf.h"
#include "base/clock.h"
#include "base/mem.h"

#include <errno.h>

#define HZ 99
#define DRAIN_NS (2 * EP_NS_PER_S)

struct ep_outside {
	struct ep_engine *engine;
	struct ep_profile *profile;
	uint64_t drain_ns;
	int failed;
};

static int open_source(pid_t pid, struct ep_source **ret_s, struct ep_buf *ret_how)
{
	struct ep_err err = {0};
	enum ep_sampling way = EP_SAMPLING_NONE;
	ep_auto_buf why;
	ep_buf_init(&why, 4096);
	int rc = ep_best_open(HZ, DRAIN_NS, false, &way, &why, ret_s, &err);
	if (rc == 0 && way == EP_SAMPLING_BPF) {
		ep_buf_add_str(ret_how, "eBPF");
		return 0;
	}
	if (rc == 0) /* the whole machine is not needed, then */
		ep_source_free(*ret_s);
	rc = ep_perf_open(EP_PERF_PID, pid, HZ, NULL, ret_s, &err);
	ep_buf_add_str(ret_how, rc == 0 ? "perf events" : err.text);
	return rc;
}

int ep_outside_open(pid_t pid, struct ep_outside **ret_o, struct ep_buf *ret_how)
{
	struct ep_source *source = NULL;
	struct ep_err err = {0};
	struct ep_engine_config config = {.hz = HZ, .in_one = true};
	EP_TRY(open_source(pid, &source, ret_how));
	struct ep_outside *o = ep_zalloc(sizeof(*o));
	if (!o) {
		ep_source_free(source);
		return -ENOMEM;
	}
	int rc = ep_engine_new(&config, source, &o->engine, &err);
	if (rc < 0) {
		ep_free(o);
		return rc;
	}
	o->drain_ns = ep_clock_mono_ns() + DRAIN_NS;
	*ret_o = o;
	return 0;
}

void ep_outside_wait(struct ep_outside *o, unsigned ms)
{
	static volatile int never;
	struct ep_err err = {0};
	uint64_t now = ep_clock_mono_ns();
	ep_engine_wait(o->engine, now + ms * EP_NS_PER_MS, &never);
	if (now < o->drain_ns || o->failed)
		return;
	o->failed = ep_engine_drain(o->engine, &err);
	o->drain_ns = now + DRAIN_NS;
}

static int take(void *arg, const struct ep_service *service, struct ep_profile *p,
		struct ep_err *err)
{
	struct ep_outside *o = arg;
	(void)service;
	(void)err;
	ep_profile_free(o->profile);
	o->profile = p;
	return 0;
}

int ep_outside_finish(struct ep_outside *o, struct ep_profile **ret_p, struct ep_err *err)
{
	EP_TRY(o->failed);
	EP_TRY(ep_engine_drain(o->engine, err));
	EP_TRY(ep_engine_emit(o->engine, take, o, err));
	if (!o->profile)
		return ep_fail(err, -ENODATA, 0, "no sample was taken");
	*ret_p = ep_take(&o->profile);
	return 0;
}

void ep_outside_close(struct ep_outside *o)
{
	if (!o)
		return;
	ep_engine_free(o->engine);
	ep_profile_free(o->profile);
	ep_free(o);
}
