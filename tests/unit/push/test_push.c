#include "push/push.h"

#include "../test.h"
#include "base/buf.h"
#include "base/clock.h"
#include "server.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char OK[] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
static const char BUSY[] = "HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nlate";
static const char REFUSED[] = "HTTP/1.1 422 No\r\nContent-Length: 42\r\n\r\n"
			      "{\"code\":\"x\",\"message\":\"labels are too long\"}";

static char dir[64];

static void make_dir(void)
{
	strcpy(dir, "/tmp/everprof-test-XXXXXX");
	assert_non_null(mkdtemp(dir));
}

static void remove_dir(const char *path)
{
	DIR *d = opendir(path);
	char sub[400];
	for (struct dirent *e; d && (e = readdir(d));) {
		if (e->d_name[0] == '.')
			continue;
		snprintf(sub, sizeof(sub), "%s/%s", path, e->d_name);
		if (unlink(sub) < 0)
			remove_dir(sub);
	}
	if (d)
		closedir(d);
	rmdir(path);
}

static struct ep_push *new_push(const char *server, const char *spool, size_t max)
{
	struct ep_push_config c = {.sz = sizeof(c),
				   .server = server,
				   .token = "s3cret",
				   .tenant = "team",
				   .spool_dir = spool,
				   .max_spool_bytes = max,
				   .spy_name = "everprof-lib"};
	struct ep_push *p = NULL;
	assert_int_equal(ep_push_new(&c, &p, NULL), 0);
	return p;
}

static void add(struct ep_push *p, uint64_t from, const char *body)
{
	struct ep_push_item i = {.name = "shop{host=h 1,version=v}",
				 .from_ns = from,
				 .until_ns = from + 5,
				 .sample_rate_hz = 100,
				 .pprof_gz = body,
				 .n_bytes = strlen(body)};
	assert_int_equal(ep_push_add(p, &i), 0);
}

static uint64_t soon(void)
{
	return ep_clock_mono_ns() + 20 * EP_NS_PER_S;
}

TEST(push_posts_to_ingest_with_name_times_and_token)
{
	struct test_server s;
	const char *const script[] = {OK};
	test_server_start(&s, script, 1);
	struct ep_push *p = new_push(s.url, NULL, 0);
	assert_int_equal(ep_push_next_try_ns(p), UINT64_MAX);
	add(p, 1000, "PROFILE");
	assert_int_equal(ep_push_drain(p, soon()), 0);
	test_server_stop(&s);
	assert_int_equal(s.n_requests, 1);
	const char *r = s.requests[0];
	const char *first = "POST /ingest?name=shop%7Bhost%3Dh%201%2Cversion%3Dv%7D&from=1000"
			    "&until=1005&sampleRate=100&spyName=everprof-lib&format=pprof";
	assert_memory_equal(r, first, strlen(first));
	assert_non_null(strstr(r, "\r\nAuthorization: Bearer s3cret\r\n"));
	assert_non_null(strstr(r, "\r\nX-Scope-OrgID: team\r\n"));
	assert_non_null(strstr(r, "\r\nContent-Length: 7\r\n"));
	assert_string_equal(r + strlen(r) - 11, "\r\n\r\nPROFILE");
	struct ep_push_stats st;
	ep_push_stats(p, &st);
	assert_int_equal(st.sent, 1);
	assert_int_equal(st.waiting, 0);
	test_server_free(&s);
	ep_push_free(p);
}

TEST(push_keeps_what_fails_and_sends_it_in_order_later)
{
	make_dir();
	struct test_server s;
	const char *const script[] = {BUSY, OK};
	test_server_start(&s, script, 2);
	struct ep_push *p = new_push(s.url, dir, 0);
	add(p, 1, "one");
	uint64_t before = ep_clock_mono_ns();
	assert_int_equal(ep_push_drain(p, soon()), 1);
	assert_true(ep_push_next_try_ns(p) > before + EP_NS_PER_S / 4);
	add(p, 2, "two"); /* straight to disk now */
	struct ep_push_stats st;
	ep_push_stats(p, &st);
	assert_int_equal(st.waiting, 2);
	assert_int_equal(st.failed_tries, 1);
	assert_string_equal(st.last_error, "HTTP 503: late");
	ep_push_free(p);

	p = new_push(s.url, dir, 0); /* as after a restart */
	add(p, 3, "three");
	assert_int_equal(ep_push_drain(p, soon()), 0);
	test_server_stop(&s);
	assert_int_equal(s.n_requests, 4);
	assert_non_null(strstr(s.requests[1], "\r\n\r\none"));
	assert_non_null(strstr(s.requests[2], "\r\n\r\ntwo"));
	assert_non_null(strstr(s.requests[3], "\r\n\r\nthree"));
	test_server_free(&s);
	ep_push_free(p);
	remove_dir(dir);
}

TEST(push_gives_up_on_a_refused_item_and_says_why)
{
	struct test_server s;
	const char *const script[] = {REFUSED, OK};
	test_server_start(&s, script, 2);
	struct ep_push *p = new_push(s.url, NULL, 0);
	add(p, 1, "bad");
	add(p, 2, "good");
	assert_int_equal(ep_push_drain(p, soon()), 0);
	test_server_stop(&s);
	struct ep_push_stats st;
	ep_push_stats(p, &st);
	assert_int_equal(st.rejected, 1);
	assert_int_equal(st.sent, 1);
	assert_string_equal(st.last_error, "HTTP 422: labels are too long");
	test_server_free(&s);
	ep_push_free(p);
}

TEST(push_without_a_disk_drops_the_oldest_past_its_limit)
{
	struct ep_push *p = new_push("http://127.0.0.1:9", NULL, 10);
	add(p, 1, "12345");
	add(p, 2, "12345");
	add(p, 3, "12345");
	struct ep_push_stats st;
	ep_push_stats(p, &st);
	assert_int_equal(st.dropped, 1);
	assert_int_equal(st.waiting, 2);
	assert_int_equal(st.bytes_waiting, 10);
	ep_push_free(p);
}

TEST(push_refuses_header_injection)
{
	struct ep_push_config c = {.server = "http://127.0.0.1:9", .tenant = "a\r\nX: y"};
	struct ep_push *p = NULL;
	assert_int_equal(ep_push_new(&c, &p, NULL), -EINVAL);
}

TEST(push_request_returns_status_and_body)
{
	struct test_server s;
	const char *const script[] = {"HTTP/1.1 404 No\r\nContent-Length: 2\r\n\r\nhm"};
	test_server_start(&s, script, 1);
	struct ep_push *p = new_push(s.url, NULL, 0);
	ep_auto_buf body;
	ep_buf_init(&body, 100);
	assert_int_equal(ep_push_request(p, "PUT", "/api/v1/symbols/ab", "text/plain", "xyz", 3,
					 20 * EP_NS_PER_S, &body, NULL),
			 404);
	assert_string_equal(ep_buf_cstr(&body), "hm");
	test_server_stop(&s);
	assert_non_null(strstr(s.requests[0], "PUT /api/v1/symbols/ab HTTP/1.1\r\n"));
	test_server_free(&s);
	ep_push_free(p);
}
