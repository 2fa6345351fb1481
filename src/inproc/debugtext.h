/*
 * debugtext.h - a profile as text for people: Go's debug=1 forms.
 *
 * Source: the reference's net/http/pprof and runtime/pprof; docs/debug-pprof.md.
 */
#ifndef EP_INPROC_DEBUGTEXT_H
#define EP_INPROC_DEBUGTEXT_H

#include "inproc/outbox.h"

/*
 * ep_debugtext_counts - "NAME profile: total N", then each stack: its count, addresses,
 * labels, and a line a frame.  Largest first.
 *
 * errors   -ENOMEM
 * threads  any; reads symbol tables of files
 */
int ep_debugtext_counts(const struct ep_batch *b, struct ep_buf *out);

/*
 * ep_debugtext_heap - "heap profile: …", then each stack: what is in use and, in brackets,
 * what was allocated, whatever its age.  The numbers are estimates of the whole already,
 * which the tag "heapprofile" says to those who read it.  The same errors.
 */
int ep_debugtext_heap(const struct ep_batch *b, struct ep_buf *out);

/* "--- contention:" or "--- mutex:", then each stack with its delay and count. */
int ep_debugtext_contention(const struct ep_batch *b, struct ep_buf *out);

/* "scopes profile: total N", then each label set: how often, and nanoseconds. */
int ep_debugtext_scopes(const struct ep_batch *b, struct ep_buf *out);

/*
 * ep_debugtext_frames - the lines of one stack, in columns, then an empty one.
 *
 * in       names  NULL: addresses only
 */
struct ep_namer;
void ep_debugtext_frames(const struct ep_batch *b, struct ep_namer *names,
		    const struct ep_tally_stack *s, struct ep_buf *out);

/* One frame in two lines: "FUNCTION+0xOFF", then a tab, "FILE 0xADDRESS". */
void ep_debugtext_frame(const struct ep_batch *b, struct ep_namer *names,
			const struct ep_tally_frame *f, struct ep_buf *out);

/* "# labels: {…}" and a newline; nothing without labels. */
void ep_debugtext_labels(const struct everprof_labels *labels, struct ep_buf *out);

#endif
