/*
 * sys.h - system calls without libc: no errno, no cancellation point, no import.
 *
 * Each returns what the kernel returned: 0 or more, or a negative errno.
 */
#ifndef EP_SAFE_SYS_H
#define EP_SAFE_SYS_H

#include <sys/syscall.h>

#if defined(__x86_64__)
#include "safe/sys_x86_64.h"
#elif defined(__aarch64__)
#include "safe/sys_aarch64.h"
#else
#error "no safe/sys_*.h for this CPU yet"
#endif

#endif
