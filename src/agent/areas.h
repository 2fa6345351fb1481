/*
 * areas.h - what the probe knows of the programs' code: the executable areas of each
 * process, and an unwind table for each file in them.
 *
 * It fills an array that the probe reads (bpf/probe.h: `memory`), within its fixed
 * size.  A table is made when the first process with its file comes, shared by build
 * ID, and stays while there is room; then those that no process uses go, oldest
 * first.  What finds no room is walked by frame pointer, and counted.
 *
 * What is taken out of use is not written over until two turns later: a probe may
 * still be reading it.
 */
#ifndef EP_AGENT_AREAS_H
#define EP_AGENT_AREAS_H

#include "agent/process.h"
#include "agent/source.h"

#include <stdint.h>

#define EP_AREAS_MAX_FRAMES 512

struct ep_areas_stats {
	uint32_t n_words, n_free; /* of `memory` */
	uint32_t n_tables;	  /* there */
	uint64_t n_made;	  /* tables, since the start */
	uint64_t n_evicted;
	uint64_t n_no_room; /* tables and lists of areas that found none */
};

struct ep_areas;

/*
 * ep_areas_new
 *
 * in       memory  the probe's; borrowed
 *          images  borrowed
 * errors   -ENOMEM
 * threads  one thread at a time per object
 */
int ep_areas_new(const struct ep_source_memory *memory, struct ep_images *images,
		 struct ep_areas **ret_c);
void ep_areas_free(struct ep_areas *c);
EP_DEFINE_AUTO(ep_areas);

/* Where tables are shared with the processes themselves, as EVERPROF_CACHE and the user
 * say.  Before the first tell; without it each is compiled here.  Reads the environment. */
void ep_areas_share(struct ep_areas *c);

/*
 * ep_areas_tell - the areas of a process are read, or read anew.
 *
 * cost     tables that are not there are found in files or made: about a millisecond a
 *          megabyte of code
 */
void ep_areas_tell(struct ep_areas *c, struct ep_process *p);
/* It is about to be forgotten. */
void ep_areas_forget(struct ep_areas *c, struct ep_process *p);

/*
 * ep_areas_walk - the user stack of a copy.
 *
 * By the areas told of p; by frame pointer alone when there are none.
 * out      ret_frames  leaf first; callers are return addresses
 * returns  the number of frames, at least 1
 */
uint32_t ep_areas_walk(struct ep_areas *c, const struct ep_process *p,
		       const struct ep_stack_copy *copy,
		       uint64_t ret_frames[EP_AREAS_MAX_FRAMES], enum ep_step *ret_why);

/* A round ends.  Every probe that ran before the last one ended has ended, too. */
void ep_areas_turn(struct ep_areas *c);

void ep_areas_stats(const struct ep_areas *c, struct ep_areas_stats *ret_s);

#endif
