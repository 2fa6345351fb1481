/* Tables: what is compiled, looked up, and refused. */
#include "test.h"

#include "base/hash.h"
#include "base/mem.h"
#include "unwind/build/check.h"
#include "unwind/build/compile.h"
#include "unwind/build/frames.h"

#include <fcntl.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct ep_rule sp_rule(int off)
{
	return (struct ep_rule){.kind = EP_CFA_SP, .cfa_off = off};
}

/* Functions of pseudo-random sizes, gaps and rows, beside a plain list of them. */
enum { N_REF = 200000 };
struct reference {
	uint8_t kind[N_REF]; /* by address - 0x1000 */
	int32_t off[N_REF];
	uint64_t end;
};

static void fill(struct ep_cfa_rows *rows, struct reference *ref, unsigned spread)
{
	uint64_t pc = 0x1000;
	unsigned seed = 7;
	while (pc < 0x1000 + N_REF - 4 * spread) {
		unsigned n = (seed = seed * 1103515245 + 12345) / 65536 % spread + 1;
		unsigned gap =
			(seed / 7) % 3 ? seed / 65536 % 16 : seed / 65536 % spread;
		assert_int_equal(ep_cfa_rows_begin(rows, pc, pc + n), 0);
		for (unsigned at = 0; at < n; at += 1 + (seed / 1024 + at) % 9) {
			struct ep_rule r =
				sp_rule(8 * (int)((seed / 4096 + at) % 300 + 1));
			assert_int_equal(ep_cfa_rows_add(rows, pc + at, r), 0);
			for (unsigned i = at; i < n + (gap < 16 ? gap : 0); i++) {
				ref->kind[pc + i - 0x1000] = EP_CFA_SP;
				ref->off[pc + i - 0x1000] = r.cfa_off;
			}
		}
		ref->end = pc + n;
		pc += n + gap;
	}
}

static void compare(unsigned spread)
{
	struct ep_cfa_rows rows = {0};
	struct reference *ref = calloc(1, sizeof(*ref));
	const struct ep_table *t;
	struct ep_err err = {0};
	ep_auto_buf b;
	ep_buf_init(&b, 64 << 20);
	fill(&rows, ref, spread);
	assert_int_equal(ep_cfa_rows_write(&rows, "abcd", 0, &b, NULL), 0);
	if (ep_check_table(b.data, b.len, &t, &err) < 0)
		fail_msg("%s", err.text);
	assert_string_equal(t->build_id, "abcd");
	assert_int_equal(t->start, 0x1000);
	assert_int_equal(t->limit, ref->end);
	assert_null(ep_table_find(t, 0xfff));
	assert_null(ep_table_find(t, ref->end));
	assert_null(ep_table_find(t, UINT64_MAX));
	for (uint64_t pc = 0x1000; pc < ref->end; pc++) {
		const struct ep_rule *r = ep_table_find(t, pc);
		if (ep_table_cfa(r) != ref->kind[pc - 0x1000] ||
		    r->cfa_off != ref->off[pc - 0x1000])
			fail_msg("at %#llx", (unsigned long long)pc);
	}
	ep_cfa_rows_fini(&rows);
	free(ref);
}

TEST(table_finds_the_row_of_every_address)
{
	compare(30); /* dense: small blocks */
	compare(3000);
	compare(40000); /* sparse: blocks of 64 KiB */
}

