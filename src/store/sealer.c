/*
 * sealer.c - the thread that turns finished heads into segments, one at a time and at
 * a low priority, and removes them when nobody reads them any more.
 */
#include "base/log.h"
#include "store/inside.h"
#include "store/seal.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { WAIT_S = 60, NICE = 10 };

/* --- heads that were sealed ------------------------------------------------------------------- */

void ep_store_remove_head(const char *path)
{
	static const char *const suffixes[] = {"", "-wal", "-shm"};
	char name[4096];
	struct ep_err err = {0};
	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		snprintf(name, sizeof(name), "%s%s", path, suffixes[i]);
		(void)unlink(name); /* the next start tries again */
	}
	if (ep_head_sync_entry(path, &err) < 0)
		ep_log_warn("store: %s", err.text);
}

/* Under the lock, which is let go while files are removed. */
static void free_retired(struct ep_store *s, bool all)
{
	for (struct ep_head **at = &s->retired; *at;) {
		struct ep_head *h = *at;
		if (h->refs && !all) {
			at = &h->next_retired;
			continue;
		}
		*at = h->next_retired;
		char *path ep_auto_mem = ep_strdup(h->path);
		pthread_mutex_unlock(&s->lock);
		ep_head_free(h);
		if (path)
			ep_store_remove_head(path);
		pthread_mutex_lock(&s->lock);
		at = &s->retired; /* it may have changed meanwhile */
	}
}

/* --- sealing ---------------------------------------------------------------------------------- */

static bool is_sealable(const struct ep_store *s, const struct ep_head *h)
{
	return h != s->active && !h->w.db && !h->pending && !h->unsealable && !h->failed &&
	       !(h == s->heads[s->n_heads - 1] && ep_store_may_resume(h));
}

static struct ep_head *next_to_seal(const struct ep_store *s)
{
	for (uint32_t i = 0; i < s->n_heads; i++)
		if (is_sealable(s, s->heads[i]))
			return s->heads[i];
	return NULL;
}

static int seal(struct ep_store *s, struct ep_head *h, struct ep_segment **ret_g,
		struct ep_err *err)
{
	char name[64];
	snprintf(name, sizeof(name), "%.*s", EP_STORE_STEM, h->name);
	pthread_mutex_lock(&s->load_lock);
	int rc = ep_head_load(h, err);
	pthread_mutex_unlock(&s->load_lock);
	EP_TRY(rc);
	EP_TRY(ep_seal(h, s->segments_dir, name, &s->stop_sealing, err));
	return ep_segment_open(s->segments_dir, name, s->quarantine, ret_g, err);
}

/* From now on queries read the segment. */
static int swap(struct ep_store *s, struct ep_head *h, struct ep_segment *g)
{
	EP_TRY(ep_store_add_segment(s, g));
	uint32_t i = 0;
	while (s->heads[i] != h)
		i++;
	memmove(&s->heads[i], &s->heads[i + 1], (s->n_heads - i - 1) * sizeof(*s->heads));
	s->stats.heads = --s->n_heads;
	h->next_retired = s->retired;
	s->retired = h;
	return 0;
}

/* Under the lock, which is let go meanwhile.  0, or why not. */
static int seal_one(struct ep_store *s, struct ep_head *h)
{
	struct ep_segment *g = NULL;
	struct ep_err err = {0};
	h->refs++;
	s->sealing = true;
	pthread_mutex_unlock(&s->lock);
	int rc = seal(s, h, &g, &err);
	if (rc < 0 && rc != -ECANCELED)
		ep_log_warn("store: %s is not sealed: %s", h->name, err.text);
	pthread_mutex_lock(&s->lock);
	s->sealing = false;
	h->refs--;
	if (!rc)
		rc = swap(s, h, g);
	if (rc < 0)
		ep_segment_close(g);
	if (rc == -EBADMSG || rc == -ENOTSUP)
		h->unsealable = true;
	return rc;
}

static void wait_for_work(struct ep_store *s)
{
	struct timespec t;
	clock_gettime(CLOCK_REALTIME, &t);
	t.tv_sec += WAIT_S;
	(void)pthread_cond_timedwait(&s->seal_work, &s->lock, &t); /* either way, look */
}

static void *run(void *arg)
{
	struct ep_store *s = arg;
	/* Of this thread alone; without it sealing is as fast as anything else. */
	(void)setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), NICE);
	pthread_mutex_lock(&s->lock);
	while (!atomic_load(&s->stop_sealing)) {
		free_retired(s, false);
		struct ep_head *h = next_to_seal(s);
		int rc = h ? seal_one(s, h) : 0;
		s->seal_failed = rc;
		if (!h || (rc < 0 && !h->unsealable)) {
			pthread_cond_broadcast(&s->done);
			if (!atomic_load(&s->stop_sealing)) /* a seal that was cut short, say */
				wait_for_work(s);
		}
	}
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

int ep_store_seal(struct ep_store *s, struct ep_err *err)
{
	pthread_mutex_lock(&s->lock);
	for (uint32_t i = 0; i < s->n_heads; i++)
		atomic_store(&s->heads[i]->full, true);
	s->active = NULL;
	s->seal_failed = 0;
	bool left = true;
	while (left && !s->seal_failed) {
		left = s->sealing || next_to_seal(s);
		for (uint32_t i = 0; i < s->n_heads; i++)
			left |= s->heads[i]->full && (s->heads[i]->w.db || s->heads[i]->pending);
		pthread_cond_signal(&s->work); /* the writer closes them */
		pthread_cond_signal(&s->seal_work);
		if (left)
			pthread_cond_wait(&s->done, &s->lock);
	}
	int rc = s->seal_failed;
	pthread_mutex_unlock(&s->lock);
	return rc < 0 ? ep_fail(err, rc, 0, "not all heads could be sealed") : 0;
}

int ep_store_start_sealer(struct ep_store *s, struct ep_err *err)
{
	if (pthread_create(&s->sealer, NULL, run, s) != 0)
		return ep_fail(err, -ENOMEM, 0, "no thread to seal with");
	s->sealer_runs = true;
	return 0;
}

void ep_store_stop_sealer(struct ep_store *s)
{
	if (s->sealer_runs) {
		pthread_mutex_lock(&s->lock);
		atomic_store(&s->stop_sealing, true);
		pthread_cond_signal(&s->seal_work);
		pthread_mutex_unlock(&s->lock);
		pthread_join(s->sealer, NULL);
		s->sealer_runs = false;
	}
	pthread_mutex_lock(&s->lock);
	free_retired(s, true);
	pthread_mutex_unlock(&s->lock);
}
