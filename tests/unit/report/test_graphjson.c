/* Reports as JSON: docs/formats/report-json.md. */
#include "small.h"
#include "test.h"

#include <stdlib.h>

TEST(graphjson_of_top_has_rows_and_no_edges)
{
	struct small s;
	small_start(&s, "cpu", "nanoseconds");
	small_add(&s, "main>work", 30000000);
	assert_report(small_finish(&s), EP_REPORT_TEXT, "json",
		      "{\"version\":1,\"report\":\"text\",\"type\":\"cpu\",\"unit\":\"nanoseconds\",\"shown_unit\":\"ms\",\"total\":30000000,\"total_text\":\"30ms\",\"header\":[\"Type: cpu\"],\"nodes_before_count\":2,\"small_nodes\":0,\"small_edges\":0,\"nodes\":[{\"name\":\"work\",\"function\":\"work\",\"flat\":30000000,\"flat_text\":\"30ms\",\"cum\":30000000,\"cum_text\":\"30ms\",\"inlined\":\"always\"},{\"name\":\"main\",\"function\":\"main\",\"flat\":0,\"flat_text\":\"0\",\"cum\":30000000,\"cum_text\":\"30ms\"}]}\n");
	small_fini(&s);
}

TEST(graphjson_of_a_peek_marks_neighbours)
{
	struct small s;
	small_start(&s, "cpu", "nanoseconds");
	small_add_with(&s, "main a b c", "tenant=x", 50000000);
	small_add_with(&s, "main b c", "tenant=y", 40000000);
	small_add(&s, "main d", 3000000);
	assert_report(small_finish(&s), EP_REPORT_PEEK, "argument=^b$ json",
		      "{\"version\":1,\"report\":\"peek\",\"type\":\"cpu\",\"unit\":\"nanoseconds\",\"shown_unit\":\"ms\",\"total\":93000000,\"total_text\":\"93ms\",\"header\":[\"Type: cpu\"],\"nodes_before_count\":5,\"small_nodes\":0,\"small_edges\":0,\"nodes\":[{\"name\":\"b\",\"function\":\"b\",\"flat\":0,\"flat_text\":\"0\",\"cum\":90000000,\"cum_text\":\"90ms\"},{\"name\":\"a\",\"function\":\"a\",\"flat\":0,\"flat_text\":\"0\",\"cum\":50000000,\"cum_text\":\"50ms\",\"neighbour\":true},{\"name\":\"main\",\"function\":\"main\",\"flat\":0,\"flat_text\":\"0\",\"cum\":93000000,\"cum_text\":\"93ms\",\"neighbour\":true},{\"name\":\"c\",\"function\":\"c\",\"flat\":90000000,\"flat_text\":\"90ms\",\"cum\":90000000,\"cum_text\":\"90ms\",\"neighbour\":true}],\"edges\":[{\"from\":0,\"to\":3,\"weight\":90000000,\"weight_text\":\"90ms\"},{\"from\":1,\"to\":0,\"weight\":50000000,\"weight_text\":\"50ms\"},{\"from\":2,\"to\":0,\"weight\":40000000,\"weight_text\":\"40ms\"}]}\n");
	small_fini(&s);
}

TEST(graphjson_of_dot_has_labels_and_ranges)
{
	struct small s;
	small_start(&s, "space", "bytes");
	small_add_with(&s, "main", "bytes=16#bytes", 1600);
	small_add_with(&s, "main", "k=v", 10);
	assert_report(small_finish(&s), EP_REPORT_DOT, "json",
		      "{\"version\":1,\"report\":\"dot\",\"type\":\"space\",\"unit\":\"bytes\",\"shown_unit\":\"kB\",\"total\":1610,\"total_text\":\"1.57kB\",\"header\":[\"Type: space\"],\"nodes_before_count\":1,\"small_nodes\":0,\"small_edges\":0,\"nodes\":[{\"name\":\"main\",\"function\":\"main\",\"flat\":1610,\"flat_text\":\"1.57kB\",\"cum\":1610,\"cum_text\":\"1.57kB\",\"labels\":[{\"name\":\"k:v\",\"weight\":10,\"weight_text\":\"0.01kB\"}],\"numbers\":[{\"name\":\"16B\",\"weight\":1600,\"weight_text\":\"1.56kB\"}]}],\"edges\":[]}\n");
	small_fini(&s);
}

TEST(graphjson_of_values_names_no_functions)
{
	struct small s;
	small_start(&s, "cpu", "nanoseconds");
	small_add_with(&s, "main a b c", "tenant=x", 50000000);
	small_add_with(&s, "main b c", "tenant=y", 40000000);
	small_add(&s, "main d", 3000000);
	assert_report(small_finish(&s), EP_REPORT_TEXT, "json group_by=tenant",
		      "{\"version\":1,\"report\":\"text\",\"type\":\"cpu\",\"unit\":\"nanoseconds\",\"shown_unit\":\"ms\",\"total\":93000000,\"total_text\":\"93ms\",\"header\":[\"Type: cpu\"],\"group_by\":\"tenant\",\"nodes_before_count\":3,\"small_nodes\":0,\"small_edges\":0,\"nodes\":[{\"name\":\"x\",\"flat\":50000000,\"flat_text\":\"50ms\",\"cum\":50000000,\"cum_text\":\"50ms\"},{\"name\":\"y\",\"flat\":40000000,\"flat_text\":\"40ms\",\"cum\":40000000,\"cum_text\":\"40ms\"},{\"name\":\"(no tenant)\",\"flat\":3000000,\"flat_text\":\"3ms\",\"cum\":3000000,\"cum_text\":\"3ms\"}]}\n");
	small_fini(&s);
}
