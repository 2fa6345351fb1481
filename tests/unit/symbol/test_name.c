#include "test.h"

#include "elf/elf.h"
#include "elf/maps.h"
#include "profile/build.h"
#include "symbol/name.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

__attribute__((noinline)) static int named_function(int x)
{
	return x * 5 + 2;
}

/* The mapping of this process that holds an address, as profiles carry it. */
static struct ep_mapping mapping_at(struct ep_build *b, uint64_t address,
				    const char *id)
{
	char buf[8192];
	struct ep_maps r;
	struct ep_map m;
	int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
	ep_maps_init(&r, fd, buf, sizeof(buf));
	while (ep_maps_next(&r, &m))
		if (address >= m.start && address < m.limit)
			break;
	close(fd);
	assert_true(address >= m.start && address < m.limit);
	return (struct ep_mapping){.start = m.start,
				   .limit = m.limit,
				   .file_offset = m.offset,
				   .filename = ep_build_string(b, m.path),
				   .build_id = ep_build_cstr(b, id)};
}

static void build_id_of(const char *path, char *ret_hex)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ep_auto(ep_elf) e = NULL;
	assert_int_equal(ep_elf_open(fd, &e, NULL), 0);
	assert_int_equal(ep_elf_build_id(e, ret_hex, NULL), 0);
	close(fd);
}

static void add(struct ep_build *b, uint64_t address, uint32_t mapping)
{
	int64_t one = 1;
	uint32_t l = ep_build_location(b, address, mapping, NULL, 0);
	ep_build_sample(b, &l, 1, NULL, 0, &one);
}

static const char *name_of(const struct ep_profile *p, uint64_t address)
{
	static char text[200];
	for (uint32_t i = 0; i < p->n_locations; i++) {
		const struct ep_location *l = &p->locations[i];
		if (l->address != address)
			continue;
		if (!l->n_lines)
			return NULL;
		const struct ep_function *f =
			&p->functions[p->lines[l->first_line].function];
		snprintf(text, sizeof(text), "%.*s",
			 EP_SLICE_ARG(ep_profile_str(p, f->name)));
		return text;
	}
	fail_msg("no location at %#llx", (unsigned long long)address);
	return NULL;
}

static struct ep_build *new_build(void)
{
	struct ep_build *b = NULL;
	assert_int_equal(ep_build_new(0, &b), 0);
	ep_build_sample_type(b, "cpu", "nanoseconds");
	return b;
}

TEST(name_profile_names_this_program_and_its_vdso)
{
	int (*volatile fn)(int) = named_function;
	uint64_t own = (uintptr_t)fn + 1, jit = 0x1234;
	uint64_t vdso = getauxval(AT_SYSINFO_EHDR);
	char id[EP_ELF_HEX_MAX];
	build_id_of("/proc/self/exe", id);
	ep_auto(ep_build) b = new_build();
	struct ep_mapping m = mapping_at(b, own, id);
	add(b, own, ep_build_mapping(b, &m));
	add(b, jit, EP_NONE);
	add(b, (uintptr_t)fn + 3, ep_build_mapping(b, &m));
	if (vdso) {
		m = mapping_at(b, vdso, "");
		add(b, vdso, ep_build_mapping(b, &m)); /* its ELF header: no function */
	}
	ep_auto(ep_profile) p = NULL;
	assert_int_equal(ep_build_finish(b, &p, NULL), 0);
	struct ep_name_stats s;
	assert_int_equal(ep_name_profile(p, "", &s, NULL), 0);
	assert_string_equal(name_of(p, own), "named_function");
	assert_string_equal(name_of(p, (uintptr_t)fn + 3), "named_function");
	assert_null(name_of(p, jit));
	assert_int_equal(s.n_named, 2);
	assert_int_equal(s.n_no_mapping, 1);
	assert_int_equal(s.n_no_symbol, vdso ? 1 : 0);
	assert_int_equal(s.n_no_file, 0);
	assert_int_equal(p->n_functions, 1);
	assert_true(p->mappings[0].has_functions);
}

