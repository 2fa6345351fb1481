/*
 * sql.h - SQLite's results in our terms.
 */
#ifndef EP_STORE_SQL_H
#define EP_STORE_SQL_H

#include "base/err.h"

#include <sqlite3.h>
#include <stdint.h>

/* A SQLite result as negative errno; 0 for OK, ROW, DONE. */
int ep_sql_code(sqlite3 *db, int rc);
/* The same with the sentence. */
int ep_sql_fail(sqlite3 *db, int rc, const char *doing, struct ep_err *err);
int ep_sql_exec(sqlite3 *db, const char *sql, struct ep_err *err);
int ep_sql_prepare(sqlite3 *db, const char *sql, sqlite3_stmt **ret_s, struct ep_err *err);
/* Run a statement that returns no row, and reset it. */
int ep_sql_run(sqlite3 *db, sqlite3_stmt *s, const char *doing, struct ep_err *err);
/* The single integer of a query, e.g. a pragma. */
int ep_sql_int(sqlite3 *db, const char *sql, int64_t *ret, struct ep_err *err);

#endif
