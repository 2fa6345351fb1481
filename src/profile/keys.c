/* keys.c - see keys.h.  Source: google/pprof profile.go (NumLabelUnits). */
#include "profile/keys.h"

#include "base/buf.h"
#include "base/hash.h"
#include "base/index.h"
#include "base/sort.h"

/* A key while they are collected. */
struct found {
	struct ep_key key;
	uint32_t was; /* its number before they are sorted */
	bool has_units_beside; /* some label has another unit */
};

struct collector {
	const struct ep_profile *p;
	struct ep_keys *out;
	struct found *found;
	uint32_t n, cap;
	struct ep_index index;
	bool failed;
};

static bool grow(struct collector *c)
{
	uint32_t cap = c->cap ? c->cap * 2 : 16;
	void *p = cap ? ep_realloc(c->found, cap * sizeof(*c->found)) : NULL;
	if (!p)
		return false;
	c->found = p;
	c->cap = cap;
	return true;
}

/* The number of a key whose string was not met yet. */
static uint32_t intern(struct collector *c, struct ep_slice name)
{
	uint64_t h = ep_hash64(name.p, name.n);
	struct ep_index_iter it;
	for (uint32_t i = ep_index_first(&c->index, h, &it); i != EP_INDEX_NONE;
	     i = ep_index_next(&c->index, &it))
		if (ep_slice_eq(c->found[i].key.name, name))
			return i;
	if ((c->n == c->cap && !grow(c)) || ep_index_add(&c->index, h, c->n) < 0) {
		c->failed = true;
		return EP_NONE;
	}
	c->found[c->n] = (struct found){.key.name = name, .was = c->n};
	return c->n++;
}

static void note_number(struct found *f, struct ep_slice unit)
{
	f->key.has_numbers = true;
	if (!unit.n)
		return;
	if (!f->key.unit.n)
		f->key.unit = unit;
	else if (!ep_slice_eq(f->key.unit, unit))
		f->has_units_beside = true;
}

static void collect_run(struct collector *c, const struct ep_sample *s)
{
	uint32_t *by_string = c->out->by_string;
	for (uint32_t i = 0; i < s->n_labels; i++) {
		const struct ep_label *l = &c->p->labels[s->first_label + i];
		if (by_string[l->key] == EP_NONE)
			by_string[l->key] = intern(c, c->p->strings[l->key]);
		uint32_t k = by_string[l->key];
		if (!l->str && k != EP_NONE)
			note_number(&c->found[k], c->p->strings[l->num_unit]);
	}
}

static void collect(struct collector *c)
{
	const struct ep_sample *last = NULL;
	for (uint32_t i = 0; i < c->p->n_samples && !c->failed; i++) {
		const struct ep_sample *s = &c->p->samples[i];
		if (!last || last->first_label != s->first_label ||
		    last->n_labels != s->n_labels)
			collect_run(c, s);
		last = s;
	}
}

static bool name_before(const void *a, const void *b, void *arg)
{
	(void)arg;
	const struct found *x = a, *y = b;
	return ep_slice_cmp(x->key.name, y->key.name) < 0;
}

/* A number without any unit measures what its key says. */
static struct ep_slice implied_unit(struct ep_slice key)
{
	bool bytes = ep_slice_is(key, "alignment") || ep_slice_is(key, "request");
	return bytes ? ep_slice_of("bytes") : key;
}

static int publish(struct collector *c, struct ep_arena *arena)
{
	struct ep_keys *out = c->out;
	ep_sort(c->found, c->n, sizeof(*c->found), name_before, NULL);
	uint32_t *now ep_auto_mem = ep_alloc((c->n + 1) * sizeof(*now));
	out->keys = ep_arena_array(arena, struct ep_key, (size_t)c->n + 1);
	if (!now || !out->keys)
		return -ENOMEM;
	for (uint32_t i = 0; i < c->n; i++) {
		struct ep_key *k = &out->keys[i];
		*k = c->found[i].key;
		if (k->has_numbers && !k->unit.n)
			k->unit = implied_unit(k->name);
		now[c->found[i].was] = i;
	}
	out->n = c->n;
	for (uint32_t i = 0; i < out->n_strings; i++)
		if (out->by_string[i] != EP_NONE)
			out->by_string[i] = now[out->by_string[i]];
	return 0;
}

/* --- units that are not used ------------------------------------------------------ */

static bool slice_before(const void *a, const void *b, void *arg)
{
	(void)arg;
	return ep_slice_cmp(*(const struct ep_slice *)a, *(const struct ep_slice *)b) < 0;
}

/* The other units of a key, in rising order.  Rare, so it may look at all labels. */
static void note_units_beside(const struct ep_profile *p, const struct ep_keys *keys,
			      uint32_t number, const struct ep_notes *notes)
{
	const struct ep_key *key = &keys->keys[number];
	enum { MAX_UNITS = 64 };
	struct ep_slice units[MAX_UNITS];
	size_t n = 0;
	for (uint32_t i = 0; i < p->n_labels && n < MAX_UNITS; i++) {
		const struct ep_label *l = &p->labels[i];
		struct ep_slice u = p->strings[l->num_unit];
		if (l->str || keys->by_string[l->key] != number || !u.n ||
		    ep_slice_eq(u, key->unit))
			continue;
		size_t at = 0;
		while (at < n && !ep_slice_eq(units[at], u))
			at++;
		if (at == n)
			units[n++] = u;
	}
	ep_sort(units, n, sizeof(*units), slice_before, NULL);
	ep_auto_buf text;
	ep_buf_init(&text, 4096);
	for (size_t i = 0; i < n; i++)
		ep_buf_printf(&text, "%s%.*s", i ? ", " : "", EP_SLICE_ARG(units[i]));
	ep_note(notes, "For tag %.*s used unit %.*s, also encountered unit(s) %s",
		EP_SLICE_ARG(key->name), EP_SLICE_ARG(key->unit), ep_buf_cstr(&text));
}

int ep_keys_init(const struct ep_profile *p, struct ep_arena *arena,
		 const struct ep_notes *notes, struct ep_keys *ret, struct ep_err *err)
{
	size_t n_bytes = (size_t)p->n_strings * sizeof(uint32_t);
	struct ep_keys out = {.by_string = ep_arena_alloc(arena, n_bytes),
			      .n_strings = p->n_strings};
	if (!out.by_string)
		return ep_fail(err, -ENOMEM, 0, "no memory for label keys");
	memset(out.by_string, 0xff, n_bytes);
	struct collector c = {.p = p, .out = &out};
	collect(&c);
	int rc = c.failed ? -ENOMEM : publish(&c, arena);
	for (uint32_t i = 0; rc == 0 && i < c.n; i++)
		if (c.found[i].has_units_beside)
			note_units_beside(p, &out, i, notes);
	ep_free(c.found);
	ep_index_fini(&c.index);
	if (rc < 0)
		return ep_fail(err, rc, 0, "no memory for label keys");
	*ret = out;
	return 0;
}

uint32_t ep_keys_find(const struct ep_keys *k, struct ep_slice name)
{
	uint32_t low = 0, high = k->n;
	while (low < high) {
		uint32_t mid = low + (high - low) / 2;
		int c = ep_slice_cmp(k->keys[mid].name, name);
		if (!c)
			return mid;
		if (c < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return EP_NONE;
}
