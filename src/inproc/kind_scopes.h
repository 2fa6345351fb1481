/*
 * kind_scopes.h - the profile "scopes": how often each label set was entered, and for
 * how long.
 *
 * Counted by sig/scopes.h; here ticks become nanoseconds, and sets rows.  Under the
 * drain lock.
 */
#ifndef EP_INPROC_KIND_SCOPES_H
#define EP_INPROC_KIND_SCOPES_H

/* 0, or -ENOMEM.  Counting goes on until the process ends. */
int ep_kind_scopes_start(void);
void ep_kind_scopes_tick(void);
/* In the child of a fork: its own scopes count from here. */
void ep_kind_scopes_child(void);

#endif
