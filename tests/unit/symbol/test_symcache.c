#include "test.h"

#include "base/hash.h"
#include "elf/elf.h"
#include "symbol/format.h"
#include "symbol/symbol.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char *temp_dir(void)
{
	static char dir[64];
	strcpy(dir, "/tmp/everprof-symcache-XXXXXX");
	assert_non_null(mkdtemp(dir));
	return dir;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	return remove(path);
}

static void remove_dir(const char *dir)
{
	nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void own_id(char *ret_hex)
{
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	ep_auto(ep_elf) e = NULL;
	assert_int_equal(ep_elf_open(fd, &e, NULL), 0);
	assert_int_equal(ep_elf_build_id(e, ret_hex, NULL), 0);
	close(fd);
}

TEST(symcache_keeps_a_table_over_a_restart)
{
	char *dir = temp_dir(), id[EP_ELF_HEX_MAX];
	own_id(id);
	struct ep_symcache *c = NULL;
	struct ep_err err = {0};
	assert_int_equal(ep_symcache_new(dir, &c, &err), 0);
	assert_false(ep_symcache_has(c, ep_slice_of(id)));
	if (ep_symcache_add_file(c, ep_slice_of(id), "/proc/self/exe", &err) < 0)
		fail_msg("%s", err.text);
	assert_true(ep_symcache_has(c, ep_slice_of(id)));
	uint32_t n = ep_symtab_count(ep_symcache_get(c, ep_slice_of(id)));
	ep_symcache_free(c);
	assert_int_equal(ep_symcache_new(dir, &c, &err), 0);
	assert_int_equal(ep_symtab_count(ep_symcache_get(c, ep_slice_of(id))), n);
	ep_symcache_free(c);
	remove_dir(dir);
}

TEST(symcache_refuses_another_build_id_and_names_that_are_no_hex)
{
	char *dir = temp_dir();
	ep_auto(ep_symcache) c = NULL;
	struct ep_err err = {0};
	assert_int_equal(ep_symcache_new(dir, &c, &err), 0);
	assert_int_equal(ep_symcache_add_file(c, ep_slice_of("00112233445566778899"),
					      "/proc/self/exe", &err),
			 -EBADMSG);
	assert_false(ep_symcache_has(c, ep_slice_of("00112233445566778899")));
	static const char *const bad[] = {"",
					  "ab",
					  "../../etc/passwd",
					  "ABCDEF0123456789",
					  "0011223344556677/",
					  "0011223344556677\n"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		assert_int_equal(ep_symcache_put(c, ep_slice_of(bad[i]), "", 0, NULL),
				 -EINVAL);
		assert_null(ep_symcache_get(c, ep_slice_of(bad[i])));
	}
	remove_dir(dir);
}

TEST(symcache_takes_a_table_from_any_place_in_a_request)
{
	char *dir = temp_dir(), id[EP_ELF_HEX_MAX];
	own_id(id);
	ep_auto(ep_symcache) c = NULL;
	assert_int_equal(ep_symcache_new(dir, &c, NULL), 0);
	ep_auto_buf b;
	ep_buf_init(&b, 256 << 20);
	ep_buf_add_str(&b, "odd");
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	assert_int_equal(ep_symtab_build(fd, &b, NULL), 0);
	close(fd);
	assert_int_equal(
		ep_symcache_put(c, ep_slice_of(id), b.data + 3, b.len - 3, NULL), 0);
	assert_true(ep_symcache_has(c, ep_slice_of(id)));
	assert_int_equal(ep_symcache_put(c, ep_slice_of(id), b.data, b.len, NULL),
			 -EBADMSG);
	remove_dir(dir);
}

TEST(symcache_takes_a_damaged_file_for_absent_and_replaces_it)
{
	char *dir = temp_dir(), id[EP_ELF_HEX_MAX], path[256];
	own_id(id);
	ep_auto(ep_symcache) c = NULL;
	assert_int_equal(ep_symcache_new(dir, &c, NULL), 0);
	snprintf(path, sizeof(path), "%s/%.2s", dir, id);
	assert_int_equal(mkdir(path, 0755), 0);
	snprintf(path, sizeof(path), "%s/%.2s/%s", dir, id, id + 2);
	FILE *f = fopen(path, "w");
	fputs("EPSYMTAB and then nothing sensible", f);
	fclose(f);
	assert_null(ep_symcache_get(c, ep_slice_of(id)));
	assert_int_equal(
		ep_symcache_add_file(c, ep_slice_of(id), "/proc/self/exe", NULL), 0);
	assert_non_null(ep_symcache_get(c, ep_slice_of(id)));
	remove_dir(dir);
}

TEST(symcache_asks_for_a_table_of_an_older_version_again_but_uses_it)
{
	char *dir = temp_dir(), id[EP_ELF_HEX_MAX];
	own_id(id);
	ep_auto(ep_symcache) c = NULL;
	assert_int_equal(ep_symcache_new(dir, &c, NULL), 0);
	ep_auto_buf b;
	ep_buf_init(&b, 256 << 20);
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	assert_int_equal(ep_symtab_build(fd, &b, NULL), 0);
	close(fd);
	struct ep_format_head *h = (struct ep_format_head *)(void *)b.data;
	h->version = 1;
	h->checksum = 0;
	h->checksum = ep_hash64(h, h->n_bytes);
	assert_int_equal(ep_symcache_put(c, ep_slice_of(id), b.data, b.len, NULL), 0);
	assert_non_null(ep_symcache_get(c, ep_slice_of(id)));
	assert_false(ep_symcache_has(c, ep_slice_of(id)));
	assert_int_equal(
		ep_symcache_add_file(c, ep_slice_of(id), "/proc/self/exe", NULL), 0);
	assert_true(ep_symcache_has(c, ep_slice_of(id)));
	remove_dir(dir);
}
