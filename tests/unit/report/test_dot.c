/* The graph for Graphviz.  Expected text: `go tool pprof`'s. */
#include "small.h"
#include "test.h"

#include <stdlib.h>

TEST(dot_draws_nodes_labels_and_edges)
{
	struct small s;
	small_start(&s, "cpu", "nanoseconds");
	small_add_with(&s, "main a b", "thread=1", 30000000);
	small_add_with(&s, "main a b b", "thread=2", 20000000);
	small_add_with(&s, "main a>c", "thread=1", 10000000);
	small_add_with(&s, "main c", "thread=2", 5000000);
	small_add_with(&s, "main tiny", "thread=2", 100000);
	assert_report(small_finish(&s), EP_REPORT_DOT, "nodefraction=0.2",
		      "digraph \"unnamed\" {\n"
		      "node [style=filled fillcolor=\"#f8f8f8\"]\n"
		      "subgraph cluster_L { \"Type: cpu\" [shape=box fontsize=16 label=\"Type: cpu\\lShowing nodes accounting for 65ms, 99.85% of 65.10ms total\\lDropped 1 node (cum <= 13.02ms)\\l\\lSee https://git.io/JfYMW for how to read the graph\\l\"] }\n"
		      "N1 [label=\"b\\n50ms (76.80%)\" id=\"node1\" fontsize=24 shape=box tooltip=\"b (50ms)\" color=\"#b20d00\" fillcolor=\"#edd7d5\"]\n"
		      "N1_0 [label = \"thread:1\" id=\"N1_0\" fontsize=8 shape=box3d tooltip=\"30ms\"]\n"
		      "N1 -> N1_0 [label=\" 30ms\" weight=100 tooltip=\"30ms\" labeltooltip=\"30ms\"]\n"
		      "N1_1 [label = \"thread:2\" id=\"N1_1\" fontsize=8 shape=box3d tooltip=\"20ms\"]\n"
		      "N1 -> N1_1 [label=\" 20ms\" weight=100 tooltip=\"20ms\" labeltooltip=\"20ms\"]\n"
		      "N2 [label=\"main\\n0 of 65.10ms (100%)\" id=\"node2\" fontsize=8 shape=box tooltip=\"main (65.10ms)\" color=\"#b20000\" fillcolor=\"#edd5d5\"]\n"
		      "N3 [label=\"c\\n15ms (23.04%)\" id=\"node3\" fontsize=17 shape=box tooltip=\"c (15ms)\" color=\"#b23f00\" fillcolor=\"#edddd5\"]\n"
		      "N4 [label=\"a\\n0 of 60ms (92.17%)\" id=\"node4\" fontsize=8 shape=box tooltip=\"a (60ms)\" color=\"#b20400\" fillcolor=\"#edd6d5\"]\n"
		      "N2 -> N4 [label=\" 60ms\" weight=93 penwidth=5 color=\"#b20400\" tooltip=\"main -> a (60ms)\" labeltooltip=\"main -> a (60ms)\"]\n"
		      "N4 -> N1 [label=\" 50ms\" weight=77 penwidth=4 color=\"#b20d00\" tooltip=\"a -> b (50ms)\" labeltooltip=\"a -> b (50ms)\"]\n"
		      "N4 -> N3 [label=\" 10ms\\n (inline)\" weight=16 color=\"#b26429\" tooltip=\"a -> c (10ms)\" labeltooltip=\"a -> c (10ms)\"]\n"
		      "N2 -> N3 [label=\" 5ms\" weight=8 color=\"#b2926d\" tooltip=\"main -> c (5ms)\" labeltooltip=\"main -> c (5ms)\"]\n"
		      "}\n");
	small_fini(&s);
}

