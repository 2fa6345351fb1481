/*
 * regs.h - the registers of this CPU that carry a walk.
 *
 * A CPU is a file beside regs_x86_64.h; nothing else in this room knows one.
 */
#ifndef EP_UNWIND_REGS_H
#define EP_UNWIND_REGS_H

#if defined(__x86_64__) || defined(__TARGET_ARCH_x86) || defined(__bpf__)
#include "unwind/regs_x86_64.h"
#else
#error "no unwind/regs_*.h for this CPU yet"
#endif

#endif
