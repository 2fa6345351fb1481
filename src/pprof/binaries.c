/* binaries.c - see binaries.h. */
#include "pprof/binaries.h"

#include "base/mem.h"
#include "fetch/fetch.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define MAX_FILE ((size_t)4 << 30)
#define TIMEOUT_NS (90ull * 1000 * 1000 * 1000) /* as debuginfod's own client */

static int write_new(const char *path, const struct ep_buf *b, struct ep_err *err)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0)
		return ep_fail(err, -errno, 0, "%s can't be written", path);
	size_t at = 0;
	while (at < b->len) {
		ssize_t n = write(fd, b->data + at, b->len - at);
		if (n < 0 && errno != EINTR)
			break;
		at += n > 0 ? (size_t)n : 0;
	}
	if (close(fd) < 0 || at < b->len) {
		(void)unlink(path); /* half a file is worse than none */
		return ep_fail(err, -EIO, at, "%s can't be written", path);
	}
	return 0;
}

static int download(void *ctx, const char *url, const char *path, struct ep_err *err)
{
	const struct ep_fetch *fetch = ctx;
	const struct ep_fetch_request rq = {
		.url = url, .timeout_ns = TIMEOUT_NS, .max_bytes = MAX_FILE};
	ep_auto_buf body;
	ep_buf_init(&body, MAX_FILE);
	EP_TRY(ep_fetch_url(fetch, &rq, &body, err));
	return write_new(path, &body, err);
}

int ep_binaries_open(const struct ep_args *a, const struct ep_fetch *fetch,
		     struct ep_debugfile_download *by_fetch,
		     const struct ep_notes *notes, struct ep_objects **ret_objects,
		     struct ep_err *err)
{
	const char *path = getenv("PPROF_BINARY_PATH"), *home = getenv("HOME");
	char *cache ep_auto_mem = ep_objects_cache_path();
	ep_auto_buf at_home;
	ep_buf_init(&at_home, 1 << 16);
	ep_buf_printf(&at_home, "%s%spprof/binaries", home ? home : "",
		      home && *home ? "/" : "");
	*by_fetch = (struct ep_debugfile_download){download, (void *)fetch};
	const struct ep_objects_options o = {
		.binary = a->binary,
		.search_path = path && *path ? path : ep_buf_cstr(&at_home),
		.tools = *a->tools ? a->tools : NULL,
		.servers = getenv("DEBUGINFOD_URLS"),
		.cache = cache,
		.download = by_fetch,
		.notes = notes,
	};
	return ep_objects_new(&o, ret_objects, err);
}
