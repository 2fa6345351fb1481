#include "fetch/adjust.h"

#include "base/clock.h"
#include "base/err.h"

#include "../test.h"

#include <string.h>

/* Recorded from adjustURL() of Go 1.26's cmd/pprof: the URL, the time the server may be
 * silent, and the URL with -seconds=5.  "": only a file can be meant. */
static const struct {
	const char *source, *url;
	unsigned timeout_ms;
	const char *url_5s;
} cases[] = {
	{"localhost:8080", "http://localhost:8080/debug/pprof/profile", 60000,
	 "http://localhost:8080/debug/pprof/profile?seconds=5"},
	{"localhost:8080/", "http://localhost:8080/debug/pprof/profile", 60000,
	 "http://localhost:8080/debug/pprof/profile?seconds=5"},
	{"localhost:8080/debug/pprof/heap", "http://localhost:8080/debug/pprof/heap", 60000,
	 "http://localhost:8080/debug/pprof/heap?seconds=5"},
	{"127.0.0.1:8080/x", "http://127.0.0.1:8080/x", 60000,
	 "http://127.0.0.1:8080/x?seconds=5"},
	{":8080/debug", "http://:8080/debug", 60000,
	 "http://:8080/debug?seconds=5"},
	{"localhost/debug/pprof/heap", "", 0,
	 ""},
	{"foo.pb", "", 0,
	 ""},
	{"./foo.pb", "", 0,
	 ""},
	{"-", "", 0,
	 ""},
	{"http://h/x?b=2&a=1&seconds=9", "http://h/x?a=1&b=2&seconds=9", 13500,
	 "http://h/x?a=1&b=2&seconds=5"},
	{"http://h/x?b=2&a=1&seconds=30&gc=%20+x", "http://h/x?a=1&b=2&gc=++x&seconds=30", 45000,
	 "http://h/x?a=1&b=2&gc=++x&seconds=5"},
	{"HTTPS://Host/p", "https://Host/p", 60000,
	 "https://Host/p?seconds=5"},
	{"https+insecure://h:1/p", "https+insecure://h:1/p", 60000,
	 "https+insecure://h:1/p?seconds=5"},
	{"file:///etc/passwd", "", 0,
	 ""},
	{"file:foo", "", 0,
	 ""},
	{"http://h", "http://h/debug/pprof/profile", 60000,
	 "http://h/debug/pprof/profile?seconds=5"},
	{"http://h?", "http://h/debug/pprof/profile?", 60000,
	 "http://h/debug/pprof/profile?seconds=5"},
	{"http://h?x", "http://h/debug/pprof/profile?x=", 60000,
	 "http://h/debug/pprof/profile?seconds=5&x="},
	{"http://h/a b", "http://h/a%20b", 60000,
	 "http://h/a%20b?seconds=5"},
	{"http://h/%zz", "", 0,
	 ""},
	{"http://h/%41b", "http://h/%41b", 60000,
	 "http://h/%41b?seconds=5"},
	{"http://h:b/c", "http://http://h:b/c", 60000,
	 "http://http://h:b/c?seconds=5"},
	{"mem_2023-11-02_03:55:24", "", 0,
	 ""},
	{"abc:123/mem_2023-11-02_03:55:24", "http://abc:123/mem_2023-11-02_03:55:24", 60000,
	 "http://abc:123/mem_2023-11-02_03:55:24?seconds=5"},
	{"http://user:pw@h/p", "http://user:pw@h/p", 60000,
	 "http://user:pw@h/p?seconds=5"},
	{"[::1]:80/p", "http://[::1]:80/p", 60000,
	 "http://[::1]:80/p?seconds=5"},
	{"http://[::1]:80/p", "http://[::1]:80/p", 60000,
	 "http://[::1]:80/p?seconds=5"},
	{"http://[::1/p", "http://http://[::1/p", 60000,
	 "http://http://[::1/p?seconds=5"},
	{"//h:80/x", "//h:80/x", 60000,
	 "//h:80/x?seconds=5"},
	{"///x", "", 0,
	 ""},
	{"http://h/x#frag", "http://h/x#frag", 60000,
	 "http://h/x?seconds=5#frag"},
	{"http://h/x?a=1;b=2&c=3", "http://h/x?c=3", 60000,
	 "http://h/x?c=3&seconds=5"},
	{"http://h/x?seconds=abc", "http://h/x?seconds=abc", 60000,
	 "http://h/x?seconds=5"},
	{"http://h/x?seconds=-3", "http://h/x?seconds=-3", 60000,
	 "http://h/x?seconds=5"},
	{"http://h/x?seconds=5&seconds=7", "http://h/x?seconds=5&seconds=7", 7500,
	 "http://h/x?seconds=5"},
	{"http://h/x?a=%zz&b=1", "http://h/x?b=1", 60000,
	 "http://h/x?b=1&seconds=5"},
	{"http://h/ü?k=ü", "http://h/%C3%BC?k=%C3%BC", 60000,
	 "http://h/%C3%BC?k=%C3%BC&seconds=5"},
	{"http://h/[x]", "http://h/[x]", 60000,
	 "http://h/[x]?seconds=5"},
	{"http://h/x?=1&&a", "http://h/x?=1&a=", 60000,
	 "http://h/x?=1&a=&seconds=5"},
	{"http://h/a;b", "http://h/a;b", 60000,
	 "http://h/a;b?seconds=5"},
	{"h:80?seconds=3", "http://h:80/debug/pprof/profile?seconds=3", 4500,
	 "http://h:80/debug/pprof/profile?seconds=5"},
	{"http:/x", "http://http:/x", 60000,
	 "http://http:/x?seconds=5"},
	{"http:///x", "http://http:///x", 60000,
	 "http://http:///x?seconds=5"},
	{"a:b:c/d", "", 0,
	 ""},
	{"1234:80", "http://1234:80/debug/pprof/profile", 60000,
	 "http://1234:80/debug/pprof/profile?seconds=5"},
	{"x y:80/z", "", 0,
	 ""},
	{"http://h x/z", "http://http://h%20x/z", 60000,
	 "http://http://h%20x/z?seconds=5"},
	{"http://h/x?\?", "http://h/x?%3F=", 60000,
	 "http://h/x?%3F=&seconds=5"},
	{"http://h/x?a=b?", "http://h/x?a=b%3F", 60000,
	 "http://h/x?a=b%3F&seconds=5"},
};

