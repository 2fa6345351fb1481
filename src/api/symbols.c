/* symbols.c - names for build IDs: what is missing, and taking tables in. */
#include "api/room.h"

#include "net/connect.h"
#include "symbol/symbol.h"

#include <string.h>

enum { MAX_IDS = 20000 };

static struct ep_symcache *symbols_of(struct ep_api *a, struct ep_http *x)
{
	struct ep_symcache *symbols = ep_api_env(a, x).symbols;
	if (!symbols)
		ep_http_fail(x, 501, "unimplemented", "this server keeps no symbols");
	return symbols;
}

void ep_symbols_missing(void *room, struct ep_http *x)
{
	struct ep_symcache *symbols = symbols_of(room, x);
	ep_auto(ep_json) root = NULL;
	struct ep_err err = {0};
	if (!symbols)
		return;
	int rc = ep_json_parse(x->body, &root, &err);
	const struct ep_json *ids = ep_json_get(root, "build_ids");
	if (rc == 0 && !ep_json_is_array(ids))
		rc = ep_fail(&err, -EINVAL, 0, "the body is {\"build_ids\":[\"HEX\",...]}");
	if (rc == 0 && ep_json_n(ids) > MAX_IDS)
		rc = ep_fail(&err, -EINVAL, 0, "over %d build_ids in one request", MAX_IDS);
	if (rc < 0) {
		ep_api_fail(x, rc, &err);
		return;
	}
	struct ep_jsonw w = ep_api_json(x);
	ep_jsonw_open(&w, NULL, '{');
	ep_jsonw_open(&w, "missing", '[');
	for (size_t i = 0; i < ep_json_n(ids); i++) {
		struct ep_slice id;
		if (ep_json_str(ep_json_at(ids, i), &id) && id.n &&
		    !ep_symcache_has(symbols, id))
			ep_jsonw_slice(&w, NULL, id);
	}
	ep_jsonw_close(&w, ']');
	ep_jsonw_close(&w, '}');
}

void ep_symbols_put(void *room, struct ep_http *x)
{
	static const char before[] = "/api/v1/symbols/";
	struct ep_symcache *symbols = symbols_of(room, x);
	struct ep_err err = {0};
	if (!symbols)
		return;
	struct ep_slice id = {x->path.p + sizeof(before) - 1, x->path.n - sizeof(before) + 1};
	int rc = ep_http_unpack(x, (size_t)256 << 20, &err);
	if (rc >= 0)
		rc = ep_symcache_put(symbols, id, x->body.p, x->body.n, &err);
	if (rc < 0) {
		ep_api_fail(x, rc, &err);
		return;
	}
	const struct ep_symtab *t = ep_symcache_get(symbols, id);
	struct ep_jsonw w = ep_api_json(x);
	ep_jsonw_open(&w, NULL, '{');
	ep_jsonw_uint(&w, "symbols", t ? ep_symtab_count(t) : 0);
	ep_jsonw_close(&w, '}');
}
