/* acquire.c - see acquire.h. */
#include "pprof/acquire.h"

#include "base/clock.h"
#include "base/mem.h"
#include "fetch/fetch.h"
#include "pprof/crowd.h"
#include "pprof/keep.h"
#include "pprof/progress.h"
#include "profile/compat.h"
#include "profile/merge.h"
#include "profile/prune.h"
#include "profile/scale.h"
#include "profile/view.h"
#include "symbol/symbolize.h"

#include <pthread.h>
#include <string.h>

/* As long as the reference waits for anything without a time of its own. */
#define SYMBOLS_TIMEOUT_NS (60 * EP_NS_PER_S)

/* One set of sources on its way to one profile. */
struct loader {
	const struct ep_args *args;
	const struct ep_acquire_with *with;
	pthread_mutex_t *lock;		     /* of the binaries and of remote */
	struct ep_symbolize_sources *remote; /* what came from where */
	struct ep_origin_options source;
	const struct ep_notes *notes;
	const char *what; /* "source" or "base", for the reference's sentences */
	const char *const *names;
	size_t n;

	struct ep_profile *profile; /* owned */
	char *url;		    /* of the first that was fetched; owned */
	size_t got;
	int rc;
	struct ep_err err;
};

static void loader_fini(struct loader *l)
{
	ep_profile_free(l->profile);
	ep_free(l->url);
}

/* Where the binaries are that its mappings name, and who else could tell names. */
static int locate(struct loader *l, struct ep_origin *o, struct ep_err *err)
{
	const char *build_id = l->args->build_id;
	(void)pthread_mutex_lock(l->lock); /* sources and bases may come at once */
	int rc = ep_objects_locate(l->with->objects, o->profile,
				   *build_id ? build_id : NULL, err);
	if (rc >= 0 && o->url)
		rc = ep_symbolize_add_source(l->remote, o->profile, o->url, err);
	(void)pthread_mutex_unlock(l->lock);
	return rc;
}

/* A chunk of sources; what could be read goes to profiles.  The number of them. */
static size_t load_chunk(struct loader *l, const char *const *names, size_t n,
			 struct ep_profile **profiles)
{
	struct ep_crowd_one v[EP_CROWD_MAX];
	size_t got = 0;
	ep_crowd(names, n, &l->source, v);
	for (size_t i = 0; i < n; i++) {
		if (v[i].rc >= 0)
			v[i].rc = locate(l, &v[i].origin, &v[i].err);
		if (v[i].rc < 0) {
			ep_note(l->notes, "%s: %s", names[i], v[i].err.text);
		} else {
			profiles[got++] = ep_take(&v[i].origin.profile);
			if (!l->url)
				l->url = ep_take(&v[i].origin.url);
		}
		ep_origin_fini(&v[i].origin);
	}
	return got;
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
	EP_TRY(ep_compat_prepare(profiles, n, err));
	if (n == 1) {
		*ret_p = ep_take(&profiles[0]);
		return 0;
	}
	ep_progress_phase("merging", 0);
	return ep_merge_owned(profiles, NULL, n, 0, ret_p, err);
}

/* Profiles go into the sum, up to the first that is not like it; *n is the number of those
 * left, moved to the front. */
static int fold(struct ep_merge **sum, struct ep_profile **profiles, size_t *n,
		struct ep_err *err)
{
	size_t i = 0;
	int rc = 0;
	if (!*sum && ep_merge_start(0, sum) < 0)
		return ep_fail(err, -ENOMEM, 0, "no memory for merging");
	while (i < *n && (rc = ep_merge_take(*sum, &profiles[i], err)) >= 0)
		i++;
	if (rc < 0 && rc != -EINVAL)
		return rc;
	memmove(profiles, profiles + i, (*n - i) * sizeof(*profiles));
	*n -= i;
	*err = (struct ep_err){0};
	return 0;
}

/* The sum as the first of those that it does not include. */
static int put_sum(struct ep_merge *sum, struct ep_profile **profiles, size_t *n,
		   struct ep_err *err)
{
	struct ep_profile *p;
	EP_TRY(ep_merge_finish(sum, &p, err));
	memmove(profiles + 1, profiles, *n * sizeof(*profiles));
	profiles[0] = p;
	++*n;
	return 0;
}

