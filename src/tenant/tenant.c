/* tenant.c - see tenant.h. */
#include "tenant/tenant.h"

#include "base/buf.h"
#include "codec/base64.h"
#include "codec/sha256.h"

#include <stdio.h>
#include <string.h>

enum { MAX_TOKENS = 10000, MIN_TOKEN = 16, MAX_TOKEN = 512 };

/* What Bearer takes (RFC 6750), and a cookie too. */
#define TOKEN_CHARS                                                            \
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/="

struct token {
	uint8_t hash[EP_SHA256_BYTES];
	enum ep_role role;
	char tenant[65];
};

struct ep_tenants {
	struct token *tokens;
	size_t n_tokens;
	bool ask;
};

static void hash_token(struct ep_slice token, uint8_t ret_hash[EP_SHA256_BYTES])
{
	ep_sha256(token.p, token.n, ret_hash);
}

/* In the same time wherever they differ. */
static bool is_same(const uint8_t *a, const uint8_t *b)
{
	unsigned differ = 0;
	for (unsigned i = 0; i < EP_SHA256_BYTES; i++)
		differ |= a[i] ^ b[i];
	return !differ;
}

static int parse_role(const char *word, enum ep_role *ret_role)
{
	if (!*word || !strcmp(word, "admin"))
		*ret_role = EP_ROLE_ADMIN;
	else if (!strcmp(word, "read"))
		*ret_role = EP_ROLE_READ;
	else if (!strcmp(word, "write"))
		*ret_role = EP_ROLE_WRITE;
	else
		return -EINVAL;
	return 0;
}

static int add_line(struct ep_tenants *t, char *line, unsigned n_line, struct ep_err *err)
{
	char token[MAX_TOKEN + 1] = "", tenant[65] = "", role[17] = "", more[2] = "";
	struct token *grown;
	line[strcspn(line, "\r\n")] = '\0';
	if (sscanf(line, "%512s %64s %16s %1s", token, tenant, role, more) < 1 || token[0] == '#')
		return 0;
	struct token it = {0};
	if (strlen(token) < MIN_TOKEN)
		return ep_fail(err, -EINVAL, 0,
			       "line %u: a token of %zu characters; at least %d, as from "
			       "`openssl rand -hex 16`",
			       n_line, strlen(token), MIN_TOKEN);
	if (token[strspn(token, TOKEN_CHARS)])
		return ep_fail(err, -EINVAL, 0,
			       "line %u: a token is made of letters, digits and -._~+/=",
			       n_line);
	if (parse_role(role, &it.role) < 0 || more[0])
		return ep_fail(err, -EINVAL, 0,
			       "line %u: after TOKEN and TENANT a role is admin, read or write",
			       n_line);
	if (t->n_tokens == MAX_TOKENS)
		return ep_fail(err, -EINVAL, 0, "over %d tokens", MAX_TOKENS);
	grown = ep_realloc(t->tokens, (t->n_tokens + 1) * sizeof(*grown));
	if (!grown)
		return ep_fail(err, -ENOMEM, 0, "no memory for the tokens");
	t->tokens = grown;
	hash_token(ep_slice_of(token), it.hash);
	memcpy(it.tenant, tenant, sizeof(tenant));
	t->tokens[t->n_tokens++] = it;
	explicit_bzero(token, sizeof(token));
	return 0;
}

static int read_tokens(struct ep_tenants *t, const char *path, struct ep_err *err)
{
	FILE *f = fopen(path, "re");
	if (!f)
		return ep_fail(err, errno == ENOENT || errno == EACCES ? -errno : -EIO, 0,
			       "%s", strerror(errno));
	char line[1024];
	int rc = 0;
	for (unsigned n = 1; rc == 0 && fgets(line, sizeof(line), f); n++)
		rc = add_line(t, line, n, err);
	if (rc == 0 && ferror(f))
		rc = ep_fail(err, -EIO, 0, "%s", strerror(errno));
	fclose(f);
	explicit_bzero(line, sizeof(line));
	if (rc == 0 && !t->n_tokens)
		rc = ep_fail(err, -EINVAL, 0, "no token in it; a line is TOKEN [TENANT [ROLE]]");
	return rc;
}

