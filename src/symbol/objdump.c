/*
 * objdump.c - see objdump.h.
 *
 * Two halves: what a line of objdump's output says, and the child that prints it.
 */
#include "symbol/objdump.h"

#include "base/buf.h"
#include "base/clock.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_OUTPUT (512u << 20)
#define MAX_VERSION_TEXT (256u << 10)
#define CHUNK (64u << 10)
#define MAX_SECONDS 60
#define OLDEST_LLVM 8 /* before it, no --demangle and no long options */

struct ep_objdump {
	char *tools;
	char *path; /* of objdump; NULL: not looked for yet */
	bool is_llvm;
	struct ep_buf text;
	struct ep_object_inst *insts;
	size_t n_insts;
};

/* --- lines ------------------------------------------------------------------------ */

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') ||
	       (c >= 'A' && c <= 'F');
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* A line in the making: [p, end), which may be cut by writing NULs into it. */
struct line {
	char *p, *end;
};

struct place {
	const char *function, *file;
	int64_t line;
};

static struct line trimmed(char *p, char *end)
{
	while (p < end && is_space(*p))
		p++;
	while (end > p && is_space(end[-1]))
		end--;
	*end = '\0';
	return (struct line){p, end};
}

/* "401136:  push %rbp" */
static bool is_instruction(struct line l, uint64_t *ret_address, const char **ret_text)
{
	char *p = l.p;
	uint64_t address = 0;
	for (; p < l.end && is_hex(*p); p++) {
		if (address >> 60)
			return false;
		address = address << 4 |
			  (uint64_t)(is_digit(*p) ? *p - '0' : (*p | 0x20) - 'a' + 10);
	}
	if (p == l.p || l.end - p < 2 || p[0] != ':' || !is_space(p[1]))
		return false;
	for (p++; p < l.end && is_space(*p); p++)
		;
	*ret_address = address;
	*ret_text = p;
	return true;
}

/* The last ':' that digits follow; NULL without one. */
static char *last_number(struct line l)
{
	for (char *p = l.end; p - l.p >= 2; p--)
		if (is_digit(p[-1]) && p[-2] == ':')
			return p - 2;
	return NULL;
}

/* LLVM writes "; FILE:LINE", GNU "FILE:LINE": the mark is no part of the name. */
static char *past_mark(struct line l)
{
	char *p = l.p;
	if (p < l.end && *p == ';')
		p++;
	if (p < l.end && is_space(*p))
		p++;
	return p;
}

/* "/src/a.c:12 (discriminator 3)" */
static bool is_place(struct line l, struct place *at)
{
	char *colon = last_number(l);
	if (!colon)
		return false;
	uint64_t n = 0;
	for (char *p = colon + 1; p < l.end && is_digit(*p); p++) {
		n = n * 10 + (uint64_t)(*p - '0');
		if (n > UINT32_MAX)
			return true; /* no line has it: the place stays what it was */
	}
	*colon = '\0';
	at->file = past_mark(l);
	at->line = (int64_t)n;
	return true;
}

/* "main():" of GNU, "; main():" of LLVM. */
static bool is_plain_function(struct line l, struct place *at)
{
	char *name = past_mark(l);
	if (name < l.end && is_space(*name))
		name = l.p;
	for (char *p = l.end; p - name > 3; p--) {
		if (memcmp(p - 3, "():", 3) != 0)
			continue;
		p[-3] = '\0';
		at->function = name;
		return true;
	}
	return false;
}

/* "0000000000001139 <main>:", and "f(int):" that lost what looks like hex digits, since
 * the reference loses it too. */
static bool is_other_function(struct line l, struct place *at)
{
	char *colon = l.end;
	while (colon > l.p && colon[-1] != ':')
		colon--;
	if (colon == l.p)
		return false;
	colon--;
	char *name = l.p;
	while (name < colon && is_hex(*name))
		name++;
	if (name < colon && is_space(*name))
		name++;
	*colon = '\0';
	at->function = name;
	return true;
}

static int append(struct ep_object_inst **insts, size_t *n, size_t *cap,
		  struct ep_object_inst inst)
{
	if (*n == *cap) {
		size_t more = *cap ? *cap * 2 : 256, n_bytes;
		if (!ep_mul_size(more, sizeof(**insts), &n_bytes))
			return -ENOMEM;
		struct ep_object_inst *bigger = ep_realloc(*insts, n_bytes);
		if (!bigger)
			return -ENOMEM;
		*insts = bigger;
		*cap = more;
	}
	(*insts)[(*n)++] = inst;
	return 0;
}

