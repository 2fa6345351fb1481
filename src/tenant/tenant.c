/* tenant.c - see tenant.h. */
#include "tenant/tenant.h"

#include "base/buf.h"
#include "base/log.h"
#include "codec/base64.h"
#include "tenant/meter.h"
#include "tenant/tokenlist.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* A file, and how it looked when it was read. */
struct watched {
	char *path; /* NULL: none */
	bool is_there;
	struct stat st;
	struct ep_tokenlist tokens;
};

struct ep_tenants {
	pthread_mutex_t lock;
	struct ep_tenants_config cfg;
	struct watched file, list;
	struct ep_tokenlist own;
	struct ep_tenant *all[EP_TENANTS_MAX];
	size_t n;
};

/* --- files --------------------------------------------------------------------------------- */

static bool has_changed(const struct watched *w, const struct stat *st, bool is_there)
{
	if (is_there != w->is_there || !is_there)
		return is_there != w->is_there;
	return st->st_ino != w->st.st_ino || st->st_dev != w->st.st_dev ||
	       st->st_size != w->st.st_size || st->st_mtim.tv_sec != w->st.st_mtim.tv_sec ||
	       st->st_mtim.tv_nsec != w->st.st_mtim.tv_nsec ||
	       st->st_ctim.tv_sec != w->st.st_ctim.tv_sec ||
	       st->st_ctim.tv_nsec != w->st.st_ctim.tv_nsec;
}

typedef int read_fn(const char *path, struct ep_tokenlist *ret_t, struct ep_err *err);

/* What can't be read leaves what was there in force; it is told once a change. */
static int look(struct watched *w, read_fn *read, struct ep_err *err)
{
	struct stat st = {0};
	if (!w->path)
		return 0;
	bool is_there = stat(w->path, &st) == 0;
	if (!has_changed(w, &st, is_there))
		return 0;
	struct ep_tokenlist fresh = {0};
	w->st = st;
	w->is_there = is_there;
	EP_TRY(read(w->path, &fresh, err));
	ep_tokenlist_fini(&w->tokens);
	w->tokens = fresh;
	return 1;
}

static void look_again(struct ep_tenants *t)
{
	struct ep_err err = {0};
	int file = look(&t->file, ep_tokenlist_read_plain, &err);
	int list = look(&t->list, ep_tokenlist_read, &err);
	if (file < 0 || list < 0)
		ep_log_error("tokens: %s; those from before stay in force", err.text);
	else if (file || list)
		ep_log_info("tokens: read again");
}

static bool asks(const struct ep_tenants *t)
{
	return t->file.path || t->list.is_there;
}

int ep_tenants_new(const struct ep_tenants_config *config, struct ep_tenants **ret_t,
		   struct ep_err *err)
{
	ep_auto(ep_tenants) t = ep_zalloc(sizeof(*t));
	if (!t)
		return ep_fail(err, -ENOMEM, 0, "no memory for the tokens");
	pthread_mutex_init(&t->lock, NULL);
	t->cfg = *config;
	t->file.path = config->token_file ? ep_strdup(config->token_file) : NULL;
	t->list.path = config->token_list ? ep_strdup(config->token_list) : NULL;
	if ((config->token_file && !t->file.path) || (config->token_list && !t->list.path))
		return ep_fail(err, -ENOMEM, 0, "no memory for the tokens");
	const struct ep_token may_push = {.role = EP_ROLE_WRITE};
	if (config->own_token)
		EP_TRY(ep_tokenlist_add(&t->own, ep_slice_of(config->own_token), &may_push, err));
	t->cfg.token_file = t->cfg.token_list = t->cfg.own_token = NULL; /* copied */
	t->file.is_there = true; /* a lack of it is a change, and told */
	int rc = look(&t->file, ep_tokenlist_read_plain, err);
	if (rc < 0) {
		ep_err_context(err, "token file %s", config->token_file);
		return rc;
	}
	EP_TRY(look(&t->list, ep_tokenlist_read, err));
	struct ep_tenant *first;
	EP_TRY(ep_tenants_get(t, ep_slice_of(EP_TENANT_ANONYMOUS), &first, err));
	for (size_t i = 0; i < config->n_own; i++)
		EP_TRY(ep_tenants_get(t, ep_slice_of(config->own[i].name), &first, err));
	t->cfg.own = NULL; /* all of them are made */
	t->cfg.n_own = 0;
	*ret_t = ep_take(&t);
	return 0;
}

