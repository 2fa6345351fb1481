/* preload.c - see preload.h. */
#include "cli/preload.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LIBRARY "libeverprof.so"

int ep_preload_find(char ret_path[PATH_MAX])
{
	static const char *const places[] = {"", "../lib/", "../lib/x86_64-linux-gnu/",
					     "../lib/aarch64-linux-gnu/", "../lib64/"};
	char self[PATH_MAX], candidate[PATH_MAX * 2];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	if (n < 0)
		return -errno;
	self[n] = '\0';
	strrchr(self, '/')[1] = '\0';
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		snprintf(candidate, sizeof(candidate), "%s%s" LIBRARY, self, places[i]);
		/* Resolved, since the program may have another idea of links and cwd;
		 * its base name is what the library looks for in LD_PRELOAD. */
		if (realpath(candidate, ret_path))
			return 0;
	}
	return -ENOENT;
}
