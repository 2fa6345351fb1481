/* test_seal.c - heads become segments: nothing lost, nothing twice, damage costs its block. */
#include "kit.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static void must_seal(struct ep_store *s)
{
	struct ep_err err = {0};
	if (ep_store_seal(s, &err) < 0)
		fail_msg("seal: %s", err.text);
}

static bool exists(const char *dir, const char *name)
{
	char path[4096];
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return access(path, F_OK) == 0;
}

static void assert_same(struct tally a, struct tally b)
{
	assert_int_equal(a.points, b.points);
	assert_int_equal(a.rows, b.rows);
	assert_int_equal(a.total, b.total);
	assert_int_equal(a.rows_total, b.rows_total);
}

TEST(a_sealed_store_has_everything)
{
	char *dir = gen_folder(), head[4096];
	uint64_t bad = 0;
	struct ep_store *s = open_store(dir);
	append_n(s, 90); /* two hours' worth when the hour ends meanwhile */
	struct tally before = read_all(s, &bad);
	snprintf(head, sizeof(head), "%s", s->heads[0]->path);
	must_seal(s);
	assert_int_equal(s->n_heads, 0);
	assert_int_equal(s->n_segments, 1);
	assert_same(read_all(s, &bad), before);
	append_n(s, 4); /* to another head, under another name */
	assert_non_null(strstr(s->heads[0]->name, "-0002.head"));
	struct tally both = read_all(s, &bad);
	assert_int_equal(both.points, before.points + 8);
	ep_store_close(s);
	assert_int_equal(access(head, F_OK), -1);
	s = open_store(dir);
	assert_same(read_all(s, &bad), both);
	must_seal(s);
	assert_int_equal(s->n_segments, 2);
	assert_same(read_all(s, &bad), both);
	assert_int_equal(bad, 0);
	ep_store_close(s);
	gen_remove(dir);
}

TEST(a_reader_keeps_the_head_that_is_sealed_meanwhile)
{
	char *dir = gen_folder();
	uint64_t bad = 0;
	struct ep_store *s = open_store(dir);
	append_n(s, 10);
	struct tally before = read_all(s, &bad), t = {0};
	uint32_t n = 0;
	assert_int_equal(ep_read_open(s, 0, UINT64_MAX, &t.r, NULL), 0);
	assert_int_equal(ep_blob_init(&t.blob), 0);
	must_seal(s);
	const struct ep_read_series *v = ep_read_series(t.r, &n);
	for (uint32_t i = 0; i < n; i++) {
		t.s = &v[i];
		assert_int_equal(ep_read_points(t.r, &v[i], count_point, &t, NULL), 0);
	}
	assert_same(t, before);
	ep_blob_fini(&t.blob);
	ep_read_close(t.r);
	assert_same(read_all(s, &bad), before);
	ep_store_close(s);
	gen_remove(dir);
}

/* --- what a crash leaves ------------------------------------------------------------------- */

static void copy_file(const char *dir, const char *from, const char *to)
{
	char a[4096], b[4096], buf[1 << 16];
	size_t n;
	snprintf(a, sizeof(a), "%s/%s", dir, from);
	snprintf(b, sizeof(b), "%s/%s", dir, to);
	FILE *in = fopen(a, "rb"), *out = fopen(b, "wb");
	assert_non_null(in);
	assert_non_null(out);
	while ((n = fread(buf, 1, sizeof(buf), in)) > 0)
		assert_int_equal(fwrite(buf, 1, n, out), n);
	fclose(in);
	fclose(out);
}

/* A sealed store; its head is kept beside as "kept". */
static struct tally sealed_store(const char *dir, uint32_t n, char stem[14])
{
	char name[64];
	uint64_t bad = 0;
	struct ep_store *s = open_store(dir);
	append_n(s, n);
	struct tally t = read_all(s, &bad);
	snprintf(stem, 14, "%.13s", s->heads[0]->name);
	ep_store_close(s);
	snprintf(name, sizeof(name), "heads/%s.head", stem);
	copy_file(dir, name, "kept");
	s = open_store(dir);
	must_seal(s);
	ep_store_close(s);
	return t;
}

