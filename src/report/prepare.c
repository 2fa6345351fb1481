/* prepare.c - see prepare.h.  Source: google/pprof internal/driver (driver.go,
 * applyCommandOverrides, reportOptions) and report.go (computeTotal). */
#include "report/prepare.h"

#include "profile/aggregate.h"
#include "profile/scale.h"
#include "profile/tagroot.h"
#include "profile/view.h"
#include "report/filters.h"
#include "report/text.h"

#include <stdio.h>
#include <stdlib.h>

/* --- options a kind settles ------------------------------------------------------- */

static bool takes_argument(enum ep_report_kind kind)
{
	return kind == EP_REPORT_PEEK || kind == EP_REPORT_LIST ||
	       kind == EP_REPORT_WEBLIST || kind == EP_REPORT_DISASM;
}

/* Reports on single functions show all of them, however small they are. */
static bool is_trimmed(const struct ep_report_options *o)
{
	switch (o->kind) {
	case EP_REPORT_PEEK:
	case EP_REPORT_LIST:
	case EP_REPORT_WEBLIST:
	case EP_REPORT_DISASM:
	case EP_REPORT_PROTO:
	case EP_REPORT_RAW:
	case EP_REPORT_CALLGRIND:
		return false;
	default:
		return o->trim;
	}
}

static void settle_granularity(struct ep_report_options *o)
{
	switch (o->kind) {
	case EP_REPORT_DISASM:
		/* One source line an address: a value counts once there. */
		o->granularity = EP_BY_ADDRESS;
		o->noinlines = true;
		break;
	case EP_REPORT_WEBLIST:
		o->granularity = EP_BY_ADDRESS;
		o->noinlines = false;
		break;
	case EP_REPORT_LIST:
		o->granularity = EP_BY_LINE;
		break;
	case EP_REPORT_PROTO:
	case EP_REPORT_RAW:
	case EP_REPORT_CALLGRIND:
		o->granularity = EP_BY_ADDRESS;
		break;
	default:
		break;
	}
}

static void settle_options(struct ep_report_options *o)
{
	settle_granularity(o);
	if (o->nodecount == -1) {
		bool all = o->kind == EP_REPORT_TEXT || o->kind == EP_REPORT_TOPPROTO;
		o->nodecount = all ? 0 : 80;
	}
	if (!is_trimmed(o)) {
		o->nodecount = 0;
		o->nodefraction = o->edgefraction = 0;
	}
}

/* --- the column ------------------------------------------------------------------- */

/* A decimal number with an optional sign, as a whole. */
static bool read_number(const char *text, long *ret)
{
	const char *digits = text + (*text == '+' || *text == '-');
	if (!*digits || strspn(digits, "0123456789") != strlen(digits))
		return false;
	errno = 0;
	*ret = strtol(text, NULL, 10);
	return errno == 0;
}

static uint32_t column_by_name(const struct ep_profile *p, const char *name)
{
	const char *bare = strncmp(name, "inuse_", 6) ? name : name + 6;
	for (uint32_t i = 0; i < p->n_sample_types; i++) {
		struct ep_slice type = p->strings[p->sample_types[i].type];
		if (ep_slice_is(type, name) || ep_slice_is(type, bare))
			return i;
	}
	return EP_NONE;
}

/* In double quotes, as Go writes it; bytes that are no UTF-8 stay as they are. */
static void add_quoted(struct ep_buf *out, const char *text)
{
	static const char named[] = "\a\b\f\n\r\t\v\\\"", letters[] = "abfnrtv\\\"";
	ep_buf_add_char(out, '"');
	for (; *text; text++) {
		const char *n = strchr(named, *text);
		if (n)
			ep_buf_printf(out, "\\%c", letters[n - named]);
		else if ((unsigned char)*text < ' ' || *text == 0x7f)
			ep_buf_printf(out, "\\x%02x", *text);
		else
			ep_buf_add_char(out, *text);
	}
	ep_buf_add_char(out, '"');
}

static int no_such_column(const struct ep_profile *p, const char *name, struct ep_err *err)
{
	ep_auto_buf types, quoted;
	ep_buf_init(&types, 4096);
	ep_buf_init(&quoted, 4096);
	add_quoted(&quoted, name);
	for (uint32_t i = 0; i < p->n_sample_types; i++)
		ep_buf_printf(&types, "%s%.*s", i ? " " : "",
			      EP_SLICE_ARG(p->strings[p->sample_types[i].type]));
	return ep_fail(err, -EINVAL, 0, "sample_index %s must be one of: [%s]",
		       ep_buf_cstr(&quoted), ep_buf_cstr(&types));
}

