/*
 * tenant.h - who is asking, and may they.
 *
 * Tokens come from a file, a line each: TOKEN [TENANT [ROLE]].  ROLE is admin
 * (everything; the default), read (queries) or write (pushes).  A token is taken
 * as Bearer, as Basic with any user name, or as the cookie of the sign-in form.
 * Only SHA-256 hashes are kept and compared, in constant time.
 *
 * One tenant per server for now: the name of the only tenant is "anonymous", a
 * TENANT in the file and X-Scope-OrgID are read and must not contradict each
 * other, and everything is stored together.  Separate storage comes with the
 * store's tenants; the callers already get the name from here.
 */
#ifndef EP_TENANT_TENANT_H
#define EP_TENANT_TENANT_H

#include "base/err.h"
#include "base/mem.h"
#include "base/slice.h"

#include <stdbool.h>

struct ep_tenants;

enum ep_role { EP_ROLE_READ = 1, EP_ROLE_WRITE = 2, EP_ROLE_ADMIN = 7 };

/*
 * ep_tenants_load - read a token file.
 *
 * in       path    NULL: no tokens, everybody is let in
 * errors   -ENOENT, -EACCES, -EIO; -EINVAL with the line: a token under 16
 *          characters, an unknown role, no token at all
 * owns     the caller frees with ep_tenants_free()
 * threads  start-up; all else: any thread
 */
int ep_tenants_load(const char *path, struct ep_tenants **ret_t, struct ep_err *err);
void ep_tenants_free(struct ep_tenants *t);
EP_DEFINE_AUTO(ep_tenants);

/* Is a token asked for at all? */
bool ep_tenants_ask(const struct ep_tenants *t);

struct ep_credentials {
	struct ep_slice authorization; /* the header */
	struct ep_slice cookie;        /* the header */
	struct ep_slice org_id;        /* X-Scope-OrgID */
};

/*
 * ep_tenants_check - let in or not.
 *
 * in       need        EP_ROLE_READ, EP_ROLE_WRITE or EP_ROLE_ADMIN
 * out      ret_tenant  lives as long as t, or "anonymous"
 * errors   -EACCES     no token, or not one of ours: status 401
 *          -EINVAL     the token's role or tenant does not allow it: 403
 */
int ep_tenants_check(const struct ep_tenants *t, const struct ep_credentials *c,
		     enum ep_role need, struct ep_slice *ret_tenant, struct ep_err *err);

/* Is this text a token of ours?  For the sign-in form. */
bool ep_tenants_knows(const struct ep_tenants *t, struct ep_slice token);

#define EP_TENANT_COOKIE "everprof_token"

#endif
