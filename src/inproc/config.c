/* config.c - see config.h. */
#include "inproc/config.h"

#include "inproc/fd.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	DEFAULT_HZ = 100,
	MAX_HZ = 1000,
	DEFAULT_HEAP_BYTES = 512 << 10,
	MAX_HEAP_BYTES = 1 << 30,
	DEFAULT_BLOCK_NS = 10000,
	MAX_BLOCK_NS = 1000000000,
	DEFAULT_SPOOL_BYTES = 64 << 20,
	DEFAULT_HTTP_S = 60,
	MAX_HTTP_S = 3600,
};

#define MAX_SPOOL_BYTES ((uint64_t)1 << 40)

static void (*message)(const char *text, void *user);
static void *message_user;
static char log_path[PATH_MAX];

void ep_config_say(const char *fmt, ...)
{
	char line[512];
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(line, sizeof(line) - 1, fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	if (message)
		message(line, message_user);
	if (!*log_path)
		return;
	int fd = ep_fd_open(log_path, O_WRONLY | O_APPEND | O_CREAT);
	if (fd < 0)
		return;
	dprintf(fd, "everprof[%d]: %s\n", (int)getpid(), line);
	close(fd);
}

/* "" and unset are the same: not said. */
static const char *env(const char *name)
{
	const char *v = secure_getenv(name);
	return v && *v ? v : NULL;
}

static const char *pick(const char *variable, const char *field, const char *fallback)
{
	const char *v = env(variable);
	return v ? v : field ? field : fallback;
}

static int copy(char *to, size_t size, const char *from, const char *variable)
{
	size_t n = strlen(from);
	if (n >= size) {
		ep_config_say("%s is longer than %zu bytes", variable, size - 1);
		return -EINVAL;
	}
	memcpy(to, from, n + 1);
	return 0;
}

void ep_config_clean_value(char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < ' ' || *s == 0x7f || strchr("{},=\"", *s))
			*s = '_';
}

static void clean_name(char *s)
{
	for (; *s; s++)
		if (!isalnum((unsigned char)*s) && !strchr("_.-/", *s))
			*s = '_';
}

/* What can't be used of a list is left out if the environment says it, so that a slip of who
 * starts a program costs nothing else; in a program's struct it is an error. */
static int leave_out(const char *variable, const char *what, const char *why)
{
	bool from_env = env(variable);
	ep_config_say("%s: \"%s\" %s%s", variable, what, why, from_env ? "; it is left out" : "");
	return from_env ? 0 : -EINVAL;
}

/* "k=v,k2=v2" with keys and values cleaned. */
static int read_labels(const char *text, struct ep_config *c)
{
	int rc = 0;
	char all[sizeof(c->labels)], *rest = all, *pair;
	size_t n = 0;
	if (copy(all, sizeof(all), text, "EVERPROF_LABELS") < 0)
		return -EINVAL;
	while ((pair = strsep(&rest, ",")) != NULL) {
		char *value = strchr(pair, '=');
		if (!value || value == pair) {
			if (*pair)
				rc |= leave_out("EVERPROF_LABELS", pair, "is no key=value");
			continue;
		}
		*value++ = '\0';
		clean_name(pair);
		ep_config_clean_value(value);
		int k = snprintf(c->labels + n, sizeof(c->labels) - n, "%s%s=%s",
				 n ? "," : "", pair, value);
		if (k < 0 || (size_t)k >= sizeof(c->labels) - n)
			return -EINVAL;
		n += (size_t)k;
	}
	return rc;
}

static int read_token(const char *path, struct ep_config *c)
{
	char buf[sizeof(c->token)];
	int fd = ep_fd_open(path, O_RDONLY);
	ssize_t n = fd < 0 ? -1 : read(fd, buf, sizeof(buf) - 1);
	if (fd >= 0)
		close(fd);
	if (n < 0) {
		ep_config_say("the token file %s can't be read: %s", path, strerror(errno));
		return -EINVAL;
	}
	buf[n] = '\0';
	buf[strcspn(buf, " \t\r\n")] = '\0';
	strcpy(c->token, buf);
	return 0;
}

static void choose_spool(struct ep_config *c)
{
	const char *state = env("XDG_STATE_HOME"), *home = env("HOME");
	int n = 0;
	if (state && *state == '/')
		n = snprintf(c->spool_dir, sizeof(c->spool_dir), "%s/everprof/spool", state);
	else if (home && *home == '/')
		n = snprintf(c->spool_dir, sizeof(c->spool_dir),
			     "%s/.local/state/everprof/spool", home);
	if (n < 0 || (size_t)n >= sizeof(c->spool_dir))
		c->spool_dir[0] = '\0';
}

static int read_hz(const char *text, unsigned field, struct ep_config *c)
{
	char *end = NULL;
	unsigned long v = text ? strtoul(text, &end, 10) : field ? field : DEFAULT_HZ;
	if (v == 0 || v > MAX_HZ || (end && *end)) {
		ep_config_say("EVERPROF_HZ is 1 to %d", MAX_HZ);
		return -EINVAL;
	}
	c->hz = (uint32_t)v;
	return 0;
}

