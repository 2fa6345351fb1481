/*
 * dwarf_in.h - what the files dwarf_*.c share; nobody else includes it.
 *
 *     dwarf_file.c   the sections of a file, its units and their abbreviations
 *     dwarf_form.c   the value of an attribute
 *     dwarf_range.c  address ranges, and the map from address to unit
 *     dwarf_line.c   line programs -> rows
 *     dwarf_tree.c   functions and inlined calls -> segments
 *     dwarf_die.c    names and lines of one function
 *     debuginfo.c    the question and the answer
 */
#ifndef EP_SYMBOL_DWARF_IN_H
#define EP_SYMBOL_DWARF_IN_H

#include "base/arena.h"
#include "base/index.h"
#include "symbol/debuginfo.h"
#include "symbol/dwarf_read.h"

enum {
	/* Tags, attributes and unit types that matter here. */
	DW_TAG_enumeration_type = 0x04,
	DW_TAG_inlined_subroutine = 0x1d,
	DW_TAG_subprogram = 0x2e,
	DW_AT_sibling = 0x01,
	DW_AT_name = 0x03,
	DW_AT_stmt_list = 0x10,
	DW_AT_low_pc = 0x11,
	DW_AT_high_pc = 0x12,
	DW_AT_comp_dir = 0x1b,
	DW_AT_abstract_origin = 0x31,
	DW_AT_decl_line = 0x3b,
	DW_AT_specification = 0x47,
	DW_AT_ranges = 0x55,
	DW_AT_call_column = 0x57,
	DW_AT_call_file = 0x58,
	DW_AT_call_line = 0x59,
	DW_AT_linkage_name = 0x6e,
	DW_AT_str_offsets_base = 0x72,
	DW_AT_addr_base = 0x73,
	DW_AT_rnglists_base = 0x74,
	DW_AT_dwo_name = 0x76,
	DW_AT_MIPS_linkage_name = 0x2007,
	DW_AT_GNU_dwo_name = 0x2130,
	DW_AT_GNU_dwo_id = 0x2131,
	DW_AT_GNU_ranges_base = 0x2132,
	DW_AT_GNU_addr_base = 0x2133,
	DW_AT_GNU_discriminator = 0x2136,
	DW_UT_compile = 1,
	DW_UT_type = 2,
	DW_UT_skeleton = 4,
	DW_UT_split_compile = 5,
	DW_UT_split_type = 6,
};

/* Bounds against hostile files. */
enum {
	EP_DWARF_MAX_UNITS = 4 << 20,
	EP_DWARF_MAX_DWO = 8192,
	EP_DWARF_MAX_DEPTH = 1024,     /* of DIEs */
	EP_DWARF_MAX_HOPS = 16,	       /* from a function to its origin */
	EP_DWARF_MAX_CHAIN = 512,      /* inlined calls at one address */
	EP_DWARF_MAX_CANDIDATES = 64,  /* units looked at for one address */
};
#define EP_DWARF_MAX_ARENA ((size_t)1 << 30)
/* Tables of units: when over it, they are dropped and read anew when asked for. */
#define EP_DWARF_MAX_TABLES ((size_t)192 << 20)
/* One table's elements. */
#define EP_DWARF_MAX_ROWS ((size_t)32 << 20)

enum ep_dwarf_section {
	EP_DWARF_INFO,
	EP_DWARF_ABBREV,
	EP_DWARF_LINE,
	EP_DWARF_STR,
	EP_DWARF_LINE_STR,
	EP_DWARF_STR_OFFSETS,
	EP_DWARF_ADDR,
	EP_DWARF_RANGES,
	EP_DWARF_RNGLISTS,
	EP_DWARF_ARANGES,
	EP_DWARF_N_SECTIONS,
};

struct ep_dwarf_attr {
	uint16_t name, form;
	int64_t implicit;
};

struct ep_dwarf_abbrev {
	uint64_t code;
	uint32_t first_attr, n_attrs;
	uint32_t n_fixed; /* bytes of all its values; UINT32_MAX: they vary */
	uint16_t tag;
	bool has_children;
};

struct ep_dwarf_abbrevs {
	uint64_t offset;
	uint8_t version, addr_size, offset_size; /* n_fixed depends on these */
	const struct ep_dwarf_abbrev *a;	 /* rising code */
	const struct ep_dwarf_attr *attrs;
	size_t n;
};

