/* symbolz.c - see symbolz.h. */
#include "symbol/symbolz.h"

#include "base/hash.h"

#include <inttypes.h>
#include <string.h>

#define MAX_BODY ((size_t)256 << 20)
#define MAX_REPLY ((size_t)1 << 30)

/* ---- the URL ---- */

static bool ends_in(struct ep_slice s, const char *with)
{
	size_t n = strlen(with);
	return s.n >= n && memcmp(s.p + s.n - n, with, n) == 0;
}

static bool is_plain(struct ep_slice path)
{
	static const char *const gperftools[] = {"/pprof/heap", "/pprof/growth",
						 "/pprof/profile", "/pprof/pmuprofile",
						 "/pprof/contention"};
	if (memmem(path.p, path.n, "/debug/pprof/", 13))
		return true;
	for (size_t i = 0; i < sizeof(gperftools) / sizeof(*gperftools); i++)
		if (ends_in(path, gperftools[i]))
			return true;
	return false;
}

/* The folder of a path, without its last name: of "/a/b/" it is "/a", as the name is
 * taken for what stands before the last slash. */
static struct ep_slice parent(struct ep_slice path)
{
	while (path.n && path.p[path.n - 1] == '/')
		path.n--;
	while (path.n && path.p[path.n - 1] != '/')
		path.n--;
	while (path.n && path.p[path.n - 1] == '/')
		path.n--;
	return path;
}

bool ep_symbolz_url(const char *source, struct ep_buf *out)
{
	const char *host = strstr(source, "://");
	if (!host || host == source || !host[3] || host[3] == '/')
		return false;
	const char *path = host + 3 + strcspn(host + 3, "/?#");
	struct ep_slice p = {path, strcspn(path, "?#")};
	struct ep_slice dir = parent(p);
	ep_buf_clear(out);
	ep_buf_add(out, source, (size_t)(path - source));
	ep_buf_add(out, dir.p, dir.n);
	ep_buf_add_str(out, is_plain(p) ? "/symbol" : "/symbolz");
	return !ep_buf_failed(out);
}

/* ---- sources ---- */

static char *copy(struct ep_slice s)
{
	char *c = ep_alloc(s.n + 1);
	if (c) {
		memcpy(c, s.p, s.n);
		c[s.n] = '\0';
	}
	return c;
}

static int add(struct ep_symbolize_sources *all, struct ep_slice key, const char *url,
	       uint64_t start, struct ep_err *err)
{
	if (all->n == all->cap) {
		size_t cap = all->cap ? all->cap * 2 : 16;
		void *more = ep_realloc(all->s, cap * sizeof(*all->s));
		if (!more)
			return ep_fail(err, -ENOMEM, 0, "no memory for the sources");
		all->s = more;
		all->cap = cap;
	}
	struct ep_symbolize_source s = {copy(key), ep_strdup(url), start};
	if (!s.key || !s.url) {
		ep_free(s.key);
		ep_free(s.url);
		return ep_fail(err, -ENOMEM, 0, "no memory for the sources");
	}
	all->s[all->n++] = s;
	return 0;
}

int ep_symbolize_add_source(struct ep_symbolize_sources *all, struct ep_profile *p,
			    const char *url, struct ep_err *err)
{
	struct ep_relabel r;
	int rc = 0;
	ep_relabel_init(&r, p);
	for (uint32_t i = 0; i < p->n_mappings && rc == 0; i++) {
		struct ep_mapping *m = &p->mappings[i];
		bool has_id = ep_profile_str(p, m->build_id).n;
		ep_str key = has_id ? m->build_id : m->filename;
		if (!ep_profile_str(p, key).n)
			key = m->filename = ep_relabel_string(&r, ep_slice_of(url));
		rc = add(all, ep_relabel_text(&r, key), url, m->start, err);
	}
	if (rc == 0)
		rc = ep_relabel_finish(&r, err);
	ep_relabel_fini(&r);
	return rc;
}

