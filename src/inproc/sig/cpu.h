/*
 * cpu.h - the SIGPROF handler.
 */
#ifndef EP_INPROC_SIG_CPU_H
#define EP_INPROC_SIG_CPU_H

#include <signal.h>
#include <stdint.h>

struct ep_sig_thread;

/*
 * ep_cpu_handler - take one sample of the interrupted thread.
 *
 * Installed with SA_SIGINFO.  Takes no lock, allocates nothing, leaves errno
 * alone; uses about 400 bytes of stack, as it may run on a small alternate one.
 * Loops are bounded by EP_SIG_MAX_FRAMES.
 */
void ep_cpu_handler(int signo, siginfo_t *info, void *context);

/*
 * ep_cpu_settle - one sample of a thread that is about to end, for CPU time that no
 * timer saw: a life shorter than the kernel's tick.
 *
 * in       t       of the calling thread, its timer deleted
 *          weight  periods
 * The stack is the start routine and what called it: it was somewhere below.
 */
void ep_cpu_settle(struct ep_sig_thread *t, uint32_t weight);

#endif
