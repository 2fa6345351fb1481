#include "test.h"

#include "codec/base64.h"
#include "codec/json.h"
#include "codec/message.h"

#include <errno.h>
#include <string.h>

TEST(json_writes_text_that_a_page_can_hold)
{
	ep_auto_buf b;
	ep_buf_init(&b, 1000);
	struct ep_jsonw w = ep_jsonw_to(&b);
	ep_jsonw_open(&w, NULL, '{');
	ep_jsonw_slice(&w, "a", (struct ep_slice){"\"\\\n\001</script>\xff\xc3\xa9\xed\xa0\x80", 19});
	ep_jsonw_open(&w, "b", '[');
	ep_jsonw_int(&w, NULL, INT64_MIN);
	ep_jsonw_double(&w, NULL, 1.5);
	ep_jsonw_double(&w, NULL, 3.0);
	ep_jsonw_double(&w, NULL, 1.0 / 0.0);
	ep_jsonw_null(&w, NULL);
	ep_jsonw_close(&w, ']');
	ep_jsonw_open(&w, "c", '{');
	ep_jsonw_close(&w, '}');
	ep_jsonw_bool(&w, "d", true);
	ep_jsonw_close(&w, '}');
	assert_string_equal(ep_buf_cstr(&b),
			    "{\"a\":\"\\\"\\\\\\n\\u0001\\u003c/script\\u003e\xef\xbf\xbd\xc3\xa9"
			    "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\",\"b\":[-9223372036854775808,1.5,3,"
			    "0,null],\"c\":{},\"d\":true}");
}

TEST(json_reads_numbers_as_protobuf_writes_them)
{
	ep_auto(ep_json) root = NULL;
	int64_t n = 0;
	double d = 0;
	static const char text[] = "{\"a\":\"-12\",\"b\":7,\"c\":3.0,\"d\":\"x\",\"e\":1.5,\"f\":\"1.5\"}";
	assert_int_equal(ep_json_parse(ep_slice_of(text), &root, NULL), 0);
	assert_true(ep_json_int(ep_json_get(root, "a"), &n));
	assert_int_equal(n, -12);
	assert_true(ep_json_int(ep_json_get(root, "b"), &n));
	assert_true(ep_json_int(ep_json_get(root, "c"), &n));
	assert_int_equal(n, 3);
	assert_false(ep_json_int(ep_json_get(root, "d"), &n));
	assert_false(ep_json_int(ep_json_get(root, "e"), &n));
	assert_false(ep_json_int(ep_json_get(root, "none"), &n));
	assert_true(ep_json_double(ep_json_get(root, "f"), &d));
	assert_true(d == 1.5);
}

TEST(json_refuses_what_is_malformed_with_its_place)
{
	static const char *const table[] = {"", "{", "{]", "{\"a\":1}x", "\"\xff\"", "\"\\u0000\"",
					    "[1,]", "nul"};
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct ep_json *root = NULL;
		struct ep_err err = {0};
		if (ep_json_parse(ep_slice_of(table[i]), &root, &err) != -EBADMSG || root)
			fail_msg("%s is taken", table[i]);
	}
	/* Deep nesting ends in an error, not in the stack. */
	char deep[100000];
	memset(deep, '[', sizeof(deep));
	struct ep_json *root = NULL;
	assert_int_equal(ep_json_parse((struct ep_slice){deep, sizeof(deep)}, &root, NULL), -EBADMSG);
}

static void write_message(struct ep_msg *m)
{
	static const int64_t values[] = {0, 1, 300};
	ep_msg_open(m, "flamegraph", 1);
	ep_msg_array(m, "names", 1);
	ep_msg_str(m, NULL, 0, ep_slice_of("total"));
	ep_msg_str(m, NULL, 0, ep_slice_of(""));
	ep_msg_array_end(m);
	ep_msg_array(m, "levels", 2);
	ep_msg_open(m, NULL, 0);
	ep_msg_ints(m, "values", 1, values, 3);
	ep_msg_close(m);
	ep_msg_array_end(m);
	ep_msg_int(m, "total", 3, 300);
	ep_msg_int(m, "maxSelf", 4, 0);
	ep_msg_close(m);
	ep_msg_double(m, "step", 6, 1.0);
	ep_msg_end(m);
}

TEST(message_is_the_same_in_both_forms)
{
	static const unsigned char proto[] = {
		0x0a, 0x14, 0x0a, 5, 't', 'o', 't', 'a', 'l', 0x0a, 0,
		0x12, 6, 0x0a, 4, 0, 1, 0xac, 0x02, 0x18, 0xac, 0x02,
		0x31, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f};
	ep_auto_buf b;
	struct ep_msg m;
	ep_buf_init(&b, 1000);
	ep_msg_begin(&m, &b, true);
	write_message(&m);
	assert_string_equal(ep_buf_cstr(&b),
			    "{\"flamegraph\":{\"names\":[\"total\",\"\"],\"levels\":[{\"values\":[\"0\","
			    "\"1\",\"300\"]}],\"total\":\"300\"},\"step\":1}");
	ep_buf_clear(&b);
	ep_msg_begin(&m, &b, false);
	write_message(&m);
	assert_int_equal(b.len, sizeof(proto));
	assert_memory_equal(b.data, proto, sizeof(proto));
}

TEST(base64_round_trips_every_length)
{
	unsigned char bytes[64];
	for (unsigned i = 0; i < sizeof(bytes); i++)
		bytes[i] = (unsigned char)(i * 37 + 200);
	for (size_t n = 0; n <= sizeof(bytes); n++) {
		ep_auto_buf text, back;
		ep_buf_init(&text, 1000);
		ep_buf_init(&back, 1000);
		ep_base64_encode(bytes, n, &text);
		struct ep_slice s = {(const char *)text.data, text.len};
		assert_int_equal(ep_base64_decode(s, &back, NULL), 0);
		assert_int_equal(back.len, n);
		if (n)
			assert_memory_equal(back.data, bytes, n);
	}
	static const char *const bad[] = {"a", "ab=", "a===", "ab!d", "abcde", "ab==c"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ep_auto_buf back;
		ep_buf_init(&back, 1000);
		if (ep_base64_decode(ep_slice_of(bad[i]), &back, NULL) != -EBADMSG)
			fail_msg("%s is taken", bad[i]);
	}
}
