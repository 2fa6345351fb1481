/*
 * kind_wall.h - the profile "wall": where the time of threads goes, running or not.
 *
 * Ten times a second some threads, chosen at random, are looked at: one that waits is read
 * from outside, and stands for the time since the last look, for itself and for those that
 * were not chosen.  Time on a CPU comes from the CPU samples, and time spent waiting for a
 * CPU from the kernel's account.  Nobody is woken: docs/decisions/0313-wall-clock.md.
 *
 * Under the drain lock.
 */
#ifndef EP_INPROC_KIND_WALL_H
#define EP_INPROC_KIND_WALL_H

#include "inproc/tally.h"
#include "safe/raw.h"

#include <stdbool.h>

/*
 * ep_kind_wall_start - the kind "wall".
 *
 * in       push   on from now, and pushed with the CPU profile
 *          names  of threads: "worker*,io-?"; "": all.  Borrowed
 * errors   -ENOMEM
 */
int ep_kind_wall_start(bool push, const char *names);

/* Off but for requests, or on again: the CPU samples are not there either. */
void ep_kind_wall_hold(bool hold);

/* Nanoseconds to the next look, at random; 0: it is off.  Any thread. */
uint64_t ep_kind_wall_step_ns(void);
void ep_kind_wall_look(void);

/* A CPU sample has come. */
void ep_kind_wall_add_sample(const struct ep_raw_sample *s, const struct ep_tally_frame *frames,
			     uint32_t n);
/* In the child of a fork: it is off, and what is there is the parent's. */
void ep_kind_wall_child(void);

#endif
