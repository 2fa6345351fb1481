/* comments.c - the report `comments`: all of them, a line each. */
#include "report/reports.h"

int ep_comments_write(struct ep_report *r, struct ep_objects *objects, struct ep_buf *out,
		      struct ep_err *err)
{
	(void)objects, (void)err;
	for (uint32_t i = 0; i < r->p->n_comments; i++) {
		struct ep_slice c = r->p->strings[r->p->comments[i]];
		ep_buf_add(out, c.p, c.n);
		ep_buf_add_char(out, '\n');
	}
	return 0;
}
