/* share.c - see share.h. */
#include "profile/share.h"

#include "base/hash.h"
#include "base/mem.h"

enum {
	TRIAL = 4096,	      /* after so many questions… */
	WORTH = 4,	      /* …one in so many must have met something */
	MOST_CANDIDATES = 16, /* so that crafted hashes cost nothing */
};

void ep_share_fini(struct ep_share *s)
{
	ep_index_fini(&s->index);
	ep_arena_free(s->bytes);
	ep_free(s->runs);
	*s = (struct ep_share){0};
}

const struct ep_share_run *ep_share_find(struct ep_share *s, struct ep_slice bytes,
					 uint64_t *ret_hash)
{
	if (s->given_up)
		return NULL;
	if (++s->asked % TRIAL == 0 && s->met < s->asked / WORTH) {
		s->given_up = true;
		return NULL;
	}
	*ret_hash = ep_hash64(bytes.p, bytes.n);
	struct ep_index_iter it;
	uint32_t i = ep_index_first(&s->index, *ret_hash, &it);
	for (int left = MOST_CANDIDATES; i != EP_INDEX_NONE && left; left--) {
		if (ep_slice_eq(s->runs[i].bytes, bytes)) {
			s->met++;
			return &s->runs[i];
		}
		i = ep_index_next(&s->index, &it);
	}
	return NULL;
}

static bool grow(struct ep_share *s)
{
	if (!s->bytes && !(s->bytes = ep_arena_new(0)))
		return false;
	if (s->n < s->cap)
		return true;
	uint32_t cap = s->cap ? s->cap * 2 : 64;
	struct ep_share_run *runs = ep_realloc(s->runs, (size_t)cap * sizeof(*runs));
	if (!runs)
		return false;
	s->runs = runs;
	s->cap = cap;
	return true;
}

void ep_share_add(struct ep_share *s, uint64_t hash, struct ep_share_run run)
{
	if (s->given_up)
		return;
	char *copy = grow(s) ? ep_arena_copy(s->bytes, run.bytes.p, run.bytes.n) : NULL;
	if (!copy || ep_index_add(&s->index, hash, s->n) < 0) {
		s->given_up = true;
		return;
	}
	run.bytes.p = copy;
	s->runs[s->n++] = run;
}