int ep_objdump_parse(char *text, size_t n, struct ep_object_inst **ret_insts,
		     size_t *ret_n)
{
	struct ep_object_inst *insts = NULL;
	size_t n_insts = 0, cap = 0;
	struct place at = {"", "", 0};
	for (char *p = text, *end = text + n; p < end;) {
		char *newline = memchr(p, '\n', (size_t)(end - p));
		struct line l = trimmed(p, newline ? newline : end);
		p = newline ? newline + 1 : end;
		uint64_t address;
		const char *what;
		if (is_instruction(l, &address, &what)) {
			struct ep_object_inst inst = {address, what, at.function,
						      at.file, at.line};
			if (append(&insts, &n_insts, &cap, inst) < 0) {
				ep_free(insts);
				return -ENOMEM;
			}
		} else if (!is_place(l, &at) && !is_plain_function(l, &at) &&
			   !is_other_function(l, &at)) {
			at = (struct place){"", "", 0};
		}
	}
	*ret_insts = insts;
	*ret_n = n_insts;
	return 0;
}

/* --- the child -------------------------------------------------------------------- */

/* What a child says on its two outputs, up to a limit each. */
struct child {
	pid_t pid;
	int out, err;
	char complaint[160]; /* the start of what it wrote to standard error */
	size_t n_complaint;
};

static int spawn(struct child *c, char *const argv[])
{
	int out[2], err[2];
	if (pipe2(out, O_CLOEXEC) < 0)
		return -EIO;
	if (pipe2(err, O_CLOEXEC) < 0) {
		close(out[0]);
		close(out[1]);
		return -EIO;
	}
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	sigset_t none, all;
	sigemptyset(&none);
	sigfillset(&all);
	int rc = posix_spawn_file_actions_init(&files);
	rc = rc ? rc : posix_spawnattr_init(&attr);
	rc = rc ? rc
		: posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
	rc = rc ? rc : posix_spawn_file_actions_adddup2(&files, out[1], 1);
	rc = rc ? rc : posix_spawn_file_actions_adddup2(&files, err[1], 2);
	rc = rc ? rc : posix_spawn_file_actions_addclosefrom_np(&files, 3);
	rc = rc ? rc : posix_spawnattr_setsigmask(&attr, &none);
	rc = rc ? rc : posix_spawnattr_setsigdefault(&attr, &all);
	rc = rc ? rc
		: posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK |
							  POSIX_SPAWN_SETSIGDEF);
	rc = rc ? rc : posix_spawn(&c->pid, argv[0], &files, &attr, argv, environ);
	(void)posix_spawn_file_actions_destroy(&files); /* neither can fail in glibc */
	(void)posix_spawnattr_destroy(&attr);
	close(out[1]);
	close(err[1]);
	if (rc) {
		close(out[0]);
		close(err[0]);
		return rc == ENOMEM ? -ENOMEM : -ENOENT;
	}
	c->out = out[0];
	c->err = err[0];
	return 0;
}

/* Read what is there; 1 while more may come, 0 at the end. */
static int take_output(struct child *c, struct ep_buf *text)
{
	uint8_t *to = ep_buf_reserve(text, CHUNK);
	if (!to)
		return ep_buf_failed(text);
	ssize_t n = read(c->out, to, CHUNK);
	if (n < 0)
		return errno == EINTR ? 1 : -EIO;
	text->len += (size_t)n;
	return n > 0;
}

static int take_complaint(struct child *c)
{
	char buf[4096];
	ssize_t n = read(c->err, buf, sizeof(buf));
	if (n < 0)
		return errno == EINTR ? 1 : -EIO;
	size_t room = sizeof(c->complaint) - 1 - c->n_complaint;
	size_t keep = (size_t)n < room ? (size_t)n : room;
	memcpy(c->complaint + c->n_complaint, buf, keep);
	c->n_complaint += keep;
	return n > 0;
}

/* Both outputs to their ends. */
static int listen_to(struct child *c, struct ep_buf *text)
{
	struct pollfd fds[2] = {{.fd = c->out, .events = POLLIN},
				{.fd = c->err, .events = POLLIN}};
	uint64_t end_ns = ep_clock_mono_ns() + MAX_SECONDS * EP_NS_PER_S;
	while (fds[0].fd >= 0 || fds[1].fd >= 0) {
		uint64_t now_ns = ep_clock_mono_ns();
		if (now_ns >= end_ns)
			return -ETIMEDOUT;
		int n = poll(fds, 2, (int)((end_ns - now_ns) / EP_NS_PER_MS) + 1);
		if (n < 0 && errno != EINTR)
			return -EIO;
		if (n <= 0)
			continue;
		int more = fds[0].revents ? take_output(c, text) : 1;
		if (more <= 0)
			fds[0].fd = -1;
		EP_TRY(more);
		more = fds[1].revents ? take_complaint(c) : 1;
		if (more <= 0)
			fds[1].fd = -1;
		EP_TRY(more);
	}
	return 0;
}

