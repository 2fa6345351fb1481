/*
 * framefilter.c - see framefilter.h.
 *
 * Samples may share runs of the table of stacks, so hidden frames are taken out of the
 * whole table at once, and a run's new place is the number of frames kept before it.
 * Source: google/pprof profile/filter.go.
 */
#include "profile/framefilter.h"

#include "profile/matches.h"
#include "profile/pack.h"
#include "profile/view.h"

/* What is known of a location. */
enum {
	FOCUSED = 1,
	IGNORED = 2,
	HIDDEN = 4,
};

struct filter {
	struct ep_profile *view;
	struct ep_arena *scratch;
	struct ep_matches focus, ignore, hide, show;
	struct ep_framefilter_found found;
	uint8_t *verdicts; /* by location */
	bool any_hidden;
	struct ep_location *locations; /* the view's, with the lines that stay */
	struct ep_line *lines;
	uint32_t n_lines;
	struct ep_err *err;
};

static int no_memory(struct ep_err *err)
{
	return ep_fail(err, -ENOMEM, 0, "no memory for filtering frames");
}

static int init(struct filter *f, const struct ep_framefilter *by)
{
	const struct ep_profile *p = f->view;
	EP_TRY(ep_matches_init(&f->focus, p, by->focus, f->scratch, f->err));
	EP_TRY(ep_matches_init(&f->ignore, p, by->ignore, f->scratch, f->err));
	EP_TRY(ep_matches_init(&f->hide, p, by->hide, f->scratch, f->err));
	EP_TRY(ep_matches_init(&f->show, p, by->show, f->scratch, f->err));
	f->verdicts = ep_arena_array(f->scratch, uint8_t, p->n_locations);
	f->locations = ep_view_copy(f->view, locations);
	/* Each line of a location is kept at most once, but locations may share lines. */
	size_t n_lines = 0;
	for (uint32_t i = 0; i < p->n_locations; i++)
		n_lines += p->locations[i].n_lines;
	f->lines = n_lines < UINT32_MAX
			   ? ep_arena_alloc(f->view->arena, n_lines * sizeof(*f->lines))
			   : NULL;
	return f->verdicts && f->locations && f->lines ? 0 : no_memory(f->err);
}

/* --- locations -------------------------------------------------------------------- */

/* Does a line survive, given what its location's mapping says? */
static bool line_stays(struct filter *f, const struct ep_line *l, bool mapping_shown)
{
	if (f->hide.regex && ep_matches_line(&f->hide, l))
		return false;
	return !f->show.regex || mapping_shown || ep_matches_line(&f->show, l);
}

/* The lines that stay, in place of all; the location is hidden if that is none. */
static void select_lines(struct filter *f, uint32_t i)
{
	struct ep_location *l = &f->locations[i];
	const struct ep_line *lines = f->view->lines + l->first_line;
	bool hidden = ep_matches_location(&f->hide, l);
	bool mapping_hidden = ep_matches_mapping(&f->hide, l);
	bool mapping_shown = ep_matches_mapping(&f->show, l);
	uint32_t n = l->n_lines;
	f->found.hide |= hidden;
	l->first_line = f->n_lines;
	l->n_lines = 0;
	for (uint32_t k = 0; k < n && !mapping_hidden; k++)
		if (line_stays(f, &lines[k], mapping_shown))
			f->lines[f->n_lines + l->n_lines++] = lines[k];
	f->n_lines += l->n_lines;
	f->found.show |= f->show.regex && l->n_lines;
	/* A location that never had lines has none to show. */
	if (!l->n_lines && (hidden || f->show.regex)) {
		f->verdicts[i] |= HIDDEN;
		f->any_hidden = true;
	}
}

static void judge_locations(struct filter *f)
{
	const struct ep_profile *p = f->view;
	for (uint32_t i = 0; i < p->n_locations; i++) {
		const struct ep_location *l = &p->locations[i];
		if (ep_matches_location(&f->ignore, l)) {
			f->found.ignore = true;
			f->verdicts[i] = IGNORED;
		} else if (!f->focus.regex || ep_matches_location(&f->focus, l)) {
			f->found.focus = true;
			f->verdicts[i] = FOCUSED;
		}
		if (f->hide.regex || f->show.regex)
			select_lines(f, i);
	}
}

static int failure(const struct filter *f)
{
	const struct ep_matches *all[] = {&f->focus, &f->ignore, &f->hide, &f->show};
	for (size_t i = 0; i < 4; i++)
		EP_TRY(all[i]->failed);
	return 0;
}

/* --- samples ---------------------------------------------------------------------- */

static bool sample_stays(const struct filter *f, const struct ep_sample *s)
{
	const uint32_t *stack = ep_profile_stack(f->view, s);
	uint8_t all = 0, shown = 0;
	for (uint32_t i = 0; i < s->n_locations; i++) {
		uint8_t v = f->verdicts[stack[i]];
		all |= v;
		shown |= !(v & HIDDEN);
	}
	return (all & FOCUSED) && !(all & IGNORED) && shown;
}

