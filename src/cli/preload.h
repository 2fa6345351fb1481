/*
 * preload.h - where libeverprof.so is, to be loaded into other programs.
 */
#ifndef EP_CLI_PRELOAD_H
#define EP_CLI_PRELOAD_H

#include <limits.h>

/* The library beside everprof (the build folder), or in the folder for libraries.
 * -ENOENT: in neither.  Any thread. */
int ep_preload_find(char ret_path[PATH_MAX]);

#endif
