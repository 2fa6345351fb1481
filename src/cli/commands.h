/*
 * commands.h - the table of commands: one file cmd_x.c and one row each.
 */
#ifndef EP_CLI_COMMANDS_H
#define EP_CLI_COMMANDS_H

#include <stddef.h>

struct ep_command {
	const char *name;
	const char *group;   /* heading in --help */
	const char *summary; /* one line of --help */
	/* argv[0] is the command's name.  Returns the exit code. */
	int (*run)(int argc, char **argv);
};

extern const struct ep_command ep_commands[]; /* in the order of --help */
extern const size_t ep_n_commands;

/* cmd_NAME.c, each. */
int ep_cmd_agent(int argc, char **argv);
int ep_cmd_completion(int argc, char **argv);
int ep_cmd_doctor(int argc, char **argv);
int ep_cmd_record(int argc, char **argv);
int ep_cmd_run(int argc, char **argv);
int ep_cmd_serve(int argc, char **argv);
int ep_cmd_up(int argc, char **argv);

#endif