/*
 * A chunk of sources into v, behind the *k that are there.  While they are all of the same
 * types, each batch is merged once it is read, so that its memory serves the next; what
 * differs waits for the others, since all have to be made alike then.
 */
static int load_and_fold(struct loader *l, const char *const *names, size_t n,
			 struct ep_profile **v, size_t *k, struct ep_err *err)
{
	enum { BATCH = 8 };
	ep_auto(ep_merge) sum = NULL;
	bool alike = n > BATCH && !ep_crowd_has_remote(names, n);
	size_t step = alike ? BATCH : n, more;
	for (size_t at = 0; at < n; at += step) {
		if (step > n - at)
			step = n - at;
		*k += more = load_chunk(l, names + at, step, v + *k);
		l->got += more;
		if (!alike || (!sum && *k < 2)) /* a single one is left as it is */
			continue;
		EP_TRY(fold(&sum, v, k, err));
		alike = !*k;
	}
	return sum ? put_sum(sum, v, k, err) : 0;
}

/* All of a set as one, chunk by chunk; *ret_p stays NULL when none could be read. */
static int load_all(struct loader *l, struct ep_profile **ret_p, struct ep_err *err)
{
	ep_auto(ep_profile) p = NULL;
	for (size_t at = 0; at < l->n; at += EP_CROWD_MAX) {
		size_t n = l->n - at < EP_CROWD_MAX ? l->n - at : EP_CROWD_MAX, k = 0;
		struct ep_profile **v = ep_zalloc((n + 2) * sizeof(*v));
		if (!v)
			return ep_fail(err, -ENOMEM, 0, "out of memory");
		if (p)
			v[k++] = ep_take(&p);
		int rc = load_and_fold(l, l->names + at, n, v, &k, err);
		if (rc >= 0 && k)
			rc = combine(v, k, &p, err);
		free_all(v, k);
		EP_TRY(rc);
	}
	*ret_p = ep_take(&p);
	return 0;
}

static void *load_set(void *loader)
{
	struct loader *l = loader;
	l->rc = load_all(l, &l->profile, &l->err);
	if (l->rc < 0)
		ep_err_context(&l->err, "problem fetching %s profiles", l->what);
	else if (!l->got)
		l->rc = ep_fail(&l->err, -ENOENT, 0, "failed to fetch any %s profiles",
				l->what);
	return NULL;
}

/* Sources and bases, at the same time when they are fetched. */
static int load_sets(struct loader *sources, struct loader *bases, struct ep_err *err)
{
	pthread_t thread;
	bool apart = bases->n && ep_crowd_has_remote(bases->names, bases->n) &&
		     pthread_create(&thread, NULL, load_set, bases) == 0;
	(void)load_set(sources);
	if (apart)
		(void)pthread_join(thread, NULL);
	else if (bases->n && sources->rc >= 0)
		(void)load_set(bases);
	for (struct loader *l = sources; l; l = l == sources ? bases : NULL)
		if (l->rc < 0) {
			*err = l->err;
			return l->rc;
		}
	for (struct loader *l = sources; l; l = l == sources ? bases : NULL)
		if (l->got < l->n)
			ep_note(l->notes, "Fetched %zu %s profiles out of %zu", l->got,
				l->what, l->n);
	return 0;
}

/* The two are gone afterwards, in favour of the difference. */
static int subtract(const struct ep_args *a, struct ep_profile **p,
		    struct ep_profile **base, struct ep_err *err)
{
	if (a->vars.o.normalize)
		EP_TRY(ep_scale_normalize(*p, *base, err));
	struct ep_profile *both[] = {ep_take(p), ep_take(base)}, *diff = NULL;
	int rc = ep_compat_prepare(both, 2, err);
	if (rc >= 0)
		rc = ep_scale_diff_owned(
			both, a->is_diff_base ? EP_SCALE_COMPARE : EP_SCALE_SUBTRACT,
			&diff, err);
	ep_profile_free(both[0]);
	ep_profile_free(both[1]);
	*p = diff;
	return rc;
}

