/* test_naming.c - names come late, and repair the past. */
#include "../store/gen.h"
#include "base/clock.h"
#include "elf/elf.h"
#include "profile/build.h"
#include "query/fntree.h"
#include "query/query.h"
#include "symbol/symbol.h"
#include "test.h"

#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CPU "process_cpu:cpu:nanoseconds:cpu:nanoseconds"
static char own_build_id[EP_ELF_HEX_MAX]; /* of this program */

__attribute__((noinline)) void ep_test_found_by_name(void);
__attribute__((noinline)) void ep_test_found_by_name(void)
{
	__asm__ volatile("nop; nop; nop");
}

struct place {
	uintptr_t address;
	uint64_t file_offset;
};

/* Where in its file a function of this program lies. */
static int find_place(struct dl_phdr_info *info, size_t n, void *arg)
{
	(void)n;
	struct place *p = arg;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *h = &info->dlpi_phdr[i];
		uintptr_t start = info->dlpi_addr + h->p_vaddr;
		if (h->p_type != PT_LOAD || p->address < start || p->address >= start + h->p_filesz)
			continue;
		p->file_offset = p->address - start + h->p_offset;
		return 1;
	}
	return 0;
}

/* name: a stand-in that came with it, or NULL. */
static struct ep_profile *one_sample(uint64_t file_offset, const char *name)
{
	struct ep_build *b = NULL;
	struct ep_profile *p = NULL;
	assert_int_equal(ep_build_new(0, &b), 0);
	ep_build_sample_type(b, "cpu", "nanoseconds");
	ep_str cpu = ep_build_cstr(b, "cpu"), ns = ep_build_cstr(b, "nanoseconds");
	ep_build_profile(b)->period_type = (struct ep_value_type){cpu, ns};
	struct ep_mapping m = {.start = 0x7f0000000000, .limit = 0x7f0040000000};
	m.filename = ep_build_cstr(b, "/usr/bin/tested");
	m.build_id = ep_build_cstr(b, own_build_id);
	struct ep_function f = {.name = name ? ep_build_cstr(b, name) : 0};
	struct ep_line line = {.function = name ? ep_build_function(b, &f) : 0};
	uint32_t l = ep_build_location(b, m.start + file_offset, ep_build_mapping(b, &m), &line,
				       name != NULL);
	ep_build_sample(b, &l, 1, NULL, 0, (int64_t[]){70});
	assert_int_equal(ep_build_finish(b, &p, NULL), 0);
	ep_build_free(b);
	return p;
}

static void read_build_id(void)
{
	ep_auto(ep_elf) e = NULL;
	struct ep_err err = {0};
	int fd = open("/proc/self/exe", O_RDONLY);
	if (ep_elf_open(fd, &e, &err) < 0 || ep_elf_build_id(e, own_build_id, &err) < 0)
		fail_msg("this program: %s", err.text);
	close(fd);
}

static struct ep_top *top_of(const struct ep_query_env *env, const struct ep_query *q)
{
	struct ep_top *t = NULL;
	assert_int_equal(ep_query_top(env, q, &(struct ep_top_opts){0}, &t, NULL), 0);
	assert_int_equal(t->n_rows, 1);
	return t;
}

static void give_symbols(struct ep_symcache *c, const char *path)
{
	ep_auto_buf table;
	struct ep_err err = {0};
	ep_buf_init(&table, 64 << 20);
	int fd = open(path, O_RDONLY);
	if (ep_symtab_build(fd, &table, &err) < 0 ||
	    ep_symcache_put(c, ep_slice_of(own_build_id), table.data, table.len, &err) < 0)
		fail_msg("symbols: %s", err.text);
	close(fd);
}

/* Of this program without its symbols. */
static void give_functions(struct ep_symcache *c)
{
	char path[] = "/tmp/everprof-naming-XXXXXX", command[128];
	close(mkstemp(path));
	snprintf(command, sizeof(command), "strip -o %s /proc/%d/exe", path, (int)getpid());
	assert_int_equal(system(command), 0);
	give_symbols(c, path);
	assert_int_equal(unlink(path), 0);
}

