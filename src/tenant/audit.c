/* audit.c - see audit.h. */
#include "tenant/audit.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "codec/json.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static void add_time(struct ep_jsonw *w)
{
	char text[40];
	struct tm tm;
	uint64_t now_ns = ep_clock_wall_ns();
	time_t s = (time_t)(now_ns / EP_NS_PER_S);
	gmtime_r(&s, &tm);
	size_t n = strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
	(void)snprintf(text + n, sizeof(text) - n, ".%03uZ",
		       (unsigned)(now_ns % EP_NS_PER_S / EP_NS_PER_MS));
	ep_jsonw_str(w, "time", text);
}

static void add(struct ep_jsonw *w, const char *key, const char *value)
{
	if (value && *value)
		ep_jsonw_str(w, key, value);
}

static int append(const char *path, const void *line, size_t n)
{
	struct stat st;
	int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	/* Made by root beside a server that is not: it must go on writing. */
	char dir[4096];
	(void)snprintf(dir, sizeof(dir), "%s", path);
	char *slash = strrchr(dir, '/');
	if (slash && geteuid() == 0) {
		*slash = '\0';
		if (stat(dir, &st) == 0)
			(void)!fchown(fd, st.st_uid, st.st_gid); /* the line counts more */
	}
	int rc = write(fd, line, n) == (ssize_t)n ? 0 : -EIO;
	return close(fd) == 0 ? rc : -EIO;
}

int ep_audit(const char *path, const struct ep_audit_event *e)
{
	ep_auto_buf line;
	ep_buf_init(&line, 8192);
	struct ep_jsonw w = ep_jsonw_to(&line);
	ep_jsonw_open(&w, NULL, '{');
	add_time(&w);
	ep_jsonw_str(&w, "action", e->action);
	ep_jsonw_bool(&w, "ok", e->ok);
	add(&w, "tenant", e->tenant);
	add(&w, "token", e->token);
	add(&w, "peer", e->peer);
	add(&w, "detail", e->detail);
	ep_jsonw_close(&w, '}');
	ep_buf_add_str(&line, "\n");
	int rc = ep_buf_failed(&line) ? -ENOMEM : append(path, line.data, line.len);
	if (rc < 0)
		ep_log_error("audit: %s can't be written (%s): %s %s", path, strerror(-rc),
			     e->action, e->ok ? "done" : "refused");
	return rc < 0 ? -EIO : 0;
}
