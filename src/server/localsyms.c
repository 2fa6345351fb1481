/* localsyms.c - see localsyms.h. */
#include "server/localsyms.h"

#include "base/hash.h"
#include "base/log.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>

enum { MAX_WAITING = 4096, MAX_SEEN = 65536, MAX_ID = 64, MAX_PATH = 1024 };

struct file {
	struct file *next;
	struct ep_symcache *cache;
	char build_id[MAX_ID + 1];
	char path[MAX_PATH];
};

struct ep_localsyms {
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct file *first, **last;
	unsigned n_waiting;
	uint64_t seen[MAX_SEEN]; /* hashes of (build ID, path), 0: free */
	_Atomic uint64_t made, failed;
	bool is_stopping, has_thread;
	pthread_t thread;
};

/* true the first time; when the table fills up it is emptied and looks again. */
static bool is_new(struct ep_localsyms *l, uint64_t hash)
{
	hash |= !hash;
	for (unsigned i = 0; i < 32; i++) {
		uint64_t *slot = &l->seen[(hash + i) % MAX_SEEN];
		if (*slot == hash)
			return false;
		if (!*slot) {
			*slot = hash;
			return true;
		}
	}
	memset(l->seen, 0, sizeof(l->seen));
	l->seen[hash % MAX_SEEN] = hash;
	return true;
}

static struct file *take(struct ep_localsyms *l)
{
	pthread_mutex_lock(&l->lock);
	while (!l->first && !l->is_stopping)
		pthread_cond_wait(&l->wake, &l->lock);
	struct file *f = l->is_stopping ? NULL : l->first;
	if (f) {
		l->first = f->next;
		if (!l->first)
			l->last = &l->first;
		l->n_waiting--;
	}
	pthread_mutex_unlock(&l->lock);
	return f;
}

static void add(struct ep_localsyms *l, const struct file *f)
{
	struct stat st;
	struct ep_err err = {0};
	struct ep_slice id = ep_slice_of(f->build_id);
	/* A name a stranger sent may be a pipe or a device: only files are opened. */
	if (stat(f->path, &st) < 0 || !S_ISREG(st.st_mode)) {
		atomic_fetch_add(&l->failed, 1);
		return;
	}
	int rc = ep_symcache_add_file(f->cache, id, f->path, &err);
	atomic_fetch_add(rc < 0 ? &l->failed : &l->made, 1);
	if (rc < 0)
		ep_log_debug("no names from %s: %s", f->path, err.text);
}

static void *work(void *arg)
{
	struct ep_localsyms *l = arg;
	struct file *f;
	while ((f = take(l))) {
		add(l, f);
		ep_free(f);
	}
	return NULL;
}

int ep_localsyms_new(struct ep_localsyms **ret_l)
{
	ep_auto(ep_localsyms) l = ep_zalloc(sizeof(*l));
	sigset_t all, old;
	if (!l)
		return -ENOMEM;
	l->last = &l->first;
	pthread_mutex_init(&l->lock, NULL);
	pthread_cond_init(&l->wake, NULL);
	sigfillset(&all);
	sigdelset(&all, SIGPROF); /* a profiler in this process samples us, too */
	pthread_sigmask(SIG_SETMASK, &all, &old);
	l->has_thread = pthread_create(&l->thread, NULL, work, l) == 0;
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (!l->has_thread)
		return -EAGAIN;
	*ret_l = ep_take(&l);
	return 0;
}

void ep_localsyms_free(struct ep_localsyms *l)
{
	if (!l)
		return;
	pthread_mutex_lock(&l->lock);
	l->is_stopping = true;
	pthread_cond_broadcast(&l->wake);
	pthread_mutex_unlock(&l->lock);
	if (l->has_thread)
		pthread_join(l->thread, NULL);
	while (l->first) {
		struct file *f = l->first;
		l->first = f->next;
		ep_free(f);
	}
	pthread_cond_destroy(&l->wake);
	pthread_mutex_destroy(&l->lock);
	ep_free(l);
}

static bool is_hex(struct ep_slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!((s.p[i] >= '0' && s.p[i] <= '9') || (s.p[i] >= 'a' && s.p[i] <= 'f')))
			return false;
	return s.n >= 8 && s.n <= MAX_ID && s.n % 2 == 0;
}

static void queue(struct ep_localsyms *l, struct ep_symcache *cache, struct ep_slice id,
		  struct ep_slice path)
{
	struct file *f = ep_zalloc(sizeof(*f));
	if (!f)
		return;
	f->cache = cache;
	memcpy(f->build_id, id.p, id.n);
	memcpy(f->path, path.p, path.n);
	pthread_mutex_lock(&l->lock);
	uint64_t hash = ep_hash_mix(ep_hash64(id.p, id.n), ep_hash64(path.p, path.n));
	hash = ep_hash_mix(hash, (uint64_t)(uintptr_t)cache);
	bool taken = l->n_waiting < MAX_WAITING && is_new(l, hash);
	if (taken) {
		*l->last = f;
		l->last = &f->next;
		l->n_waiting++;
		pthread_cond_signal(&l->wake);
	}
	pthread_mutex_unlock(&l->lock);
	if (!taken)
		ep_free(f);
}

void ep_localsyms_see(struct ep_localsyms *l, struct ep_symcache *cache,
		      const struct ep_profile *p)
{
	for (uint32_t i = 0; i < p->n_mappings; i++) {
		struct ep_slice id = ep_profile_str(p, p->mappings[i].build_id);
		struct ep_slice path = ep_profile_str(p, p->mappings[i].filename);
		if (path.n < 2 || path.n >= MAX_PATH || path.p[0] != '/' || !is_hex(id) ||
		    memchr(path.p, 0, path.n) || ep_symcache_has(cache, id))
			continue;
		queue(l, cache, id, path);
	}
}

void ep_localsyms_counts(const struct ep_localsyms *l, uint64_t *ret_made, uint64_t *ret_failed)
{
	*ret_made = l->made;
	*ret_failed = l->failed;
}
