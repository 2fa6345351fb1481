#include "test.h"

#include "net/http.h"

static bool takes_gzip(const char *accept)
{
	struct ep_http x = {.n_headers = 1};
	x.headers[0].name = ep_slice_of("accept-encoding");
	x.headers[0].value = ep_slice_of(accept);
	return ep_http_takes_gzip(&x);
}

TEST(gzip_is_sent_to_whom_takes_it)
{
	struct ep_http silent = {0};
	assert_false(ep_http_takes_gzip(&silent));
	assert_true(takes_gzip("gzip"));
	assert_true(takes_gzip("gzip, deflate, br, zstd"));
	assert_true(takes_gzip("deflate,  gzip;q=0.1"));
	assert_true(takes_gzip("gzip; q=1"));
	assert_true(takes_gzip("*"));
	assert_false(takes_gzip(""));
	assert_false(takes_gzip("br"));
	assert_false(takes_gzip("gzipped"));
	assert_false(takes_gzip("gzip;q=0"));
	assert_false(takes_gzip("gzip; q=0.000, br"));
	assert_false(takes_gzip("identity,"));
}
