#include "push/exchange.h"

#include "../test.h"
#include "base/clock.h"
#include "server.h"

#include <string.h>

static int run(const char *answer, struct ep_answer *a, struct ep_buf *body, struct ep_err *err)
{
	const char *const script[] = {answer};
	struct test_server s;
	struct ep_url u;
	test_server_start(&s, script, 1);
	assert_int_equal(ep_url_parse(s.url, &u, NULL), 0);
	struct ep_exchange x = {.url = &u,
				.method = "GET",
				.path = "/x",
				.deadline_ns = ep_clock_mono_ns() + 20 * EP_NS_PER_S};
	int rc = ep_exchange_run(&x, a, body, err);
	test_server_stop(&s);
	test_server_free(&s);
	return rc;
}

TEST(exchange_reads_a_body_of_stated_length)
{
	struct ep_answer a;
	ep_auto_buf body;
	ep_buf_init(&body, 1000);
	assert_int_equal(run("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcdef", &a, &body,
			     NULL),
			 0);
	assert_int_equal(a.status, 200);
	assert_string_equal(ep_buf_cstr(&body), "abc");
}

TEST(exchange_reads_chunks_and_passes_over_100)
{
	struct ep_answer a;
	ep_auto_buf body;
	ep_buf_init(&body, 1000);
	int rc = run("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\n"
		     "Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n5;x=y\r\ncdefg\r\n0\r\n\r\n",
		     &a, &body, NULL);
	assert_int_equal(rc, 0);
	assert_int_equal(a.status, 201);
	assert_string_equal(ep_buf_cstr(&body), "abcdefg");
}

TEST(exchange_reads_to_the_end_without_a_length)
{
	struct ep_answer a;
	ep_auto_buf body;
	ep_buf_init(&body, 1000);
	assert_int_equal(run("HTTP/1.0 503 No\r\nretry-after: 7\r\n\r\nlater", &a, &body, NULL), 0);
	assert_int_equal(a.status, 503);
	assert_int_equal(a.retry_after_s, 7);
	assert_string_equal(ep_buf_cstr(&body), "later");
}

TEST(exchange_names_a_broken_answer)
{
	static const struct {
		const char *answer;
		int rc;
	} t[] = {
		{NULL, -EIO},
		{"SSH-2.0-x\r\n\r\n", -EBADMSG},
		{"HTTP/1.1 abc\r\n\r\n", -EBADMSG},
		{"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", -EIO},
		{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nabc", -EBADMSG},
		{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\na",
		 -EBADMSG},
		{"HTTP/1.1 200 OK", -EIO},
	};
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct ep_answer a;
		struct ep_err err = {0};
		ep_auto_buf body;
		ep_buf_init(&body, 1000);
		assert_int_equal(run(t[i].answer, &a, &body, &err), t[i].rc);
		assert_true(err.text[0] != '\0');
	}
}

TEST(exchange_bounds_the_body)
{
	struct ep_answer a;
	ep_auto_buf body;
	ep_buf_init(&body, 4);
	assert_int_equal(run("HTTP/1.1 200 OK\r\n\r\nabcdef", &a, &body, NULL), -E2BIG);
}

TEST(exchange_says_when_nobody_is_there)
{
	struct ep_url u;
	struct ep_answer a;
	struct ep_err err = {0};
	struct test_server s;
	const char *const script[] = {NULL};
	test_server_start(&s, script, 1);
	assert_int_equal(ep_url_parse(s.url, &u, NULL), 0);
	test_server_stop(&s); /* the port is free again */
	ep_auto_buf body;
	ep_buf_init(&body, 100);
	struct ep_exchange x = {.url = &u,
				.method = "GET",
				.path = "/",
				.deadline_ns = ep_clock_mono_ns() + 20 * EP_NS_PER_S};
	assert_int_equal(ep_exchange_run(&x, &a, &body, &err), -ECONNREFUSED);
	x.deadline_ns = 1;
	assert_true(ep_exchange_run(&x, &a, &body, NULL) < 0);
}
