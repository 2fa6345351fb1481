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

static int write_all(int fd, const char *path, const struct ep_buf *b,
		     struct ep_err *err)
{
	for (size_t at = 0; at < b->len;) {
		ssize_t n = write(fd, b->data + at, b->len - at);
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

static int write_file(const char *path, const struct ep_buf *b,
		      const struct ep_notes *notes, struct ep_err *err)
{
	ep_note(notes, "Generating report in %s", path);
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	char why[80];
	if (fd < 0)
		return ep_fail(err, -EIO, 0, "open %s: %s", path,
			       ep_ui_errno(errno, why));
	int rc = write_all(fd, path, b, err);
	if (close(fd) < 0 && rc >= 0)
		return ep_fail(err, -EIO, 0, "close %s: %s", path,
			       ep_ui_errno(errno, why));
	return rc;
}

/* profile001.EXT in the working directory: binary data never meets a terminal. */
static int write_numbered(const struct ep_session *s, const char *suffix,
			  const struct ep_buf *b, struct ep_err *err)
{
	char path[PATH_MAX], dotted[32];
	snprintf(dotted, sizeof(dotted), ".%s", suffix);
	int fd = ep_tempfile_open("", "profile", dotted, path, sizeof(path), err);
	EP_TRY(fd);
	ep_note(&s->notes, "Generating report in %s", path);
	int rc = write_all(fd, path, b, err);
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
	int rc = write_all(fd, path, b, err);
	close(fd);
	EP_TRY(rc);
	return ep_viewer_show(f->viewer, path, !s->is_shell, err);
}

static int put(const struct ep_session *s, const struct ep_vars *c,
	       const struct ep_format *f, const struct ep_buf *b, struct ep_err *err)
{
	if (*c->output)
		return write_file(c->output, b, &s->notes, err);
	if (f->place == EP_FORMAT_VIEWER)
		return view(s, f, b, err);
	if (f->place == EP_FORMAT_FILE &&
	    (s->is_shell || ep_ui_is_terminal(STDOUT_FILENO)))
		return write_numbered(s, f->suffix, b, err);
	return write_all(STDOUT_FILENO, "/dev/stdout", b, err);
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
	ep_auto_buf report;
	ep_buf_init(&report, MAX_REPORT);
	ep_progress_start();
	int rc = make(s, &o, format, &report, err);
	ep_progress_stop();
	EP_TRY(rc);
	if (o.json && !format->dot && !*c->output) /* data is for programs, not viewers */
		return write_all(STDOUT_FILENO, "/dev/stdout", &report, err);
	return put(s, c, format, &report, err);
}
