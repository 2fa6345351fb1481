/*
 * making.h - what the older formats share: stacks of addresses into a profile.
 */
#ifndef EP_LEGACY_MAKING_H
#define EP_LEGACY_MAKING_H

#include "profile/build.h"

struct ep_making {
	struct ep_build *b;
	uint32_t *stack; /* the sample's so far, leaf first */
	uint32_t n, cap;
	int failed;
};

/* One thread at a time per object.  -ENOMEM.  fini() always, on failure too. */
int ep_making_init(struct ep_making *m, size_t max_bytes, struct ep_err *err);
void ep_making_fini(struct ep_making *m);
#define ep_auto_making __attribute__((cleanup(ep_making_fini))) struct ep_making

/* A frame to the sample at hand; failures come out at finish. */
void ep_making_frame(struct ep_making *m, uint32_t location);
void ep_making_address(struct ep_making *m, uint64_t address);
/* Each 0x… of the text, `by` added to it.  -ERANGE: one has more than 64 bits. */
int ep_making_addresses(struct ep_making *m, struct ep_slice text, int by);

/*
 * The sample at hand with its values, and the next begins.  Equal ones stay apart, and
 * zeros stay, as in the reference.  size: of the label "bytes", else NULL.
 */
void ep_making_sample(struct ep_making *m, const int64_t *values, const int64_t *size);

/* The patterns of frames that belong to the sampler, by the sample types. */
void ep_making_drop_frames(struct ep_build *b);

/* The profile, the patterns set; errors as ep_build_finish(). */
int ep_making_finish(struct ep_making *m, struct ep_profile **ret_p,
		     struct ep_err *err);

#endif
