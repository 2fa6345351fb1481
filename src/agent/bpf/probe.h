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
};

struct ep_bpf_stack {
	unsigned long long n; /* frames */
	unsigned long long ip[EP_BPF_MAX_FRAMES]; /* leaf first; callers: return addresses */
};

/* Counters since the start, summed over CPUs. */
struct ep_bpf_stats {
	unsigned long long ticks;       /* times the probe ran */
	unsigned long long idle;        /* of these, on an idle CPU */
	unsigned long long taken;       /* counted in a map */
	unsigned long long lost;        /* a map was full */
	unsigned long long lost_stacks; /* counted, but without its stack */
	unsigned long long lost_news;   /* first-seen messages that found no room */
};

/* The first sample of an image, told at once so that /proc can be read in time. */
struct ep_bpf_news {
	struct ep_bpf_who who;
	unsigned int tid;
	unsigned int flags;
	char comm[16];
};

#endif
