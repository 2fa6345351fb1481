/*
 * usage.h - -help: every flag with a line, in groups, with examples.
 */
#ifndef EP_PPROF_USAGE_H
#define EP_PPROF_USAGE_H

#include <stdio.h>

void ep_usage_print(FILE *to);
/* The forms alone, for a command line without a source. */
void ep_usage_print_short(FILE *to);

#endif
