/* commands.c - one row a command.  See commands.h. */
#include "cli/commands.h"

#include "cli/flags.h"

#include <stdio.h>
#include <string.h>

static int run_version(int argc, char **argv)
{
	const struct ep_flag none[] = {{0}};
	const struct ep_flags flags = {"version", NULL, "Prints the version.", NULL, none};
	int rest, rc = ep_flags_parse(&flags, argc, argv, &rest);
	if (rc >= 0)
		return rc;
	printf("everprof %s\n", EP_VERSION);
	return 0;
}

static int run_help(int argc, char **argv)
{
	if (argc < 2) {
		ep_commands_print(stdout);
		return 0;
	}
	const struct ep_flag none[] = {{0}};
	const struct ep_flags flags = {"help", "[COMMAND]",
				       "Prints what a command does, its flags, and examples; "
				       "without a COMMAND, the list of commands.",
				       "  everprof help record\n", none};
	int rest, rc = ep_flags_parse(&flags, argc, argv, &rest);
	if (rc >= 0)
		return rc;
	const struct ep_command *c = ep_commands_find(argv[rest]);
	return c ? c->run(2, (char *[]){argv[rest], "--help", NULL}) : ep_commands_unknown(argv[rest]);
}

/* Groups, in this order: Run, Profile, About. */
static const struct ep_command commands[] = {
	{"up", "Run", "profile this machine and show it on a page: the main job", ep_cmd_up},
	{"serve", "Run", "the server alone: takes profiles in, keeps them, shows them",
	 ep_cmd_serve},
	{"agent", "Run", "the agent alone: samples every process, sends to a server",
	 ep_cmd_agent},
	{"admin", "Run", "a server's tokens, backup, verify, restore", ep_cmd_admin},
	{"run", "Run", "run a program with the library inside: functions, labels",
	 ep_cmd_run},
	{"record", "Profile", "one CPU profile to a file: a command, a process, the machine",
	 ep_cmd_record},
	{"pprof", "Profile", "reports on profiles: all of `go tool pprof`, and a shell",
	 ep_cmd_pprof},
	{"diff", "Profile", "what changed between two profiles, with the sampling error",
	 ep_cmd_diff},
	{"doctor", "Profile", "what this kernel and user allow, and what to change for more",
	 ep_cmd_doctor},
	{"verify", "Profile", "half a minute of known work: everprof's own error and cost here",
	 ep_cmd_verify},
	{"completion", "About", "print a completion script for your shell", ep_cmd_completion},
	{"help", "About", "what a command does, its flags, and examples", run_help},
	{"version", "About", "print the version", run_version},
};

size_t ep_commands_all(const struct ep_command **ret_first)
{
	*ret_first = commands;
	return sizeof(commands) / sizeof(commands[0]);
}

const struct ep_command *ep_commands_find(const char *name)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (!strcmp(name, commands[i].name))
			return &commands[i];
	return NULL;
}

int ep_commands_unknown(const char *name)
{
	fprintf(stderr, "everprof: there is no command \"%s\"; `everprof help` lists them\n",
		name);
	return 2;
}

void ep_commands_print(FILE *to)
{
	fputs("everprof: continuous profiling\n\n"
	      "usage: everprof COMMAND [FLAGS]     everprof help COMMAND has examples\n",
	      to);
	const char *group = "";
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		const struct ep_command *c = &commands[i];
		if (strcmp(group, c->group) != 0)
			fprintf(to, "\n%s\n", group = c->group);
		fprintf(to, "  %-12s%s\n", c->name, c->summary);
	}
}
