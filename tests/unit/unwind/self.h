/*
 * self.h - the modules of the test program itself, and work to be found in.
 */
#ifndef EP_TEST_UNWIND_SELF_H
#define EP_TEST_UNWIND_SELF_H

#include "unwind/walk.h"

/* All executable segments with their tables, sorted.  Never freed. */
const struct ep_modules *self_modules(void);

/* A bit of everything compilers make: recursion, callbacks out of libc, variable
 * frames, large frames, realigned stacks, tail calls, the procedure linkage table,
 * string functions in assembly.  Takes no lock and allocates nothing.  Compiled
 * without frame pointers. */
unsigned self_work(unsigned rounds);

#endif
