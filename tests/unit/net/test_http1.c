#include "test.h"

#include "net/http1.h"

#include <errno.h>
#include <string.h>

struct parsed {
	struct ep_http x;
	struct ep_http1_head head;
	struct ep_err err;
	int rc, status;
};

static void parse(struct parsed *p, const char *text, size_t n)
{
	memset(p, 0, sizeof(*p));
	p->x.arena = ep_arena_new(0);
	p->rc = ep_http1_parse_head(text, n, &p->x, &p->head, &p->status, &p->err);
}

static void done(struct parsed *p)
{
	ep_arena_free(p->x.arena);
}

#define assert_slice(s, text) assert_true(ep_slice_is((s), (text)))

TEST(http1_reads_a_request_whole)
{
	static const char text[] = "POST /a%20b/c?x=1&y=%2B HTTP/1.1\r\nHost: h:1\r\n"
				   "Content-Length: 12\r\nX-Two:  a b \t\r\n\r\nbody";
	struct parsed p;
	parse(&p, text, sizeof(text) - 1);
	assert_int_equal(p.rc, (int)sizeof(text) - 1 - 4);
	assert_slice(p.x.method, "POST");
	assert_slice(p.x.path, "/a b/c");
	assert_slice(p.x.query, "x=1&y=%2B");
	assert_slice(p.x.host, "h:1");
	assert_slice(ep_http_header(&p.x, "x-two"), "a b");
	assert_string_equal(ep_http_param(&p.x, "y", 0), "+");
	assert_null(ep_http_param(&p.x, "y", 1));
	assert_int_equal(p.head.body, EP_HTTP1_LENGTH);
	assert_int_equal(p.head.n_body, 12);
	assert_true(p.head.keep_alive);
	done(&p);
}

TEST(http1_waits_for_every_prefix_of_a_good_head)
{
	static const char text[] = "GET / HTTP/1.1\r\nHost: a\r\nX: y\r\n\r\n";
	for (size_t n = 0; n < sizeof(text) - 1; n++) {
		struct parsed p;
		parse(&p, text, n);
		assert_int_equal(p.rc, 0);
		done(&p);
	}
}

TEST(http1_refuses_what_two_readers_could_read_in_two_ways)
{
	static const struct {
		const char *text;
		int status;
	} table[] = {
		{"GET / HTTP/1.1\nHost: a\n\n", 400},
		{"GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n", 400},
		{"GET / HTTP/1.1\r\nHost: a\r\n X: b\r\n\r\n", 400},
		{"GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400},
		{"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400},
		{"GET / HTTP/1.1\r\n\r\n", 400},
		{"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n", 400},
		{"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1, 1\r\n\r\n", 400},
		{"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", 400},
		{"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x1\r\n\r\n", 400},
		{"GET / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\n", 400},
		{"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
		 400},
		{"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n", 501},
		{"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, chunked\r\n\r\n", 501},
		{"GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
		{"GET / HTTP/1.1\r\nHost: a\r\nX: a\001b\r\n\r\n", 400},
		{"GET / HTTP/1.1\r\nHost: a\r\nExpect: 200-ok\r\n\r\n", 417},
		{"GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
		{"GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n", 400},
		{"GET /%00 HTTP/1.1\r\nHost: a\r\n\r\n", 400},
		{"GET /% HTTP/1.1\r\nHost: a\r\n\r\n", 400},
		{"GET * HTTP/1.1\r\nHost: a\r\n\r\n", 400},
		{"GET a HTTP/1.1\r\nHost: a\r\n\r\n", 400},
		{"G(T / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
		{"GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505},
		{"\r\n\r\n", 400},
		{"GET / HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n", 400},
	};
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct parsed p;
		parse(&p, table[i].text, strlen(table[i].text));
		if (p.rc >= 0 || p.status != table[i].status)
			fail_msg("row %zu: rc %d status %d", i, p.rc, p.status);
		assert_true(p.err.text[0] != '\0');
		done(&p);
	}
}

TEST(http1_knows_when_a_connection_stays)
{
	static const struct {
		const char *text;
		bool keep;
	} table[] = {
		{"GET / HTTP/1.1\r\nHost: a\r\n\r\n", true},
		{"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", false},
		{"GET / HTTP/1.1\r\nHost: a\r\nConnection: x, Close\r\n\r\n", false},
		{"GET / HTTP/1.0\r\n\r\n", false},
		{"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", true},
	};
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct parsed p;
		parse(&p, table[i].text, strlen(table[i].text));
		assert_true(p.rc > 0);
		assert_int_equal(p.head.keep_alive, table[i].keep);
		done(&p);
	}
}

TEST(http1_takes_the_authority_of_an_absolute_target)
{
	static const char text[] = "GET http://evil.example/x?y HTTP/1.1\r\nHost: good\r\n\r\n";
	struct parsed p;
	parse(&p, text, sizeof(text) - 1);
	assert_true(p.rc > 0);
	assert_slice(p.x.host, "evil.example");
	assert_slice(p.x.path, "/x");
	done(&p);
}

static int chunks(const char *text, size_t step, struct ep_buf *out, size_t *ret_used)
{
	struct ep_http1_chunks c = {0};
	struct ep_err err = {0};
	size_t n = strlen(text), at = 0, used = 0;
	int rc = 0;
	while (rc == 0 && at < n) {
		size_t take = n - at < step ? n - at : step;
		rc = ep_http1_read_chunks(&c, text + at, take, out, &used, &err);
		at += used;
	}
	*ret_used = at;
	return rc;
}

TEST(chunks_are_joined_however_they_arrive)
{
	static const char text[] = "5;a=b\r\nhello\r\nA\r\n, chunked!\r\n0\r\nT: x\r\n\r\nnext";
	for (size_t step = 1; step < sizeof(text); step++) {
		ep_auto_buf out;
		size_t used;
		ep_buf_init(&out, 100);
		assert_int_equal(chunks(text, step, &out, &used), 1);
		assert_string_equal(ep_buf_cstr(&out), "hello, chunked!");
		assert_string_equal(text + used, "next");
	}
}

TEST(chunks_that_are_malformed_are_refused)
{
	static const char *const table[] = {
		"\r\nhello\r\n",  "x\r\n",	       "+5\r\nhello\r\n", "5 \r\nhello\r\n",
		"5\nhello\r\n",	  "5\r\nhelloX\r\n",   "5\r\nhello\n",	  "5\r\rhello\r\n",
		"0\r\nT: x\n\r\n", "1234567890abcdef\r\n", ";a\r\n",	  "-1\r\n",
	};
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		ep_auto_buf out;
		size_t used;
		ep_buf_init(&out, 100);
		int rc = chunks(table[i], 3, &out, &used);
		if (rc != -EBADMSG)
			fail_msg("row %zu: rc %d", i, rc);
	}
}

TEST(chunks_over_the_limit_are_refused)
{
	ep_auto_buf out;
	size_t used;
	ep_buf_init(&out, 4);
	assert_int_equal(chunks("5\r\nhello\r\n0\r\n\r\n", 100, &out, &used), -E2BIG);
}
