/* base.c - see base.h. */
#include "symbol/base.h"

#include <inttypes.h>
#include <string.h>

enum { PAGE = 4096 };
#define KERNEL_HALF ((uint64_t)1 << 63)
#define PPC64_KERNEL 0xc000000000000000ull

bool ep_base_wants_symbol(const char *path, const struct ep_base_mapping *m)
{
	return strstr(path, "vmlinux") || m->start % PAGE || m->limit % PAGE ||
	       m->offset % PAGE;
}

/* The executable segment with .text. */
static const Elf64_Phdr *text_segment(const struct ep_elf *e)
{
	size_t n;
	const Elf64_Phdr *p = ep_elf_segments(e, &n);
	const Elf64_Shdr *text = ep_elf_find_section(e, ".text");
	for (size_t i = 0; text && i < n; i++)
		if (p[i].p_type == PT_LOAD && (p[i].p_flags & PF_X) &&
		    text->sh_addr >= p[i].p_vaddr &&
		    text->sh_addr - p[i].p_vaddr < p[i].p_memsz)
			return &p[i];
	return NULL;
}

static bool kernel_base(const Elf64_Phdr *load, const struct ep_base_mapping *m,
			uint64_t *ret_base)
{
	bool has = m->has_kernel_symbol;
	uint64_t at_start = m->start - m->kernel_symbol;
	if (load->p_vaddr == m->start - m->offset) {
		*ret_base = m->offset;
		return true;
	}
	if (m->start == 0 && m->limit != 0 && has) {
		*ret_base = at_start; /* remapped to page 0, as on ChromeOS */
		return true;
	}
	if (m->start >= KERNEL_HALF && m->limit > m->start &&
	    (m->offset == 0 || m->offset == PPC64_KERNEL || m->offset == m->start)) {
		bool same = has && m->start % PAGE == m->kernel_symbol % PAGE;
		*ret_base = same ? at_start : m->start - load->p_vaddr;
		return true;
	}
	if (m->start % PAGE && has && m->kernel_symbol % PAGE == m->start % PAGE) {
		*ret_base = at_start;
		return true;
	}
	return false;
}

static uint64_t by_offset(const Elf64_Phdr *load, const struct ep_base_mapping *m)
{
	return m->start - m->offset + load->p_offset - load->p_vaddr;
}

static int of_program(const Elf64_Phdr *load, const struct ep_base_mapping *m,
		      uint64_t *ret_base, struct ep_err *err)
{
	if (!load) {
		*ret_base = 0;
		return 0;
	}
	if (!m->has_kernel_symbol && m->start > 0 && m->start < KERNEL_HALF) {
		*ret_base = by_offset(load, m);
		return 0;
	}
	if (kernel_base(load, m, ret_base))
		return 0;
	if (m->start == 0 && m->limit != 0 && !m->has_kernel_symbol) {
		*ret_base = m->start - load->p_vaddr;
		return 0;
	}
	return ep_fail(err, -ENOTSUP, 0,
		       "don't know how to handle EXEC segment: start=0x%" PRIx64
		       " limit=0x%" PRIx64 " offset=0x%" PRIx64,
		       m->start, m->limit, m->offset);
}

static int of_segment(const struct ep_elf *e, const Elf64_Phdr *load,
		      const struct ep_base_mapping *m, uint64_t *ret_base, struct ep_err *err)
{
	if (m->start == 0 && m->offset == 0 && (m->limit == UINT64_MAX || m->limit == 0)) {
		*ret_base = 0; /* all addresses: they are the file's own already */
		return 0;
	}
	switch (ep_elf_type(e)) {
	case ET_EXEC:
		return of_program(load, m, ret_base, err);
	case ET_REL:
		if (m->offset)
			return ep_fail(err, -ENOTSUP, 0,
				       "don't know how to handle mapping.Offset");
		*ret_base = m->start;
		return 0;
	case ET_DYN:
		if (!load)
			*ret_base = m->start - m->offset;
		else if (!kernel_base(load, m, ret_base))
			*ret_base = by_offset(load, m);
		return 0;
	default:
		return ep_fail(err, -ENOTSUP, 0, "don't know how to handle FileHeader.Type %u",
			       ep_elf_type(e));
	}
}

