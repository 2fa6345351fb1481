/* profile.c - see profile.h. */
#include "profile.h"

#include "legacy/legacy.h"
#include "profile/encode.h"
#include "report/report.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum {
	MOST_UNPACKED = 1 << 20,
	MOST_ABOVE = 64 << 20, /* of memory, over what was unpacked */
	MOST_SECONDS = 5,      /* of CPU time, under sanitizers */
	MOST_OUTPUT = 8 << 20,
	REPORT_ONE_IN = 3, /* by length: reports cost several times the reading */
};

static void must(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "fuzz: %s\n", what);
	__builtin_trap();
}

/* --- memory, as the sanitizers' allocator sees it ------------------------------- */

int __sanitizer_install_malloc_and_free_hooks(void (*)(const volatile void *, size_t),
					      void (*)(const volatile void *))
	__attribute__((weak));
size_t __sanitizer_get_allocated_size(const volatile void *) __attribute__((weak));

static size_t used, most_used;

static void count_malloc(const volatile void *p, size_t n)
{
	if (p && (used += n) > most_used)
		most_used = used;
}

static void count_free(const volatile void *p)
{
	size_t n = p ? __sanitizer_get_allocated_size(p) : 0;
	used -= n < used ? n : used;
}

static void start_counting(void)
{
	static bool started;
	if (!started && __sanitizer_install_malloc_and_free_hooks)
		(void)__sanitizer_install_malloc_and_free_hooks(count_malloc,
								count_free);
	started = true;
	most_used = used;
}

static double cpu_seconds(void)
{
	struct timespec t;
	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t); /* can't fail */
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* --- what was read -------------------------------------------------------------- */

static void check(const struct ep_profile *p)
{
	for (uint32_t i = 0; i < p->n_samples; i++) {
		const struct ep_sample *s = &p->samples[i];
		must((uint64_t)s->first_location + s->n_locations <=
				     p->n_sample_locations &&
			     (uint64_t)s->first_label + s->n_labels <= p->n_labels,
		     "a sample goes past its tables");
		for (uint32_t k = 0; k < s->n_locations; k++)
			must(ep_profile_stack(p, s)[k] < p->n_locations,
			     "no such location");
	}
	for (uint32_t i = 0; i < p->n_locations; i++) {
		const struct ep_location *l = &p->locations[i];
		must(l->mapping == EP_NONE || l->mapping < p->n_mappings,
		     "no such mapping");
		must((uint64_t)l->first_line + l->n_lines <= p->n_lines,
		     "no such lines");
	}
	for (uint32_t i = 0; i < p->n_lines; i++)
		must(p->lines[i].function < p->n_functions, "no such function");
}

static void report(const struct ep_profile *p, enum ep_report_kind kind)
{
	struct ep_report_options o;
	struct ep_err err = {0};
	ep_auto_buf out;
	ep_buf_init(&out, MOST_OUTPUT);
	ep_report_options_init(&o);
	o.kind = kind;
	o.nodecount = 20;
	int rc = ep_report_write(p, &o, NULL, NULL, &out, &err);
	must(rc == 0 || err.text[0], "a report failed without a word");
}

static void report_all(const struct ep_profile *p)
{
	report(p, EP_REPORT_RAW);
	report(p, EP_REPORT_TEXT);
	report(p, EP_REPORT_DOT);
}

void fuzz_profile(const uint8_t *data, size_t n)
{
	struct ep_profile *p = NULL;
	struct ep_err err = {0};
	start_counting();
	size_t used_before = used;
	double before = cpu_seconds();
	int rc = ep_legacy_decode(data, n, MOST_UNPACKED, &p, &err);
	if (rc < 0) {
		must(!p && err.code == rc && err.text[0] && !strchr(err.text, '\n'),
		     "an error without a sentence");
	} else {
		check(p);
		if (n % REPORT_ONE_IN == 0)
			report_all(p);
		ep_profile_free(p);
	}
	must(most_used - used_before <= (size_t)MOST_ABOVE + MOST_UNPACKED,
	     "over 64 MB above the input");
	must(cpu_seconds() - before <= MOST_SECONDS, "too slow");
}
