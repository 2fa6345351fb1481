/*
 * test_crash.c - kill -9 at any moment: what was acknowledged is there.
 */
#include "base/clock.h"
#include "gen.h"
#include "store/inside.h"
#include "store/read.h"
#include "test.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { KILLS = 50, THREADS = 2, MAX_ACKS = 1000000 };

struct child {
	struct ep_store *s;
	int fd;
	uint64_t base_ns;
	uint32_t thread, round;
};

/* An acknowledged profile: its time is its name, its total its content. */
struct ack {
	uint64_t time_ns;
	int64_t total;
};

static struct ep_profile *profile_of(uint64_t seed)
{
	struct gen g = {.seed = seed, .n_stacks = 20, .n_functions = 400, .depth = 12, .n_sets = 3};
	return gen_profile(&g);
}

static int64_t total_of(const struct ep_profile *p)
{
	int64_t sum = 0;
	for (uint32_t i = 0; i < p->n_samples; i++)
		sum += ep_profile_values(p, i)[1];
	return sum;
}

static void *append_for_ever(void *arg)
{
	struct child *c = arg;
	for (uint32_t i = 0;; i++) {
		uint64_t t = c->base_ns + ((uint64_t)c->round * 100000 + i) * THREADS * 1000 +
			     c->thread * 1000;
		struct ep_profile *p = profile_of(t);
		char service[32];
		snprintf(service, sizeof(service), "shop-%u", i % 5);
		if (gen_try_append(c->s, p, service, NULL, t, NULL) < 0)
			_exit(3);
		struct ack a = {t, total_of(p)};
		if (write(c->fd, &a, sizeof(a)) != sizeof(a))
			_exit(4);
		ep_profile_free(p);
	}
	return NULL;
}

/* As often as it can, so that lives end in the middle of it. */
static void *seal_for_ever(void *arg)
{
	struct ep_store *s = arg;
	struct ep_err err = {0};
	while (ep_store_seal(s, &err) >= 0)
		;
	fprintf(stderr, "sealing: %s\n", err.text);
	_exit(5);
}

static void run_child(const char *dir, int fd, uint64_t base_ns, uint32_t round, bool seals)
{
	pthread_t sealer;
	struct child c[THREADS];
	pthread_t t;
	struct ep_store *s = NULL;
	if (ep_store_open(dir, &s, NULL) < 0)
		_exit(2);
	for (uint32_t i = 0; i < THREADS; i++)
		c[i] = (struct child){s, fd, base_ns, i, round};
	pthread_create(&t, NULL, append_for_ever, &c[1]);
	if (seals)
		pthread_create(&sealer, NULL, seal_for_ever, s);
	append_for_ever(&c[0]);
}

struct found {
	struct ack *v;
	size_t n, cap;
	struct ep_read *r;
	const struct ep_read_series *s;
	struct ep_blob blob;
};

static int collect(void *ctx, const struct ep_head_point *p, struct ep_err *err)
{
	struct found *f = ctx;
	if (p->col != 1)
		return 0;
	assert_int_equal(ep_read_blob(f->r, f->s, p, &f->blob, err), 1);
	assert_int_equal(ep_read_rows(f->r, f->s, p, &f->blob, err), 1);
	int64_t total = 0;
	for (uint32_t i = 0; i < f->blob.n_rows; i++)
		total += f->blob.values[i];
	if (f->n == f->cap) {
		f->cap = f->cap ? f->cap * 2 : 1024;
		f->v = realloc(f->v, f->cap * sizeof(*f->v));
	}
	f->v[f->n++] = (struct ack){p->time_ns, total};
	return 0;
}

static int by_time(const void *a, const void *b)
{
	uint64_t x = ((const struct ack *)a)->time_ns, y = ((const struct ack *)b)->time_ns;
	return x < y ? -1 : x > y;
}

