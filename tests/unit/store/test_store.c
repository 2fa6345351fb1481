/* test_store.c - append, reopen, refuse, damage, a full disk. */
#include "store/store.h"

#include "base/clock.h"
#include "gen.h"
#include "kit.h"
#include "store/inside.h"
#include "store/read.h"
#include "test.h"

#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

TEST(store_has_everything_after_reopening)
{
	char *dir = gen_folder();
	uint64_t bad = 0;
	struct ep_store *s = open_store(dir);
	append_n(s, 20);
	struct tally before = read_all(s, &bad);
	assert_int_equal(before.points, 40); /* two columns */
	assert_int_equal(before.total, before.rows_total);
	ep_store_close(s);
	s = open_store(dir);
	struct tally after = read_all(s, &bad);
	assert_int_equal(after.total, before.total);
	assert_int_equal(after.rows, before.rows);
	append_n(s, 5); /* on with the same head */
	assert_int_equal(s->n_heads, 1);
	assert_int_equal(read_all(s, &bad).points, 50);
	assert_int_equal(bad, 0);
	ep_store_close(s);
	gen_remove(dir);
}

TEST(store_names_the_series_by_their_type)
{
	char *dir = gen_folder();
	struct ep_store *s = open_store(dir);
	append_n(s, 1);
	struct ep_read *r = NULL;
	uint32_t n = 0;
	assert_int_equal(ep_read_open(s, 0, UINT64_MAX, &r, NULL), 0);
	const struct ep_read_series *v = ep_read_series(r, &n);
	assert_int_equal(n, 2);
	assert_true(ep_slice_is(ep_read_label(&v[1], ep_slice_of("__profile_type__")),
				"process_cpu:cpu:nanoseconds:cpu:nanoseconds"));
	assert_true(ep_slice_is(ep_read_label(&v[0], ep_slice_of("__type__")), "samples"));
	assert_true(ep_slice_is(ep_read_label(&v[0], ep_slice_of("host")), "a"));
	ep_read_close(r);
	ep_store_close(s);
	gen_remove(dir);
}

TEST(store_refuses_wrong_times_and_labels_with_a_reason)
{
	char *dir = gen_folder();
	struct ep_store *s = open_store(dir);
	struct ep_profile *p = small(1);
	uint64_t now = ep_clock_wall_ns();
	struct ep_err err = {0};
	assert_int_equal(gen_try_append(s, p, "shop", NULL, now + 3600 * EP_NS_PER_S, &err), -EINVAL);
	assert_non_null(strstr(err.text, "in the future, the limit is 600 s"));
	err = (struct ep_err){0};
	assert_int_equal(gen_try_append(s, p, "shop", NULL, now - 91ull * 86400 * EP_NS_PER_S, &err),
			 -EINVAL);
	assert_non_null(strstr(err.text, "91 days old, the limit is 90 days"));
	err = (struct ep_err){0};
	assert_int_equal(gen_try_append(s, p, "shop", "a=1,a=2", now, &err), -EINVAL);
	assert_non_null(strstr(err.text, "label a is given twice"));
	ep_profile_free(p);
	ep_store_close(s);
	gen_remove(dir);
}

TEST(store_is_of_one_process_at_a_time)
{
	char *dir = gen_folder();
	struct ep_store *s = open_store(dir), *other = NULL;
	assert_int_equal(ep_store_open(dir, &other, NULL), -EAGAIN);
	ep_store_close(s);
	gen_remove(dir);
}

static void head_path(const struct ep_store *s, char *path, size_t n)
{
	snprintf(path, n, "%s", s->heads[s->n_heads - 1]->path);
}

static void run_sql(const char *path, const char *sql)
{
	sqlite3 *db = NULL;
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	char *text = NULL;
	if (sqlite3_exec(db, sql, NULL, NULL, &text) != SQLITE_OK)
		fail_msg("%s: %s", sql, text);
	sqlite3_close(db);
}

