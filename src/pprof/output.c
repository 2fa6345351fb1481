/* output.c - see output.h. */
#include "pprof/output.h"

#include "pprof/draw.h"
#include "pprof/progress.h"
#include "pprof/tempfile.h"
#include "pprof/ui.h"
#include "pprof/viewer.h"
#include "report/report.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_REPORT ((size_t)8 << 30)

static int write_all(int fd, const char *path, const uint8_t *p, size_t n_bytes,
		     struct ep_err *err)
{
	for (size_t at = 0; at < n_bytes;) {
		ssize_t n = write(fd, p + at, n_bytes - at);
		if (n < 0 && errno == EINTR)
			continue;
		char why[80];
		if (n < 0)
			return ep_fail(err, -EIO, at, "write %s: %s", path,
				       ep_ui_errno(errno, why));
		at += (size_t)n;
	}
	return 0;
}

/* --- standard output, or a file --------------------------------------------------- */

/* Opened by the first byte: a report that can't be made leaves a file alone. */
struct stream {
	const char *path; /* "": standard output */
	const struct ep_notes *notes;
	struct ep_err *err;
	int fd; /* -1: nothing was written yet */
};

static int stream_open(struct stream *t)
{
	char why[80];
	if (!*t->path) {
		t->fd = STDOUT_FILENO;
		return 0;
	}
	ep_note(t->notes, "Generating report in %s", t->path);
	t->fd = open(t->path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	return t->fd < 0 ? ep_fail(t->err, -EIO, 0, "open %s: %s", t->path,
				   ep_ui_errno(errno, why))
			 : 0;
}

static int stream_write(void *arg, const uint8_t *p, size_t n_bytes)
{
	struct stream *t = arg;
	if (t->fd < 0)
		EP_TRY(stream_open(t));
	if (!*t->path)
		ep_progress_stop(); /* a bar amid the text would be worse than none */
	return write_all(t->fd, *t->path ? t->path : "/dev/stdout", p, n_bytes, t->err);
}

static int stream_close(struct stream *t)
{
	char why[80];
	if (!*t->path || t->fd < 0 || close(t->fd) == 0)
		return 0;
	return ep_fail(t->err, -EIO, 0, "close %s: %s", t->path, ep_ui_errno(errno, why));
}

/* --- elsewhere -------------------------------------------------------------------- */

/* profile001.EXT in the working directory: binary data never meets a terminal. */
static int write_numbered(const struct ep_session *s, const char *suffix,
			  const struct ep_buf *b, struct ep_err *err)
{
	char path[PATH_MAX], dotted[32];
	snprintf(dotted, sizeof(dotted), ".%s", suffix);
	int fd = ep_tempfile_open("", "profile", dotted, path, sizeof(path), err);
	EP_TRY(fd);
	ep_note(&s->notes, "Generating report in %s", path);
	int rc = write_all(fd, path, b->data, b->len, err);
	close(fd);
	return rc;
}

static int view(const struct ep_session *s, const struct ep_format *f,
		const struct ep_buf *b, struct ep_err *err)
{
	char path[PATH_MAX], dotted[32];
	snprintf(dotted, sizeof(dotted), ".%s", f->suffix);
	int fd = ep_tempfile_open(ep_tempfile_dir(), "pprof", dotted, path,
				  sizeof(path), err);
	EP_TRY(fd);
	ep_tempfile_remove_later(path);
	int rc = write_all(fd, path, b->data, b->len, err);
	close(fd);
	EP_TRY(rc);
	return ep_viewer_show(f->viewer, path, !s->is_shell, err);
}

static bool is_for_file(const struct ep_session *s, const struct ep_format *f)
{
	return f->place == EP_FORMAT_FILE &&
	       (s->is_shell || ep_ui_is_terminal(STDOUT_FILENO));
}

static int put(const struct ep_session *s, const struct ep_format *f,
	       struct stream *to, const struct ep_buf *b, struct ep_err *err)
{
	if (!*to->path && f->place == EP_FORMAT_VIEWER)
		return view(s, f, b, err);
	if (!*to->path && is_for_file(s, f))
		return write_numbered(s, f->suffix, b, err);
	return stream_write(to, b->data, b->len);
}

/* Colour and a width that fits, for people at a terminal; pipes get plain text. */
static void suit_terminal(struct ep_report_options *o, const struct ep_vars *c)
{
	if (*c->output || o->json || !ep_ui_is_terminal(STDOUT_FILENO))
		return;
	const char *no_colour = getenv("NO_COLOR");
	o->colour = !no_colour || !*no_colour;
	o->width = ep_ui_width(STDOUT_FILENO);
}

static int make(const struct ep_session *s, const struct ep_report_options *o,
		const struct ep_format *format, struct ep_buf *report,
		struct ep_err *err)
{
	ep_progress_phase("making the report", 0);
	EP_TRY(ep_report_write(s->profile, o, s->objects, &s->notes, report, err));
	if (ep_buf_failed(report))
		return ep_fail(err, ep_buf_failed(report), 0,
			       "the report is too large");
	if (format->dot) {
		ep_progress_phase("drawing, by Graphviz", 0);
		EP_TRY(ep_draw_dot(format->dot, report, err));
	}
	return format->has_pan ? ep_draw_add_pan(report, err) : 0;
}

int ep_output_report(const struct ep_session *s, const struct ep_vars *c,
		     const struct ep_format *format, const char *argument,
		     struct ep_err *err)
{
	struct ep_report_options o = ep_vars_options(c, format->kind, argument);
	if (format->place == EP_FORMAT_STDOUT)
		suit_terminal(&o, c);
	struct stream to = {.path = c->output, .notes = &s->notes, .err = err, .fd = -1};
	ep_auto_buf report;
	ep_buf_init(&report, MAX_REPORT);
	if (format->place == EP_FORMAT_STDOUT)
		ep_buf_set_sink(&report, stream_write, &to);
	ep_progress_start();
	int rc = make(s, &o, format, &report, err);
	ep_progress_stop();
	bool is_data = o.json && !format->dot; /* for programs, not viewers */
	if (rc >= 0)
		rc = is_data ? stream_write(&to, report.data, report.len)
			     : put(s, format, &to, &report, err);
	int closed = stream_close(&to);
	return rc < 0 ? rc : closed;
}
