/* otelsymbol_generic.c - the variable otel_thread_ctx_v1 as the compiler finds it. */
#include "inproc/otelctx.h"

extern __thread const void *otel_thread_ctx_v1 __attribute__((visibility("default")));

const void *ep_otelctx_variable(void)
{
	return &otel_thread_ctx_v1;
}
