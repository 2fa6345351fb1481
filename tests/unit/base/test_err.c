#include "test.h"

#include "base/err.h"

TEST(err_keeps_the_first_fault)
{
	struct ep_err err = {0};
	assert_int_equal(ep_fail(&err, -EBADMSG, 7, "tag %d", 9), -EBADMSG);
	assert_int_equal(ep_fail(&err, -EIO, 8, "later"), -EIO);
	assert_int_equal(err.code, -EBADMSG);
	assert_int_equal(err.pos, 7);
	assert_string_equal(err.text, "tag 9");
}

TEST(err_context_stands_before_the_text)
{
	struct ep_err err = {0};
	ep_fail(&err, -ENOENT, 0, "no such file");
	ep_err_context(&err, "%s", "a.pb.gz");
	assert_string_equal(err.text, "a.pb.gz: no such file");
}

TEST(err_may_be_absent)
{
	assert_int_equal(ep_fail(NULL, -EIO, 0, "x"), -EIO);
}
