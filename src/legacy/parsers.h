/*
 * parsers.h - the older and the foreign formats, one parser each.
 */
#ifndef EP_LEGACY_PARSERS_H
#define EP_LEGACY_PARSERS_H

#include "base/err.h"
#include "base/slice.h"
#include "profile/profile.h"

enum {
	EP_PARSER_READ = 0,  /* *ret_p is the profile */
	EP_PARSER_OTHER = 1, /* it is some other format; nothing was written */
};

/*
 * All have the same shape.
 *
 * in       bytes      plain, borrowed
 *          max_bytes  bound of the profile's tables
 * out      ret_p      the caller frees it
 * returns  EP_PARSER_READ, EP_PARSER_OTHER, or
 * errors   -EBADMSG, -ENODATA  it is this format, and broken: final
 *          -E2BIG, -ENOMEM
 * threads  any thread
 */
typedef int ep_parser(struct ep_slice bytes, size_t max_bytes,
		      struct ep_profile **ret_p, struct ep_err *err);

/* Of the reference, in its order. */
ep_parser ep_cpuprof_parse;    /* gperftools' and Java's binary CPU profile */
ep_parser ep_heaptext_parse;   /* "heap profile: …", growth, fragmentation */
ep_parser ep_gocount_parse;    /* "goroutine profile: total 7" */
ep_parser ep_threadz_parse;    /* "--- threadz 1 ---" */
ep_parser ep_contention_parse; /* "--- contentionz 1 ---", "--- mutex:" */
ep_parser ep_java_parse;       /* "--- heapz 1 ---" with "format = java" */

/* Unknown to the reference. */
ep_parser ep_jemalloc_parse; /* "heap_v2/524288" */
ep_parser ep_script_parse;   /* `perf script` */
ep_parser ep_folded_parse;   /* "main;f;g 12" */

#endif
