/*
 * frames.c - walks .eh_frame entry by entry.  See frames.h.
 *
 * Two passes: the first lists the functions, so that they can be sorted (linkers
 * mostly keep them in order, but nothing says so); the second runs their
 * programs.  Source: Linux Standard Base 5.0, 10.6.
 */
#include "unwind/build/frames.h"

#include "base/mem.h"
#include "base/sort.h"
#include "unwind/build/cursor.h"
#include "unwind/build/dwarf.h"
#include "unwind/build/cfa_state.h"
#include "unwind/regs.h"

#include <string.h>

struct cie {
	uint64_t at; /* offset in the section */
	struct ep_cfa_state_cie c;
};

struct fde {
	uint64_t pc, limit;
	uint32_t cie;
	uint32_t n_program;
	uint64_t program; /* offset in the section */
};

struct frames {
	const struct ep_frames_input *in;
	struct cie *cies; /* owned; rising `at` */
	size_t n_cies, cap_cies;
	struct fde *fdes; /* owned */
	size_t n_fdes, cap_fdes;
	uint64_t n_seen; /* FDEs, useful or not */
};

static int grow(void **p, size_t *cap, size_t n, size_t size)
{
	if (n < *cap)
		return 0;
	size_t bigger = *cap ? *cap * 2 : 64;
	void *moved = ep_realloc(*p, bigger * size);
	if (!moved)
		return -ENOMEM;
	*p = moved;
	*cap = bigger;
	return 0;
}

static uint64_t raw_pointer(struct ep_cursor *c, uint8_t format)
{
	switch (format) {
	case EP_DW_EH_PE_absptr:
	case EP_DW_EH_PE_udata8:
	case EP_DW_EH_PE_sdata8:
		return ep_cursor_uint(c, 8);
	case EP_DW_EH_PE_uleb128:
		return ep_cursor_uleb(c);
	case EP_DW_EH_PE_sleb128:
		return (uint64_t)ep_cursor_sleb(c);
	case EP_DW_EH_PE_udata2:
		return ep_cursor_uint(c, 2);
	case EP_DW_EH_PE_udata4:
		return ep_cursor_uint(c, 4);
	case EP_DW_EH_PE_sdata2:
		return (uint64_t)(int64_t)(int16_t)ep_cursor_uint(c, 2);
	case EP_DW_EH_PE_sdata4:
		return (uint64_t)(int64_t)(int32_t)ep_cursor_uint(c, 4);
	default:
		c->bad = true;
		return 0;
	}
}

/* An encoded pointer as a virtual address. */
static uint64_t pointer(const struct ep_frames_input *in, struct ep_cursor *c,
			uint8_t enc)
{
	uint64_t at = in->vaddr + (uint64_t)(c->p - in->data);
	uint64_t v = raw_pointer(c, enc & 0x0f);
	if (c->bad)
		return 0;
	switch (enc & 0xf0) {
	case 0:
		return v - in->absolute_bias;
	case EP_DW_EH_PE_pcrel:
		return at + v;
	case EP_DW_EH_PE_datarel:
		c->bad = !in->data_base;
		return in->data_base + v;
	default:
		c->bad = true;
		return 0;
	}
}

/* The augmentation string, and the data it announces. */
static void read_augmentation(struct ep_cursor *c, const char *letters,
			      struct ep_cfa_state_cie *cie)
{
	if (!*letters)
		return;
	if (*letters++ != 'z') {
		c->bad = true; /* length unknown: nothing behind it can be read */
		return;
	}
	cie->has_augmentation = true;
	uint64_t n = ep_cursor_uleb(c);
	const uint8_t *p = ep_cursor_bytes(c, n);
	struct ep_cursor data = {.p = p, .end = p ? p + n : NULL, .bad = !p};
	for (; *letters && !data.bad; letters++) {
		uint8_t enc;
		switch (*letters) {
		case 'R':
			cie->pointer = (uint8_t)ep_cursor_uint(&data, 1);
			break;
		case 'P':
			enc = (uint8_t)ep_cursor_uint(&data, 1);
			if ((enc & 0x70) == EP_DW_EH_PE_aligned)
				data.bad = true;
			else
				(void)raw_pointer(&data, enc & 0x0f); /* read past it */
			break;
		case 'L':
			(void)ep_cursor_uint(&data, 1);
			break;
		case 'S':
			cie->is_signal = true;
			break;
		case 'B': /* aarch64's pointer signing key */
			break;
		default:
			data.bad = true;
		}
	}
	c->bad |= data.bad;
}

