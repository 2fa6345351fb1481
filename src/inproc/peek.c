/* peek.c - see peek.h. */
#include "inproc/peek.h"

#include "inproc/labels.h"
#include "inproc/sig/state.h"
#include "inproc/tasks.h"
#include "safe/sys.h"

#include <stddef.h>

/* The head of a thread's list; 0: it has none.  Thread 0 is the calling one. */
static uint64_t robust_list(uint32_t tid)
{
	uint64_t head = 0, n_bytes = 0;
	long rc = ep_sys6(SYS_get_robust_list, tid, (long)&head, (long)&n_bytes, 0, 0, 0);
	return rc == 0 ? head : 0;
}

uint64_t ep_peek_place(uint32_t tid)
{
	static _Atomic uint64_t distance; /* the same for all threads; 0: not known yet */
	uint64_t its = robust_list(tid);
	if (!distance) {
		uint64_t mine = robust_list(0);
		distance = mine ? (uint64_t)(uintptr_t)&ep_sig_labels - mine : 0;
	}
	return distance && its ? its + distance : 0;
}

const struct everprof_labels *ep_peek_believe(uint64_t set)
{
	uint64_t hash, at = set + offsetof(struct everprof_labels, hash);
	if (!set || ep_tasks_read(at, &hash, sizeof(hash)) < sizeof(hash))
		return NULL;
	return ep_labels_known((const void *)(uintptr_t)set, hash);
}

const struct everprof_labels *ep_peek_labels(uint32_t tid)
{
	uint64_t set = 0, at = ep_peek_place(tid);
	if (!at || ep_tasks_read(at, &set, sizeof(set)) < sizeof(set))
		return NULL;
	return ep_peek_believe(set);
}
