/* test_object.c - programs of tests/data/dwarf, made from one source by several compilers. */
#include "symbol/object.h"

#include "profile/build.h"
#include "symbol/base.h"
#include "symbol/elffile.h"
#include "../test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct opened {
	struct ep_objects *objects;
	struct ep_profile *p;
	struct ep_object *o;
};

static struct ep_profile *profile_of(const char *path, const char *build_id)
{
	struct ep_profile *p = ep_profile_new(0);
	p->strings = ep_arena_array(p->arena, struct ep_slice, 3);
	p->strings[1] = ep_slice_of(path);
	p->strings[2] = ep_slice_of(build_id);
	p->n_strings = 3;
	p->mappings = ep_arena_array(p->arena, struct ep_mapping, 1);
	/* The second page of the file, at the place it was linked for. */
	p->mappings[0] = (struct ep_mapping){.start = 0x401000,
					     .limit = 0x402000,
					     .file_offset = 0x1000,
					     .filename = 1,
					     .build_id = 2};
	p->n_mappings = 1;
	return p;
}

static int open_one(const char *path, const char *build_id, struct opened *ret)
{
	struct ep_objects_options options = {0};
	assert_int_equal(ep_objects_new(&options, &ret->objects, NULL), 0);
	ret->p = profile_of(path, build_id);
	return ep_objects_open(ret->objects, ret->p, 0, &ret->o, NULL);
}

static void close_one(struct opened *x)
{
	ep_objects_free(x->objects);
	ep_profile_free(x->p);
}

/* The longest chain in the function `outer`. */
static size_t deepest(struct ep_object *o, struct ep_object_frame ret_frames[8])
{
	size_t best = 0;
	for (uint64_t a = 0x401000; a < 0x401020; a++) {
		struct ep_object_frame f[8];
		size_t n = ep_object_frames(o, a, f, 8);
		if (n > best) {
			best = n;
			memcpy(ret_frames, f, sizeof(f));
		}
	}
	return best;
}

static void expect_chain(const char *name)
{
	char path[64];
	struct opened x;
	struct ep_object_frame f[8] = {0};
	(void)snprintf(path, sizeof(path), "dwarf/%s", name);
	assert_int_equal(open_one(ep_test_data_path(path), "", &x), 0);
	assert_int_equal(deepest(x.o, f), 3);
	assert_string_equal(f[0].function, "inner");
	assert_string_equal(f[1].function, "middle");
	assert_string_equal(f[2].function, "outer");
	assert_string_equal(f[0].file, "/src/frames.c");
	assert_string_equal(f[2].file, "/src/frames.c");
	assert_int_equal(f[0].line, 4);
	assert_int_equal(f[1].line, 9);
	assert_int_equal(f[2].line, 15);
	assert_int_equal(f[0].start_line, 2);
	assert_int_equal(f[1].start_line, 7);
	assert_int_equal(f[2].start_line, 13);
	close_one(&x);
}

TEST(inlined_calls_are_found_in_dwarf_2_to_5_of_gcc_and_clang)
{
	expect_chain("frames-gcc-2.elf");
	expect_chain("frames-gcc-3.elf");
	expect_chain("frames-gcc-4.elf");
	expect_chain("frames-gcc-5.elf");
	expect_chain("frames-clang-2.elf");
	expect_chain("frames-clang-3.elf");
	expect_chain("frames-clang-4.elf");
	expect_chain("frames-clang-5.elf");
}

TEST(compressed_sections_are_unpacked)
{
	expect_chain("frames-zlib.elf");
}

TEST(a_debuglink_beside_the_file_is_followed)
{
	expect_chain("frames-link.elf");
}

TEST(minidebuginfo_names_functions_without_lines)
{
	struct opened x;
	struct ep_object_frame f[8];
	assert_int_equal(open_one(ep_test_data_path("dwarf/frames-mini.elf"), "", &x), 0);
	assert_int_equal(ep_object_frames(x.o, 0x401001, f, 8), 1);
	assert_string_equal(f[0].function, "outer");
	assert_string_equal(f[0].file, "");
	assert_int_equal(f[0].line, 0);
	close_one(&x);
}

TEST(a_name_alone_comes_from_the_symbol_table)
{
	struct opened x;
	assert_int_equal(open_one(ep_test_data_path("dwarf/frames-gcc-5.elf"), "", &x), 0);
	assert_string_equal(ep_object_name(x.o, 0x401001), "outer");
	assert_null(ep_object_name(x.o, 0x403000));
	close_one(&x);
}

TEST(a_file_with_another_build_id_is_refused)
{
	struct opened x;
	const char *path = ep_test_data_path("dwarf/frames-gcc-5.elf");
	assert_int_equal(open_one(path, "0123456789abcdef", &x), 0);
	assert_string_equal(ep_object_build_id(x.o), "0123456789abcdef");
	close_one(&x);
	assert_int_equal(open_one(path, "0123456789abcdee", &x), -ENOENT);
	close_one(&x);
}

