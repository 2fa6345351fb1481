/* snapshot.c - see snapshot.h. */
#include "inproc/snapshot.h"

#include "everprof.h"
#include "inproc/drain.h"

#include <errno.h>
#include <unistd.h>

#define MAX_BYTES ((size_t)256 << 20)

int ep_snapshot(const struct ep_kind *k, enum ep_kind_form form, int debug, struct ep_buf *out)
{
	struct ep_batch b;
	if (debug && !k->text)
		return -ENOTSUP;
	ep_drain_lock();
	bool ok = k->take(k, form, &b);
	ep_drain_unlock();
	if (!ok)
		return -ENOMEM;
	int (*text)(const struct ep_batch *, struct ep_buf *) =
		debug > 1 && k->long_text ? k->long_text : k->text;
	int rc = debug ? text(&b, out) : ep_batch_write(&b, true, out);
	ep_batch_fini(&b);
	return rc;
}

static int write_all(int fd, const struct ep_buf *b)
{
	for (size_t at = 0; at < b->len;) {
		ssize_t n = write(fd, b->data + at, b->len - at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -EIO;
		at += (size_t)n;
	}
	return 0;
}

int ep_snapshot_to_fd(const struct ep_batch *b, int fd)
{
	ep_auto_buf bytes;
	ep_buf_init(&bytes, MAX_BYTES);
	EP_TRY(ep_batch_write(b, true, &bytes));
	return write_all(fd, &bytes);
}

__attribute__((visibility("default"))) int everprof_profile_write(everprof_profile *p, int fd,
								  int debug)
{
	int saved = errno;
	ep_auto_buf bytes;
	if (!p)
		return -EINVAL;
	ep_buf_init(&bytes, MAX_BYTES);
	int rc = ep_snapshot((const struct ep_kind *)p, EP_KIND_TOTAL, debug, &bytes);
	if (rc == 0)
		rc = write_all(fd, &bytes);
	errno = saved;
	return rc;
}
