/*
 * best.c - see best.h.
 */
#include "agent/best.h"

#include "agent/load.h"
#include "agent/perf.h"

static int open_way(enum ep_sampling way, unsigned hz, uint64_t interval_ns,
		    struct ep_source **ret_s, struct ep_err *err)
{
	switch (way) {
	case EP_SAMPLING_BPF:
		return ep_load_open(hz, interval_ns, ret_s, err);
	case EP_SAMPLING_PERF_ALL:
		return ep_perf_open(EP_PERF_ALL, -1, hz, NULL, ret_s, err);
	case EP_SAMPLING_PERF_OWN:
		return ep_perf_open(EP_PERF_OWN, 0, hz, NULL, ret_s, err);
	case EP_SAMPLING_NONE:
		break;
	}
	return -EACCES;
}

int ep_best_open(unsigned hz, uint64_t interval_ns, bool no_bpf,
		 enum ep_sampling *ret_way, struct ep_buf *ret_why,
		 struct ep_source **ret_s, struct ep_err *err)
{
	enum ep_sampling way = no_bpf ? EP_SAMPLING_PERF_ALL : EP_SAMPLING_BPF;
	struct ep_err last = {0};
	for (; way < EP_SAMPLING_NONE; way++) {
		last = (struct ep_err){0};
		if (open_way(way, hz, interval_ns, ret_s, &last) == 0)
			break;
	}
	struct ep_doctor d;
	ep_doctor_look(&d);
	d.sampling = way;
	if (way == EP_SAMPLING_NONE) {
		ep_auto_buf why;
		ep_buf_init(&why, 1024);
		ep_doctor_sentence(&d, &why);
		return ep_fail(err, last.code ? last.code : -EACCES, 0, "%s",
			       ep_buf_cstr(&why));
	}
	ep_doctor_sentence(&d, ret_why);
	*ret_way = way;
	return 0;
}
