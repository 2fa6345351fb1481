/*
 * store.h - the engine interface: what ingest writes and queries read.
 *
 * A stored profile is (series, time, duration, ledger) plus rows of
 * (label set, stack, value).  Stacks are nodes of a tree of frames; frames are
 * build ID + file offset, or names.  Ids are dense and local to one store;
 * everything that leaves the store is by content.
 */
#ifndef EP_STORE_STORE_H
#define EP_STORE_STORE_H

#include "base/err.h"
#include "base/mem.h"
#include "base/slice.h"
#include "profile/ledger.h"
#include "profile/profile.h"

#include <stdint.h>

struct ep_store;

struct ep_kv {
	struct ep_slice key, value;
};

/*
 * ep_store_open - open or create the store in a folder.
 *
 * errors   -EACCES, -EIO, -ENOSPC, -ENOTSUP (a newer format), -ENOMEM; -EAGAIN when
 *          another process has it open
 * owns     the caller closes it with ep_store_close()
 * threads  all calls below: any thread
 */
#define EP_STORE_MAX_AGE_NS (90ull * 86400 * 1000000000)  /* older profiles are refused */
#define EP_STORE_MAX_AHEAD_NS (600ull * 1000000000)        /* and those of the future */

int ep_store_open(const char *dir, struct ep_store **ret_s, struct ep_err *err);
void ep_store_close(struct ep_store *s);

/*
 * ep_store_append - fold one pprof profile and keep it.
 *
 * in       p        every column becomes a series of its own.  String labels of a
 *                   sample stay with the sample.
 *                   Columns differ in type or unit.
 *          labels   series labels, service_name among them; sorted or not.
 *                   "__name__" gives the metric name (process_cpu, memory, …)
 *          time_ns  start, within 90 days back and 10 minutes ahead;
 *          duration_ns the time covered, at most 90 days
 *          Samples with a negative value, or none but zeros, are left out.
 * returns  after the profile is on disk (group commit with others)
 * errors   -EINVAL (labels, time), -E2BIG, -ENOSPC (reads go on), -EIO, -ENOMEM; err
 *          names the limit
 * cost     waits for a sync of the disk: not for an event loop
 */
struct ep_store_profile {
	const struct ep_profile *p;
	const struct ep_kv *labels;
	uint32_t n_labels;
	uint64_t time_ns, duration_ns;
	struct ep_ledger ledger;
};
int ep_store_append(struct ep_store *s, const struct ep_store_profile *in,
		    struct ep_err *err);

/*
 * ep_store_seal - turn all heads into segments now, not when their day is over.
 * returns  when that is done; what arrives meanwhile goes to a new head
 * errors   -ENOSPC, -EIO, -ENOMEM; a damaged head stays a head, which is no error
 */
int ep_store_seal(struct ep_store *s, struct ep_err *err);

/* Numbers for /metrics and tests. */
struct ep_store_stats {
	uint64_t appended, refused, commits; /* profiles, profiles, transactions */
	uint32_t heads, segments;
};
void ep_store_stats(struct ep_store *s, struct ep_store_stats *ret_stats);

#endif
