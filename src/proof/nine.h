/*
 * nine.h - the nine questions a senior engineer asks of a service, answered by evidence.
 *
 * docs/doctor.md has the questions, and what makes each answer.
 */
#ifndef EP_PROOF_NINE_H
#define EP_PROOF_NINE_H

#include "base/buf.h"
#include "proof/here.h"
#include "proof/shelf.h"

enum ep_nine {
	EP_NINE_WIRED,	    /* do profiles arrive? */
	EP_NINE_LABELS,	    /* is CPU time under labels of the program's own? */
	EP_NINE_PROPAGATED, /* on every thread that works? */
	EP_NINE_BOUNDED,    /* has every label few values? */
	EP_NINE_PRIVATE,    /* may only this machine, or who has a token, ask /debug/pprof? */
	EP_NINE_CLAMPED,    /* are its captures short, and one at a time? */
	EP_NINE_LEAKS,	    /* are there profiles that show a leak? */
	EP_NINE_PGO,	    /* is there a fresh profile to compile by? */
	EP_NINE_WHOLE,	    /* are profiles whole, and their functions named? */
	EP_NINES
};

enum ep_reply { EP_REPLY_YES, EP_REPLY_NO, EP_REPLY_UNKNOWN };

struct ep_nine_reply {
	enum ep_reply reply;
	char evidence[320];
	char todo[320]; /* the one thing to do; "" when there is none */
};

struct ep_nines {
	struct ep_nine_reply of[EP_NINES];
};

/* What is known.  Times in milliseconds since 1970. */
struct ep_nine_facts {
	const char *service;
	const char *server_error; /* not NULL: the server said nothing, and why */
	const struct ep_shelf *shelf;
	int64_t now_ms, range_ms;
	const struct ep_here *here;
	const char *token; /* for /debug/pprof; NULL: none was given */
};

/* Answer all of them.  Asks the service's /debug/pprof on this machine, if there is one:
 * some GETs, and a CPU capture that is broken off at once. */
void ep_nine_answer(const struct ep_nine_facts *f, struct ep_nines *ret);
/* The two of them that are about /debug/pprof.  ret_open: what it lists of open things,
 * "" for nothing. */
void ep_nine_answer_endpoint(const struct ep_nine_facts *f, struct ep_nines *ret,
			     char ret_open[EP_SHELF_TEXT]);

void ep_nine_set(struct ep_nine_reply *a, enum ep_reply reply, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void ep_nine_todo(struct ep_nine_reply *a, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

size_t ep_nine_count(const struct ep_nines *n, enum ep_reply reply);
void ep_nine_format(const struct ep_nines *n, bool colour, struct ep_buf *out);
struct ep_jsonw;
/* "answers":[…] of an object. */
void ep_nine_json(const struct ep_nines *n, struct ep_jsonw *w);

#endif