int ep_report_column(const struct ep_profile *p, const char *sample_index,
		     uint32_t *ret_column, struct ep_err *err)
{
	long n;
	if (!p->n_sample_types)
		return ep_fail(err, -EINVAL, 0, "profile has no samples");
	if (!*sample_index) {
		*ret_column = ep_profile_default_column(p);
		return 0;
	}
	if (read_number(sample_index, &n)) {
		if (n < 0 || n >= p->n_sample_types)
			return ep_fail(err, -EINVAL, 0,
				       "sample_index %s is outside the range [0..%u]",
				       sample_index, p->n_sample_types - 1);
		*ret_column = (uint32_t)n;
		return 0;
	}
	uint32_t column = column_by_name(p, sample_index);
	if (column == EP_NONE)
		return no_such_column(p, sample_index, err);
	*ret_column = column;
	return 0;
}

static int choose_column(struct ep_report *r, struct ep_err *err)
{
	EP_TRY(ep_report_column(r->p, r->o.sample_index, &r->column, err));
	struct ep_value_type t = r->p->sample_types[r->column];
	r->sample_type = r->p->strings[t.type];
	r->sample_unit = r->p->strings[t.unit];
	r->unit = ep_slice_of(r->o.unit);
	r->mean = r->o.mean;
	if (r->mean) {
		const struct ep_slice type = r->sample_type;
		char *name = ep_arena_alloc(r->p->arena, type.n + sizeof("mean_"));
		if (!name)
			return ep_fail(err, -ENOMEM, 0, "no memory for a report");
		int n = sprintf(name, "mean_%.*s", EP_SLICE_ARG(type));
		r->sample_type = (struct ep_slice){name, (size_t)n};
	}
	if (r->o.divide_by == 0)
		return ep_fail(err, -EINVAL, 0, "zero divisor specified");
	r->ratio = 1 / r->o.divide_by;
	return 0;
}

static int compile_argument(struct ep_report *r, struct ep_err *err)
{
	if (!takes_argument(r->o.kind))
		return 0;
	struct ep_err why = {0};
	int rc = ep_regex_new(ep_slice_of(r->o.argument), EP_REGEX_SEARCH, &r->argument, &why);
	return rc < 0 ? ep_fail(err, rc, why.pos, "parsing argument regexp %s: %s",
				r->o.argument, why.text)
		      : 0;
}

/* --- the total -------------------------------------------------------------------- */

/* Sums wrap, as everywhere in the reference. */
struct sums {
	uint64_t total, divisor;
};

static void add_to(struct sums *s, int64_t value, int64_t divisor)
{
	s->total += value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
	s->divisor += (uint64_t)divisor;
}

static int64_t sum_of(const struct sums *s)
{
	int64_t total = (int64_t)s->total, divisor = (int64_t)s->divisor;
	if (divisor == -1)
		return (int64_t)(0 - s->total); /* the smallest number can't be divided */
	return divisor ? total / divisor : total;
}

/* Of the base of a comparison? */
static bool is_base(const struct ep_report *r, uint32_t base_key, const struct ep_sample *s)
{
	for (uint32_t i = 0; i < s->n_labels; i++) {
		const struct ep_label *l = &r->p->labels[s->first_label + i];
		if (l->str && ep_keys_number(&r->keys, l->key) == base_key &&
		    ep_slice_is(r->p->strings[l->str], "true"))
			return true;
	}
	return false;
}

/* In a comparison 100 % is the base, if that has anything. */
static void compute_total(struct ep_report *r)
{
	struct sums all = {0}, base = {0};
	uint32_t base_key = ep_keys_find(&r->keys, ep_slice_of(EP_SCALE_BASE_KEY));
	for (uint32_t i = 0; i < r->p->n_samples; i++) {
		int64_t value = ep_report_value(r, i), divisor = ep_report_divisor(r, i);
		add_to(&all, value, divisor);
		if (base_key != EP_NONE && is_base(r, base_key, &r->p->samples[i]))
			add_to(&base, value, divisor);
	}
	r->total = sum_of((int64_t)base.total > 0 ? &base : &all);
}

