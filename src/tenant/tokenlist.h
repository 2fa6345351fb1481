/*
 * tokenlist.h - lists of tokens: the operator's file of texts, and ours of hashes.
 *
 * docs/formats/tokens.md has the form of ours.
 */
#ifndef EP_TENANT_TOKENLIST_H
#define EP_TENANT_TOKENLIST_H

#include "base/err.h"
#include "base/mem.h"
#include "base/slice.h"
#include "codec/sha256.h"
#include "tenant/tenant.h"

enum { EP_TOKEN_MIN = 16, EP_TOKEN_MAX = 512, EP_TOKENS_MAX = 10000, EP_TOKEN_LABEL = 64 };

struct ep_token {
	char id[9];                       /* the first bytes of the hash, as hex */
	uint8_t hash[EP_SHA256_BYTES];    /* SHA-256 of the text */
	enum ep_role role;
	char tenant[EP_TENANT_NAME + 1];  /* "": any, by X-Scope-OrgID */
	char label[EP_TOKEN_LABEL + 1];   /* for people: whose it is */
	uint64_t created_s;
};

struct ep_tokenlist {
	struct ep_token *v;
	size_t n;
};

void ep_tokenlist_fini(struct ep_tokenlist *t);

/*
 * ep_tokenlist_read_plain - the file of --token-file: lines TOKEN [TENANT [ROLE]]; a TENANT of
 * "*" is any.
 *
 * errors   -ENOENT, -EACCES, -EIO; -EINVAL with the line: a token under 16 characters, an
 *          unknown role, no token at all
 */
int ep_tokenlist_read_plain(const char *path, struct ep_tokenlist *ret_t, struct ep_err *err);

/* ep_tokenlist_read - our file.  -ENOENT: there is none; -EBADMSG: it is damaged or not one. */
int ep_tokenlist_read(const char *path, struct ep_tokenlist *ret_t, struct ep_err *err);
/* Replace it, whole or not at all; on disk when it returns; mode 0600, and the folder's
 * owner. */
int ep_tokenlist_write(const char *path, const struct ep_tokenlist *t, struct ep_err *err);

/* Append a row for this text.  -ENOMEM, -E2BIG. */
int ep_tokenlist_add(struct ep_tokenlist *t, struct ep_slice text, const struct ep_token *like,
		  struct ep_err *err);
/* The row of this text, or NULL; takes the same time wherever a hash differs. */
const struct ep_token *ep_tokenlist_find(const struct ep_tokenlist *t, struct ep_slice text);

/* "read", "write", "admin" */
const char *ep_tokenlist_role_name(enum ep_role role);
/* 0 or -EINVAL. */
int ep_tokenlist_parse_role(const char *word, enum ep_role *ret_role);

#endif
