#include "push/url.h"

#include "../test.h"

#include <string.h>

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
		"",	       "localhost:4040",	"ftp://a:1",	"http://",
		"http://:80",  "http://a:0",		"http://a:65536", "http://a:b",
		"http://[::1", "http://a/x y",		"http://a:1\r\nX: y", "http://a:",
		"http://[::1]9", "http://a:1/?q",	"https://",	"http://user@a",
		"http://u:%zz@a", "http://u:%0a@a",	"http://u:%4@a", "http://u:p@",
	};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct ep_url u;
		struct ep_err err = {0};
		assert_int_equal(ep_url_parse(bad[i], &u, &err), -EINVAL);
		assert_true(err.text[0] != '\0');
	}
}

TEST(url_takes_https_and_a_password_that_no_message_shows)
{
	struct ep_url u;
	struct ep_err err = {0};
	assert_int_equal(ep_url_parse("https://12:s%3Ac%40t@a.example/x", &u, NULL), 0);
	assert_true(u.tls);
	assert_int_equal(u.port, 443);
	assert_string_equal(u.user, "12:s:c@t");
	assert_string_equal(u.host, "a.example");
	assert_string_equal(u.prefix, "/x");
	assert_int_equal(ep_url_parse("https://[::1]:8443", &u, NULL), 0);
	assert_string_equal(u.user, "");
	assert_int_equal(u.port, 8443);
	assert_int_equal(ep_url_parse("http://u:secret@a:0", &u, &err), -EINVAL);
	assert_null(strstr(err.text, "secret"));
	assert_int_equal(ep_url_parse("ftp://u:secret@a", &u, &err), -EINVAL);
	assert_null(strstr(err.text, "secret"));
}
