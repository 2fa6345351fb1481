/* wholefile.c - ep_fetch_file() of fetch.h. */
#include "fetch/fetch.h"

#include <ctype.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CHUNK = 256 * 1024 };

/* "no such file or directory": in lower case, as the reference has the system's words. */
static int fail_sys(struct ep_err *err, const char *what, const char *path, int no)
{
	char text[120];
	int rc = no == ENOENT ? -ENOENT : no == EACCES || no == EPERM ? -EACCES : -EIO;
	size_t n = strlen(strerror(no));
	n = n < sizeof(text) ? n : sizeof(text) - 1;
	memcpy(text, strerror(no), n);
	text[n] = '\0';
	text[0] = (char)tolower((unsigned char)text[0]);
	return ep_fail(err, rc, 0, "%s %s: %s", what, path, text);
}

static int read_all(int fd, const char *path, size_t max_bytes, struct ep_buf *out,
		    struct ep_err *err)
{
	struct stat st;
	size_t begin = out->len;
	/* A byte more than the file has, so that its end is seen without growing. */
	size_t want = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) ? (size_t)st.st_size + 1 : CHUNK;
	for (;;) {
		size_t left = max_bytes - (out->len - begin);
		size_t n = want < left + 1 ? want : left + 1;
		uint8_t *at = ep_buf_reserve(out, n);
		if (!at && ep_buf_failed(out) == -ENOMEM)
			return ep_fail(err, -ENOMEM, 0, "out of memory");
		ssize_t got = at ? read(fd, at, n) : 0;
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return fail_sys(err, "read", path, errno);
		if (!at || (size_t)got > left)
			return ep_fail(err, -E2BIG, 0, "%s: more than %zu bytes", path, max_bytes);
		if (got == 0)
			return 0;
		out->len += (size_t)got;
		want = (size_t)got < n ? n - (size_t)got : CHUNK;
	}
}

int ep_fetch_file(const char *path, size_t max_bytes, struct ep_buf *out, struct ep_err *err)
{
	bool is_stdin = !strcmp(path, "-");
	int fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return fail_sys(err, "open", path, errno);
	int rc = read_all(fd, path, max_bytes ? max_bytes : (size_t)4 << 30, out, err);
	if (!is_stdin)
		(void)close(fd); /* read only: nothing to lose */
	return rc;
}