/* Ten profiles in one closed head. */
static void ten_profiles(const char *dir, char *path, size_t n)
{
	struct ep_store *s = open_store(dir);
	append_n(s, 10);
	head_path(s, path, n);
	ep_store_close(s);
}

TEST(store_skips_a_damaged_profile_and_only_that)
{
	char *dir = gen_folder(), path[4096], copy[4200];
	uint64_t bad = 0;
	ten_profiles(dir, path, sizeof(path));
	run_sql(path, "UPDATE blobs SET data = substr(data,1,20)||x'ff'||substr(data,22) WHERE id=3");
	struct ep_store *s = open_store(dir);
	struct tally t = read_all(s, &bad);
	assert_int_equal(t.points, 20);
	assert_int_equal(bad, 2); /* its two columns */
	assert_int_equal(t.total, t.rows_total);
	snprintf(copy, sizeof(copy), "%s/quarantine/%s.3", dir, strrchr(path, '/') + 1);
	assert_int_equal(access(copy, R_OK), 0);
	append_n(s, 1);
	ep_store_close(s);
	gen_remove(dir);
}

TEST(store_reads_on_around_a_lost_dictionary_record)
{
	char *dir = gen_folder(), path[4096];
	uint64_t bad = 0;
	ten_profiles(dir, path, sizeof(path));
	run_sql(path, "UPDATE chunks SET data = x'00'||substr(data,2) WHERE seq=4");
	struct ep_store *s = open_store(dir);
	struct tally t = read_all(s, &bad);
	assert_int_equal(t.points, 20);
	assert_int_equal(bad, 0);
	/* New ids must not take the lost ones' places: another head is begun. */
	append_n(s, 1);
	assert_int_equal(s->n_heads, 2);
	ep_store_close(s);
	gen_remove(dir);
}

TEST(store_refuses_a_newer_format_by_name)
{
	char *dir = gen_folder(), path[4096];
	ten_profiles(dir, path, sizeof(path));
	run_sql(path, "PRAGMA user_version=2; PRAGMA wal_checkpoint(TRUNCATE)");
	struct ep_store *s = NULL;
	struct ep_err err = {0};
	assert_int_equal(ep_store_open(dir, &s, &err), -ENOTSUP);
	assert_non_null(strstr(err.text, "has version 2, this everprof knows 1"));
	gen_remove(dir);
}

static void write_file(const char *path, const uint8_t *p, size_t n)
{
	FILE *f = fopen(path, "wb");
	assert_non_null(f);
	assert_int_equal(fwrite(p, 1, n, f), n);
	fclose(f);
}

/* Opens what is there, reads all of it, and adds a profile. */
static void use_damaged(const char *dir, int64_t most)
{
	struct ep_store *s = NULL;
	uint64_t bad = 0;
	int rc = ep_store_open(dir, &s, NULL);
	assert_true(rc == 0 || rc == -ENOTSUP); /* the flip may hit the version */
	if (rc < 0)
		return;
	struct tally t = read_all(s, &bad);
	assert_true(t.total <= most);
	assert_int_equal(t.total, t.rows_total);
	append_n(s, 1);
	assert_true(read_all(s, &bad).points >= 2);
	ep_store_close(s);
}

/* A bit in every 4 KB of the file: nothing crashes, nothing false is counted. */
TEST(store_survives_a_flipped_bit_in_every_page)
{
	char *dir = gen_folder(), path[4096], name[64];
	uint64_t bad = 0, r = 5;
	ten_profiles(dir, path, sizeof(path));
	snprintf(name, sizeof(name), "%s", strrchr(path, '/') + 1);
	struct ep_store *s = open_store(dir);
	int64_t most = read_all(s, &bad).total;
	ep_store_close(s);
	FILE *f = fopen(path, "rb");
	uint8_t *bytes = malloc(1 << 20);
	size_t n = fread(bytes, 1, 1 << 20, f);
	fclose(f);
	gen_remove(dir);
	for (size_t page = 0; page < n; page += 4096) {
		dir = gen_folder();
		snprintf(path, sizeof(path), "%s/heads", dir);
		mkdir(path, 0755);
		snprintf(path, sizeof(path), "%s/heads/%s", dir, name);
		size_t at = page + gen_random(&r) % 4096;
		uint8_t bit = (uint8_t)(1 << gen_random(&r) % 8);
		bytes[at] ^= bit;
		write_file(path, bytes, n);
		bytes[at] ^= bit;
		use_damaged(dir, most);
		gen_remove(dir);
	}
	free(bytes);
}

