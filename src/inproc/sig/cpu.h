/*
 * cpu.h - the SIGPROF handler.
 */
#ifndef EP_INPROC_SIG_CPU_H
#define EP_INPROC_SIG_CPU_H

#include <signal.h>

/*
 * ep_cpu_handler - take one sample of the interrupted thread.
 *
 * Installed with SA_SIGINFO.  Takes no lock, allocates nothing, leaves errno
 * alone; uses about 400 bytes of stack, as it may run on a small alternate one.
 * Loops are bounded by EP_SIG_MAX_FRAMES.
 */
void ep_cpu_handler(int signo, siginfo_t *info, void *context);

#endif
