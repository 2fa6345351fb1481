/* gaps.c - see gaps.h. */
#include "symbol/gaps.h"

/* Symbols in rising order, and how far those that were passed reach. */
struct sweep {
	struct ep_collect *c;
	size_t n, at; /* s[0, at) are passed */
	uint64_t covered;
};

static void pass_until(struct sweep *w, uint64_t pos)
{
	for (; w->at < w->n && w->c->s[w->at].start <= pos; w->at++) {
		const struct ep_collect_symbol *s = &w->c->s[w->at];
		uint64_t end = s->start + s->size;
		w->covered = end > w->covered ? end : w->covered;
	}
}

static int fill(struct sweep *w, struct ep_frames_code f, struct ep_err *err)
{
	for (uint64_t pos = f.start, end; pos < f.limit; pos = end) {
		pass_until(w, pos);
		end = w->covered;
		if (end > pos)
			continue;
		end = w->at < w->n && w->c->s[w->at].start < f.limit
			      ? w->c->s[w->at].start
			      : f.limit;
		EP_TRY(ep_collect_add_symbol(
			w->c,
			(struct ep_collect_symbol){pos, end - pos, end, "", 0}, err));
	}
	return 0;
}

int ep_gaps_fill(struct ep_collect *c, const struct ep_frames_code *functions, size_t n,
		 struct ep_err *err)
{
	struct sweep w = {.c = c, .n = c->n};
	uint64_t done = 0;
	for (size_t i = 0; i < n; i++) {
		struct ep_frames_code f = functions[i];
		f.start = f.start > done ? f.start : done; /* they may overlap */
		done = f.limit > done ? f.limit : done;
		EP_TRY(fill(&w, f, err));
	}
	ep_collect_order(c);
	return 0;
}
