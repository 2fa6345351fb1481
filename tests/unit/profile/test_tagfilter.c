#include "test.h"

#include "profile/tagfilter.h"
#include "sketch.h"

#include <errno.h>

#define LABELS                                                                         \
	"f 1\nf 2 k=a\nf 4 k=b j=a\nf 8 bytes#2048bytes\nf 16 id#7\nf 32 k=b k=c bytes#5kb\n"

static struct ep_tagfilter *parse(const char *text)
{
	struct ep_tagfilter *f = NULL;
	bool range;
	if (text)
		assert_int_equal(ep_tagfilter_parse(text, &range, &f, NULL), 0);
	return f;
}

struct view {
	struct ep_profile *base, *p;
	struct ep_arena *arena;
	struct ep_keys keys;
};

static struct view view_of(const char *text)
{
	struct view v = {.base = sketch(text), .arena = ep_arena_new(0)};
	v.p = sketch_view(v.base);
	assert_int_equal(ep_keys_init(v.p, v.arena, NULL, &v.keys, NULL), 0);
	return v;
}

/* The sum of what stays of LABELS: each sample is a bit. */
static int64_t stays(const char *focus, const char *ignore)
{
	struct view v = view_of(LABELS);
	ep_auto(ep_tagfilter) f = parse(focus);
	ep_auto(ep_tagfilter) g = parse(ignore);
	struct ep_tagfilter_found found;
	assert_int_equal(ep_tagfilter_samples(v.p, &v.keys, f, g, &found, NULL), 0);
	int64_t sum = 0;
	for (uint32_t i = 0; i < v.p->n_samples; i++)
		sum += v.p->values[i];
	ep_arena_free(v.arena);
	ep_profile_free(v.p);
	ep_profile_free(v.base);
	return sum;
}

TEST(tagfilter_regexes_match_key_and_value_and_all_must)
{
	assert_int_equal(stays(NULL, NULL), 63);
	assert_int_equal(stays("a", NULL), 2 + 4);
	assert_int_equal(stays("^k:a$", NULL), 2);
	assert_int_equal(stays("k:b,j:a", NULL), 4);
	assert_int_equal(stays("k:b,k:c", NULL), 32);
	assert_int_equal(stays(NULL, "k:"), 1 + 8 + 16);
	assert_int_equal(stays("k:", "j:"), 2 + 32);
}

TEST(tagfilter_regexes_of_a_key_match_values_and_any_may)
{
	assert_int_equal(stays("k=a", NULL), 2);
	assert_int_equal(stays("k=a,c", NULL), 2 + 32);
	assert_int_equal(stays("k=k:a", NULL), 0);
	assert_int_equal(stays("j=.", NULL), 4);
	assert_int_equal(stays("nokey=.", NULL), 0);
	assert_int_equal(stays("=b", NULL), 4 + 32); /* an empty key is none */
}

/* The unit of a key is its first one: 5kb is taken for 5 bytes, as in the reference. */
TEST(tagfilter_ranges_test_numbers_in_the_unit_of_their_key)
{
	assert_int_equal(stays("2kb", NULL), 8);
	assert_int_equal(stays("2048b", NULL), 8);
	assert_int_equal(stays(":1kb", NULL), 32);
	assert_int_equal(stays("bytes=:1kb", NULL), 32);
	assert_int_equal(stays("bytes=1kb:", NULL), 8);
	assert_int_equal(stays("4b:6b", NULL), 32);
	assert_int_equal(stays("id=7", NULL), 16);
	assert_int_equal(stays("7", NULL), 16);
	assert_int_equal(stays("-1:7", NULL), 16);
	assert_int_equal(stays(NULL, "0b:1mb"), 1 + 2 + 4);
	/* A number that has no unit of its own takes any. */
	assert_int_equal(stays("7kb", NULL), 16);
}

TEST(tagfilter_says_what_matched)
{
	struct view v = view_of(LABELS);
	ep_auto(ep_tagfilter) f = parse("zz");
	ep_auto(ep_tagfilter) g = parse("k=a");
	struct ep_tagfilter_found found;
	assert_int_equal(ep_tagfilter_samples(v.p, &v.keys, f, g, &found, NULL), 0);
	assert_true(!found.first && found.second);
	ep_arena_free(v.arena);
	sketch_expect(v.base, v.p, "");
}

static struct ep_tagfilter_found labels(const char *show, const char *hide,
					const char *after)
{
	struct view v = view_of("f 1 a=x b=y n#3\nf 2 a=x\nf 4\n");
	ep_auto(ep_regex) s = NULL;
	ep_auto(ep_regex) h = NULL;
	if (show)
		assert_int_equal(ep_regex_new(ep_slice_of(show), EP_REGEX_SEARCH, &s, NULL), 0);
	if (hide)
		assert_int_equal(ep_regex_new(ep_slice_of(hide), EP_REGEX_SEARCH, &h, NULL), 0);
	struct ep_tagfilter_found found;
	assert_int_equal(ep_tagfilter_labels(v.p, &v.keys, s, h, &found, NULL), 0);
	ep_arena_free(v.arena);
	sketch_expect(v.base, v.p, after);
	return found;
}

TEST(tagfilter_takes_labels_away_by_their_keys)
{
	labels(NULL, NULL, "f 1 a=x b=y n#3\nf 2 a=x\nf 4\n");
	assert_true(labels("[an]", NULL, "f 1 a=x n#3\nf 2 a=x\nf 4\n").first);
	assert_true(labels(NULL, "a", "f 1 b=y n#3\nf 2\nf 4\n").second);
	labels("a|b", "b", "f 1 a=x\nf 2 a=x\nf 4\n");
	assert_false(labels("zz", NULL, "f 1\nf 2\nf 4\n").first);
}

TEST(tagfilter_tells_ranges_from_regexes)
{
	const char *ranges[] = {"32kb", ":64kb", "4mb:", "12kb:64mb", "-5", "+5:7",
				"key=1",  "a=1:2", "5kb:7"},
		   *regexes[] = {"a", "1.2", "5:6:7", ":5:", "12kb:64s", "a1", "1,2", "", "k=x1"};
	bool range;
	for (size_t i = 0; i < sizeof(ranges) / sizeof(*ranges); i++) {
		ep_auto(ep_tagfilter) f = NULL;
		assert_int_equal(ep_tagfilter_parse(ranges[i], &range, &f, NULL), 0);
		if (!range)
			fail_msg("%s is a range", ranges[i]);
	}
	for (size_t i = 0; i < sizeof(regexes) / sizeof(*regexes); i++) {
		ep_auto(ep_tagfilter) f = NULL;
		assert_int_equal(ep_tagfilter_parse(regexes[i], &range, &f, NULL), 0);
		if (range)
			fail_msg("%s is no range", regexes[i]);
	}
}

TEST(tagfilter_refuses_what_it_can_not_use)
{
	struct ep_tagfilter *f = NULL;
	bool range;
	struct ep_err err = {0};
	assert_int_equal(ep_tagfilter_parse("k=a,(", &range, &f, &err), -EINVAL);
	err = (struct ep_err){0};
	assert_int_equal(ep_tagfilter_parse("99999999999999999999", &range, &f, &err), -EINVAL);
	assert_string_equal(err.text,
			    "failed to parse int 99999999999999999999: value out of range");
	assert_null(f);
}
