/*
 * curl.h - libcurl's functions, found when they are first needed.  Internal.
 */
#ifndef EP_FETCH_CURL_H
#define EP_FETCH_CURL_H

#include "base/err.h"

#include <curl/curl.h>

struct ep_curl {
	CURLcode (*global_init)(long flags);
	CURL *(*easy_init)(void);
	CURLcode (*setopt)(CURL *, CURLoption, ...);
	CURLcode (*perform)(CURL *);
	void (*cleanup)(CURL *);
	const char *(*strerror)(CURLcode);
};

/* Load it once for the process.  NULL and a sentence when it is not installed.
 * Any thread. */
const struct ep_curl *ep_curl_get(struct ep_err *err);

#endif
