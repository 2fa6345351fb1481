/* formats.c - see formats.h. */
#include "pprof/formats.h"

#define ARGUMENT .has_argument = true
#define FILE_(ext) .place = EP_FORMAT_FILE, .suffix = ext
#define VIEW(ext, by) .place = EP_FORMAT_VIEWER, .suffix = ext, .viewer = by

static const struct ep_format formats[] = {
	{"callgrind", EP_REPORT_CALLGRIND, FILE_("callgraph.out"),
	 .description = "A call graph for KCachegrind"},
	{"comments", EP_REPORT_COMMENTS, .description = "The profile's comments"},
	{"disasm", EP_REPORT_DISASM,
	 .description = "Machine code of matching functions, with values", ARGUMENT},
	{"dot", EP_REPORT_DOT, .description = "A call graph in Graphviz's language"},
	{"eog", EP_REPORT_DOT, .dot = "svg", VIEW("svg", EP_VIEWER_EOG),
	 .description = "The graph in eog"},
	{"evince", EP_REPORT_DOT, .dot = "pdf", VIEW("pdf", EP_VIEWER_EVINCE),
	 .description = "The graph in evince"},
	{"gif", EP_REPORT_DOT, .dot = "gif", FILE_("gif"),
	 .description = "The graph as a GIF"},
	{"gv", EP_REPORT_DOT, .dot = "ps", VIEW("ps", EP_VIEWER_GV),
	 .description = "The graph in gv"},
	{"kcachegrind", EP_REPORT_CALLGRIND, VIEW("grind", EP_VIEWER_KCACHEGRIND),
	 .description = "The call graph in KCachegrind"},
	{"list", EP_REPORT_LIST,
	 .description = "Source of matching functions, with values", ARGUMENT},
	{"pdf", EP_REPORT_DOT, .dot = "pdf", FILE_("pdf"),
	 .description = "The graph as a PDF"},
	{"peek", EP_REPORT_PEEK, .has_argument = true,
	 .description = "Callers and callees of matching functions"},
	{"png", EP_REPORT_DOT, .dot = "png", FILE_("png"),
	 .description = "The graph as a PNG"},
	{"proto", EP_REPORT_PROTO, FILE_("pb.gz"),
	 .description = "The profile, gzipped protobuf"},
	{"ps", EP_REPORT_DOT, .dot = "ps", FILE_("ps"),
	 .description = "The graph as PostScript"},
	{"raw", EP_REPORT_RAW, .description = "All of the profile as text"},
	{"svg", EP_REPORT_DOT, .dot = "svg", .has_pan = true, FILE_("svg"),
	 .description = "The graph as an SVG"},
	{"tags", EP_REPORT_TAGS, .description = "Labels and their values"},
	{"text", EP_REPORT_TEXT, .description = "Functions by value"},
	{"top", EP_REPORT_TEXT, .description = "Functions by value; the same as text"},
	{"topproto", EP_REPORT_TOPPROTO, FILE_("pb.gz"),
	 .description = "What top shows, as a profile"},
	{"traces", EP_REPORT_TRACES, .description = "Every sample with its stack"},
	{"tree", EP_REPORT_TREE,
	 .description = "Functions by value, each with callers and callees"},
	{"web", EP_REPORT_DOT, .dot = "svg", .has_pan = true,
	 VIEW("svg", EP_VIEWER_BROWSER), .description = "The graph in a browser"},
	{"weblist", EP_REPORT_WEBLIST, VIEW("html", EP_VIEWER_BROWSER),
	 .description = "Source and machine code of matching functions in a browser",
	 ARGUMENT},
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

void ep_formats_help(const struct ep_format *f, struct ep_buf *out)
{
	bool is_tags = f->kind == EP_REPORT_TAGS;
	const char *regex = f->kind == EP_REPORT_PEEK ? " REGEX" : " REGEX|ADDRESS";
	ep_buf_printf(out, "%s\n\n  %s%s [N] [%s...] [-%s...] [-cum] [>FILE]\n",
		      f->description, f->name, f->has_argument ? regex : "",
		      is_tags ? "LABEL" : "FOCUS", is_tags ? "LABEL" : "IGNORE");
	if (f->has_argument)
		ep_buf_add_str(out, "  REGEX    functions of such names\n");
	ep_buf_add_str(out, "  N        at most so many functions\n");
	if (is_tags)
		ep_buf_add_str(out, "  LABEL    regex: only, or with -, no samples "
				    "with such labels\n");
	else
		ep_buf_add_str(out, "  FOCUS    regex: only stacks through a match\n"
				    "  IGNORE   regex: no stacks through a match\n");
	ep_buf_add_str(out, "  -cum     sort by cumulative value\n"
			    "  >FILE    write there\n");
}
