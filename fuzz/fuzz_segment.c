/* fuzz_segment.c - segments with right checksums and any content. */
#include "codec/crc32c.h"
#include "store/bytes.h"
#include "store/segment.h"

#include <sys/mman.h>
#include <unistd.h>

enum { MAX_SECTIONS = 16 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static int take_all(struct ep_block_filter *f, uint32_t set, struct ep_err *err)
{
	(void)f, (void)err;
	return set % 2;
}

static void read_all(struct ep_block *b)
{
	static struct ep_blob to;
	if (!to.z && ep_blob_init(&to) < 0)
		return;
	struct ep_block_filter f = {.ask = take_all};
	(void)ep_block_read_points(b, NULL); /* any answer will do, here and below */
	for (uint32_t c = 0; c < b->n_cols; c++) {
		(void)ep_block_read_point_sets(b, c, NULL);
		(void)ep_block_read_rows(b, c, NULL);
		(void)ep_block_sum(b, c, NULL, 0, b->n_points, &to, NULL);
		(void)ep_block_sum(b, c, &f, 0, b->n_points, &to, NULL);
		(void)ep_block_sum(b, c, &f, 1, b->n_points, &to, NULL);
		(void)ep_block_sum_pairs(b, c, &to, NULL);
	}
}

/* A head is made that fits: counts, lengths of sections, and then their bytes. */
static void read_block(struct ep_cursor c, int fd)
{
	static struct ep_block b;
	uint8_t lengths[MAX_SECTIONS];
	uint32_t n_cols = 1 + ep_get_u8(&c) % 3, n = ep_block_section_of(n_cols, EP_BLOCK_VALUES, n_cols);
	uint32_t n_sums = ep_block_section_of(n_cols, EP_BLOCK_POINT_SETS, 0);
	ep_auto_buf head;
	ep_buf_init(&head, 1 << 20);
	ep_put_varint(&head, n_cols);
	for (int i = 0; i < 4; i++)
		ep_put_varint(&head, ep_get_below(&c, 1 << 20));
	for (uint32_t i = 0; i < n_cols; i++) {
		bool multiple = i && ep_get_u8(&c) % 2;
		ep_buf_add_char(&head, multiple);
		if (!multiple)
			continue;
		ep_put_varint(&head, 0);
		ep_put_varint(&head, ep_get_varint(&c));
	}
	for (uint32_t i = 0; i < n; i++)
		lengths[i] = ep_get_u8(&c);
	uint64_t at = 0, sums = 0;
	for (uint32_t i = 0; i < n; i++) {
		size_t len = lengths[i] < ep_cursor_left(&c) ? lengths[i] : ep_cursor_left(&c);
		ep_put_varint(&head, len);
		ep_put_varint(&head, len);
		ep_put_u32(&head, ep_crc32c(0, c.p, len));
		if (pwrite(fd, c.p, len, (off_t)at) != (ssize_t)len)
			return;
		c.p += len;
		at += len;
		sums = i + 1 == n_sums ? at : sums;
	}
	if (ep_buf_failed(&head) || (!b.z && ep_block_init(&b) < 0))
		return;
	ep_put_u32(&head, ep_crc32c(0, head.data, head.len));
	struct ep_block_place first = {fd, 0, sums}, second = {fd, sums, at - sums};
	if (ep_block_open(&b, head.data, head.len, first, second, NULL) == 0)
		read_all(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static int fd = -1;
	struct ep_segment_index x;
	if (fd < 0)
		fd = memfd_create("segment", MFD_CLOEXEC);
	if (!n)
		return 0;
	if (data[0] & 1)
		read_block(ep_cursor_of(data + 1, n - 1), fd);
	else if (!ep_segment_index_decode(data + 1, n - 1, 1 << 20, 1 << 20, &x, NULL))
		ep_segment_index_fini(&x);
	return 0;
}
