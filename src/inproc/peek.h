/*
 * peek.h - the labels another thread works under.
 *
 * They lie in a variable of that thread (ep_sig_labels), at the same distance from its
 * thread pointer as ours from ours.  The kernel knows where the thread's list of robust
 * mutexes begins, which libc keeps inside the thread's control block: so its distance is
 * the same as well.  What is read there is believed only if it is a label set we made:
 * the thread may end at any moment, and its memory be something else.
 *
 * Source: get_robust_list(2).  Any thread.
 */
#ifndef EP_INPROC_PEEK_H
#define EP_INPROC_PEEK_H

#include <stdint.h>

struct everprof_labels;

/* NULL: none, or not to be had (a thread that libc did not make). */
const struct everprof_labels *ep_peek_labels(uint32_t tid);

/* In two steps, for who reads more of that thread's memory at once: where the pointer to
 * its labels lies (0: not to be had), and the set, if what was there is one. */
uint64_t ep_peek_place(uint32_t tid);
const struct everprof_labels *ep_peek_believe(uint64_t set);

#endif
