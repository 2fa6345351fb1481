/* service_doctor.c - see service_doctor.h. */
#include "proof/service_doctor.h"

#include "base/clock.h"
#include "fetch/fetch.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { MAX_TOKEN = 256 };

static int read_token(const char *path, char ret[MAX_TOKEN], struct ep_err *err)
{
	FILE *f = fopen(path, "re");
	if (!f)
		return ep_fail(err, -EINVAL, 0, "%s can't be read: %s", path, strerror(errno));
	bool ok = fscanf(f, "%255s", ret) == 1;
	fclose(f);
	return ok ? 0 : ep_fail(err, -EINVAL, 0, "%s has no token", path);
}

int ep_service_doctor_look(const struct ep_service_doctor *d, struct ep_nines *ret,
			   struct ep_err *err)
{
	struct ep_fetch_options options = {.token_file = d->server_token_file};
	struct ep_err server_err = {0};
	struct ep_shelf shelf = {.known = false};
	struct ep_here here;
	char token[MAX_TOKEN] = "";
	ep_auto(ep_fetch) fetch = NULL;
	if (d->debug_token_file)
		EP_TRY(read_token(d->debug_token_file, token, err));
	EP_TRY(ep_fetch_new(&options, &fetch, err));
	struct ep_nine_facts f = {
		.service = d->service,
		.shelf = &shelf,
		.now_ms = (int64_t)(ep_clock_wall_ns() / EP_NS_PER_MS),
		.range_ms = (int64_t)(d->last_ns / EP_NS_PER_MS),
		.here = &here,
		.token = *token ? token : NULL,
	};
	if (ep_shelf_look(fetch, d->server, d->service, f.now_ms, f.range_ms, &shelf,
			  &server_err) < 0)
		f.server_error = server_err.text;
	ep_here_find(d->service, shelf.labels.pids, shelf.this_host ? shelf.labels.n_pids : 0,
		     &here);
	ep_nine_answer(&f, ret);
	return 0;
}
