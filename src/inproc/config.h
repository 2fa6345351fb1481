/*
 * config.h - what everprof_config and the environment say, resolved once.
 */
#ifndef EP_INPROC_CONFIG_H
#define EP_INPROC_CONFIG_H

#include "everprof.h"
#include "inproc/duty.h"
#include "inproc/threads.h"

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ep_config {
	char name[128];	   /* safe for /ingest */
	char version[128]; /* "": the build ID */
	char server[512];  /* "": push nothing */
	char token[512];   /* "": none */
	char server_ca[PATH_MAX]; /* "": the system's authorities */
	char tenant[128];
	char labels[1024]; /* "k=v,k2=v2", safe for /ingest */
	char out[PATH_MAX]; /* "": none */
	char spool_dir[PATH_MAX]; /* "": none */
	uint64_t spool_bytes;
	char http[160];			  /* "": no listener */
	char http_token_file[PATH_MAX];	  /* "": none is asked for */
	bool http_cmdline;
	uint64_t http_seconds; /* the longest capture */
	bool names; /* in what is pushed */
	bool inherit; /* labels, by new threads */
	bool otel;    /* labels are published for readers outside */
	bool is_later_process; /* of the tree: EVERPROF_OUT gets .PID behind it */
	uint32_t hz;
	enum ep_threads_clock clock;
	struct ep_duty duty; /* of CPU */
	uint64_t heap_bytes; /* mean between sampled bytes */
	uint64_t block_ns;   /* of waiting, between two sampled events */
	char wall_names[256]; /* of threads, as patterns; "": all */
	bool cpu, heap, mutex, block, threads, wall;
};

/*
 * The period of CPU time for a rate: 1 % over 1 / hz, as 99 Hz is 100 Hz that does
 * not march in step with the program's own round numbers and with the tick.
 */
static inline uint64_t ep_config_period_ns(const struct ep_config *c)
{
	return 1010000000ull / c->hz;
}

/*
 * ep_config_read - the environment over the struct over the defaults.
 *
 * in       user    may be NULL; size bytes of it are there
 * errors   -EINVAL  the message names the variable
 * threads  start-up only; reads the environment
 */
int ep_config_read(const everprof_config *user, size_t size, struct ep_config *ret);

/* Does EVERPROF_OUT name a folder, which gets a file for each type? */
bool ep_config_out_is_folder(const struct ep_config *c);
/* EVERPROF_OUT as a path: %p is the pid; a folder becomes FOLDER/TYPE.pb.gz. */
int ep_config_out_path(const struct ep_config *c, const char *type, char ret_path[PATH_MAX]);

/* One line to the program's callback and to EVERPROF_LOG.  Any thread; not
 * signal-safe. */
void ep_config_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Replace what /ingest would misread in a label value: { } , = " and controls. */
void ep_config_clean_value(char *s);

#endif
