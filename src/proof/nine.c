/* nine.c - see nine.h. */
#include "proof/nine.h"

#include "codec/json.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* docs/doctor.md says why so many. */
enum {
	FRESH_S = 90,	      /* the library pushes every 10 s, the agent likewise */
	ENOUGH_MS = 500,      /* CPU time that says something about labels */
	LABELLED_PERCENT = 50,
	MAX_VALUES = 256,
	LOST_PERCENT = 1,
	CUT_PERCENT = 5,
	UNNAMED_PERCENT = 5,
	PGO_SAMPLES = 10000,
};

void ep_nine_set(struct ep_nine_reply *a, enum ep_reply reply, const char *fmt, ...)
{
	va_list args;
	a->reply = reply;
	*a->todo = '\0';
	va_start(args, fmt);
	vsnprintf(a->evidence, sizeof(a->evidence), fmt, args);
	va_end(args);
}

void ep_nine_todo(struct ep_nine_reply *a, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	vsnprintf(a->todo, sizeof(a->todo), fmt, args);
	va_end(args);
}

static double percent(int64_t part, int64_t all)
{
	return all > 0 ? 100.0 * (double)part / (double)all : 0;
}

static void wired(const struct ep_nine_facts *f, struct ep_nine_reply *a)
{
	const struct ep_shelf *s = f->shelf;
	long long age_s = (f->now_ms - s->last_ms) / 1000, minutes = f->range_ms / 60000;
	if (!s->known) {
		ep_nine_set(a, EP_REPLY_NO, "no profile of it came within %lld min", minutes);
		ep_nine_todo(a, "start it with EVERPROF_SERVER set, or under `everprof run`");
		return;
	}
	ep_nine_set(a, age_s <= FRESH_S ? EP_REPLY_YES : EP_REPLY_NO,
		    "%lld profiles within %lld min, by %s; the last began %lld s ago",
		    (long long)s->n_profiles, minutes,
		    *s->profilers ? s->profilers : "a client that does not say", age_s);
	if (age_s > FRESH_S)
		ep_nine_todo(a, "see whether it runs, and what EVERPROF_LOG says of pushes");
}

/* Too little to say anything? */
static bool says_nothing(const struct ep_nine_facts *f, struct ep_nine_reply *a)
{
	const struct ep_shelf_labels *l = &f->shelf->labels;
	if (l->weight >= ENOUGH_MS * 1000000ll)
		return false;
	ep_nine_set(a, EP_REPLY_UNKNOWN, "%.0f ms of CPU time within %lld min is too little to tell",
		    (double)l->weight / 1e6, (long long)f->range_ms / 60000);
	ep_nine_todo(a, "ask again when it is under load, or with a longer --last");
	return true;
}

static void labels(const struct ep_nine_facts *f, struct ep_nine_reply *a)
{
	const struct ep_shelf_labels *l = &f->shelf->labels;
	char scopes[64] = "";
	if (says_nothing(f, a))
		return;
	if (f->shelf->n_scopes)
		snprintf(scopes, sizeof(scopes), "; scopes entered %lld times",
			 (long long)f->shelf->n_scopes);
	double share = percent(l->labelled, l->weight);
	ep_nine_set(a, share >= LABELLED_PERCENT ? EP_REPLY_YES : EP_REPLY_NO,
		    "%.0f %% of the CPU time is labelled%s%s%s", share, *l->names ? ": " : "",
		    l->names, scopes);
	if (a->reply == EP_REPLY_NO)
		ep_nine_todo(a, "%s EVERPROF_LABELS(\"endpoint\", path) { … } around the work on a "
				"request",
			     f->shelf->by_agent_alone ? "link libeverprof, and put" : "put");
}

