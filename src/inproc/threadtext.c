/* threadtext.c - see threadtext.h. */
#include "inproc/threadtext.h"

#include "base/clock.h"
#include "inproc/debugtext.h"
#include "inproc/namer.h"

int ep_threadtext_groups(const struct ep_batch *b, struct ep_buf *out)
{
	struct ep_batch groups = *b;
	ep_auto(ep_tally) t = ep_tally_new();
	if (!t)
		return -ENOMEM;
	ep_tally_merge_threads(t, b->tally);
	groups.tally = t;
	return ep_debugtext_counts(&groups, out);
}

static void begin_thread(const struct ep_batch *b, const struct ep_tally_row *r,
			 struct ep_buf *out)
{
	const struct ep_write_name *name = ep_write_find_name(b->names, b->n_names, r->tid);
	const struct ep_tally_more none = {.state = "unknown", .stack = "none"};
	const struct ep_tally_more *m = r->more ? r->more : &none;
	ep_buf_printf(out, "thread %u \"", r->tid);
	for (const char *p = name ? name->name : ""; *p; p++) /* names are anything */
		ep_buf_add_char(out, *p < ' ' || *p == 0x7f || *p == '"' ? '?' : *p);
	ep_buf_printf(out, "\" [%s", m->state);
	if (m->wait)
		ep_buf_printf(out, " in %s", m->wait);
	ep_buf_printf(out, ", CPU %.2fs, stack %s]:\n",
		      (double)r->values[1] / (double)EP_NS_PER_S, m->stack);
	ep_debugtext_labels(r->labels, out);
}

int ep_threadtext_each(const struct ep_batch *b, struct ep_buf *out)
{
	const struct ep_tally *t = b->tally;
	ep_auto(ep_namer) names = ep_namer_new(b->mappings, b->n_mappings);
	if (!names)
		return -ENOMEM;
	for (uint32_t i = 0; i < t->n_rows; i++) {
		const struct ep_tally_stack *s = &t->stacks[t->rows[i].stack];
		begin_thread(b, &t->rows[i], out);
		for (uint32_t k = 0; k < s->n; k++)
			ep_debugtext_frame(b, names, &t->frames[t->stack_frames[s->first + k]],
					   out);
		ep_buf_add_char(out, '\n');
	}
	return ep_buf_failed(out);
}