static int read_clock(const char *text, struct ep_config *c)
{
	static const char *const names[] = {[EP_THREADS_AUTO] = "auto",
					    [EP_THREADS_TIMER] = "timer",
					    [EP_THREADS_PERF] = "perf"};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(text, names[i])) {
			c->clock = (enum ep_threads_clock)i;
			return 0;
		}
	ep_config_say("EVERPROF_CLOCK is auto, timer or perf");
	return -EINVAL;
}

/* Bytes from the environment: 512, 64KB, 64MB, 2GB; else from the program, else ours. */
static int read_size(const char *variable, uint64_t field, uint64_t ours, uint64_t most,
		     uint64_t *ret)
{
	static const char *const units[] = {"B", "KB", "MB", "GB", "TB"};
	const char *text = env(variable);
	char *end = NULL;
	uint64_t v = text ? strtoull(text, &end, 10) : field ? field : ours;
	bool ok = !text || isdigit((unsigned char)*text);
	for (size_t i = 0; end && *end && i < sizeof(units) / sizeof(units[0]); i++)
		if (!strcmp(end, units[i])) {
			ok &= v <= most >> 10 * i;
			v <<= 10 * i;
			end = NULL;
		}
	if (ok && v >= 1 && v <= most && !(end && *end)) {
		*ret = v;
		return 0;
	}
	ep_config_say("%s is a size like 512, 64KB, 64MB or 2GB, %llu at most", variable,
		      (unsigned long long)most);
	return -EINVAL;
}

/* A number from the environment, else from the program, else ours. */
static int read_number(const char *variable, uint64_t field, uint64_t ours, uint64_t most,
		       uint64_t *ret)
{
	char *end = NULL;
	const char *text = env(variable);
	uint64_t v = text ? strtoull(text, &end, 10) : field ? field : ours;
	if (v < 1 || v > most || (end && *end)) {
		ep_config_say("%s is 1 to %llu", variable, (unsigned long long)most);
		return -EINVAL;
	}
	*ret = v;
	return 0;
}

static int read_duty(const char *text, struct ep_config *c)
{
	if (!*text || ep_duty_parse(text, &c->duty) == 0)
		return 0;
	ep_config_say("EVERPROF_DUTY is like 10s/60s: to sample at least 1s, less than the cycle, "
		      "in a cycle of 24h at most");
	return -EINVAL;
}

static int read_types(const char *list, struct ep_config *c)
{
	const struct {
		const char *name;
		bool *to;
	} types[] = {{"cpu", &c->cpu},	   {"heap", &c->heap},	     {"mutex", &c->mutex},
		     {"block", &c->block}, {"threads", &c->threads}, {"wall", &c->wall}};
	char all[256], *rest = all, *word;
	int rc = 0;
	if (copy(all, sizeof(all), list, "EVERPROF_TYPES") < 0)
		return -EINVAL;
	while ((word = strsep(&rest, ", ")) != NULL) {
		bool known = !*word;
		for (size_t i = 0; !known && i < sizeof(types) / sizeof(types[0]); i++)
			if ((known = !strcmp(word, types[i].name)))
				*types[i].to = true;
		if (!known)
			rc |= leave_out("EVERPROF_TYPES", word,
					"is none of cpu, heap, mutex, block, threads, wall");
	}
	return rc;
}

/* Whoever set it is told by the program's callback; there is nowhere else. */
static void read_log(const char *path)
{
	char folder[PATH_MAX];
	if (!path || strlen(path) >= sizeof(log_path))
		return;
	strcpy(log_path, path);
	int fd = ep_fd_open(path, O_WRONLY | O_APPEND | O_NONBLOCK);
	if (fd >= 0) {
		close(fd);
		return;
	}
	if (errno == ENOENT) { /* it is made when there is something to say */
		strcpy(folder, path);
		char *slash = strrchr(folder, '/');
		if (slash)
			slash[slash == folder] = '\0';
		if (access(slash ? folder : ".", W_OK | X_OK) == 0)
			return;
	}
	ep_config_say("EVERPROF_LOG %s can't be written: %s", path, strerror(errno));
}

/*
 * The first process of a tree that has EVERPROF_OUT writes it; the others append
 * their pid.  The mark in the environment is the only one that survives an exec;
 * it is set only when EVERPROF_OUT is used.
 */
static void mark_tree(struct ep_config *c)
{
	const char *root = env("EVERPROF_OUT_ROOT");
	char pid[16];
	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	if (!root)
		setenv("EVERPROF_OUT_ROOT", pid, 1);
	else
		c->is_later_process = strcmp(root, pid) != 0;
}

