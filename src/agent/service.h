/*
 * service.h - whose process is it: the labels service_name, container, version.
 *
 * service_name is the first of: EVERPROF_NAME or OTEL_SERVICE_NAME of the
 * process, its Kubernetes container, its container, its systemd service unit,
 * the base name of its executable.  Kernel threads are `kernel`; what is outside
 * of our PID namespace is `host-other`.  Nothing else of a process's environment
 * is kept.
 */
#ifndef EP_AGENT_SERVICE_H
#define EP_AGENT_SERVICE_H

#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>

struct ep_service {
	char name[128];
	char container[128]; /* name, or the first 12 digits of the id; "" for none */
	char version[128];   /* EVERPROF_VERSION; "" when not said */
};

/* What /proc/PID/cgroup says. */
struct ep_cgroup {
	char container_id[65]; /* 64 hex digits, or the name of a machine; "" for none
				*/
	bool is_kubernetes;
	char unit[128]; /* "nginx" of nginx.service; "" for none or a scope */
};

/*
 * ep_service_parse_cgroup - read the lines of /proc/PID/cgroup (version 1 and 2).
 *
 * Knows the paths of docker, containerd, CRI-O, podman, LXC and systemd-nspawn,
 * with systemd's and with cgroupfs's driver.  Any thread.
 */
void ep_service_parse_cgroup(struct ep_slice text, struct ep_cgroup *ret_c);

/*
 * ep_service_parse_environ - EVERPROF_NAME, OTEL_SERVICE_NAME and
 * EVERPROF_VERSION of the bytes of /proc/PID/environ.
 *
 * out      ret_s   name and version are set when found, else untouched
 */
void ep_service_parse_environ(struct ep_slice text, struct ep_service *ret_s);

/* The container's name in the name of a link below /var/log/containers,
 * POD_NAMESPACE_CONTAINER-ID.log; false when it is of another id. */
bool ep_service_parse_log_name(const char *file, const char *container_id,
			       char *ret_name, size_t n);

/*
 * ep_service_look - ask /proc.
 *
 * in       pid, comm  comm of its first thread: the name when nothing can be read
 *          other_image  it runs another program since: only what outlives an exec
 *                     counts, the container and the unit
 * out      ret_s      always filled
 * returns  false when the process was gone before anything could be read
 */
bool ep_service_look(uint32_t pid, const char *comm, bool other_image,
		     struct ep_service *ret_s);

#endif