void ep_symbolize_sources_fini(struct ep_symbolize_sources *all)
{
	for (size_t i = 0; i < all->n; i++) {
		ep_free(all->s[i].key);
		ep_free(all->s[i].url);
	}
	ep_free(all->s);
	*all = (struct ep_symbolize_sources){0};
}

/* scheme:… */
static bool is_absolute(struct ep_slice s)
{
	size_t i = 0;
	while (i < s.n && ((s.p[i] | 32) >= 'a' && (s.p[i] | 32) <= 'z'))
		i++;
	size_t letters = i;
	while (i < s.n && (((s.p[i] | 32) >= 'a' && (s.p[i] | 32) <= 'z') ||
			   (s.p[i] >= '0' && s.p[i] <= '9') || strchr("+-.", s.p[i])))
		i++;
	return letters && i < s.n && s.p[i] == ':';
}

void ep_symbolize_forget_source(struct ep_profile *p)
{
	for (uint32_t i = 0; i < p->n_mappings; i++) {
		struct ep_mapping *m = &p->mappings[i];
		if (!ep_profile_str(p, m->build_id).n && is_absolute(ep_profile_str(p, m->filename)))
			m->filename = 0;
	}
}

/* ---- the question ---- */

struct asked {
	struct ep_relabel *r;
	uint32_t mapping;
	int64_t offset; /* from the merged profile's addresses to the server's */
	struct ep_index by_address;
	uint32_t *locations; /* owned; of the mapping, all */
	size_t n_locations;
};

/* false when it would wrap. */
static bool adjust(uint64_t address, int64_t offset, uint64_t *ret)
{
	*ret = address + (uint64_t)offset;
	return offset < 0 ? *ret < address : *ret >= address;
}

static uint64_t key_of(uint64_t address)
{
	return ep_hash_mix(0, address);
}

static int make_body(struct asked *a, struct ep_buf *body, struct ep_err *err)
{
	const struct ep_profile *p = a->r->p;
	a->locations = ep_alloc((p->n_locations + 1) * sizeof(*a->locations));
	if (!a->locations)
		return ep_fail(err, -ENOMEM, 0, "no memory to ask for names");
	for (uint32_t i = 0; i < p->n_locations; i++) {
		const struct ep_location *l = &p->locations[i];
		uint64_t there;
		if (l->mapping != a->mapping)
			continue;
		if (ep_index_add(&a->by_address, key_of(l->address),
				 (uint32_t)a->n_locations) < 0)
			return ep_fail(err, -ENOMEM, 0, "no memory to ask for names");
		a->locations[a->n_locations++] = i;
		if (!l->address || ep_relabel_has_lines(a->r, i))
			continue;
		if (!adjust(l->address, a->offset, &there))
			return ep_fail(err, -EBADMSG, 0,
				       "cannot adjust address %" PRIu64 " by %" PRId64
				       ", it would overflow",
				       l->address, a->offset);
		ep_buf_printf(body, "%s0x%" PRIx64, body->len ? "+" : "", there);
	}
	return ep_buf_failed(body) ? ep_fail(err, body->failed, 0, "too much to ask for") : 0;
}

/* ---- the answer ---- */

static bool is_hex(char c)
{
	return (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'f');
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\f' || c == '\r';
}

struct answer {
	uint64_t address;
	struct ep_slice name;
};

/* "0x1234 name", anywhere in a line. */
static bool find_answer(struct ep_slice line, struct answer *ret)
{
	for (size_t i = 0; i + 3 < line.n; i++) {
		size_t k = i + 2;
		uint64_t v = 0;
		if (line.p[i] != '0' || line.p[i + 1] != 'x')
			continue;
		for (; k < line.n && is_hex(line.p[k]); k++)
			v = v << 4 | (uint64_t)((line.p[k] & 15) + (line.p[k] > '9' ? 9 : 0));
		size_t hex = k - i - 2;
		if (!hex || hex > 16 || k == line.n || !is_space(line.p[k]))
			continue;
		while (k < line.n && is_space(line.p[k]))
			k++;
		*ret = (struct answer){v, {line.p + k, line.n - k}};
		return true;
	}
	return false;
}

