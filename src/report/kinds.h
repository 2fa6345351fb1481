/*
 * kinds.h - the writers of reports, a function and a file for each.
 *
 * in       r    prepared; its unit is settled by those that show a graph
 * out      out  appended to; undefined on failure
 * errors   -ENOENT an argument that matches nothing; -EINVAL, -ENOMEM, -E2BIG
 * threads  any thread; one at a time per report
 */
#ifndef EP_REPORT_KINDS_H
#define EP_REPORT_KINDS_H

#include "report/prepare.h"

int ep_text_write(struct ep_report *r, struct ep_buf *out, struct ep_err *err);
/* peek is a tree with an argument. */
int ep_tree_write(struct ep_report *r, struct ep_buf *out, struct ep_err *err);
int ep_dot_write(struct ep_report *r, struct ep_buf *out, struct ep_err *err);
int ep_callgrind_write(struct ep_report *r, struct ep_buf *out, struct ep_err *err);
int ep_topproto_write(struct ep_report *r, struct ep_buf *out, struct ep_err *err);

#endif
