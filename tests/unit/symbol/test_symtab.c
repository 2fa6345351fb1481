#include "test.h"

#include "base/hash.h"
#include "elf/elf.h"
#include "symbol/start_code.h"
#include "symbol/format.h"
#include "symbol/symbol.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void build(const char *path, struct ep_buf *b)
{
	struct ep_err err = {0};
	ep_buf_init(b, 256 << 20);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	if (ep_symtab_build(fd, b, &err) < 0)
		fail_msg("%s: %s", path, err.text);
	close(fd);
}

/* Where the file's virtual addresses lie in this process. */
static uint64_t bias_of(const void *at, const char **ret_path)
{
	Dl_info info;
	struct link_map *map;
	assert_int_not_equal(dladdr1(at, &info, (void **)&map, RTLD_DL_LINKMAP), 0);
	if (ret_path)
		*ret_path = info.dli_fname;
	return map->l_addr;
}

__attribute__((noinline)) static int local_function(int x)
{
	return x * 3 + 1;
}

TEST(symtab_names_a_local_function_of_this_program)
{
	ep_auto_buf b;
	build("/proc/self/exe", &b);
	ep_auto(ep_symtab) t = NULL;
	assert_int_equal(ep_symtab_open(b.data, b.len, &t, NULL), 0);
	int (*volatile fn)(int) = local_function;
	uint64_t vaddr = (uintptr_t)fn - bias_of((void *)fn, NULL);
	struct ep_symbol s;
	assert_int_equal(ep_symtab_find(t, vaddr + 1, &s), 0);
	assert_true(ep_slice_is(s.name, "local_function"));
	assert_true(ep_slice_is(s.system_name, "local_function"));
	assert_int_equal(s.start, vaddr);
	assert_true(s.size > 1 && s.size < 1000);
}

TEST(symtab_of_libc_prefers_the_name_people_know)
{
	const char *path;
	uint64_t bias = bias_of((void *)write, &path);
	ep_auto_buf b;
	build(path, &b);
	ep_auto(ep_symtab) t = NULL;
	assert_int_equal(ep_symtab_open(b.data, b.len, &t, NULL), 0);
	assert_int_equal(strlen(ep_symtab_build_id(t)), 40);
	assert_true(ep_symtab_count(t) > 1000);
	struct ep_symbol s;
	assert_int_equal(ep_symtab_find(t, (uintptr_t)write - bias, &s), 0);
	assert_true(ep_slice_is(s.name, "write")); /* not __write */
	assert_int_equal(ep_symtab_find(t, (uintptr_t)qsort - bias + 4, &s), 0);
	assert_true(ep_slice_is(s.name, "qsort"));
}

TEST(symtab_converts_file_offsets_as_the_elf_file_does)
{
	ep_auto_buf b;
	build("/proc/self/exe", &b);
	ep_auto(ep_symtab) t = NULL;
	assert_int_equal(ep_symtab_open(b.data, b.len, &t, NULL), 0);
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	ep_auto(ep_elf) e = NULL;
	assert_int_equal(ep_elf_open(fd, &e, NULL), 0);
	const Elf64_Shdr *text = ep_elf_find_section(e, ".text");
	assert_int_equal(ep_symtab_vaddr(t, text->sh_offset + 5), text->sh_addr + 5);
	assert_true(ep_symtab_vaddr(t, (uint64_t)1 << 60) == UINT64_MAX);
	close(fd);
}

/* A copy of this program without its symbols; the caller removes it. */
static void strip(char path[32])
{
	char command[128];
	strcpy(path, "/tmp/everprof-strip-XXXXXX");
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	close(fd);
	snprintf(command, sizeof(command), "strip -o %s /proc/%d/exe", path, (int)getpid());
	assert_int_equal(system(command), 0);
}

TEST(symtab_of_a_stripped_program_knows_where_functions_begin_and_end)
{
	char path[32];
	ep_auto_buf b, b_all;
	strip(path);
	build(path, &b);
	build("/proc/self/exe", &b_all);
	assert_int_equal(unlink(path), 0);
	ep_auto(ep_symtab) t = NULL;
	ep_auto(ep_symtab) all = NULL;
	assert_int_equal(ep_symtab_open(b.data, b.len, &t, NULL), 0);
	assert_int_equal(ep_symtab_open(b_all.data, b_all.len, &all, NULL), 0);
	int (*volatile fn)(int) = local_function;
	uint64_t vaddr = (uintptr_t)fn - bias_of((void *)fn, NULL);
	struct ep_symbol s, named;
	assert_int_equal(ep_symtab_find(all, vaddr + 1, &named), 0);
	assert_int_equal(ep_symtab_find(t, vaddr + 1, &s), 0);
	assert_int_equal(s.name.n + s.system_name.n, 0);
	assert_int_equal(s.start, vaddr);
	assert_int_equal(s.size, named.size);
	assert_true(ep_symtab_count(t) < ep_symtab_count(all));
	assert_true(ep_symtab_is_better(all, t));
	assert_false(ep_symtab_is_better(t, all));
	assert_false(ep_symtab_is_better(t, t));
}

