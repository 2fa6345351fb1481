/* filters.c - see filters.h.  Source: google/pprof driver_focus.go (applyFocus). */
#include "report/filters.h"

#include "profile/framefilter.h"
#include "profile/prune.h"
#include "profile/tagfilter.h"

struct filters {
	struct ep_regex *focus, *ignore, *hide, *show, *show_from;
	struct ep_regex *tagshow, *taghide, *prune_from;
	struct ep_tagfilter *tagfocus, *tagignore;
};

static void filters_fini(struct filters *f)
{
	struct ep_regex *regexes[] = {f->focus,	    f->ignore,	f->hide,    f->show,
				      f->show_from, f->tagshow, f->taghide, f->prune_from};
	for (size_t i = 0; i < sizeof(regexes) / sizeof(*regexes); i++)
		ep_regex_free(regexes[i]);
	ep_tagfilter_free(f->tagfocus);
	ep_tagfilter_free(f->tagignore);
}

static int option_failed(const char *name, int rc, const struct ep_err *why,
			 struct ep_err *err)
{
	return ep_fail(err, rc, why->pos, "parsing %s regexp: %s", name, why->text);
}

/* "" is no filter. */
static int compile(const char *name, const char *value, struct ep_regex **ret,
		   struct ep_err *err)
{
	struct ep_err why = {0};
	if (!*value)
		return 0;
	int rc = ep_regex_new(ep_slice_of(value), EP_REGEX_SEARCH, ret, &why);
	return rc < 0 ? option_failed(name, rc, &why, err) : 0;
}

static int compile_tag(const struct ep_report *r, const char *name, const char *value,
		       struct ep_tagfilter **ret, struct ep_err *err)
{
	struct ep_err why = {0};
	bool is_range;
	if (!*value)
		return 0;
	int rc = ep_tagfilter_parse(value, &is_range, ret, &why);
	if (rc < 0)
		return option_failed(name, rc, &why, err);
	if (is_range)
		ep_note(r->notes, "%s:Interpreted '%.*s' as range, not regexp", name,
			EP_SLICE_ARG(ep_tagfilter_value(*ret)));
	return 0;
}

static int compile_all(const struct ep_report *r, struct filters *f, struct ep_err *err)
{
	const struct ep_report_options *o = &r->o;
	EP_TRY(compile("focus", o->focus, &f->focus, err));
	EP_TRY(compile("ignore", o->ignore, &f->ignore, err));
	EP_TRY(compile("hide", o->hide, &f->hide, err));
	EP_TRY(compile("show", o->show, &f->show, err));
	EP_TRY(compile("show_from", o->show_from, &f->show_from, err));
	EP_TRY(compile_tag(r, "tagfocus", o->tagfocus, &f->tagfocus, err));
	EP_TRY(compile_tag(r, "tagignore", o->tagignore, &f->tagignore, err));
	return compile("prune_from", o->prune_from, &f->prune_from, err);
}

/* A filter that was asked for and matched nothing is probably a mistake. */
static void warn(const struct ep_report *r, const char *value, bool found, const char *name)
{
	if (*value && !found)
		ep_note(r->notes, "%s expression matched no samples", name);
}

static int filter_frames(struct ep_report *r, const struct filters *f, struct ep_err *err)
{
	struct ep_framefilter by = {f->focus, f->ignore, f->hide, f->show};
	struct ep_framefilter_found found;
	EP_TRY(ep_framefilter_apply(r->p, &by, &found, err));
	warn(r, r->o.focus, found.focus, "Focus");
	warn(r, r->o.ignore, found.ignore, "Ignore");
	warn(r, r->o.hide, found.hide, "Hide");
	warn(r, r->o.show, found.show, "Show");
	if (f->show_from) {
		bool any;
		EP_TRY(ep_framefilter_show_from(r->p, f->show_from, &any, err));
		warn(r, r->o.show_from, any, "ShowFrom");
	}
	return 0;
}

static int filter_tags(struct ep_report *r, struct filters *f, struct ep_err *err)
{
	struct ep_tagfilter_found found;
	EP_TRY(ep_tagfilter_samples(r->p, &r->keys, f->tagfocus, f->tagignore, &found, err));
	warn(r, r->o.tagfocus, found.first, "TagFocus");
	warn(r, r->o.tagignore, found.second, "TagIgnore");
	EP_TRY(compile("tagshow", r->o.tagshow, &f->tagshow, err));
	EP_TRY(compile("taghide", r->o.taghide, &f->taghide, err));
	EP_TRY(ep_tagfilter_labels(r->p, &r->keys, f->tagshow, f->taghide, &found, err));
	warn(r, r->o.tagshow, found.first, "TagShow");
	warn(r, r->o.taghide, found.second, "TagHide");
	return 0;
}

static int apply(struct ep_report *r, struct filters *f, struct ep_err *err)
{
	EP_TRY(compile_all(r, f, err));
	EP_TRY(filter_frames(r, f, err));
	EP_TRY(filter_tags(r, f, err));
	return f->prune_from ? ep_prune_from(r->p, f->prune_from, err) : 0;
}

int ep_filters_apply(struct ep_report *r, struct ep_err *err)
{
	struct filters f = {0};
	int rc = apply(r, &f, err);
	filters_fini(&f);
	return rc;
}
