/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * probe.h - what the probe and the agent share: keys and values of the maps.
 * Compiled for both targets, so no pointers and no implicit padding.
 */
#ifndef EP_AGENT_BPF_PROBE_H
#define EP_AGENT_BPF_PROBE_H

/* As deep as the kernel goes (kernel.perf_event_max_stack). */
#define EP_BPF_MAX_FRAMES 127

enum {
	EP_BPF_KTHREAD = 1,     /* a kernel thread */
	EP_BPF_OUTSIDE = 2,     /* not in our PID namespace; pid and tid are 0 */
	EP_BPF_NO_USER = 4,     /* the user stack could not be read */
	EP_BPF_NO_KERNEL = 8,   /* a kernel sample whose stack could not be read */
	EP_BPF_FULL_USER = 16,  /* as deep as EP_BPF_MAX_FRAMES: cut */
	EP_BPF_BY_TABLE = 32,   /* the user stack was walked by unwind tables */
	EP_BPF_WHY_SHIFT = 8,   /* then why the walk ended: enum ep_step << this */
};

/*
 * An exec keeps the pid and the start, but moves the stack to another random
 * place, and /proc/PID/stat (field 28) says where: so both sides can tell whether
 * what /proc shows is still the image that was sampled.
 */
#define EP_BPF_IMAGE(start_stack)                                                      \
	((unsigned int)((start_stack) >> 4) ^ (unsigned int)((start_stack) >> 36))

/* One program image of one process, in our PID namespace. */
struct ep_bpf_who {
	unsigned int pid;            /* of the process; 0: outside */
	unsigned int image;          /* EP_BPF_IMAGE() of it; 0: it has no memory any more */
	unsigned long long start_ns; /* of the process, since boot; pids are reused */
};

/* What is counted. */
struct ep_bpf_key {
	struct ep_bpf_who who;
	unsigned int tid;
	unsigned int flags;
	unsigned long long kernel_stack; /* key in the map of stacks; 0: none */
	unsigned long long user_stack;
	char comm[16];         /* of the thread */
	char process_comm[16]; /* of the process's first thread */
	/* Whose areas the stack was walked by, when not its own: it was forked from it
	 * and has not execed since.  0: its own, or none. */
	unsigned int from_pid;
	unsigned int reserved;
	unsigned long long from_start_ns;
};

struct ep_bpf_stack {
	unsigned long long n; /* frames */
	unsigned long long ip[EP_BPF_MAX_FRAMES]; /* leaf first; callers: return addresses */
};

/*
 * What walks by tables read is one array of 32-bit words, `memory`; word 0 is not
 * used, so that 0 means none.  It holds unwind tables (unwind/table.h) and, for each
 * image, its executable areas, sorted by start.
 */
struct ep_bpf_area {
	unsigned long long start, limit; /* in the process */
	unsigned long long bias;	 /* address - ELF virtual address */
	unsigned int table;		 /* its first word; 0: no rows, go by frame pointer */
	unsigned int reserved;
};

#define EP_BPF_AREA_WORDS 8
#define EP_BPF_MAX_AREAS 16384 /* of an image */
#define EP_BPF_MAX_CODE 16384  /* images */

/* The areas of an image: the first word of `memory`, and how many. */
struct ep_bpf_code {
	unsigned int areas, n_areas;
};

#define EP_BPF_COPY_PAGES 4
#define EP_BPF_PAGE 4096

/*
 * A sample of an image whose areas are not known yet, with a copy of its stack, so that
 * the agent can walk it when it has read them.  Counted in no map.
 */
struct ep_bpf_first {
	struct ep_bpf_key key;
	unsigned long long ip, sp, bp;
	unsigned long long n_pages; /* copied, from the one that sp is in */
	struct ep_bpf_stack kernel;
	unsigned char pages[EP_BPF_COPY_PAGES * EP_BPF_PAGE];
};

/* So many of an image; if its areas still are not known, they never will be. */
#define EP_BPF_MAX_FIRSTS 64

/* As many as enum ep_step has; EP_STEP_OK stands for walks by frame pointer. */
#define EP_BPF_N_ENDS 8

/* Counters since the start, summed over CPUs. */
struct ep_bpf_stats {
	unsigned long long ticks;       /* times the probe ran */
	unsigned long long idle;        /* of these, on an idle CPU */
	unsigned long long taken;       /* counted in a map */
	unsigned long long lost;        /* a map was full */
	unsigned long long lost_stacks; /* counted, but without its stack */
	unsigned long long firsts;      /* sent with a copy of the stack; not in taken */
	unsigned long long lost_news;   /* first-seen messages that found no room */
	/* User stacks by why the walk ended (enum ep_step); [0]: by frame pointer. */
	unsigned long long ended[EP_BPF_N_ENDS];
};

/* The first sample of an image, told at once so that /proc can be read in time. */
struct ep_bpf_news {
	struct ep_bpf_who who;
	unsigned int tid;
	unsigned int flags;
	char comm[16];
};

#endif
