/* comparetext.c - a comparison in words and columns.  See compare.h. */
#include "pprof/compare.h"
#include "profile/units.h"

#include <math.h>
#include <stdio.h>

enum { LABEL = EP_UNITS_LABEL_MAX, FEW = 5 };

static const char *value(const struct ep_compare *c, double v, char buf[LABEL])
{
	return ep_units_label(buf, llround(v), c->unit, ep_slice_of("auto"));
}

static const char *signed_value(const struct ep_compare *c, double v, char buf[LABEL])
{
	/* The label of a negative number begins with its sign already. */
	buf[0] = '+';
	(void)value(c, v, v < 0 ? buf : buf + 1);
	return v == 0 ? "0" : buf;
}

static void percent(double change, double of, struct ep_buf *out)
{
	if (of > 0 && change != 0)
		ep_buf_printf(out, " (%+.1f%%)", 100 * change / of);
}

static const char *plural(double n)
{
	return n == 1 ? "" : "s";
}

/* --- what was compared ---------------------------------------------------------------
 */

static void add_input(const struct ep_compare *c, int i, struct ep_buf *out)
{
	char buf[LABEL];
	static const char *const kinds[] = {
		[EP_EVENTS_COLUMN] = "sample",
		[EP_EVENTS_PERIOD] = "sample",
		[EP_EVENTS_HEAP] = "sampled allocation",
	};
	ep_buf_printf(out, "  %c  %s: ", "AB"[i], c -> o -> names[i]);
	if (c->duration_ns[i] > 0)
		ep_buf_printf(out, "%s long, ",
			      ep_units_label(buf, c->duration_ns[i], ep_slice_of("ns"),
					     ep_slice_of("auto")));
	ep_buf_printf(out, "%s", value(c, c->weights.total[i].value, buf));
	if (c->by[i])
		ep_buf_printf(out, " in %s%.0f %s%s",
			      c->by[i] == EP_EVENTS_HEAP ? "about " : "", c->n_events[i],
			      kinds[c->by[i]], plural(round(c->n_events[i])));
	ep_buf_add_char(out, '\n');
}

static void add_scale(const struct ep_compare *c, struct ep_buf *out)
{
	if (c->scale == EP_COMPARE_PLAIN)
		ep_buf_printf(out, "Values are compared as they are: %s.\n", c->why);
	else
		ep_buf_printf(
			out, "B's values are multiplied by %.4g, to A's %s: %s.\n",
			c->factor,
			c->scale == EP_COMPARE_DURATION ? "duration" : "total", c->why);
}

static void add_total(const struct ep_compare *c, struct ep_buf *out)
{
	const struct ep_change *t = &c->total;
	char a[LABEL], b[LABEL], d[LABEL + 1], e[LABEL];
	if (c->scale == EP_COMPARE_TOTAL) {
		ep_buf_printf(out, "%.*s: only shares of the total are compared.\n",
			      EP_SLICE_ARG(c->type));
		return;
	}
	ep_buf_printf(out, "%.*s: %s -> %s, %s", EP_SLICE_ARG(c->type),
		      value(c, t->a, a), value(c, t->b, b),
		      signed_value(c, t->change, d));
	percent(t->change, t->a, out);
	if (c->has_errors)
		ep_buf_printf(out, "; %s the sampling error of %s",
			      t->is_sure ? "more than" : "no more than",
			      value(c, t->error, e));
	ep_buf_add_str(out, ".\n");
}

/* --- lists ------------------------------------------------------------------------ */

typedef bool pick_fn(const struct ep_compare *c, const struct ep_change *d);

static bool is_told(const struct ep_compare *c, const struct ep_change *d)
{
	return d->change != 0 && (d->is_sure || !c->has_errors);
}

static bool grew(const struct ep_compare *c, const struct ep_change *d)
{
	return is_told(c, d) && d->change > 0 && !d->is_new;
}

static bool shrank(const struct ep_compare *c, const struct ep_change *d)
{
	return is_told(c, d) && d->change < 0 && !d->is_gone;
}

static bool is_new(const struct ep_compare *c, const struct ep_change *d)
{
	return is_told(c, d) && d->is_new;
}

static bool is_gone(const struct ep_compare *c, const struct ep_change *d)
{
	return is_told(c, d) && d->is_gone;
}

static bool is_doubtful(const struct ep_compare *c, const struct ep_change *d)
{
	return c->has_errors && d->change != 0 && !d->is_sure;
}

static size_t count(const struct ep_compare *c, const struct ep_change *list,
		    pick_fn *pick)
{
	size_t n = 0;
	for (size_t i = 0; i < c->n; i++)
		n += pick(c, &list[i]);
	return n;
}