/* The words of a complaint in one line. */
static void tidy(struct child *c)
{
	c->complaint[c->n_complaint] = '\0';
	c->complaint[strcspn(c->complaint, "\r\n")] = '\0';
	for (char *p = c->complaint; *p; p++)
		if ((unsigned char)*p < ' ')
			*p = ' ';
}

/* Run a program to its end and keep what it prints. */
static int run(char *const argv[], struct ep_buf *text, struct ep_err *err)
{
	struct child c = {0};
	ep_buf_clear(text);
	int rc = spawn(&c, argv);
	if (rc < 0)
		return ep_fail(err, rc, 0, "cannot start %s", argv[0]);
	rc = listen_to(&c, text);
	if (rc < 0)
		(void)kill(c.pid, SIGKILL); /* it is ours, and not waited for yet */
	close(c.out);
	close(c.err);
	int status = 0;
	pid_t pid;
	do
		pid = waitpid(c.pid, &status, 0);
	while (pid < 0 && errno == EINTR);
	tidy(&c);
	if (rc == -ETIMEDOUT)
		return ep_fail(err, rc, 0, "%s did not end within %d s", argv[0],
			       MAX_SECONDS);
	if (rc < 0)
		return ep_fail(err, rc, 0, "%s %s", argv[0],
			       rc == -E2BIG ? "prints too much" : "cannot be read");
	/* A host that ignores SIGCHLD leaves no status; then the output must do. */
	if (pid == c.pid && !(WIFEXITED(status) && WEXITSTATUS(status) == 0))
		return ep_fail(err, -EBADMSG, 0, "%s failed: %s", argv[0],
			       *c.complaint ? c.complaint : "it says no reason");
	return 0;
}

/* --- which objdump ---------------------------------------------------------------- */

static bool is_program(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, X_OK) == 0;
}

/* DIR/NAME if that is a program. */
static int try_folder(struct ep_slice dir, const char *name, char **ret_path)
{
	char *path = NULL;
	if (asprintf(&path, "%.*s/%s", EP_SLICE_ARG(dir), name) < 0)
		return -ENOMEM;
	int rc = -ENOENT;
	if (is_program(path))
		rc = (*ret_path = ep_strdup(path)) ? 0 : -ENOMEM;
	free(path);
	return rc;
}

/* Cut the next entry off a list. */
static bool next_entry(const char **rest, char separator, struct ep_slice *ret_entry)
{
	if (!*rest)
		return false;
	const char *end = strchrnul(*rest, separator);
	*ret_entry = (struct ep_slice){*rest, (size_t)(end - *rest)};
	*rest = *end ? end + 1 : NULL;
	return true;
}

/* Folders of $PATH; relative ones are no place to run programs from. */
static int try_path_variable(const char *name, char **ret_path)
{
	const char *rest = getenv("PATH");
	struct ep_slice dir;
	int rc = -ENOENT;
	while (rc == -ENOENT && next_entry(&rest, ':', &dir))
		if (dir.n && dir.p[0] == '/')
			rc = try_folder(dir, name, ret_path);
	return rc;
}

/* The tool that an entry "tool:FOLDER" is for; a slice of nothing when for all. */
static struct ep_slice entry_tool(struct ep_slice entry)
{
	static const char *const names[] = {"llvm-symbolizer", "addr2line", "nm",
					    "objdump"};
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		size_t n = strlen(names[i]);
		if (entry.n > n && memcmp(entry.p, names[i], n) == 0 &&
		    entry.p[n] == ':')
			return (struct ep_slice){entry.p, n};
	}
	return (struct ep_slice){0};
}

/* Entries for objdump alone come before those for every tool. */
int ep_objdump_find_tool(const char *tools, const char *name, char **ret_path)
{
	int rc = -ENOENT;
	for (int own = 1; own >= 0 && rc == -ENOENT; own--) {
		const char *rest = tools;
		struct ep_slice entry;
		while (rc == -ENOENT && next_entry(&rest, ',', &entry)) {
			struct ep_slice tool = entry_tool(entry);
			if (own ? !ep_slice_is(tool, "objdump") : tool.n != 0)
				continue;
			if (tool.n)
				entry = (struct ep_slice){entry.p + tool.n + 1,
							  entry.n - tool.n - 1};
			rc = entry.n ? try_folder(entry, name, ret_path)
				     : try_path_variable(name, ret_path);
		}
	}
	return rc;
}

