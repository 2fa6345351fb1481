/* tables.c - see tables.h. */
#include "inproc/tables.h"

#include "inproc/fd.h"
#include "unwind/build/tablecache.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>

static struct ep_tablecache cache;
static bool known;
static bool looked, shut_in;
static char filters_at_start[64];

/*
 * How this thread's system calls are filtered, as the kernel words it.  A filter that was
 * there when we started lets a process use files as they come; one that came later may
 * kill for a call that was not made before.
 */
static void read_filters(char ret[64])
{
	static char text[4096]; /* one thread at a time */
	int fd = ep_fd_open("/proc/thread-self/status", O_RDONLY);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (fd >= 0)
		close(fd);
	text[n < 0 ? 0 : n] = '\0';
	const char *at = strstr(text, "\nSeccomp:");
	size_t k = at ? strcspn(at, "S") : 0;
	snprintf(ret, 64, "%.48s", at ? at + k : "unknown");
}

void ep_tables_init(void)
{
	if (known)
		return;
	ep_tablecache_init(&cache, &(struct ep_tablecache_config){
					   .setting = secure_getenv("EVERPROF_CACHE"),
					   .cache_home = secure_getenv("XDG_CACHE_HOME"),
					   .home = secure_getenv("HOME"),
					   .read_only = getauxval(AT_SECURE) != 0,
				   });
	read_filters(filters_at_start);
	known = looked = true;
}

/* The cache, or none once the process has shut itself in further. */
static const struct ep_tablecache *cache_now(void)
{
	static const struct ep_tablecache none;
	if (!looked) {
		char filters[sizeof(filters_at_start)];
		read_filters(filters);
		shut_in = strcmp(filters, filters_at_start) != 0;
		looked = true;
	}
	return shut_in ? &none : &cache;
}

void ep_tables_done(void)
{
	looked = false;
}

static int compile_loaded(const struct ep_tables_code *code, struct ep_tablefile *ret)
{
	struct ep_compile_image image = {
		.bias = code->bias,
		.segments = code->segments,
		.n_segments = code->n_segments,
		.build_id = code->key.build_id,
	};
	ep_auto_buf b;
	ep_buf_init(&b, EP_TABLEFILE_MAX_BYTES);
	EP_TRY(ep_compile_loaded(&image, &b, NULL));
	*ret = (struct ep_tablefile){(const struct ep_table *)b.data, 0};
	b.data = NULL;
	return 0;
}

int ep_tables_get(const struct ep_tables_code *code, struct ep_tablefile *ret)
{
	const struct ep_tablecache *c = cache_now();
	if (code->segments)
		return compile_loaded(code, ret);
	if (*code->key.build_id && ep_tablecache_find(c, &code->key, ret) == 0)
		return 0;
	int fd = ep_fd_open(code->path, O_RDONLY);
	if (fd < 0)
		return -errno;
	struct ep_tablefile f;
	int rc = ep_tablecache_make(c, fd, true, &f, NULL);
	close(fd);
	EP_TRY(rc);
	/* The file at the path may be another one by now. */
	bool same = !strcmp(f.table->build_id, code->key.build_id) &&
		    (!*code->key.build_id || f.table->image == code->key.image);
	if (!same) {
		ep_tablefile_release(&f);
		return -ENOENT;
	}
	*ret = f;
	return 0;
}
