/*
 * finding.h - one row of what was measured against what is known.
 */
#ifndef EP_PROOF_FINDING_H
#define EP_PROOF_FINDING_H

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>

enum ep_finding_unit {
	EP_UNIT_SHARE, /* 0..1; shown in percent, the error in points */
	EP_UNIT_NS,
	EP_UNIT_BYTES,
	EP_UNIT_COUNT,
};

enum ep_verdict { EP_VERDICT_OK, EP_VERDICT_OFF, EP_VERDICT_UNKNOWN };

struct ep_finding {
	const char *group; /* heading of the table */
	char what[64];
	enum ep_finding_unit unit;
	bool has_truth;	  /* else the figure stands alone, below its bound */
	double truth, measured;
	double bound;	  /* how far off it may be; of the measured where nothing is known */
	double margin;	  /* of the measured, where it has one (95 %); 0: none */
	enum ep_verdict verdict;
	char note[256];	  /* what the bound was reckoned from; why it is unknown */
};

#define EP_FINDINGS_MAX 48

struct ep_findings {
	struct ep_finding rows[EP_FINDINGS_MAX];
	size_t n;
};

/* A row against the truth: OK when it is off by no more than the bound.  NULL: full. */
struct ep_finding *ep_finding_add(struct ep_findings *f, const char *group, const char *what,
				  enum ep_finding_unit unit, double truth, double measured,
				  double bound);
/* A cost: OK when the measured, less its margin, is within the bound. */
struct ep_finding *ep_finding_add_cost(struct ep_findings *f, const char *group,
				       const char *what, enum ep_finding_unit unit,
				       double measured, double margin, double bound);
/* What could not be measured here, and why. */
void ep_finding_add_unknown(struct ep_findings *f, const char *group, const char *what,
			    const char *why);
void ep_finding_note(struct ep_finding *row, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

size_t ep_finding_count(const struct ep_findings *f, enum ep_verdict v);

/* A table for people; colour: with the codes of a terminal. */
void ep_finding_format(const struct ep_findings *f, bool colour, struct ep_buf *out);
/* "rows":[…] of an object, for ep_jsonw. */
struct ep_jsonw;
void ep_finding_json(const struct ep_findings *f, struct ep_jsonw *w);

#endif