TEST(table_that_was_changed_anywhere_is_refused)
{
	struct ep_cfa_rows rows = {0};
	const struct ep_table *t;
	ep_auto_buf b;
	ep_buf_init(&b, 1 << 20);
	for (int i = 0; i < 40; i++) {
		uint64_t pc = 0x1000 + 100 * (uint64_t)i;
		assert_int_equal(ep_cfa_rows_begin(&rows, pc, pc + 50), 0);
		assert_int_equal(ep_cfa_rows_add(&rows, pc, sp_rule(8 + i)), 0);
	}
	assert_int_equal(ep_cfa_rows_write(&rows, NULL, 0, &b, NULL), 0);
	assert_int_equal(ep_check_table(b.data, b.len, &t, NULL), 0);
	for (size_t n = 0; n < b.len; n++)
		assert_true(ep_check_table(b.data, n, &t, NULL) < 0);
	for (size_t i = 0; i < b.len; i++) {
		b.data[i] ^= 4;
		assert_true(ep_check_table(b.data, b.len, &t, NULL) < 0);
		b.data[i] ^= 4;
	}
	ep_cfa_rows_fini(&rows);
}

/* Call frame information by hand: a CIE, then functions. */
struct frames {
	uint8_t data[512];
	size_t n;
};

static void put(struct frames *f, const void *p, size_t n)
{
	memcpy(f->data + f->n, p, n);
	f->n += n;
}

static void put32(struct frames *f, uint32_t v)
{
	put(f, &v, 4);
}

static void add_cie(struct frames *f)
{
	static const uint8_t body[] = {1,    'z', 'R', 0,    1,
				       0x78, 16,  1,   0x03, /* udata4 */
				       0x0c, 7,	  8,	     /* def_cfa rsp 8 */
				       0x90, 1,	  0,   0};   /* offset rip at cfa-8 */
	put32(f, 4 + sizeof(body));
	put32(f, 0);
	put(f, body, sizeof(body));
}

static void add_fde(struct frames *f, uint32_t pc, uint32_t size,
		    const uint8_t *program, size_t n)
{
	put32(f, (uint32_t)(4 + 4 + 4 + 1 + n));
	put32(f, (uint32_t)f->n); /* back to the CIE at 0 */
	put32(f, pc);
	put32(f, size);
	put(f, "", 1);
	put(f, program, n);
}

#define ADD_FDE(f, pc, size, ...)                                                      \
	add_fde(f, pc, size, (const uint8_t[]){__VA_ARGS__},                           \
		sizeof((const uint8_t[]){__VA_ARGS__}))

static const struct ep_table *compile(const struct frames *f, struct ep_buf *b)
{
	static const struct ep_frames_code code = {0x1000, 0x100000};
	struct ep_frames_input in = {.data = f->data,
				     .n = f->n,
				     .vaddr = 0x200000,
				     .code = &code,
				     .n_code = 1};
	struct ep_cfa_rows rows = {0};
	const struct ep_table *t = NULL;
	ep_buf_init(b, 1 << 20);
	assert_int_equal(ep_frames_compile(&in, &rows, NULL), 0);
	if (rows.n)
		assert_int_equal(ep_cfa_rows_write(&rows, NULL, 0, b, NULL), 0);
	ep_cfa_rows_fini(&rows);
	if (b->len)
		assert_int_equal(ep_check_table(b->data, b->len, &t, NULL), 0);
	return t;
}

static void check(const struct ep_table *t, uint64_t pc, struct ep_rule want)
{
	const struct ep_rule *r = ep_table_find(t, pc);
	if (!r || memcmp(r, &want, sizeof(want)))
		fail_msg("at %#llx: kind %#x, cfa %d, bp %d, arg %d",
			 (unsigned long long)pc, r ? r->kind : -1, r ? r->cfa_off : 0,
			 r ? r->bp_off : 0, r ? r->arg : 0);
}

#define RULE(c, off, b, b_off, a)                                                      \
	(struct ep_rule)                                                               \
	{                                                                              \
		.kind = (c) | (b) << 4, .cfa_off = (off), .bp_off = (b_off),           \
		.arg = (a)                                                             \
	}

