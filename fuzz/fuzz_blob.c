/* fuzz_blob.c - stored records with a right checksum and any content. */
#include "codec/crc32c.h"
#include "store/bytes.h"
#include "store/rows.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void read_blob(const uint8_t *data, size_t n)
{
	static struct ep_blob b;
	if (!b.z && ep_blob_init(&b) < 0)
		return;
	ep_auto_buf whole;
	ep_buf_init(&whole, 1 << 24);
	ep_buf_add(&whole, data, n);
	ep_put_u32(&whole, ep_crc32c(0, data, n));
	if (ep_buf_failed(&whole) || ep_blob_open(&b, whole.data, whole.len, NULL) < 0)
		return;
	(void)ep_blob_read_stacks(&b, NULL); /* any answer will do */
	for (uint32_t i = 0; i < b.n_cols && i < 4; i++)
		(void)ep_blob_read_values(&b, i, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	ep_auto(ep_dict) d = ep_dict_new();
	if (!n || !d)
		return 0;
	if (data[0] & 1)
		read_blob(data + 1, n - 1);
	else if (!ep_dict_decode(d, data + 1, n - 1, NULL))
		(void)ep_dict_index(d); /* what was read can be added to */
	return 0;
}
