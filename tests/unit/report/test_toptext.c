/* `top`: rows, what is left out, inline marks.  Expected text: `go tool pprof`'s. */
#include "small.h"
#include "test.h"

#include <stdlib.h>

TEST(toptext_counts_a_recursion_once_and_drops_what_is_small)
{
	struct small s;
	small_start(&s, "cpu", "nanoseconds");
	small_add_with(&s, "main a b", "thread=1", 30000000);
	small_add_with(&s, "main a b b", "thread=2", 20000000);
	small_add_with(&s, "main a>c", "thread=1", 10000000);
	small_add_with(&s, "main c", "thread=2", 5000000);
	small_add_with(&s, "main tiny", "thread=2", 100000);
	assert_report(small_finish(&s), EP_REPORT_TEXT, "",
		      "Type: cpu\n"
		      "Showing nodes accounting for 65ms, 99.85% of 65.10ms total\n"
		      "Dropped 1 node (cum <= 0.33ms)\n"
		      "      flat  flat%   sum%        cum   cum%\n"
		      "      50ms 76.80% 76.80%       50ms 76.80%  b\n"
		      "      15ms 23.04% 99.85%       15ms 23.04%  c (partial-inline)\n"
		      "         0     0% 99.85%       60ms 92.17%  a\n"
		      "         0     0% 99.85%    65.10ms   100%  main\n");
	small_fini(&s);
}

TEST(toptext_forgets_callers_whose_edges_are_small)
{
	struct small s;
	small_start(&s, "cpu", "nanoseconds");
	small_add_with(&s, "main a b", "thread=1", 30000000);
	small_add_with(&s, "main a b b", "thread=2", 20000000);
	small_add_with(&s, "main a>c", "thread=1", 10000000);
	small_add_with(&s, "main c", "thread=2", 5000000);
	small_add_with(&s, "main tiny", "thread=2", 100000);
	assert_report(small_finish(&s), EP_REPORT_TEXT, "edgefraction=0.1",
		      "Type: cpu\n"
		      "Showing nodes accounting for 65ms, 99.85% of 65.10ms total\n"
		      "Dropped 1 node (cum <= 0.33ms)\n"
		      "      flat  flat%   sum%        cum   cum%\n"
		      "      50ms 76.80% 76.80%       50ms 76.80%  b\n"
		      "      15ms 23.04% 99.85%       15ms 23.04%  c (inline)\n"
		      "         0     0% 99.85%       60ms 92.17%  a\n"
		      "         0     0% 99.85%    65.10ms   100%  main\n");
	small_fini(&s);
}

TEST(toptext_can_sort_by_cum_and_stop_early)
{
	struct small s;
	small_start(&s, "cpu", "nanoseconds");
	small_add_with(&s, "main a b", "thread=1", 30000000);
	small_add_with(&s, "main a b b", "thread=2", 20000000);
	small_add_with(&s, "main a>c", "thread=1", 10000000);
	small_add_with(&s, "main c", "thread=2", 5000000);
	small_add_with(&s, "main tiny", "thread=2", 100000);
	assert_report(small_finish(&s), EP_REPORT_TEXT, "cum nodecount=2",
		      "Type: cpu\n"
		      "Showing nodes accounting for 0, 0% of 65.10ms total\n"
		      "Dropped 1 node (cum <= 0.33ms)\n"
		      "Showing top 2 nodes out of 4\n"
		      "      flat  flat%   sum%        cum   cum%\n"
		      "         0     0%     0%    65.10ms   100%  main\n"
		      "         0     0%     0%       60ms 92.17%  a\n");
	small_fini(&s);
}