static void propagated(const struct ep_nine_facts *f, struct ep_nine_reply *a)
{
	const struct ep_shelf_labels *l = &f->shelf->labels;
	if (says_nothing(f, a))
		return;
	if (!l->labelled) {
		ep_nine_set(a, EP_REPLY_NO, "there is no label that could be");
		ep_nine_todo(a, "label the work first");
	} else if (!l->n_threads) {
		ep_nine_set(a, EP_REPLY_UNKNOWN, "its samples don't say which thread they are of");
	} else if (!l->n_without) {
		ep_nine_set(a, EP_REPLY_YES, "all %u busy threads work under labels", l->n_threads);
	} else {
		ep_nine_set(a, EP_REPLY_NO,
			    "%u of %u busy threads work mostly without; the heaviest, \"%s\", has "
			    "%.0f %% of the CPU time",
			    l->n_without, l->n_threads, l->without,
			    percent(l->without_weight, l->weight));
		ep_nine_todo(a, "start them with everprof_thread_create(), or let a job carry "
				"everprof_labels_current() and run it under EVERPROF_WITH");
	}
}

static void bounded(const struct ep_nine_facts *f, struct ep_nine_reply *a)
{
	const struct ep_shelf_labels *l = &f->shelf->labels;
	if (says_nothing(f, a))
		return;
	if (!*l->names) {
		ep_nine_set(a, EP_REPLY_YES, "there are no labels");
	} else if (l->other || l->n_values > MAX_VALUES) {
		ep_nine_set(a, EP_REPLY_NO,
			    "\"%s\" has %u values, and %.1f %% of the CPU time is under "
			    "\"__other__\"",
			    l->widest, l->n_values, percent(l->other, l->weight));
		ep_nine_todo(a, "label with the route, not with ids: \"/cart/:id\"; ids of requests "
				"belong into tasks");
	} else {
		ep_nine_set(a, EP_REPLY_YES, "\"%s\" has the most values, %u; none was left out",
			    l->widest, l->n_values);
	}
}

/* open: by the server's profiles or by the list of the process: an empty one is not
 * pushed. */
static void leaks(const struct ep_nine_facts *f, const char *open, struct ep_nine_reply *a)
{
	const struct ep_shelf *s = f->shelf;
	if (*s->open)
		open = s->open;
	bool ok = s->has_live_heap && *open;
	ep_nine_set(a, ok ? EP_REPLY_YES : EP_REPLY_NO,
		    "live memory by where it was allocated: %s; profiles of open things: %s",
		    s->has_live_heap ? "yes" : "none", *open ? open : "none");
	if (!s->has_live_heap)
		ep_nine_todo(a, "put heap into EVERPROF_TYPES (it is by default), and let it run for "
				"a minute");
	else if (!*open)
		ep_nine_todo(a, "everprof_profile_new(\"open_connections\"), with an add where one "
				"opens and a remove where it closes");
}

static void pgo(const struct ep_nine_facts *f, struct ep_nine_reply *a)
{
	const struct ep_shelf *s = f->shelf;
	bool enough = s->version_samples >= PGO_SAMPLES;
	if (!*s->version) {
		ep_nine_set(a, EP_REPLY_NO, "its profiles don't say of which version they are");
		ep_nine_todo(a, "set EVERPROF_VERSION, or link with a build ID");
		return;
	}
	ep_nine_set(a, enough ? EP_REPLY_YES : EP_REPLY_NO,
		    "%lld samples of version %.40s within a week; %d are enough",
		    (long long)s->version_samples, s->version, PGO_SAMPLES);
	if (!enough)
		ep_nine_todo(a, "let this version run under the load it is meant for");
}

static void whole(const struct ep_nine_facts *f, struct ep_nine_reply *a)
{
	const struct ep_shelf *s = f->shelf;
	double lost = percent(s->lost, s->asked), cut = percent(s->truncated, s->taken);
	double unnamed = percent(s->unnamed, s->total);
	if (!s->total) {
		ep_nine_set(a, EP_REPLY_UNKNOWN, "there is no CPU time to look at");
		return;
	}
	bool ok = lost <= LOST_PERCENT && cut <= CUT_PERCENT && unnamed <= UNNAMED_PERCENT;
	ep_nine_set(a, ok ? EP_REPLY_YES : EP_REPLY_NO,
		    "%.1f %% of samples lost, %.1f %% cut short, %.1f %% of the CPU time without a "
		    "name",
		    lost, cut, unnamed);
	if (lost > LOST_PERCENT)
		ep_nine_todo(a, "see EVERPROF_LOG: threads that block SIGPROF, or no timer for them");
	else if (cut > CUT_PERCENT)
		ep_nine_todo(a, "build with unwind tables (-fasynchronous-unwind-tables) or frame "
				"pointers");
	else if (unnamed > UNNAMED_PERCENT)
		ep_nine_todo(a, "leave the program on the server's machine, or give the server its "
				"symbols (PUT /api/v1/symbols/BUILDID)");
}

