/* mapvars.c - see mapvars.h. */
#include "legacy/mapvars.h"

#include "base/arena.h"
#include "base/buf.h"
#include "legacy/plaintext.h"

/* Values may hold older variables, and so double with every line. */
enum { MOST_VARS = 256, LONGEST_LINE = 1 << 16, MOST_BYTES = 4 << 20 };

struct ep_mapvars {
	struct ep_arena *arena; /* names and values */
	struct ep_slice name[MOST_VARS], value[MOST_VARS];
	unsigned n;
	struct ep_buf line;
};

int ep_mapvars_new(struct ep_mapvars **ret_v, struct ep_err *err)
{
	ep_auto(ep_mapvars) v = ep_zalloc(sizeof(*v));
	if (v) {
		ep_buf_init(&v->line, LONGEST_LINE);
		v->arena = ep_arena_new(MOST_BYTES);
	}
	if (!v || !v->arena)
		return ep_fail(err, -ENOMEM, 0, "no memory for the memory map");
	*ret_v = ep_take(&v);
	return 0;
}

void ep_mapvars_free(struct ep_mapvars *v)
{
	if (!v)
		return;
	ep_arena_free(v->arena);
	ep_buf_fini(&v->line);
	ep_free(v);
}

static bool is_known(const struct ep_mapvars *v, struct ep_slice name)
{
	for (unsigned i = 0; i < v->n; i++)
		if (ep_slice_eq(v->name[i], name))
			return true;
	return false;
}

int ep_mapvars_set(struct ep_mapvars *v, struct ep_slice line, struct ep_err *err)
{
	const char *eq = line.n ? memchr(line.p, '=', line.n) : NULL;
	if (!eq)
		return 0;
	struct ep_slice name = {line.p, (size_t)(eq - line.p)};
	struct ep_slice value = {eq + 1, line.n - name.n - 1};
	name = ep_plaintext_trim(name);
	value = ep_plaintext_trim(value);
	if (is_known(v, name))
		return 0;
	char *n = ep_arena_copy(v->arena, name.p, name.n);
	char *x = ep_arena_copy(v->arena, value.p, value.n);
	if (v->n == MOST_VARS || !n || !x)
		return ep_fail(err, -E2BIG, 0,
			       "memory map sets over %d variables, or %d bytes",
			       MOST_VARS, MOST_BYTES);
	v->name[v->n] = (struct ep_slice){n, name.n};
	v->value[v->n++] = (struct ep_slice){x, value.n};
	return 0;
}

/* The variable that is named at p; n when none is. */
static unsigned find(const struct ep_mapvars *v, const char *p, const char *end)
{
	unsigned i = 0;
	while (i < v->n &&
	       (v->name[i].n > (size_t)(end - p) ||
		(v->name[i].n && memcmp(p, v->name[i].p, v->name[i].n) != 0)))
		i++;
	return i;
}

int ep_mapvars_replace(struct ep_mapvars *v, struct ep_slice line,
		       struct ep_slice *ret_line, struct ep_err *err)
{
	*ret_line = line;
	if (!v->n || !line.n || !memchr(line.p, '$', line.n))
		return 0;
	ep_buf_clear(&v->line);
	for (const char *p = line.p, *end = p + line.n; p < end;) {
		unsigned i = *p == '$' ? find(v, p + 1, end) : v->n;
		if (i == v->n) {
			ep_buf_add_char(&v->line, *p++);
			continue;
		}
		ep_buf_add(&v->line, v->value[i].p, v->value[i].n);
		p += 1 + v->name[i].n;
	}
	if (ep_buf_failed(&v->line))
		return ep_fail(
			err, ep_buf_failed(&v->line), 0,
			"a line of the memory map is over %d bytes with its variables",
			LONGEST_LINE);
	*ret_line = (struct ep_slice){(char *)v->line.data, v->line.len};
	return 0;
}
