/*
 * assets.h - the files of the web page, compiled into the binary.
 *
 * With the build option `ui` the page's build step writes a C file that defines
 * this table; without it assets_none.c holds one page that says so.
 */
#ifndef EP_API_ASSETS_H
#define EP_API_ASSETS_H

#include <stddef.h>

struct ep_asset {
	const char *path; /* as asked for: "/" is the page, "/app-1a2b.js" a file of it */
	const char *type; /* Content-Type */
	const unsigned char *data;
	size_t n;
	const unsigned char *gzip; /* the same packed; NULL: not worth it */
	size_t n_gzip;
	const char *etag; /* quoted, changes with the content: "\"1a2b3c\"" */
};

/* Read-only, sorted or not; "/" is always there. */
extern const struct ep_asset ep_assets[];
extern const size_t ep_n_assets;

#endif