TEST(frames_of_a_function_with_a_frame_pointer)
{
	struct frames f = {.n = 0};
	ep_auto_buf b;
	add_cie(&f);
	/* push rbp; mov rbp,rsp; …; leave; ret */
	ADD_FDE(&f, 0x2000, 0x40, 0x41, 0x0e, 16, 0x86, 2, 0x43, 0x0d, 6, 0x02, 0x30,
		0x0a, 0xc6, 0x0c, 7, 8, 0x41, 0x0b);
	const struct ep_table *t = compile(&f, &b);
	check(t, 0x2000, RULE(EP_CFA_SP, 8, EP_BP_SAME, 0, 0));
	check(t, 0x2001, RULE(EP_CFA_SP, 16, EP_BP_CFA, -16, 0));
	check(t, 0x2004, RULE(EP_CFA_BP, 16, EP_BP_CFA, -16, 0));
	check(t, 0x2033, RULE(EP_CFA_BP, 16, EP_BP_CFA, -16, 0));
	check(t, 0x2034, RULE(EP_CFA_SP, 8, EP_BP_SAME, 0, 0));
	check(t, 0x2035, RULE(EP_CFA_BP, 16, EP_BP_CFA, -16, 0)); /* restored */
	check(t, 0x203f, RULE(EP_CFA_BP, 16, EP_BP_CFA, -16, 0));
}

TEST(frames_with_expressions_become_rules_or_say_that_they_can_not)
{
	struct frames f = {.n = 0};
	ep_auto_buf b;
	add_cie(&f);
	/* a procedure linkage table; *(rsp+152)+8; *(rbp-8), bp at bp+0; rax+8 */
	ADD_FDE(&f, 0x2000, 0x40, 0x0f, 11, 0x77, 8, 0x80, 0, 0x3f, 0x1a, 0x3b, 0x2a,
		0x33, 0x24, 0x22);
	ADD_FDE(&f, 0x2040, 0x40, 0x0f, 6, 0x77, 0x98, 1, 0x06, 0x23, 8);
	ADD_FDE(&f, 0x2080, 0x40, 0x0f, 3, 0x76, 0x78, 0x06, 0x10, 6, 2, 0x76, 0);
	ADD_FDE(&f, 0x20c0, 0x40, 0x0d, 0);
	ADD_FDE(&f, 0x2100, 0x40, 0x0f, 3, 0x77, 8, 0x19); /* an operation we don't know */
	const struct ep_table *t = compile(&f, &b);
	check(t, 0x2000, RULE(EP_CFA_PLT, 8, EP_BP_SAME, 0, 11));
	check(t, 0x2040, RULE(EP_CFA_SP_DEREF, 152, EP_BP_SAME, 0, 1));
	check(t, 0x2080, RULE(EP_CFA_BP_DEREF, -8, EP_BP_BP, 0, 0));
	assert_int_equal(ep_table_cfa(ep_table_find(t, 0x20c0)), EP_CFA_UNSUPPORTED);
	assert_int_equal(ep_table_cfa(ep_table_find(t, 0x2100)), EP_CFA_UNSUPPORTED);
}

TEST(frames_tell_the_end_from_code_without_rows)
{
	struct frames f = {.n = 0};
	ep_auto_buf b;
	add_cie(&f);
	ADD_FDE(&f, 0x3000, 0x10, 0x07,
		16);			 /* _start: the return address is undefined */
	ADD_FDE(&f, 0x2000, 0x31, 0x00); /* not in order of address */
	ADD_FDE(&f, 0x2040, 0x10, 0x00); /* 15 bytes of padding before */
	ADD_FDE(&f, 0x2044, 0x10, 0x0e, 99);   /* overlaps: the first one counts */
	ADD_FDE(&f, 0x200000, 0x10, 0x0e, 99); /* not in code */
	const struct ep_table *t = compile(&f, &b);
	assert_int_equal(t->n_functions, 3);
	check(t, 0x2000, RULE(EP_CFA_SP, 8, EP_BP_SAME, 0, 0));
	check(t, 0x203f, RULE(EP_CFA_SP, 8, EP_BP_SAME, 0, 0));
	check(t, 0x2044, RULE(EP_CFA_SP, 8, EP_BP_SAME, 0, 0));
	check(t, 0x2050, RULE(EP_CFA_NONE, 0, 0, 0, 0));
	check(t, 0x2fff, RULE(EP_CFA_NONE, 0, 0, 0, 0));
	check(t, 0x3000, RULE(EP_CFA_END, 0, 0, 0, 0));
}