TEST(dot_of_a_call_tree_has_a_node_for_each_path)
{
	struct small s;
	small_start(&s, "cpu", "nanoseconds");
	small_add_with(&s, "main a b", "thread=1", 30000000);
	small_add_with(&s, "main a b b", "thread=2", 20000000);
	small_add_with(&s, "main a>c", "thread=1", 10000000);
	small_add_with(&s, "main c", "thread=2", 5000000);
	small_add_with(&s, "main tiny", "thread=2", 100000);
	assert_report(small_finish(&s), EP_REPORT_DOT, "call_tree nodefraction=0.3",
		      "digraph \"unnamed\" {\n"
		      "node [style=filled fillcolor=\"#f8f8f8\"]\n"
		      "subgraph cluster_L { \"Type: cpu\" [shape=box fontsize=16 label=\"Type: cpu\\lShowing nodes accounting for 50ms, 76.80% of 65.10ms total\\lDropped 3 nodes (cum <= 19.53ms)\\l\\lSee https://git.io/JfYMW for how to read the graph\\l\"] }\n"
		      "N1 [label=\"b\\n30ms (46.08%)\\nof 50ms (76.80%)\" id=\"node1\" fontsize=24 shape=box tooltip=\"b (50ms)\" color=\"#b20d00\" fillcolor=\"#edd7d5\"]\n"
		      "N1_0 [label = \"thread:1\" id=\"N1_0\" fontsize=8 shape=box3d tooltip=\"30ms\"]\n"
		      "N1 -> N1_0 [label=\" 30ms\" weight=100 tooltip=\"30ms\" labeltooltip=\"30ms\"]\n"
		      "N2 [label=\"main\\n0 of 65.10ms (100%)\" id=\"node2\" fontsize=8 shape=box tooltip=\"main (65.10ms)\" color=\"#b20000\" fillcolor=\"#edd5d5\"]\n"
		      "N3 [label=\"b\\n20ms (30.72%)\" id=\"node3\" fontsize=22 shape=box tooltip=\"b (20ms)\" color=\"#b23500\" fillcolor=\"#eddcd5\"]\n"
		      "N3_0 [label = \"thread:2\" id=\"N3_0\" fontsize=8 shape=box3d tooltip=\"20ms\"]\n"
		      "N3 -> N3_0 [label=\" 20ms\" weight=100 tooltip=\"20ms\" labeltooltip=\"20ms\"]\n"
		      "N4 [label=\"a\\n0 of 60ms (92.17%)\" id=\"node4\" fontsize=8 shape=box tooltip=\"a (60ms)\" color=\"#b20400\" fillcolor=\"#edd6d5\"]\n"
		      "N2 -> N4 [label=\" 60ms\" weight=93 penwidth=5 color=\"#b20400\" tooltip=\"main -> a (60ms)\" labeltooltip=\"main -> a (60ms)\"]\n"
		      "N4 -> N1 [label=\" 50ms\" weight=77 penwidth=4 color=\"#b20d00\" tooltip=\"a -> b (50ms)\" labeltooltip=\"a -> b (50ms)\"]\n"
		      "N1 -> N3 [label=\" 20ms\" weight=31 penwidth=2 color=\"#b23500\" tooltip=\"b -> b (20ms)\" labeltooltip=\"b -> b (20ms)\" minlen=2]\n"
		      "}\n");
	small_fini(&s);
}

TEST(dot_puts_numbers_into_four_ranges)
{
	struct small s;
	small_start(&s, "space", "bytes");
	small_add_with(&s, "main make", "bytes=16#bytes", 1600);
	small_add_with(&s, "main make", "bytes=32#bytes", 3200);
	small_add_with(&s, "main make", "bytes=1000#bytes", 1000);
	small_add_with(&s, "main make", "bytes=4096#bytes", 40960);
	small_add_with(&s, "main make", "bytes=8192#bytes", 8192);
	small_add_with(&s, "main make", "bytes=48#bytes", 480);
	assert_report(small_finish(&s), EP_REPORT_DOT, "",
		      "digraph \"unnamed\" {\n"
		      "node [style=filled fillcolor=\"#f8f8f8\"]\n"
		      "subgraph cluster_L { \"Type: space\" [shape=box fontsize=16 label=\"Type: space\\lShowing nodes accounting for 54.13kB, 100% of 54.13kB total\\l\\lSee https://git.io/JfYMW for how to read the graph\\l\"] }\n"
		      "N1 [label=\"make\\n54.13kB (100%)\" id=\"node1\" fontsize=24 shape=box tooltip=\"make (54.13kB)\" color=\"#b20000\" fillcolor=\"#edd5d5\"]\n"
		      "NN1_0 [label = \"4kB\" id=\"NN1_0\" fontsize=8 shape=box3d tooltip=\"40kB\"]\n"
		      "N1 -> NN1_0 [label=\" 40kB\" weight=100 tooltip=\"40kB\" labeltooltip=\"40kB\"]\n"
		      "NN1_1 [label = \"8kB\" id=\"NN1_1\" fontsize=8 shape=box3d tooltip=\"8kB\"]\n"
		      "N1 -> NN1_1 [label=\" 8kB\" weight=100 tooltip=\"8kB\" labeltooltip=\"8kB\"]\n"
		      "NN1_2 [label = \"32B..1000B\" id=\"NN1_2\" fontsize=8 shape=box3d tooltip=\"4.57kB\"]\n"
		      "N1 -> NN1_2 [label=\" 4.57kB\" weight=100 tooltip=\"4.57kB\" labeltooltip=\"4.57kB\"]\n"
		      "NN1_3 [label = \"16B\" id=\"NN1_3\" fontsize=8 shape=box3d tooltip=\"1.56kB\"]\n"
		      "N1 -> NN1_3 [label=\" 1.56kB\" weight=100 tooltip=\"1.56kB\" labeltooltip=\"1.56kB\"]\n"
		      "N2 [label=\"main\\n0 of 54.13kB (100%)\" id=\"node2\" fontsize=8 shape=box tooltip=\"main (54.13kB)\" color=\"#b20000\" fillcolor=\"#edd5d5\"]\n"
		      "N2 -> N1 [label=\" 54.13kB\" weight=101 penwidth=6 color=\"#b20000\" tooltip=\"main -> make (54.13kB)\" labeltooltip=\"main -> make (54.13kB)\"]\n"
		      "}\n");
	small_fini(&s);
}

