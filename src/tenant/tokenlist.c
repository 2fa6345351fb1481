/* tokenlist.c - see tokenlist.h. */
#include "tenant/tokenlist.h"

#include "codec/crc32c.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What Bearer takes (RFC 6750), and a cookie too. */
#define TOKEN_CHARS                                                            \
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/="
#define HEAD "everprof-tokens 1\n"

void ep_tokenlist_fini(struct ep_tokenlist *t)
{
	ep_free(t->v);
	*t = (struct ep_tokenlist){0};
}

const char *ep_tokenlist_role_name(enum ep_role role)
{
	return role == EP_ROLE_READ ? "read" : role == EP_ROLE_WRITE ? "write" : "admin";
}

int ep_tokenlist_parse_role(const char *word, enum ep_role *ret_role)
{
	if (!strcmp(word, "admin"))
		*ret_role = EP_ROLE_ADMIN;
	else if (!strcmp(word, "read"))
		*ret_role = EP_ROLE_READ;
	else if (!strcmp(word, "write"))
		*ret_role = EP_ROLE_WRITE;
	else
		return -EINVAL;
	return 0;
}

static int append(struct ep_tokenlist *t, const struct ep_token *row, struct ep_err *err)
{
	if (t->n == EP_TOKENS_MAX)
		return ep_fail(err, -EINVAL, 0, "over %d tokens", EP_TOKENS_MAX);
	struct ep_token *grown = ep_realloc(t->v, (t->n + 1) * sizeof(*grown));
	if (!grown)
		return ep_fail(err, -ENOMEM, 0, "no memory for the tokens");
	t->v = grown;
	t->v[t->n++] = *row;
	return 0;
}

static void set_id(struct ep_token *row)
{
	for (unsigned i = 0; i < 4; i++)
		(void)snprintf(row->id + 2 * i, 3, "%02x", row->hash[i]);
}

int ep_tokenlist_add(struct ep_tokenlist *t, struct ep_slice text, const struct ep_token *like,
		  struct ep_err *err)
{
	struct ep_token row = *like;
	ep_sha256(text.p, text.n, row.hash);
	set_id(&row);
	return append(t, &row, err);
}

static bool is_same(const uint8_t *a, const uint8_t *b)
{
	unsigned differ = 0;
	for (unsigned i = 0; i < EP_SHA256_BYTES; i++)
		differ |= a[i] ^ b[i];
	return !differ;
}

/* Every hash is compared, whole, so that time tells nothing of which one is near. */
const struct ep_token *ep_tokenlist_find(const struct ep_tokenlist *t, struct ep_slice text)
{
	uint8_t hash[EP_SHA256_BYTES];
	const struct ep_token *found = NULL;
	if (!text.n || text.n > EP_TOKEN_MAX)
		return NULL;
	ep_sha256(text.p, text.n, hash);
	for (size_t i = 0; i < t->n; i++)
		if (is_same(hash, t->v[i].hash))
			found = &t->v[i];
	return found;
}

/* --- the operator's file ---------------------------------------------------------------- */

static int check_text(const char *token, unsigned n_line, struct ep_err *err)
{
	if (strlen(token) < EP_TOKEN_MIN)
		return ep_fail(err, -EINVAL, 0,
			       "line %u: a token of %zu characters; at least %d, as from "
			       "`openssl rand -hex 16`",
			       n_line, strlen(token), EP_TOKEN_MIN);
	if (token[strspn(token, TOKEN_CHARS)])
		return ep_fail(err, -EINVAL, 0,
			       "line %u: a token is made of letters, digits and -._~+/=",
			       n_line);
	return 0;
}

