/*
 * service.c - see service.h.
 *
 * Source: cgroups(7), systemd.slice(5) and what docker 24, containerd 1.7,
 * CRI-O 1.28 and podman 4 write into /proc/PID/cgroup.
 */
#include "agent/service.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
	ID_LEN = 64,
	SHORT_ID = 12,
	MAX_TEXT = 65536, /* an environment longer than this is read up to here */
};

static bool ends_with(struct ep_slice s, const char *end)
{
	size_t n = strlen(end);
	return s.n >= n && !memcmp(s.p + s.n - n, end, n);
}

static bool begins_with(struct ep_slice s, const char *start)
{
	size_t n = strlen(start);
	return s.n >= n && !memcmp(s.p, start, n);
}

static void copy(char *to, size_t cap, struct ep_slice s)
{
	size_t n = s.n < cap ? s.n : cap - 1;
	memcpy(to, s.p, n);
	to[n] = '\0';
}

/* The next part of a text, up to `sep`; false at the end. */
static bool next_part(struct ep_slice *text, char sep, struct ep_slice *ret)
{
	if (!text->n)
		return false;
	const char *end = memchr(text->p, sep, text->n);
	size_t n = end ? (size_t)(end - text->p) : text->n;
	*ret = (struct ep_slice){text->p, n};
	size_t skip = end ? n + 1 : n;
	*text = (struct ep_slice){text->p + skip, text->n - skip};
	return true;
}

static bool is_hex(struct ep_slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!isxdigit((unsigned char)s.p[i]))
			return false;
	return true;
}

/* "docker-ID.scope", "cri-containerd-ID.scope", "libpod-ID", "ID": the id. */
static bool find_id(struct ep_slice part, struct ep_slice *ret)
{
	if (begins_with(part, "libpod-conmon-") || begins_with(part, "crio-conmon-"))
		return false; /* the minder of a container, not in it */
	if (ends_with(part, ".scope"))
		part.n -= strlen(".scope");
	if (part.n < ID_LEN)
		return false;
	struct ep_slice id = {part.p + part.n - ID_LEN, ID_LEN};
	bool alone = part.n == ID_LEN || id.p[-1] == '-' || id.p[-1] == ':';
	if (!alone || !is_hex(id))
		return false;
	*ret = id;
	return true;
}

/* "lxc.payload.NAME" and "machine-NAME.scope". */
static bool find_machine(struct ep_slice part, struct ep_slice *ret)
{
	static const char lxc[] = "lxc.payload.", nspawn[] = "machine-";
	size_t skip = 0;
	if (begins_with(part, lxc))
		skip = sizeof(lxc) - 1;
	else if (begins_with(part, nspawn) && ends_with(part, ".scope")) {
		skip = sizeof(nspawn) - 1;
		part.n -= strlen(".scope");
	}
	if (!skip || part.n <= skip)
		return false;
	*ret = (struct ep_slice){part.p + skip, part.n - skip};
	return true;
}

/* systemd writes \x2d for a dash of the name. */
static void copy_unescaped(char *to, size_t cap, struct ep_slice s)
{
	size_t n = 0;
	for (size_t i = 0; i < s.n && n + 1 < cap; i++) {
		unsigned code;
		if (i + 3 < s.n && s.p[i] == '\\' && s.p[i + 1] == 'x' &&
		    is_hex((struct ep_slice){s.p + i + 2, 2}) &&
		    sscanf((char[]){s.p[i + 2], s.p[i + 3], 0}, "%x", &code) == 1) {
			to[n++] = (char)code;
			i += 3;
		} else {
			to[n++] = s.p[i];
		}
	}
	to[n] = '\0';
}

/* The innermost unit decides: a scope below user@1000.service is no service. */
static void parse_part(struct ep_slice part, struct ep_cgroup *c)
{
	struct ep_slice id;
	if (find_id(part, &id)) {
		copy(c->container_id, sizeof(c->container_id), id);
		c->unit[0] = '\0';
	} else if (find_machine(part, &id)) {
		copy_unescaped(c->container_id, sizeof(c->container_id), id);
		c->unit[0] = '\0';
	} else if (begins_with(part, "kubepods")) {
		c->is_kubernetes = true;
	} else if (ends_with(part, ".service")) {
		part.n -= strlen(".service");
		copy_unescaped(c->unit, sizeof(c->unit), part);
	} else if (ends_with(part, ".scope") || ends_with(part, ".slice")) {
		c->unit[0] = '\0';
	}
}

static void parse_path(struct ep_slice path, struct ep_cgroup *ret)
{
	struct ep_cgroup c = {.unit = ""};
	struct ep_slice part;
	while (next_part(&path, '/', &part))
		parse_part(part, &c);
	if (begins_with((struct ep_slice){c.unit, strlen(c.unit)}, "user@"))
		c.unit[0] = '\0'; /* a user's manager, not a service of its own */
	if (c.container_id[0] && !ret->container_id[0]) {
		memcpy(ret->container_id, c.container_id, sizeof(c.container_id));
		memcpy(ret->unit, c.unit, sizeof(c.unit));
		ret->is_kubernetes = c.is_kubernetes;
	} else if (c.unit[0] && !ret->unit[0] && !ret->container_id[0]) {
		memcpy(ret->unit, c.unit, sizeof(c.unit));
	}
}

void ep_service_parse_cgroup(struct ep_slice text, struct ep_cgroup *ret_c)
{
	struct ep_slice line, field;
	*ret_c = (struct ep_cgroup){.unit = ""};
	while (next_part(&text, '\n', &line))
		if (next_part(&line, ':', &field) && next_part(&line, ':', &field))
			parse_path(line, ret_c);
}

