/*
 * framebase_x86_64.c - see framebase.h.
 *
 * Source: Intel SDM volume 2 (encodings); System V ABI, AMD64 supplement, 3.2.2.
 */
#include "inproc/framebase.h"

#include "inproc/tasks.h"

#include <stdbool.h>
#include <string.h>

enum {
	MAX_ROWS = 512,	      /* back from pc to the prologue */
	PROLOGUE_BYTES = 96,
	CALL_BYTES = 8,	      /* the longest call that is looked at, and one */
	SEARCH_WORDS = 2048,
	STUB_BYTES = 16,
	TAIL_BYTES = 512,
};

/* ---- where the function begins -------------------------------------------------------- */

static bool is_rule(const struct ep_rule *r, enum ep_cfa cfa, int cfa_off, enum ep_bp bp)
{
	return r && ep_table_cfa(r) == cfa && r->cfa_off == cfa_off && ep_table_bp(r) == bp;
}

/* The rule before vaddr, and where it begins; rows of one rule are cut at blocks. */
static const struct ep_rule *rule_before(const struct ep_table *t, uint64_t vaddr,
					 uint64_t *ret_from)
{
	uint64_t from = 0, to;
	const struct ep_rule *first = NULL;
	for (int i = 0; i < MAX_ROWS && vaddr > t->start; i++) {
		const struct ep_rule *r = ep_table_find_range(t, vaddr - 1, &from, &to);
		if (!r || (first && memcmp(r, first, sizeof(*r))))
			break;
		first = r;
		*ret_from = vaddr = from;
	}
	return first;
}

/*
 * Of all rows before pc, the nearest of "bp was just pushed" with "nothing was yet" before
 * it is the prologue.  An epilogue goes from bp to nothing at once.
 */
static bool find_start(const struct ep_module *m, uint64_t pc, uint64_t *ret_start,
		       uint64_t *ret_pushed)
{
	uint64_t at = pc - m->bias + 1, from, start;
	for (int i = 0; i < MAX_ROWS; i++, at = from) {
		const struct ep_rule *r = rule_before(m->table, at, &from);
		if (!r)
			return false;
		if (!is_rule(r, EP_CFA_SP, 16, EP_BP_CFA) || r->bp_off != -16)
			continue;
		if (!is_rule(rule_before(m->table, from, &start), EP_CFA_SP, 8, EP_BP_SAME))
			return false;
		*ret_start = start + m->bias;
		*ret_pushed = from + m->bias;
		return true;
	}
	return false;
}

/* ---- what the prologue says ------------------------------------------------------------- */

static bool has_bytes(const uint8_t *p, const uint8_t *end, const char *bytes, size_t n)
{
	return end - p >= (long)n && !memcmp(p, bytes, n);
}

static uint64_t le32(const uint8_t *p)
{
	uint32_t v;
	memcpy(&v, p, 4);
	return v;
}

/* Bytes of a move between registers, which compilers put in between; 0: it is none. */
static int move_bytes(const uint8_t *p, const uint8_t *end)
{
	int rex = p < end && (*p & 0xf0) == 0x40;
	const uint8_t *op = p + rex;
	if (end - op < 2 || op[1] < 0xc0) /* with memory */
		return 0;
	bool writes_sp = (op[1] & 7) == 4 && !(rex && (*p & 1));
	return !writes_sp && (*op == 0x89 || *op == 0x31) ? rex + 2 : 0;
}

/* From behind "push rbp": how far sp is below bp when the prologue is over. */
static bool read_prologue(uint64_t pushed, uint64_t pc, uint64_t *ret_size)
{
	uint8_t code[PROLOGUE_BYTES];
	uint64_t max = pc - pushed < sizeof(code) ? pc - pushed : sizeof(code), size = 0;
	const uint8_t *p = code, *end = code + ep_tasks_read(pushed, code, max);
	bool framed = false;
	for (int n; p < end; p += n) {
		if (has_bytes(p, end, "\x48\x89\xe5", 3) && !framed) { /* mov rbp, rsp */
			framed = true;
			n = 3;
		} else if (end - p >= 4 && has_bytes(p, end, "\x48\x83\xec", 3)) {
			size += p[3]; /* sub rsp, imm8 */
			break;
		} else if (end - p >= 7 && has_bytes(p, end, "\x48\x81\xec", 3)) {
			size += le32(p + 3);
			break;
		} else if (framed && (*p & 0xf8) == 0x50) { /* push */
			size += 8;
			n = 1;
		} else if (framed && end - p >= 2 && *p == 0x41 && (p[1] & 0xf8) == 0x50) {
			size += 8;
			n = 2;
		} else if ((n = move_bytes(p, end)) == 0) {
			break;
		}
	}
	*ret_size = size;
	return framed;
}