void ep_tenants_free(struct ep_tenants *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->n; i++) {
		ep_meter_free(t->all[i]->meter);
		ep_free(t->all[i]);
	}
	ep_tokenlist_fini(&t->file.tokens);
	ep_tokenlist_fini(&t->list.tokens);
	ep_tokenlist_fini(&t->own);
	ep_free(t->file.path);
	ep_free(t->list.path);
	pthread_mutex_destroy(&t->lock);
	ep_free(t);
}

bool ep_tenants_ask(struct ep_tenants *t)
{
	pthread_mutex_lock(&t->lock);
	bool ask = asks(t);
	pthread_mutex_unlock(&t->lock);
	return ask;
}

/* --- tenants -------------------------------------------------------------------------------- */

int ep_tenant_check_name(struct ep_slice name, struct ep_err *err)
{
	bool good = name.n && name.n <= EP_TENANT_NAME && name.p[0] != '.';
	for (size_t i = 0; good && i < name.n; i++) {
		char c = name.p[i];
		good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		       c == '_' || c == '-' || c == '.';
	}
	if (good)
		return 0;
	return ep_fail(err, -EBADMSG, 0,
		       "a tenant's name is 1 to %d letters, digits, '_', '-' and '.', with no dot "
		       "first; one at a time",
		       EP_TENANT_NAME);
}

static struct ep_tenant *make(struct ep_tenants *t, struct ep_slice name)
{
	struct ep_tenant *one = ep_zalloc(sizeof(*one));
	if (!one || !(one->meter = ep_meter_new())) {
		ep_free(one);
		return NULL;
	}
	memcpy(one->name, name.p, name.n);
	one->limits = t->cfg.limits;
	for (size_t i = 0; i < t->cfg.n_own; i++)
		if (ep_slice_is(name, t->cfg.own[i].name))
			one->limits = t->cfg.own[i].limits;
	t->all[t->n++] = one;
	return one;
}

/* Under the lock. */
static int get(struct ep_tenants *t, struct ep_slice name, struct ep_tenant **ret,
	       struct ep_err *err)
{
	EP_TRY(ep_tenant_check_name(name, err));
	for (size_t i = 0; i < t->n; i++)
		if (ep_slice_is(name, t->all[i]->name)) {
			*ret = t->all[i];
			return 0;
		}
	if (t->n == EP_TENANTS_MAX)
		return ep_fail(err, -E2BIG, 0, "tenants: this server knows %d, which is its limit",
			       EP_TENANTS_MAX);
	*ret = make(t, name);
	return *ret ? 0 : ep_fail(err, -ENOMEM, 0, "no memory for a tenant");
}

int ep_tenants_get(struct ep_tenants *t, struct ep_slice name, struct ep_tenant **ret,
		   struct ep_err *err)
{
	pthread_mutex_lock(&t->lock);
	int rc = get(t, name, ret, err);
	pthread_mutex_unlock(&t->lock);
	return rc;
}

struct ep_tenant *ep_tenants_nth(struct ep_tenants *t, size_t i)
{
	pthread_mutex_lock(&t->lock);
	struct ep_tenant *one = i < t->n ? t->all[i] : NULL;
	pthread_mutex_unlock(&t->lock);
	return one;
}

/* --- who asks --------------------------------------------------------------------------------- */

static const struct ep_token *find(const struct ep_tenants *t, struct ep_slice token)
{
	const struct ep_token *k = ep_tokenlist_find(&t->file.tokens, token);
	const struct ep_token *l = ep_tokenlist_find(&t->list.tokens, token);
	const struct ep_token *m = ep_tokenlist_find(&t->own, token);
	return k ? k : l ? l : m;
}

