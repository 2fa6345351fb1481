/*
 * table.h - the unwind table of one ELF file, and the look-up in it.
 *
 * Compiled from .eh_frame outside of any handler (unwind/build/compile.h), then
 * never changed: position-independent, so it may be mapped from a file and
 * shared, and free of pointers, so BPF can read it.  4 bytes a row.
 *
 *     header | blocks: n_blocks + 1 × u32 | rows: n_rows × u32 | rules: n_rules × 8
 *
 * The code [start, limit) is cut into blocks of 1 << shift bytes.  blocks[b] is
 * the first row at or behind the start of block b.  A row is (low 16 bits of
 * its offset from start) << 16 | rule, and holds until the next one.  The rule
 * of an address is that of the last row not behind it.
 *
 * docs/formats/unwind-table.md has the layout byte by byte.  Everything here is
 * signal-safe and calls nothing; it trusts the table, so bytes from outside
 * pass ep_check_table() (unwind/build/check.h) first.
 */
#ifndef EP_UNWIND_TABLE_H
#define EP_UNWIND_TABLE_H

#include <stddef.h>
#include <stdint.h>

#define EP_TABLE_MAGIC 0x444e49574e555045ull /* "EPUNWIND" in memory */
#define EP_TABLE_VERSION 2u
/* Counts up whenever the same ELF file makes another table than before, so that no
 * table kept in a file outlives a mended compiler (tests/unit/unwind/test_tablefile.c). */
#define EP_TABLE_MAKER 1u
#define EP_TABLE_BUILD_ID 72u /* hex and NUL, padded with NUL */
#define EP_TABLE_MAX_ROWS (1u << 24)
#define EP_TABLE_MAX_RULES (1u << 16)
#define EP_TABLE_MIN_SHIFT 6u
#define EP_TABLE_MAX_SHIFT 16u /* a row keeps 16 bits of its offset */

/* How to find the CFA: the value of sp in the caller. */
enum ep_cfa {
	EP_CFA_NONE,	    /* no row covers this code: nothing is known */
	EP_CFA_END,	    /* the outermost frame says so (_start, clone) */
	EP_CFA_SP,	    /* sp + cfa_off */
	EP_CFA_BP,	    /* bp + cfa_off */
	EP_CFA_SP_DEREF,    /* *(sp + cfa_off) + arg × 8 */
	EP_CFA_BP_DEREF,    /* *(bp + cfa_off) + arg × 8 */
	EP_CFA_PLT,	    /* sp + cfa_off, + 8 when (ip & 15) >= arg */
	EP_CFA_SIGNAL,	    /* the kernel's signal frame; saved sp at sp + cfa_off */
	EP_CFA_UNSUPPORTED, /* a row is there but needs more than sp and bp */
	EP_CFA_N
};

/* How to find the caller's bp. */
enum ep_bp {
	EP_BP_SAME,
	EP_BP_CFA,  /* *(CFA + bp_off) */
	EP_BP_BP,   /* *(bp + bp_off) */
	EP_BP_LOST, /* saved where we can't look */
	EP_BP_N
};

struct ep_rule {
	int32_t cfa_off;
	int16_t bp_off;
	uint8_t kind; /* enum ep_cfa | enum ep_bp << 4 */
	int8_t arg;
};

struct ep_table {
	uint64_t magic;
	uint32_t version;
	uint16_t machine; /* e_machine */
	uint16_t shift;
	uint64_t n_bytes;      /* of the whole table */
	uint64_t checksum;     /* XXH3-64 of the whole table with 0 here */
	uint64_t start, limit; /* ELF virtual addresses */
	uint32_t n_blocks, n_rows, n_rules;
	uint32_t n_functions;	/* FDEs compiled, for reports */
	uint32_t n_unsupported; /* rows that are EP_CFA_UNSUPPORTED, for reports */
	uint32_t maker;		/* EP_TABLE_MAKER */
	uint64_t image;		/* hash of what it was made for: compile.h */
	char build_id[EP_TABLE_BUILD_ID];
};

static inline enum ep_cfa ep_table_cfa(const struct ep_rule *r)
{
	return (enum ep_cfa)(r->kind & 15);
}

static inline enum ep_bp ep_table_bp(const struct ep_rule *r)
{
	return (enum ep_bp)(r->kind >> 4);
}

static inline const uint32_t *ep_table_blocks(const struct ep_table *t)
{
	return (const uint32_t *)(t + 1);
}

static inline const uint32_t *ep_table_rows(const struct ep_table *t)
{
	return ep_table_blocks(t) + t->n_blocks + 1;
}

/* Behind a multiple of 4 bytes; a rule is read by its fields, so 4 is enough. */
static inline const struct ep_rule *ep_table_rules(const struct ep_table *t)
{
	return (const struct ep_rule *)(ep_table_rows(t) + t->n_rows);
}

/*
 * ep_table_find_range - the rule at an ELF virtual address, and how far it holds.
 *
 * out      ret_from, ret_to  it is the rule of all of [from, to), at least
 *          NULL outside [start, limit); inside never NULL, but maybe EP_CFA_NONE
 * cost     three cache lines: a block entry, its rows, the rule
 */
static inline __attribute__((always_inline)) const struct ep_rule *
ep_table_find_range(const struct ep_table *t, uint64_t vaddr, uint64_t *ret_from,
		    uint64_t *ret_to)
{
	uint64_t off = vaddr - t->start;
	if (off >= t->limit - t->start)
		return NULL;
	const uint32_t *block = ep_table_blocks(t) + (off >> t->shift);
	const uint32_t *rows = ep_table_rows(t);
	uint32_t lo = block[0], hi = block[1];
	uint32_t key = (uint32_t)(off << 16) | 0xffff;
	while (hi - lo > 8) {
		uint32_t mid = lo + (hi - lo) / 2;
		if (rows[mid] <= key)
			lo = mid + 1;
		else
			hi = mid;
	}
	while (lo < hi && rows[lo] <= key)
		lo++;
	/* The offsets of a block differ in their low 16 bits only. */
	uint64_t base = vaddr - (off & 0xffff), size = 1ull << t->shift;
	uint64_t start = vaddr - (off & (size - 1)), end = start + size;
	*ret_from = lo > block[0] ? base + (rows[lo - 1] >> 16) : start;
	*ret_to = lo < block[1] ? base + (rows[lo] >> 16) : end < t->limit ? end : t->limit;
	/* Row 0 lies at offset 0, so a row before lo is always there. */
	return ep_table_rules(t) + (rows[lo - 1] & 0xffff);
}

/* The rule alone. */
static inline const struct ep_rule *ep_table_find(const struct ep_table *t,
						  uint64_t vaddr)
{
	uint64_t from, to;
	return ep_table_find_range(t, vaddr, &from, &to);
}

#endif