TEST(a_head_beside_its_segment_counts_once)
{
	char *dir = gen_folder(), stem[14], name[64];
	uint64_t bad = 0;
	struct tally t = sealed_store(dir, 8, stem);
	snprintf(name, sizeof(name), "heads/%s.head", stem);
	copy_file(dir, "kept", name); /* killed before it was removed */
	struct ep_store *s = open_store(dir);
	assert_same(read_all(s, &bad), t);
	assert_false(exists(dir, name));
	ep_store_close(s);
	gen_remove(dir);
}

TEST(a_segment_that_was_not_finished_is_made_again)
{
	char *dir = gen_folder(), stem[14], name[64], half[64];
	uint64_t bad = 0;
	struct tally t = sealed_store(dir, 8, stem);
	snprintf(name, sizeof(name), "heads/%s.head", stem);
	copy_file(dir, "kept", name);
	/* Killed between the two names: the segment has its temporary one. */
	char from[4096], to[4096];
	snprintf(from, sizeof(from), "%s/segments/%s.segment", dir, stem);
	snprintf(to, sizeof(to), "%s/segments/%s.new.segment", dir, stem);
	assert_int_equal(rename(from, to), 0);
	struct ep_store *s = open_store(dir);
	snprintf(half, sizeof(half), "segments/%s.new.segment", stem);
	assert_false(exists(dir, half));
	assert_same(read_all(s, &bad), t);
	must_seal(s);
	assert_same(read_all(s, &bad), t);
	assert_int_equal(s->n_segments, 1);
	assert_int_equal(bad, 0);
	ep_store_close(s);
	gen_remove(dir);
}

TEST(a_segment_without_its_minutes_answers_whole_hours)
{
	char *dir = gen_folder(), stem[14], path[4096];
	uint64_t bad = 0;
	struct tally t = sealed_store(dir, 8, stem);
	snprintf(path, sizeof(path), "%s/segments/%s.minutes", dir, stem);
	assert_int_equal(unlink(path), 0);
	struct ep_store *s = open_store(dir);
	struct tally after = read_all(s, &bad); /* profile by profile: their heads alone */
	assert_int_equal(after.points, t.points);
	assert_int_equal(after.rows, 0);
	assert_int_equal(bad, t.points);
	ep_store_close(s);
	gen_remove(dir);
}

/* --- damage ----------------------------------------------------------------------------------- */

static void flip(const char *path, size_t at, uint8_t bit)
{
	FILE *f = fopen(path, "r+b");
	assert_non_null(f);
	fseek(f, (long)at, SEEK_SET);
	int c = fgetc(f);
	fseek(f, (long)at, SEEK_SET);
	fputc(c ^ bit, f);
	fclose(f);
}

static size_t size_of(const char *path)
{
	struct stat st = {0};
	assert_int_equal(stat(path, &st), 0);
	return (size_t)st.st_size;
}

/* A bit in every 200 bytes of both files: it starts, says so, and counts nothing false. */
static void flip_all(const char *suffix)
{
	char *dir = gen_folder(), stem[14], path[4096];
	uint64_t r = 3, found = 0, lost = 0;
	struct tally t = sealed_store(dir, 12, stem);
	snprintf(path, sizeof(path), "%s/segments/%s%s", dir, stem, suffix);
	size_t n = size_of(path), n_flips = 0;
	for (size_t page = 0; page + 200 < n; page += 200, n_flips++) {
		size_t at = page + gen_random(&r) % 200;
		uint8_t bit = (uint8_t)(1 << gen_random(&r) % 8);
		uint64_t bad = 0;
		flip(path, at, bit);
		struct ep_store *s = NULL;
		assert_int_equal(ep_store_open(dir, &s, NULL), 0);
		struct tally after = read_all(s, &bad);
		assert_true(after.total <= t.total);
		assert_true(after.rows_total <= t.rows_total);
		assert_int_equal(after.total, after.rows_total); /* never half a profile */
		found += bad > 0;
		lost += after.points < t.points;
		ep_store_close(s);
		flip(path, at, bit);
	}
	print_message("%s: %zu flips, %llu cost something, %llu profiles\n", suffix, n_flips,
		      (unsigned long long)found, (unsigned long long)lost);
	assert_true(found > 0);
	gen_remove(dir);
}