/* What the first DIE of a unit says. */
struct ep_dwarf_root {
	const char *comp_dir, *dwo_name;
	uint64_t low_pc, stmt_list, str_offsets_base, addr_base, rnglists_base,
		ranges_base, dwo_id;
	bool has_stmt_list;
};

struct ep_dwarf_unit {
	struct ep_dwarf_file *file;
	uint64_t start, end, dies; /* offsets in .debug_info */
	uint64_t abbrev_offset;
	uint8_t version, addr_size, offset_size, type;
	bool dwo_tried, is_bad;
	const struct ep_dwarf_root *root;	 /* NULL: not read yet */
	const struct ep_dwarf_abbrevs *abbrevs;	 /* NULL: not read yet */
	struct ep_dwarf_lines *lines;		 /* owned; NULL: not read, or dropped */
	struct ep_dwarf_tree *tree;		 /* owned; likewise */
	struct ep_dwarf_unit *dwo;		 /* of a skeleton, when found */
	struct ep_dwarf_unit *skeleton;	 /* of a unit in a .dwo */
};

struct ep_dwarf_file {
	struct ep_debuginfo *dwarf;
	struct ep_elffile *elf;
	bool owns_elf, is_dwo, alt_tried;
	struct ep_elffile_bytes section[EP_DWARF_N_SECTIONS];
	struct ep_dwarf_unit *units; /* owned; by offset */
	size_t n_units;
	struct ep_dwarf_abbrevs **abbrevs; /* owned; what lies behind is the arena's */
	size_t n_abbrevs, cap_abbrevs;
	struct ep_index abbrev_index;
	struct ep_dwarf_file *alt; /* owned; what dwz shares */
};

/* Where a unit's code lies. */
struct ep_dwarf_span {
	uint64_t lo, hi;
	uint64_t max_hi; /* the highest hi up to here */
	uint32_t unit;
};

struct ep_debuginfo {
	struct ep_arena *arena; /* roots, abbreviations, paths */
	const struct ep_notes *notes;
	struct ep_dwarf_file main;
	struct ep_dwarf_file **dwos; /* owned */
	size_t n_dwos, n_dwos_missing;
	struct ep_dwarf_span *map; /* owned; rising lo */
	size_t n_map;
	bool has_map;
	uint64_t code_start; /* what lies below is no code, but dropped by the linker */
	size_t n_table_bytes;
};

struct ep_dwarf_value {
	uint16_t form;
	uint64_t u;
	const char *s; /* DW_FORM_string */
};

struct ep_dwarf_die {
	struct ep_dwarf_unit *unit;
	uint64_t offset; /* in .debug_info */
};

/* A growing array of one table; true on success. */
bool ep_dwarf_grow(void *array, size_t n, size_t *cap, size_t size);

/* What says where code lies. */
struct ep_dwarf_pcs {
	bool has_low, has_high, has_ranges;
	struct ep_dwarf_value low, high, ranges;
};

/* ---- dwarf_file.c ---- */
int ep_dwarf_file_init(struct ep_dwarf_file *file, struct ep_debuginfo *d, struct ep_elffile *elf,
		       bool is_dwo, struct ep_err *err);
void ep_dwarf_file_fini(struct ep_dwarf_file *file);
/* The unit that holds an offset of .debug_info; NULL outside. */
struct ep_dwarf_unit *ep_dwarf_file_unit(struct ep_dwarf_file *file, uint64_t offset);
/* The file that dwz shares; NULL without. */
struct ep_dwarf_file *ep_dwarf_file_alt(struct ep_dwarf_file *file);
/* NULL when they can't be read. */
const struct ep_dwarf_abbrevs *ep_dwarf_file_abbrevs(struct ep_dwarf_unit *u);
const struct ep_dwarf_abbrev *ep_dwarf_file_abbrev(const struct ep_dwarf_abbrevs *all,
						   uint64_t code);
/* NULL when it can't be read. */
const struct ep_dwarf_root *ep_dwarf_file_root(struct ep_dwarf_unit *u);
/* Of the first DIE. */
bool ep_dwarf_file_pcs(struct ep_dwarf_unit *u, struct ep_dwarf_pcs *ret_pcs);
/* The unit with the functions: of a skeleton that of its .dwo, else u. */
struct ep_dwarf_unit *ep_dwarf_file_whole(struct ep_dwarf_unit *u);