/* Can the mapping be of this segment? */
static bool overlaps(const Elf64_Phdr *p, uint64_t offset, uint64_t n)
{
	uint64_t limit = offset + n, end = p->p_offset + p->p_memsz, in_page;
	if (p->p_type != PT_LOAD || !p->p_filesz || offset >= end || p->p_offset >= limit)
		return false;
	in_page = p->p_vaddr % PAGE;
	if (p->p_offset > in_page && offset < p->p_offset - in_page)
		return false; /* it begins before the segment's first page */
	/* It begins in the segment's last page and goes on far beyond: the next one. */
	return !(offset > p->p_offset && end < offset + PAGE && limit >= end + PAGE);
}

static int find_segment(const struct ep_elf *e, const struct ep_base_mapping *m,
			uint64_t address, const Elf64_Phdr **ret_p, struct ep_err *err)
{
	size_t n, n_loads = 0, n_fit = 0, n_hold = 0;
	const Elf64_Phdr *p = ep_elf_segments(e, &n), *fit = NULL, *hold = NULL;
	if (m->has_kernel_symbol || m->start >= m->limit || m->limit >= KERNEL_HALF) {
		*ret_p = text_segment(e);
		return 0;
	}
	uint64_t at = address - m->start + m->offset;
	for (size_t i = 0; i < n; i++) {
		n_loads += p[i].p_type == PT_LOAD;
		if (!overlaps(&p[i], m->offset, m->limit - m->start))
			continue;
		fit = &p[i];
		n_fit++;
		if (at >= fit->p_offset && at - fit->p_offset < fit->p_memsz) {
			hold = fit;
			n_hold++;
		}
	}
	if (n_loads && !n_fit)
		return ep_fail(err, -ENOTSUP, 0, "no program header matches mapping info");
	if (n_fit > 1 && n_hold != 1)
		return ep_fail(err, -ENOTSUP, 0, "%zu program headers match file offset %" PRIx64,
			       n_hold, at);
	*ret_p = n_fit > 1 ? hold : fit;
	return 0;
}

/* The rule of `go tool pprof`, which knows no offsets: the mapping starts where the
 * first executable segment's first page lies. */
static bool by_start(const struct ep_elf *e, const struct ep_base_mapping *m, uint64_t *ret_base)
{
	size_t n;
	const Elf64_Phdr *p = ep_elf_segments(e, &n);
	for (size_t i = 0; i < n; i++)
		if (p[i].p_type == PT_LOAD && (p[i].p_flags & PF_X)) {
			uint64_t align = p[i].p_align ? p[i].p_align : 1;
			*ret_base = m->start - (p[i].p_vaddr - p[i].p_vaddr % align);
			return true;
		}
	return false;
}

int ep_base_find(const struct ep_elf *e, const struct ep_base_mapping *m, uint64_t address,
		 uint64_t *ret_base, struct ep_err *err)
{
	const Elf64_Phdr *load = NULL;
	bool all = m->start == 0 && m->limit == 0;
	if (!all && (address < m->start || address >= m->limit))
		return ep_fail(err, -EINVAL, 0,
			       "specified address %" PRIx64
			       " is outside the mapping range [%" PRIx64 ", %" PRIx64 "]",
			       address, m->start, m->limit);
	struct ep_err why = {0};
	int rc = find_segment(e, m, address, &load, &why);
	if (rc < 0 && by_start(e, m, ret_base))
		return 0;
	if (rc < 0)
		return ep_fail(err, rc, 0, "%s", why.text);
	return of_segment(e, load, m, ret_base, err);
}

int ep_base_check(const struct ep_elf *e, const struct ep_base_mapping *m, struct ep_err *err)
{
	uint64_t base;
	return of_segment(e, text_segment(e), m, &base, err);
}