static void read_cie(struct ep_cursor c, struct ep_cfa_state_cie *ret)
{
	struct ep_cfa_state_cie cie = {.pointer = EP_DW_EH_PE_absptr};
	uint8_t version = (uint8_t)ep_cursor_uint(&c, 1);
	const char *letters = (const char *)c.p;
	const uint8_t *nul = memchr(c.p, '\0', ep_cursor_left(&c));
	if (!nul || (version != 1 && version != 3))
		return;
	c.p = nul + 1;
	cie.code_align = ep_cursor_uleb(&c);
	cie.data_align = ep_cursor_sleb(&c);
	uint64_t ra = version == 1 ? ep_cursor_uint(&c, 1) : ep_cursor_uleb(&c);
	read_augmentation(&c, letters, &cie);
	if (c.bad || ra != EP_REGS_DW_RA)
		return;
	cie.ra_reg = EP_REGS_DW_RA;
	ep_cfa_state_init(&cie.initial);
	if (ep_cfa_state_run(&cie, c, 0, 0, NULL, NULL, &cie.initial) < 0)
		return;
	cie.usable = true;
	*ret = cie;
}

static int add_cie(struct frames *f, uint64_t at, struct ep_cursor body)
{
	void *cies = f->cies;
	EP_TRY(grow(&cies, &f->cap_cies, f->n_cies, sizeof(*f->cies)));
	f->cies = cies;
	struct cie *c = &f->cies[f->n_cies++];
	*c = (struct cie){.at = at};
	read_cie(body, &c->c);
	return 0;
}

static bool find_cie(const struct frames *f, uint64_t at, uint32_t *ret)
{
	size_t lo = 0, hi = f->n_cies;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (f->cies[mid].at < at)
			lo = mid + 1;
		else
			hi = mid;
	}
	*ret = (uint32_t)lo;
	return lo < f->n_cies && f->cies[lo].at == at && f->cies[lo].c.usable;
}

static bool is_code(const struct ep_frames_input *in, uint64_t pc, uint64_t limit)
{
	for (size_t i = 0; i < in->n_code; i++)
		if (pc >= in->code[i].start && limit <= in->code[i].limit)
			return pc < limit;
	return false;
}

static int add_fde(struct frames *f, uint64_t cie_at, struct ep_cursor c)
{
	struct fde fde = {0};
	if (!find_cie(f, cie_at, &fde.cie))
		return 0;
	const struct ep_cfa_state_cie *cie = &f->cies[fde.cie].c;
	fde.pc = pointer(f->in, &c, cie->pointer);
	uint64_t n = raw_pointer(&c, cie->pointer & 0x0f);
	if (cie->has_augmentation)
		(void)ep_cursor_bytes(&c, ep_cursor_uleb(&c));
	fde.limit = fde.pc + n;
	if (c.bad || fde.limit < fde.pc || !is_code(f->in, fde.pc, fde.limit) ||
	    ep_cursor_left(&c) > UINT32_MAX)
		return 0;
	fde.program = (uint64_t)(c.p - f->in->data);
	fde.n_program = (uint32_t)ep_cursor_left(&c);
	void *fdes = f->fdes;
	EP_TRY(grow(&fdes, &f->cap_fdes, f->n_fdes, sizeof(fde)));
	f->fdes = fdes;
	f->fdes[f->n_fdes++] = fde;
	return 0;
}

