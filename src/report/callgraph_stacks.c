/*
 * callgraph_stacks.c - samples of one stack become one.
 *
 * The decoder gives samples of equal stacks the same run of the table, so that most
 * large profiles have far fewer stacks than samples; they differ in labels.
 */
#include "report/callgraph_inside.h"

#include "report/wrap.h"


/* Looking up by place pays when runs are shared, and costs 4 bytes a place. */
static bool is_shared(const struct ep_profile *p)
{
	return p->n_sample_locations / 4 <= p->n_samples;
}

static uint32_t stack_for(struct ep_callgraph_maker *m, uint32_t *at,
			  const struct ep_sample *s)
{
	uint32_t k = at ? at[s->first_location] : EP_NONE;
	if (k != EP_NONE && m->stacks[k].n == s->n_locations)
		return k;
	k = m->n_stacks++;
	m->stacks[k] = (struct ep_callgraph_stack){s->first_location, s->n_locations, 0, 0};
	if (at)
		at[s->first_location] = k;
	return k;
}

int ep_callgraph_stacks_make(struct ep_callgraph_maker *m)
{
	const struct ep_report *r = m->r;
	const struct ep_profile *p = r->p;
	uint32_t *at ep_auto_mem = NULL;
	if (is_shared(p)) {
		size_t bytes = ((size_t)p->n_sample_locations + 1) * sizeof(*at);
		if (!(at = ep_alloc(bytes)))
			return -ENOMEM;
		memset(at, 0xff, bytes);
	}
	m->stacks = ep_alloc(((size_t)p->n_samples + 1) * sizeof(*m->stacks));
	m->stack_of = ep_alloc(((size_t)p->n_samples + 1) * sizeof(*m->stack_of));
	if (!m->stacks || !m->stack_of)
		return -ENOMEM;
	for (uint32_t i = 0; i < p->n_samples; i++) {
		int64_t value = ep_report_value(r, i), divisor = ep_report_divisor(r, i);
		m->stack_of[i] = EP_NONE;
		if (!value && !divisor)
			continue;
		uint32_t k = stack_for(m, at, &p->samples[i]);
		m->stack_of[i] = k;
		m->stacks[k].value = ep_wrap_add(m->stacks[k].value, value);
		m->stacks[k].divisor = ep_wrap_add(m->stacks[k].divisor, divisor);
	}
	return 0;
}