TEST(symtab_finds_a_function_by_its_place_in_the_file)
{
	ep_auto_buf b;
	build("/proc/self/exe", &b);
	ep_auto(ep_symtab) t = NULL;
	assert_int_equal(ep_symtab_open(b.data, b.len, &t, NULL), 0);
	int (*volatile fn)(int) = local_function;
	uint64_t vaddr = (uintptr_t)fn - bias_of((void *)fn, NULL);
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	ep_auto(ep_elf) e = NULL;
	assert_int_equal(ep_elf_open(fd, &e, NULL), 0);
	uint64_t at = ep_elf_offset(e, vaddr);
	struct ep_symbol s;
	assert_int_equal(ep_symtab_find_offset(t, at + 2, &s), 0);
	assert_int_equal(s.file_offset, at);
	assert_true(ep_slice_is(s.name, "local_function"));
	assert_int_equal(ep_symtab_find_offset(t, (uint64_t)1 << 60, &s), -ENOENT);
	close(fd);
}

/* Stubs that no symbol covers otherwise; how linkers write them differs. */
TEST(symtab_names_the_stubs_of_other_libraries_functions)
{
	ep_auto_buf b;
	build("/proc/self/exe", &b);
	ep_auto(ep_symtab) t = NULL;
	assert_int_equal(ep_symtab_open(b.data, b.len, &t, NULL), 0);
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	ep_auto(ep_elf) e = NULL;
	assert_int_equal(ep_elf_open(fd, &e, NULL), 0);
	const Elf64_Shdr *plt = ep_elf_find_section(e, ".plt.sec");
	if (!plt)
		plt = ep_elf_find_section(e, ".plt");
	if (!plt || ep_elf_machine(e) != EM_X86_64)
		skip();
	unsigned n = 0, n_named = 0, n_known = 0;
	for (uint64_t at = 16; at < plt->sh_size; at += 16, n++) {
		struct ep_symbol s;
		if (ep_symtab_find(t, plt->sh_addr + at + 4, &s) < 0 || s.name.n < 5 ||
		    memcmp(s.name.p + s.name.n - 4, "@plt", 4) != 0)
			continue;
		n_named++;
		n_known += ep_slice_is(s.name, "unlink@plt");
		assert_int_equal(s.size, 16);
	}
	assert_true(n > 10);
	assert_true(n_named + 2 >= n); /* the linker's own at the edges have none */
	assert_int_equal(n_known, 1);
	close(fd);
}

int main(int argc, char **argv);

TEST(symtab_finds_main_of_a_program_without_asking_its_symbols)
{
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	ep_auto(ep_elf) e = NULL;
	assert_int_equal(ep_elf_open(fd, &e, NULL), 0);
	struct ep_start_code found = ep_start_code_find(e);
	assert_int_equal(found.main.start,
			 (uintptr_t)main - bias_of((void *)main, NULL));
	assert_true(found.main.size > 10 && found.main.size < 10000);
	assert_int_equal(found.start.start, ep_elf_entry(e));
	assert_true(found.start.size > 10 && found.start.size < 100);
	close(fd);
}

TEST(symtab_of_debians_stripped_sqlite_has_main)
{
	if (access("/usr/bin/sqlite3", R_OK) != 0) {
		print_message("sqlite3 is not here\n");
		skip();
	}
	int fd = open("/usr/bin/sqlite3", O_RDONLY | O_CLOEXEC);
	ep_auto(ep_elf) e = NULL;
	assert_int_equal(ep_elf_open(fd, &e, NULL), 0);
	ep_auto_buf b;
	build("/usr/bin/sqlite3", &b);
	ep_auto(ep_symtab) t = NULL;
	assert_int_equal(ep_symtab_open(b.data, b.len, &t, NULL), 0);
	struct ep_symbol s;
	assert_int_equal(ep_symtab_find(t, ep_start_code_find(e).main.start + 8, &s),
			 0);
	assert_true(ep_slice_is(s.name, "main"));
	assert_int_equal(ep_symtab_find(t, ep_elf_entry(e), &s), 0);
	assert_true(ep_slice_is(s.name, "_start"));
	close(fd);
}

/* A table by hand: alpha [0x1000,0x1010), beta [0x1010,0x1100) around
 * inner [0x1020,0x1030). */
struct small {
	struct ep_format_head h;
	struct ep_format_segment seg;
	struct ep_format_symbol s[3];
	char strings[24];
};

static void sign(struct small *t)
{
	t->h.checksum = 0;
	t->h.checksum = ep_hash64(t, sizeof(*t));
}

