/*
 * doctor.h - what this kernel and this user allow, and the one thing to change
 * for more.
 *
 * It looks by trying (a small BPF map, a perf event), never by guessing from a
 * version number, and leaves nothing behind.
 */
#ifndef EP_AGENT_DOCTOR_H
#define EP_AGENT_DOCTOR_H

#include "base/buf.h"

#include <stdbool.h>
#include <stdint.h>

/* Ways to sample CPU, best first. */
enum ep_sampling {
	EP_SAMPLING_BPF,      /* every process, stacks of kernel and user code */
	EP_SAMPLING_PERF_ALL, /* every process, by perf_event_open on each CPU */
	EP_SAMPLING_PERF_OWN, /* this user's processes, user code only */
	EP_SAMPLING_NONE,
};

struct ep_doctor {
	char kernel[64]; /* "6.18.44" as uname has it */
	bool has_btf;	 /* /sys/kernel/btf/vmlinux can be read */
	bool is_root;
	bool in_pid_namespace; /* below the first one */
	bool can_bpf;	       /* a program and a map may be made */
	bool by_tables;	       /* and it walks user stacks without frame pointers */
	bool can_perf_cpu;     /* a CPU's event may be opened */
	bool can_perf_self;    /* an event on an own process may be opened */
	bool can_kernel_stacks;
	bool can_kallsyms;    /* kernel addresses are shown, not zeroes */
	bool can_read_others; /* maps and binaries of other users */
	bool can_see_others;  /* /proc shows them (no hidepid) */
	int paranoid;	      /* kernel.perf_event_paranoid; -2: not there */
	uint64_t caps;	      /* effective capabilities, bit n = capability n */
	int bpf_errno;	      /* why not, 0 when can_bpf */
	unsigned n_cpus, n_processes;
	enum ep_sampling sampling;
};

/* Look at the machine.  Takes milliseconds.  Any thread. */
void ep_doctor_look(struct ep_doctor *ret_d);

/*
 * ep_doctor_format - exactly three lines, each with its newline:
 *   how CPU is sampled, which processes are seen, how good names and stacks are;
 *   a line that could be better ends with the one thing to change.
 */
void ep_doctor_format(const struct ep_doctor *d, struct ep_buf *out);
/* One line per fact, for --verbose. */
void ep_doctor_format_facts(const struct ep_doctor *d, struct ep_buf *out);
/* One JSON object, for --json. */
void ep_doctor_format_json(const struct ep_doctor *d, struct ep_buf *out);
/* One sentence without a newline: how CPU is sampled, and why not better. */
void ep_doctor_sentence(const struct ep_doctor *d, struct ep_buf *out);

#endif
