/*
 * alone.h - has every thread of the program ended?
 *
 * When main() leaves by pthread_exit(), or a child is forked by a thread that then returns,
 * the process lives as long as its threads do.  Ours must not keep it.
 */
#ifndef EP_INPROC_ALONE_H
#define EP_INPROC_ALONE_H

#include <stdbool.h>

/* Threads of ours alone are left.  From one of them. */
bool ep_alone(void);

/* Then: what libc does after the last thread, exit(0), on a thread with a stack as the
 * program's have.  Returns. */
void ep_alone_end(void);

#endif
