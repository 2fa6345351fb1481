/* base64.c - see base64.h. */
#include "codec/base64.h"

static const char alphabet[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void ep_base64_encode(const void *p, size_t n, struct ep_buf *out)
{
	const uint8_t *b = p;
	uint8_t *to = ep_buf_reserve(out, (n + 2) / 3 * 4);
	if (!to)
		return;
	for (size_t i = 0; i < n; i += 3) {
		size_t have = n - i < 3 ? n - i : 3;
		uint32_t v = (uint32_t)b[i] << 16;
		v |= have > 1 ? (uint32_t)b[i + 1] << 8 : 0;
		v |= have > 2 ? b[i + 2] : 0;
		*to++ = (uint8_t)alphabet[v >> 18];
		*to++ = (uint8_t)alphabet[v >> 12 & 63];
		*to++ = (uint8_t)(have > 1 ? alphabet[v >> 6 & 63] : '=');
		*to++ = (uint8_t)(have > 2 ? alphabet[v & 63] : '=');
	}
	out->len += (n + 2) / 3 * 4;
}

static int digit(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+' || c == '-')
		return 62;
	return c == '/' || c == '_' ? 63 : -1;
}

int ep_base64_decode(struct ep_slice text, struct ep_buf *out, struct ep_err *err)
{
	size_t n = text.n;
	while (n && text.n - n < 2 && text.p[n - 1] == '=')
		n--;
	if (n % 4 == 1 || (n != text.n && text.n % 4))
		return ep_fail(err, -EBADMSG, text.n, "base64: the text is cut short");
	uint8_t *to = ep_buf_reserve(out, n / 4 * 3 + 3);
	if (!to)
		return ep_fail(err, ep_buf_failed(out), 0, "base64: no room for the bytes");
	uint32_t v = 0;
	size_t n_bytes = 0;
	for (size_t i = 0; i < n; i++) {
		int d = digit(text.p[i]);
		if (d < 0)
			return ep_fail(err, -EBADMSG, i, "base64: character 0x%02x",
				       (unsigned char)text.p[i]);
		v = v << 6 | (uint32_t)d;
		if (i % 4 == 0)
			continue;
		to[n_bytes++] = (uint8_t)(v >> (6 - 2 * (i % 4)));
	}
	out->len += n_bytes;
	return 0;
}