/* --- all -------------------------------------------------------------------------- */

static int aggregate(struct ep_report *r, struct ep_err *err)
{
	static const struct ep_aggregate kept[] = {
		[EP_BY_FUNCTION] = {.functions = true},
		[EP_BY_FILEFUNCTION] = {.functions = true, .files = true},
		[EP_BY_FILE] = {.files = true},
		[EP_BY_LINE] = {.functions = true, .files = true, .lines = true},
		[EP_BY_ADDRESS] = {.functions = true,
				   .files = true,
				   .lines = true,
				   .addresses = true},
	};
	if (r->o.granularity == EP_BY_ADDRESS && !r->o.noinlines)
		return 0;
	struct ep_aggregate keep = kept[r->o.granularity];
	keep.inlines = !r->o.noinlines;
	keep.columns = r->o.showcolumns;
	return ep_aggregate(r->p, keep, err);
}

static int add_tag_frames(struct ep_report *r, struct ep_err *err)
{
	bool root = false, leaf = false;
	const struct ep_tagroot t = {r->o.tagroot, r->o.tagleaf, r->o.unit};
	EP_TRY(ep_tagroot_add(r->p, &t, &root, &leaf, err));
	if (*r->o.tagroot && !root)
		ep_note(r->notes, "TagRoot expression matched no samples");
	if (*r->o.tagleaf && !leaf)
		ep_note(r->notes, "TagLeaf expression matched no samples");
	return 0;
}

static int prepare(struct ep_report *r, struct ep_err *err)
{
	EP_TRY(ep_keys_init(r->p, r->p->arena, r->notes, &r->keys, err));
	EP_TRY(add_tag_frames(r, err));
	if (r->o.relative_percentages)
		EP_TRY(ep_filters_apply(r, err));
	EP_TRY(choose_column(r, err));
	EP_TRY(compile_argument(r, err));
	compute_total(r);
	if (!r->o.relative_percentages)
		EP_TRY(ep_filters_apply(r, err));
	return aggregate(r, err);
}

static int new_report(const struct ep_profile *p, const struct ep_report_options *o,
		      const struct ep_notes *notes, struct ep_report **ret_r,
		      struct ep_err *err)
{
	ep_auto(ep_report) r = ep_zalloc(sizeof(*r));
	if (!r)
		return ep_fail(err, -ENOMEM, 0, "no memory for a report");
	r->o = *o;
	r->original = p;
	r->notes = notes;
	r->p = ep_view_new(p, 0);
	if (!r->p)
		return ep_fail(err, -ENOMEM, 0, "no memory for a report");
	*ret_r = ep_take(&r);
	return 0;
}

int ep_report_prepare(const struct ep_profile *p, const struct ep_report_options *o,
		      const struct ep_notes *notes, struct ep_report **ret_r,
		      struct ep_err *err)
{
	ep_auto(ep_report) r = NULL;
	EP_TRY(new_report(p, o, notes, &r, err));
	settle_options(&r->o);
	EP_TRY(prepare(r, err));
	*ret_r = ep_take(&r);
	return 0;
}

int ep_report_prepare_header(const struct ep_profile *p, const struct ep_report_options *o,
			     struct ep_report **ret_r, struct ep_err *err)
{
	ep_auto(ep_report) r = NULL;
	EP_TRY(new_report(p, o, NULL, &r, err));
	EP_TRY(ep_keys_init(r->p, r->p->arena, NULL, &r->keys, err));
	EP_TRY(choose_column(r, err));
	compute_total(r);
	*ret_r = ep_take(&r);
	return 0;
}

void ep_report_free(struct ep_report *r)
{
	if (!r)
		return;
	ep_regex_free(r->argument);
	ep_profile_free(r->p);
	ep_free(r);
}

char *ep_report_label(const struct ep_report *r, char buf[EP_UNITS_LABEL_MAX], int64_t value)
{
	return ep_units_label(buf, ep_units_divided(value, r->ratio), r->sample_unit, r->unit);
}

void ep_report_add_value(const struct ep_report *r, struct ep_buf *out, int64_t value, bool dot)
{
	char label[EP_UNITS_LABEL_MAX];
	ep_text_add_right_str(out, value == 0 && dot ? "." : ep_report_label(r, label, value), 10);
	ep_buf_add_char(out, ' ');
}
