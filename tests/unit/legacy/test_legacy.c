/* The door: which format it is, and what is said of what is none. */
#include "test.h"

#include "codec/gzip.h"
#include "legacy/legacy.h"

#include <stdio.h>
#include <stdlib.h>

static void expect(const char *bytes, size_t n, int code, uint64_t pos,
		   const char *text)
{
	ep_auto(ep_profile) p = NULL;
	struct ep_err err = {0};
	int rc = ep_legacy_decode(bytes, n, 0, &p, &err);
	if (rc != code || err.pos != pos || strncmp(err.text, text, strlen(text)) != 0)
		fail_msg("%s:\n got %d at %llu: %s", bytes, rc,
			 (unsigned long long)err.pos, err.text);
	assert_null(p);
}

#define EXPECT(bytes, ...) expect(bytes, sizeof(bytes) - 1, __VA_ARGS__)

TEST(nothing_is_an_empty_file)
{
	EXPECT("", -ENODATA, 0, "parsing profile: empty input file");
}

TEST(two_profiles_in_one_are_final)
{
	/* time_nanos twice, and then a string table. */
	EXPECT("\x48\x01\x48\x01\x32\x00", -EBADMSG, 4,
	       "parsing profile: concatenated profiles detected");
}

TEST(an_unknown_format_is_told_what_it_could_have_been)
{
	EXPECT("some words\n", -EBADMSG, 0,
	       "parsing profile: unrecognized profile format: not pprof (");
	EXPECT("\x48\x01\x0f", -EBADMSG, 2,
	       "parsing profile: unrecognized profile format: not pprof (field 1 of "
	       "profile has wire type 7 at byte 2), nor text of ");
	EXPECT("{}", -EBADMSG, 0,
	       "parsing profile: unrecognized profile format: it looks like JSON");
}

TEST(a_known_format_that_is_broken_names_the_line_and_the_offset)
{
	EXPECT("heap profile: 1: 2 [1: 2] @ heap/1\n\n 1: 2 [1: 2]\n", -EBADMSG, 36,
	       "parsing profile: unexpected number of sample values: got 0, want 6 "
	       "(line 3)");
	EXPECT("heap profile: 1: 2 [1: 2] @ heap/1\n0: 2 [1: 2] @\n", -EBADMSG, 35,
	       "parsing profile: inuse count was 0 but inuse bytes was 2 (line 2)");
	EXPECT("x profile: total 1\n1 @ 0x1 y\n", -EBADMSG, 19,
	       "parsing profile: malformed profile format");
	EXPECT("--- heapz 1 ---\nformat = java\n 1 1 @ 0x1\n", -EBADMSG, 30,
	       "parsing profile: missing sample type information (line 3)");
	EXPECT("heap_v2/512\n t*: 1: 2\n", -EBADMSG, 12,
	       "parsing profile: jemalloc heap dump: ");
	EXPECT("a;b 1\na;b\n", -EBADMSG, 6,
	       "parsing profile: folded stacks: no number at the end of the line (line "
	       "2)");
	EXPECT("x 1 1.5: cycles:\n\t1 f (/x)\nwords\n", -EBADMSG, 27,
	       "parsing profile: perf script: neither a sample nor a frame (line 3)");
}

TEST(any_format_may_be_packed)
{
	static const char text[] = "main;f 3\n";
	ep_auto(ep_profile) p = NULL;
	ep_auto_buf gz;
	ep_buf_init(&gz, 1 << 20);
	assert_int_equal(ep_gzip_pack(text, sizeof(text) - 1, 1, &gz, NULL), 0);
	assert_int_equal(ep_legacy_decode(gz.data, gz.len, 0, &p, NULL), 0);
	assert_int_equal(p->n_samples, 1);
	assert_int_equal(p->values[0], 3);
}

TEST(the_bound_holds_for_tables_too)
{
	/* 2000 samples of 8 bytes of text each, and more of tables. */
	enum { N = 2000, BOUND = 40000 };
	char *text = malloc(N * 16);
	size_t n = 0;
	assert_non_null(text);
	n += (size_t)sprintf(text, "heap profile: 1: 1 [1: 1] @ heap/1\n");
	for (int i = 0; i < N; i++)
		n += (size_t)sprintf(text + n, "1:1[1:1] @0x%x\n", i);
	ep_auto(ep_profile) p = NULL;
	struct ep_err err = {0};
	assert_int_equal(ep_legacy_decode(text, n, BOUND, &p, &err), -E2BIG);
	assert_non_null(strstr(err.text, "40000"));
	free(text);
}
