/* collect.c - .symtab and .dynsym to a sorted list of functions.  See collect.h. */
#include "symbol/collect.h"

#include "symbol/start_code.h"
#include "symbol/format.h"

#include "base/sort.h"

#include <string.h>

#define MAX_MADE ((size_t)64 << 20)

void ep_collect_fini(struct ep_collect *c)
{
	ep_free(c->s);
	for (size_t i = 0; i < c->n_strings; i++)
		ep_free(c->strings[i]);
	ep_arena_free(c->made);
	*c = (struct ep_collect){0};
}

int ep_collect_add_symbol(struct ep_collect *c, struct ep_collect_symbol s,
			  struct ep_err *err)
{
	if (c->n == EP_FORMAT_MAX_SYMBOLS)
		return ep_fail(err, -E2BIG, 0, "more than %u symbols",
			       EP_FORMAT_MAX_SYMBOLS);
	if (c->n == c->cap) {
		size_t cap = c->cap ? c->cap * 2 : 1024;
		void *moved = ep_realloc(c->s, cap * sizeof(*c->s));
		if (!moved)
			return ep_fail(err, -ENOMEM, 0, "no memory for %zu symbols",
				       cap);
		c->s = moved;
		c->cap = cap;
	}
	c->s[c->n++] = s;
	return 0;
}

const char *ep_collect_keep(struct ep_collect *c, const char *name, size_t n)
{
	if (!c->made)
		c->made = ep_arena_new(MAX_MADE);
	return c->made ? ep_arena_copy(c->made, name, n) : NULL;
}

/* Mapping symbols ($x) and assembler labels (.L) are no names. */
static bool is_name(const char *name)
{
	return name[0] && name[0] != '$' && strncmp(name, ".L", 2) != 0;
}

static uint8_t rank_of(const Elf64_Sym *s, const char *name)
{
	unsigned type = ELF64_ST_TYPE(s->st_info), bind = ELF64_ST_BIND(s->st_info);
	unsigned underscores = 0;
	while (underscores < 3 && name[underscores] == '_')
		underscores++;
	/* Mangled names begin with an underscore and are no worse for it. */
	if (underscores == 1 && (name[1] == 'Z' || name[1] == 'R'))
		underscores = 0;
	unsigned by_bind = bind == STB_GLOBAL ? 2 : bind == STB_WEAK ? 1 : 0;
	return (uint8_t)((type != STT_NOTYPE) << 5 | (s->st_size != 0) << 4 |
			 (3 - underscores) << 2 | by_bind);
}

/* A function, or a label in code; its section's end in *ret_limit. */
static bool is_function(const struct ep_elf *e, const Elf64_Sym *s, uint64_t *ret_limit)
{
	unsigned type = ELF64_ST_TYPE(s->st_info);
	if (type != STT_FUNC && type != STT_GNU_IFUNC && type != STT_NOTYPE)
		return false;
	size_t n;
	const Elf64_Shdr *sections = ep_elf_sections(e, &n);
	/* Past 65,280 sections the index stands elsewhere; no linker output has them.
	 */
	if (s->st_shndx == SHN_UNDEF || s->st_shndx >= SHN_LORESERVE ||
	    s->st_shndx >= n)
		return false;
	const Elf64_Shdr *in = &sections[s->st_shndx];
	if (!(in->sh_flags & SHF_EXECINSTR) || s->st_value < in->sh_addr ||
	    s->st_value - in->sh_addr >= in->sh_size ||
	    in->sh_addr + in->sh_size < in->sh_addr)
		return false;
	*ret_limit = in->sh_addr + in->sh_size;
	return true;
}

static int add_table(struct ep_collect *c, const struct ep_elf *e,
		     const Elf64_Sym *syms, size_t n_syms, const char *strings,
		     uint64_t n_strings, struct ep_err *err)
{
	for (size_t i = 0; i < n_syms; i++) {
		const Elf64_Sym *s = &syms[i];
		uint64_t limit;
		if (s->st_name >= n_strings || !is_name(strings + s->st_name) ||
		    !is_function(e, s, &limit))
			continue;
		uint64_t size = s->st_size > limit - s->st_value ? limit - s->st_value
								 : s->st_size;
		struct ep_collect_symbol sym = {
			.start = s->st_value,
			.size = size,
			.limit = limit,
			.name = strings + s->st_name,
			.rank = rank_of(s, strings + s->st_name)};
		EP_TRY(ep_collect_add_symbol(c, sym, err));
	}
	return 0;
}

