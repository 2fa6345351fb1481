/* usage.c - see usage.h.  Everything comes from the tables, so nothing is forgotten. */
#include "pprof/usage.h"

#include "pprof/args.h"

#include <string.h>

enum { COLUMN = 24, MARGIN = 80 };

void ep_usage_print_short(FILE *to)
{
	fputs("usage: everprof pprof FORMAT [OPTIONS] [BINARY] SOURCE...   one report\n"
	      "       everprof pprof [OPTIONS] [BINARY] SOURCE...          the shell\n"
	      "       everprof pprof -http=HOST:PORT [OPTIONS] [BINARY] SOURCE...   a "
	      "page\n",
	      to);
}

/* Words up to the margin, further lines indented. */
static void wrapped(const char *text, FILE *to)
{
	int at = COLUMN;
	for (const char *s = text; *s && *s != '\n'; s += strspn(s, " ")) {
		int n = (int)strcspn(s, " \n");
		if (at != COLUMN && at + 1 + n > MARGIN) {
			fprintf(to, "\n%*s", COLUMN, "");
			at = COLUMN;
		}
		at += fprintf(to, "%s%.*s", at == COLUMN ? "" : " ", n, s);
		s += n;
	}
	fputc('\n', to);
}

static void row(const char *name, const char *value, const char *help, FILE *to)
{
	int n = fprintf(to, "  -%s%s%s", name, value ? "=" : "", value ? value : "");
	if (n > COLUMN - 2)
		fprintf(to, "\n%*s", COLUMN, "");
	else
		fprintf(to, "%*s", COLUMN - n, "");
	wrapped(help, to);
}

static const char *value_of(const struct ep_vars_field *f)
{
	switch (f->kind) {
	case EP_VARS_INT:
	case EP_VARS_FLOAT:
		return "N";
	case EP_VARS_STRING:
		return "TEXT";
	default:
		return NULL;
	}
}

static void options(FILE *to, bool ours)
{
	for (const struct ep_vars_field *f = ep_vars_fields(); f->name; f++)
		if (f->kind != EP_VARS_CHOICE && f->is_ours == ours)
			row(f->name, value_of(f), f->help, to);
}

static void choices(FILE *to)
{
	for (const struct ep_vars_field *f = ep_vars_fields(); f->name; f++) {
		if (f->kind != EP_VARS_CHOICE)
			continue;
		fprintf(to, "\n%s (one of them):\n",
			!strcmp(f->name, "sort") ? "Order" : "Granularity");
		for (const struct ep_vars_choice *c = f->choices; c->name; c++)
			row(c->name, NULL, c->help, to);
	}
}

static const char examples[] =
	"\nexamples:\n"
	"  everprof pprof -top cpu.pb.gz\n"
	"  everprof pprof -top -cum -focus=Marshal -nodecount=20 cpu.pb.gz\n"
	"  everprof pprof -list='^main\\.' ./server cpu.pb.gz\n"
	"  everprof pprof -svg -output=graph.svg heap.pb.gz\n"
	"  everprof pprof -top -diff_base=before.pb.gz after.pb.gz\n"
	"  everprof pprof -proto -output=all.pb.gz *.pb.gz\n"
	"  everprof pprof -top -seconds=10 http://localhost:6060/debug/pprof/profile\n"
	"  everprof pprof cpu.pb.gz                 the shell; type help\n"
	"  everprof pprof -http=: cpu.pb.gz         a page in the browser\n";

void ep_usage_print(FILE *to)
{
	ep_usage_print_short(to);
	fputs("\nReports on profiles, as `go tool pprof` makes them: the same flags, "
	      "the same\n"
	      "text. SOURCE is a file, - for standard input, or a URL; several are "
	      "merged.\n"
	      "BINARY is the program that was profiled, when it is not where it was.\n"
	      "Flags stand before the sources; -flag and --flag are the same.\n",
	      to);
	fputs("\nFormats (one of them):\n", to);
	for (const struct ep_format *f = ep_formats_all(); f->name; f++)
		row(f->name, f->has_argument ? "REGEX" : NULL, f->description, to);
	fputs("\nOptions:\n", to);
	options(to, false);
	choices(to);
	fputs("\nBeyond go tool pprof:\n", to);
	options(to, true);
	for (const struct ep_args_flag *f = ep_args_flags(); f->help; f++) {
		if (f->name)
			row(f->name, f->value, f->help, to);
		else
			fprintf(to, "\n%s:\n", f->help);
	}
	fputs("\nEnvironment:\n"
	      "  PPROF_TMPDIR          where profiles from URLs are kept "
	      "($HOME/pprof)\n"
	      "  PPROF_TOOLS           as -tools\n"
	      "  PPROF_BINARY_PATH     folders with binaries ($HOME/pprof/binaries)\n"
	      "  BROWSER               what -web and -weblist open\n"
	      "  NO_COLOR              set: no colours on a terminal\n",
	      to);
	fputs(examples, to);
}
