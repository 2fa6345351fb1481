#include "test.h"

#include "codec/protobuf.h"

#include <string.h>

static uint64_t varint(const char *bytes, size_t n, enum ep_pb_fault fault)
{
	struct ep_pb_reader r = ep_pb_open(bytes, n);
	uint64_t v = ep_pb_varint(&r);
	assert_int_equal(r.fault, fault);
	return v;
}

TEST(protobuf_reads_varints_of_every_length)
{
	assert_int_equal(varint("\x00", 1, EP_PB_OK), 0);
	assert_int_equal(varint("\x7f", 1, EP_PB_OK), 127);
	assert_int_equal(varint("\xac\x02", 2, EP_PB_OK), 300);
	assert_int_equal(varint("\x81\x80\x80\x00", 4, EP_PB_OK),
			 1); /* needless bytes */
	assert_true(varint("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 10, EP_PB_OK) ==
		    UINT64_MAX);
	assert_int_equal(varint("", 0, EP_PB_CUT), 0);
	assert_int_equal(varint("\x80\x80", 2, EP_PB_CUT), 0);
	assert_int_equal(varint("\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", 11,
				EP_PB_LONG_VARINT),
			 0);
}

TEST(protobuf_writes_what_it_reads)
{
	for (int bit = 0; bit < 64; bit++) {
		for (int less = 0; less < 2; less++) {
			uint64_t v = (1ull << bit) - (uint64_t)less;
			uint8_t p[EP_PB_MAX_VARINT];
			size_t n = (size_t)(ep_pb_put_varint(p, v) - p);
			assert_int_equal(n, ep_pb_varint_size(v));
			assert_true(varint((const char *)p, n, EP_PB_OK) == v);
		}
	}
}

TEST(protobuf_walks_fields_and_skips_every_wire_type)
{
	ep_auto_buf b;
	ep_buf_init(&b, 1000);
	ep_pb_add_varint(&b, 1, 150);
	ep_pb_add_fixed64(&b, 2, 0x1122334455667788);
	ep_pb_add_str(&b, 3, "testing");
	ep_buf_add(&b, "\x25\x01\x02\x03\x04", 5); /* field 4, fixed32 */
	ep_pb_add_varint(&b, 500, 7);
	struct ep_pb_reader r = ep_pb_open(b.data, b.len);
	uint64_t fields = 0, last = 0;
	while (ep_pb_next(&r)) {
		fields = fields * 10 + (r.field < 10 ? r.field : 9);
		if (r.field == 500)
			last = ep_pb_varint(&r);
		else
			ep_pb_skip(&r);
	}
	assert_int_equal(r.fault, EP_PB_OK);
	assert_int_equal(fields, 12349);
	assert_int_equal(last, 7);
	assert_memory_equal(b.data,
			    "\x08\x96\x01\x11\x88\x77\x66\x55\x44\x33\x22\x11\x1a\x07"
			    "testing",
			    21);
}

TEST(protobuf_names_a_length_past_the_end_and_a_group)
{
	struct ep_pb_reader r = ep_pb_open("\x1a\x05"
					   "abcd",
					   6);
	assert_true(ep_pb_next(&r));
	assert_int_equal(ep_pb_bytes(&r).n, 0);
	assert_int_equal(r.fault, EP_PB_CUT);
	assert_false(ep_pb_next(&r));

	r = ep_pb_open("\x0b\x0c", 2);
	assert_true(ep_pb_next(&r));
	ep_pb_skip(&r);
	assert_int_equal(r.fault, EP_PB_BAD_WIRE);
	assert_false(ep_pb_next(&r));
}
