#include "test.h"

#include "proof/truth.h"

#include <string.h>
#include <unistd.h>

static void feed(struct ep_truth *t, const char *text)
{
	ep_truth_feed(t, text, strlen(text));
}

TEST(what_one_side_tells_the_other_finds)
{
	struct ep_truth t = {0};
	char bytes[256];
	int fd[2];
	assert_int_equal(pipe(fd), 0);
	ep_truth_tell(fd[1], "waited", 1234567890123);
	ep_truth_tell(fd[1], "result", -2);
	ep_truth_tell_phase(fd[1], "lock");
	ssize_t n = read(fd[0], bytes, sizeof(bytes));
	assert_true(n > 0);
	ep_truth_feed(&t, bytes, (size_t)n);
	assert_int_equal(ep_truth_get(&t, "waited"), 1234567890123);
	assert_int_equal(ep_truth_get(&t, "result"), -2);
	assert_string_equal(t.phase, "lock");
	close(fd[0]);
	close(fd[1]);
}

TEST(a_line_may_come_in_pieces)
{
	struct ep_truth t = {0};
	feed(&t, "tur");
	feed(&t, "ns 1");
	assert_int_equal(ep_truth_get(&t, "turns"), 0);
	feed(&t, "7\nslept 3\n");
	assert_int_equal(ep_truth_get(&t, "turns"), 17);
	assert_int_equal(ep_truth_get(&t, "slept"), 3);
}

TEST(the_last_word_counts)
{
	struct ep_truth t = {0};
	feed(&t, "a 1\na 2\n");
	assert_int_equal(ep_truth_get(&t, "a"), 2);
}

TEST(what_is_malformed_is_passed_over)
{
	static const char *const bad[] = {"\n",	      "a\n",	 "a b\n", "a 1x\n", "a \n",
					  "a 99999999999999999999\n"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct ep_truth t = {0};
		int64_t v = 5;
		feed(&t, bad[i]);
		assert_false(ep_truth_find(&t, "a", &v));
		assert_int_equal(v, 5);
	}
}

TEST(too_much_is_passed_over)
{
	struct ep_truth t = {0};
	for (int i = 0; i < 2 * EP_TRUTH_MAX; i++)
		feed(&t, "many 1\n");
	for (int i = 0; i < 1000; i++)
		feed(&t, "x");
	feed(&t, " 1\n");
	assert_int_equal(t.n, EP_TRUTH_MAX);
}
