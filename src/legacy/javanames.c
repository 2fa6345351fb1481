/* javanames.c - see javanames.h. */
#include "legacy/javanames.h"

#include "base/hash.h"
#include "base/index.h"
#include "base/mem.h"
#include "legacy/memorymap.h"

struct name {
	struct ep_slice function, file;
	int64_t line;
};

/* One a name, whatever its file: the first that was seen counts. */
struct known {
	ep_str name, file;
	uint32_t function; /* EP_NONE until a location needs it */
};

struct names {
	struct ep_build *b;
	struct ep_index by_address; /* locations */
	struct ep_index by_name;    /* known */
	struct known *known;
	uint32_t n_known, cap_known;
	struct ep_line
		*lines; /* of each location; function: of known, EP_NONE: not named */
	uint32_t n;
};

/* --- one line ----------------------------------------------------------------- */

/* "0xADDRESS REST"; the line is trimmed. */
static bool split(struct ep_slice line, struct ep_slice *ret_address,
		  struct ep_slice *ret_rest)
{
	const char *at = line.p, *end = at + line.n;
	if (!ep_plaintext_take(&at, end, "0x"))
		return false;
	ret_address->p = at;
	while (at < end && ep_plaintext_is_xdigit(*at))
		at++;
	ret_address->n = (size_t)(at - ret_address->p);
	const char *behind = at;
	while (at < end && ep_plaintext_is_space(*at))
		at++;
	*ret_rest = (struct ep_slice){at, (size_t)(end - at)};
	return ret_address->n && at > behind;
}

/* The last " (" at or before `to` with something of the name's before it; NULL: none.
 */
static const char *last_paren(struct ep_slice s, const char *to)
{
	for (const char *p = to; p > s.p; p--)
		if (*p == '(' && ep_plaintext_is_space(p[-1]))
			return p;
	return NULL;
}

/* "FUNCTION (FILE:LINE)". */
static bool parse_source(struct ep_slice s, struct name *ret)
{
	if (s.n < 2 || s.p[s.n - 1] != ')')
		return false;
	const char *close = s.p + s.n - 1, *digits = close;
	while (digits > s.p && ep_plaintext_is_digit(digits[-1]))
		digits--;
	const char *number = digits;
	if (number > s.p && number[-1] == '-')
		number--;
	if (digits == close || number == s.p || number[-1] != ':')
		return false;
	const char *colon = number - 1;
	if (colon - s.p < 3)
		return false;
	const char *paren = last_paren(s, colon - 2);
	if (!paren)
		return false;
	int64_t line;
	ret->function = (struct ep_slice){s.p, (size_t)(paren - 1 - s.p)};
	ret->file = (struct ep_slice){paren + 1, (size_t)(colon - paren - 1)};
	if (ep_plaintext_int((struct ep_slice){number, (size_t)(close - number)}, 10,
			     &line) &&
	    line > 0)
		ret->line = line;
	return true;
}

static struct ep_slice last_element(struct ep_slice path)
{
	if (!path.n)
		return ep_slice_of(".");
	while (path.n > 1 && path.p[path.n - 1] == '/')
		path.n--;
	const char *slash = path.n > 1 ? memrchr(path.p, '/', path.n) : NULL;
	if (slash)
		path = (struct ep_slice){slash + 1,
					 (size_t)(path.p + path.n - slash - 1)};
	return path;
}

/* "FUNCTION (/path/of/library.so)", of which only the library's name is kept. */
static bool parse_library(struct ep_slice s, struct name *ret)
{
	if (s.n < 3 || s.p[s.n - 1] != ')')
		return false;
	const char *paren = last_paren(s, s.p + s.n - 2);
	if (!paren)
		return false;
	ret->function = (struct ep_slice){s.p, (size_t)(paren - 1 - s.p)};
	ret->file = last_element(
		(struct ep_slice){paren + 1, (size_t)(s.p + s.n - 1 - paren - 1)});
	return true;
}

static struct name parse_name(struct ep_slice s)
{
	struct name n = {0};
	if (parse_source(s, &n) || parse_library(s, &n))
		return n;
	/* A state of the machine, "GC", "VM", when it is not code made at run time. */
	n.function =
		ep_plaintext_has(s, "generated stub/JIT") ? ep_slice_of("STUB") : s;
	return n;
}

/* --- into the profile --------------------------------------------------------- */

static uint32_t find_location(const struct names *x, uint64_t address)
{
	const struct ep_location *l = ep_build_profile(x->b)->locations;
	struct ep_index_iter it;
	uint32_t id = ep_index_first(&x->by_address, ep_hash_mix(0, address), &it);
	while (id != EP_INDEX_NONE && l[id].address != address)
		id = ep_index_next(&x->by_address, &it);
	return id;
}

