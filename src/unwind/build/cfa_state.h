/*
 * cfa_state.h - the registers' rules while a call frame program runs, and the
 * program's interpreter.
 */
#ifndef EP_UNWIND_BUILD_CFA_STATE_H
#define EP_UNWIND_BUILD_CFA_STATE_H

#include "unwind/build/cursor.h"
#include "unwind/table.h"

/* The CFA, bp and return address rules; of other registers we keep nothing. */
struct ep_cfa_state {
	uint32_t cfa_reg;
	int64_t cfa_off;
	bool cfa_is_expr;
	struct ep_rule expr; /* cfa_off, arg and kind of a known expression */
	uint8_t bp;	     /* enum ep_bp */
	int64_t bp_off;
	uint8_t ra; /* enum ep_cfa_state_ra */
};

enum ep_cfa_state_ra {
	EP_CFA_STATE_RA_PUSHED,
	EP_CFA_STATE_RA_END,
	EP_CFA_STATE_RA_OTHER
};

/* What a CIE says, once for all its functions. */
struct ep_cfa_state_cie {
	uint64_t code_align;
	int64_t data_align;
	uint32_t ra_reg;
	bool is_signal; /* augmentation 'S' */
	bool usable;
	uint8_t pointer; /* DW_EH_PE_* of pc_begin */
	bool has_augmentation;
	struct ep_cfa_state initial;
};

/* A row: from this address on, this rule. */
typedef int ep_cfa_state_row_fn(void *arg, uint64_t pc, struct ep_rule rule);

/* The state before a CIE's initial instructions. */
void ep_cfa_state_init(struct ep_cfa_state *s);

/*
 * ep_cfa_state_run - run one program.
 *
 * in       cie        alignment factors and the state to begin and restore with
 *          program    the instructions
 *          pc, limit  the function [pc, limit)
 *          row        called with rising pc for each change; NULL: none
 * out      ret_final  the state at the end; NULL: not wanted
 * errors   -EBADMSG   an unknown instruction or a short program: rows so far hold,
 *                     the rest of the function is unsupported; or what row returned
 * cost     linear in the program
 */
int ep_cfa_state_run(const struct ep_cfa_state_cie *cie, struct ep_cursor program,
		     uint64_t pc, uint64_t limit, ep_cfa_state_row_fn *row, void *arg,
		     struct ep_cfa_state *ret_final);

#endif