static int add_section(struct ep_collect *c, const struct ep_elf *e,
		       const Elf64_Shdr *s, struct ep_err *err)
{
	size_t n;
	const Elf64_Shdr *sections = ep_elf_sections(e, &n);
	if (s->sh_entsize != sizeof(Elf64_Sym) || s->sh_link >= n ||
	    sections[s->sh_link].sh_type != SHT_STRTAB)
		return ep_fail(err, -EBADMSG, s->sh_offset,
			       "a symbol table without strings");
	if (c->n_strings == EP_COLLECT_MAX_STRINGS)
		return 0;
	const Elf64_Shdr *str = &sections[s->sh_link];
	uint8_t *syms = NULL, *strings = NULL;
	EP_TRY(ep_elf_load(e, str->sh_offset, str->sh_size, &strings, err));
	c->strings[c->n_strings++] = strings;
	EP_TRY(ep_elf_load(e, s->sh_offset, s->sh_size, &syms, err));
	int rc =
		add_table(c, e, (const Elf64_Sym *)syms, s->sh_size / sizeof(Elf64_Sym),
			  (const char *)strings, str->sh_size, err);
	ep_free(syms);
	c->has_symtab |= s->sh_type == SHT_SYMTAB;
	return rc;
}

int ep_collect_add(struct ep_collect *c, const struct ep_elf *e, struct ep_err *err)
{
	size_t n;
	const Elf64_Shdr *s = ep_elf_sections(e, &n);
	for (size_t i = 0; i < n; i++)
		if (s[i].sh_type == SHT_SYMTAB || s[i].sh_type == SHT_DYNSYM)
			EP_TRY(add_section(c, e, &s[i], err));
	return 0;
}

int ep_collect_entry(struct ep_collect *c, const struct ep_elf *e, struct ep_err *err)
{
	struct ep_start_code found = ep_start_code_find(e);
	struct ep_collect_symbol s = {.start = found.start.start,
				      .size = found.start.size,
				      .limit = found.start.start + found.start.size,
				      .name = "_start"};
	/* Rank 0: any name the file itself gives is better. */
	if (s.size)
		EP_TRY(ep_collect_add_symbol(c, s, err));
	s = (struct ep_collect_symbol){.start = found.main.start,
				       .size = found.main.size,
				       .limit = found.main.start + found.main.size,
				       .name = "main"};
	return s.size ? ep_collect_add_symbol(c, s, err) : 0;
}

/* By address; of one address, the best first. */
static bool before(const void *x, const void *y, void *arg)
{
	const struct ep_collect_symbol *a = x, *b = y;
	(void)arg;
	if (a->start != b->start)
		return a->start < b->start;
	if (a->rank != b->rank)
		return a->rank > b->rank;
	size_t na = strlen(a->name), nb = strlen(b->name);
	if (na != nb)
		return na < nb;
	return strcmp(a->name, b->name) < 0;
}

void ep_collect_order(struct ep_collect *c)
{
	ep_sort(c->s, c->n, sizeof(*c->s), before, NULL);
}

/* How far a symbol without a size reaches, by the functions around it. */
static uint64_t reach(uint64_t start, const struct ep_frames_code *functions, size_t n)
{
	size_t lo = 0, hi = n;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (functions[mid].start <= start)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo && functions[lo - 1].limit > start)
		return functions[lo - 1].limit;
	return lo < n ? functions[lo].start : UINT64_MAX;
}

void ep_collect_sort(struct ep_collect *c, const struct ep_frames_code *functions,
		     size_t n_functions)
{
	ep_collect_order(c);
	size_t n = 0;
	for (size_t i = 0; i < c->n; i++)
		if (!n || c->s[n - 1].start != c->s[i].start)
			c->s[n++] = c->s[i];
	c->n = n;
	for (size_t i = 0; i < n; i++) {
		struct ep_collect_symbol *s = &c->s[i];
		if (s->size)
			continue;
		uint64_t end = reach(s->start, functions, n_functions);
		end = s->limit < end ? s->limit : end;
		end = i + 1 < n && c->s[i + 1].start < end ? c->s[i + 1].start : end;
		s->size = end - s->start;
	}
}
