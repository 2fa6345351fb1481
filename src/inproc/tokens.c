/* tokens.c - see tokens.h. */
#include "inproc/tokens.h"

#include "codec/base64.h"
#include "codec/sha256.h"
#include "inproc/config.h"
#include "inproc/fd.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

enum { MAX_FILE_BYTES = 16 << 10, MAX_HEADER_BYTES = 1024 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char file[PATH_MAX];
static uint8_t hashes[EP_TOKENS_MAX][EP_SHA256_BYTES];
static int n_hashes;
static struct stat seen;

static bool is_same_file(const struct stat *a, const struct stat *b)
{
	return a->st_ino == b->st_ino && a->st_dev == b->st_dev && a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* The number of tokens in the text, or -EINVAL at one that is too short. */
static int parse(char *text, uint8_t ret[EP_TOKENS_MAX][EP_SHA256_BYTES])
{
	int n = 0;
	char *line, *rest = text;
	while ((line = strsep(&rest, "\n")) != NULL && n < EP_TOKENS_MAX) {
		line += strspn(line, " \t\r");
		size_t k = strcspn(line, " \t\r");
		if (k == 0 || *line == '#')
			continue;
		if (k < EP_TOKENS_MIN_BYTES)
			return -EINVAL;
		ep_sha256(line, k, ret[n++]);
	}
	return n;
}

static int read_file_locked(void)
{
	char text[MAX_FILE_BYTES + 1];
	uint8_t fresh[EP_TOKENS_MAX][EP_SHA256_BYTES];
	struct stat st;
	int fd = ep_fd_open(file, O_RDONLY);
	ssize_t n = fd < 0 || fstat(fd, &st) < 0 ? -1 : read(fd, text, MAX_FILE_BYTES);
	if (fd >= 0)
		close(fd);
	if (n < 0) {
		ep_config_say("the token file %s can't be read: %s", file, strerror(errno));
		return -EINVAL;
	}
	text[n] = '\0';
	int count = parse(text, fresh);
	explicit_bzero(text, sizeof(text));
	if (count <= 0) {
		ep_config_say(count ? "a token in %s has fewer than 22 characters; none of them is used"
				    : "there is no token in %s",
			      file);
		return -EINVAL;
	}
	memcpy(hashes, fresh, sizeof(hashes));
	n_hashes = count;
	seen = st;
	return 0;
}

int ep_tokens_open(const char *path)
{
	if (strlen(path) >= sizeof(file))
		return -EINVAL;
	pthread_mutex_lock(&lock);
	strcpy(file, path);
	int rc = read_file_locked();
	pthread_mutex_unlock(&lock);
	return rc;
}

bool ep_tokens_asked(void)
{
	pthread_mutex_lock(&lock);
	bool asked = *file != '\0';
	pthread_mutex_unlock(&lock);
	return asked;
}

/* The password of "Basic …", in buf; any user will do. */
static struct ep_slice basic(const char *text, struct ep_buf *buf)
{
	struct ep_slice none = {"", 0};
	if (ep_base64_decode(ep_slice_of(text), buf, NULL) < 0)
		return none;
	const char *colon = buf->len ? memchr(buf->data, ':', buf->len) : NULL;
	if (!colon)
		return none;
	return (struct ep_slice){colon + 1,
				 buf->len - (size_t)(colon + 1 - (const char *)buf->data)};
}

static bool matches_locked(struct ep_slice token)
{
	uint8_t hash[EP_SHA256_BYTES];
	unsigned admitted = 0;
	ep_sha256(token.p, token.n, hash);
	for (int i = 0; i < n_hashes; i++) { /* all of them, whichever fits */
		unsigned differs = 0;
		for (int k = 0; k < EP_SHA256_BYTES; k++)
			differs |= hash[k] ^ hashes[i][k];
		admitted |= differs == 0;
	}
	return admitted;
}

bool ep_tokens_admit(const char *authorization)
{
	struct ep_slice token = {"", 0};
	struct stat now;
	if (!authorization || strlen(authorization) > MAX_HEADER_BYTES)
		return false;
	ep_auto_buf buf;
	ep_buf_init(&buf, MAX_HEADER_BYTES);
	if (!strncasecmp(authorization, "Bearer ", 7))
		token = ep_slice_of(authorization + 7);
	else if (!strncasecmp(authorization, "Basic ", 6))
		token = basic(authorization + 6, &buf);
	pthread_mutex_lock(&lock);
	if (stat(file, &now) == 0 && !is_same_file(&now, &seen))
		(void)read_file_locked(); /* a bad new file: the old tokens stay, and it was said */
	bool ok = token.n >= EP_TOKENS_MIN_BYTES && matches_locked(token);
	pthread_mutex_unlock(&lock);
	return ok;
}
