/*
 * send.h - the thread that talks to the server, so that sampling never waits for
 * it: profiles go out through the push queue, and the server gets symbol tables
 * of the build IDs it does not know.
 */
#ifndef EP_AGENT_SEND_H
#define EP_AGENT_SEND_H

#include "base/buf.h"
#include "base/err.h"
#include "push/push.h"

#include <stdbool.h>

struct ep_send;

/* Trouble and its end, a sentence each; called from the thread. */
typedef void ep_send_say_fn(void *arg, const char *sentence);

/* 0; -EINVAL for an address that is no http URL; -ENOMEM.  Starts the thread. */
int ep_send_new(const struct ep_push_config *config, bool no_upload,
		ep_send_say_fn *say, void *arg, struct ep_send **ret_s,
		struct ep_err *err);

/*
 * ep_send_stop - send what waits for at most so long, put the rest into the
 * spool, end the thread, free.
 */
void ep_send_stop(struct ep_send *s, uint64_t at_most_ns);

/*
 * ep_send_profile - hand a profile over.
 *
 * in       name   app{k=v,…}
 *          bytes  gzip; its content is taken out of the buffer
 * errors   -ENOMEM, -E2BIG when the thread is far behind: it is dropped, and counted
 * threads  any
 */
int ep_send_profile(struct ep_send *s, const char *name, uint64_t from_ns,
		    uint64_t until_ns, unsigned hz, struct ep_buf *bytes);

/* Offer a file's symbols.  Owns fd.  Fits ep_image_offer_fn.  Any thread. */
void ep_send_offer(void *send, const char *build_id, const char *path, int fd);

#endif
