/* main.c - everprof: find the command and run it. */
#include "cli/commands.h"

#include <stdio.h>
#include <string.h>

static void print_help(FILE *to)
{
	fputs("everprof: continuous profiling\n\n"
	      "usage: everprof COMMAND [FLAGS]   (everprof COMMAND --help for examples)\n",
	      to);
	const char *group = "";
	for (size_t i = 0; i < ep_n_commands; i++) {
		const struct ep_command *c = &ep_commands[i];
		if (strcmp(group, c->group) != 0)
			fprintf(to, "\n%s\n", group = c->group);
		fprintf(to, "  %-10s %s\n", c->name, c->summary);
	}
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "--help";
	if (!strcmp(name, "--help") || !strcmp(name, "-h") || !strcmp(name, "help")) {
		print_help(argc > 1 ? stdout : stderr);
		return argc > 1 ? 0 : 2;
	}
	if (!strcmp(name, "--version"))
		name = "version";
	for (size_t i = 0; i < ep_n_commands; i++)
		if (!strcmp(name, ep_commands[i].name))
			return ep_commands[i].run(argc - 1, argv + 1);
	fprintf(stderr, "everprof: there is no command \"%s\"; `everprof --help` lists them\n",
		name);
	return 2;
}
