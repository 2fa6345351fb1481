/* gopcln.c - see gopcln.h. */
#include "symbol/gopcln.h"

#include "symbol/dwarf_read.h"

enum { MAX_STEPS = 1 << 20 };
#define MAGIC_1_18 0xfffffff0u
#define MAGIC_1_20 0xfffffff1u

static struct ep_elffile_bytes from(struct ep_elffile_bytes b, uint64_t offset)
{
	if (offset > b.n)
		return (struct ep_elffile_bytes){b.p + b.n, 0};
	return (struct ep_elffile_bytes){b.p + offset, b.n - offset};
}

bool ep_gopcln_open(struct ep_elffile *f, struct ep_gopcln *ret_g)
{
	struct ep_elffile_bytes t = ep_elffile_section(f, ".gopclntab");
	const Elf64_Shdr *text = ep_elf_find_section(ep_elffile_elf(f), ".text");
	if (!t.n)
		t = ep_elffile_section(f, ".data.rel.ro.gopclntab");
	if (!t.n || !text)
		return false;
	struct ep_dwarf_at a = ep_dwarf_at(t.p, t.n, 0);
	uint32_t magic = (uint32_t)ep_dwarf_u(&a, 4);
	(void)ep_dwarf_u(&a, 2);
	uint8_t quantum = ep_dwarf_u8(&a), size = ep_dwarf_u8(&a);
	if (a.bad || size != 8 || (magic != MAGIC_1_18 && magic != MAGIC_1_20))
		return false;
	uint64_t n = ep_dwarf_u(&a, 8);
	(void)ep_dwarf_u(&a, 8); /* files */
	/* Position-independent programs and newer Go leave it to the section. */
	uint64_t start = ep_dwarf_u(&a, 8);
	struct ep_gopcln g = {.table = t,
			      .text = start ? start : text->sh_addr,
			      .n = n,
			      .quantum = quantum,
			      .has_start_line = magic == MAGIC_1_20};
	g.names = from(t, ep_dwarf_u(&a, 8));
	g.units = from(t, ep_dwarf_u(&a, 8));
	g.files = from(t, ep_dwarf_u(&a, 8));
	g.values = from(t, ep_dwarf_u(&a, 8));
	g.functions = from(t, ep_dwarf_u(&a, 8));
	if (a.bad || n > g.functions.n / 8)
		return false;
	*ret_g = g;
	return true;
}

static uint32_t entry(const struct ep_gopcln *g, uint64_t i, unsigned field)
{
	uint32_t v;
	memcpy(&v, g->functions.p + i * 8 + field * 4, 4); /* i was checked */
	return v;
}

static const char *text_at(struct ep_elffile_bytes b, uint64_t offset)
{
	struct ep_dwarf_at a = ep_dwarf_at(b.p, b.n, offset);
	const char *s = ep_dwarf_str(&a);
	return a.bad ? "" : s;
}

/* A table of values by program counter: pairs of differences. */
static int64_t value_at(const struct ep_gopcln *g, uint64_t table, uint64_t distance)
{
	struct ep_dwarf_at a = ep_dwarf_at(g->values.p, g->values.n, table);
	int64_t value = -1;
	uint64_t pc = 0;
	for (unsigned step = 0; !a.bad && table && step < MAX_STEPS; step++) {
		uint64_t d = ep_dwarf_uleb(&a) & UINT32_MAX;
		if (!d && step)
			break;
		value += (int64_t)(d >> 1) ^ -(int64_t)(d & 1);
		pc += ep_dwarf_uleb(&a) * g->quantum;
		if (distance < pc)
			return a.bad ? -1 : value;
	}
	return -1;
}

static const char *file_at(const struct ep_gopcln *g, uint64_t unit, int64_t number)
{
	if (number < 0)
		return "";
	struct ep_dwarf_at a =
		ep_dwarf_at(g->units.p, g->units.n, (unit + (uint64_t)number) * 4);
	uint64_t offset = ep_dwarf_u(&a, 4);
	return a.bad || offset == UINT32_MAX ? "" : text_at(g->files, offset);
}

static uint32_t positive(int64_t v)
{
	return v > 0 && v <= INT32_MAX ? (uint32_t)v : 0;
}

bool ep_gopcln_find(const struct ep_gopcln *g, uint64_t address, struct ep_gopcln_line *ret_l)
{
	uint64_t lo = 0, hi = g->n, at = address - g->text;
	while (lo < hi) {
		uint64_t mid = lo + (hi - lo) / 2;
		if (entry(g, mid, 0) <= at)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (!lo || address < g->text || at > UINT32_MAX)
		return false;
	if (lo == g->n) { /* behind the last one stands where it ends */
		struct ep_dwarf_at end = ep_dwarf_at(g->functions.p, g->functions.n, g->n * 8);
		if (at >= ep_dwarf_u(&end, 4))
			return false;
	}
	uint64_t distance = at - entry(g, lo - 1, 0);
	struct ep_dwarf_at a =
		ep_dwarf_at(g->functions.p, g->functions.n, entry(g, lo - 1, 1));
	(void)ep_dwarf_u(&a, 4); /* entry */
	uint64_t name = ep_dwarf_u(&a, 4);
	ep_dwarf_skip(&a, 12); /* args, deferreturn, pcsp */
	uint64_t files = ep_dwarf_u(&a, 4), lines = ep_dwarf_u(&a, 4);
	(void)ep_dwarf_u(&a, 4); /* how many further tables */
	uint64_t unit = ep_dwarf_u(&a, 4);
	int64_t start = g->has_start_line ? (int32_t)ep_dwarf_u(&a, 4) : 0;
	if (a.bad)
		return false;
	*ret_l = (struct ep_gopcln_line){
		.function = text_at(g->names, name),
		.file = file_at(g, unit, value_at(g, files, distance)),
		.line = positive(value_at(g, lines, distance)),
		.start_line = positive(start)};
	return *ret_l->function != '\0';
}