TEST(a_flipped_bit_in_a_segment_costs_its_block)
{
	flip_all(EP_SEGMENT_SUFFIX);
}

TEST(a_flipped_bit_in_the_minutes_costs_its_block)
{
	flip_all(EP_MINUTES_SUFFIX);
}

TEST(either_end_of_a_segment_is_enough)
{
	char *dir = gen_folder(), stem[14], path[4096];
	uint64_t bad = 0;
	struct tally t = sealed_store(dir, 8, stem);
	snprintf(path, sizeof(path), "%s/segments/%s.segment", dir, stem);
	size_t ends[] = {20, size_of(path) - 20};
	for (int i = 0; i < 2; i++) {
		flip(path, ends[i], 4);
		struct ep_store *s = open_store(dir);
		assert_same(read_all(s, &bad), t);
		assert_int_equal(bad, 0);
		ep_store_close(s);
		flip(path, ends[i], 4);
	}
	/* Without both it is left out, and that is said. */
	flip(path, ends[0], 4);
	flip(path, ends[1], 4);
	struct ep_store *s = open_store(dir);
	assert_int_equal(read_all(s, &bad).points, 0);
	assert_int_equal(bad, 1);
	ep_store_close(s);
	gen_remove(dir);
}

TEST(a_damaged_segment_is_made_again_from_its_head)
{
	char *dir = gen_folder(), stem[14], path[4096], name[64];
	uint64_t bad = 0;
	struct tally t = sealed_store(dir, 8, stem);
	snprintf(path, sizeof(path), "%s/segments/%s.segment", dir, stem);
	flip(path, 20, 4);
	flip(path, size_of(path) - 20, 4);
	snprintf(name, sizeof(name), "heads/%s.head", stem);
	copy_file(dir, "kept", name);
	struct ep_store *s = open_store(dir);
	must_seal(s);
	assert_same(read_all(s, &bad), t);
	assert_int_equal(bad, 0);
	ep_store_close(s);
	gen_remove(dir);
}

TEST(a_damaged_head_stays_a_head)
{
	char *dir = gen_folder();
	uint64_t bad = 0;
	struct ep_store *s = open_store(dir);
	append_n(s, 5);
	struct tally t = read_all(s, &bad);
	ep_head_set_aside(s->heads[0], 2, "x", 1, "by this test");
	must_seal(s);
	assert_int_equal(s->n_segments, 0);
	assert_int_equal(s->n_heads, 1);
	assert_int_equal(read_all(s, &bad).points, t.points);
	append_n(s, 1);
	assert_int_equal(s->n_heads, 2); /* nothing is added to it */
	ep_store_close(s);
	gen_remove(dir);
}

TEST(a_full_disk_leaves_the_head)
{
	char *dir = gen_folder();
	uint64_t bad = 0;
	struct ep_store *s = open_store(dir);
	append_n(s, 40);
	struct tally before = read_all(s, &bad);
	signal(SIGXFSZ, SIG_IGN);
	struct rlimit old, tight = {2000, 0};
	getrlimit(RLIMIT_FSIZE, &old);
	tight.rlim_max = old.rlim_max;
	setrlimit(RLIMIT_FSIZE, &tight);
	struct ep_err err = {0};
	int rc = ep_store_seal(s, &err);
	struct tally during = read_all(s, &bad);
	setrlimit(RLIMIT_FSIZE, &old);
	signal(SIGXFSZ, SIG_DFL);
	assert_int_equal(rc, -ENOSPC);
	assert_same(during, before);
	must_seal(s);
	assert_int_equal(s->n_segments, 1);
	assert_same(read_all(s, &bad), before);
	assert_int_equal(bad, 0);
	ep_store_close(s);
	gen_remove(dir);
}
