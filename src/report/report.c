/* report.c - the one door: a table of the kinds.  See report.h. */
#include "report/report.h"

#include "report/prepare.h"
#include "report/reports.h"

/* `write` is NULL where a kind is not there yet. */
struct kind {
	const char *name;
	int (*write)(struct ep_report *r, struct ep_objects *objects, struct ep_buf *out,
		     struct ep_err *err);
};

static const struct kind kinds[] = {
	[EP_REPORT_TEXT] = {"text", ep_toptext_write},
	[EP_REPORT_TREE] = {"tree", ep_treetext_write},
	[EP_REPORT_PEEK] = {"peek", ep_treetext_write},
	[EP_REPORT_TRACES] = {"traces", ep_traces_write},
	[EP_REPORT_TAGS] = {"tags", ep_tags_write},
	[EP_REPORT_COMMENTS] = {"comments", ep_comments_write},
	[EP_REPORT_RAW] = {"raw", ep_raw_write},
	[EP_REPORT_DOT] = {"dot", ep_dot_write},
	[EP_REPORT_CALLGRIND] = {"callgrind", ep_callgrind_write},
	[EP_REPORT_PROTO] = {"proto", ep_proto_write},
	[EP_REPORT_TOPPROTO] = {"topproto", ep_topproto_write},
	[EP_REPORT_LIST] = {"list", ep_list_write},
	[EP_REPORT_WEBLIST] = {"weblist", ep_weblist_write},
	[EP_REPORT_DISASM] = {"disasm", ep_disasm_write},
};

int ep_report_write(const struct ep_profile *p, const struct ep_report_options *o,
		    struct ep_objects *objects, const struct ep_notes *notes,
		    struct ep_buf *out, struct ep_err *err)
{
	const struct kind *k = &kinds[o->kind];
	if (!k->write)
		return ep_fail(err, -ENOTSUP, 0, "the report %s is not there yet", k->name);
	ep_auto(ep_report) r = NULL;
	EP_TRY(ep_report_prepare(p, o, notes, &r, err));
	EP_TRY(k->write(r, objects, out, err));
	int rc = ep_buf_failed(out);
	return rc < 0 ? ep_fail(err, rc, 0, "the report %s is too large", k->name) : 0;
}

int ep_report_header(const struct ep_profile *p, const struct ep_report_options *o,
		     struct ep_buf *out, struct ep_err *err)
{
	ep_auto(ep_report) r = NULL;
	EP_TRY(ep_report_prepare_header(p, o, &r, err));
	ep_report_header_lines(r, out);
	return ep_buf_failed(out);
}
