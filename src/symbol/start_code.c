/*
 * start_code.c - see start_code.h.
 *
 * Source: glibc's sysdeps/x86_64/start.S and musl's crt_arch.h by what they do
 * (main goes into rdi); Linux Standard Base 5.0, 10.6.2 (.eh_frame_hdr).
 */
#include "symbol/start_code.h"

#include <string.h>

/* The start code is short: 0x26 bytes in glibc. */
enum { MAX_START = 64, MAX_FUNCTIONS = 1 << 22 };

/* The search table of .eh_frame_hdr: pairs of (function, entry), relative to the
 * header, rising. */
struct index {
	uint8_t *data; /* owned */
	uint64_t vaddr;
	uint32_t n;
};

static int32_t read_i32(const uint8_t *p)
{
	int32_t v;
	memcpy(&v, p, sizeof(v));
	return v;
}

static const Elf64_Phdr *find_hdr(const struct ep_elf *e)
{
	size_t n;
	const Elf64_Phdr *p = ep_elf_segments(e, &n);
	for (size_t i = 0; i < n; i++)
		if (p[i].p_type == PT_GNU_EH_FRAME)
			return &p[i];
	return NULL;
}

/* Only the one form that linkers write: version 1, pointers of 4 bytes. */
static bool load_index(const struct ep_elf *e, struct index *ix)
{
	static const uint8_t form[] = {1, 0x1b, 0x03, 0x3b};
	const Elf64_Phdr *p = find_hdr(e);
	if (!p || p->p_filesz < 12 || p->p_filesz > (uint64_t)MAX_FUNCTIONS * 8 ||
	    ep_elf_load(e, p->p_offset, p->p_filesz, &ix->data, NULL) < 0)
		return false;
	ix->vaddr = p->p_vaddr;
	ix->n = (uint32_t)read_i32(ix->data + 8);
	return !memcmp(ix->data, form, sizeof(form)) && ix->n <= (p->p_filesz - 12) / 8;
}

static uint64_t function_at(const struct index *ix, uint32_t i)
{
	return ix->vaddr + (uint64_t)(int64_t)read_i32(ix->data + 12 + (size_t)i * 8);
}

/*
 * The size that a function's entry in .eh_frame gives: length, CIE, begin, size, 4
 * bytes each.  The begin, read as linkers encode it, must be the function's; else
 * it is another form.
 */
static uint64_t size_by_entry(const struct ep_elf *e, uint64_t vaddr, uint64_t start)
{
	uint64_t offset = ep_elf_offset(e, vaddr), size = 0;
	uint8_t *fde = NULL;
	if (offset == UINT64_MAX || ep_elf_load(e, offset, 16, &fde, NULL) < 0)
		return 0;
	if (vaddr + 8 + (uint64_t)(int64_t)read_i32(fde + 8) == start)
		size = (uint32_t)read_i32(fde + 12);
	ep_free(fde);
	return size;
}

static struct ep_start_code_function
find_function(const struct ep_elf *e, const struct index *ix, uint64_t start)
{
	uint32_t lo = 0, hi = ix->n;
	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		if (function_at(ix, mid) < start)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo == ix->n || function_at(ix, lo) != start)
		return (struct ep_start_code_function){0};
	int32_t entry = read_i32(ix->data + 12 + (size_t)lo * 8 + 4);
	uint64_t size = size_by_entry(e, ix->vaddr + (uint64_t)(int64_t)entry, start);
	return (struct ep_start_code_function){start, size};
}

/* The value that goes into rdi: lea rdi, [rip + x] or mov rdi, x; 0 when none. */
static uint64_t find_argument(const uint8_t *code, size_t n, uint64_t vaddr)
{
	static const uint8_t lea[] = {0x48, 0x8d, 0x3d}, mov[] = {0x48, 0xc7, 0xc7};
	for (size_t i = 0; i + 7 <= n; i++) {
		int64_t operand = read_i32(code + i + 3);
		if (!memcmp(code + i, lea, sizeof(lea)))
			return vaddr + i + 7 + (uint64_t)operand;
		if (!memcmp(code + i, mov, sizeof(mov)))
			return (uint64_t)operand;
	}
	return 0;
}

struct ep_start_code ep_start_code_find(const struct ep_elf *e)
{
	struct ep_start_code found = {0};
	struct index ix = {0};
	uint64_t at = ep_elf_entry(e), offset = ep_elf_offset(e, at);
	uint8_t *code = NULL;
	if (ep_elf_machine(e) != EM_X86_64 || !at || offset == UINT64_MAX)
		return found;
	if (load_index(e, &ix) && ep_elf_load(e, offset, MAX_START, &code, NULL) == 0) {
		found.start = find_function(e, &ix, at);
		uint64_t n =
			found.start.size < MAX_START ? found.start.size : MAX_START;
		uint64_t main_at = find_argument(code, n, at);
		/* A shared library may have an entry too, that calls no main. */
		if (main_at && ep_elf_offset(e, main_at) != UINT64_MAX)
			found.main = find_function(e, &ix, main_at);
	}
	ep_free(code);
	ep_free(ix.data);
	return found;
}
