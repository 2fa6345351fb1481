/*
 * prepare.h - a profile made ready for one report: filtered, aggregated, measured.
 *
 * The order is the reference's: tag roots and leaves, filters (after the total, unless
 * percentages are relative), total, aggregation.  Whatever writes a report starts from
 * this struct and never looks at the options' filters again.
 */
#ifndef EP_REPORT_PREPARE_H
#define EP_REPORT_PREPARE_H

#include "base/buf.h"
#include "base/err.h"
#include "base/notes.h"
#include "codec/regex.h"
#include "profile/keys.h"
#include "profile/profile.h"
#include "profile/units.h"
#include "report/options.h"

struct ep_report {
	struct ep_report_options o; /* with the kind's own defaults and overrides */
	struct ep_profile *p;	    /* the report's own view; what it shows, and no more */
	const struct ep_profile *original; /* as given; for what filters must not change */
	struct ep_regex *argument;  /* NULL without one */
	struct ep_keys keys;	    /* of the labels, with the units of numeric ones */
	const struct ep_notes *notes;

	uint32_t column;	     /* of values */
	bool mean;		     /* values are divided by column 0 */
	double ratio;		     /* 1 / divide_by */
	struct ep_slice sample_type; /* "cpu", or "mean_delay" */
	struct ep_slice sample_unit;
	struct ep_slice unit; /* to print in; the graph's reports replace "minimum" */
	int64_t total;	      /* what 100 % is */
};

/*
 * ep_report_prepare - apply the options to a view of p.
 *
 * errors   -EINVAL a bad regular expression, range, column or divisor, worded as the
 *          reference words it; -ENOMEM, -E2BIG
 * owns     the caller frees with ep_report_free(); p, o's strings, notes are borrowed
 * threads  any thread
 */
int ep_report_prepare(const struct ep_profile *p, const struct ep_report_options *o,
		      const struct ep_notes *notes, struct ep_report **ret_r,
		      struct ep_err *err);

/* The same without filters, tag frames and aggregation: what the lines over a report
 * and the total of all need. */
int ep_report_prepare_header(const struct ep_profile *p, const struct ep_report_options *o,
			     struct ep_report **ret_r, struct ep_err *err);
void ep_report_free(struct ep_report *r);
EP_DEFINE_AUTO(ep_report);

/* The value of a sample in the report's column; its divisor (0: no mean is asked). */
static inline int64_t ep_report_value(const struct ep_report *r, uint32_t sample)
{
	return ep_profile_values(r->p, sample)[r->column];
}

static inline int64_t ep_report_divisor(const struct ep_report *r, uint32_t sample)
{
	return r->mean ? ep_profile_values(r->p, sample)[0] : 0;
}

/* A value as text in the report's unit, times its ratio. */
char *ep_report_label(const struct ep_report *r, char buf[EP_UNITS_LABEL_MAX], int64_t value);

/* The same as a column of listings, right-aligned in 10 and a blank; with `dot` 0 is ".". */
void ep_report_add_value(const struct ep_report *r, struct ep_buf *out, int64_t value, bool dot);

/* Append the lines over a report, each with a newline: File:, Build ID:, comments, Type:,
 * Doc:, Time:, Duration:. */
void ep_report_header_lines(const struct ep_report *r, struct ep_buf *out);
/* "Active filters:" and what they are; nothing without any. */
void ep_report_filter_lines(const struct ep_report *r, struct ep_buf *out);

/*
 * ep_report_column - the column of a sample_index: a number, or the name of a type.
 *
 * in       sample_index  "": the profile's default; inuse_X finds X too
 * errors   -EINVAL  there is none, in the reference's words
 */
int ep_report_column(const struct ep_profile *p, const char *sample_index,
		     uint32_t *ret_column, struct ep_err *err);

#endif