static void symbols_come_later(struct ep_fntrees *trees)
{
	struct place place = {.address = (uintptr_t)ep_test_found_by_name};
	assert_int_equal(dl_iterate_phdr(find_place, &place), 1);
	read_build_id();
	char *dir = gen_folder(), *symbols_dir = gen_folder();
	struct ep_query_env env = {.trees = trees};
	assert_int_equal(ep_store_open(dir, &env.store, NULL), 0);
	assert_int_equal(ep_symcache_new(symbols_dir, &env.symbols, NULL), 0);
	struct ep_profile *p = one_sample(place.file_offset, NULL);
	gen_append(env.store, p, "tested", NULL, ep_clock_wall_ns());
	ep_profile_free(p);
	struct ep_query q = {.type = ep_slice_of(CPU),
			     .until_ms = (int64_t)(ep_clock_wall_ns() / EP_NS_PER_MS)};

	struct ep_top *t = top_of(&env, &q);
	assert_int_equal(t->rows[0].fn.kind, EP_KIND_UNNAMED);
	assert_int_equal(t->ledger.unsymbolised, 70);
	assert_memory_equal(t->rows[0].fn.name.p, "tested+0x", 9);
	ep_top_free(t);

	give_symbols(env.symbols, "/proc/self/exe");
	t = top_of(&env, &q);
	assert_true(ep_slice_is(t->rows[0].fn.name, "ep_test_found_by_name"));
	assert_int_equal(t->rows[0].fn.kind, EP_KIND_NATIVE);
	assert_int_equal(t->ledger.unsymbolised, 0);
	ep_top_free(t);

	assert_int_equal(ep_query_profile(&env, &q, &p, NULL), 0);
	assert_int_equal(p->n_functions, 1);
	assert_true(ep_slice_is(ep_profile_str(p, p->functions[0].name), "ep_test_found_by_name"));
	assert_true(p->locations[0].address == 0x7f0000000000 + place.file_offset);
	assert_true(p->mappings[0].has_functions);
	ep_profile_free(p);
	ep_symcache_free(env.symbols);
	ep_store_close(env.store);
	gen_remove(dir);
	gen_remove(symbols_dir);
}

static void a_name_comes(struct ep_fntrees *trees)
{
	struct place place = {.address = (uintptr_t)ep_test_found_by_name};
	assert_int_equal(dl_iterate_phdr(find_place, &place), 1);
	read_build_id();
	char *dir = gen_folder(), *symbols_dir = gen_folder(), want[64];
	snprintf(want, sizeof(want), "tested+0x%llx", (unsigned long long)place.file_offset);
	struct ep_query_env env = {.trees = trees};
	assert_int_equal(ep_store_open(dir, &env.store, NULL), 0);
	assert_int_equal(ep_symcache_new(symbols_dir, &env.symbols, NULL), 0);
	/* Two addresses of it, and a recording that had no name for it either. */
	for (uint64_t i = 0; i < 3; i++) {
		struct ep_profile *p = one_sample(place.file_offset + i / 2, i ? NULL : want);
		gen_append(env.store, p, "tested", NULL, ep_clock_wall_ns());
		ep_profile_free(p);
	}
	struct ep_query q = {.type = ep_slice_of(CPU),
			     .until_ms = (int64_t)(ep_clock_wall_ns() / EP_NS_PER_MS)};
	give_functions(env.symbols);
	struct ep_top *t = top_of(&env, &q);
	assert_true(ep_slice_is(t->rows[0].fn.name, want));
	assert_int_equal(t->rows[0].fn.kind, EP_KIND_UNNAMED);
	assert_int_equal(t->rows[0].self, 210);
	assert_int_equal(t->ledger.unsymbolised, 210);
	ep_top_free(t);

	struct ep_profile *p = NULL;
	assert_int_equal(ep_query_profile(&env, &q, &p, NULL), 0);
	assert_int_equal(p->n_functions, 1);
	assert_true(ep_slice_is(ep_profile_str(p, p->functions[0].name), want));
	ep_profile_free(p);

	give_symbols(env.symbols, "/proc/self/exe");
	t = top_of(&env, &q);
	assert_true(ep_slice_is(t->rows[0].fn.name, "ep_test_found_by_name"));
	assert_int_equal(t->ledger.unsymbolised, 0);
	ep_top_free(t);
	ep_symcache_free(env.symbols);
	ep_store_close(env.store);
	gen_remove(dir);
	gen_remove(symbols_dir);
}

/* Without trees that are kept between queries, and with them. */
static void both_ways(void (*test)(struct ep_fntrees *))
{
	ep_auto(ep_fntrees) trees = NULL;
	assert_int_equal(ep_fntrees_new(1 << 20, &trees), 0);
	test(NULL);
	test(trees);
	assert_true(ep_fntrees_trim(trees, UINT64_MAX) > 0);
}

TEST(symbols_that_come_later_name_the_past)
{
	both_ways(symbols_come_later);
}

TEST(a_nameless_function_is_one_frame_until_its_name_comes)
{
	both_ways(a_name_comes);
}