static bool want_outer(void *ctx, struct ep_slice name)
{
	(void)ctx;
	return ep_slice_is(name, "outer");
}

TEST(symbols_are_found_by_name_and_by_address)
{
	struct opened x;
	const struct ep_object_symbol *s;
	size_t n;
	assert_int_equal(open_one(ep_test_data_path("dwarf/frames-gcc-5.elf"), "", &x), 0);
	assert_int_equal(ep_object_symbols(x.o, want_outer, NULL, 0, &s, &n, NULL), 0);
	assert_int_equal(n, 1);
	assert_int_equal(s[0].n_names, 1);
	assert_string_equal(s[0].names[0], "outer");
	assert_int_equal(s[0].start, 0x401000);
	uint64_t inside = s[0].end + 1;
	assert_int_equal(ep_object_symbols(x.o, NULL, NULL, inside, &s, &n, NULL), 0);
	assert_int_equal(n, 1);
	assert_string_equal(s[0].names[0], "_start");
	close_one(&x);
}

TEST(a_debug_file_with_another_sum_is_passed_over)
{
	/* A copy of the stripped file in a folder where its link leads to something else. */
	char dir[] = "/tmp/everprof-test-XXXXXX", path[128];
	assert_non_null(mkdtemp(dir));
	size_t n;
	void *data = ep_test_read_data("dwarf/frames-link.elf", &n);
	(void)snprintf(path, sizeof(path), "%s/a", dir);
	FILE *f = fopen(path, "w");
	assert_int_equal(fwrite(data, 1, n, f), n);
	assert_int_equal(fclose(f), 0);
	free(data);
	/* It has symbols and no build ID of its own that fits. */
	data = ep_test_read_data("dwarf/frames-gcc-2.elf", &n);
	char *id = memmem(data, n, "\x01\x23\x45\x67\x89\xab\xcd\xef", 8);
	assert_non_null(id);
	id[0] = 2;
	char link[128];
	(void)snprintf(link, sizeof(link), "%s/frames.debug", dir);
	f = fopen(link, "w");
	assert_int_equal(fwrite(data, 1, n, f), n);
	assert_int_equal(fclose(f), 0);
	free(data);
	struct opened x;
	struct ep_object_frame fr[8];
	assert_int_equal(open_one(path, "", &x), 0);
	assert_int_equal(ep_object_frames(x.o, 0x401001, fr, 8), 0);
	close_one(&x);
	assert_int_equal(remove(link), 0);
	assert_int_equal(remove(path), 0);
	assert_int_equal(remove(dir), 0);
}

/* The bases of a file whose code segment is at offset 0x1000 and address 0x401000. */
static int base_of(struct ep_base_mapping m, uint64_t address, uint64_t *ret)
{
	ep_auto(ep_elffile) f = NULL;
	assert_int_equal(ep_elffile_open(ep_test_data_path("dwarf/frames-gcc-5.elf"), &f, NULL),
			 0);
	return ep_base_find(ep_elffile_elf(f), &m, address, ret, NULL);
}

TEST(the_base_comes_from_the_mapping_and_the_program_header)
{
	uint64_t base = 1;
	struct ep_base_mapping fixed = {0x401000, 0x402000, 0x1000, false, 0};
	assert_int_equal(base_of(fixed, 0x401010, &base), 0);
	assert_int_equal(base, 0);
	struct ep_base_mapping moved = {0x7f0000001000, 0x7f0000002000, 0x1000, false, 0};
	assert_int_equal(base_of(moved, 0x7f0000001010, &base), 0);
	assert_int_equal(base, 0x7f0000001000 - 0x401000);
	struct ep_base_mapping all = {0, 0, 0, false, 0};
	assert_int_equal(base_of(all, 0x401010, &base), 0);
	assert_int_equal(base, 0);
	assert_int_equal(base_of(fixed, 0x402000, &base), -EINVAL);
}

TEST(a_kernel_starts_at_its_symbol_or_at_its_segment)
{
	uint64_t base = 1, text = 0xffffffff83200000;
	/* perf: the mapping begins at _stext, wherever the kernel was moved. */
	struct ep_base_mapping moved = {text + 0x198, text + 0x1000000, 0, true, 0x401198};
	assert_int_equal(base_of(moved, text + 0x1000, &base), 0);
	assert_int_equal(base, text - 0x401000);
	struct ep_base_mapping nameless = {text, text + 0x1000000, 0, false, 0};
	assert_int_equal(base_of(nameless, text + 0x1000, &base), 0);
	assert_int_equal(base, text - 0x401000);
	struct ep_base_mapping at_zero = {0, 0x1000000, 0, true, 0x401198};
	assert_int_equal(base_of(at_zero, 0x1000, &base), 0);
	assert_int_equal(base, (uint64_t)-0x401198);
}
