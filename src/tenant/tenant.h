/*
 * tenant.h - who is asking, for whom, and may they.
 *
 * Tokens come from --token-file (lines TOKEN [TENANT [ROLE]]) and from the list that
 * `everprof admin token` keeps beside the data; both are read again when they change,
 * before the next request is judged.  A token is taken as Bearer, as Basic with any user
 * name, or as the cookie of the sign-in form.  Only SHA-256 hashes are kept and compared,
 * in constant time.
 *
 * A token is bound to a tenant, or is for any: then X-Scope-OrgID says which, and without
 * that header it is "anonymous".  Without tokens everybody is "anonymous", or, with
 * by_header, who X-Scope-OrgID says.  Each tenant's profiles and symbols are kept apart.
 */
#ifndef EP_TENANT_TENANT_H
#define EP_TENANT_TENANT_H

#include "base/err.h"
#include "base/mem.h"
#include "base/slice.h"
#include "tenant/limits.h"

#include <stdbool.h>

struct ep_tenants;
struct ep_meter;
struct ep_store;
struct ep_symcache;

enum { EP_TENANT_NAME = 64, EP_TENANTS_MAX = 1000 };

/* EP_ROLE_SERVER, asked for beside a role: not by a token that is bound to a tenant. */
enum ep_role { EP_ROLE_READ = 1, EP_ROLE_WRITE = 2, EP_ROLE_ADMIN = 7, EP_ROLE_SERVER = 8 };

/* Lives as long as its ep_tenants. */
struct ep_tenant {
	char name[EP_TENANT_NAME + 1];
	struct ep_limits limits; /* as configured; never changes */
	struct ep_meter *meter;
	/* Set once by the server, when the tenant's first request comes; borrowed. */
	struct ep_store *_Atomic store;
	struct ep_symcache *_Atomic symbols;
};

struct ep_tenant_limits {
	const char *name;
	struct ep_limits limits;
};

struct ep_tenants_config {
	const char *token_file; /* NULL: none */
	const char *token_list; /* of `everprof admin token`; need not be there; NULL: none */
	const char *own_token;  /* one more, for an agent of ours: it may push; NULL: none */
	bool by_header;         /* without tokens, too, X-Scope-OrgID names the tenant, and must */
	struct ep_limits limits;
	const struct ep_tenant_limits *own; /* instead of `limits` */
	size_t n_own;
};

/*
 * ep_tenants_new - read the tokens.
 *
 * errors   -ENOENT, -EACCES, -EIO, -EBADMSG, -EINVAL: a list that can't be used
 * owns     the caller frees with ep_tenants_free()
 * threads  start-up; all else: any thread
 */
int ep_tenants_new(const struct ep_tenants_config *config, struct ep_tenants **ret_t,
		   struct ep_err *err);
void ep_tenants_free(struct ep_tenants *t);
EP_DEFINE_AUTO(ep_tenants);

/* Is a token asked for at all?  From the first token on, and also when all are revoked. */
bool ep_tenants_ask(struct ep_tenants *t);

struct ep_credentials {
	struct ep_slice authorization; /* the header */
	struct ep_slice cookie;        /* the header */
	struct ep_slice org_id;        /* X-Scope-OrgID */
};

struct ep_asker {
	struct ep_tenant *tenant;
	char token[9];  /* its id; "" without one */
	bool is_bound;  /* by the token to the tenant */
};

/*
 * ep_tenants_check - let in or not.
 *
 * in       need      EP_ROLE_READ, EP_ROLE_WRITE, EP_ROLE_ADMIN, and EP_ROLE_SERVER
 * errors   -EACCES   no token, or not one of ours, or no tenant named: status 401
 *          -EINVAL   the token's role or tenant does not allow it: 403
 *          -EBADMSG  X-Scope-OrgID is no name: 400
 *          -E2BIG    over EP_TENANTS_MAX tenants: 429; -ENOMEM
 */
int ep_tenants_check(struct ep_tenants *t, const struct ep_credentials *c, int need,
		     struct ep_asker *ret_who, struct ep_err *err);

/* Is this text a token of ours?  For the sign-in form; its id and tenant into ret_who. */
bool ep_tenants_knows(struct ep_tenants *t, struct ep_slice token, struct ep_asker *ret_who);

/* The tenant of this name, made when it is new.  -EBADMSG, -E2BIG, -ENOMEM. */
int ep_tenants_get(struct ep_tenants *t, struct ep_slice name, struct ep_tenant **ret,
		   struct ep_err *err);
/* The i-th, NULL at the end.  They only become more. */
struct ep_tenant *ep_tenants_nth(struct ep_tenants *t, size_t i);

/* 1 to 64 of letters, digits, '_', '-', '.', and no dot first: it becomes a folder.  -EBADMSG. */
int ep_tenant_check_name(struct ep_slice name, struct ep_err *err);

#define EP_TENANT_COOKIE "everprof_token"
#define EP_TENANT_ANONYMOUS "anonymous"

#endif
