/* xz.c - .xz files by liblzma.  See xz.h. */
#include "codec/xz.h"

#include <dlfcn.h>
#include <lzma.h>
#include <pthread.h>
#include <string.h>

static struct {
	__typeof__(lzma_stream_decoder) *decoder;
	__typeof__(lzma_code) *code;
	__typeof__(lzma_end) *end;
} lib;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void load(void)
{
	void *h = dlopen("liblzma.so.5", RTLD_NOW | RTLD_LOCAL);
	if (!h)
		return;
	lib.decoder = (__typeof__(lib.decoder))dlsym(h, "lzma_stream_decoder");
	lib.code = (__typeof__(lib.code))dlsym(h, "lzma_code");
	lib.end = (__typeof__(lib.end))dlsym(h, "lzma_end");
}

static int unpack(lzma_stream *s, struct ep_buf *out, struct ep_err *err)
{
	enum { STEP = 64 << 10 };
	lzma_ret rc = LZMA_OK;
	while (rc == LZMA_OK) {
		size_t room = out->max - out->len < STEP ? out->max - out->len : STEP;
		uint8_t *p = room ? ep_buf_reserve(out, room) : NULL;
		if (!p)
			return ep_fail(err, -E2BIG, s->total_in,
				       "xz unpacks to more than the limit of %zu bytes",
				       out->max);
		s->next_out = p;
		s->avail_out = room;
		rc = lib.code(s, LZMA_FINISH);
		out->len += room - s->avail_out;
	}
	if (rc == LZMA_STREAM_END)
		return 0;
	if (rc == LZMA_MEM_ERROR || rc == LZMA_MEMLIMIT_ERROR)
		return ep_fail(err, -E2BIG, s->total_in, "xz file wants too much memory");
	return ep_fail(err, -EBADMSG, s->total_in, "xz file is corrupt or cut short");
}

int ep_xz_unpack(const void *data, size_t n, struct ep_buf *out, struct ep_err *err)
{
	(void)pthread_once(&once, load); /* fails only for an invalid argument */
	if (!lib.decoder || !lib.code || !lib.end)
		return ep_fail(err, -ENOTSUP, 0, "xz files need liblzma");
	lzma_stream s = LZMA_STREAM_INIT;
	if (lib.decoder(&s, (uint64_t)256 << 20, LZMA_CONCATENATED) != LZMA_OK)
		return ep_fail(err, -ENOMEM, 0, "no memory for an xz file");
	s.next_in = data;
	s.avail_in = n;
	size_t before = out->len;
	int rc = unpack(&s, out, err);
	lib.end(&s);
	if (rc < 0)
		out->len = before;
	return rc;
}
