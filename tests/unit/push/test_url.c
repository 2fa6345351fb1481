#include "push/url.h"

#include "../test.h"

TEST(url_takes_host_port_and_prefix)
{
	struct ep_url u;
	assert_int_equal(ep_url_parse("http://10.0.0.1:4040/pyro/", &u, NULL), 0);
	assert_string_equal(u.host, "10.0.0.1");
	assert_int_equal(u.port, 4040);
	assert_string_equal(u.prefix, "/pyro");
	assert_int_equal(ep_url_parse("http://localhost", &u, NULL), 0);
	assert_int_equal(u.port, 80);
	assert_string_equal(u.prefix, "");
	assert_int_equal(ep_url_parse("http://[::1]:99/", &u, NULL), 0);
	assert_string_equal(u.host, "::1");
	assert_int_equal(u.port, 99);
}

TEST(url_refuses_what_is_no_http_address)
{
	static const char *const bad[] = {
		"",	       "localhost:4040",	"https://a:1",	"http://",
		"http://:80",  "http://a:0",		"http://a:65536", "http://a:b",
		"http://[::1", "http://a/x y",		"http://a:1\r\nX: y", "http://a:",
		"http://[::1]9", "http://a:1/?q",
	};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct ep_url u;
		struct ep_err err = {0};
		assert_int_equal(ep_url_parse(bad[i], &u, &err), -EINVAL);
		assert_true(err.text[0] != '\0');
	}
}
