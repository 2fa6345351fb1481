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

/* Groups, in this order: Run, Profile, About. */
const struct ep_command ep_commands[] = {
	{"up", "Run", "profile this machine and show it on a page: the main job", ep_cmd_up},
	{"serve", "Run", "the server alone: takes profiles in, keeps them, shows them",
	 ep_cmd_serve},
	{"agent", "Run", "the agent alone: samples every process here, sends to a server",
	 ep_cmd_agent},
	{"run", "Run", "run a program with the library inside: functions, threads, labels",
	 ep_cmd_run},
	{"record", "Profile", "one CPU profile to a file: a command, a process, the machine",
	 ep_cmd_record},
	{"doctor", "Profile", "what this kernel and user allow, and what to change for more",
	 ep_cmd_doctor},
	{"completion", "About", "print a completion script for your shell", ep_cmd_completion},
	{"version", "About", "print the version", run_version},
};
const size_t ep_n_commands = sizeof(ep_commands) / sizeof(ep_commands[0]);
