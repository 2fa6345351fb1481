/* line.c - see line.h.  Source: editline(3). */
#include "pprof/line.h"

#include "base/buf.h"
#include "pprof/complete.h"
#include "pprof/ui.h"

#include <dlfcn.h>
#include <histedit.h>
#include <limits.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <wchar.h>

enum { HISTORY_LINES = 1000, SHOWN_CANDIDATES = 60, MAX_LINE = 1 << 16 };

static struct {
	__typeof__(el_init) *init;
	__typeof__(el_end) *end;
	__typeof__(el_set) *set;
	__typeof__(el_gets) *gets;
	__typeof__(el_line) *line;
	__typeof__(el_reset) *reset;
	__typeof__(el_insertstr) *insert;
	__typeof__(el_deletestr) *delete;
	__typeof__(history_init) *history_init;
	__typeof__(history_end) *history_end;
	__typeof__(history) *history;
} edit;

struct ep_line_reader {
	const struct ep_profile *profile;
	EditLine *el; /* NULL: plain lines */
	History *history;
	const char *prompt;
	char *plain; /* of getline(): from libc's heap */
	size_t plain_size;
	char history_path[PATH_MAX]; /* "": none is kept */
};

static bool load_libedit(void)
{
	static const struct {
		const char *name;
		void *slot;
	} functions[] = {
		{"el_init", &edit.init},
		{"el_end", &edit.end},
		{"el_set", &edit.set},
		{"el_gets", &edit.gets},
		{"el_line", &edit.line},
		{"el_reset", &edit.reset},
		{"el_insertstr", &edit.insert},
		{"el_deletestr", &edit.delete},
		{"history_init", &edit.history_init},
		{"history_end", &edit.history_end},
		{"history", &edit.history},
	};
	void *lib = dlopen("libedit.so.2", RTLD_NOW | RTLD_LOCAL);
	for (size_t i = 0; lib && i < sizeof(functions) / sizeof(functions[0]); i++) {
		void *f = dlsym(lib, functions[i].name);
		if (!f)
			return false;
		memcpy(functions[i].slot, &f, sizeof(f));
	}
	return lib != NULL;
}

/* --- history -------------------------------------------------------------------- */

/* Every folder of a path; what can't be made shows when the file is written. */
static void make_parents(char *path)
{
	for (char *p = path + 1; *p; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		(void)mkdir(path, 0700); /* may be there */
		*p = '/';
	}
}

static void find_history(struct ep_line_reader *r)
{
	const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
	int n = -1;
	if (state && *state == '/')
		n = snprintf(r->history_path, PATH_MAX, "%s/everprof/pprof_history",
			     state);
	else if (home && *home == '/')
		n = snprintf(r->history_path, PATH_MAX,
			     "%s/.local/state/everprof/pprof_history", home);
	if (n < 0 || n >= PATH_MAX)
		r->history_path[0] = '\0';
}

static void open_history(struct ep_line_reader *r)
{
	HistEvent ev;
	r->history = edit.history_init();
	if (!r->history)
		return;
	edit.history(r->history, &ev, H_SETSIZE, HISTORY_LINES);
	edit.history(r->history, &ev, H_SETUNIQUE, 1);
	find_history(r);
	if (*r->history_path)
		edit.history(r->history, &ev, H_LOAD, r->history_path);
	edit.set(r->el, EL_HIST, edit.history, r->history);
}

static void close_history(struct ep_line_reader *r)
{
	HistEvent ev;
	if (!r->history)
		return;
	if (*r->history_path) {
		make_parents(r->history_path);
		edit.history(r->history, &ev, H_SAVE, r->history_path);
	}
	edit.history_end(r->history);
}

/* --- editing -------------------------------------------------------------------- */

/* libedit hands no context to a prompt, and only one shell reads at a time. */
static struct ep_line_reader *current;

static char *give_prompt(EditLine *el)
{
	(void)el;
	return (char *)current->prompt;
}

struct listing {
	size_t n;
};

static void show_candidate(void *ctx, struct ep_slice c)
{
	struct listing *l = ctx;
	if (l->n++ < SHOWN_CANDIDATES)
		fprintf(stderr, "%s%.*s\n", l->n == 1 ? "\n" : "", EP_SLICE_ARG(c));
}

static unsigned char list_candidates(struct ep_slice line)
{
	struct listing l = {0};
	(void)ep_complete_line(current->profile, line, show_candidate, &l);
	if (l.n > SHOWN_CANDIDATES)
		fprintf(stderr, "... and %zu more\n", l.n - SHOWN_CANDIDATES);
	return CC_REDISPLAY;
}

/* A name as a regular expression in one word. */
static void add_quoted(struct ep_buf *out, struct ep_slice name)
{
	for (size_t i = 0; i < name.n; i++) {
		char c = name.p[i];
		if (strchr("()*+?[]{}^$|\\", c))
			ep_buf_add_char(out, '\\');
		ep_buf_add_char(out, c == ' ' ? '.' : c);
	}
}

/* What was quoted before reads as the name again. */
static void add_unquoted(struct ep_buf *out, struct ep_slice line)
{
	for (size_t i = 0; i < line.n; i++)
		if (line.p[i] != '\\')
			ep_buf_add_char(out, line.p[i]);
}