static int add_known(struct names *x, struct known k, uint64_t hash)
{
	if (x->n_known == x->cap_known) {
		uint32_t cap = x->cap_known ? x->cap_known * 2 : 64;
		struct known *now = ep_realloc(x->known, cap * sizeof(*now));
		if (!now)
			return -ENOMEM;
		x->known = now;
		x->cap_known = cap;
	}
	EP_TRY(ep_index_add(&x->by_name, hash, x->n_known));
	x->known[x->n_known++] = k;
	return 0;
}

static int know(struct names *x, const struct name *n, uint32_t *ret)
{
	ep_str name = ep_build_string(x->b, n->function);
	struct ep_index_iter it;
	uint64_t hash = ep_hash_mix(0, name);
	for (uint32_t id = ep_index_first(&x->by_name, hash, &it); id != EP_INDEX_NONE;
	     id = ep_index_next(&x->by_name, &it)) {
		if (x->known[id].name == name) {
			*ret = id;
			return 0;
		}
	}
	struct known k = {name, ep_build_string(x->b, n->file), EP_NONE};
	*ret = x->n_known;
	return add_known(x, k, hash);
}

static int read_line(struct names *x, const struct ep_plaintext *t, struct ep_err *err)
{
	struct ep_slice digits, rest;
	uint64_t address;
	if (!split(ep_plaintext_trim(t->line), &digits, &rest))
		return 0;
	if (!ep_plaintext_hex(digits, &address))
		return ep_plaintext_fail(
			t, err, "parsing sample %.*s: address of more than 64 bits",
			t->line.n < 80 ? (int)t->line.n : 80, t->line.p);
	uint32_t l = find_location(x, address);
	if (l == EP_INDEX_NONE)
		return 0;
	struct name n = parse_name(rest);
	uint32_t k;
	if (know(x, &n, &k) < 0)
		return ep_fail(err, -ENOMEM, 0, "no memory for the names");
	x->lines[l] = (struct ep_line){.function = k, .line = n.line};
	return 0;
}

static int init(struct names *x, struct ep_build *b, struct ep_err *err)
{
	const struct ep_profile *p = ep_build_profile(b);
	*x = (struct names){.b = b, .n = p->n_locations};
	x->lines = ep_alloc((x->n + 1) * sizeof(*x->lines));
	bool ok = x->lines && ep_index_reserve(&x->by_address, x->n) == 0;
	for (uint32_t i = 0; ok && i < x->n; i++) {
		x->lines[i] = (struct ep_line){.function = EP_NONE};
		ok = ep_index_add(&x->by_address,
				  ep_hash_mix(0, p->locations[i].address), i) == 0;
	}
	return ok ? 0 : ep_fail(err, -ENOMEM, 0, "no memory for the names");
}

static void name_location(struct names *x, uint32_t location)
{
	struct ep_line line = x->lines[location];
	struct known *k = &x->known[line.function];
	struct ep_function f = {
		.name = k->name, .system_name = k->name, .filename = k->file};
	if (k->function == EP_NONE)
		k->function = ep_build_function(x->b, &f);
	line.function = k->function;
	struct ep_location l = {.mapping = EP_NONE, .n_lines = 1};
	ep_build_change_location(x->b, location, &l, &line);
}

/* The named lose their address at once, the others after their mapping was found. */
static int apply(struct names *x, struct ep_err *err)
{
	struct ep_plaintext none;
	ep_plaintext_open(&none, (struct ep_slice){"", 0});
	for (uint32_t i = 0; i < x->n; i++)
		if (x->lines[i].function != EP_NONE)
			name_location(x, i);
	EP_TRY(ep_memorymap_place(&none, x->b, err));
	for (uint32_t i = 0; i < x->n; i++) {
		struct ep_location l = ep_build_profile(x->b)->locations[i];
		l.address = 0;
		if (!l.n_lines)
			ep_build_change_location(x->b, i, &l, NULL);
	}
	return 0;
}

static int read_all(struct names *x, struct ep_plaintext *t, struct ep_err *err)
{
	while (ep_plaintext_next(t))
		EP_TRY(read_line(x, t, err));
	return apply(x, err);
}

int ep_javanames_read(struct ep_plaintext *t, struct ep_build *b, struct ep_err *err)
{
	struct names x;
	int rc = init(&x, b, err);
	if (rc == 0)
		rc = read_all(&x, t, err);
	ep_free(x.lines);
	ep_free(x.known);
	ep_index_fini(&x.by_address);
	ep_index_fini(&x.by_name);
	return rc;
}
