#include "test.h"

#include "profile/keys.h"
#include "sketch.h"

#include <stdio.h>
#include <string.h>

static char said[400];

static void note(void *ctx, const char *text)
{
	(void)ctx;
	strcat(said, text);
	strcat(said, "\n");
}

TEST(keys_are_numbered_by_name_and_have_the_first_unit)
{
	ep_auto(ep_profile) p = sketch("f 1 z=1 b#3\nf 2 b#4kb\nf 4 b#5mb request#1 other#1 b#6s\n");
	ep_auto(ep_arena) arena = ep_arena_new(0);
	struct ep_keys k;
	struct ep_notes notes = {note, NULL};
	said[0] = '\0';
	assert_int_equal(ep_keys_init(p, arena, &notes, &k, NULL), 0);
	assert_int_equal(k.n, 4);
	const char *names[] = {"b", "other", "request", "z"},
		   *units[] = {"kb", "other", "bytes", ""};
	for (uint32_t i = 0; i < 4; i++) {
		assert_true(ep_slice_is(k.keys[i].name, names[i]));
		assert_true(ep_slice_is(k.keys[i].unit, units[i]));
		assert_int_equal(ep_keys_find(&k, ep_slice_of(names[i])), i);
	}
	assert_int_equal(ep_keys_find(&k, ep_slice_of("c")), EP_NONE);
	assert_int_equal(ep_keys_number(&k, p->labels[0].key),
			 ep_slice_is(p->strings[p->labels[0].key], "b") ? 0 : 3);
	assert_string_equal(said, "For tag b used unit kb, also encountered unit(s) mb, s\n");
}

TEST(keys_of_a_profile_without_labels_are_none)
{
	ep_auto(ep_profile) p = sketch("f 1\n");
	ep_auto(ep_arena) arena = ep_arena_new(0);
	struct ep_keys k;
	assert_int_equal(ep_keys_init(p, arena, NULL, &k, NULL), 0);
	assert_int_equal(k.n, 0);
	assert_int_equal(ep_keys_find(&k, ep_slice_of("")), EP_NONE);
}
