/*
 * fuzz_eh_frame.c - hostile call frame information: compiled, checked, walked.
 */
#include "base/buf.h"
#include "base/mem.h"
#include "unwind/build/check.h"
#include "unwind/build/frames.h"
#include "unwind/walk.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* A made-up stack, walked by whatever rules came out. */
static void walk(const struct ep_table *t)
{
	uint64_t words[64], pcs[40];
	uint64_t lo = (uintptr_t)words, span = t->limit - t->start;
	_Alignas(struct ep_modules) char room[EP_MODULES_BYTES(1)];
	struct ep_modules *ms = (struct ep_modules *)room;
	ms->n = 1;
	ms->m[0] = (struct ep_module){t->start, t->limit, 0, t};
	for (unsigned i = 0; i < 64; i++)
		words[i] = i % 2 ? t->start + i * 7919 % span : lo + 8 * (i * 5 % 64);
	struct ep_stack s = {.lo = lo, .hi = lo + sizeof(words)};
	for (unsigned i = 0; i < 16; i++) {
		struct ep_regs r = {
			.ip = t->start + span / 16 * i, .sp = lo, .bp = lo + 8 * i};
		enum ep_step why;
		if (ep_walk(ms, &r, &s, pcs, 40, &why) > 40)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const struct ep_frames_code code = {0x1000, 0x10000000};
	struct ep_frames_input in = {.data = data,
				     .n = n,
				     .vaddr = 0x100000,
				     .data_base = 0x200000,
				     .code = &code,
				     .n_code = 1};
	struct ep_cfa_rows rows = {0};
	ep_auto_buf b;
	ep_buf_init(&b, 64 << 20);
	const struct ep_table *t;
	if (!ep_frames_compile(&in, &rows, NULL) &&
	    !ep_cfa_rows_write(&rows, NULL, 0, &b, NULL)) {
		if (ep_check_table(b.data, b.len, &t, NULL) < 0)
			abort(); /* what we make ourselves must pass our own check */
		walk(t);
	}
	ep_cfa_rows_fini(&rows);
	return 0;
}
