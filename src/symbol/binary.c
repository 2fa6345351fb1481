/* binary.c - see binary.h. */
#include "symbol/binary.h"

#include <string.h>

enum { MAX_NAMES = 2 }; /* the full table, or .gnu_debugdata's and .dynsym's */

struct ep_binary {
	const struct ep_debugfile_places *places;
	struct ep_elffile *file;	 /* owned */
	struct ep_elffile *debug, *mini; /* owned; NULL: none, or not looked for */
	struct ep_debuginfo *dwarf;		 /* owned; NULL: none, or not read */
	struct ep_elfsym names[MAX_NAMES];
	size_t n_names;
	const struct ep_elfsym *own; /* of the file itself; NULL: none */
	struct ep_gopcln go;
	bool debug_tried, dwarf_tried, names_tried, go_tried;
	uint64_t debug_bias; /* what the file's addresses are above the debug file's */
	uint64_t dwarf_bias, names_bias[MAX_NAMES];
};

int ep_binary_wrap(struct ep_elffile *f, const struct ep_debugfile_places *places,
		   struct ep_binary **ret_b, struct ep_err *err)
{
	struct ep_binary *b = ep_zalloc(sizeof(*b));
	if (!b)
		return ep_fail(err, -ENOMEM, 0, "no memory for a binary");
	b->file = f;
	b->places = places;
	*ret_b = b;
	return 0;
}

int ep_binary_open(const char *path, const struct ep_debugfile_places *places,
		   struct ep_binary **ret_b, struct ep_err *err)
{
	ep_auto(ep_elffile) f = NULL;
	EP_TRY(ep_elffile_open(path, &f, err));
	EP_TRY(ep_binary_wrap(f, places, ret_b, err));
	(void)ep_take(&f); /* the binary's now */
	return 0;
}

void ep_binary_free(struct ep_binary *b)
{
	if (!b)
		return;
	for (size_t i = 0; i < b->n_names; i++)
		ep_elfsym_fini(&b->names[i]);
	ep_debuginfo_free(b->dwarf);
	ep_elffile_free(b->mini);
	ep_elffile_free(b->debug);
	ep_elffile_free(b->file);
	ep_free(b);
}

struct ep_elffile *ep_binary_file(const struct ep_binary *b)
{
	return b->file;
}

/* Prelinking moves a file after its debug information was split off. */
static uint64_t bias(const struct ep_elffile *f, const struct ep_elffile *debug)
{
	const Elf64_Shdr *a = ep_elf_find_section(ep_elffile_elf(f), ".text");
	size_t n;
	const Elf64_Shdr *s = ep_elf_sections(ep_elffile_elf(debug), &n);
	for (size_t i = 0; a && i < n; i++) /* without content there, so not by find */
		if (strcmp(ep_elf_section_name(ep_elffile_elf(debug), &s[i]), ".text") == 0)
			return a->sh_addr - s[i].sh_addr;
	return 0;
}

static struct ep_elffile *debug_of(struct ep_binary *b)
{
	if (!b->debug_tried) {
		b->debug_tried = true;
		if (ep_debugfile_find(b->file, b->places, &b->debug, NULL) == 0)
			b->debug_bias = bias(b->file, b->debug);
	}
	return b->debug;
}

static bool has(struct ep_elffile *f, const char *section)
{
	return f && ep_elf_find_section(ep_elffile_elf(f), section);
}

static void read_dwarf(struct ep_binary *b)
{
	b->dwarf_tried = true;
	if (has(b->file, ".debug_info") || has(b->file, ".zdebug_info")) {
		(void)ep_debuginfo_new(b->file, b->places->notes, &b->dwarf, NULL); /* or none */
	} else if (debug_of(b)) {
		(void)ep_debuginfo_new(b->debug, b->places->notes, &b->dwarf, NULL);
		b->dwarf_bias = b->debug_bias;
	}
}

size_t ep_binary_frames(struct ep_binary *b, uint64_t address,
			struct ep_debuginfo_frame *ret_frames, size_t max)
{
	if (!b->dwarf_tried)
		read_dwarf(b);
	return b->dwarf ? ep_debuginfo_frames(b->dwarf, address - b->dwarf_bias, ret_frames, max)
			: 0;
}

static void add_names(struct ep_binary *b, struct ep_elffile *f, uint64_t up)
{
	if (ep_elfsym_read(f, &b->names[b->n_names]) == 0)
		b->names_bias[b->n_names++] = up;
}

static void read_names(struct ep_binary *b)
{
	b->names_tried = true;
	if (!has(b->file, ".symtab")) {
		if (debug_of(b) && has(b->debug, ".symtab"))
			add_names(b, b->debug, b->debug_bias);
		else if (ep_debugfile_mini(b->file, &b->mini, NULL) == 0)
			add_names(b, b->mini, 0);
	}
	size_t before = b->n_names;
	add_names(b, b->file, 0);
	b->own = b->n_names > before ? &b->names[before] : NULL;
}

const struct ep_elfsym_symbol *ep_binary_own_symbol(struct ep_binary *b, uint64_t address)
{
	if (!b->names_tried)
		read_names(b);
	return b->own ? ep_elfsym_find(b->own, address) : NULL;
}

typedef const struct ep_elfsym_symbol *find_fn(const struct ep_elfsym *n, uint64_t address);

static const struct ep_elfsym_symbol *find(struct ep_binary *b, uint64_t address, find_fn *fn)
{
	if (!b->names_tried)
		read_names(b);
	for (size_t i = 0; i < b->n_names; i++) {
		const struct ep_elfsym_symbol *s = fn(&b->names[i], address - b->names_bias[i]);
		if (s)
			return s;
	}
	return NULL;
}

const struct ep_elfsym_symbol *ep_binary_symbol(struct ep_binary *b, uint64_t address)
{
	return find(b, address, ep_elfsym_find);
}

const struct ep_elfsym_symbol *ep_binary_before(struct ep_binary *b, uint64_t address)
{
	return find(b, address, ep_elfsym_before);
}

const struct ep_elfsym *ep_binary_names(struct ep_binary *b, uint64_t *ret_bias)
{
	if (!b->names_tried)
		read_names(b);
	*ret_bias = b->names_bias[0];
	return b->n_names ? &b->names[0] : NULL;
}

bool ep_binary_go_line(struct ep_binary *b, uint64_t address, struct ep_gopcln_line *ret_l)
{
	if (!b->go_tried) {
		b->go_tried = true;
		(void)ep_gopcln_open(b->file, &b->go); /* none: of no functions */
	}
	return b->go.n && ep_gopcln_find(&b->go, address, ret_l);
}
