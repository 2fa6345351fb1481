/*
 * cmd_diff.c - `everprof diff A B`: what changed, in words and numbers.
 */
#include "cli/commands.h"

#include "cli/flags.h"
#include "fetch/fetch.h"
#include "pprof/compare.h"
#include "pprof/origin.h"
#include "pprof/ui.h"

#include <ctype.h>
#include <string.h>

static const char about[] = "Says what changed from profile A to profile B: the total, "
			    "the functions that grew and "
			    "shrank most, new and vanished ones, each with its "
			    "sampling error. A and B are files, "
			    "URLs, or SELECTOR@FROM..UNTIL on a server, such as "
			    "'{service_name=\"shop\"}@now-1h..now'.";

static const char examples[] =
	"  everprof diff before.pb.gz after.pb.gz\n"
	"  everprof diff --group-by endpoint before.pb.gz after.pb.gz\n"
	"  everprof diff '{service_name=\"shop\"}@now-2h..now-1h' \\\n"
	"      '{service_name=\"shop\"}@now-1h..now'\n"
	"  everprof diff --json a.pb.gz b.pb.gz | jq '.self[] | select(.sure)'\n";

struct options {
	bool json;
	const char *group_by, *sample_index, *normalize, *server, *type;
	int64_t limit;
};

static int fail(const struct ep_err *err)
{
	fprintf(stderr, "everprof diff: %s\n", err->text);
	return 2;
}

static void add_escaped(struct ep_buf *out, const char *key, const char *from, size_t n)
{
	ep_buf_add_str(out, key);
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)from[i];
		if (isalnum(c) || strchr("-_.~", c))
			ep_buf_add_char(out, (char)c);
		else
			ep_buf_printf(out, "%%%02X", c);
	}
}

/* SELECTOR@FROM..UNTIL as the server's URL of the merged profile; false: it is none. */
static bool make_url(const struct options *o, const char *name, struct ep_buf *out)
{
	const char *at = strrchr(name, '@'), *dots = at ? strstr(at, "..") : NULL;
	if (name[0] != '{' || !dots)
		return false;
	ep_buf_printf(out, "%s/api/v1/profile?", o->server);
	add_escaped(out, "type=", o->type, strlen(o->type));
	add_escaped(out, "&query=", name, (size_t)(at - name));
	add_escaped(out, "&from=", at + 1, (size_t)(dots - at - 1));
	add_escaped(out, "&until=", dots + 2, strlen(dots + 2));
	return true;
}

static int load(const struct options *o, const struct ep_fetch *fetch, const char *name,
		struct ep_profile **ret_p, struct ep_err *err)
{
	struct ep_origin_options how = {.seconds = -1, .timeout = -1, .fetch = fetch};
	struct ep_origin origin;
	ep_auto_buf url;
	ep_buf_init(&url, 1 << 16);
	bool is_url = make_url(o, name, &url);
	int rc = ep_origin_load(is_url ? ep_buf_cstr(&url) : name, &how, &origin, err);
	if (rc < 0) {
		ep_err_context(err, "%s", name);
		return rc;
	}
	*ret_p = ep_take(&origin.profile);
	ep_origin_fini(&origin);
	return 0;
}

static int run(const struct options *o, const struct ep_compare_options *how,
	       struct ep_err *err)
{
	struct ep_fetch_options none = {0};
	ep_auto(ep_fetch) fetch = NULL;
	ep_auto(ep_profile) a = NULL;
	ep_auto(ep_profile) b = NULL;
	ep_auto(ep_compare) c = NULL;
	EP_TRY(ep_fetch_new(&none, &fetch, err));
	EP_TRY(load(o, fetch, how->names[0], &a, err));
	EP_TRY(load(o, fetch, how->names[1], &b, err));
	EP_TRY(ep_compare_profiles(a, b, how, &c, err));
	ep_auto_buf out;
	ep_buf_init(&out, (size_t)1 << 30);
	if (o->json)
		ep_compare_json(c, &out);
	else
		ep_compare_text(c, &out);
	if (ep_buf_failed(&out))
		return ep_fail(err, ep_buf_failed(&out), 0, "out of memory");
	if (fwrite(out.data, 1, out.len, stdout) != out.len || fflush(stdout) != 0)
		return ep_fail(err, -EIO, 0, "standard output can't be written");
	return 0;
}

static int choose_scale(const char *word, enum ep_compare_scale *ret)
{
	static const char *const words[] = {
		[EP_COMPARE_PLAIN] = "none",
		[EP_COMPARE_DURATION] = "duration",
		[EP_COMPARE_TOTAL] = "total",
		[EP_COMPARE_AUTO] = "auto",
	};
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (!strcmp(word, words[i])) {
			*ret = (enum ep_compare_scale)i;
			return 0;
		}
	return -EINVAL;
}

int ep_cmd_diff(int argc, char **argv)
{
	struct options o = {.group_by = "",
			    .sample_index = "",
			    .normalize = "auto",
			    .server = "http://127.0.0.1:4040",
			    .type = "process_cpu:cpu:nanoseconds:cpu:nanoseconds",
			    .limit = 10};
	const struct ep_flag table[] = {
		{"json", 0, NULL, EP_FLAG_BOOL, &o.json, "JSON instead of text"},
		{"group-by", 0, "LABEL", EP_FLAG_STRING, &o.group_by,
		 "compare the values of this label instead of functions"},
		{"sample-index", 0, "TYPE", EP_FLAG_STRING, &o.sample_index,
		 "which values, by name or number (the profile's default)"},
		{"normalize", 0, "HOW", EP_FLAG_STRING, &o.normalize,
		 "bring B to A's duration or total, or none (auto: by duration where "
		 "it is known "
		 "and differs, by total where it is not known)"},
		{"limit", 0, "N", EP_FLAG_INT, &o.limit, "rows of a list (10)"},
		{"server", 0, "URL", EP_FLAG_STRING, &o.server,
		 "of SELECTOR@FROM..UNTIL (http://127.0.0.1:4040)"},
		{"type", 0, "ID", EP_FLAG_STRING, &o.type,
		 "profile type there (process_cpu:cpu:nanoseconds:cpu:nanoseconds)"},
		{0},
	};
	const struct ep_flags flags = {"diff", "[FLAGS] A B", about, examples, table};
	int rest, rc = ep_flags_parse(&flags, argc, argv, &rest);
	if (rc >= 0)
		return rc;
	struct ep_err err = {0};
	struct ep_compare_options how = {.sample_index = o.sample_index,
					 .group_by = o.group_by,
					 .limit = o.limit < 0 ? 0 : (size_t)o.limit};
	if (argc - rest != 2)
		return ep_fail(&err, -EINVAL, 0, "it wants two profiles, A and B"),
		       fail(&err);
	if (choose_scale(o.normalize, &how.scale) < 0)
		return ep_fail(&err, -EINVAL, 0,
			       "--normalize wants auto, duration, total or none"),
		       fail(&err);
	how.names[0] = argv[rest];
	how.names[1] = argv[rest + 1];
	return run(&o, &how, &err) < 0 ? fail(&err) : 0;
}
