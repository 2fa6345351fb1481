/* cmd_doctor.c - everprof doctor: what is possible here, and what to change. */
#include "cli/commands.h"

#include "agent/doctor.h"
#include "base/clock.h"
#include "cli/flags.h"
#include "codec/json.h"
#include "proof/service_doctor.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char about[] =
	"Says in three lines what this kernel and this user allow: how CPU time is sampled, "
	"which processes are seen, how good stacks and names are; each with the one thing to "
	"change for more. Exits 0 when profiling is possible. With --service it answers nine "
	"questions about a service instead, by what the server has of it and by asking its "
	"process if that runs here: yes, no or unknown, the evidence, the one thing to do. Exits "
	"0 when none is answered no.";

static const char examples[] = "  everprof doctor\n"
			       "  sudo everprof doctor --verbose\n"
			       "  everprof doctor --json | jq .sampling\n"
			       "  everprof doctor --service shop\n";

static int print(struct ep_buf *out, bool possible)
{
	int failed = ep_buf_failed(out);
	if (!failed)
		fwrite(out->data, 1, out->len, stdout);
	return failed || !possible;
}

static void print_service_json(const struct ep_service_doctor *d, const struct ep_nines *n,
			       struct ep_buf *out)
{
	struct ep_jsonw w = ep_jsonw_to(out);
	ep_jsonw_open(&w, NULL, '{');
	ep_jsonw_str(&w, "service", d->service);
	ep_jsonw_str(&w, "server", d->server);
	ep_jsonw_bool(&w, "ok", !ep_nine_count(n, EP_REPLY_NO));
	ep_nine_json(n, &w);
	ep_jsonw_close(&w, '}');
	ep_buf_add_char(out, '\n');
}

static int about_service(const struct ep_service_doctor *d, bool json)
{
	struct ep_err err = {0};
	struct ep_nines n;
	ep_auto_buf out;
	ep_buf_init(&out, 65536);
	if (ep_service_doctor_look(d, &n, &err) < 0) {
		fprintf(stderr, "everprof doctor: %s\n", err.text);
		return 2;
	}
	if (json) {
		print_service_json(d, &n, &out);
	} else {
		ep_buf_printf(&out, "%s, on %s\n\n", d->service, d->server);
		ep_nine_format(&n, isatty(STDOUT_FILENO) && !getenv("NO_COLOR"), &out);
		ep_buf_printf(&out, "\n%zu yes, %zu no, %zu unknown\n", ep_nine_count(&n, EP_REPLY_YES),
			      ep_nine_count(&n, EP_REPLY_NO), ep_nine_count(&n, EP_REPLY_UNKNOWN));
	}
	return print(&out, !ep_nine_count(&n, EP_REPLY_NO));
}

int ep_cmd_doctor(int argc, char **argv)
{
	bool verbose = false, json = false;
	struct ep_service_doctor service = {.server = "http://127.0.0.1:4040",
					    .last_ns = 15 * 60 * EP_NS_PER_S};
	const struct ep_flag table[] = {
		{"verbose", 'v', NULL, EP_FLAG_BOOL, &verbose,
		 "every fact behind the lines"},
		{"service", 0, "NAME", EP_FLAG_STRING, &service.service,
		 "nine questions about this service instead"},
		{"server", 0, "URL", EP_FLAG_STRING, &service.server,
		 "which has its profiles (http://127.0.0.1:4040)"},
		{"server-token-file", 0, "FILE", EP_FLAG_STRING, &service.server_token_file,
		 "a token for the server"},
		{"debug-token-file", 0, "FILE", EP_FLAG_STRING, &service.debug_token_file,
		 "a token for the service's /debug/pprof"},
		{"last", 0, "TIME", EP_FLAG_DURATION, &service.last_ns,
		 "look at so much of its past (15m)"},
		{"json", 0, NULL, EP_FLAG_BOOL, &json, "the same as one JSON object"},
		{0},
	};
	const struct ep_flags flags = {"doctor", NULL, about, examples, table};
	int rest, rc = ep_flags_parse(&flags, argc, argv, &rest);
	if (rc >= 0)
		return rc;
	if (service.service)
		return about_service(&service, json);
	struct ep_doctor d;
	ep_auto_buf out;
	ep_buf_init(&out, 65536);
	ep_doctor_look(&d);
	if (json) {
		ep_doctor_format_json(&d, &out);
	} else {
		ep_doctor_format(&d, &out);
		if (verbose)
			ep_doctor_format_facts(&d, &out);
	}
	return print(&out, d.sampling != EP_SAMPLING_NONE);
}