static int keep_samples(struct filter *f)
{
	uint8_t *keep = ep_arena_alloc(f->scratch, f->view->n_samples);
	if (!keep)
		return no_memory(f->err);
	for (uint32_t i = 0; i < f->view->n_samples; i++)
		keep[i] = sample_stays(f, &f->view->samples[i]);
	return ep_view_keep_samples(f->view, keep, f->err);
}

/* A new table without the hidden frames; `pack` says where they went. */
static uint32_t *pack_stacks(const struct filter *f, struct ep_pack *pack)
{
	const struct ep_profile *v = f->view;
	uint32_t *out = ep_arena_alloc(v->arena, v->n_sample_locations * sizeof(*out));
	if (!out || !ep_pack_init(pack, v->n_sample_locations, f->scratch))
		return NULL;
	uint32_t at = 0;
	for (uint32_t i = 0; i < v->n_sample_locations; i++) {
		uint32_t location = v->sample_locations[i];
		if (f->verdicts[location] & HIDDEN)
			continue;
		ep_pack_keep(pack, i);
		out[at++] = location;
	}
	ep_pack_count(pack);
	return out;
}

static int hide_frames(struct filter *f)
{
	struct ep_profile *v = f->view;
	struct ep_pack pack;
	struct ep_sample *samples = ep_view_copy(v, samples);
	uint32_t *stacks = samples ? pack_stacks(f, &pack) : NULL;
	if (!stacks)
		return no_memory(f->err);
	for (uint32_t i = 0; i < v->n_samples; i++)
		ep_pack_move(&pack, &samples[i].first_location, &samples[i].n_locations);
	v->n_sample_locations = ep_pack_before(&pack, v->n_sample_locations);
	v->sample_locations = stacks;
	v->samples = samples;
	return 0;
}

static int apply(struct filter *f)
{
	judge_locations(f);
	EP_TRY(failure(f));
	EP_TRY(keep_samples(f));
	if (f->any_hidden)
		EP_TRY(hide_frames(f));
	if (f->hide.regex || f->show.regex) {
		f->view->locations = f->locations;
		f->view->lines = f->lines;
		f->view->n_lines = f->n_lines;
	}
	return 0;
}

int ep_framefilter_apply(struct ep_profile *view, const struct ep_framefilter *by,
		     struct ep_framefilter_found *ret_found, struct ep_err *err)
{
	if (!by->focus && !by->ignore && !by->hide && !by->show) {
		*ret_found = (struct ep_framefilter_found){.focus = true};
		return 0;
	}
	ep_auto(ep_arena) scratch = ep_arena_new(0);
	if (!scratch)
		return no_memory(err);
	struct filter f = {.view = view, .scratch = scratch, .err = err};
	EP_TRY(init(&f, by));
	EP_TRY(apply(&f));
	*ret_found = f.found;
	return 0;
}

/* --- show_from -------------------------------------------------------------------- */

/* Lines up to the outermost that matches stay; all of them, if the mapping matches. */
static bool cut_lines(struct ep_matches *m, struct ep_location *l)
{
	if (ep_matches_mapping(m, l))
		return true;
	const struct ep_line *lines = m->p->lines + l->first_line;
	for (uint32_t n = l->n_lines; n; n--)
		if (ep_matches_line(m, &lines[n - 1])) {
			l->n_lines = n;
			return true;
		}
	return false;
}

/* Cut a stack; false when nothing in it matches. */
static bool cut_stack(const struct ep_profile *p, const uint8_t *matched,
		      struct ep_sample *s)
{
	const uint32_t *stack = ep_profile_stack(p, s);
	uint32_t n = s->n_locations;
	while (n && !matched[stack[n - 1]])
		n--;
	s->n_locations = n;
	return n;
}

int ep_framefilter_show_from(struct ep_profile *view, const struct ep_regex *r, bool *ret_found,
			struct ep_err *err)
{
	ep_auto(ep_arena) scratch = ep_arena_new(0);
	if (!scratch)
		return no_memory(err);
	struct ep_matches m;
	EP_TRY(ep_matches_init(&m, view, r, scratch, err));
	uint8_t *matched = ep_arena_array(scratch, uint8_t, view->n_locations);
	uint8_t *keep = ep_arena_alloc(scratch, view->n_samples);
	struct ep_location *locations = ep_view_copy(view, locations);
	struct ep_sample *samples = ep_view_copy(view, samples);
	if (!matched || !keep || !locations || !samples)
		return no_memory(err);
	bool found = false;
	for (uint32_t i = 0; i < view->n_locations; i++)
		found |= matched[i] = cut_lines(&m, &locations[i]);
	EP_TRY(m.failed);
	for (uint32_t i = 0; i < view->n_samples; i++)
		keep[i] = cut_stack(view, matched, &samples[i]);
	view->samples = samples;
	EP_TRY(ep_view_keep_samples(view, keep, err));
	view->locations = locations;
	*ret_found = found;
	return 0;
}
