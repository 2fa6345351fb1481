/* sql.c - see sql.h. */
#include "store/sql.h"

#include <stddef.h>
#include <stdint.h>

static int of_errno(int e)
{
	switch (e) {
	case ENOSPC:
	case EDQUOT:
	case EFBIG:
		return -ENOSPC;
	case EACCES:
	case EPERM:
	case EROFS:
		return -EACCES;
	default:
		return -EIO;
	}
}

/* The connection's own record is often empty; the files know better. */
static int last_errno(sqlite3 *db)
{
	const int files[] = {SQLITE_FCNTL_JOURNAL_POINTER, SQLITE_FCNTL_FILE_POINTER};
	int e = sqlite3_system_errno(db);
	for (int i = 0; !e && i < 2; i++) {
		sqlite3_file *f = NULL;
		if (sqlite3_file_control(db, "main", files[i], &f) == SQLITE_OK && f && f->pMethods)
			(void)f->pMethods->xFileControl(f, SQLITE_FCNTL_LAST_ERRNO, &e); /* stays 0 */
	}
	return e;
}

int ep_sql_code(sqlite3 *db, int rc)
{
	switch (rc & 0xff) {
	case SQLITE_OK:
	case SQLITE_ROW:
	case SQLITE_DONE:
		return 0;
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_NOMEM:
		return -ENOMEM;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return -EBADMSG;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return -EAGAIN;
	case SQLITE_TOOBIG:
		return -E2BIG;
	case SQLITE_READONLY:
	case SQLITE_PERM:
		return -EACCES;
	case SQLITE_CANTOPEN:
	case SQLITE_IOERR:
		return of_errno(db ? last_errno(db) : EIO);
	default:
		return -EIO;
	}
}

int ep_sql_fail(sqlite3 *db, int rc, const char *doing, struct ep_err *err)
{
	int code = ep_sql_code(db, rc);
	if (code == -ENOSPC)
		return ep_fail(err, code, 0, "%s: the disk is full", doing);
	return ep_fail(err, code, 0, "%s: %s", doing, db ? sqlite3_errmsg(db) : sqlite3_errstr(rc));
}

int ep_sql_exec(sqlite3 *db, const char *sql, struct ep_err *err)
{
	int rc = sqlite3_exec(db, sql, NULL, NULL, NULL);
	return rc == SQLITE_OK ? 0 : ep_sql_fail(db, rc, "head", err);
}

int ep_sql_prepare(sqlite3 *db, const char *sql, sqlite3_stmt **ret_s, struct ep_err *err)
{
	int rc = sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, ret_s, NULL);
	return rc == SQLITE_OK ? 0 : ep_sql_fail(db, rc, "head", err);
}

int ep_sql_run(sqlite3 *db, sqlite3_stmt *s, const char *doing, struct ep_err *err)
{
	int rc = sqlite3_step(s);
	int code = rc == SQLITE_DONE || rc == SQLITE_ROW ? 0 : ep_sql_fail(db, rc, doing, err);
	(void)sqlite3_reset(s); /* repeats the error above */
	return code;
}

int ep_sql_int(sqlite3 *db, const char *sql, int64_t *ret, struct ep_err *err)
{
	sqlite3_stmt *s = NULL;
	EP_TRY(ep_sql_prepare(db, sql, &s, err));
	int rc = sqlite3_step(s);
	if (rc == SQLITE_ROW)
		*ret = sqlite3_column_int64(s, 0);
	int code = rc == SQLITE_ROW ? 0 : rc == SQLITE_DONE ? -ENOENT : ep_sql_fail(db, rc, "head", err);
	(void)sqlite3_finalize(s); /* repeats the error above */
	return code;
}
