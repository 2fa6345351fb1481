/*
 * outbox.h - finished profiles on their way out: to the server, to EVERPROF_OUT.
 *
 * One thread at a time: the drain's.
 */
#ifndef EP_INPROC_OUTBOX_H
#define EP_INPROC_OUTBOX_H

#include "inproc/config.h"
#include "inproc/write.h"

/* A finished profile: everything to write it without the drain lock. */
struct ep_batch {
	const struct ep_write_shape *shape;
	struct ep_tally *tally; /* owned */
	uint64_t period, from_ns, until_ns;
	uint64_t covered_ns; /* of the time in between; 0: all */
	struct ep_ledger ledger;
	const struct ep_code_mapping *mappings; /* owned: a copy */
	uint32_t n_mappings;
	char build_id[EP_ELF_HEX_MAX];
	struct ep_write_name *names; /* owned; NULL: none were written down */
	uint32_t n_names;
};

/* Take the mappings as they are now; under the drain lock.  false: no memory. */
bool ep_batch_init(struct ep_batch *b, const struct ep_write_shape *shape,
		   struct ep_tally *tally);
void ep_batch_fini(struct ep_batch *b);
/* b - earlier, of the same kind: values, losses, and the time in between. */
void ep_batch_subtract(struct ep_batch *b, const struct ep_batch *earlier);
int ep_batch_write(const struct ep_batch *b, bool named, struct ep_buf *out);

/* 0, or what ep_push_new() says; `tick` is called while a push waits. */
int ep_outbox_open(const struct ep_config *c, int (*tick)(void *));
void ep_outbox_push(const struct ep_batch *b);
/* Send what waits, if it is time for a try. */
void ep_outbox_send_if_due(void);
/* One last try of some seconds; the rest goes to the spool. */
void ep_outbox_close(void);
void ep_outbox_child(void); /* after a fork: what is there is the parent's */

/* Write the profile to EVERPROF_OUT, with names.  0, or -EIO and said. */
int ep_outbox_write_file(const struct ep_batch *b);

#endif
