/*
 * otelsymbol_x86_64.c - the variable otel_thread_ctx_v1 by a TLS descriptor.
 *
 * Readers find the place of a thread's variable by the relocation of its symbol, and the
 * standard wants a descriptor.  clang 14 makes none, so it is asked for here.
 *
 * Source: RFC TLSDESC for x86 (A. Oliva).
 */
#include "inproc/otelctx.h"

#include <stdint.h>

const void *ep_otelctx_variable(void)
{
	uint64_t offset;
	/* Past the red zone: there is a call in it.  All registers but rax stay. */
	__asm__("subq $136, %%rsp\n\t"
		"leaq otel_thread_ctx_v1@TLSDESC(%%rip), %%rax\n\t"
		"call *otel_thread_ctx_v1@TLSCALL(%%rax)\n\t"
		"addq $136, %%rsp"
		: "=a"(offset)
		:
		: "cc", "memory");
	return (const char *)__builtin_thread_pointer() + offset;
}