TEST(frames_that_break_off_leave_the_rest_of_the_function_unsupported)
{
	struct frames f = {.n = 0};
	ep_auto_buf b;
	add_cie(&f);
	ADD_FDE(&f, 0x2000, 0x40, 0x48, 0x0e, 16, 0x48, 0x3d,
		0x00);			 /* 0x3d: no such thing */
	ADD_FDE(&f, 0x2040, 0x40, 0x0b); /* nothing to restore */
	ADD_FDE(&f, 0x2080, 0x40, 0x0e); /* no operand */
	const struct ep_table *t = compile(&f, &b);
	check(t, 0x2000, RULE(EP_CFA_SP, 8, EP_BP_SAME, 0, 0));
	check(t, 0x2008, RULE(EP_CFA_SP, 16, EP_BP_SAME, 0, 0));
	assert_int_equal(ep_table_cfa(ep_table_find(t, 0x2010)), EP_CFA_UNSUPPORTED);
	assert_int_equal(ep_table_cfa(ep_table_find(t, 0x203f)), EP_CFA_UNSUPPORTED);
	assert_int_equal(ep_table_cfa(ep_table_find(t, 0x2040)), EP_CFA_UNSUPPORTED);
	assert_int_equal(ep_table_cfa(ep_table_find(t, 0x2080)), EP_CFA_UNSUPPORTED);
}

TEST(frames_without_a_usable_cie_have_no_rows)
{
	struct frames f = {.n = 0};
	ep_auto_buf b;
	add_cie(&f);
	f.data[8] = 9; /* version */
	ADD_FDE(&f, 0x2000, 0x40, 0x00);
	assert_null(compile(&f, &b));
}

static int visit(struct dl_phdr_info *info, size_t size, void *arg)
{
	unsigned *n = arg;
	struct ep_buf from_file, from_memory;
	char id[EP_ELF_HEX_MAX];
	(void)size;
	int fd = open(info->dlpi_name[0] ? info->dlpi_name : "/proc/self/exe",
		      O_RDONLY | O_CLOEXEC);
	ep_auto(ep_elf) e = NULL;
	if (fd < 0 || ep_elf_open(fd, &e, NULL) < 0 || ep_elf_build_id(e, id, NULL) < 0)
		return 0;
	ep_buf_init(&from_file, 64 << 20);
	ep_buf_init(&from_memory, 64 << 20);
	struct ep_compile_image image = {.bias = info->dlpi_addr,
					 .segments = info->dlpi_phdr,
					 .n_segments = info->dlpi_phnum,
					 .build_id = id};
	const struct ep_table *t;
	assert_int_equal(ep_compile_elf(e, &from_file, NULL), 0);
	assert_int_equal(ep_compile_loaded(&image, &from_memory, NULL), 0);
	assert_int_equal(ep_check_table(from_file.data, from_file.len, &t, NULL), 0);
	assert_int_equal(from_file.len, from_memory.len);
	assert_memory_equal(from_file.data, from_memory.data, from_file.len);
	/* Hardly anything of what compilers make is beyond the rules. */
	assert_true(t->n_unsupported * 100 <= t->n_rows);
	print_message("%u functions, %u rows, %u rules, %zu bytes: %s\n",
		      t->n_functions, t->n_rows, t->n_rules, from_file.len,
		      info->dlpi_name);
	ep_buf_fini(&from_file);
	ep_buf_fini(&from_memory);
	close(fd);
	(*n)++;
	return 0;
}

TEST(table_from_memory_is_the_table_from_the_file)
{
	unsigned n = 0;
	dl_iterate_phdr(visit, &n);
	assert_true(n >= 3); /* this program, libc, the loader */
}
