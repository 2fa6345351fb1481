/*
 * log.h - lines for the operator, on standard error.
 *
 * Only programs print (cli, server, agent); libraries return errors.  Inside a
 * host process the sink is silent unless the user asked.
 */
#ifndef EP_BASE_LOG_H
#define EP_BASE_LOG_H

#include <stdbool.h>

enum ep_log_level { EP_LOG_ERROR, EP_LOG_WARN, EP_LOG_INFO, EP_LOG_DEBUG };

/* Lines above this level are dropped.  Start-up only. */
void ep_log_set_level(enum ep_log_level level);
/* What a line starts with: "everprof serve".  Start-up only; kept, not copied. */
void ep_log_set_name(const char *name);

/* Lines of JSON: {"time":…,"level":…,"name":…,"message":…}.  Start-up only. */
void ep_log_set_json(bool on);

/* One whole line in one write.  Any thread; not signal-safe. */
void ep_log(enum ep_log_level level, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#define ep_log_error(...) ep_log(EP_LOG_ERROR, __VA_ARGS__)
#define ep_log_warn(...) ep_log(EP_LOG_WARN, __VA_ARGS__)
#define ep_log_info(...) ep_log(EP_LOG_INFO, __VA_ARGS__)
#define ep_log_debug(...) ep_log(EP_LOG_DEBUG, __VA_ARGS__)

#endif
