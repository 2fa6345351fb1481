/* draw.c - see draw.h. */
#include "pprof/draw.h"

#include "base/slice.h"
#include "pprof/pan.h"
#include "pprof/ui.h"

#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { READ_STEP = 64 << 10 };

extern char **environ;

#define BLAME "failed to execute dot. Is Graphviz installed? Error: "

/* The text in a file without a name, rewound, for a child to read. */
static int as_file(const struct ep_buf *b, struct ep_err *err)
{
	int fd = memfd_create("graph", MFD_CLOEXEC);
	if (fd < 0)
		return ep_fail(err, -EIO, 0, BLAME "memfd_create: %s", strerror(errno));
	for (size_t at = 0; at < b->len;) {
		ssize_t n = write(fd, b->data + at, b->len - at);
		if (n < 0 && errno != EINTR) {
			ep_fail(err, -EIO, 0, BLAME "write: %s", strerror(errno));
			close(fd);
			return -EIO;
		}
		at += n > 0 ? (size_t)n : 0;
	}
	(void)lseek(fd, 0, SEEK_SET); /* a memory file can't refuse */
	return fd;
}

static int spawn(const char *format, int in, int out, pid_t *ret_pid,
		 struct ep_err *err)
{
	char flag[16];
	snprintf(flag, sizeof(flag), "-T%s", format);
	char *const argv[] = {"dot", flag, NULL};
	posix_spawn_file_actions_t actions;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
	int rc = posix_spawnp(ret_pid, "dot", &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	char why[80];
	if (rc == ENOENT)
		return ep_fail(err, -EIO, 0,
			       BLAME
			       "exec: \"dot\": executable file not found in $PATH");
	return rc ? ep_fail(err, -EIO, 0, BLAME "%s", ep_ui_errno(rc, why)) : 0;
}

static int read_all(int fd, struct ep_buf *b, struct ep_err *err)
{
	for (;;) {
		uint8_t *at = ep_buf_reserve(b, READ_STEP);
		if (!at)
			return ep_fail(err, ep_buf_failed(b), 0,
				       "the picture is too large");
		ssize_t n = read(fd, at, READ_STEP);
		if (n == 0)
			return 0;
		if (n < 0 && errno != EINTR)
			return ep_fail(err, -EIO, 0, BLAME "read: %s", strerror(errno));
		b->len += n > 0 ? (size_t)n : 0;
	}
}

static int reap(pid_t pid, struct ep_err *err)
{
	int status;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return ep_fail(err, -EIO, 0, BLAME "wait: %s", strerror(errno));
	if (WIFSIGNALED(status))
		return ep_fail(err, -EIO, 0, BLAME "signal: %s",
			       strsignal(WTERMSIG(status)));
	if (WEXITSTATUS(status))
		return ep_fail(err, -EIO, 0, BLAME "exit status %d",
			       WEXITSTATUS(status));
	return 0;
}

int ep_draw_dot(const char *format, struct ep_buf *b, struct ep_err *err)
{
	int in = as_file(b, err), ends[2];
	EP_TRY(in);
	if (pipe2(ends, O_CLOEXEC) < 0) {
		close(in);
		return ep_fail(err, -EIO, 0, BLAME "pipe: %s", strerror(errno));
	}
	pid_t pid;
	int rc = spawn(format, in, ends[1], &pid, err);
	close(in);
	close(ends[1]);
	ep_buf_clear(b);
	int read_rc = rc < 0 ? rc : read_all(ends[0], b, err);
	close(ends[0]); /* before reaping: a dot that still writes ends then */
	if (rc >= 0)
		rc = reap(pid, err);
	return read_rc < 0 ? read_rc : rc;
}

/* --- the picture as a page ------------------------------------------------------ */

/* [*at, *end) of the first start tag "<NAME …>" behind `from`; false: none. */
static bool find_tag(struct ep_slice text, const char *name, size_t from, size_t *at,
		     size_t *end)
{
	const char *p = memmem(text.p + from, text.n - from, name, strlen(name));
	if (!p)
		return false;
	const char *close = memchr(p, '>', text.n - (size_t)(p - text.p));
	*at = (size_t)(p - text.p);
	*end = close ? (size_t)(close - text.p) + 1 : text.n;
	return true;
}

/* Behind the attribute viewBox="…" of a tag; `at` when there is none. */
static size_t behind_view_box(struct ep_slice text, size_t at, size_t end)
{
	static const char name[] = "viewBox=\"";
	const char *p = memmem(text.p + at, end - at, name, sizeof(name) - 1);
	if (!p)
		return at;
	size_t value = (size_t)(p - text.p) + sizeof(name) - 1;
	const char *quote = memchr(text.p + value, '"', end - value);
	return quote ? (size_t)(quote - text.p) + 1 : at;
}

/* dot forgets to write some "&" of names that are cut: "&;". */
static void add_text(struct ep_buf *out, struct ep_slice text)
{
	for (const char *p; (p = memmem(text.p, text.n, "&;", 2));) {
		size_t n = (size_t)(p - text.p) + 1;
		ep_buf_add(out, text.p, n);
		ep_buf_add_str(out, "amp;");
		text = (struct ep_slice){text.p + n, text.n - n};
	}
	ep_buf_add(out, text.p, text.n);
}

static void add_range(struct ep_buf *out, struct ep_slice text, size_t from, size_t to)
{
	add_text(out, (struct ep_slice){text.p + from, to - from});
}

int ep_draw_add_pan(struct ep_buf *svg, struct ep_err *err)
{
	struct ep_slice text = {(const char *)svg->data, svg->len};
	size_t at, end, graph, graph_end, last, last_end;
	if (!text.n || !find_tag(text, "<svg", 0, &at, &end) ||
	    !find_tag(text, "<g id=\"graph", end, &graph, &graph_end) ||
	    !find_tag(text, "</svg>", graph_end, &last, &last_end))
		return 0; /* not what dot writes: shown as it is */
	ep_auto_buf out;
	ep_buf_init(&out, svg->max);
	add_range(&out, text, 0, at);
	ep_buf_add_str(&out, "<svg width=\"100%\" height=\"100%\"");
	size_t rest = behind_view_box(text, at, end);
	add_range(&out, text, rest == at ? at + 4 : rest, graph);
	ep_buf_printf(&out, "<script type=\"text/ecmascript\"><![CDATA[%s]]></script>",
		      ep_pan_script);
	ep_buf_add_str(
		&out,
		"<g id=\"viewport\" transform=\"scale(0.5,0.5) translate(0,0)\">");
	add_range(&out, text, graph, last);
	ep_buf_add_str(&out, "</g>");
	add_range(&out, text, last, text.n);
	if (ep_buf_failed(&out))
		return ep_fail(err, ep_buf_failed(&out), 0, "the picture is too large");
	struct ep_buf old = *svg;
	*svg = out;
	out = old;
	return 0;
}
