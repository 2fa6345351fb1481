/*
 * buf.h - bytes that grow up to a stated maximum.
 *
 * A buffer remembers its first failure (out of memory, or over the maximum), so
 * a writer appends freely and asks once at the end with ep_buf_failed().
 *
 * What is too large to be kept whole goes out in parts: the owner names a sink, and the
 * writer calls ep_buf_drain() wherever it won't come back to what it has written.
 */
#ifndef EP_BASE_BUF_H
#define EP_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Takes all n bytes; a negative errno ends it. */
typedef int ep_buf_sink(void *arg, const uint8_t *p, size_t n);

struct ep_buf {
	uint8_t *data; /* owned; NULL while empty */
	size_t len;
	size_t cap;
	size_t max;
	int failed; /* 0, -ENOMEM, -E2BIG, or what the sink said */
	ep_buf_sink *sink;
	void *sink_arg;
};

/* One thread at a time per buffer; none of these is signal-safe. */
void ep_buf_init(struct ep_buf *b, size_t max_bytes);
void ep_buf_fini(struct ep_buf *b);
/* Forget the content and the failure, keep the memory. */
void ep_buf_clear(struct ep_buf *b);

/* n_bytes of room at the end, not yet counted in len; NULL on failure. */
uint8_t *ep_buf_reserve(struct ep_buf *b, size_t n_bytes);
void ep_buf_add(struct ep_buf *b, const void *p, size_t n_bytes);
void ep_buf_add_str(struct ep_buf *b, const char *s);
void ep_buf_add_char(struct ep_buf *b, char c);
void ep_buf_printf(struct ep_buf *b, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* Where the content may go before the writer is done; sink NULL: nowhere, it stays. */
void ep_buf_set_sink(struct ep_buf *b, ep_buf_sink *sink, void *arg);
/* All that is written is final: give it to the sink, once it is worth a call. */
int ep_buf_drain(struct ep_buf *b);
/* Drop the first n bytes. */
void ep_buf_consume(struct ep_buf *b, size_t n);

/* The content as a string, NUL added behind it; "" on failure. */
const char *ep_buf_cstr(struct ep_buf *b);
static inline int ep_buf_failed(const struct ep_buf *b)
{
	return b->failed;
}

/* struct ep_buf released at the end of the scope: ep_auto_buf b; */
#define ep_auto_buf __attribute__((cleanup(ep_buf_fini))) struct ep_buf

#endif