/* One entry: length, CIE id or distance, body.  1: an entry; 0: the end. */
static int next_entry(struct frames *f, struct ep_cursor *c)
{
	uint64_t at = (uint64_t)(c->p - f->in->data);
	uint64_t n = ep_cursor_uint(c, 4);
	if (n == 0xffffffff)
		n = ep_cursor_uint(c, 8);
	if (n == 0)
		return 0;
	const uint8_t *p = ep_cursor_bytes(c, n);
	if (!p)
		return 0;
	struct ep_cursor body = {.p = p, .end = p + n};
	uint64_t id_at = (uint64_t)(p - f->in->data);
	uint64_t id = ep_cursor_uint(&body, 4);
	if (body.bad)
		return 1;
	f->n_seen += id != 0;
	int rc = id ? add_fde(f, id_at - id, body) : add_cie(f, at, body);
	return rc < 0 ? rc : 1;
}

static int list(struct frames *f)
{
	struct ep_cursor c = {.p = f->in->data, .end = f->in->data + f->in->n};
	uint64_t max = f->in->max_fdes ? f->in->max_fdes : UINT64_MAX;
	while (ep_cursor_left(&c) >= 4 && f->n_seen < max) {
		int rc = next_entry(f, &c);
		if (rc <= 0)
			return rc;
	}
	return 0;
}

static bool before(const void *a, const void *b, void *arg)
{
	const struct fde *x = a, *y = b;
	(void)arg;
	if (x->pc != y->pc)
		return x->pc < y->pc;
	if (x->limit != y->limit)
		return x->limit < y->limit;
	return x->program < y->program;
}

static bool is_sorted(const struct frames *f)
{
	for (size_t i = 1; i < f->n_fdes; i++)
		if (before(&f->fdes[i], &f->fdes[i - 1], NULL))
			return false;
	return true;
}

static int add_row(void *arg, uint64_t pc, struct ep_rule rule)
{
	return ep_cfa_rows_add(arg, pc, rule);
}

static int compile(const struct frames *f, struct ep_cfa_rows *rows)
{
	for (size_t i = 0; i < f->n_fdes; i++) {
		const struct fde *d = &f->fdes[i];
		/* Overlapping functions: the first one counts. */
		if (rows->n_functions && d->pc < rows->limit)
			continue;
		struct ep_cursor program = {.p = f->in->data + d->program,
					    .end = f->in->data + d->program +
						   d->n_program};
		EP_TRY(ep_cfa_rows_begin(rows, d->pc, d->limit));
		int rc = ep_cfa_state_run(&f->cies[d->cie].c, program, d->pc, d->limit,
					  add_row, rows, NULL);
		if (rc < 0 && rc != -EBADMSG)
			return rc;
	}
	return 0;
}

static int list_sorted(struct frames *f)
{
	EP_TRY(list(f));
	if (!is_sorted(f))
		ep_sort(f->fdes, f->n_fdes, sizeof(*f->fdes), before, NULL);
	return 0;
}

static void frames_fini(struct frames *f)
{
	ep_free(f->cies);
	ep_free(f->fdes);
}

int ep_frames_compile(const struct ep_frames_input *in, struct ep_cfa_rows *rows,
		      struct ep_err *err)
{
	struct frames f = {.in = in};
	int rc = list_sorted(&f);
	if (rc == 0)
		rc = compile(&f, rows);
	frames_fini(&f);
	return rc < 0 ? ep_fail(err, rc, 0, "%s",
				rc == -E2BIG ? "more unwind rows than a table holds"
					     : "no memory for unwind rows")
		      : 0;
}

int ep_frames_list(const struct ep_frames_input *in, struct ep_frames_code **ret,
		   size_t *ret_n, struct ep_err *err)
{
	struct frames f = {.in = in};
	struct ep_frames_code *v = NULL;
	if (list_sorted(&f) == 0)
		v = ep_alloc((f.n_fdes + 1) * sizeof(*v));
	for (size_t i = 0; v && i < f.n_fdes; i++)
		v[i] = (struct ep_frames_code){f.fdes[i].pc, f.fdes[i].limit};
	size_t n = f.n_fdes;
	frames_fini(&f);
	if (!v)
		return ep_fail(err, -ENOMEM, 0, "no memory for a list of functions");
	*ret = v;
	*ret_n = n;
	return 0;
}
