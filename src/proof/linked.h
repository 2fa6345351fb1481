/*
 * linked.h - libeverprof's functions in this process, if it is preloaded.
 *
 * The everprof program is not linked with the library; the workload of `verify` is this
 * very program with the library preloaded, and finds it as any guest would: by name.
 */
#ifndef EP_PROOF_LINKED_H
#define EP_PROOF_LINKED_H

#include <everprof.h>

struct ep_linked {
	__typeof__(everprof_labels_current) *labels_current;
	__typeof__(everprof_labels_derive_n) *derive_n;
	__typeof__(everprof_scope_begin_) *scope_begin;
	__typeof__(everprof_scope_end_) *scope_end;
	__typeof__(everprof_thread_create) *thread_create;
	__typeof__(everprof_cpu_start) *cpu_start;
	__typeof__(everprof_cpu_stop) *cpu_stop;
	__typeof__(everprof_profile_new) *profile_new;
	__typeof__(everprof_profile_add) *profile_add;
	__typeof__(everprof_profile_remove) *profile_remove;
	__typeof__(everprof_profile_lookup) *profile_lookup;
	__typeof__(everprof_profile_count) *profile_count;
	__typeof__(everprof_profile_write) *profile_write;
};

/* -ENOENT: it is not there, or too old.  Any thread. */
int ep_linked_find(struct ep_linked *ret_l);

#endif
