#include "fetch/fetch.h"

#include "../push/server.h"
#include "../test.h"
#include "base/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OK(body) "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" body

struct got {
	struct ep_buf body;
	struct ep_err err;
	struct test_server server;
	int rc;
};

/* Ask a server that gives these answers; the caller frees with done(). */
static void ask(struct got *g, const char *const *answers, size_t n,
		struct ep_fetch_request rq)
{
	ep_auto(ep_fetch) f = NULL;
	struct ep_fetch_options o = {0};
	char url[128];
	*g = (struct got){0};
	ep_buf_init(&g->body, 1 << 20);
	test_server_start(&g->server, answers, n);
	(void)snprintf(url, sizeof(url), "%s/x", g->server.url);
	rq.url = url;
	assert_int_equal(ep_fetch_new(&o, &f, &g->err), 0);
	g->rc = ep_fetch_url(f, &rq, &g->body, &g->err);
	test_server_stop(&g->server);
}

static void done(struct got *g)
{
	test_server_free(&g->server);
	ep_buf_fini(&g->body);
}

TEST(fetch_gives_the_body_of_a_200)
{
	static const char *const answers[] = {OK("hello")};
	struct got g;
	ask(&g, answers, 1, (struct ep_fetch_request){0});
	assert_int_equal(g.rc, 0);
	assert_string_equal(ep_buf_cstr(&g.body), "hello");
	assert_non_null(strstr(g.server.requests[0], "GET /x HTTP/1.1\r\n"));
	done(&g);
}

TEST(fetch_posts_a_body)
{
	static const char *const answers[] = {OK("0x1 main\n")};
	struct got g;
	ask(&g, answers, 1, (struct ep_fetch_request){.post = true, .body = {"0x1+0x2", 7}});
	assert_int_equal(g.rc, 0);
	assert_non_null(strstr(g.server.requests[0], "POST /x HTTP/1.1\r\n"));
	assert_non_null(strstr(g.server.requests[0], "\r\n\r\n0x1+0x2"));
	done(&g);
}

TEST(fetch_follows_a_redirect_and_forgets_its_head)
{
	static const char *const answers[] = {
		"HTTP/1.1 302 Found\r\nLocation: /y\r\nX-Go-Pprof: 1\r\nConnection: close\r\n\r\n",
		OK("there")};
	struct got g;
	ask(&g, answers, 2, (struct ep_fetch_request){0});
	assert_int_equal(g.rc, 0);
	assert_string_equal(ep_buf_cstr(&g.body), "there");
	done(&g);
}

TEST(fetch_says_the_status)
{
	static const struct {
		const char *answer;
		int rc;
		const char *text;
	} cases[] = {
		{"HTTP/1.1 404 Not Found\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\nno\n",
		 -ENOENT, "server response: 404 Not Found"},
		{"HTTP/1.1 403 Forbidden\r\nConnection: close\r\n\r\n", -EACCES,
		 "server response: 403 Forbidden"},
		{"HTTP/1.1 500 Internal Server Error\r\nX-Go-Pprof: 1\r\n"
		 "Content-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\nbusy\n",
		 -EIO, "server response: 500 Internal Server Error - busy"},
		{"HTTP/1.1 500 Oops\r\nX-Go-Pprof: 1\r\nContent-Type: text/html\r\n"
		 "Connection: close\r\n\r\nbusy\n",
		 -EIO, "server response: 500 Oops"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct got g;
		ask(&g, &cases[i].answer, 1, (struct ep_fetch_request){0});
		assert_int_equal(g.rc, cases[i].rc);
		assert_string_equal(g.err.text, cases[i].text);
		assert_int_equal(g.body.len, 0);
		done(&g);
	}
}

TEST(fetch_stops_at_the_bound)
{
	static const char *const answers[] = {OK("0123456789")};
	struct got g;
	ask(&g, answers, 1, (struct ep_fetch_request){.max_bytes = 9});
	assert_int_equal(g.rc, -E2BIG);
	assert_non_null(strstr(g.err.text, "over 9 bytes"));
	done(&g);
	ask(&g, answers, 1, (struct ep_fetch_request){.max_bytes = 10});
	assert_int_equal(g.rc, 0);
	done(&g);
}

static int fetch_one(const struct ep_fetch_options *o, const char *url, struct ep_err *err)
{
	ep_auto(ep_fetch) f = NULL;
	struct ep_fetch_request rq = {.url = url, .timeout_ns = 5 * EP_NS_PER_S};
	ep_auto_buf out;
	ep_buf_init(&out, 1 << 20);
	assert_int_equal(ep_fetch_new(o, &f, err), 0);
	return ep_fetch_url(f, &rq, &out, err);
}

TEST(fetch_says_that_nobody_is_there)
{
	struct ep_fetch_options o = {0};
	struct ep_err err = {0};
	assert_int_equal(fetch_one(&o, "http://127.0.0.1:1/x", &err), -ECONNREFUSED);
	assert_non_null(strstr(err.text, "Get \"http://127.0.0.1:1/x\": "));
	err = (struct ep_err){0};
	assert_int_equal(fetch_one(&o, "unix:/nonexistent/socket:/x", &err), -ECONNREFUSED);
}

TEST(fetch_wants_both_tls_files)
{
	struct ep_fetch_options o = {.tls_key = "k.pem"};
	struct ep_err err = {0};
	assert_int_equal(fetch_one(&o, "https://127.0.0.1:1/x", &err), -EINVAL);
	assert_string_equal(err.text, "-tls_key is specified, so -tls_cert must also be specified");
	o = (struct ep_fetch_options){.tls_cert = "c.pem", .tls_key = ""};
	err = (struct ep_err){0};
	assert_int_equal(fetch_one(&o, "https://127.0.0.1:1/x", &err), -EINVAL);
	assert_string_equal(err.text, "-tls_cert is specified, so -tls_key must also be specified");
}

TEST(fetch_takes_no_other_protocol)
{
	struct ep_fetch_options o = {0};
	struct ep_err err = {0};
	assert_int_equal(fetch_one(&o, "ftp://127.0.0.1:1/x", &err), -EINVAL);
	err = (struct ep_err){0};
	assert_int_equal(fetch_one(&o, "file:///etc/hostname", &err), -EINVAL);
}
