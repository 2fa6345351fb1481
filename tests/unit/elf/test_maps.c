#include "test.h"

#include "elf/maps.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool parse(const char *line, struct ep_map *m)
{
	memset(m, 0, sizeof(*m));
	return ep_maps_parse(ep_slice_of(line), m);
}

TEST(maps_reads_every_field_of_a_file_mapping)
{
	struct ep_map m;
	assert_true(parse("7f12ab000000-7f12ab1d5000 r-xp 00026000 fe:01 131107"
			  "                     /usr/lib/libc.so.6",
			  &m));
	assert_int_equal(m.start, 0x7f12ab000000);
	assert_int_equal(m.limit, 0x7f12ab1d5000);
	assert_int_equal(m.offset, 0x26000);
	assert_int_equal(m.inode, 131107);
	assert_int_equal(m.dev_major, 0xfe);
	assert_int_equal(m.dev_minor, 1);
	assert_true(m.read && m.exec && !m.write && !m.shared && !m.deleted);
	assert_true(ep_slice_is(m.path, "/usr/lib/libc.so.6"));
}

TEST(maps_knows_anonymous_memory_and_names_in_brackets)
{
	struct ep_map m;
	assert_true(parse("7ffe3000-7ffe5000 rw-p 00000000 00:00 0 ", &m));
	assert_int_equal(m.path.n, 0);
	assert_true(parse("7ffe3000-7ffe5000 rw-p 00000000 00:00 0", &m));
	assert_int_equal(m.path.n, 0);
	assert_true(parse("ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0"
			  "                  [vsyscall]",
			  &m));
	assert_true(ep_slice_is(m.path, "[vsyscall]"));
	assert_int_equal(m.start, 0xffffffffff600000);
}

TEST(maps_keeps_blanks_in_a_path_and_takes_the_deleted_mark_off)
{
	struct ep_map m;
	assert_true(parse("1000-2000 r-xs 0 08:01 7 /tmp/a b (x)/c (deleted)", &m));
	assert_true(m.deleted && m.shared);
	assert_true(ep_slice_is(m.path, "/tmp/a b (x)/c"));
}

TEST(maps_refuses_what_is_not_a_mapping)
{
	static const char *const bad[] = {
		"",
		"1000",
		"1000-",
		"1000-2000",
		"1000-2000 r-x",
		"2000-1000 r-xp 0 0:0 0",
		"1000-1000 r-xp 0 0:0 0",
		"10000000000000000-2 r-xp 0 0:0 0",
		"1000-2000 r-xp 0 0:0 99999999999999999999999",
		"1000-2000 r-xp 0 0:0 x",
		"VmFlags: rd ex mr",
		"g000-2000 r-xp 0 0:0 0",
	};
	struct ep_map m;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		if (parse(bad[i], &m))
			fail_msg("accepted '%s'", bad[i]);
}

static int pipe_with(const char *text)
{
	int p[2];
	assert_int_equal(pipe(p), 0);
	assert_int_equal(write(p[1], text, strlen(text)), (ssize_t)strlen(text));
	close(p[1]);
	return p[0];
}

TEST(maps_reader_drops_a_line_longer_than_its_buffer_and_goes_on)
{
	int fd = pipe_with(
		"1000-2000 r-xp 0 08:01 7 /a\n"
		"3000-4000 r-xp 0 08:01 7 /long/long/long/long/long/long/long/long"
		"/long/long/long/long/long/long/long/3000-4000 r-xp 0 08:01 7 /x\n"
		"5000-6000 r-xp 0 08:01 7 /b\n");
	char buf[48];
	struct ep_maps r;
	struct ep_map m;
	ep_maps_init(&r, fd, buf, sizeof(buf));
	assert_true(ep_maps_next(&r, &m));
	assert_int_equal(m.start, 0x1000);
	assert_true(ep_maps_next(&r, &m));
	assert_int_equal(m.start, 0x5000);
	assert_true(ep_slice_is(m.path, "/b"));
	assert_false(ep_maps_next(&r, &m));
	assert_int_equal(r.error, 0);
	close(fd);
}

TEST(maps_of_this_process_hold_this_function_and_the_stack)
{
	int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	char buf[8192];
	struct ep_maps r;
	struct ep_map m;
	bool code = false, stack = false;
	uint64_t at = 0;
	ep_maps_init(&r, fd, buf, sizeof(buf));
	while (ep_maps_next(&r, &m)) {
		assert_true(m.start >= at);
		at = m.limit;
		uintptr_t fn =
			(uintptr_t)&maps_of_this_process_hold_this_function_and_the_stack;
		code |= fn >= m.start && fn < m.limit && m.exec && m.inode;
		stack |= ep_slice_is(m.path, "[stack]");
	}
	assert_true(code);
	assert_true(stack);
	close(fd);
}
