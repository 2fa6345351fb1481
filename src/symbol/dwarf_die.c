/* dwarf_die.c - names and lines of one function.  See dwarf_in.h. */
#include "symbol/dwarf_in.h"

/* What one DIE says, and where to go on. */
struct step {
	struct ep_dwarf_die origin, specification; /* unit NULL: none */
};

static bool is_done(const struct ep_dwarf_about *about)
{
	return about->linkage_name && about->name && about->decl_line;
}

static void take(struct ep_dwarf_die die, uint16_t name, const struct ep_dwarf_value *v,
		 struct step *step, struct ep_dwarf_about *about)
{
	switch (name) {
	case DW_AT_name:
		if (!about->name)
			about->name = ep_dwarf_form_string(die.unit, v);
		break;
	case DW_AT_linkage_name:
	case DW_AT_MIPS_linkage_name:
		if (!about->linkage_name)
			about->linkage_name = ep_dwarf_form_string(die.unit, v);
		break;
	case DW_AT_decl_line:
		if (!about->decl_line)
			about->decl_line = v->u;
		break;
	case DW_AT_abstract_origin:
		(void)ep_dwarf_form_die(die.unit, v, &step->origin); /* or it stays none */
		break;
	case DW_AT_specification:
		(void)ep_dwarf_form_die(die.unit, v, &step->specification);
		break;
	default:
		break;
	}
}

static void read_die(struct ep_dwarf_die die, struct step *step, struct ep_dwarf_about *about)
{
	struct ep_dwarf_unit *u = die.unit;
	const struct ep_dwarf_abbrevs *all = ep_dwarf_file_abbrevs(u);
	struct ep_elffile_bytes info = u->file->section[EP_DWARF_INFO];
	struct ep_dwarf_at a = ep_dwarf_at(info.p, u->end, die.offset);
	const struct ep_dwarf_abbrev *ab =
		all ? ep_dwarf_file_abbrev(all, ep_dwarf_uleb(&a)) : NULL;
	for (uint32_t i = 0; ab && i < ab->n_attrs; i++) {
		const struct ep_dwarf_attr *attr = &all->attrs[ab->first_attr + i];
		struct ep_dwarf_value v;
		if (!ep_dwarf_form_read(&a, u, attr, &v))
			return;
		take(die, attr->name, &v, step, about);
	}
}

void ep_dwarf_die_about(struct ep_dwarf_die die, struct ep_dwarf_about *ret_about)
{
	struct ep_dwarf_die todo[EP_DWARF_MAX_HOPS];
	size_t n = 0;
	*ret_about = (struct ep_dwarf_about){0};
	todo[n++] = die;
	for (unsigned hops = 0; n && hops < EP_DWARF_MAX_HOPS && !is_done(ret_about); hops++) {
		struct step step = {0};
		read_die(todo[--n], &step, ret_about);
		if (step.specification.unit && n < EP_DWARF_MAX_HOPS)
			todo[n++] = step.specification;
		if (step.origin.unit && n < EP_DWARF_MAX_HOPS)
			todo[n++] = step.origin;
	}
}
