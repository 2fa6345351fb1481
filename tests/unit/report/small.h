/* small.h - little profiles for the reports' tests, and a report as a string. */
#ifndef EP_TEST_REPORT_SMALL_H
#define EP_TEST_REPORT_SMALL_H

#include "profile/build.h"
#include "report/options.h"

struct small {
	struct ep_build *b;
	struct ep_profile *p; /* after small_finish() */
};

/* "cpu" in nanoseconds is the only column, unless another is given. */
void small_start(struct small *s, const char *type, const char *unit);
/*
 * A sample: frames from root to leaf, separated by spaces, each NAME, FILE:NAME or
 * either with @LINE.  "caller>callee" is one location whose callee is inlined.
 */
void small_add(struct small *s, const char *stack, int64_t value);
/* The same with a label "KEY=TEXT" or, when it ends so, "KEY=NUMBER#UNIT". */
void small_add_with(struct small *s, const char *stack, const char *label, int64_t value);
struct ep_profile *small_finish(struct small *s);
void small_fini(struct small *s);

/* The report; freed by the caller with free().  A failure is its text. */
char *small_report(const struct ep_profile *p, const struct ep_report_options *o);
/* With the defaults but for the kind and what is named: "nodecount=2 trim=0 cum". */
char *small_report_of(const struct ep_profile *p, enum ep_report_kind kind,
		      const char *options);

#define assert_report(p, kind, options, expected)                                      \
	do {                                                                           \
		char *text_ = small_report_of((p), (kind), (options));                 \
		assert_string_equal(text_, (expected));                                \
		free(text_);                                                           \
	} while (0)

#endif
