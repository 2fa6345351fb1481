/*
 * driver.h - `everprof pprof`: one report, the shell, or the page.
 */
#ifndef EP_PPROF_DRIVER_H
#define EP_PPROF_DRIVER_H

/* argv[0] is the command's name.  0, or 2 with a sentence on standard error. */
int ep_driver_run(int argc, char **argv);

#endif
