/* main.c - everprof: find the command and run it. */
#include "cli/commands.h"

#include <string.h>

int main(int argc, char **argv)
{
	if (argc < 2) {
		ep_commands_print(stderr);
		return 2;
	}
	const char *name = argv[1];
	if (!strcmp(name, "--help") || !strcmp(name, "-h"))
		name = "help";
	if (!strcmp(name, "--version"))
		name = "version";
	const struct ep_command *c = ep_commands_find(name);
	return c ? c->run(argc - 1, argv + 1) : ep_commands_unknown(name);
}
