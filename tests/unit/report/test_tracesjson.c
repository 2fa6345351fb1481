/* Samples as JSON: docs/formats/report-json.md. */
#include "small.h"
#include "test.h"

#include <stdlib.h>

TEST(tracesjson_has_frames_once_and_stacks_of_numbers)
{
	struct small s;
	small_start(&s, "cpu", "nanoseconds");
	small_add_with(&s, "a.c:main@3>work", "tenant=x", 30000000);
	small_add_with(&s, "a.c:main@3", "bytes=2048#bytes", 10000000);
	assert_report(small_finish(&s), EP_REPORT_TRACES, "lines json",
		      "{\"version\":1,\"report\":\"traces\",\"type\":\"cpu\",\"unit\":\"nanoseconds\",\"shown_unit\":\"minimum\",\"total\":40000000,\"total_text\":\"40ms\",\"header\":[\"Type: cpu\"],\"number_units\":{\"bytes\":\"bytes\"},\"frames\":[{\"name\":\"work\",\"function\":\"work\",\"inlined\":true},{\"name\":\"main a.c:3\",\"function\":\"main\",\"file\":\"a.c\",\"line\":3},{\"name\":\"main a.c:3\",\"function\":\"main\",\"file\":\"a.c\",\"line\":3}],\"traces\":[{\"value\":30000000,\"value_text\":\"30ms\",\"stack\":[0,1],\"labels\":{\"tenant\":[\"x\"]}},{\"value\":10000000,\"value_text\":\"10ms\",\"stack\":[2],\"numbers\":{\"bytes\":[2048]}}]}\n");
	small_fini(&s);
}