/* ---- who called ------------------------------------------------------------------------ */

enum call { NO_CALL, ANY_CALL, CALL_OF_IT };

static bool slot_holds(uint64_t slot, uint64_t value)
{
	uint64_t v;
	return ep_tasks_read(slot, &v, 8) == 8 && v == value;
}

/* Does the code at `target` end by a jump to `start`, instead of a call and a return? */
static bool ends_in(uint64_t target, uint64_t start)
{
	uint8_t code[TAIL_BYTES];
	uint64_t n = ep_tasks_read(target, code, sizeof(code));
	for (uint64_t i = 0; i + 5 <= n; i++)
		if (code[i] == 0xe9 &&
		    target + i + 5 + (uint64_t)(int64_t)(int32_t)le32(code + i + 1) == start)
			return true;
	return false;
}

/* A call leads to a function straight, by a stub of the linker (jmp *slot(rip)), or by a
 * function that ends in it. */
static bool leads_to(uint64_t target, uint64_t start)
{
	uint8_t code[STUB_BYTES];
	if (target == start)
		return true;
	const uint8_t *p = code, *end = code + ep_tasks_read(target, code, sizeof(code));
	if (has_bytes(p, end, "\xf3\x0f\x1e\xfa", 4)) /* endbr64 */
		p += 4;
	if (has_bytes(p, end, "\xf2", 1)) /* bnd */
		p++;
	if (end - p < 6 || !has_bytes(p, end, "\xff\x25", 2))
		return ends_in(target, start);
	uint64_t next = target + (uint64_t)(p - code) + 6;
	return slot_holds(next + (uint64_t)(int64_t)(int32_t)le32(p + 2), start);
}

/* Is there a call before this address, and does it lead to the function? */
static enum call call_before(const struct ep_modules *ms, uint64_t address, uint64_t start)
{
	uint8_t code[CALL_BYTES];
	const struct ep_module *m = ep_modules_find(ms, address);
	if (!m || address - m->start < sizeof(code) ||
	    ep_tasks_read(address - sizeof(code), code, sizeof(code)) < sizeof(code))
		return NO_CALL;
	const uint8_t *end = code + sizeof(code);
	uint64_t to = address + (uint64_t)(int64_t)(int32_t)le32(end - 4);
	if (end[-5] == 0xe8 && ep_modules_find(ms, to))
		return leads_to(to, start) ? CALL_OF_IT : ANY_CALL;
	if (end[-6] == 0xff && end[-5] == 0x15) /* call *slot(rip) */
		return slot_holds(to, start) ? CALL_OF_IT : NO_CALL;
	/* By a register, or by memory at one with no, a short or a long distance. */
	bool reg = end[-2] == 0xff && ((end[-1] & 0xf8) == 0xd0 || (end[-1] & 0xf8) == 0x10);
	bool near = end[-3] == 0xff && ((end[-2] & 0xf8) == 0x50 || end[-2] == 0x14);
	bool far = (end[-6] == 0xff && (end[-5] & 0xf8) == 0x90) ||
		   (end[-7] == 0xff && end[-6] == 0x94) || (end[-4] == 0xff && end[-3] == 0x54);
	return reg || near || far ? ANY_CALL : NO_CALL;
}

static enum call caller_at(const struct ep_modules *ms, uint64_t bp, uint64_t start,
			   const struct ep_stack *stack)
{
	uint64_t address;
	return ep_step_load(stack, bp + 8, &address) ? call_before(ms, address, start) : NO_CALL;
}

uint64_t ep_framebase_find(const struct ep_modules *ms, const struct ep_module *m, uint64_t pc,
			   uint64_t sp, const struct ep_stack *stack)
{
	uint64_t start, pushed, size;
	if (!find_start(m, pc, &start, &pushed))
		return 0;
	/* Where the prologue says it, any call will do: it may be of one that ended in this. */
	if (read_prologue(pushed, pc, &size) && caller_at(ms, sp + size, start, stack) != NO_CALL)
		return sp + size;
	/* A frame begins 16 bytes below a multiple of 16. */
	for (uint64_t bp = (sp + 15) & ~15ull, n = 0; n < SEARCH_WORDS; bp += 16, n++)
		if (caller_at(ms, bp, start, stack) == CALL_OF_IT)
			return bp;
	return 0;
}
