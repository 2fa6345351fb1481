/*
 * asm.h - samples and the instructions they fell on.
 *
 * What disasm and weblist share: what an address argument is, how objdump's
 * instructions get the samples of a function, and the head of their JSON.
 */
#ifndef EP_REPORT_ASM_H
#define EP_REPORT_ASM_H

#include "base/slice.h"
#include "codec/json.h"
#include "report/prepare.h"
#include "symbol/object.h"

#include <stdbool.h>
#include <stdint.h>

/* Samples at an address of a file, and what the profile calls the place. */
struct ep_asm_sample {
	uint64_t address; /* the file's own numbering */
	struct ep_slice function, file;
	int64_t line;
	int64_t flat, flat_div, cum, cum_div;
};

struct ep_asm_inst {
	uint64_t address;
	const char *text;
	struct ep_slice function;
	struct ep_slice file; /* its base name */
	int64_t line;
	int64_t flat, cum; /* means are divided */
};

/*
 * ep_asm_annotate - give instructions their samples.
 *
 * A sample belongs to the last instruction at or before it: one in the middle of an
 * instruction counts to its start, and one before the first to that.  Where objdump
 * knows no function, file or line, the first sample's name stands in.
 *
 * in       samples    by address
 * out      ret_insts  room for n_insts
 * cost     one pass over both
 */
void ep_asm_annotate(const struct ep_object_inst *insts, size_t n_insts,
		     const struct ep_asm_sample *samples, size_t n_samples,
		     struct ep_asm_inst *ret_insts);

/* Is it a number as Go writes them (0x…, 0b…, 0o…, 0…, decimal)?  Such an argument of
 * a report is an address as well as a regular expression. */
bool ep_asm_parse_address(const char *s, uint64_t *ret_address);

/* What all JSON of sources begins with: docs/formats/report-source-json.md. */
void ep_asm_json_head(struct ep_jsonw *w, const struct ep_report *r, const char *kind);
/* "flat" and "cum", each with its text unless it is 0. */
void ep_asm_json_values(struct ep_jsonw *w, const struct ep_report *r, int64_t flat,
			int64_t cum);
/* An address, as a string of hex digits: JSON's numbers don't hold 64 bits. */
void ep_asm_json_address(struct ep_jsonw *w, const char *key, uint64_t address);

#endif