TEST(store_answers_enospc_while_the_disk_is_full_and_reads_on)
{
	char *dir = gen_folder();
	uint64_t bad = 0;
	struct ep_store *s = open_store(dir);
	append_n(s, 3);
	struct tally before = read_all(s, &bad);
	signal(SIGXFSZ, SIG_IGN);
	struct rlimit old, tight = {4096, 0};
	getrlimit(RLIMIT_FSIZE, &old);
	tight.rlim_max = old.rlim_max;
	setrlimit(RLIMIT_FSIZE, &tight);
	struct gen g = {.seed = 9, .n_stacks = 3000, .n_functions = 9000, .depth = 30, .n_sets = 9};
	struct ep_profile *p = gen_profile(&g);
	struct ep_err err = {0};
	int rc = gen_try_append(s, p, "shop", "host=a", ep_clock_wall_ns(), &err);
	struct tally during = read_all(s, &bad);
	setrlimit(RLIMIT_FSIZE, &old);
	signal(SIGXFSZ, SIG_DFL);
	assert_int_equal(rc, -ENOSPC);
	assert_non_null(strstr(err.text, "disk is full"));
	assert_int_equal(during.total, before.total);
	/* Room again: the same profile goes in, and nothing is missing after a restart. */
	gen_append(s, p, "shop", "host=a", ep_clock_wall_ns());
	ep_profile_free(p);
	struct tally after = read_all(s, &bad);
	assert_int_equal(after.points, before.points + 2);
	ep_store_close(s);
	s = open_store(dir);
	struct tally again = read_all(s, &bad);
	assert_int_equal(again.total, after.total);
	assert_int_equal(again.rows_total, after.rows_total);
	assert_int_equal(bad, 0);
	ep_store_close(s);
	gen_remove(dir);
}

TEST(store_refuses_two_columns_of_one_type)
{
	char *dir = gen_folder();
	struct ep_store *s = open_store(dir);
	struct ep_profile *p = small(1);
	struct ep_err err = {0};
	p->sample_types[0] = p->sample_types[1];
	assert_int_equal(gen_try_append(s, p, "shop", NULL, ep_clock_wall_ns(), &err), -EINVAL);
	assert_non_null(strstr(err.text, "cpu/nanoseconds is given twice"));
	ep_profile_free(p);
	append_n(s, 1);
	ep_store_close(s);
	gen_remove(dir);
}

TEST(store_refuses_a_profile_over_an_endless_time)
{
	char *dir = gen_folder();
	struct ep_store *s = open_store(dir);
	struct ep_profile *p = small(1);
	struct ep_err err = {0};
	struct ep_kv kv = {ep_slice_of("service_name"), ep_slice_of("shop")};
	struct ep_store_profile in = {.p = p, .labels = &kv, .n_labels = 1,
				      .time_ns = ep_clock_wall_ns(),
				      .duration_ns = UINT64_MAX - 5};
	assert_int_equal(ep_store_append(s, &in, &err), -EINVAL);
	assert_non_null(strstr(err.text, "the limit is 90 days"));
	ep_profile_free(p);
	ep_store_close(s);
	gen_remove(dir);
}

/* --- one head after the other ------------------------------------------------------------ */

