/* What reports have in common as JSON, shown by the tags: docs/formats/report-json.md. */
#include "small.h"
#include "test.h"

#include <stdlib.h>

TEST(reportjson_of_tags_has_values_heaviest_first)
{
	struct small s;
	small_start(&s, "cpu", "nanoseconds");
	small_add_with(&s, "main a b", "thread=1", 30000000);
	small_add_with(&s, "main a b b", "thread=2", 20000000);
	small_add_with(&s, "main a>c", "thread=1", 10000000);
	small_add_with(&s, "main c", "thread=2", 5000000);
	small_add_with(&s, "main tiny", "thread=2", 100000);
	assert_report(small_finish(&s), EP_REPORT_TAGS, "json",
		      "{\"version\":1,\"report\":\"tags\",\"type\":\"cpu\",\"unit\":\"nanoseconds\",\"shown_unit\":\"minimum\",\"total\":65100000,\"total_text\":\"65.10ms\",\"header\":[\"Type: cpu\"],\"tags\":[{\"key\":\"thread\",\"weight\":65100000,\"weight_text\":\"65.10ms\",\"values\":[{\"value\":\"1\",\"weight\":40000000,\"weight_text\":\"40ms\"},{\"value\":\"2\",\"weight\":25100000,\"weight_text\":\"25.10ms\"}]}]}\n");
	small_fini(&s);
}
