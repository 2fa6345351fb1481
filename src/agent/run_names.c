/*
 * run_names.c - see run_names.h.
 */
#include "agent/run_names.h"

#include "symbol/perfmap.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A perf map may be large and grows all the time. */
enum { REREAD_ROUNDS = 4 };

void ep_run_names_init(struct ep_run_names *n)
{
	struct ep_err err = {0};
	n->kernel = NULL;
	(void)ep_kallsyms_read("/proc/kallsyms", &n->kernel, &err); /* then unnamed */
}

void ep_run_names_fini(struct ep_run_names *n)
{
	ep_kallsyms_free(n->kernel);
}

int ep_run_names_kernel(const struct ep_run_names *n, uint64_t address,
			struct ep_slice *ret_name)
{
	return n->kernel ? ep_kallsyms_find(n->kernel, address, ret_name, NULL)
			 : -ENOENT;
}

/* The pid a process has in its own namespace, which is in the file's name. */
static uint32_t inner_pid(uint32_t pid)
{
	char path[48], line[256];
	uint32_t inner = pid;
	snprintf(path, sizeof(path), "/proc/%u/status", pid);
	FILE *f = fopen(path, "re");
	if (!f)
		return pid;
	while (fgets(line, sizeof(line), f))
		if (!strncmp(line, "NSpid:", 6)) {
			const char *last = strrchr(line, '\t');
			inner = last ? (uint32_t)strtoul(last, NULL, 10) : pid;
			break;
		}
	fclose(f);
	return inner ? inner : pid;
}

static void read_perfmap(struct ep_process *p)
{
	char path[96];
	struct stat st;
	struct ep_perfmap *map;
	struct ep_err err = {0};
	snprintf(path, sizeof(path), "/proc/%u", p->via);
	if (stat(path, &st) < 0)
		return;
	snprintf(path, sizeof(path), "/proc/%u/root/tmp/perf-%u.map", p->via,
		 inner_pid(p->who.pid));
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return;
	if (ep_perfmap_read(fd, st.st_uid, &map, &err) == 0) {
		ep_perfmap_free(p->perfmap);
		p->perfmap = map;
	}
	close(fd);
}

int ep_run_names_jit(struct ep_process *p, uint32_t round, uint64_t address,
		     struct ep_slice *ret_name)
{
	if (p->perfmap && ep_perfmap_find(p->perfmap, address, ret_name) == 0)
		return 0;
	bool due = !p->perfmap_round || round - p->perfmap_round >= REREAD_ROUNDS;
	if (p->is_gone || !due)
		return -ENOENT;
	p->perfmap_round = round;
	read_perfmap(p);
	return p->perfmap ? ep_perfmap_find(p->perfmap, address, ret_name) : -ENOENT;
}
