/* commands.c - one row a command.  See commands.h. */
#include "cli/commands.h"

#include <stdio.h>

static int run_version(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	printf("everprof %s\n", EP_VERSION);
	return 0;
}

const struct ep_command ep_commands[] = {
	{"version", "About", "print the version", run_version},
};
const size_t ep_n_commands = sizeof(ep_commands) / sizeof(ep_commands[0]);
