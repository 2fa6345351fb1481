/* cmd_doctor.c - everprof doctor: what is possible here, and what to change. */
#include "cli/commands.h"

#include "agent/doctor.h"
#include "cli/flags.h"

#include <stdio.h>

static const char about[] =
	"Says in three lines what this kernel and this user allow: how CPU time is sampled, "
	"which processes are seen, how good stacks and names are; each with the one thing to "
	"change for more. Exits 0 when profiling is possible.";

static const char examples[] = "  everprof doctor\n"
			       "  sudo everprof doctor --verbose\n"
			       "  everprof doctor --json | jq .sampling\n";

static int print(struct ep_buf *out, bool possible)
{
	int failed = ep_buf_failed(out);
	if (!failed)
		fwrite(out->data, 1, out->len, stdout);
	return failed || !possible;
}

int ep_cmd_doctor(int argc, char **argv)
{
	bool verbose = false, json = false;
	const struct ep_flag table[] = {
		{"verbose", 'v', NULL, EP_FLAG_BOOL, &verbose,
		 "every fact behind the lines"},
		{"json", 0, NULL, EP_FLAG_BOOL, &json, "the same as one JSON object"},
		{0},
	};
	const struct ep_flags flags = {"doctor", NULL, about, examples, table};
	int rest, rc = ep_flags_parse(&flags, argc, argv, &rest);
	if (rc >= 0)
		return rc;
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
