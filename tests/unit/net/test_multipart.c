#include "test.h"

#include "net/multipart.h"

#include <errno.h>
#include <string.h>

static int parse(const char *type, const char *body, struct ep_part *parts, uint32_t *n)
{
	struct ep_err err = {0};
	return ep_multipart_parse(ep_slice_of(type), ep_slice_of(body), parts, 4, n, &err);
}

#define PART(name, body) "--b\r\nContent-Disposition: form-data; name=" name "\r\n\r\n" body "\r\n"

TEST(multipart_splits_its_parts)
{
	struct ep_part parts[4];
	uint32_t n;
	assert_int_equal(parse("multipart/form-data; boundary=\"b\"",
			       "preamble\r\n" PART("\"one\"; filename=\"f.pb\"", "1\r\n--bx\r\n2")
			       "--b\r\ncontent-type: text/x\r\nContent-Disposition: form-data; "
			       "filename=g; name=two\r\n\r\n\r\n--b--\r\nepilogue",
			       parts, &n),
			 -EBADMSG); /* --bx is a delimiter line that is malformed */
	assert_int_equal(parse("multipart/form-data; x=y; boundary=b",
			       "preamble\r\n" PART("\"one\"; filename=\"f.pb\"", "1\r\n-b\r\n2")
			       "--b\r\ncontent-type: text/x\r\nContent-Disposition: form-data; "
			       "filename=g; name=two\r\n\r\n\r\n--b--\r\nepilogue",
			       parts, &n),
			 0);
	assert_int_equal(n, 2);
	assert_true(ep_slice_is(parts[0].name, "one"));
	assert_true(ep_slice_is(parts[0].filename, "f.pb"));
	assert_true(ep_slice_is(parts[0].body, "1\r\n-b\r\n2"));
	assert_true(ep_slice_is(parts[1].name, "two"));
	assert_true(ep_slice_is(parts[1].content_type, "text/x"));
	assert_int_equal(parts[1].body.n, 0);
}

TEST(multipart_refuses_what_is_cut_or_has_no_name)
{
	static const char type[] = "multipart/form-data; boundary=b";
	static const struct {
		const char *type, *body;
		int rc;
	} table[] = {
		{"multipart/form-data", PART("a", "1") "--b--", -EBADMSG},
		{"multipart/form-data; boundary=", PART("a", "1") "--b--", -EBADMSG},
		{type, "", -EBADMSG},
		{type, PART("a", "1"), -EBADMSG},
		{type, PART("a", "1") "--b", -EBADMSG},
		{type, "--b\r\n\r\nx\r\n--b--", -EBADMSG},
		{type, "--b\r\nContent-Disposition: form-data; name=a\r\n--b--", -EBADMSG},
		{type, PART("a", "") PART("b", "") PART("c", "") PART("d", "") PART("e", "") "--b--",
		 -E2BIG},
		{type, "--b--\r\n", 0},
	};
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct ep_part parts[4];
		uint32_t n = 9;
		int rc = parse(table[i].type, table[i].body, parts, &n);
		if (rc != table[i].rc)
			fail_msg("row %zu: %d", i, rc);
	}
}