TEST(dot_drops_dotted_edges_that_another_way_stands_for)
{
	struct small s;
	small_start(&s, "cpu", "nanoseconds");
	small_add(&s, "main a b", 50);
	small_add(&s, "main x b", 40);
	small_add(&s, "main a x", 10);
	assert_report(small_finish(&s), EP_REPORT_DOT, "nodecount=3",
		      "digraph \"unnamed\" {\n"
		      "node [style=filled fillcolor=\"#f8f8f8\"]\n"
		      "subgraph cluster_L { \"Type: cpu\" [shape=box fontsize=16 label=\"Type: cpu\\lShowing nodes accounting for 100ns, 100% of 100ns total\\lShowing top 3 nodes out of 4\\l\\lSee https://git.io/JfYMW for how to read the graph\\l\"] }\n"
		      "N1 [label=\"b\\n90ns (90.00%)\" id=\"node1\" fontsize=24 shape=box tooltip=\"b (90ns)\" color=\"#b20500\" fillcolor=\"#edd6d5\"]\n"
		      "N2 [label=\"main\\n0 of 100ns (100%)\" id=\"node2\" fontsize=8 shape=box tooltip=\"main (100ns)\" color=\"#b20000\" fillcolor=\"#edd5d5\"]\n"
		      "N3 [label=\"x\\n10ns (10.00%)\\nof 50ns (50.00%)\" id=\"node3\" fontsize=14 shape=box tooltip=\"x (50ns)\" color=\"#b22100\" fillcolor=\"#edd9d5\"]\n"
		      "N2 -> N1 [label=\" 50ns\" weight=51 penwidth=3 color=\"#b22100\" tooltip=\"main ... b (50ns)\" labeltooltip=\"main ... b (50ns)\" style=\"dotted\"]\n"
		      "N2 -> N3 [label=\" 50ns\" weight=51 penwidth=3 color=\"#b22100\" tooltip=\"main ... x (50ns)\" labeltooltip=\"main ... x (50ns)\" style=\"dotted\"]\n"
		      "N3 -> N1 [label=\" 40ns\" weight=41 penwidth=3 color=\"#b22a00\" tooltip=\"x -> b (40ns)\" labeltooltip=\"x -> b (40ns)\"]\n"
		      "}\n");
	small_fini(&s);
}

