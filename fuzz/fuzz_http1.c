/* fuzz_http1.c - heads, chunked bodies and multipart forms of strangers. */
#include "net/http1.h"
#include "net/multipart.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void read_body(const struct ep_http *x, const struct ep_http1_head *head, const char *p,
		      size_t n)
{
	struct ep_http1_chunks c = {0};
	struct ep_part parts[8];
	struct ep_slice body = {p, n};
	uint32_t n_parts;
	size_t used = 0;
	ep_auto_buf out;
	ep_buf_init(&out, 1 << 16);
	if (head->body == EP_HTTP1_CHUNKED) {
		(void)ep_http1_read_chunks(&c, p, n, &out, &used, NULL);
		if (used > n)
			abort();
		body = (struct ep_slice){(const char *)out.data, out.len};
	}
	if (ep_multipart_parse(ep_http_header(x, "content-type"), body, parts, 8, &n_parts, NULL) < 0)
		return;
	for (uint32_t i = 0; i < n_parts; i++)
		if (parts[i].body.p < body.p || parts[i].body.p + parts[i].body.n > body.p + body.n)
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct ep_http *x = calloc(1, sizeof(*x));
	struct ep_http1_head head;
	int status = 0;
	x->arena = ep_arena_new(1 << 20);
	int rc = ep_http1_parse_head((const char *)data, n, x, &head, &status, NULL);
	if (rc < 0 && status < 400)
		abort();
	if (rc > 0) {
		if ((size_t)rc > n || !x->path.n || x->path.p[0] != '/')
			abort();
		(void)ep_http_param(x, "a", 1);
		read_body(x, &head, (const char *)data + rc, n - (size_t)rc);
	}
	ep_arena_free(x->arena);
	free(x);
	return 0;
}
