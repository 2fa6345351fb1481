/*
 * fuzz_tablefile.c - a hostile file in the folder of unwind tables, as its owner or a
 * broken disk could leave it there: mapped under the name it claims, and looked up in.
 *
 * A checksum would keep the fuzzer out, so it is put right first, as are the maker and the
 * key, of which a file name is made.
 */
#include "base/hash.h"
#include "base/mem.h"
#include "unwind/build/tablefile.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static char path[] = "/dev/shm/fuzz-tables-XXXXXX";

static void remove_folder(void)
{
	(void)rmdir(path); /* empty, unless we crashed */
}

static int folder(void)
{
	static int fd = -1;
	if (fd < 0 && mkdtemp(path)) {
		fd = open(path, O_RDONLY | O_DIRECTORY);
		(void)atexit(remove_folder);
	}
	return fd;
}

static void put_right(uint8_t *copy, size_t n, const struct ep_compile_key *key)
{
	struct ep_table h;
	memcpy(&h, copy, sizeof(h));
	h.maker = EP_TABLE_MAKER;
	h.image = key->image;
	memset(h.build_id, 0, sizeof(h.build_id));
	memcpy(h.build_id, key->build_id, strlen(key->build_id));
	h.checksum = 0;
	memcpy(copy, &h, sizeof(h));
	if (h.n_bytes > n)
		return;
	h.checksum = ep_hash64(copy, h.n_bytes);
	memcpy(copy, &h, sizeof(h));
}

static void look_up(const struct ep_table *t)
{
	uint64_t span = t->limit - t->start, step = span / 1000 + 1;
	for (uint64_t at = 0; at < span; at += step)
		if (ep_table_find(t, t->start + at)->kind == 0xff)
			__builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const struct ep_compile_key key = {.build_id = "abcd", .image = 77};
	char name[EP_TABLEFILE_NAME_MAX];
	struct ep_tablefile f;
	ep_tablefile_name(&key, name);
	uint8_t *copy = ep_alloc(n);
	memcpy(copy, data, n);
	if (n >= sizeof(struct ep_table))
		put_right(copy, n, &key);
	int fd = openat(folder(), name, O_WRONLY | O_CREAT | O_EXCL, 0444);
	if (fd < 0 || write(fd, copy, n) != (ssize_t)n)
		abort();
	close(fd);
	if (ep_tablefile_map(folder(), &key, &f) == 0) {
		look_up(f.table);
		ep_tablefile_release(&f);
	}
	if (unlinkat(folder(), name, 0) < 0)
		abort();
	ep_free(copy);
	return 0;
}
