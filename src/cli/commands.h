/*
 * commands.h - the table of commands: one file cmd_x.c and one row each.
 */
#ifndef EP_CLI_COMMANDS_H
#define EP_CLI_COMMANDS_H

#include <stddef.h>
#include <stdio.h>

struct ep_command {
	const char *name;
	const char *group;   /* heading in --help */
	const char *summary; /* one line of --help */
	/* argv[0] is the command's name.  Returns the exit code. */
	int (*run)(int argc, char **argv);
};

/* All of them, in the order of --help; returns how many. */
size_t ep_commands_all(const struct ep_command **ret_first);
/* NULL: there is none of this name. */
const struct ep_command *ep_commands_find(const char *name);
/* Says that there is none of this name; the exit code. */
int ep_commands_unknown(const char *name);
/* The list, as --help has it. */
void ep_commands_print(FILE *to);

/* cmd_NAME.c, each. */
int ep_cmd_admin(int argc, char **argv);
int ep_cmd_agent(int argc, char **argv);
int ep_cmd_completion(int argc, char **argv);
int ep_cmd_diff(int argc, char **argv);
int ep_cmd_doctor(int argc, char **argv);
int ep_cmd_pprof(int argc, char **argv);
int ep_cmd_record(int argc, char **argv);
int ep_cmd_run(int argc, char **argv);
int ep_cmd_serve(int argc, char **argv);
int ep_cmd_up(int argc, char **argv);
int ep_cmd_verify(int argc, char **argv);

#endif