static void add_row(const struct ep_compare *c, const struct ep_change *d,
		    struct ep_buf *out)
{
	char a[LABEL], b[LABEL], change[LABEL + 1], error[LABEL] = "?", part[32] = "";
	if (d->error >= 0)
		(void)value(c, d->error, error);
	if (d->a > 0)
		snprintf(part, sizeof(part), "%+.1f%%", 100 * d->change / d->a);
	ep_buf_printf(out, "%10s %10s %10s %10s %9s  %.*s\n", value(c, d->a, a),
		      value(c, d->b, b), signed_value(c, d->change, change), error,
		      d->is_new ? "new" : part, EP_SLICE_ARG(d->name));
}

static void add_list(const struct ep_compare *c, const char *title,
		     const struct ep_change *list, pick_fn *pick, struct ep_buf *out)
{
	size_t n = count(c, list, pick), shown = 0;
	size_t limit = pick == is_doubtful && c->o->limit > FEW ? FEW : c->o->limit;
	if (!n)
		return;
	ep_buf_printf(out, "\n%s:\n%10s %10s %10s %10s\n", title, "A", "B", "change",
		      "+-");
	for (size_t i = 0; i < c->n && shown < limit; i++)
		if (pick(c, &list[i])) {
			add_row(c, &list[i], out);
			shown++;
		}
	if (shown < n)
		ep_buf_printf(out, "%43s and %zu more\n", "", n - shown);
}

static void add_lists(const struct ep_compare *c, struct ep_buf *out)
{
	if (*c->o->group_by) {
		add_list(c, "Grew", c->cum, grew, out);
		add_list(c, "Shrank", c->cum, shrank, out);
	} else {
		add_list(c, "Grew in themselves", c->self, grew, out);
		add_list(c, "Shrank in themselves", c->self, shrank, out);
		add_list(c, "Grew with what they call", c->cum, grew, out);
		add_list(c, "Shrank with what they call", c->cum, shrank, out);
	}
	add_list(c, "New in B", c->cum, is_new, out);
	add_list(c, "Gone in B", c->cum, is_gone, out);
	add_list(c, "May be chance, the largest", *c->o->group_by ? c->cum : c->self,
		 is_doubtful, out);
}

/* --- what of it to believe -----------------------------------------------------------
 */

static bool is_doubtful_new(const struct ep_compare *c, const struct ep_change *d)
{
	return is_doubtful(c, d) && d->is_new;
}

static bool is_doubtful_gone(const struct ep_compare *c, const struct ep_change *d)
{
	return is_doubtful(c, d) && d->is_gone;
}

static const char *noun(const struct ep_compare *c, size_t n)
{
	if (*c->o->group_by)
		return n == 1 ? "value" : "values";
	return n == 1 ? "function" : "functions";
}

static void add_verdict(const struct ep_compare *c, struct ep_buf *out)
{
	size_t sure = count(c, c->cum, is_told), doubt = count(c, c->cum, is_doubtful);
	size_t fresh = count(c, c->cum, is_doubtful_new),
	       gone = count(c, c->cum, is_doubtful_gone);
	if (!c->has_errors) {
		ep_buf_add_str(out, "No sampling error can be given: nothing in these "
				    "profiles says "
				    "how many samples\nthe values are made of.\n");
		return;
	}
	if (sure)
		ep_buf_printf(out, "%zu %s changed by more than sampling explains.",
			      sure, noun(c, sure));
	else
		ep_buf_printf(out, "No %s changed by more than sampling explains.",
			      noun(c, 1));
	if (doubt)
		ep_buf_printf(out, " Of %zu more the change can't be told\nfrom chance",
			      doubt);
	if (fresh || gone)
		ep_buf_printf(
			out, " (%zu of them only in B, %zu only in A: too few samples)",
			fresh, gone);
	ep_buf_add_str(out, doubt ? ".\n" : "\n");
}

static void add_caution(const struct ep_compare *c, struct ep_buf *out)
{
	if (c->has_errors)
		ep_buf_add_str(out, "\nThe error (+-) is that of sampling, at 95 %, "
				    "and it is all that two "
				    "profiles can\ntell: how much one run differs from "
				    "the next they don't "
				    "show. Compare several.\n");
}

void ep_compare_text(const struct ep_compare *c, struct ep_buf *out)
{
	add_total(c, out);
	add_verdict(c, out);
	ep_buf_add_char(out, '\n');
	add_input(c, 0, out);
	add_input(c, 1, out);
	add_scale(c, out);
	add_lists(c, out);
	add_caution(c, out);
}
