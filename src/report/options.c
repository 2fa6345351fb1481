/* options.c - see options.h. */
#include "report/options.h"

void ep_report_options_init(struct ep_report_options *o)
{
	*o = (struct ep_report_options){
		.kind = EP_REPORT_TEXT,
		.argument = "",
		.sample_index = "",
		.divide_by = 1,
		.unit = "minimum",
		.granularity = EP_BY_FUNCTION,
		.nodecount = -1,
		.nodefraction = 0.005,
		.edgefraction = 0.001,
		.trim = true,
		.focus = "",
		.ignore = "",
		.hide = "",
		.show = "",
		.show_from = "",
		.prune_from = "",
		.tagfocus = "",
		.tagignore = "",
		.tagshow = "",
		.taghide = "",
		.tagroot = "",
		.tagleaf = "",
		.source_path = "",
		.trim_path = "",
		.group_by = "",
	};
}
