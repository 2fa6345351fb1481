/* `tree` and `peek`: nodes between callers and callees.  Expected text: `go tool pprof`'s. */
#include "small.h"
#include "test.h"

#include <stdlib.h>

TEST(tree_shows_callers_and_callees_heaviest_first)
{
	struct small s;
	small_start(&s, "cpu", "nanoseconds");
	small_add_with(&s, "main a b", "thread=1", 30000000);
	small_add_with(&s, "main a b b", "thread=2", 20000000);
	small_add_with(&s, "main a>c", "thread=1", 10000000);
	small_add_with(&s, "main c", "thread=2", 5000000);
	small_add_with(&s, "main tiny", "thread=2", 100000);
	assert_report(small_finish(&s), EP_REPORT_TREE, "",
		      "Type: cpu\n"
		      "Showing nodes accounting for 65ms, 99.85% of 65.10ms total\n"
		      "Dropped 1 node (cum <= 0.33ms)\n"
		      "----------------------------------------------------------+-------------\n"
		      "      flat  flat%   sum%        cum   cum%   calls calls% + context \t \t \n"
		      "----------------------------------------------------------+-------------\n"
		      "                                              50ms   100% |   a\n"
		      "      50ms 76.80% 76.80%       50ms 76.80%                | b\n"
		      "----------------------------------------------------------+-------------\n"
		      "                                              10ms 66.67% |   a (inline)\n"
		      "                                               5ms 33.33% |   main\n"
		      "      15ms 23.04% 99.85%       15ms 23.04%                | c\n"
		      "----------------------------------------------------------+-------------\n"
		      "                                              60ms   100% |   main\n"
		      "         0     0% 99.85%       60ms 92.17%                | a\n"
		      "                                              50ms 83.33% |   b\n"
		      "                                              10ms 16.67% |   c (inline)\n"
		      "----------------------------------------------------------+-------------\n"
		      "         0     0% 99.85%    65.10ms   100%                | main\n"
		      "                                              60ms 92.17% |   a\n"
		      "                                               5ms  7.68% |   c\n"
		      "----------------------------------------------------------+-------------\n");
	small_fini(&s);
}

TEST(tree_keeps_edges_over_nodes_that_are_not_shown)
{
	struct small s;
	small_start(&s, "cpu", "nanoseconds");
	small_add_with(&s, "main a b c", "tenant=x", 50000000);
	small_add_with(&s, "main b c", "tenant=y", 40000000);
	small_add(&s, "main d", 3000000);
	assert_report(small_finish(&s), EP_REPORT_TREE, "nodecount=2 cum",
		      "Type: cpu\n"
		      "Showing nodes accounting for 0, 0% of 93ms total\n"
		      "Showing top 2 nodes out of 5\n"
		      "----------------------------------------------------------+-------------\n"
		      "      flat  flat%   sum%        cum   cum%   calls calls% + context \t \t \n"
		      "----------------------------------------------------------+-------------\n"
		      "         0     0%     0%       93ms   100%                | main\n"
		      "                                              90ms 96.77% |   b\n"
		      "----------------------------------------------------------+-------------\n"
		      "                                              90ms   100% |   main\n"
		      "         0     0%     0%       90ms 96.77%                | b\n"
		      "----------------------------------------------------------+-------------\n");
	small_fini(&s);
}

TEST(tree_leads_to_nodes_that_weigh_nothing)
{
	struct small s;
	small_start(&s, "space", "bytes");
	small_add(&s, "main a", 100);
	small_add(&s, "main gone b", 50);
	small_add(&s, "main gone c", -50);
	assert_report(small_finish(&s), EP_REPORT_TREE, "",
		      "Type: space\n"
		      "Showing nodes accounting for 100B, 50.00% of 200B total\n"
		      "----------------------------------------------------------+-------------\n"
		      "      flat  flat%   sum%        cum   cum%   calls calls% + context \t \t \n"
		      "----------------------------------------------------------+-------------\n"
		      "                                              100B   100% |   main\n"
		      "      100B 50.00% 50.00%       100B 50.00%                | a\n"
		      "----------------------------------------------------------+-------------\n"
		      "                                               50B   100% |   gone\n"
		      "       50B 25.00% 75.00%        50B 25.00%                | b\n"
		      "----------------------------------------------------------+-------------\n"
		      "                                              -50B   100% |   gone\n"
		      "      -50B 25.00% 50.00%       -50B 25.00%                | c\n"
		      "----------------------------------------------------------+-------------\n"
		      "         0     0% 50.00%       100B 50.00%                | main\n"
		      "                                              100B   100% |   a\n"
		      "                                                 0     0% |   gone\n"
		      "----------------------------------------------------------+-------------\n");
	small_fini(&s);
}