static int add_comment(struct ep_profile *view, const char *text, struct ep_err *err)
{
	ep_str *comments =
		ep_arena_array(view->arena, ep_str, (size_t)view->n_comments + 1);
	if (!comments)
		return ep_fail(err, -ENOMEM, 0, "out of memory");
	if (view->n_comments)
		memcpy(comments, view->comments, view->n_comments * sizeof(*comments));
	comments[view->n_comments++] = ep_view_string(view, ep_slice_of(text));
	view->comments = comments;
	return 0;
}

static int post(void *ctx, const char *url, struct ep_slice body, struct ep_buf *reply,
		struct ep_err *err)
{
	const struct ep_fetch_request rq = {.url = url,
					    .post = true,
					    .body = body,
					    .timeout_ns = SYMBOLS_TIMEOUT_NS};
	int rc = ep_fetch_url(ctx, &rq, reply, err);
	if (rc < 0)
		ep_err_context(err, "http post %s", url);
	return rc;
}

static int name(const struct ep_args *a, const struct ep_acquire_with *with,
		const struct ep_symbolize_sources *from, struct ep_profile *p,
		struct ep_err *err)
{
	const struct ep_symbolize_remote remote = {post, (void *)with->fetch, from};
	ep_progress_phase("looking for names", 0);
	EP_TRY(ep_symbolize(p, ep_symbolize_parse(a->symbolize, with->notes),
			    with->objects, &remote, with->notes, err));
	ep_symbolize_forget_source(p);
	return 0;
}

/* What is done with the one profile once it has its names, in the reference's order. */
static int finish(const struct ep_args *a, struct ep_profile *view, const char *url,
		  const struct ep_notes *notes, struct ep_err *err)
{
	/* Like the reference, be silent on a drop_frames that is no regular expression.
	 */
	int rc = a->all_frames ? 0 : ep_prune_uninteresting(view, err);
	if (rc < 0 && rc != -EINVAL)
		return rc;
	*err = (struct ep_err){0};
	if (*a->comment)
		EP_TRY(add_comment(view, a->comment, err));
	return url ? ep_keep_profile(view, notes, err) : 0;
}

void ep_acquired_fini(struct ep_acquired *a)
{
	ep_profile_free(a->profile);
	ep_profile_free(a->base);
	*a = (struct ep_acquired){0};
}

/* Many profiles are many small blocks, and those of one batch serve the next. */
static void expect_memory(size_t n_sources)
{
	enum { MANY = 16, A_BATCH_AND_THE_SUM = 16 << 20 };
	if (n_sources >= MANY)
		ep_mem_expect(A_BATCH_AND_THE_SUM);
}

int ep_acquire_profile(const struct ep_args *a, const struct ep_acquire_with *with,
		       struct ep_acquired *ret, struct ep_err *err)
{
	const struct ep_notes *notes = with->notes;
	pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	__attribute__((cleanup(
		ep_symbolize_sources_fini))) struct ep_symbolize_sources remote = {0};
	__attribute__((cleanup(loader_fini))) struct loader sources = {
		.args = a,
		.with = with,
		.lock = &lock,
		.remote = &remote,
		.source = {.seconds = a->seconds,
			   .timeout = a->timeout,
			   .fetch = with->fetch,
			   .notes = notes},
		.notes = notes,
		.what = "source",
		.names = a->sources,
		.n = a->n_sources};
	__attribute__((cleanup(loader_fini))) struct loader bases = sources;
	bases.what = "base";
	bases.names = a->bases;
	bases.n = a->n_bases;
	size_t n = a->n_sources + a->n_bases;
	expect_memory(n);
	ep_progress_phase("reading", n > 1 ? n : 0);
	EP_TRY(load_sets(&sources, &bases, err));
	if (a->n_bases)
		EP_TRY(subtract(a, &sources.profile, &bases.profile, err));
	EP_TRY(name(a, with, &remote, sources.profile, err));
	const char *url = sources.url ? sources.url : bases.url;
	ep_auto(ep_profile) view = ep_view_new(sources.profile, 0);
	if (!view)
		return ep_fail(err, -ENOMEM, 0, "out of memory");
	EP_TRY(finish(a, view, url, notes, err));
	*ret = (struct ep_acquired){ep_take(&sources.profile), ep_take(&view)};
	return 0;
}