/* TAB: a single candidate takes the word's place, several as far as they agree. */
static unsigned char on_tab(EditLine *el, int key)
{
	(void)key;
	const LineInfo *li = edit.line(el);
	size_t n = (size_t)(li->cursor - li->buffer);
	ep_auto_buf plain, text;
	ep_buf_init(&plain, MAX_LINE);
	ep_buf_init(&text, MAX_LINE);
	add_unquoted(&plain, (struct ep_slice){li->buffer, n});
	struct ep_slice line = ep_slice_of(ep_buf_cstr(&plain));
	struct ep_complete c = ep_complete_line(current->profile, line, NULL, NULL);
	if (c.n == 0)
		return CC_REFRESH_BEEP;
	if (c.n > 1 && c.text.n <= line.n - c.from)
		return list_candidates(line);
	add_quoted(&text, c.text);
	if (c.n == 1)
		ep_buf_add_char(&text, ' ');
	size_t from = n;
	while (from && li->buffer[from - 1] != ' ')
		from--;
	from += c.from && line.p[c.from - 1] == '-'; /* the sign of "ignore" stays */
	edit.delete(el, (int)(n - from));
	return edit.insert(el, ep_buf_cstr(&text)) < 0 ? CC_ERROR : CC_REFRESH;
}

static volatile sig_atomic_t interrupted;
static sigset_t while_waiting; /* signals that may come while a character is awaited */

static void on_interrupt(int sig)
{
	(void)sig;
	interrupted = 1;
}

/* A character of the terminal.  libedit's own reader goes on after a signal; this one
 * gives up, so that Ctrl-C ends the line. */
static int read_char(EditLine *el, wchar_t *ret_c)
{
	(void)el;
	mbstate_t state = {0};
	for (;;) {
		char byte;
		struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};
		int ready = interrupted ? -1 : ppoll(&in, 1, NULL, &while_waiting);
		if (ready < 0 && !interrupted)
			continue;
		ssize_t n = ready < 0 ? -1 : read(STDIN_FILENO, &byte, 1);
		if (n <= 0)
			return (int)n;
		size_t rc = mbrtowc(ret_c, &byte, 1, &state);
		if (rc == 1 || rc == 0)
			return 1;
		if (rc == (size_t)-1) /* not text of this locale: passed over */
			state = (mbstate_t){0};
	}
}

static void open_editor(struct ep_line_reader *r)
{
	if (!ep_ui_is_terminal(STDIN_FILENO) || !load_libedit())
		return;
	setlocale(LC_CTYPE, ""); /* what is typed may be UTF-8 */
	/* The prompt stays off standard output, which may be a file. */
	r->el = edit.init("everprof", stdin, stderr, stderr);
	if (!r->el)
		return;
	current = r;
	edit.set(r->el, EL_PROMPT, give_prompt);
	edit.set(r->el, EL_EDITOR, "emacs");
	edit.set(r->el, EL_GETCFN, read_char);
	edit.set(r->el, EL_ADDFN, "ep-complete", "complete", on_tab);
	edit.set(r->el, EL_BIND, "^I", "ep-complete", NULL);
	edit.set(r->el, EL_BIND, "^R", "em-inc-search-prev", NULL);
	open_history(r);
}

int ep_line_open(const struct ep_profile *p, struct ep_line_reader **ret_r)
{
	struct ep_line_reader *r = ep_zalloc(sizeof(*r));
	if (!r)
		return -ENOMEM;
	r->profile = p;
	open_editor(r);
	*ret_r = r;
	return 0;
}

void ep_line_reader_free(struct ep_line_reader *r)
{
	if (!r)
		return;
	if (r->el) {
		close_history(r);
		edit.end(r->el);
		current = NULL;
	}
	free(r->plain);
	ep_free(r);
}

bool ep_line_is_edited(const struct ep_line_reader *r)
{
	return r->el;
}

/* Ctrl-C drops the line, and only while one is read. */
static const char *gets_interruptible(struct ep_line_reader *r, int *n)
{
	struct sigaction mine = {.sa_handler = on_interrupt}, old;
	sigset_t no_interrupts;
	sigemptyset(&no_interrupts);
	sigaddset(&no_interrupts, SIGINT);
	sigaction(SIGINT, &mine, &old);
	sigprocmask(SIG_BLOCK, &no_interrupts, &while_waiting);
	const char *text;
	do {
		interrupted = 0;
		text = edit.gets(r->el, n);
		if (interrupted) {
			fputc('\n', stderr);
			edit.reset(r->el);
		}
	} while (interrupted);
	sigprocmask(SIG_SETMASK, &while_waiting, NULL);
	sigaction(SIGINT, &old, NULL);
	return text;
}

static int read_edited(struct ep_line_reader *r, struct ep_slice *ret_line)
{
	int n = 0;
	const char *text = gets_interruptible(r, &n);
	if (!text || n <= 0)
		return 0;
	HistEvent ev;
	if (r->history && text[0] != '\n')
		edit.history(r->history, &ev, H_ENTER, text);
	*ret_line = (struct ep_slice){text, (size_t)n};
	return 1;
}

int ep_line_read(struct ep_line_reader *r, const char *prompt,
		 struct ep_slice *ret_line)
{
	r->prompt = prompt;
	if (r->el)
		return read_edited(r, ret_line);
	fputs(prompt, stdout);
	fflush(stdout);
	ssize_t n = getline(&r->plain, &r->plain_size, stdin);
	if (n <= 0)
		return 0;
	*ret_line = (struct ep_slice){r->plain, (size_t)n};
	return 1;
}
