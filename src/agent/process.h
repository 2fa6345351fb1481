/*
 * process.h - the processes that were sampled: whose they are, and what is
 * mapped where.
 *
 * Read from /proc at the first sample, again when an address falls outside of
 * all known mappings, and kept while the process is sampled.  An entry stands
 * for one image (struct ep_who), so that a reused pid or an exec gets its own.
 */
#ifndef EP_AGENT_PROCESS_H
#define EP_AGENT_PROCESS_H

#include "agent/image.h"
#include "agent/service.h"
#include "agent/source.h"

#include <stdbool.h>
#include <stdint.h>

enum ep_area_kind {
	EP_AREA_FILE, /* code of a file, or the vDSO */
	EP_AREA_JIT,  /* code without a file: made at run time */
	EP_AREA_VSYSCALL,
};

/* An executable mapping. */
struct ep_area {
	uint64_t start, limit, offset;
	uint32_t image; /* EP_IMAGE_NONE when not of a file */
	enum ep_area_kind kind;
};

struct ep_perfmap;
struct ep_areas_told;

struct ep_process {
	struct ep_who who;
	uint32_t via; /* the thread through which /proc is read: the first, if it lives
		       */
	bool is_kthread;
	bool is_gone; /* nothing more can be read of it */
	struct ep_service service;
	struct ep_area *areas; /* sorted by start; owned */
	uint32_t n_areas;
	uint32_t read_round; /* when the areas were last read */
	uint32_t used_round;
	uint32_t perfmap_round;
	struct ep_perfmap *perfmap; /* owned; NULL: none (yet) */
	struct ep_areas_told *told;  /* of agent/areas.c */
};

struct ep_processes;

/* images is borrowed.  0 or -ENOMEM.  One thread at a time per table. */
int ep_processes_new(struct ep_images *images, struct ep_processes **ret_t);
void ep_processes_free(struct ep_processes *t);

/* Who wants to know of executable areas. */
struct ep_process_watch {
	void (*areas_read)(void *arg, struct ep_process *p);
	void (*forgotten)(void *arg, struct ep_process *p);
	void *arg;
};
/* Before the first get. */
void ep_processes_watch(struct ep_processes *t, const struct ep_process_watch *watch);
EP_DEFINE_AUTO(ep_processes);

/*
 * ep_processes_get - the entry of an image, made and read when it is new.
 *
 * in       tid    a thread of it: a process whose first thread has ended is read
 *                 through this one
 *          comm   its name while nothing better is known
 * returns  NULL when memory is short.  Valid until the next ep_processes_turn()
 */
struct ep_process *ep_processes_get(struct ep_processes *t, const struct ep_who *who,
				    uint32_t tid, const char *comm, bool is_kthread);

/*
 * ep_processes_inherit - p was forked from another and has not execed since.
 *
 * If p ended before anything could be read of it, it gets the service and the areas of
 * that one.
 */
void ep_processes_inherit(struct ep_processes *t, struct ep_process *p,
			  const struct ep_who *from);

/* The area that holds an address; NULL.  Reads the mappings anew, at most once a
 * round, when the address is in none of them. */
const struct ep_area *ep_processes_area(struct ep_processes *t, struct ep_process *p,
					uint32_t tid, uint64_t address);

/* A round (an interval) ends: forget who was not sampled for long. */
void ep_processes_turn(struct ep_processes *t);
/* Counts the turns, from 1. */
uint32_t ep_processes_round(const struct ep_processes *t);

#endif