static struct small small_table(void)
{
	struct small t = {
		.h = {.magic = EP_FORMAT_MAGIC,
		      .version = EP_FORMAT_VERSION,
		      .n_segments = 1,
		      .n_bytes = sizeof(t),
		      .n_symbols = 3,
		      .n_strings = sizeof(t.strings)},
		.seg = {0x200, 0x1000, 0x1000},
		.s = {{0x1000, 0x10, 1, 1, 0},
		      {0x1010, 0xf0, 7, 7, 0},
		      {0x1020, 0x10, 12, 12, 0}},
	};
	memcpy(t.strings, "\0alpha\0beta\0inner\0\0\0\0\0\0", 24);
	t.h.checksum = ep_hash64(&t, sizeof(t));
	return t;
}

TEST(symtab_finds_the_innermost_function_and_no_name_in_a_hole)
{
	struct small raw = small_table();
	ep_auto(ep_symtab) t = NULL;
	assert_int_equal(ep_symtab_open(&raw, sizeof(raw), &t, NULL), 0);
	static const struct {
		uint64_t at;
		const char *name;
	} want[] = {{0xfff, NULL},     {0x1000, "alpha"}, {0x100f, "alpha"},
		    {0x1010, "beta"},  {0x1020, "inner"}, {0x102f, "inner"},
		    {0x1030, "beta"},  {0x10ff, "beta"},  {0x1100, NULL},
		    {UINT64_MAX, NULL}};
	for (size_t i = 0; i < sizeof(want) / sizeof(*want); i++) {
		struct ep_symbol s;
		int rc = ep_symtab_find(t, want[i].at, &s);
		if (want[i].name ? rc || !ep_slice_is(s.name, want[i].name)
				 : rc != -ENOENT)
			fail_msg("at %#llx", (unsigned long long)want[i].at);
	}
	assert_int_equal(ep_symtab_vaddr(t, 0x210), 0x1010);
	assert_true(ep_symtab_vaddr(t, 0x1ff) == UINT64_MAX);
}

TEST(symtab_opens_version_1_and_says_that_it_is_old)
{
	struct small raw = small_table(), newer = small_table();
	ep_auto(ep_symtab) t = NULL;
	ep_auto(ep_symtab) t2 = NULL;
	raw.h.version = 1;
	sign(&raw);
	assert_int_equal(ep_symtab_open(&raw, sizeof(raw), &t, NULL), 0);
	assert_int_equal(ep_symtab_open(&newer, sizeof(newer), &t2, NULL), 0);
	assert_int_equal(ep_symtab_count(t), 3);
	assert_false(ep_symtab_is_current(t));
	assert_true(ep_symtab_is_current(t2));
	assert_true(ep_symtab_is_better(t2, t));
	static const uint32_t unknown[] = {0, EP_FORMAT_VERSION + 1};
	for (size_t i = 0; i < 2; i++) {
		struct ep_symtab *no = NULL;
		newer.h.version = unknown[i];
		assert_int_equal(ep_symtab_open(&newer, sizeof(newer), &no, NULL),
				 -EBADMSG);
	}
}

TEST(symtab_refuses_a_table_that_lies_even_with_a_right_checksum)
{
	struct ep_symtab *t = NULL;
	struct small s = small_table();
	s.s[1].name = sizeof(s.strings);
	sign(&s);
	assert_int_equal(ep_symtab_open(&s, sizeof(s), &t, NULL), -EBADMSG);
	s = small_table();
	s.s[1].start = 0x1000;
	sign(&s);
	assert_int_equal(ep_symtab_open(&s, sizeof(s), &t, NULL), -EBADMSG);
	s = small_table();
	s.strings[23] = 'x';
	sign(&s);
	assert_int_equal(ep_symtab_open(&s, sizeof(s), &t, NULL), -EBADMSG);
	s = small_table();
	s.h.n_symbols = 0x10000003;
	sign(&s);
	assert_int_equal(ep_symtab_open(&s, sizeof(s), &t, NULL), -EBADMSG);
	s = small_table();
	s.seg.offset = UINT64_MAX;
	sign(&s);
	assert_int_equal(ep_symtab_open(&s, sizeof(s), &t, NULL), -EBADMSG);
	assert_null(t);
}

TEST(symtab_refuses_every_truncation_and_every_flipped_byte)
{
	struct small raw = small_table();
	struct ep_symtab *t = NULL;
	for (size_t n = 0; n < sizeof(raw); n++)
		assert_true(ep_symtab_open(&raw, n, &t, NULL) < 0);
	for (size_t i = 0; i < sizeof(raw); i++) {
		struct small bad = raw;
		((uint8_t *)&bad)[i] ^= 0x40;
		assert_true(ep_symtab_open(&bad, sizeof(bad), &t, NULL) < 0);
	}
}

TEST(symtab_build_says_that_a_text_file_is_no_program)
{
	ep_auto_buf b;
	ep_buf_init(&b, 1 << 20);
	struct ep_err err = {0};
	int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
	assert_true(ep_symtab_build(fd, &b, &err) < 0);
	assert_int_equal(b.len, 0);
	assert_true(err.text[0] != '\0');
	close(fd);
}
