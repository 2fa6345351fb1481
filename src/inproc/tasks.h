/*
 * tasks.h - the threads of this process, as the kernel shows them.
 *
 * Nothing here disturbs a thread: all is read from /proc/self/task and from clocks.
 * Allocates nothing, and keeps no descriptor open.  Any thread.
 */
#ifndef EP_INPROC_TASKS_H
#define EP_INPROC_TASKS_H

#include <stdbool.h>
#include <stdint.h>

/* The kernel's clock id of a thread's CPU time: ~tid, per-thread, scheduler's. */
#define EP_TASKS_CLOCK(tid) ((long)(int)((~(unsigned)(tid) << 3) | 4 | 2))

enum { EP_TASKS_NAME = 16 }; /* with its NUL, as the kernel has it */

/* Call fn for each thread.  -errno when /proc has no answer. */
int ep_tasks_each(void (*fn)(uint32_t tid, void *arg), void *arg);

/* The folder of all threads, for the functions below; a descriptor or -errno. */
int ep_tasks_open(void);

enum ep_tasks_state {
	EP_TASKS_RUNNING, /* on a CPU, or waiting for one */
	EP_TASKS_BLOCKED,
	EP_TASKS_UNKNOWN, /* the kernel does not say */
	EP_TASKS_GONE,
};

/* Where a blocked thread is. */
struct ep_tasks_at {
	long call; /* number of the system call; -1: none, a page it waits for */
	uint64_t sp, pc;
};

/*
 * ep_tasks_look - what a thread does.
 *
 * out      ret_at  if it is blocked
 *          ret_fd  NULL, or a descriptor for a second look; -1: there is none
 */
enum ep_tasks_state ep_tasks_look(int dir, uint32_t tid, struct ep_tasks_at *ret_at, int *ret_fd);
/* Once more. */
enum ep_tasks_state ep_tasks_look_again(int fd, struct ep_tasks_at *ret_at);

/* How long it has waited for a CPU so far; false: the kernel does not count that. */
bool ep_tasks_queued_ns(int dir, uint32_t tid, uint64_t *ret_ns);

/* The name; "" when it is gone. */
void ep_tasks_name(int dir, uint32_t tid, char ret[EP_TASKS_NAME]);

/* What its status file says: signals it holds back (bit SIGNO - 1), and how often it went
 * to wait.  false: there is none. */
bool ep_tasks_status(uint32_t tid, uint64_t *ret_blocked, uint64_t *ret_n_waits);

/* CPU time so far; 0: gone. */
uint64_t ep_tasks_cpu_ns(uint32_t tid);

/*
 * ep_tasks_read - copy a piece of this process's memory that may not be there.
 *
 * returns  bytes read from `at` on, cut where pages are missing
 */
uint64_t ep_tasks_read(uint64_t at, void *to, uint64_t n);

/* The same, after 8 bytes at word_at in the same call; 0 when those are not there. */
uint64_t ep_tasks_read_with(uint64_t word_at, uint64_t *ret_word, uint64_t at, void *to,
			    uint64_t n);

/* A system call that threads wait in, for people: "futex"; "syscall 999" when it is not
 * in the table.  The same pointer for the same call; under the drain lock. */
const char *ep_tasks_call_name(long call);

#endif
