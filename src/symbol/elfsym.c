/* elfsym.c - see elfsym.h. */
#include "symbol/elfsym.h"

#include "base/sort.h"

#include <string.h>

void ep_elfsym_fini(struct ep_elfsym *n)
{
	ep_free(n->s);
	*n = (struct ep_elfsym){0};
}

struct table {
	struct ep_elffile_bytes symbols, strings;
	const Elf64_Shdr *sections;
	size_t n_sections;
};

static const char *string_of(const struct table *t, uint32_t offset)
{
	if (offset >= t->strings.n)
		return "";
	const char *s = (const char *)t->strings.p + offset;
	return memchr(s, 0, t->strings.n - offset) ? s : "";
}

/* $a, $d, $t, $x of ARM: where code and data alternate. */
static bool is_mapping_symbol(const char *name)
{
	return name[0] == '$' && name[1] && strchr("adtx", name[1]) &&
	       (!name[2] || name[2] == '.');
}

static bool is_wanted(const struct table *t, const Elf64_Sym *s, const char *name)
{
	unsigned type = ELF64_ST_TYPE(s->st_info);
	if (type != STT_NOTYPE && type != STT_FUNC && type != STT_OBJECT &&
	    type != STT_GNU_IFUNC)
		return false;
	return s->st_shndx != SHN_UNDEF && s->st_shndx < t->n_sections && *name &&
	       !is_mapping_symbol(name);
}

static void add(struct ep_elfsym *n, const struct table *t, const Elf64_Sym *s, uint32_t number,
		const char *file)
{
	const char *name = string_of(t, s->st_name);
	if (!is_wanted(t, s, name))
		return;
	bool is_exec = t->sections[s->st_shndx].sh_flags & SHF_EXECINSTR;
	unsigned bind = ELF64_ST_BIND(s->st_info);
	n->s[n->n++] = (struct ep_elfsym_symbol){
		.address = s->st_value,
		.size = s->st_size,
		.name = name,
		.file = bind == STB_LOCAL ? file : "",
		.number = number,
		.is_code = is_exec,
		.is_data = !is_exec,
		.is_weak = bind == STB_WEAK};
}

static bool before(const void *x, const void *y, void *arg)
{
	(void)arg;
	const struct ep_elfsym_symbol *a = x, *b = y;
	return a->address != b->address ? a->address < b->address
	       : a->size != b->size	? a->size < b->size
					: a->number < b->number;
}

static int read_table(struct ep_elffile *f, uint32_t type, struct ep_elfsym *ret)
{
	struct table t;
	const Elf64_Shdr *s = NULL;
	t.sections = ep_elf_sections(ep_elffile_elf(f), &t.n_sections);
	for (size_t i = 0; i < t.n_sections && !s; i++)
		if (t.sections[i].sh_type == type)
			s = &t.sections[i];
	if (!s || s->sh_link >= t.n_sections)
		return -ENOENT;
	t.symbols = ep_elffile_content(f, s);
	t.strings = ep_elffile_content(f, &t.sections[s->sh_link]);
	size_t n = t.symbols.n / sizeof(Elf64_Sym);
	if (n > EP_ELFSYM_MAX)
		n = EP_ELFSYM_MAX;
	ep_auto_mem struct ep_elfsym_symbol *all = ep_alloc((n + 1) * sizeof(*all));
	if (!all)
		return -ENOMEM;
	struct ep_elfsym names = {all, 0};
	const char *file = "";
	for (size_t i = 1; i < n; i++) {
		Elf64_Sym e;
		memcpy(&e, t.symbols.p + i * sizeof(e), sizeof(e));
		if (ELF64_ST_TYPE(e.st_info) == STT_FILE)
			file = string_of(&t, e.st_name);
		else
			add(&names, &t, &e, (uint32_t)i, file);
	}
	if (!names.n)
		return -ENOENT;
	ep_sort(all, names.n, sizeof(*all), before, NULL);
	*ret = names;
	(void)ep_take(&all); /* the table's now */
	return 0;
}

int ep_elfsym_read(struct ep_elffile *f, struct ep_elfsym *ret_names)
{
	int rc = read_table(f, SHT_SYMTAB, ret_names);
	return rc == -ENOENT ? read_table(f, SHT_DYNSYM, ret_names) : rc;
}

/* How many begin at or before an address. */
static size_t up_to(const struct ep_elfsym *n, uint64_t address)
{
	size_t lo = 0, hi = n->n;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (n->s[mid].address <= address)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

const struct ep_elfsym_symbol *ep_elfsym_find(const struct ep_elfsym *n, uint64_t address)
{
	size_t i = up_to(n, address);
	const struct ep_elfsym_symbol *s = i ? &n->s[i - 1] : NULL;
	return s && (!s->size || address - s->address < s->size) ? s : NULL;
}

const struct ep_elfsym_symbol *ep_elfsym_before(const struct ep_elfsym *n, uint64_t address)
{
	size_t i = up_to(n, address);
	while (i && !n->s[i - 1].size)
		i--;
	const struct ep_elfsym_symbol *s = i ? &n->s[i - 1] : NULL;
	if (!s || ((s->is_data || s->is_weak) && address - s->address >= s->size))
		return NULL;
	return s;
}

const struct ep_elfsym_symbol *ep_elfsym_by_name(const struct ep_elfsym *n, const char *name)
{
	for (size_t i = 0; i < n->n; i++)
		if (strcmp(n->s[i].name, name) == 0)
			return &n->s[i];
	return NULL;
}