static int take_answer(struct asked *a, const struct answer *x, struct ep_err *err)
{
	struct ep_index_iter it;
	uint64_t here;
	if (!adjust(x->address, -a->offset, &here))
		return ep_fail(err, -EBADMSG, 0,
			       "cannot adjust symbolz address %" PRIu64 " by %" PRId64
			       ", it would overflow",
			       x->address, -a->offset);
	struct ep_function f = {.name = ep_relabel_string(a->r, x->name)};
	f.system_name = f.name;
	struct ep_line line = {.function = ep_relabel_function(a->r, &f)};
	for (uint32_t id = ep_index_first(&a->by_address, key_of(here), &it);
	     id != EP_INDEX_NONE; id = ep_index_next(&a->by_address, &it))
		if (a->r->p->locations[a->locations[id]].address == here)
			ep_relabel_lines(a->r, a->locations[id], &line, 1);
	return 0;
}

/* Lines with their end; a last one without is not read. */
static int read_reply(struct asked *a, const struct ep_buf *reply, struct ep_err *err)
{
	const char *p = (const char *)reply->data, *end = p + reply->len, *nl;
	for (; p < end && (nl = memchr(p, '\n', (size_t)(end - p))); p = nl + 1) {
		struct answer x;
		if (find_answer((struct ep_slice){p, (size_t)(nl - p)}, &x))
			EP_TRY(take_answer(a, &x, err));
	}
	return 0;
}

static int ask(struct asked *a, const char *url, const struct ep_symbolize_remote *remote,
	       struct ep_err *err)
{
	ep_auto_buf body;
	ep_auto_buf reply;
	ep_buf_init(&body, MAX_BODY);
	ep_buf_init(&reply, MAX_REPLY);
	EP_TRY(make_body(a, &body, err));
	if (!body.len)
		return 0;
	struct ep_slice b = {(const char *)body.data, body.len};
	EP_TRY(remote->post(remote->ctx, url, b, &reply, err));
	return read_reply(a, &reply, err);
}

static int ask_source(struct ep_relabel *r, uint32_t mapping,
		      const struct ep_symbolize_source *s, const char *url,
		      const struct ep_symbolize_remote *remote, struct ep_err *err)
{
	struct ep_mapping *m = &r->p->mappings[mapping];
	struct asked a = {.r = r,
			  .mapping = mapping,
			  .offset = (int64_t)(s->start - m->start)};
	int rc = ask(&a, url, remote, err);
	ep_index_fini(&a.by_address);
	ep_free(a.locations);
	if (rc == 0)
		m->has_functions = true;
	return rc;
}

static int ask_mapping(struct ep_relabel *r, uint32_t mapping,
		       const struct ep_symbolize_remote *remote, struct ep_err *err)
{
	const struct ep_mapping *m = &r->p->mappings[mapping];
	const ep_str keys[] = {m->filename, m->build_id};
	ep_auto_buf url;
	ep_buf_init(&url, 65536);
	for (unsigned k = 0; k < 2; k++) {
		struct ep_slice key = ep_profile_str(r->p, keys[k]);
		for (size_t i = 0; key.n && i < remote->sources->n; i++) {
			const struct ep_symbolize_source *s = &remote->sources->s[i];
			if (ep_slice_is(key, s->key) && ep_symbolz_url(s->url, &url))
				return ask_source(r, mapping, s, ep_buf_cstr(&url), remote, err);
		}
	}
	return 0;
}

int ep_symbolz_run(struct ep_relabel *r, bool force, const struct ep_symbolize_remote *remote,
		   struct ep_err *err)
{
	for (uint32_t i = 0; remote->sources && i < r->p->n_mappings; i++)
		if (force || !r->p->mappings[i].has_functions)
			EP_TRY(ask_mapping(r, i, remote, err));
	return 0;
}
