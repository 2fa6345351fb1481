/*
 * meter.h - what a tenant has used of its limits.
 *
 * Bytes are charged after they came in, so one request may go over; the next one waits
 * until the debt is paid.  Series and label values count while they were seen within the
 * last hour or the one before, by hash: what is known stays known when the limit is
 * reached, what is new is refused.  Nothing is kept over a restart.
 *
 * Errors say the limit's name, the value, the limit, and how to raise it.
 */
#ifndef EP_TENANT_METER_H
#define EP_TENANT_METER_H

#include "base/err.h"
#include "base/slice.h"
#include "tenant/limits.h"

#include <stdbool.h>

struct ep_tenant;

/*
 * ep_meter_admit - may this tenant send more now?
 *
 * in       now_ns, wall_ns  CLOCK_MONOTONIC and the time of day
 * out      ret_retry_s  when it may try again
 * errors   -EAGAIN rate or daily
 * threads  any; does not wait for anything but memory
 */
int ep_meter_admit(struct ep_tenant *t, uint64_t now_ns, uint64_t wall_ns, uint64_t *ret_retry_s,
		   struct ep_err *err);
/* So many bytes came in.  Any thread. */
void ep_meter_charge(struct ep_tenant *t, uint64_t n_bytes, uint64_t now_ns, uint64_t wall_ns);

struct ep_meter_label {
	struct ep_slice name, value;
};
/*
 * ep_meter_labels - may this label set push?
 *
 * in       hash  of the whole set
 * errors   -EINVAL  label-names, label-name-size, label-value-size
 *          -EAGAIN  series, label-values
 *          -ENOMEM
 * threads  any
 */
int ep_meter_labels(struct ep_tenant *t, const struct ep_meter_label *labels, unsigned n,
		    uint64_t hash, uint64_t now_ns, struct ep_err *err);

/* The sentence's end: how this tenant's limit is raised. */
void ep_meter_advice(const struct ep_tenant *t, const char *limit, char *ret_text, unsigned n);

struct ep_meter_stats {
	uint64_t bytes, bytes_today, refused, series;
};
void ep_meter_get_stats(struct ep_tenant *t, struct ep_meter_stats *ret_stats);

/* Of the room. */
struct ep_meter;
struct ep_meter *ep_meter_new(void);
void ep_meter_free(struct ep_meter *m);

#endif
