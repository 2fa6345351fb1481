/*
 * otelctx.h - labels for readers outside: OpenTelemetry's process context (OTEP 4719) and
 * thread context (OTEP 4947).
 *
 * The thread's part costs nothing: a label set begins with the record that readers look
 * for (labels.h), and the variable that holds a thread's set has their name as well
 * (sig/cpu.c).  Here is the process's part, a mapping they find by its name: who this is,
 * and which key a number in those records stands for.
 *
 * Under the drain lock.
 */
#ifndef EP_INPROC_OTELCTX_H
#define EP_INPROC_OTELCTX_H

/*
 * ep_otelctx_start - publish; a second time it is renewed.
 *
 * in       service, version  "": unknown
 *
 * Not done, and said, where the program has a context of its own, by its own mapping or its
 * own otel_thread_ctx_v1: there is one in a process.
 */
void ep_otelctx_start(const char *service, const char *version);
/* Publish keys that have come since. */
void ep_otelctx_tick(void);
/* In the child of a fork: the mapping is not there. */
void ep_otelctx_child(void);

/* The calling thread's otel_thread_ctx_v1 as a reader finds it: the first definition in the
 * order of the loader.  A file per CPU. */
const void *ep_otelctx_variable(void);

#endif