TEST(store_begins_a_head_a_day)
{
	char *dir = gen_folder(), path[4096], old[4200];
	uint64_t bad = 0;
	ten_profiles(dir, path, sizeof(path));
	snprintf(old, sizeof(old), "%s/heads/20260101-0001.head", dir);
	assert_int_equal(rename(path, old), 0);
	struct ep_store *s = open_store(dir);
	append_n(s, 3);
	assert_string_equal(s->active->path, path); /* today's first */
	assert_int_equal(read_all(s, &bad).points, 26);
	assert_int_equal(ep_store_seal(s, NULL), 0);
	assert_string_equal(s->segments[0]->name, "20260101-0001");
	assert_int_equal(access(old, F_OK), -1); /* it is a segment now */
	assert_int_equal(read_all(s, &bad).points, 26);
	append_n(s, 3);
	ep_store_close(s);
	s = open_store(dir);
	append_n(s, 1); /* on with today's */
	assert_int_equal(s->n_heads, 1);
	assert_int_equal(read_all(s, &bad).points, 34);
	assert_int_equal(bad, 0);
	ep_store_close(s);
	gen_remove(dir);
}

/* A head is closed and sealed in its own time; this limit is for a hang only. */
static void wait_for_segment(struct ep_store *s)
{
	uint64_t until = ep_clock_mono_ns() + 60 * EP_NS_PER_S;
	for (uint32_t n = 0; !n && ep_clock_mono_ns() < until; usleep(1000)) {
		pthread_mutex_lock(&s->lock);
		n = s->n_segments;
		pthread_mutex_unlock(&s->lock);
		if (n)
			return;
	}
	fail_msg("the first head is no segment yet");
}

static void rotates(struct ep_store *s, const char *dir)
{
	uint64_t bad = 0;
	append_n(s, 1); /* over the budget: it still goes here */
	assert_non_null(strstr(s->active->name, "-0001.head"));
	append_n(s, 2);
	assert_non_null(strstr(s->active->name, "-0002.head"));
	wait_for_segment(s);
	struct tally t = read_all(s, &bad);
	assert_int_equal(t.points, 2 * (5 + 1 + 2));
	assert_int_equal(t.total, t.rows_total);
	ep_store_close(s);
	s = open_store(dir);
	assert_int_equal(read_all(s, &bad).total, t.total);
	append_n(s, 1);
	assert_non_null(strstr(s->active->name, "-0002.head"));
	assert_int_equal(bad, 0);
	ep_store_close(s);
}

TEST(store_begins_another_head_when_the_file_is_over_its_budget)
{
	char *dir = gen_folder();
	struct ep_store *s = open_store(dir);
	append_n(s, 5);
	s->active->max_pages = 1;
	rotates(s, dir);
	gen_remove(dir);
}

TEST(store_begins_another_head_when_its_memory_is_over_its_budget)
{
	char *dir = gen_folder();
	struct ep_store *s = open_store(dir);
	append_n(s, 5);
	s->active->max_memory = 1;
	s->active->w.n_writes = 0; /* it looks again now, not at every write */
	rotates(s, dir);
	gen_remove(dir);
}

/* --- hostile files ------------------------------------------------------------------------ */

/* A flipped bit in a row's number must not make as many series. */
TEST(store_believes_no_endless_series_number)
{
	char *dir = gen_folder(), path[4096];
	uint64_t bad = 0;
	ten_profiles(dir, path, sizeof(path));
	run_sql(path, "INSERT INTO series SELECT 3000000, service, data FROM series WHERE id=0");
	run_sql(path, "INSERT INTO series SELECT -7, service, data FROM series WHERE id=0");
	struct ep_store *s = open_store(dir);
	struct tally t = read_all(s, &bad);
	assert_int_equal(t.points, 20);
	assert_true(ep_vec_n(&s->heads[0]->series) < 100000);
	append_n(s, 1); /* elsewhere */
	assert_int_equal(s->n_heads, 2);
	ep_store_close(s);
	gen_remove(dir);
}
