/*
 * framebase.h - the frame pointer of a function that waits for a call to return, where
 * nobody has told it.
 *
 * Its code has: the prologue says how far below the frame pointer the stack pointer is.
 * What is found there is believed only if it is where the function was called: behind a
 * call instruction that leads to it.  Where the prologue can't be read, the stack is
 * searched for such a place.
 */
#ifndef EP_INPROC_FRAMEBASE_H
#define EP_INPROC_FRAMEBASE_H

#include "unwind/modules.h"
#include "unwind/step.h"

/*
 * ep_framebase_find - of the frame whose function holds pc.
 *
 * in       m      with a table
 *          pc     inside the function, behind its prologue
 *          sp     its stack pointer
 *          stack  to read from; code is read by process_vm_readv
 * returns  the frame pointer; 0: it can't be told
 */
uint64_t ep_framebase_find(const struct ep_modules *ms, const struct ep_module *m, uint64_t pc,
			   uint64_t sp, const struct ep_stack *stack);

#endif
