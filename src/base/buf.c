/* buf.c - see buf.h. */
#include "base/buf.h"

#include "base/mem.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void ep_buf_init(struct ep_buf *b, size_t max_bytes)
{
	*b = (struct ep_buf){.max = max_bytes};
}

void ep_buf_fini(struct ep_buf *b)
{
	ep_free(b->data);
	*b = (struct ep_buf){.max = b->max};
}

void ep_buf_clear(struct ep_buf *b)
{
	b->len = 0;
	b->failed = 0;
}

uint8_t *ep_buf_reserve(struct ep_buf *b, size_t n_bytes)
{
	if (b->failed)
		return NULL;
	if (n_bytes > b->max - b->len) {
		b->failed = -E2BIG;
		return NULL;
	}
	size_t need = b->len + n_bytes;
	if (need > b->cap) {
		size_t cap = b->cap ? b->cap : 256;
		while (cap < need)
			cap = cap > SIZE_MAX / 2 ? need : cap * 2;
		uint8_t *data = ep_realloc(b->data, cap);
		if (!data) {
			b->failed = -ENOMEM;
			return NULL;
		}
		b->data = data;
		b->cap = cap;
	}
	return b->data ? b->data + b->len : NULL;
}

void ep_buf_add(struct ep_buf *b, const void *p, size_t n_bytes)
{
	if (!n_bytes)
		return;
	uint8_t *to = ep_buf_reserve(b, n_bytes);
	if (!to)
		return;
	memcpy(to, p, n_bytes);
	b->len += n_bytes;
}

void ep_buf_add_str(struct ep_buf *b, const char *s)
{
	ep_buf_add(b, s, strlen(s));
}

void ep_buf_add_char(struct ep_buf *b, char c)
{
	ep_buf_add(b, &c, 1);
}

void ep_buf_printf(struct ep_buf *b, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	va_list again;
	va_copy(again, ap);
	int n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n >= 0 && ep_buf_reserve(b, (size_t)n + 1)) {
		(void)vsnprintf((char *)b->data + b->len, (size_t)n + 1, fmt, again);
		b->len += (size_t)n;
	}
	va_end(again);
}

void ep_buf_set_sink(struct ep_buf *b, ep_buf_sink *sink, void *arg)
{
	b->sink = sink;
	b->sink_arg = arg;
}

int ep_buf_drain(struct ep_buf *b)
{
	enum { WORTH_A_CALL = 256 << 10 };
	if (!b->sink || b->failed || b->len < WORTH_A_CALL)
		return b->failed;
	int rc = b->sink(b->sink_arg, b->data, b->len);
	b->len = 0;
	b->failed = rc < 0 ? rc : 0;
	return b->failed;
}

void ep_buf_consume(struct ep_buf *b, size_t n)
{
	if (n >= b->len) {
		b->len = 0;
		return;
	}
	memmove(b->data, b->data + n, b->len - n);
	b->len -= n;
}

const char *ep_buf_cstr(struct ep_buf *b)
{
	uint8_t *end = ep_buf_reserve(b, 1);
	if (!end)
		return "";
	*end = '\0';
	return (const char *)b->data;
}