void ep_nine_answer(const struct ep_nine_facts *f, struct ep_nines *ret)
{
	static void (*const rules[EP_NINES])(const struct ep_nine_facts *,
					     struct ep_nine_reply *) = {
		[EP_NINE_WIRED] = wired,     [EP_NINE_LABELS] = labels,
		[EP_NINE_PROPAGATED] = propagated, [EP_NINE_BOUNDED] = bounded,
		[EP_NINE_PGO] = pgo,	     [EP_NINE_WHOLE] = whole,
	};
	char open[EP_SHELF_TEXT] = "";
	memset(ret, 0, sizeof(*ret));
	ep_nine_answer_endpoint(f, ret, open);
	for (int i = 0; i < EP_NINES; i++) {
		struct ep_nine_reply *a = &ret->of[i];
		if (i == EP_NINE_PRIVATE || i == EP_NINE_CLAMPED)
			continue;
		if (f->server_error)
			ep_nine_set(a, EP_REPLY_UNKNOWN, "%s",
				    i == EP_NINE_WIRED ? f->server_error : "the server did not tell");
		else if (!f->shelf->known && i != EP_NINE_WIRED)
			ep_nine_set(a, EP_REPLY_UNKNOWN, "no profile, no answer");
		else if (i == EP_NINE_LEAKS)
			leaks(f, open, a);
		else
			rules[i](f, a);
	}
}

size_t ep_nine_count(const struct ep_nines *n, enum ep_reply reply)
{
	size_t count = 0;
	for (int i = 0; i < EP_NINES; i++)
		count += n->of[i].reply == reply;
	return count;
}

/* ---- output --------------------------------------------------------------------------------- */

static const struct {
	const char *key, *question;
} questions[EP_NINES] = {
	[EP_NINE_WIRED] = {"wired", "Do profiles arrive?"},
	[EP_NINE_LABELS] = {"labels", "Does the work carry labels?"},
	[EP_NINE_PROPAGATED] = {"propagated", "On every thread?"},
	[EP_NINE_BOUNDED] = {"bounded", "Are their values few?"},
	[EP_NINE_PRIVATE] = {"private", "Is /debug/pprof private?"},
	[EP_NINE_CLAMPED] = {"clamped", "Are its captures limited?"},
	[EP_NINE_LEAKS] = {"leaks", "Would a leak show?"},
	[EP_NINE_PGO] = {"pgo", "Is there a fresh profile for PGO?"},
	[EP_NINE_WHOLE] = {"whole", "Are profiles whole and named?"},
};
static const char *const replies[] = {"yes", "no", "unknown"};
static const char *const colours[] = {"\033[32m", "\033[1;31m", "\033[33m"};

void ep_nine_format(const struct ep_nines *n, bool colour, struct ep_buf *out)
{
	for (int i = 0; i < EP_NINES; i++) {
		const struct ep_nine_reply *a = &n->of[i];
		ep_buf_printf(out, "%s%-8s%s%-34s %s\n", colour ? colours[a->reply] : "",
			      replies[a->reply], colour ? "\033[0m" : "", questions[i].question,
			      a->evidence);
		if (*a->todo)
			ep_buf_printf(out, "%-8sto do: %s\n", "", a->todo);
	}
}

void ep_nine_json(const struct ep_nines *n, struct ep_jsonw *w)
{
	ep_jsonw_open(w, "answers", '[');
	for (int i = 0; i < EP_NINES; i++) {
		const struct ep_nine_reply *a = &n->of[i];
		ep_jsonw_open(w, NULL, '{');
		ep_jsonw_str(w, "key", questions[i].key);
		ep_jsonw_str(w, "question", questions[i].question);
		ep_jsonw_str(w, "answer", replies[a->reply]);
		ep_jsonw_str(w, "evidence", a->evidence);
		ep_jsonw_str(w, "do", a->todo);
		ep_jsonw_close(w, '}');
	}
	ep_jsonw_close(w, ']');
}
