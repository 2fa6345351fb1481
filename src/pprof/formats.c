/* formats.c - see formats.h. */
#include "pprof/formats.h"

#include <string.h>

#define REPORT(cum, redirect)                                                          \
	.usage = EP_USAGE_REPORT, .has_cum = cum, .has_redirect = redirect
#define LIST(redirect)                                                                 \
	.usage = EP_USAGE_LIST, .has_redirect = redirect, .has_argument = true
#define OWN(text) .usage = EP_USAGE_OWN, .own_usage = text
#define FILE_(ext) .place = EP_FORMAT_FILE, .suffix = ext
#define VIEW(ext, by) .place = EP_FORMAT_VIEWER, .suffix = ext, .viewer = by

static const struct ep_format formats[] = {
	{"callgrind", EP_REPORT_CALLGRIND, FILE_("callgraph.out"),
	 .description = "Outputs a graph in callgrind format", REPORT(false, true)},
	{"comments", EP_REPORT_COMMENTS, .description = "Output all profile comments"},
	{"disasm", EP_REPORT_DISASM,
	 .description = "Output assembly listings annotated with samples", LIST(true)},
	{"dot", EP_REPORT_DOT, .description = "Outputs a graph in DOT format",
	 REPORT(false, true)},
	{"eog", EP_REPORT_DOT, .dot = "svg", VIEW("svg", EP_VIEWER_EOG),
	 .description = "Visualize graph through eog", REPORT(false, false)},
	{"evince", EP_REPORT_DOT, .dot = "pdf", VIEW("pdf", EP_VIEWER_EVINCE),
	 .description = "Visualize graph through evince", REPORT(false, false)},
	{"gif", EP_REPORT_DOT, .dot = "gif", FILE_("gif"),
	 .description = "Outputs a graph image in GIF format", REPORT(false, true)},
	{"gv", EP_REPORT_DOT, .dot = "ps", VIEW("ps", EP_VIEWER_GV),
	 .description = "Visualize graph through gv", REPORT(false, false)},
	{"kcachegrind", EP_REPORT_CALLGRIND, VIEW("grind", EP_VIEWER_KCACHEGRIND),
	 .description = "Visualize report in KCachegrind", REPORT(false, false)},
	{"list", EP_REPORT_LIST,
	 .description = "Output annotated source for functions matching regexp",
	 LIST(false)},
	{"pdf", EP_REPORT_DOT, .dot = "pdf", FILE_("pdf"),
	 .description = "Outputs a graph in PDF format", REPORT(false, true)},
	{"peek", EP_REPORT_PEEK, .has_argument = true,
	 .description = "Output callers/callees of functions matching regexp",
	 OWN("peek func_regex\nDisplay callers and callees of functions matching "
	     "func_regex.")},
	{"png", EP_REPORT_DOT, .dot = "png", FILE_("png"),
	 .description = "Outputs a graph image in PNG format", REPORT(false, true)},
	{"proto", EP_REPORT_PROTO, FILE_("pb.gz"),
	 .description = "Outputs the profile in compressed protobuf format"},
	{"ps", EP_REPORT_DOT, .dot = "ps", FILE_("ps"),
	 .description = "Outputs a graph in PS format", REPORT(false, true)},
	{"raw", EP_REPORT_RAW,
	 .description = "Outputs a text representation of the raw profile"},
	{"svg", EP_REPORT_DOT, .dot = "svg", .has_pan = true, FILE_("svg"),
	 .description = "Outputs a graph in SVG format", REPORT(false, true)},
	{"tags", EP_REPORT_TAGS, .description = "Outputs all tags in the profile",
	 OWN("tags [tag_regex]* [-ignore_regex]* [>file]\n"
	     "List tags with key:value matching tag_regex and exclude ignore_regex.")},
	{"text", EP_REPORT_TEXT, .description = "Outputs top entries in text form",
	 REPORT(true, true)},
	{"top", EP_REPORT_TEXT, .description = "Outputs top entries in text form",
	 REPORT(true, true)},
	{"topproto", EP_REPORT_TOPPROTO, FILE_("pb.gz"),
	 .description = "Outputs top entries in compressed protobuf format"},
	{"traces", EP_REPORT_TRACES,
	 .description = "Outputs all profile samples in text form"},
	{"tree", EP_REPORT_TREE,
	 .description = "Outputs a text rendering of call graph", REPORT(true, true)},
	{"web", EP_REPORT_DOT, .dot = "svg", .has_pan = true,
	 VIEW("svg", EP_VIEWER_BROWSER),
	 .description = "Visualize graph through web browser", REPORT(false, false)},
	{"weblist", EP_REPORT_WEBLIST, VIEW("html", EP_VIEWER_BROWSER),
	 .description = "Display annotated source in a web browser", LIST(false)},
	{0},
};

const struct ep_format *ep_formats_all(void)
{
	return formats;
}

const struct ep_format *ep_formats_find(struct ep_slice name)
{
	for (const struct ep_format *f = formats; f->name; f++)
		if (ep_slice_is(name, f->name))
			return f;
	return NULL;
}

static void report_usage(const struct ep_format *f, struct ep_buf *out)
{
	ep_buf_printf(out, "    %s [n] [focus_regex]* [-ignore_regex]*%s%s\n", f->name,
		      f->has_cum ? " [-cum]" : "", f->has_redirect ? " >f" : "");
	ep_buf_add_str(out, "    Include up to n samples\n"
			    "    Include samples matching focus_regex, and exclude "
			    "ignore_regex.\n");
	if (f->has_cum)
		ep_buf_add_str(out, "    -cum sorts the output by cumulative weight\n");
	if (f->has_redirect)
		ep_buf_add_str(out, "    Optionally save the report on the file f\n");
}

static void list_usage(const struct ep_format *f, struct ep_buf *out)
{
	/* No blank behind the name: so it is in the reference. */
	ep_buf_printf(out,
		      "    %s<func_regex|address> [-focus_regex]* [-ignore_regex]*%s\n",
		      f->name, f->has_redirect ? " >f" : "");
	ep_buf_add_str(
		out,
		"    Include functions matching func_regex, or including the address "
		"specified.\n"
		"    Include samples matching focus_regex, and exclude "
		"ignore_regex.\n");
	if (f->has_redirect)
		ep_buf_add_str(out, "    Optionally save the report on the file f\n");
}

static void own_usage(const struct ep_format *f, struct ep_buf *out)
{
	for (const char *s = f->own_usage; *s;) {
		size_t n = strcspn(s, "\n");
		ep_buf_printf(out, "    %.*s\n", (int)n, s);
		s += n + (s[n] == '\n');
	}
}

void ep_formats_help(const struct ep_format *f, struct ep_buf *out)
{
	ep_buf_printf(out, "%s\n", f->description);
	if (f->usage != EP_USAGE_NONE)
		ep_buf_add_str(out, "  Usage:\n");
	if (f->usage == EP_USAGE_REPORT)
		report_usage(f, out);
	else if (f->usage == EP_USAGE_LIST)
		list_usage(f, out);
	else if (f->usage == EP_USAGE_OWN)
		own_usage(f, out);
	ep_buf_add_char(out, '\n');
}