TEST(name_profile_follows_a_root_and_counts_what_it_can_not_use)
{
	int (*volatile fn)(int) = named_function;
	uint64_t own = (uintptr_t)fn + 1;
	char id[EP_ELF_HEX_MAX];
	build_id_of("/proc/self/exe", id);
	ep_auto(ep_build) b = new_build();
	struct ep_mapping m = mapping_at(b, own, id);
	add(b, own, ep_build_mapping(b, &m));
	m.start += 0x100000000;
	m.limit += 0x100000000;
	m.build_id = ep_build_cstr(b, "00112233445566778899");
	add(b, own + 0x100000000, ep_build_mapping(b, &m));
	m.start += 0x100000000;
	m.limit += 0x100000000;
	m.filename = ep_build_cstr(b, "/no/such/file");
	add(b, own + 0x200000000, ep_build_mapping(b, &m));
	ep_auto(ep_profile) p = NULL;
	assert_int_equal(ep_build_finish(b, &p, NULL), 0);
	struct ep_name_stats s;
	assert_int_equal(ep_name_profile(p, "/proc/self/root", &s, NULL), 0);
	assert_string_equal(name_of(p, own), "named_function");
	assert_null(name_of(p, own + 0x100000000));
	assert_int_equal(s.n_named, 1);
	assert_int_equal(s.n_no_file, 2);
	assert_false(p->mappings[1].has_functions);
}

TEST(name_profile_leaves_named_frames_as_they_are)
{
	ep_auto(ep_build) b = new_build();
	int64_t one = 1;
	uint32_t l = ep_build_named_frame(b, "given", "file.c");
	ep_build_sample(b, &l, 1, NULL, 0, &one);
	ep_auto(ep_profile) p = NULL;
	assert_int_equal(ep_build_finish(b, &p, NULL), 0);
	struct ep_name_stats s;
	assert_int_equal(ep_name_profile(p, "", &s, NULL), 0);
	assert_int_equal(p->n_functions, 1);
	assert_int_equal(s.n_named + s.n_no_mapping + s.n_no_file + s.n_no_symbol, 0);
}

/* Where a function of this program lies in its file. */
static uint64_t offset_of(const struct ep_mapping *m, uint64_t address)
{
	return address - m->start + m->file_offset;
}

TEST(name_profile_gives_one_stand_in_to_all_addresses_of_a_nameless_function)
{
	int (*volatile fn)(int) = named_function;
	uint64_t own = (uintptr_t)fn;
	char path[] = "/tmp/everprof-name-XXXXXX", command[128], id[EP_ELF_HEX_MAX];
	close(mkstemp(path));
	snprintf(command, sizeof(command), "strip -o %s /proc/%d/exe", path, (int)getpid());
	assert_int_equal(system(command), 0);
	build_id_of(path, id);
	ep_auto(ep_build) b = new_build();
	struct ep_mapping m = mapping_at(b, own, id);
	m.filename = ep_build_cstr(b, path);
	add(b, own + 1, ep_build_mapping(b, &m));
	add(b, own + 3, ep_build_mapping(b, &m));
	ep_auto(ep_profile) p = NULL;
	assert_int_equal(ep_build_finish(b, &p, NULL), 0);
	struct ep_name_stats s;
	assert_int_equal(ep_name_profile(p, "", &s, NULL), 0);
	assert_int_equal(unlink(path), 0);
	char want[64];
	snprintf(want, sizeof(want), "%s+0x%llx", path + 5,
		 (unsigned long long)offset_of(&m, own));
	assert_string_equal(name_of(p, own + 1), want);
	assert_string_equal(name_of(p, own + 3), want);
	assert_int_equal(p->n_functions, 1);
	assert_int_equal(p->functions[0].system_name, 0);
	assert_int_equal(s.n_named, 0);
	assert_int_equal(s.n_no_symbol, 2);
	assert_false(p->mappings[0].has_functions);
}