TEST(peek_shows_the_nodes_that_match)
{
	struct small s;
	small_start(&s, "cpu", "nanoseconds");
	small_add_with(&s, "main a b", "thread=1", 30000000);
	small_add_with(&s, "main a b b", "thread=2", 20000000);
	small_add_with(&s, "main a>c", "thread=1", 10000000);
	small_add_with(&s, "main c", "thread=2", 5000000);
	small_add_with(&s, "main tiny", "thread=2", 100000);
	assert_report(small_finish(&s), EP_REPORT_PEEK, "argument=^[ac]$",
		      "Type: cpu\n"
		      "Showing nodes accounting for 65.10ms, 100% of 65.10ms total\n"
		      "----------------------------------------------------------+-------------\n"
		      "      flat  flat%   sum%        cum   cum%   calls calls% + context \t \t \n"
		      "----------------------------------------------------------+-------------\n"
		      "                                              10ms 66.67% |   a (inline)\n"
		      "                                               5ms 33.33% |   main\n"
		      "      15ms 23.04% 23.04%       15ms 23.04%                | c\n"
		      "----------------------------------------------------------+-------------\n"
		      "                                              60ms   100% |   main\n"
		      "         0     0% 23.04%       60ms 92.17%                | a\n"
		      "                                              50ms 83.33% |   b\n"
		      "                                              10ms 16.67% |   c (inline)\n"
		      "----------------------------------------------------------+-------------\n");
	small_fini(&s);
}

/* Ours: the reference has no such option. */
TEST(tree_of_a_label_has_what_ran_below_its_values)
{
	struct small s;
	small_start(&s, "cpu", "nanoseconds");
	small_add_with(&s, "main a b c", "tenant=x", 50000000);
	small_add_with(&s, "main b c", "tenant=y", 40000000);
	small_add(&s, "main d", 3000000);
	assert_report(small_finish(&s), EP_REPORT_TREE, "group_by=tenant",
		      "Type: cpu\n"
		      "Grouped by the label tenant: each row is one of its values, below it what ran in its samples\n"
		      "Showing nodes accounting for 93ms, 100% of 93ms total\n"
		      "----------------------------------------------------------+-------------\n"
		      "      flat  flat%   sum%        cum   cum%   calls calls% + context \t \t \n"
		      "----------------------------------------------------------+-------------\n"
		      "      50ms 53.76% 53.76%       50ms 53.76%                | x\n"
		      "                                              50ms   100% |   c\n"
		      "----------------------------------------------------------+-------------\n"
		      "      40ms 43.01% 96.77%       40ms 43.01%                | y\n"
		      "                                              40ms   100% |   c\n"
		      "----------------------------------------------------------+-------------\n"
		      "       3ms  3.23%   100%        3ms  3.23%                | (no tenant)\n"
		      "                                               3ms   100% |   d\n"
		      "----------------------------------------------------------+-------------\n");
	small_fini(&s);
}

TEST(peek_without_a_match_says_so)
{
	struct small s;
	small_start(&s, "cpu", "nanoseconds");
	small_add(&s, "main", 1);
	assert_report(small_finish(&s), EP_REPORT_PEEK, "argument=none",
		      "no matches found for regexp: none");
	small_fini(&s);
}

TEST(group_by_an_unknown_label_names_those_there_are)
{
	struct small s;
	small_start(&s, "cpu", "nanoseconds");
	small_add_with(&s, "main", "tenant=x", 1);
	assert_report(small_finish(&s), EP_REPORT_TREE, "group_by=none",
		      "no sample has the label none; there are: tenant");
	small_fini(&s);
}
