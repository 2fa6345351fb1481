/* ui.c - see ui.h. */
#include "pprof/ui.h"

#include "pprof/progress.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <unistd.h>

static bool is_red;

void ep_ui_set_red(bool on)
{
	is_red = on;
}

static void print(const char *text, bool red)
{
	size_t n = strlen(text);
	bool ends = n && text[n - 1] == '\n';
	ep_progress_hide();
	fprintf(stderr, "%s%s%s%s", red ? "\033[0;31m" : "", text, ends ? "" : "\n",
		red ? "\033[0m" : "");
}

void ep_ui_print(const char *text)
{
	print(text, false);
}

void ep_ui_error(const char *text)
{
	print(text, is_red);
}

static void note_line(void *ctx, const char *text)
{
	(void)ctx;
	ep_ui_error(text);
}

static void note_stray(void *ctx, const char *text)
{
	(void)ctx;
	ep_progress_hide();
	puts(text);
	(void)fflush(stdout); /* the report says it when nobody listens */
}

struct ep_notes ep_ui_notes(void)
{
	return (struct ep_notes){.line = note_line, .stray = note_stray};
}

const char *ep_ui_errno(int code, char buf[80])
{
	snprintf(buf, 80, "%s",
		 strerrordesc_np(code) ? strerrordesc_np(code) : "unknown error");
	if (!isupper((unsigned char)buf[1])) /* not "RPC …" */
		buf[0] = (char)tolower((unsigned char)buf[0]);
	return buf;
}

bool ep_ui_is_terminal(int fd)
{
	const char *term = getenv("TERM");
	return term && *term && strcasecmp(term, "dumb") != 0 && isatty(fd);
}

int ep_ui_width(int fd)
{
	struct winsize w;
	return ioctl(fd, TIOCGWINSZ, &w) == 0 ? w.ws_col : 0;
}
