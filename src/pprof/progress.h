/*
 * progress.h - a bar on standard error while something takes longer than a second.
 *
 * On a terminal only; a program that is done sooner shows nothing.  There is one bar,
 * as there is one standard error.
 */
#ifndef EP_PPROF_PROGRESS_H
#define EP_PPROF_PROGRESS_H

#include <stddef.h>

/* Begin, and end with nothing left on the screen.  Main thread; not nested. */
void ep_progress_start(void);
void ep_progress_stop(void);

/* What is done now ("reading"; a literal), in so many steps; 0: nobody knows. */
void ep_progress_phase(const char *what, size_t n_steps);
/* One step is done.  Any thread. */
void ep_progress_step(void);

/* Take the bar off the screen until it is drawn again: before a line is printed. */
void ep_progress_hide(void);

#endif
