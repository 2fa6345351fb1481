/* acquire.c - see acquire.h. */
#include "pprof/acquire.h"

#include "base/mem.h"
#include "pprof/origin.h"
#include "profile/merge.h"
#include "profile/scale.h"

#include <string.h>

struct loader {
	const struct ep_args *args;
	struct ep_origin_options source;
	const struct ep_notes *notes;
};

/* A string more; the table moves. */
static int add_string(struct ep_profile *p, const char *text, ep_str *ret,
		      struct ep_err *err)
{
	struct ep_slice *strings =
		ep_arena_array(p->arena, struct ep_slice, (size_t)p->n_strings + 1);
	char *copy = ep_arena_copy(p->arena, text, strlen(text));
	if (!strings || !copy || p->n_strings == UINT32_MAX)
		return ep_fail(err, -ENOMEM, 0, "out of memory");
	memcpy(strings, p->strings, p->n_strings * sizeof(*strings));
	strings[p->n_strings] = ep_slice_of(copy);
	p->strings = strings;
	*ret = *text ? p->n_strings++ : 0;
	return 0;
}

/* Without a mapping, all locations get one that says nothing: the reference does so,
 * and -raw shows it. */
static int ensure_mapping(struct ep_profile *p, struct ep_err *err)
{
	if (p->n_mappings)
		return 0;
	p->mappings = ep_arena_array(p->arena, struct ep_mapping, 1);
	if (!p->mappings)
		return ep_fail(err, -ENOMEM, 0, "out of memory");
	p->n_mappings = 1;
	for (uint32_t i = 0; i < p->n_locations; i++)
		p->locations[i].mapping = 0;
	return 0;
}

/* The main binary and its build ID, where the command line says them. */
static int override_mapping(struct ep_profile *p, const struct ep_args *a,
			    struct ep_err *err)
{
	EP_TRY(ensure_mapping(p, err));
	if (a->binary)
		EP_TRY(add_string(p, a->binary, &p->mappings[0].filename, err));
	if (*a->build_id && !p->mappings[0].build_id)
		EP_TRY(add_string(p, a->build_id, &p->mappings[0].build_id, err));
	return 0;
}

static int load_one(struct loader *l, const char *name, struct ep_profile **ret_p)
{
	struct ep_err err = {0};
	struct ep_origin s;
	int rc = ep_origin_load(name, &l->source, &s, &err);
	if (rc >= 0) {
		rc = override_mapping(s.profile, l->args, &err);
		*ret_p = ep_take(&s.profile);
		ep_origin_fini(&s);
	}
	if (rc < 0)
		ep_note(l->notes, "%s: %s", name, err.text);
	return rc;
}

static void free_all(struct ep_profile **profiles, size_t n)
{
	for (size_t i = 0; profiles && i < n; i++)
		ep_profile_free(profiles[i]);
	ep_free(profiles);
}

/* One is left as it is; several become one. */
static int combine(struct ep_profile **profiles, size_t n, struct ep_profile **ret_p,
		   struct ep_err *err)
{
	if (n == 1) {
		*ret_p = ep_take(&profiles[0]);
		return 0;
	}
	return ep_merge((const struct ep_profile *const *)profiles, n, 0, ret_p, err);
}

/* `what` is "source" or "base", for the reference's sentences. */
static int load_set(struct loader *l, const char **names, size_t n, const char *what,
		    struct ep_profile **ret_p, struct ep_err *err)
{
	struct ep_profile **profiles = ep_zalloc(n * sizeof(*profiles));
	size_t got = 0;
	for (size_t i = 0; profiles && i < n; i++)
		got += load_one(l, names[i], &profiles[got]) >= 0;
	int rc = !profiles ? ep_fail(err, -ENOMEM, 0, "out of memory")
		 : !got	   ? ep_fail(err, -ENOENT, 0, "failed to fetch any %s profiles",
				     what)
			   : combine(profiles, got, ret_p, err);
	free_all(profiles, got);
	if (rc < 0 && got)
		ep_err_context(err, "problem fetching %s profiles", what);
	if (rc >= 0 && got < n)
		ep_note(l->notes, "Fetched %zu %s profiles out of %zu", got, what, n);
	return rc;
}

static int subtract(const struct ep_args *a, struct ep_profile **p,
		    struct ep_profile *base, struct ep_err *err)
{
	if (a->vars.o.normalize)
		EP_TRY(ep_scale_normalize(*p, base, err));
	struct ep_profile *diff;
	EP_TRY(ep_scale_diff(*p, base,
			     a->is_diff_base ? EP_SCALE_COMPARE : EP_SCALE_SUBTRACT,
			     &diff, err));
	ep_profile_free(*p);
	*p = diff;
	return 0;
}

static int add_comment(struct ep_profile *p, const char *text, struct ep_err *err)
{
	ep_str *comments = ep_arena_array(p->arena, ep_str, (size_t)p->n_comments + 1);
	if (!comments)
		return ep_fail(err, -ENOMEM, 0, "out of memory");
	if (p->n_comments)
		memcpy(comments, p->comments, p->n_comments * sizeof(*comments));
	EP_TRY(add_string(p, text, &comments[p->n_comments], err));
	p->comments = comments;
	p->n_comments++;
	return 0;
}

int ep_acquire_profile(const struct ep_args *a, const struct ep_notes *notes,
		       struct ep_profile **ret_p, struct ep_err *err)
{
	struct loader l = {.args = a,
			   .source = {.seconds = a->seconds,
				      .timeout = a->timeout,
				      .notes = notes},
			   .notes = notes};
	ep_auto(ep_profile) p = NULL;
	EP_TRY(load_set(&l, a->sources, a->n_sources, "source", &p, err));
	if (a->n_bases) {
		ep_auto(ep_profile) base = NULL;
		EP_TRY(load_set(&l, a->bases, a->n_bases, "base", &base, err));
		EP_TRY(subtract(a, &p, base, err));
	}
	if (*a->comment)
		EP_TRY(add_comment(p, a->comment, err));
	*ret_p = ep_take(&p);
	return 0;
}
