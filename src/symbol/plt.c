/* plt.c - see plt.h.  Source: System V ABI, AMD64 supplement, 5.2. */
#include "symbol/plt.h"

#include "base/hash.h"
#include "base/index.h"

#include <string.h>

enum { MAX_STUBS = 1 << 18, MAX_NAME = 4096 };
static const char suffix[] = "@plt";

struct stub {
	uint64_t start, slot;
	uint32_t size;
};

struct plt {
	struct ep_collect *c;
	const struct ep_elf *e;
	struct stub *stubs; /* owned */
	size_t n, cap;
	struct ep_index by_slot;
	uint8_t *syms, *strings; /* owned: .dynsym */
	size_t n_syms, n_strings;
};

static void plt_fini(struct plt *p)
{
	ep_free(p->stubs);
	ep_free(p->syms);
	ep_free(p->strings);
	ep_index_fini(&p->by_slot);
}

static struct stub *find(const struct plt *p, uint64_t slot)
{
	struct ep_index_iter it;
	for (uint32_t i = ep_index_first(&p->by_slot, ep_hash_mix(0, slot), &it);
	     i != EP_INDEX_NONE; i = ep_index_next(&p->by_slot, &it))
		if (p->stubs[i].slot == slot)
			return &p->stubs[i];
	return NULL;
}

static int add_stub(struct plt *p, struct stub s)
{
	if (p->n == MAX_STUBS || find(p, s.slot))
		return 0;
	if (p->n == p->cap) {
		size_t cap = p->cap ? p->cap * 2 : 256;
		void *moved = ep_realloc(p->stubs, cap * sizeof(s));
		if (!moved)
			return -ENOMEM;
		p->stubs = moved;
		p->cap = cap;
	}
	EP_TRY(ep_index_add(&p->by_slot, ep_hash_mix(0, s.slot), (uint32_t)p->n));
	p->stubs[p->n++] = s;
	return 0;
}

/* Where the slot lies that a stub jumps through: jmp [rip + x] is in it. */
static bool find_jump(const uint8_t *code, size_t n, uint64_t vaddr, uint64_t *ret_slot)
{
	for (size_t i = 0; i + 6 <= n; i++) {
		int32_t x;
		if (code[i] != 0xff || code[i + 1] != 0x25)
			continue;
		memcpy(&x, code + i + 2, sizeof(x));
		*ret_slot = vaddr + i + 6 + (uint64_t)(int64_t)x;
		return true;
	}
	return false;
}

static int add_stubs(struct plt *p, const char *section, uint32_t size)
{
	const Elf64_Shdr *s = ep_elf_find_section(p->e, section);
	ep_auto_mem uint8_t *code = NULL;
	if (!s || s->sh_size > (uint64_t)MAX_STUBS * 16 ||
	    s->sh_addr + s->sh_size < s->sh_addr)
		return 0;
	if (s->sh_entsize == 8 || s->sh_entsize == 16)
		size = (uint32_t)s->sh_entsize;
	int rc = ep_elf_load(p->e, s->sh_offset, s->sh_size, &code, NULL);
	if (rc < 0)
		return rc == -ENOMEM ? rc : 0;
	for (uint64_t at = 0; at + size <= s->sh_size; at += size) {
		struct stub stub = {.start = s->sh_addr + at, .size = size};
		if (find_jump(code + at, size, stub.start, &stub.slot))
			EP_TRY(add_stub(p, stub));
	}
	return 0;
}

static int load_symbols(struct plt *p)
{
	size_t n;
	const Elf64_Shdr *v = ep_elf_sections(p->e, &n), *s = NULL;
	for (size_t i = 0; i < n && !s; i++)
		if (v[i].sh_type == SHT_DYNSYM && v[i].sh_link < n)
			s = &v[i];
	if (!s)
		return -ENOENT;
	const Elf64_Shdr *str = &v[s->sh_link];
	EP_TRY(ep_elf_load(p->e, s->sh_offset, s->sh_size, &p->syms, NULL));
	EP_TRY(ep_elf_load(p->e, str->sh_offset, str->sh_size, &p->strings, NULL));
	p->n_syms = s->sh_size / sizeof(Elf64_Sym);
	p->n_strings = str->sh_size;
	return 0;
}

static int name_stub(struct plt *p, const Elf64_Rela *r, struct ep_err *err)
{
	uint64_t type = ELF64_R_TYPE(r->r_info), sym = ELF64_R_SYM(r->r_info);
	if ((type != R_X86_64_JUMP_SLOT && type != R_X86_64_GLOB_DAT) ||
	    sym >= p->n_syms)
		return 0;
	const struct stub *stub = find(p, r->r_offset);
	uint32_t name_at = ((const Elf64_Sym *)p->syms)[sym].st_name;
	if (!stub || name_at >= p->n_strings)
		return 0;
	const char *name = (const char *)p->strings + name_at;
	size_t n = strnlen(name, MAX_NAME);
	if (!n || n == MAX_NAME)
		return 0;
	char text[MAX_NAME + sizeof(suffix)];
	memcpy(text, name, n);
	memcpy(text + n, suffix, sizeof(suffix));
	const char *kept = ep_collect_keep(p->c, text, n + sizeof(suffix) - 1);
	if (!kept)
		return 0; /* the bound of such names: it goes without */
	struct ep_collect_symbol s = {stub->start, stub->size,
				      stub->start + stub->size, kept, 0};
	return ep_collect_add_symbol(p->c, s, err);
}

static int name_stubs(struct plt *p, struct ep_err *err)
{
	size_t n;
	const Elf64_Shdr *v = ep_elf_sections(p->e, &n);
	for (size_t i = 0; i < n; i++) {
		ep_auto_mem uint8_t *relocs = NULL;
		if (v[i].sh_type != SHT_RELA || !(v[i].sh_flags & SHF_ALLOC) ||
		    ep_elf_load(p->e, v[i].sh_offset, v[i].sh_size, &relocs, NULL) < 0)
			continue;
		for (size_t k = 0; k < v[i].sh_size / sizeof(Elf64_Rela); k++)
			EP_TRY(name_stub(p, (const Elf64_Rela *)relocs + k, err));
	}
	return 0;
}

static int run(struct plt *p, struct ep_err *err)
{
	static const struct {
		const char *section;
		uint32_t size; /* of a stub, when the section does not say */
	} places[] = {{".plt.sec", 16}, {".plt.got", 8}, {".plt", 16}};
	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++)
		EP_TRY(add_stubs(p, places[i].section, places[i].size));
	if (!p->n || load_symbols(p) < 0)
		return 0;
	return name_stubs(p, err);
}

int ep_plt_add(struct ep_collect *c, const struct ep_elf *e, struct ep_err *err)
{
	struct plt p = {.c = c, .e = e};
	if (ep_elf_machine(e) != EM_X86_64)
		return 0;
	int rc = run(&p, err);
	plt_fini(&p);
	return rc == -ENOMEM ? ep_fail(err, rc, 0, "no memory for stubs") : rc;
}
