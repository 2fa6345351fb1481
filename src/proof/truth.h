/*
 * truth.h - what the workload knows of itself, on its way to who compares.
 *
 * A line each, "NAME VALUE": the child writes them into a pipe, the parent keeps them.
 */
#ifndef EP_PROOF_TRUTH_H
#define EP_PROOF_TRUTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EP_TRUTH_MAX 128
#define EP_TRUTH_NAME 40

struct ep_truth {
	struct {
		char name[EP_TRUTH_NAME];
		int64_t value;
	} facts[EP_TRUTH_MAX];
	size_t n;
	char phase[EP_TRUTH_NAME]; /* of the last line "phase WORD" */
	char pending[128];	   /* a line that is not whole yet */
	size_t n_pending;
};

/* One fact into a descriptor.  Any thread; a failed write is the reader's to notice. */
void ep_truth_tell(int fd, const char *name, int64_t value);
void ep_truth_tell_phase(int fd, const char *word);

/* Take bytes as they come.  What is malformed or too much is passed over. */
void ep_truth_feed(struct ep_truth *t, const char *bytes, size_t n);

/* false: nobody told; *ret untouched. */
bool ep_truth_find(const struct ep_truth *t, const char *name, int64_t *ret);
/* 0 when nobody told. */
int64_t ep_truth_get(const struct ep_truth *t, const char *name);

#endif