/* ---- dwarf_form.c ---- */
bool ep_dwarf_form_read(struct ep_dwarf_at *a, struct ep_dwarf_unit *u,
			const struct ep_dwarf_attr *attr, struct ep_dwarf_value *ret_v);
/* Bytes of a form, or 0: they vary. */
uint32_t ep_dwarf_form_fixed(uint16_t form, uint8_t version, uint8_t addr_size,
			     uint8_t offset_size, bool *ret_is_fixed);
/* NULL when it is no string. */
const char *ep_dwarf_form_string(struct ep_dwarf_unit *u,
				 const struct ep_dwarf_value *v);
bool ep_dwarf_form_is_address(const struct ep_dwarf_value *v);
bool ep_dwarf_form_address(struct ep_dwarf_unit *u, const struct ep_dwarf_value *v,
			   uint64_t *ret_address);
bool ep_dwarf_form_die(struct ep_dwarf_unit *u, const struct ep_dwarf_value *v,
		       struct ep_dwarf_die *ret_die);

/* ---- dwarf_range.c ---- */
/* Takes an attribute when it is one of the three. */
void ep_dwarf_range_take(struct ep_dwarf_pcs *p, uint16_t name,
			 const struct ep_dwarf_value *v);
/* Calls for each range that is code. */
typedef bool ep_dwarf_range_fn(void *ctx, uint64_t lo, uint64_t hi);
void ep_dwarf_range_each(struct ep_dwarf_unit *u, const struct ep_dwarf_pcs *p,
			 ep_dwarf_range_fn *fn, void *ctx);
int ep_dwarf_range_map(struct ep_debuginfo *d);

/* ---- dwarf_line.c ---- */
struct ep_dwarf_row {
	uint64_t address;
	uint32_t file, line, discriminator;
	uint16_t column;
};
struct ep_dwarf_run {
	uint64_t lo, hi; /* a sequence of rows */
	size_t first, n;
};
struct ep_dwarf_lines {
	struct ep_dwarf_row *rows; /* owned */
	size_t n_rows, cap_rows;
	struct ep_dwarf_run *runs; /* owned; rising lo */
	size_t n_runs, cap_runs;
	const char **dirs; /* owned */
	size_t n_dirs, cap_dirs;
	struct ep_dwarf_line_file {
		const char *name, *path; /* path: made when asked for */
		uint64_t dir;
	} *files; /* owned */
	size_t n_files, cap_files;
	uint16_t version;
};
struct ep_dwarf_lines *ep_dwarf_line_read(struct ep_dwarf_unit *u);
void ep_dwarf_line_free(struct ep_dwarf_lines *l);
/* NULL outside of all. */
const struct ep_dwarf_row *ep_dwarf_line_find(const struct ep_dwarf_lines *l,
					      uint64_t address);
/* "" unknown. */
const char *ep_dwarf_line_path(struct ep_dwarf_unit *u, struct ep_dwarf_lines *l,
			       uint64_t file);

/* ---- dwarf_tree.c ---- */
struct ep_dwarf_fn {
	uint64_t die;	 /* offset in .debug_info */
	uint64_t start;	 /* of its first range */
	uint32_t parent; /* of an inlined one; UINT32_MAX: none */
	uint32_t call_file, call_line, call_discriminator;
	uint16_t call_column;
	bool is_inlined;
};
struct ep_dwarf_segment {
	uint64_t start; /* up to the next one's */
	uint32_t fn;	/* UINT32_MAX: none */
};
struct ep_dwarf_tree {
	struct ep_dwarf_fn *fns; /* owned */
	size_t n_fns, cap_fns;
	struct ep_dwarf_segment *segments; /* owned; rising start */
	size_t n_segments, cap_segments;
};
struct ep_dwarf_tree *ep_dwarf_tree_read(struct ep_dwarf_unit *u);
void ep_dwarf_tree_free(struct ep_dwarf_tree *t);
/* Index of the innermost function; UINT32_MAX: none. */
uint32_t ep_dwarf_tree_find(const struct ep_dwarf_tree *t, uint64_t address);

/* ---- dwarf_die.c ---- */
struct ep_dwarf_about {
	const char *linkage_name, *name; /* NULL unknown */
	uint64_t decl_line;
};
/* Follows a function to its origin and its declaration. */
void ep_dwarf_die_about(struct ep_dwarf_die die, struct ep_dwarf_about *ret_about);

#endif
