/*
 * cmd_completion.c - `everprof completion SHELL` prints a completion script.
 *
 * Commands are written into the script; the flags of a command are asked from its
 * --help at the moment of completion, so that the two never disagree.
 */

#include "cli/commands.h"

#include "cli/flags.h"

#include <stdio.h>
#include <string.h>

static const char about[] =
	"Prints a completion script for your shell. `meson install` puts all three where the "
	"shells look for them.";

static const char examples[] =
	"  everprof completion bash > /etc/bash_completion.d/everprof\n"
	"  everprof completion zsh > \"${fpath[1]}/_everprof\"\n"
	"  everprof completion fish > ~/.config/fish/completions/everprof.fish\n";

/* A flag in a --help: "--out", or at a line's start "-top", as pprof has them. */
#define FLAG "(^  -|(^| )--)[a-z][a-z_-]+"

static void print_names(void)
{
	const struct ep_command *all;
	size_t n = ep_commands_all(&all);
	for (size_t i = 0; i < n; i++)
		printf("%s%s", i ? " " : "", all[i].name);
}

static void print_bash(void)
{
	fputs("# bash completion for everprof\n"
	      "_everprof() {\n"
	      "    local word=${COMP_WORDS[COMP_CWORD]} command=${COMP_WORDS[1]} words=\n"
	      "    if [[ $COMP_CWORD -eq 1 ]]; then\n"
	      "        words='",
	      stdout);
	print_names();
	fputs("'\n"
	      "    elif [[ $word == -* ]]; then\n"
	      "        words=$(\"${COMP_WORDS[0]}\" \"$command\" --help 2>/dev/null |\n"
	      "            grep -oE '" FLAG "' | sort -u)\n"
	      "    fi\n"
	      "    COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n"
	      "}\n"
	      "complete -o default -F _everprof everprof\n",
	      stdout);
}

static void print_zsh(void)
{
	fputs("#compdef everprof\n"
	      "_everprof() {\n"
	      "  if (( CURRENT == 2 )); then\n"
	      "    local -a commands=(\n",
	      stdout);
	const struct ep_command *all;
	size_t n = ep_commands_all(&all);
	for (size_t i = 0; i < n; i++)
		printf("      '%s:%s'\n", all[i].name, all[i].summary);
	fputs("    )\n"
	      "    _describe command commands\n"
	      "  elif [[ $words[CURRENT] == -* ]]; then\n"
	      "    compadd -- $(\"$words[1]\" \"$words[2]\" --help 2>/dev/null |\n"
	      "      grep -oE '" FLAG "' | sort -u)\n"
	      "  else\n"
	      "    _files\n"
	      "  fi\n"
	      "}\n"
	      "_everprof \"$@\"\n",
	      stdout);
}

static void print_fish(void)
{
	puts("# fish completion for everprof");
	const struct ep_command *all;
	size_t n = ep_commands_all(&all);
	for (size_t i = 0; i < n; i++)
		printf("complete -c everprof -n __fish_use_subcommand -f -a %s -d '%s'\n",
		       all[i].name, all[i].summary);
	puts("complete -c everprof -n 'not __fish_use_subcommand; and string match -q -- \"-*\" (commandline -ct)' \\\n"
	     "    -a '(everprof (commandline -opc)[2] --help 2>/dev/null | string match -ar -- \"" FLAG "\" | string trim | sort -u)'");
}

static const struct {
	const char *name;
	void (*print)(void);
} shells[] = {{"bash", print_bash}, {"zsh", print_zsh}, {"fish", print_fish}};

int ep_cmd_completion(int argc, char **argv)
{
	const struct ep_flag none[] = {{0}};
	const struct ep_flags flags = {"completion", "bash|zsh|fish", about, examples, none};
	int rest, rc = ep_flags_parse(&flags, argc, argv, &rest);
	if (rc >= 0)
		return rc;
	for (size_t i = 0; rest + 1 == argc && i < sizeof(shells) / sizeof(shells[0]); i++)
		if (!strcmp(argv[rest], shells[i].name)) {
			shells[i].print();
			return 0;
		}
	fprintf(stderr, "everprof completion: wants one of bash, zsh, fish\n");
	return 2;
}