int ep_config_read(const everprof_config *user, size_t size, struct ep_config *ret)
{
	everprof_config u = {0};
	struct ep_config c = {.hz = 0};
	if (user)
		memcpy(&u, user, size < sizeof(u) ? size : sizeof(u));
	message = u.message;
	message_user = u.user;
	read_log(env("EVERPROF_LOG"));
	int rc = copy(c.name, sizeof(c.name),
		      pick("EVERPROF_NAME", u.name,
			   pick("OTEL_SERVICE_NAME", NULL, program_invocation_short_name)),
		      "EVERPROF_NAME");
	rc |= copy(c.version, sizeof(c.version), pick("EVERPROF_VERSION", u.version, ""),
		   "EVERPROF_VERSION");
	rc |= copy(c.server, sizeof(c.server), pick("EVERPROF_SERVER", u.server, ""),
		   "EVERPROF_SERVER");
	rc |= copy(c.tenant, sizeof(c.tenant), pick("EVERPROF_TENANT", u.tenant, ""),
		   "EVERPROF_TENANT");
	rc |= copy(c.server_ca, sizeof(c.server_ca), pick("EVERPROF_SERVER_CA", u.server_ca, ""),
		   "EVERPROF_SERVER_CA");
	rc |= copy(c.out, sizeof(c.out), pick("EVERPROF_OUT", u.out, ""), "EVERPROF_OUT");
	rc |= copy(c.http, sizeof(c.http), pick("EVERPROF_HTTP", u.http, ""), "EVERPROF_HTTP");
	rc |= copy(c.http_token_file, sizeof(c.http_token_file),
		   pick("EVERPROF_TOKEN_FILE", u.http_token_file, ""), "EVERPROF_TOKEN_FILE");
	rc |= copy(c.wall_names, sizeof(c.wall_names), pick("EVERPROF_WALL", NULL, ""),
		   "EVERPROF_WALL");
	c.http_cmdline = !strcmp(pick("EVERPROF_HTTP_CMDLINE", NULL, "0"), "1");
	c.otel = strcmp(pick("EVERPROF_OTEL", NULL, "1"), "0") != 0;
	c.names = !strcmp(pick("EVERPROF_NAMES", NULL, "0"), "1");
	c.inherit = !strcmp(pick("EVERPROF_LABELS_INHERIT", NULL, "0"), "1");
	rc |= read_labels(pick("EVERPROF_LABELS", u.labels, ""), &c);
	rc |= read_hz(env("EVERPROF_HZ"), u.hz, &c);
	rc |= read_clock(pick("EVERPROF_CLOCK", NULL, "auto"), &c);
	rc |= read_duty(pick("EVERPROF_DUTY", u.duty, ""), &c);
	rc |= read_number("EVERPROF_HTTP_MAX_SECONDS", 0, DEFAULT_HTTP_S, MAX_HTTP_S,
			  &c.http_seconds);
	rc |= read_size("EVERPROF_HEAP_BYTES", u.heap_bytes, DEFAULT_HEAP_BYTES, MAX_HEAP_BYTES,
			&c.heap_bytes);
	rc |= read_number("EVERPROF_BLOCK_NS", u.block_ns, DEFAULT_BLOCK_NS, MAX_BLOCK_NS,
			  &c.block_ns);
	rc |= read_size("EVERPROF_SPOOL_BYTES", u.spool_bytes, DEFAULT_SPOOL_BYTES, MAX_SPOOL_BYTES,
			&c.spool_bytes);
	rc |= read_types(pick("EVERPROF_TYPES", u.types, "cpu,heap"), &c);
	const char *token = pick("EVERPROF_SERVER_TOKEN_FILE", u.token_file, NULL);
	if (token)
		rc |= read_token(token, &c);
	if (rc)
		return -EINVAL;
	clean_name(c.name);
	ep_config_clean_value(c.version);
	choose_spool(&c);
	if (*c.out)
		mark_tree(&c);
	*ret = c;
	return 0;
}

bool ep_config_out_is_folder(const struct ep_config *c)
{
	size_t n = strlen(c->out);
	return n && c->out[n - 1] == '/';
}

int ep_config_out_path(const struct ep_config *c, const char *type, char ret_path[PATH_MAX])
{
	size_t n = 0;
	bool has_pid = false;
	for (const char *p = c->out; *p && n < PATH_MAX - 32; p++) {
		if (p[0] == '%' && p[1] == 'p') {
			n += (size_t)snprintf(ret_path + n, 32, "%d", (int)getpid());
			has_pid = true;
			p++;
		} else {
			ret_path[n++] = *p;
		}
	}
	if (n >= PATH_MAX - 32)
		return -EINVAL;
	ret_path[n] = '\0';
	if (n && ret_path[n - 1] == '/') {
		if (mkdir(ret_path, 0777) < 0 && errno != EEXIST) /* or a file: the open fails */
			return -errno;
		n += (size_t)snprintf(ret_path + n, 32, "%.20s.pb.gz", type);
	}
	if (c->is_later_process && !has_pid)
		snprintf(ret_path + n, 32, ".%d", (int)getpid());
	return 0;
}