TEST(dot_shortens_names_and_breaks_them)
{
	struct small s;
	small_start(&s, "cpu", "nanoseconds");
	small_add(&s, "ns::Cls::method github.com/a/b/v2.(*T).Do com.example.Foo.bar", 70);
	small_add(&s, "ns::Cls::method f[...]", 30);
	assert_report(small_finish(&s), EP_REPORT_DOT, "",
		      "digraph \"unnamed\" {\n"
		      "node [style=filled fillcolor=\"#f8f8f8\"]\n"
		      "subgraph cluster_L { \"Type: cpu\" [shape=box fontsize=16 label=\"Type: cpu\\lShowing nodes accounting for 100ns, 100% of 100ns total\\l\\lSee https://git.io/JfYMW for how to read the graph\\l\"] }\n"
		      "N1 [label=\":Cls\\nmethod\\n0 of 100ns (100%)\" id=\"node1\" fontsize=8 shape=box tooltip=\":Cls::method (100ns)\" color=\"#b20000\" fillcolor=\"#edd5d5\"]\n"
		      "N2 [label=\"Foo\\nbar\\n70ns (70.00%)\" id=\"node2\" fontsize=24 shape=box tooltip=\"com.example.Foo.bar (70ns)\" color=\"#b21200\" fillcolor=\"#edd7d5\"]\n"
		      "N3 [label=\"f[…]\\n30ns (30.00%)\" id=\"node3\" fontsize=19 shape=box tooltip=\"f[...] (30ns)\" color=\"#b23600\" fillcolor=\"#eddcd5\"]\n"
		      "N4 [label=\"b\\n(*T)\\nDo\\n0 of 70ns (70.00%)\" id=\"node4\" fontsize=8 shape=box tooltip=\"github.com/a/b/v2.(*T).Do (70ns)\" color=\"#b21200\" fillcolor=\"#edd7d5\"]\n"
		      "N1 -> N4 [label=\" 70ns\" weight=71 penwidth=4 color=\"#b21200\" tooltip=\":Cls::method -> github.com/a/b/v2.(*T).Do (70ns)\" labeltooltip=\":Cls::method -> github.com/a/b/v2.(*T).Do (70ns)\"]\n"
		      "N4 -> N2 [label=\" 70ns\" weight=71 penwidth=4 color=\"#b21200\" tooltip=\"github.com/a/b/v2.(*T).Do -> com.example.Foo.bar (70ns)\" labeltooltip=\"github.com/a/b/v2.(*T).Do -> com.example.Foo.bar (70ns)\"]\n"
		      "N1 -> N3 [label=\" 30ns\" weight=31 penwidth=2 color=\"#b23600\" tooltip=\":Cls::method -> f[...] (30ns)\" labeltooltip=\":Cls::method -> f[...] (30ns)\"]\n"
		      "}\n");
	small_fini(&s);
}

TEST(dot_colours_what_went_away_green)
{
	struct small s;
	small_start(&s, "space", "bytes");
	small_add(&s, "main up", 1000);
	small_add(&s, "main down", -3000);
	small_add(&s, "main same", 500);
	small_add(&s, "main same other", -500);
	assert_report(small_finish(&s), EP_REPORT_DOT, "",
		      "digraph \"unnamed\" {\n"
		      "node [style=filled fillcolor=\"#f8f8f8\"]\n"
		      "subgraph cluster_L { \"Type: space\" [shape=box fontsize=16 label=\"Type: space\\lShowing nodes accounting for -2500B, 50.00% of 5000B total\\lDropped 1 node (cum <= 25B)\\l\\lSee https://git.io/JfYMW for how to read the graph\\l\"] }\n"
		      "N1 [label=\"main\\n0 of -2000B (40.00%)\" id=\"node1\" fontsize=8 shape=box tooltip=\"main (-2000B)\" color=\"#2ab200\" fillcolor=\"#dbedd5\"]\n"
		      "N2 [label=\"down\\n-3000B (60.00%)\" id=\"node2\" fontsize=24 shape=box tooltip=\"down (-3000B)\" color=\"#19b200\" fillcolor=\"#d8edd5\"]\n"
		      "N3 [label=\"up\\n1000B (20.00%)\" id=\"node3\" fontsize=18 shape=box tooltip=\"up (1000B)\" color=\"#b24400\" fillcolor=\"#edded5\"]\n"
		      "N4 [label=\"other\\n-500B (10.00%)\" id=\"node4\" fontsize=15 shape=box tooltip=\"other (-500B)\" color=\"#85b259\" fillcolor=\"#e7ede1\"]\n"
		      "N1 -> N2 [label=\" -3000B\" weight=61 penwidth=4 color=\"#19b200\" tooltip=\"main -> down (-3000B)\" labeltooltip=\"main -> down (-3000B)\"]\n"
		      "N1 -> N3 [label=\" 1000B\" weight=21 penwidth=2 color=\"#b24400\" tooltip=\"main -> up (1000B)\" labeltooltip=\"main -> up (1000B)\"]\n"
		      "N1 -> N4 [label=\" -500B\" weight=11 color=\"#85b259\" tooltip=\"main ... other (-500B)\" labeltooltip=\"main ... other (-500B)\" style=\"dotted\"]\n"
		      "}\n");
	small_fini(&s);
}