static int add_line(struct ep_tokenlist *t, char *line, unsigned n_line, struct ep_err *err)
{
	char token[EP_TOKEN_MAX + 1] = "", tenant[EP_TENANT_NAME + 2] = "", role[17] = "admin",
	     more[2] = "";
	struct ep_token row = {0};
	line[strcspn(line, "\r\n")] = '\0';
	if (sscanf(line, "%512s %65s %16s %1s", token, tenant, role, more) < 1 || token[0] == '#')
		return 0;
	EP_TRY(check_text(token, n_line, err));
	if (ep_tokenlist_parse_role(role, &row.role) < 0 || more[0])
		return ep_fail(err, -EINVAL, 0,
			       "line %u: after TOKEN and TENANT a role is admin, read or write",
			       n_line);
	if (strcmp(tenant, "*") != 0 && tenant[0]) {
		int rc = ep_tenant_check_name(ep_slice_of(tenant), err);
		if (rc < 0) {
			ep_err_context(err, "line %u", n_line);
			return -EINVAL;
		}
		memcpy(row.tenant, tenant, strlen(tenant) + 1);
	}
	int rc = ep_tokenlist_add(t, ep_slice_of(token), &row, err);
	explicit_bzero(token, sizeof(token));
	return rc;
}

int ep_tokenlist_read_plain(const char *path, struct ep_tokenlist *ret_t, struct ep_err *err)
{
	FILE *f = fopen(path, "re");
	if (!f)
		return ep_fail(err, errno == ENOENT || errno == EACCES ? -errno : -EIO, 0,
			       "%s", strerror(errno));
	char line[1024];
	struct ep_tokenlist t = {0};
	int rc = 0;
	for (unsigned n = 1; rc == 0 && fgets(line, sizeof(line), f); n++)
		rc = add_line(&t, line, n, err);
	if (rc == 0 && ferror(f))
		rc = ep_fail(err, -EIO, 0, "%s", strerror(errno));
	fclose(f);
	explicit_bzero(line, sizeof(line));
	if (rc == 0 && !t.n)
		rc = ep_fail(err, -EINVAL, 0, "no token in it; a line is TOKEN [TENANT [ROLE]]");
	if (rc < 0)
		ep_tokenlist_fini(&t);
	else
		*ret_t = t;
	return rc;
}

/* --- ours ---------------------------------------------------------------------------------- */

static bool parse_hash(const char *hex, uint8_t *ret_hash)
{
	if (strlen(hex) != 2 * EP_SHA256_BYTES || hex[strspn(hex, "0123456789abcdef")])
		return false;
	for (unsigned i = 0; i < EP_SHA256_BYTES; i++) {
		unsigned byte;
		if (sscanf(hex + 2 * i, "%2x", &byte) != 1)
			return false;
		ret_hash[i] = (uint8_t)byte;
	}
	return true;
}

static int parse_row(char *line, struct ep_tokenlist *t, struct ep_err *err)
{
	char hash[2 * EP_SHA256_BYTES + 1] = "", tenant[EP_TENANT_NAME + 1] = "", role[17] = "";
	unsigned long long created = 0;
	int used = 0;
	struct ep_token row = {0};
	if (sscanf(line, "%64s %64s %16s %llu %n", hash, tenant, role, &created, &used) != 4 ||
	    !parse_hash(hash, row.hash) || ep_tokenlist_parse_role(role, &row.role) < 0 ||
	    strlen(line + used) > EP_TOKEN_LABEL)
		return ep_fail(err, -EBADMSG, 0, "a damaged row");
	if (strcmp(tenant, "*") != 0)
		memcpy(row.tenant, tenant, sizeof(tenant));
	memcpy(row.label, line + used, strlen(line + used) + 1);
	row.created_s = created;
	set_id(&row);
	return append(t, &row, err);
}

static int parse_all(char *text, size_t n, struct ep_tokenlist *t, struct ep_err *err)
{
	char *end = n > 16 && text[n - 1] == '\n' ? memrchr(text, '\n', n - 1) : NULL;
	unsigned crc = 0;
	if (strncmp(text, HEAD, strlen(HEAD)) != 0) {
		bool newer = !strncmp(text, "everprof-tokens ", 16);
		return ep_fail(err, newer ? -ENOTSUP : -EBADMSG, 0,
			       newer ? "of a newer everprof" : "not a list of tokens");
	}
	if (!end || sscanf(end + 1, "crc32c %8x", &crc) != 1 ||
	    crc != ep_crc32c(0, text, (size_t)(end + 1 - text)))
		return ep_fail(err, -EBADMSG, 0, "damaged: its checksum does not fit");
	*end = '\0'; /* of the line before the checksum; the head has one of its own */
	for (char *line = strchr(text, '\n'); line;) {
		char *next = strchr(line + 1, '\n');
		if (next)
			*next = '\0';
		EP_TRY(parse_row(line + 1, t, err));
		line = next;
	}
	return 0;
}