static void read_all(struct ep_store *s, struct found *f)
{
	uint32_t n = 0;
	assert_int_equal(ep_read_open(s, 0, UINT64_MAX, &f->r, NULL), 0);
	assert_int_equal(ep_blob_init(&f->blob), 0);
	const struct ep_read_series *v = ep_read_series(f->r, &n);
	for (uint32_t i = 0; i < n; i++) {
		f->s = &v[i];
		struct ep_err err = {0};
		if (ep_read_points(f->r, &v[i], collect, f, &err) < 0)
			fail_msg("%s", err.text);
	}
	assert_int_equal(ep_read_damaged(f->r), 0);
	ep_blob_fini(&f->blob);
	ep_read_close(f->r);
	if (f->n)
		qsort(f->v, f->n, sizeof(*f->v), by_time);
}

/* What the child says, up to so many, or until it is dead. */
static size_t listen_to(int fd, struct ack *v, size_t n, size_t most)
{
	while (n < most && read(fd, &v[n], sizeof(v[n])) == sizeof(v[n]))
		n++;
	return n;
}

static void kill_and_look(bool seals)
{
	char *dir = gen_folder();
	uint64_t base = ep_clock_wall_ns() - 3600 * EP_NS_PER_S, r = 7;
	struct ack *acks = malloc(sizeof(*acks) * MAX_ACKS);
	size_t n = 0;
	for (uint32_t round = 0; round < KILLS; round++) {
		int fd[2];
		assert_int_equal(pipe(fd), 0);
		pid_t pid = fork();
		if (!pid) {
			close(fd[0]);
			run_child(dir, fd[1], base, round, seals);
		}
		close(fd[1]);
		/* A life of 1 to 60 profiles, and a bit: the end comes anywhere. */
		n = listen_to(fd[0], acks, n, n + 1 + gen_random(&r) % 60);
		usleep((useconds_t)(gen_random(&r) % 3000));
		kill(pid, SIGKILL);
		n = listen_to(fd[0], acks, n, MAX_ACKS);
		close(fd[0]);
		int status = 0;
		waitpid(pid, &status, 0);
		if (!WIFSIGNALED(status)) /* run_child says what its status means */
			fail_msg("a child ended by itself with %d", WEXITSTATUS(status));
	}
	assert_true(n >= KILLS);
	struct ep_store *s = NULL;
	uint64_t before = ep_clock_mono_ns();
	assert_int_equal(ep_store_open(dir, &s, NULL), 0);
	struct found f = {0};
	read_all(s, &f);
	print_message("%zu acknowledged in %d lives, %zu found, %u segments, read in %llu ms\n", n,
		      KILLS, f.n, s->n_segments,
		      (unsigned long long)((ep_clock_mono_ns() - before) / EP_NS_PER_MS));
	assert_true(!seals || s->n_segments > 0);
	for (size_t i = 1; i < f.n; i++)
		assert_true(f.v[i].time_ns != f.v[i - 1].time_ns); /* none twice */
	for (size_t i = 0; i < n; i++) {
		struct ack *got = bsearch(&acks[i], f.v, f.n, sizeof(*f.v), by_time);
		assert_non_null(got);
		assert_int_equal(got->total, acks[i].total);
	}
	free(f.v);
	free(acks);
	ep_store_close(s);
	gen_remove(dir);
}

TEST(store_keeps_what_it_acknowledged_through_50_kills)
{
	kill_and_look(false);
}

TEST(store_keeps_what_it_acknowledged_through_50_kills_while_sealing)
{
	kill_and_look(true);
}

/* As a kill leaves it in the first moment of a head's life. */
TEST(store_clears_heads_whose_making_was_cut_short)
{
	char *dir = gen_folder(), path[4096];
	struct ep_store *s = NULL;
	struct ep_read *r = NULL;
	uint32_t n = 1;
	snprintf(path, sizeof(path), "%s/heads", dir);
	assert_int_equal(mkdir(path, 0750), 0);
	snprintf(path, sizeof(path), "%s/heads/20260101-0001.head", dir);
	int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0640);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(ep_store_open(dir, &s, NULL), 0);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(ep_read_open(s, 0, UINT64_MAX, &r, NULL), 0);
	(void)ep_read_series(r, &n);
	assert_int_equal(n, 0);
	assert_int_equal(ep_read_damaged(r), 0);
	ep_read_close(r);
	ep_store_close(s);
	gen_remove(dir);
}
