#include "push/spool.h"

#include "../test.h"
#include "base/hash.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char dir[64];

static void make_dir(void)
{
	strcpy(dir, "/tmp/everprof-test-XXXXXX");
	assert_non_null(mkdtemp(dir));
	strcat(dir, "/spool");
}

static void remove_dir(void)
{
	DIR *d = opendir(dir);
	for (struct dirent *e; d && (e = readdir(d));)
		unlinkat(dirfd(d), e->d_name, 0);
	if (d)
		closedir(d);
	rmdir(dir);
	*strrchr(dir, '/') = '\0';
	rmdir(dir);
}

static struct ep_push_item item(uint64_t from, const char *body)
{
	return (struct ep_push_item){.name = "app{a=b}",
				     .from_ns = from,
				     .until_ns = from + 10,
				     .sample_rate_hz = 100,
				     .pprof_gz = body,
				     .n_bytes = strlen(body)};
}

TEST(spool_gives_back_what_it_took_oldest_first)
{
	make_dir();
	struct ep_spool s;
	struct ep_spool_item i;
	assert_int_equal(ep_spool_init(&s, dir, 1 << 20), 0);
	assert_int_equal(ep_spool_take(&s, "", &i), -ENOENT);
	struct ep_push_item late = item(2000, "late"), early = item(1000, "early");
	assert_int_equal(ep_spool_put(&s, &late), 0);
	assert_int_equal(ep_spool_put(&s, &early), 0);
	assert_int_equal(s.n_files, 2);
	assert_int_equal(ep_spool_take(&s, "", &i), 0);
	assert_string_equal(i.item.name, "app{a=b}");
	assert_int_equal(i.item.from_ns, 1000);
	assert_int_equal(i.item.until_ns, 1010);
	assert_int_equal(i.item.sample_rate_hz, 100);
	assert_int_equal(i.item.n_bytes, 5);
	assert_memory_equal(i.item.pprof_gz, "early", 5);
	ep_spool_remove(&s, &i);
	assert_int_equal(ep_spool_take(&s, "", &i), 0);
	assert_int_equal(i.item.from_ns, 2000);
	ep_spool_remove(&s, &i);
	assert_int_equal(s.n_files, 0);
	assert_int_equal(s.n_bytes, 0);
	ep_spool_fini(&s);
	remove_dir();
}

TEST(spool_gives_one_file_to_one_sender)
{
	make_dir();
	struct ep_spool a, b;
	struct ep_spool_item i, j;
	assert_int_equal(ep_spool_init(&a, dir, 1 << 20), 0);
	assert_int_equal(ep_spool_init(&b, dir, 1 << 20), 0);
	struct ep_push_item one = item(1, "one");
	assert_int_equal(ep_spool_put(&a, &one), 0);
	assert_int_equal(ep_spool_take(&a, "", &i), 0);
	assert_int_equal(ep_spool_take(&b, "", &j), -ENOENT);
	ep_spool_put_back(&a, &i);
	assert_int_equal(ep_spool_take(&b, "", &j), 0);
	ep_spool_remove(&b, &j);
	assert_int_equal(ep_spool_take(&a, "", &i), -ENOENT);
	ep_spool_fini(&a);
	ep_spool_fini(&b);
	remove_dir();
}

TEST(spool_drops_and_counts_the_oldest_past_its_limit)
{
	make_dir();
	struct ep_spool s;
	struct ep_spool_item i;
	char body[1001] = {0};
	memset(body, 'x', 1000);
	assert_int_equal(ep_spool_init(&s, dir, 3 * 1100), 0);
	for (uint64_t t = 1; t <= 5; t++) {
		struct ep_push_item it = item(t, body);
		assert_int_equal(ep_spool_put(&s, &it), 0);
	}
	assert_int_equal(s.n_files, 3);
	assert_int_equal(s.n_dropped, 2);
	assert_true(s.n_bytes <= s.max_bytes);
	assert_int_equal(ep_spool_take(&s, "", &i), 0);
	assert_int_equal(i.item.from_ns, 3);
	ep_spool_put_back(&s, &i);
	char big[4000] = {0};
	memset(big, 'y', sizeof(big) - 1);
	struct ep_push_item too_big = item(9, big);
	assert_int_equal(ep_spool_put(&s, &too_big), -E2BIG);
	ep_spool_fini(&s);
	remove_dir();
}

TEST(spool_sets_a_broken_file_aside)
{
	make_dir();
	struct ep_spool s;
	struct ep_spool_item i;
	assert_int_equal(ep_spool_init(&s, dir, 1 << 20), 0);
	struct ep_push_item bad = item(1, "bad"), good = item(2, "good");
	assert_int_equal(ep_spool_put(&s, &bad), 0);
	char path[200];
	snprintf(path, sizeof(path), "%s/%020d-%d-0.spool", dir, 1, (int)getpid());
	FILE *f = fopen(path, "r+");
	assert_non_null(f);
	fseek(f, -1, SEEK_END);
	fputc('X', f);
	fclose(f);
	assert_int_equal(ep_spool_put(&s, &good), 0);
	assert_int_equal(ep_spool_take(&s, "", &i), 0);
	assert_int_equal(i.item.from_ns, 2);
	assert_int_equal(s.n_dropped, 1);
	assert_int_not_equal(access(path, F_OK), 0);
	ep_spool_remove(&s, &i);
	ep_spool_fini(&s);
	remove_dir();
}

TEST(spool_notices_every_cut_and_every_flipped_bit)
{
	struct ep_push_item it = item(7, "some bytes"), got;
	ep_auto_buf b;
	ep_buf_init(&b, 10000);
	ep_spool_encode(&it, &b);
	assert_int_equal(ep_spool_decode(b.data, b.len, &got, NULL), 0);
	for (size_t n = 0; n < b.len; n++)
		assert_true(ep_spool_decode(b.data, n, &got, NULL) < 0);
	for (size_t k = 0; k < b.len * 8; k++) {
		b.data[k / 8] ^= (uint8_t)(1 << k % 8);
		assert_true(ep_spool_decode(b.data, b.len, &got, NULL) < 0);
		b.data[k / 8] ^= (uint8_t)(1 << k % 8);
	}
}

TEST(spool_refuses_a_name_that_ends_before_its_end)
{
	struct ep_push_item was = item(1000, "body"), got;
	struct ep_err err = {0};
	ep_auto_buf file;
	ep_buf_init(&file, 1 << 20);
	ep_spool_encode(&was, &file);
	file.data[48 + 3] = '\0';
	memset(file.data + 40, 0, 8); /* and its checksum is right */
	uint64_t sum = ep_hash_mix(ep_hash64(file.data, 48), ep_hash64(file.data + 48, file.len - 48));
	memcpy(file.data + 40, &sum, 8);
	assert_int_equal(ep_spool_decode(file.data, file.len, &got, &err), -EBADMSG);
	assert_string_equal(err.text, "a spool file's name does not end where it says");
}
