/* driver.c - see driver.h.  Arguments, profile, then what was asked for. */
#include "pprof/driver.h"

#include "fetch/fetch.h"
#include "pprof/acquire.h"
#include "pprof/args.h"
#include "pprof/binaries.h"
#include "pprof/output.h"
#include "pprof/progress.h"
#include "pprof/shell.h"
#include "pprof/tempfile.h"
#include "pprof/ui.h"
#include "pprof/usage.h"
#include "pprof/web.h"

#include <stdio.h>

static int fail(const struct ep_err *err)
{
	if (err->code == -ENODATA)
		ep_usage_print_short(stderr);
	ep_ui_print(err->text);
	if (err->code == -ENOENT)
		ep_ui_print("`everprof pprof -help` lists them all");
	return 2;
}

static int run(const struct ep_args *a, const struct ep_notes *notes,
	       struct ep_err *err)
{
	const struct ep_fetch_options tls = {
		.tls_cert = a->tls_cert, .tls_key = a->tls_key, .tls_ca = a->tls_ca};
	struct ep_debugfile_download by_fetch;
	ep_auto(ep_fetch) fetch = NULL;
	ep_auto(ep_objects) objects = NULL;
	__attribute__((cleanup(ep_acquired_fini))) struct ep_acquired got = {0};
	EP_TRY(ep_fetch_new(&tls, &fetch, err));
	EP_TRY(ep_binaries_open(a, fetch, &by_fetch, notes, &objects, err));
	const struct ep_acquire_with with = {fetch, objects, notes};
	ep_progress_start();
	int rc = ep_acquire_profile(a, &with, &got, err);
	ep_progress_stop();
	EP_TRY(rc);
	struct ep_session s = {.profile = got.profile,
			       .objects = objects,
			       .vars = a->vars,
			       .notes = *notes};
	if (a->format)
		return ep_output_report(&s, &s.vars, a->format, a->argument, err);
	if (*a->http)
		return ep_web_run(&s, a->http, a->no_browser, err);
	return ep_shell_run(&s, err);
}

int ep_driver_run(int argc, char **argv)
{
	ep_auto(ep_arena) arena = ep_arena_new(0);
	if (!arena)
		return 2;
	struct ep_notes notes = ep_ui_notes();
	struct ep_args a;
	struct ep_err err = {0};
	int rc = ep_args_parse(argc, argv, arena, &notes, &a, &err);
	if (rc == -ECANCELED) {
		ep_usage_print(stdout);
		return 0;
	}
	if (rc < 0)
		return fail(&err);
	rc = run(&a, &notes, &err);
	ep_tempfile_cleanup();
	if (rc >= 0)
		return 0;
	ep_ui_print(err.text);
	return 2;
}
