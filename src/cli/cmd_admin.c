/*
 * cmd_admin.c - everprof admin: tokens of a server, by its data folder.
 *
 * Works beside a running server: the list of tokens is replaced whole, and the server
 * looks at it before each request.
 */
#include "cli/commands.h"

#include "base/clock.h"
#include "cli/flags.h"
#include "server/backup.h"
#include "server/datadir.h"
#include "tenant/audit.h"
#include "tenant/tokenlist.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

enum { TOKEN_BYTES = 24 };

static const char about[] =
	"Looks after a server's data folder, beside the running server. `backup DIR` copies all of "
	"it to an empty folder, `verify` says of a data folder or a backup whether every file of it "
	"is whole, `restore BACKUP` makes a data folder of a backup. It also keeps the tokens that a server asks for. `token new` prints a token, once: only its hash "
	"is kept. `token list` shows all, `token revoke` ends those with this ID or label, at "
	"once. With the first token the "
	"server asks for one from everybody, also on loopback.";

static const char examples[] =
	"  everprof admin token new --tenant acme --role write --label ci\n"
	"  everprof admin token list\n"
	"  everprof admin token revoke 1a2b3c4d\n"
	"  everprof admin backup /backups/everprof-monday\n"
	"  everprof admin verify /backups/everprof-monday\n"
	"  everprof admin restore /backups/everprof-monday --data /var/lib/everprof\n";

struct options {
	const char *data, *tenant, *role, *label;
	char default_data[4096];
	char list[PATH_MAX], audit[PATH_MAX];
};

static int say(const struct ep_err *err)
{
	fprintf(stderr, "everprof admin: %s\n", err->text);
	return 1;
}

static void note(const struct options *o, const char *action, const struct ep_token *k)
{
	char detail[160];
	(void)snprintf(detail, sizeof(detail), "role %s, label \"%s\", by user %u",
		       ep_tokenlist_role_name(k->role), k->label, (unsigned)geteuid());
	struct ep_audit_event e = {.action = action,
				   .ok = true,
				   .tenant = k->tenant[0] ? k->tenant : "*",
				   .token = k->id,
				   .detail = detail};
	(void)ep_audit(o->audit, &e); /* it logs what it can't write */
}

/* 24 random bytes as base64url, behind a word that secret scanners can look for. */
static int make_text(char ret_text[64], struct ep_err *err)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	unsigned char raw[TOKEN_BYTES];
	if (getrandom(raw, sizeof(raw), 0) != sizeof(raw))
		return ep_fail(err, -EIO, 0, "no random bytes: %s", strerror(errno));
	char *to = ret_text + snprintf(ret_text, 64, "everprof_");
	for (unsigned i = 0; i < TOKEN_BYTES; i += 3) {
		unsigned v = (unsigned)raw[i] << 16 | (unsigned)raw[i + 1] << 8 | raw[i + 2];
		for (int shift = 18; shift >= 0; shift -= 6)
			*to++ = digits[v >> shift & 63];
	}
	*to = '\0';
	explicit_bzero(raw, sizeof(raw));
	return 0;
}

static int read_list(const struct options *o, struct ep_tokenlist *t, struct ep_err *err)
{
	int rc = ep_tokenlist_read(o->list, t, err);
	if (rc != -ENOENT)
		return rc;
	*err = (struct ep_err){0};
	return 0;
}