static void check(const char *source, int seconds, const char *want, uint64_t want_ns)
{
	struct ep_buf url;
	uint64_t timeout_ns = 0;
	ep_buf_init(&url, 1 << 16);
	assert_int_equal(ep_adjust_source(source, seconds, 0, &url, &timeout_ns), *want != '\0');
	assert_string_equal(ep_buf_cstr(&url), want);
	assert_int_equal(timeout_ns, want_ns);
	ep_buf_fini(&url);
}

TEST(adjust_makes_the_urls_of_the_reference)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		bool is_url = *cases[i].url;
		check(cases[i].source, 0, cases[i].url, cases[i].timeout_ms * EP_NS_PER_MS);
		check(cases[i].source, 5, cases[i].url_5s, is_url ? 7500 * EP_NS_PER_MS : 0);
	}
}

TEST(adjust_keeps_the_socket_of_a_unix_source)
{
	check("unix:/run/app.sock", 0, "unix:/run/app.sock:/debug/pprof/profile", 60 * EP_NS_PER_S);
	check("unix:///run/app.sock:/heap?b=1&a=2", 3, "unix:///run/app.sock:/heap?a=2&b=1&seconds=3",
	      4500 * EP_NS_PER_MS);
	check("unix:", 0, "", 0);
}

TEST(adjust_takes_the_timeout_as_given)
{
	struct ep_buf url;
	uint64_t timeout_ns;
	ep_buf_init(&url, 1 << 16);
	assert_int_equal(ep_adjust_source("h:1/x", 30, 7, &url, &timeout_ns), 1);
	assert_int_equal(timeout_ns, 7 * EP_NS_PER_S);
	ep_buf_fini(&url);
}

TEST(adjust_says_when_a_url_is_too_long)
{
	struct ep_buf url;
	uint64_t timeout_ns;
	ep_buf_init(&url, 16);
	assert_int_equal(ep_adjust_source("host:80/a/long/path", 0, 0, &url, &timeout_ns), -E2BIG);
	ep_buf_fini(&url);
}

TEST(adjust_writes_durations_as_go_does)
{
	char buf[32];
	assert_string_equal(ep_adjust_seconds(buf, 5), "5s");
	assert_string_equal(ep_adjust_seconds(buf, 90), "1m30s");
	assert_string_equal(ep_adjust_seconds(buf, 3600), "1h0m0s");
}