static bool takes_prefix(struct ep_slice *s, const char *prefix)
{
	size_t n = strlen(prefix);
	if (s->n < n || strncasecmp(s->p, prefix, n) != 0)
		return false;
	*s = (struct ep_slice){s->p + n, s->n - n};
	return true;
}

static const struct ep_token *find_basic(const struct ep_tenants *t, struct ep_slice text)
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

static const struct ep_token *find_cookie(const struct ep_tenants *t, struct ep_slice cookies)
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

static const struct ep_token *find_any(const struct ep_tenants *t, const struct ep_credentials *c)
{
	struct ep_slice a = c->authorization;
	if (takes_prefix(&a, "bearer "))
		return find(t, a);
	if (takes_prefix(&a, "basic "))
		return find_basic(t, a);
	return find_cookie(t, c->cookie);
}

static int check_open(struct ep_tenants *t, const struct ep_credentials *c,
		      struct ep_asker *ret_who, struct ep_err *err)
{
	struct ep_slice name = ep_slice_of(EP_TENANT_ANONYMOUS);
	if (t->cfg.by_header && !c->org_id.n)
		return ep_fail(err, -EACCES, 0, "no tenant named: X-Scope-OrgID: NAME");
	if (t->cfg.by_header)
		name = c->org_id;
	return get(t, name, &ret_who->tenant, err);
}

static int check(struct ep_tenants *t, const struct ep_credentials *c, int need,
		 struct ep_asker *ret_who, struct ep_err *err)
{
	if (!asks(t))
		return check_open(t, c, ret_who, err);
	const struct ep_token *k = find_any(t, c);
	if (!k)
		return ep_fail(err, -EACCES, 0,
			       "a token is needed: Authorization: Bearer TOKEN, or Basic with "
			       "the token as password");
	memcpy(ret_who->token, k->id, sizeof(k->id));
	int role = need & EP_ROLE_ADMIN;
	if (((int)k->role & role) != role)
		return ep_fail(err, -EINVAL, 0, "this token's role is %s, which does not allow it",
			       ep_tokenlist_role_name(k->role));
	ret_who->is_bound = k->tenant[0] != '\0';
	if (ret_who->is_bound && (need & EP_ROLE_SERVER))
		return ep_fail(err, -EINVAL, 0,
			       "this is about the whole server, and this token is for one tenant");
	if (ret_who->is_bound && c->org_id.n && !ep_slice_is(c->org_id, k->tenant))
		return ep_fail(err, -EINVAL, 0,
			       "this token is for tenant %s, X-Scope-OrgID asks for another",
			       k->tenant);
	struct ep_slice name = ep_slice_of(EP_TENANT_ANONYMOUS);
	if (ret_who->is_bound)
		name = ep_slice_of(k->tenant);
	else if (c->org_id.n)
		name = c->org_id;
	return get(t, name, &ret_who->tenant, err);
}

int ep_tenants_check(struct ep_tenants *t, const struct ep_credentials *c, int need,
		     struct ep_asker *ret_who, struct ep_err *err)
{
	*ret_who = (struct ep_asker){0};
	pthread_mutex_lock(&t->lock);
	look_again(t);
	int rc = check(t, c, need, ret_who, err);
	pthread_mutex_unlock(&t->lock);
	return rc;
}

bool ep_tenants_knows(struct ep_tenants *t, struct ep_slice token, struct ep_asker *ret_who)
{
	*ret_who = (struct ep_asker){0};
	pthread_mutex_lock(&t->lock);
	look_again(t);
	const struct ep_token *k = find(t, token);
	bool is_open = !asks(t);
	if (k) {
		memcpy(ret_who->token, k->id, sizeof(k->id));
		ret_who->is_bound = k->tenant[0] != '\0';
		if (ret_who->is_bound &&
		    get(t, ep_slice_of(k->tenant), &ret_who->tenant, NULL) < 0)
			k = NULL;
	}
	pthread_mutex_unlock(&t->lock);
	return k || is_open;
}
