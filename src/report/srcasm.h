/*
 * srcasm.h - source lines with the instructions that were made of them.
 *
 * What weblist is written from: the code around the samples of interest is
 * disassembled, each instruction gets its samples and its inlined calls, and stands
 * under the line of each function of interest that it belongs to.
 *
 * Source: behaviour of google/pprof (internal/report/source.go); docs/pprof-compat.md.
 */
#ifndef EP_REPORT_SRCASM_H
#define EP_REPORT_SRCASM_H

#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"
#include "report/prepare.h"

#include <stdbool.h>
#include <stdint.h>

struct ep_objects;

struct ep_srcasm_inst {
	uint64_t address; /* in the process, or made up where the profile has none */
	uint64_t shown;	  /* the file's own numbering */
	uint64_t n_bytes;
	struct ep_slice text; /* empty: no code was found, only the address is known */
	struct ep_slice file; /* of the innermost function */
	int64_t line;
	int64_t flat, cum;
};

/* A call that was inlined on the way to an instruction. */
struct ep_srcasm_call {
	struct ep_slice file;
	int64_t line;
};

/* An instruction under a line of a function of interest. */
struct ep_srcasm_entry {
	uint32_t file;	/* a number while the tables are made */
	uint32_t order; /* among those of a line */
	int64_t line;
	uint32_t inst;
	struct ep_slice function;
	const struct ep_srcasm_call *calls; /* the outermost first */
	uint32_t n_calls;
};

/* Lines to show of one function. */
struct ep_srcasm_routine {
	struct ep_slice name;
	int64_t begin, end; /* [begin, end) */
	int64_t flat, cum;
	uint32_t first, n; /* in ep_srcasm.entries */
};

struct ep_srcasm_file {
	struct ep_slice name; /* clean */
	int64_t flat, cum;    /* an instruction counts once */
	uint32_t first, n;    /* in ep_srcasm.routines */
};

struct ep_srcasm {
	struct ep_arena *arena; /* all but the growing tables */
	struct ep_srcasm_inst *insts;
	struct ep_srcasm_entry *entries; /* by file, line, order */
	struct ep_srcasm_routine *routines;
	struct ep_srcasm_file *files; /* by name */
	uint32_t n_insts, n_entries, n_routines, n_files;
	uint32_t cap_insts, cap_entries;
	bool any_match; /* the argument matched something */
};

/*
 * ep_srcasm_new
 *
 * in       r        of kind WEBLIST: its locations have their addresses and inlined
 * lines objects  may be NULL: there is no code then, only lines errors   -ENOMEM,
 * -E2BIG, -EINVAL the argument takes too long to match owns     the caller frees with
 * ep_srcasm_free(); strings are r's and objects' threads  one thread at a time per
 * objects cost     a pass over the samples and an objdump for each of at most 25
 * stretches of code
 */
int ep_srcasm_new(const struct ep_report *r, struct ep_objects *objects,
		  struct ep_srcasm **ret_s, struct ep_err *err);
void ep_srcasm_free(struct ep_srcasm *s);
EP_DEFINE_AUTO(ep_srcasm);

#endif