static int read_all(const char *path, char **ret_text, size_t *ret_n, struct ep_err *err)
{
	enum { MAX = EP_TOKENS_MAX * 320 };
	FILE *f = fopen(path, "re");
	if (!f)
		return ep_fail(err, errno == ENOENT || errno == EACCES ? -errno : -EIO, 0, "%s: %s",
			       path, strerror(errno));
	struct stat st = {0};
	(void)fstat(fileno(f), &st); /* 0: read as empty, and refused */
	size_t room = st.st_size > 0 && st.st_size < MAX ? (size_t)st.st_size : 0;
	char *text = ep_zalloc(room + 1);
	size_t n = text ? fread(text, 1, room, f) : 0;
	fclose(f);
	if (!text)
		return ep_fail(err, -ENOMEM, 0, "no memory for the tokens");
	*ret_text = text;
	*ret_n = n;
	return 0;
}

int ep_tokenlist_read(const char *path, struct ep_tokenlist *ret_t, struct ep_err *err)
{
	char *text = NULL;
	size_t n = 0;
	struct ep_tokenlist t = {0};
	EP_TRY(read_all(path, &text, &n, err));
	int rc = parse_all(text, n, &t, err);
	ep_free(text);
	if (rc < 0) {
		ep_err_context(err, "%s", path);
		ep_tokenlist_fini(&t);
		return rc;
	}
	*ret_t = t;
	return 0;
}

static void format(const struct ep_tokenlist *t, FILE *f)
{
	fputs(HEAD, f);
	for (size_t i = 0; i < t->n; i++) {
		const struct ep_token *k = &t->v[i];
		for (unsigned b = 0; b < EP_SHA256_BYTES; b++)
			fprintf(f, "%02x", k->hash[b]);
		fprintf(f, " %s %s %llu%s%s\n", k->tenant[0] ? k->tenant : "*",
			ep_tokenlist_role_name(k->role), (unsigned long long)k->created_s,
			k->label[0] ? " " : "", k->label);
	}
}

/* Under another name first, synced, then renamed, and the folder synced. */
static int replace(const char *path, const char *text, size_t n)
{
	char tmp[PATH_MAX], dir[PATH_MAX];
	struct stat st;
	int m = snprintf(tmp, sizeof(tmp), "%s.new", path);
	(void)snprintf(dir, sizeof(dir), "%s", path);
	char *slash = strrchr(dir, '/');
	if (m >= (int)sizeof(tmp) || !slash)
		return -EINVAL;
	*slash = '\0';
	(void)unlink(tmp); /* of a run that died */
	int fd = open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	bool good = write(fd, text, n) == (ssize_t)n && fsync(fd) == 0;
	if (good && stat(*dir ? dir : "/", &st) == 0 && geteuid() == 0)
		good = fchown(fd, st.st_uid, st.st_gid) == 0; /* the server must read it */
	int rc = close(fd) == 0 && good && rename(tmp, path) == 0 ? 0 : -errno;
	if (rc < 0) {
		(void)unlink(tmp);
		return rc;
	}
	fd = open(*dir ? dir : "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	rc = fd >= 0 && fsync(fd) == 0 ? 0 : -EIO;
	if (fd >= 0)
		(void)close(fd); /* read only */
	return rc;
}

int ep_tokenlist_write(const char *path, const struct ep_tokenlist *t, struct ep_err *err)
{
	char *text = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&text, &n);
	if (!f)
		return ep_fail(err, -ENOMEM, 0, "no memory for the tokens");
	format(t, f);
	(void)fflush(f); /* memory: fclose tells */
	fprintf(f, "crc32c %08x\n", ep_crc32c(0, text, n));
	int rc = fclose(f) == 0 ? replace(path, text, n) : -ENOMEM;
	free(text);
	if (rc < 0)
		return ep_fail(err, rc == -EACCES || rc == -ENOSPC ? rc : -EIO, 0,
			       "%s can't be written: %s", path, strerror(-rc));
	return 0;
}