static int token_new(const struct options *o, struct ep_err *err)
{
	struct ep_token like = {.created_s = ep_clock_wall_ns() / EP_NS_PER_S};
	struct ep_tokenlist t __attribute__((cleanup(ep_tokenlist_fini))) = {0};
	char text[64];
	if (ep_tokenlist_parse_role(o->role, &like.role) < 0)
		return ep_fail(err, -EINVAL, 0, "--role is read, write or admin, not \"%.40s\"", o->role);
	if (o->tenant && strcmp(o->tenant, "*") != 0) {
		if (ep_tenant_check_name(ep_slice_of(o->tenant), err) < 0)
			return -EINVAL;
		memcpy(like.tenant, o->tenant, strlen(o->tenant) + 1);
	}
	if (o->label && (strlen(o->label) > EP_TOKEN_LABEL || strpbrk(o->label, "\r\n")))
		return ep_fail(err, -EINVAL, 0, "--label is one line of at most %d bytes",
			       EP_TOKEN_LABEL);
	memcpy(like.label, o->label ? o->label : "", o->label ? strlen(o->label) + 1 : 1);
	EP_TRY(read_list(o, &t, err));
	EP_TRY(make_text(text, err));
	EP_TRY(ep_tokenlist_add(&t, ep_slice_of(text), &like, err));
	EP_TRY(ep_tokenlist_write(o->list, &t, err));
	note(o, "token-new", &t.v[t.n - 1]);
	printf("%s\n", text);
	explicit_bzero(text, sizeof(text));
	return 0;
}

static int token_list(const struct options *o, struct ep_err *err)
{
	struct ep_tokenlist t __attribute__((cleanup(ep_tokenlist_fini))) = {0};
	EP_TRY(read_list(o, &t, err));
	printf("%-10s%-8s%-22s%-22s%s\n", "ID", "ROLE", "MADE", "TENANT", "LABEL");
	for (size_t i = 0; i < t.n; i++) {
		const struct ep_token *k = &t.v[i];
		char made[32];
		struct tm tm;
		time_t s = (time_t)k->created_s;
		strftime(made, sizeof(made), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&s, &tm));
		printf("%-10s%-8s%-22s%-22s%s\n", k->id, ep_tokenlist_role_name(k->role), made,
		       k->tenant[0] ? k->tenant : "*", k->label);
	}
	return 0;
}

static int token_revoke(const struct options *o, const char *which, struct ep_err *err)
{
	struct ep_tokenlist t __attribute__((cleanup(ep_tokenlist_fini))) = {0};
	struct ep_tokenlist gone __attribute__((cleanup(ep_tokenlist_fini))) = {0};
	size_t n = 0;
	EP_TRY(read_list(o, &t, err));
	gone.v = ep_zalloc((t.n + 1) * sizeof(*gone.v));
	if (!gone.v)
		return ep_fail(err, -ENOMEM, 0, "no memory for the tokens");
	for (size_t i = 0; i < t.n; i++) {
		bool is_it = !strcmp(t.v[i].id, which) || (*which && !strcmp(t.v[i].label, which));
		if (is_it)
			gone.v[gone.n++] = t.v[i];
		else
			t.v[n++] = t.v[i];
	}
	if (!gone.n)
		return ep_fail(err, -ENOENT, 0, "there is no token \"%.80s\"; `everprof admin token list`",
			       which);
	t.n = n;
	EP_TRY(ep_tokenlist_write(o->list, &t, err));
	for (size_t i = 0; i < gone.n; i++) {
		note(o, "token-revoke", &gone.v[i]);
		printf("revoked %s\n", gone.v[i].id);
	}
	return 0;
}

static void note_work(const struct options *o, const char *action, const char *where)
{
	struct ep_audit_event e = {.action = action, .ok = true, .detail = where};
	(void)ep_audit(o->audit, &e); /* it logs what it can't write */
}

static void say_bad(const char *sentence)
{
	fprintf(stderr, "everprof admin: %s\n", sentence);
}

static int on_backup(const struct options *o, const char *dest, struct ep_err *err)
{
	struct ep_backup_sum sum;
	EP_TRY(ep_backup_make(o->data, dest, &sum, err));
	printf("%llu files, %.1f MB, %llu of them linked, are in %s\n",
	       (unsigned long long)sum.files, (double)sum.bytes / 1e6,
	       (unsigned long long)sum.linked, dest);
	note_work(o, "backup", dest);
	return 0;
}

static int on_restore(const struct options *o, const char *backup, struct ep_err *err)
{
	struct ep_backup_sum sum;
	EP_TRY(ep_backup_restore(backup, o->data, &sum, err));
	printf("%llu files, %.1f MB, are in %s\n", (unsigned long long)sum.files,
	       (double)sum.bytes / 1e6, o->data);
	note_work(o, "restore", backup);
	return 0;
}