static bool take_variable(struct ep_slice var, const char *key, char *to, size_t cap)
{
	size_t n = strlen(key);
	if (!begins_with(var, key) || var.n <= n + 1 || var.p[n] != '=')
		return false;
	copy(to, cap, (struct ep_slice){var.p + n + 1, var.n - n - 1});
	return true;
}

void ep_service_parse_environ(struct ep_slice text, struct ep_service *ret_s)
{
	struct ep_slice var;
	bool own = false;
	while (next_part(&text, '\0', &var)) {
		if (take_variable(var, "EVERPROF_NAME", ret_s->name,
				  sizeof(ret_s->name)))
			own = true;
		else if (!own)
			take_variable(var, "OTEL_SERVICE_NAME", ret_s->name,
				      sizeof(ret_s->name));
		take_variable(var, "EVERPROF_VERSION", ret_s->version,
			      sizeof(ret_s->version));
	}
}

bool ep_service_parse_log_name(const char *file, const char *container_id,
			       char *ret_name, size_t n)
{
	size_t len = strlen(file), tail = 1 + ID_LEN + strlen(".log");
	if (len <= tail || strncmp(file + len - tail + 1, container_id, ID_LEN) != 0)
		return false;
	struct ep_slice rest = {file, len - tail}, part = {0};
	while (next_part(&rest, '_', &part))
		;
	copy(ret_name, n, part);
	return part.n > 0;
}

/* Whole small file of /proc, or its first cap bytes.  -1 when it can't be read. */
static ssize_t read_proc(uint32_t pid, const char *name, char *buf, size_t cap)
{
	char path[64];
	snprintf(path, sizeof(path), "/proc/%u/%s", pid, name);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	size_t n = 0;
	ssize_t got = 0;
	while (n < cap && (got = read(fd, buf + n, cap - n)) > 0)
		n += (size_t)got;
	close(fd);
	return got < 0 && !n ? -1 : (ssize_t)n;
}

/* On a node, the kubelet keeps links whose names say the container. */
static bool ask_kubelet(const char *id, char *ret, size_t n)
{
	DIR *d = opendir("/var/log/containers");
	if (!d)
		return false;
	struct dirent *e;
	bool found = false;
	while (!found && (e = readdir(d)))
		found = ep_service_parse_log_name(e->d_name, id, ret, n);
	closedir(d);
	return found;
}

/* Docker's own record: ..."Name":"/web",... */
static bool ask_docker(const char *id, char *ret, size_t n)
{
	static const char key[] = "\"Name\":\"/";
	char path[160], buf[32768];
	snprintf(path, sizeof(path), "/var/lib/docker/containers/%s/config.v2.json",
		 id);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	ssize_t got = read(fd, buf, sizeof(buf) - 1);
	close(fd);
	buf[got > 0 ? got : 0] = '\0';
	const char *p = strstr(buf, key);
	if (!p)
		return false;
	p += sizeof(key) - 1;
	copy(ret, n, (struct ep_slice){p, strcspn(p, "\"")});
	return ret[0] != '\0';
}

static void name_container(const struct ep_cgroup *c, char *ret, size_t n)
{
	bool is_id = strlen(c->container_id) == ID_LEN;
	if (is_id && c->is_kubernetes && ask_kubelet(c->container_id, ret, n))
		return;
	if (is_id && ask_docker(c->container_id, ret, n))
		return;
	snprintf(ret, n, "%.*s", is_id ? SHORT_ID : ID_LEN, c->container_id);
}

static bool name_executable(uint32_t pid, char *ret, size_t n)
{
	static const char gone[] = " (deleted)";
	char path[64], exe[4096];
	snprintf(path, sizeof(path), "/proc/%u/exe", pid);
	ssize_t got = readlink(path, exe, sizeof(exe) - 1);
	if (got <= 0)
		return false;
	exe[got] = '\0';
	struct ep_slice s = {exe, (size_t)got};
	if (ends_with(s, gone))
		s.n -= sizeof(gone) - 1;
	exe[s.n] = '\0';
	const char *base = strrchr(exe, '/');
	base = base ? base + 1 : exe;
	copy(ret, n, ep_slice_of(base));
	return ret[0] != '\0';
}

bool ep_service_look(uint32_t pid, const char *comm, bool other_image,
		     struct ep_service *ret_s)
{
	static _Thread_local char buf[MAX_TEXT];
	struct ep_cgroup c = {.unit = ""};
	struct ep_service s = {.name = ""};
	ssize_t n_cgroup = read_proc(pid, "cgroup", buf, sizeof(buf));
	if (n_cgroup > 0)
		ep_service_parse_cgroup((struct ep_slice){buf, (size_t)n_cgroup}, &c);
	ssize_t n = other_image ? 0 : read_proc(pid, "environ", buf, sizeof(buf));
	if (n > 0)
		ep_service_parse_environ((struct ep_slice){buf, (size_t)n}, &s);
	if (c.container_id[0])
		name_container(&c, s.container, sizeof(s.container));
	if (!s.name[0] && s.container[0])
		memcpy(s.name, s.container, sizeof(s.name));
	if (!s.name[0] && c.unit[0])
		memcpy(s.name, c.unit, sizeof(s.name));
	if (!s.name[0] &&
	    (other_image || !name_executable(pid, s.name, sizeof(s.name))))
		copy(s.name, sizeof(s.name), ep_slice_of(comm[0] ? comm : "unknown"));
	*ret_s = s;
	return n_cgroup >= 0;
}
