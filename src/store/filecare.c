/* filecare.c - see filecare.h. */
#include "store/filecare.h"

#include "base/buf.h"
#include "store/segment.h"
#include "store/sql.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { PAGES_A_STEP = 1000, WAIT_MS = 10000 };

bool ep_filecare_is_sqlite(const char *path)
{
	char head[16] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? read(fd, head, sizeof(head)) : -1;
	if (fd >= 0)
		(void)close(fd); /* only read */
	return n == sizeof(head) && !memcmp(head, "SQLite format 3", sizeof(head));
}

/* Not made when it is not there. */
static int open_db(const char *path, bool is_new, sqlite3 **ret_db, struct ep_err *err)
{
	sqlite3 *db = NULL;
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | (is_new ? SQLITE_OPEN_CREATE : 0);
	if (!is_new && access(path, F_OK) < 0)
		return ep_fail(err, errno == ENOENT ? -ENOENT : -EACCES, 0, "%s: %s", path,
			       strerror(errno));
	int rc = sqlite3_open_v2(path, &db, flags, NULL);
	if (rc == SQLITE_OK) {
		(void)sqlite3_busy_timeout(db, WAIT_MS); /* what follows tells */
		*ret_db = db;
		return 0;
	}
	rc = ep_sql_fail(db, rc, path, err);
	(void)sqlite3_close(db); /* nothing was written */
	return rc;
}

static int copy_pages(sqlite3 *from, sqlite3 *to, const char *name, struct ep_err *err)
{
	sqlite3_backup *b = sqlite3_backup_init(to, "main", from, "main");
	if (!b)
		return ep_sql_fail(to, sqlite3_errcode(to), name, err);
	int rc;
	do {
		rc = sqlite3_backup_step(b, PAGES_A_STEP);
		if (rc == SQLITE_BUSY || rc == SQLITE_LOCKED)
			(void)sqlite3_sleep(5); /* the writer commits */
	} while (rc == SQLITE_OK || rc == SQLITE_BUSY || rc == SQLITE_LOCKED);
	(void)sqlite3_backup_finish(b); /* rc has the reason */
	return rc == SQLITE_DONE ? 0 : ep_sql_fail(to, rc, name, err);
}

int ep_filecare_copy_sqlite(const char *from, const char *to, struct ep_err *err)
{
	sqlite3 *a = NULL, *b = NULL;
	EP_TRY(open_db(from, false, &a, err));
	int rc = open_db(to, true, &b, err);
	/* One moment: a read that lasts, so that commits meanwhile don't start it anew. */
	int64_t version = 0;
	if (rc == 0)
		rc = ep_sql_exec(a, "BEGIN; SELECT count(*) FROM sqlite_schema", err);
	if (rc == 0)
		rc = ep_sql_int(a, "PRAGMA user_version", &version, err);
	if (rc == 0 && !version)
		rc = ep_fail(err, -ENOENT, 0, "%s is being made", from);
	if (rc == 0)
		rc = copy_pages(a, b, from, err);
	if (a)
		(void)sqlite3_exec(a, "ROLLBACK", NULL, NULL, NULL); /* only read */
	if (rc == 0)
		rc = ep_sql_exec(b, "PRAGMA journal_mode=DELETE", err); /* one file, no log beside it */
	if (sqlite3_close(b) != SQLITE_OK && rc == 0)
		rc = ep_fail(err, -EIO, 0, "%s can't be closed", to);
	(void)sqlite3_close(a); /* only read */
	int fd = rc == 0 ? open(to, O_RDONLY | O_CLOEXEC) : -1;
	if (rc == 0 && (fd < 0 || fsync(fd) < 0))
		rc = ep_fail(err, -EIO, 0, "%s can't be synced: %s", to, strerror(errno));
	if (fd >= 0)
		(void)close(fd); /* synced */
	if (rc < 0)
		(void)unlink(to); /* nothing, or a part */
	return rc;
}

static int check_sqlite(const char *path, const char *name, struct ep_err *err)
{
	sqlite3 *db = NULL;
	sqlite3_stmt *s = NULL;
	char text[120] = "can't be read";
	EP_TRY(open_db(path, false, &db, err));
	int rc = ep_sql_prepare(db, "PRAGMA integrity_check(1)", &s, NULL);
	if (rc == 0 && sqlite3_step(s) == SQLITE_ROW)
		(void)snprintf(text, sizeof(text), "%s", (const char *)sqlite3_column_text(s, 0));
	(void)sqlite3_finalize(s); /* only read */
	(void)sqlite3_close(db);
	return strcmp(text, "ok") ? ep_fail(err, -EBADMSG, 0, "%s: %s", name, text) : 0;
}

static int check_segment(const char *path, const char *name, struct ep_err *err)
{
	char dir[PATH_MAX], stem[128];
	const char *slash = strrchr(path, '/');
	size_t n = slash ? strlen(slash + 1) - strlen(EP_SEGMENT_SUFFIX) : 0;
	struct ep_segment *g = NULL;
	if (!slash || n >= sizeof(stem) || (size_t)(slash - path) >= sizeof(dir))
		return 0;
	(void)snprintf(dir, sizeof(dir), "%.*s", (int)(slash - path), path);
	(void)snprintf(stem, sizeof(stem), "%.*s", (int)n, slash + 1);
	/* Nothing is set aside by looking: no folder can be made there. */
	int rc = ep_segment_open(dir, stem, "/proc/nowhere", &g, err);
	if (rc == 0)
		rc = ep_segment_verify(g, err);
	ep_segment_close(g);
	if (rc < 0)
		ep_err_context(err, "%s", name);
	return rc;
}

int ep_filecare_check(const char *path, const char *name, struct ep_err *err)
{
	size_t n = strlen(path), m = strlen(EP_SEGMENT_SUFFIX);
	if (n > m && !strcmp(path + n - m, EP_SEGMENT_SUFFIX))
		return check_segment(path, name, err);
	return ep_filecare_is_sqlite(path) ? check_sqlite(path, name, err) : 0;
}