static int on_verify(const char *dir, struct ep_err *err)
{
	struct ep_backup_sum sum;
	EP_TRY(ep_backup_verify(dir, say_bad, &sum, err));
	printf("%llu files, %.1f MB, are whole in %s\n", (unsigned long long)sum.files,
	       (double)sum.bytes / 1e6, dir);
	return 0;
}

/* Two at once would each drop the other's change. */
static int lock(const struct options *o, struct ep_err *err)
{
	int fd = open(o->data, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || flock(fd, LOCK_EX) < 0)
		return ep_fail(err, -EIO, 0, "%s can't be locked: %s", o->data, strerror(errno));
	return fd; /* held to the end of the program */
}

static int on_tokens(const struct options *o, int n, char **words, struct ep_err *err)
{
	if (n < 1)
		return ep_fail(err, -EINVAL, 0, "token wants new, list or revoke ID");
	bool is_new = !strcmp(words[0], "new");
	if (is_new)
		EP_TRY(ep_datadir_make(o->data, err));
	EP_TRY(lock(o, err));
	if (is_new && n == 1)
		return token_new(o, err);
	if (!strcmp(words[0], "list") && n == 1)
		return token_list(o, err);
	if (!strcmp(words[0], "revoke") && n == 2)
		return token_revoke(o, words[1], err);
	return ep_fail(err, -EINVAL, 0, "token wants new, list or revoke ID");
}

/* Flags may stand behind the words, too: everprof admin token new --role read. */
static int sort_words(int argc, char **argv, char *words[4], int *ret_n)
{
	int n = 0, at = 1;
	while (at < argc && argv[at][0] != '-' && n < 4)
		words[n++] = argv[at++];
	*ret_n = n;
	return at;
}

int ep_cmd_admin(int argc, char **argv)
{
	struct options o = {.role = "admin"};
	struct ep_err err = {0};
	char *words[4];
	int n, rest, skip = sort_words(argc, argv, words, &n);
	ep_datadir_default(o.default_data, sizeof(o.default_data));
	o.data = o.default_data;
	const struct ep_flag table[] = {
		{"data", 0, "DIR", EP_FLAG_STRING, &o.data,
		 "of the server (/var/lib/everprof as root, else $XDG_DATA_HOME/everprof)"},
		{"tenant", 0, "NAME", EP_FLAG_STRING, &o.tenant,
		 "new: whose token it is (any tenant: X-Scope-OrgID says which)"},
		{"role", 0, "ROLE", EP_FLAG_STRING, &o.role,
		 "new: read (queries), write (pushes), or admin (everything, the default)"},
		{"label", 0, "TEXT", EP_FLAG_STRING, &o.label, "new: for people, as who has it"},
		{0},
	};
	const struct ep_flags flags = {"admin", "token|backup|verify|restore ... [FLAGS]", about,
				       examples, table, NULL};
	argv[skip - 1] = argv[0];
	int rc = ep_flags_parse(&flags, argc - skip + 1, argv + skip - 1, &rest);
	if (rc >= 0)
		return rc;
	for (int i = skip - 1 + rest; i < argc && n < 4; i++)
		words[n++] = argv[i];
	(void)snprintf(o.list, sizeof(o.list), "%s/tokens", o.data);
	(void)snprintf(o.audit, sizeof(o.audit), "%s/audit.log", o.data);
	if (n >= 1 && !strcmp(words[0], "token"))
		rc = on_tokens(&o, n - 1, words + 1, &err);
	else if (n == 2 && !strcmp(words[0], "backup"))
		rc = on_backup(&o, words[1], &err);
	else if (n == 2 && !strcmp(words[0], "restore"))
		rc = on_restore(&o, words[1], &err);
	else if (n && n <= 2 && !strcmp(words[0], "verify"))
		rc = on_verify(n == 2 ? words[1] : o.data, &err);
	else
		rc = ep_fail(&err, -EINVAL, 0,
			     "it wants token new|list|revoke ID, backup DIR, verify [DIR], or restore "
			     "BACKUP");
	return rc < 0 ? say(&err) : 0;
}
