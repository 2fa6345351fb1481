#include "test.h"

#include "net/addr.h"
#include "net/route.h"

static void h1(void *room, struct ep_http *x)
{
	(void)room;
	(void)x;
}

static const struct ep_route rows[] = {
	{"GET", "/*", h1, 1},		{"POST", "/ingest", h1, 2}, {"GET", "/api/*", h1, 3},
	{"GET|PUT", "/api/one", h1, 4}, {"POST", "/api/p", h1, 5},
};

static int find(const char *method, const char *path)
{
	struct ep_route_table t = {rows, sizeof(rows) / sizeof(rows[0]), NULL};
	struct ep_http x = {.method = ep_slice_of(method), .path = ep_slice_of(path)};
	void *room;
	int status = 0;
	const char *allow = NULL;
	const struct ep_route *r = ep_route_find(&t, 1, &x, &room, &status, &allow);
	return r ? r->access : status;
}

TEST(routes_exact_before_long_before_short)
{
	assert_int_equal(find("GET", "/"), 1);
	assert_int_equal(find("GET", "/other"), 1);
	assert_int_equal(find("GET", "/api/x"), 3);
	assert_int_equal(find("GET", "/api/one"), 4);
	assert_int_equal(find("HEAD", "/api/one"), 4);
	assert_int_equal(find("PUT", "/api/one"), 4);
	assert_int_equal(find("POST", "/ingest"), 2);
	assert_int_equal(find("GET", "/ingest"), 405);
	assert_int_equal(find("GET", "/api/p"), 405);
	assert_int_equal(find("DELETE", "/api/one"), 405);
	assert_int_equal(find("GET", "nothing"), 404);
}

TEST(addr_reads_what_users_write)
{
	static const struct {
		const char *text, *host;
		unsigned port;
	} table[] = {
		{"127.0.0.1:4040", "127.0.0.1", 4040}, {"[::1]:80", "::1", 80},
		{":1", "0.0.0.0", 1},		       {"4040", "127.0.0.1", 4040},
		{"localhost:5", "127.0.0.1", 5},
	};
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct ep_addr a;
		assert_int_equal(ep_addr_parse(table[i].text, &a, NULL), 0);
		assert_string_equal(a.host, table[i].host);
		assert_int_equal(a.port, table[i].port);
	}
	static const char *const bad[] = {"", ":", "a:b", "1.2.3:4", "1.2.3.4:65536", "[::1:4",
					  "evil.example:80", "127.0.0.1:-1", "127.0.0.1: 1"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct ep_addr a;
		assert_int_equal(ep_addr_parse(bad[i], &a, NULL), -EINVAL);
	}
}

TEST(addr_knows_the_names_of_loopback)
{
	static const char *const yes[] = {"localhost", "LocalHost", "a.localhost", "127.0.0.1",
					  "127.255.1.2", "::1"};
	static const char *const no[] = {"", "localhost.evil.example", "xlocalhost", "128.0.0.1",
					 "127.0.0.1.nip.io", "::2", "0.0.0.0", "2130706433"};
	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++)
		assert_true(ep_addr_is_loopback_name(ep_slice_of(yes[i])));
	for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++)
		assert_false(ep_addr_is_loopback_name(ep_slice_of(no[i])));
	assert_true(ep_slice_is(ep_addr_host(ep_slice_of("[::1]:80")), "::1"));
	assert_true(ep_slice_is(ep_addr_host(ep_slice_of("a:80")), "a"));
	assert_int_equal(ep_addr_host(ep_slice_of("a:80x")).n, 0);
	assert_int_equal(ep_addr_host(ep_slice_of("a:b:80")).n, 0);
	assert_int_equal(ep_addr_host(ep_slice_of("[::1")).n, 0);
}