/* What `objdump --version` must say; *ret_llvm tells the two families apart. */
static bool is_usable(const char *version, bool *ret_llvm)
{
	static const char mark[] = "LLVM version ";
	const char *llvm = strstr(version, mark);
	if (llvm) {
		const char *number = llvm + strlen(mark);
		*ret_llvm = true;
		return strtol(number, NULL, 10) >= OLDEST_LLVM ||
		       strstr(number, "trunk");
	}
	*ret_llvm = false;
	return strstr(version, "GNU objdump") != NULL;
}

static int find_objdump(struct ep_objdump *d, struct ep_err *err)
{
	static const char *const names[] = {"llvm-objdump", "objdump"};
	struct ep_buf text __attribute__((cleanup(ep_buf_fini)));
	ep_buf_init(&text, MAX_VERSION_TEXT);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		char *path = NULL;
		int rc = ep_objdump_find_tool(d->tools, names[i], &path);
		if (rc == -ENOMEM)
			return ep_fail(err, rc, 0, "out of memory");
		if (rc < 0)
			continue;
		char *const argv[] = {path, (char *)"--version", NULL};
		if (run(argv, &text, NULL) == 0 &&
		    is_usable(ep_buf_cstr(&text), &d->is_llvm)) {
			d->path = path;
			return 0;
		}
		ep_free(path);
	}
	return ep_fail(
		err, -ENOENT, 0,
		"cannot disasm: no objdump tool available (it comes with binutils "
		"and LLVM; -tools or $PPROF_TOOLS says where else it is)");
}

/* --- the door --------------------------------------------------------------------- */

int ep_objdump_new(const char *tools, struct ep_objdump **ret_d, struct ep_err *err)
{
	struct ep_objdump *d = ep_zalloc(sizeof(*d));
	if (d)
		d->tools = ep_strdup(tools ? tools : "");
	if (!d || !d->tools) {
		ep_objdump_free(d);
		return ep_fail(err, -ENOMEM, 0, "out of memory");
	}
	ep_buf_init(&d->text, MAX_OUTPUT);
	*ret_d = d;
	return 0;
}

void ep_objdump_free(struct ep_objdump *d)
{
	if (!d)
		return;
	ep_free(d->tools);
	ep_free(d->path);
	ep_free(d->insts);
	ep_buf_fini(&d->text);
	ep_free(d);
}

/* The command line of the reference. */
static int call(struct ep_objdump *d, const char *path, uint64_t start, uint64_t end,
		bool intel, struct ep_err *err)
{
	char from[48], to[48];
	snprintf(from, sizeof(from), "--start-address=%#jx", (uintmax_t)start);
	snprintf(to, sizeof(to), "--stop-address=%#jx", (uintmax_t)end);
	const char *argv[12] = {d->path,
				"--disassemble",
				"--demangle",
				"--no-show-raw-insn",
				"--line-numbers",
				from,
				to};
	size_t n = 7;
	if (intel && d->is_llvm) {
		argv[n++] = "--x86-asm-syntax=intel";
	} else if (intel) {
		argv[n++] = "-M";
		argv[n++] = "intel";
	}
	char *safe = NULL; /* a name that begins with a dash is no option */
	if (asprintf(&safe, "%s%s", path[0] == '-' ? "./" : "", path) < 0)
		return ep_fail(err, -ENOMEM, 0, "out of memory");
	argv[n] = safe;
	int rc = run((char *const *)argv, &d->text, err);
	free(safe);
	return rc;
}

int ep_objdump_run(struct ep_objdump *d, const char *path, uint64_t start, uint64_t end,
		   bool intel, const struct ep_object_inst **ret_insts, size_t *ret_n,
		   struct ep_err *err)
{
	if (!d->path)
		EP_TRY(find_objdump(d, err));
	ep_free(ep_take(&d->insts));
	d->n_insts = 0;
	EP_TRY(call(d, path, start, end, intel, err));
	ep_buf_add_char(&d->text, '\0');
	if (ep_buf_failed(&d->text))
		return ep_fail(err, ep_buf_failed(&d->text), 0,
			       "the code of %s is too long", path);
	if (ep_objdump_parse((char *)d->text.data, d->text.len - 1, &d->insts,
			     &d->n_insts) < 0)
		return ep_fail(err, -ENOMEM, 0, "out of memory");
	*ret_insts = d->insts;
	*ret_n = d->n_insts;
	return 0;
}