int ep_tenants_load(const char *path, struct ep_tenants **ret_t, struct ep_err *err)
{
	ep_auto(ep_tenants) t = ep_zalloc(sizeof(*t));
	if (!t)
		return ep_fail(err, -ENOMEM, 0, "no memory for the tokens");
	t->ask = path != NULL;
	if (path) {
		int rc = read_tokens(t, path, err);
		if (rc < 0) {
			ep_err_context(err, "token file %s", path);
			return rc;
		}
	}
	*ret_t = ep_take(&t);
	return 0;
}

void ep_tenants_free(struct ep_tenants *t)
{
	if (!t)
		return;
	ep_free(t->tokens);
	ep_free(t);
}

bool ep_tenants_ask(const struct ep_tenants *t)
{
	return t->ask;
}

/* Every hash is compared, whole, so that time tells nothing of which one is near. */
static const struct token *find(const struct ep_tenants *t, struct ep_slice token)
{
	uint8_t hash[EP_SHA256_BYTES];
	const struct token *found = NULL;
	if (!token.n || token.n > MAX_TOKEN || !t->n_tokens)
		return NULL;
	hash_token(token, hash);
	for (size_t i = 0; i < t->n_tokens; i++)
		if (is_same(hash, t->tokens[i].hash))
			found = &t->tokens[i];
	return found;
}

bool ep_tenants_knows(const struct ep_tenants *t, struct ep_slice token)
{
	return find(t, token) != NULL;
}

static bool takes_prefix(struct ep_slice *s, const char *prefix)
{
	size_t n = strlen(prefix);
	if (s->n < n || strncasecmp(s->p, prefix, n) != 0)
		return false;
	*s = (struct ep_slice){s->p + n, s->n - n};
	return true;
}

static const struct token *find_basic(const struct ep_tenants *t, struct ep_slice text)
{
	ep_auto_buf plain;
	ep_buf_init(&plain, 2048);
	if (ep_base64_decode(text, &plain, NULL) < 0)
		return NULL;
	const char *colon = plain.len ? memchr(plain.data, ':', plain.len) : NULL;
	if (!colon)
		return NULL;
	size_t skip = (size_t)(colon - (const char *)plain.data) + 1;
	return find(t, (struct ep_slice){colon + 1, plain.len - skip});
}

static const struct token *find_cookie(const struct ep_tenants *t, struct ep_slice cookies)
{
	while (cookies.n) {
		const char *semi = memchr(cookies.p, ';', cookies.n);
		struct ep_slice one = {cookies.p, semi ? (size_t)(semi - cookies.p) : cookies.n};
		size_t used = one.n + (semi ? 1 : 0);
		cookies = (struct ep_slice){cookies.p + used, cookies.n - used};
		while (one.n && one.p[0] == ' ')
			one.p++, one.n--;
		if (takes_prefix(&one, EP_TENANT_COOKIE "="))
			return find(t, one);
	}
	return NULL;
}

static const struct token *find_any(const struct ep_tenants *t, const struct ep_credentials *c)
{
	struct ep_slice a = c->authorization;
	if (takes_prefix(&a, "bearer "))
		return find(t, a);
	if (takes_prefix(&a, "basic "))
		return find_basic(t, a);
	return find_cookie(t, c->cookie);
}

int ep_tenants_check(const struct ep_tenants *t, const struct ep_credentials *c,
		     enum ep_role need, struct ep_slice *ret_tenant, struct ep_err *err)
{
	if (!t->ask) {
		*ret_tenant = ep_slice_of("anonymous");
		return 0;
	}
	const struct token *k = find_any(t, c);
	if (!k)
		return ep_fail(err, -EACCES, 0,
			       "a token is needed: Authorization: Bearer TOKEN, or Basic with "
			       "the token as password");
	if ((k->role & need) != need)
		return ep_fail(err, -EINVAL, 0, "this token's role does not allow it");
	if (k->tenant[0] && c->org_id.n && !ep_slice_is(c->org_id, k->tenant))
		return ep_fail(err, -EINVAL, 0,
			       "this token is for tenant %s, X-Scope-OrgID asks for another",
			       k->tenant);
	*ret_tenant = ep_slice_of(k->tenant[0] ? k->tenant : "anonymous");
	return 0;
}