TEST(toptext_shows_negative_values_by_their_size)
{
	struct small s;
	small_start(&s, "space", "bytes");
	small_add(&s, "main up", 1000);
	small_add(&s, "main down", -3000);
	small_add(&s, "main same", 500);
	small_add(&s, "main same other", -500);
	assert_report(small_finish(&s), EP_REPORT_TEXT, "",
		      "Type: space\n"
		      "Showing nodes accounting for -2500B, 50.00% of 5000B total\n"
		      "Dropped 1 node (cum <= 25B)\n"
		      "      flat  flat%   sum%        cum   cum%\n"
		      "    -3000B 60.00% 60.00%     -3000B 60.00%  down\n"
		      "     1000B 20.00% 40.00%      1000B 20.00%  up\n"
		      "     -500B 10.00% 50.00%      -500B 10.00%  other\n"
		      "         0     0% 50.00%     -2000B 40.00%  main\n");
	small_fini(&s);
}

TEST(toptext_can_leave_out_negative_values)
{
	struct small s;
	small_start(&s, "space", "bytes");
	small_add(&s, "main up", 1000);
	small_add(&s, "main down", -3000);
	small_add(&s, "main same", 500);
	small_add(&s, "main same other", -500);
	assert_report(small_finish(&s), EP_REPORT_TEXT, "drop_negative",
		      "Type: space\n"
		      "Showing nodes accounting for 1000B, 20.00% of 5000B total\n"
		      "Dropped 1 node (cum <= 25B)\n"
		      "      flat  flat%   sum%        cum   cum%\n"
		      "     1000B 20.00% 20.00%      1000B 20.00%  up\n");
	small_fini(&s);
}

TEST(toptext_settles_ties_by_name)
{
	struct small s;
	small_start(&s, "cpu", "nanoseconds");
	small_add(&s, "main z", 10);
	small_add(&s, "main y", 10);
	small_add(&s, "main x", 10);
	assert_report(small_finish(&s), EP_REPORT_TEXT, "",
		      "Type: cpu\n"
		      "Showing nodes accounting for 30ns, 100% of 30ns total\n"
		      "      flat  flat%   sum%        cum   cum%\n"
		      "      10ns 33.33% 33.33%       10ns 33.33%  x\n"
		      "      10ns 33.33% 66.67%       10ns 33.33%  y\n"
		      "      10ns 33.33%   100%       10ns 33.33%  z\n"
		      "         0     0%   100%       30ns   100%  main\n");
	small_fini(&s);
}

TEST(toptext_by_line_names_places)
{
	struct small s;
	small_start(&s, "cpu", "nanoseconds");
	small_add(&s, "/src/./a.c:main@3 b.c:work@7", 20);
	small_add(&s, "/src/./a.c:main@4 work", 10);
	assert_report(small_finish(&s), EP_REPORT_TEXT, "lines",
		      "Type: cpu\n"
		      "Showing nodes accounting for 30ns, 100% of 30ns total\n"
		      "      flat  flat%   sum%        cum   cum%\n"
		      "      20ns 66.67% 66.67%       20ns 66.67%  work b.c:7\n"
		      "      10ns 33.33%   100%       10ns 33.33%  work\n"
		      "         0     0%   100%       20ns 66.67%  main /src/a.c:3\n"
		      "         0     0%   100%       10ns 33.33%  main /src/a.c:4\n");
	small_fini(&s);
}

/* Ours: the reference has no such option. */
TEST(toptext_rows_can_be_values_of_a_label)
{
	struct small s;
	small_start(&s, "cpu", "nanoseconds");
	small_add_with(&s, "main a b c", "tenant=x", 50000000);
	small_add_with(&s, "main b c", "tenant=y", 40000000);
	small_add(&s, "main d", 3000000);
	assert_report(small_finish(&s), EP_REPORT_TEXT, "group_by=tenant",
		      "Type: cpu\n"
		      "Grouped by the label tenant: each row is one of its values\n"
		      "Showing nodes accounting for 93ms, 100% of 93ms total\n"
		      "      flat  flat%   sum%        cum   cum%\n"
		      "      50ms 53.76% 53.76%       50ms 53.76%  x\n"
		      "      40ms 43.01% 96.77%       40ms 43.01%  y\n"
		      "       3ms  3.23%   100%        3ms  3.23%  (no tenant)\n");
	small_fini(&s);
}
