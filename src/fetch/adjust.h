/*
 * adjust.h - what a user wrote as the source of a profile, as the URL to ask.
 *
 * By the rules of `go tool pprof`, so that the URL in the message, and what counts as
 * one at all, are the same: host:port is http, a missing path is the CPU profile, the
 * query is written anew in order of its keys.
 */
#ifndef EP_FETCH_ADJUST_H
#define EP_FETCH_ADJUST_H

#include "base/buf.h"

/*
 * ep_adjust_source - a source to its URL.
 *
 * in       source     not the name of a file that exists: ask that first
 *          seconds    of -seconds; below 1: what the URL says
 *          timeout_s  of -timeout; below 1: half as long again as the profile takes,
 *                     or a minute
 * out      ret_url         appended to; untouched when the answer is 0
 *          ret_timeout_ns  how long the server may be silent, without grace
 * returns  1 a URL, 0 it can only be a file, -ENOMEM, -E2BIG
 * threads  any
 */
int ep_adjust_source(const char *source, int seconds, int timeout_s, struct ep_buf *ret_url,
		     uint64_t *ret_timeout_ns);

/* A duration of whole seconds as Go writes it: "30s", "1m30s", "1h0m0s". */
const char *ep_adjust_seconds(char buf[32], int seconds);

#endif
