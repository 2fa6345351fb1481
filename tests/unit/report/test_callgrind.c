/* The graph for KCachegrind.  Expected text: `go tool pprof`'s. */
#include "small.h"
#include "test.h"

#include <stdlib.h>

TEST(callgrind_numbers_names_and_lists_calls)
{
	struct small s;
	small_start(&s, "cpu", "nanoseconds");
	small_add_with(&s, "main a b", "thread=1", 30000000);
	small_add_with(&s, "main a b b", "thread=2", 20000000);
	small_add_with(&s, "main a>c", "thread=1", 10000000);
	small_add_with(&s, "main c", "thread=2", 5000000);
	small_add_with(&s, "main tiny", "thread=2", 100000);
	assert_report(small_finish(&s), EP_REPORT_CALLGRIND, "",
		      "positions: instr line\n"
		      "events: cpu(us)\n"
		      "\n"
		      "ob=\n"
		      "fl=\n"
		      "fn=(1) b\n"
		      "0x0 0 50000\n"
		      "\n"
		      "ob=\n"
		      "fl=\n"
		      "fn=(2) c\n"
		      "* 0 15000\n"
		      "\n"
		      "ob=\n"
		      "fl=\n"
		      "fn=(3) tiny\n"
		      "* 0 100\n"
		      "\n"
		      "ob=\n"
		      "fl=\n"
		      "fn=(4) a\n"
		      "* 0 0\n"
		      "cfl=\n"
		      "cfn=(1)\n"
		      "calls=0 * 0\n"
		      "* * 50000\n"
		      "cfl=\n"
		      "cfn=(2)\n"
		      "calls=0 * 0\n"
		      "* * 10000\n"
		      "\n"
		      "ob=\n"
		      "fl=\n"
		      "fn=(5) main\n"
		      "* 0 0\n"
		      "cfl=\n"
		      "cfn=(4)\n"
		      "calls=0 * 0\n"
		      "* * 60000\n"
		      "cfl=\n"
		      "cfn=(2)\n"
		      "calls=0 * 0\n"
		      "* * 5000\n"
		      "cfl=\n"
		      "cfn=(3)\n"
		      "calls=0 * 0\n"
		      "* * 100\n");
	small_fini(&s);
}

TEST(callgrind_tells_functions_of_one_name_apart)
{
	struct small s;
	small_start(&s, "cpu", "nanoseconds");
	small_add_with(&s, "main a b", "thread=1", 30000000);
	small_add_with(&s, "main a b b", "thread=2", 20000000);
	small_add_with(&s, "main a>c", "thread=1", 10000000);
	small_add_with(&s, "main c", "thread=2", 5000000);
	small_add_with(&s, "main tiny", "thread=2", 100000);
	assert_report(small_finish(&s), EP_REPORT_CALLGRIND, "call_tree",
		      "positions: instr line\n"
		      "events: cpu(us)\n"
		      "\n"
		      "ob=\n"
		      "fl=\n"
		      "fn=(1) b\n"
		      "0x0 0 30000\n"
		      "cfl=\n"
		      "cfn=(2) b [2/2]\n"
		      "calls=0 0x0 0\n"
		      "* * 20000\n"
		      "* 0 20000\n"
		      "\n"
		      "ob=\n"
		      "fl=\n"
		      "fn=(3) c\n"
		      "* 0 10000\n"
		      "* 0 5000\n"
		      "\n"
		      "ob=\n"
		      "fl=\n"
		      "fn=(4) tiny\n"
		      "* 0 100\n"
		      "\n"
		      "ob=\n"
		      "fl=\n"
		      "fn=(5) a\n"
		      "* 0 0\n"
		      "cfl=\n"
		      "cfn=(6) b [1/2]\n"
		      "calls=0 * 0\n"
		      "* * 50000\n"
		      "cfl=\n"
		      "cfn=(7) c [1/2]\n"
		      "calls=0 * 0\n"
		      "* * 10000\n"
		      "\n"
		      "ob=\n"
		      "fl=\n"
		      "fn=(8) main\n"
		      "* 0 0\n"
		      "cfl=\n"
		      "cfn=(5)\n"
		      "calls=0 * 0\n"
		      "* * 60000\n"
		      "cfl=\n"
		      "cfn=(9) c [2/2]\n"
		      "calls=0 * 0\n"
		      "* * 5000\n"
		      "cfl=\n"
		      "cfn=(4)\n"
		      "calls=0 * 0\n"
		      "* * 100\n");
	small_fini(&s);
}
