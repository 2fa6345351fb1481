/*
 * dwarf_form.c - the value of an attribute.  See dwarf_in.h.
 *
 * Source: DWARF 5, 7.5.6; GNU's forms from GCC's "DebugFission" and dwz.
 */
#include "symbol/dwarf_in.h"

enum {
	FORM_addr = 0x01,
	FORM_block2 = 0x03,
	FORM_block4 = 0x04,
	FORM_data2 = 0x05,
	FORM_data4 = 0x06,
	FORM_data8 = 0x07,
	FORM_string = 0x08,
	FORM_block = 0x09,
	FORM_block1 = 0x0a,
	FORM_data1 = 0x0b,
	FORM_flag = 0x0c,
	FORM_sdata = 0x0d,
	FORM_strp = 0x0e,
	FORM_udata = 0x0f,
	FORM_ref_addr = 0x10,
	FORM_ref1 = 0x11,
	FORM_ref2 = 0x12,
	FORM_ref4 = 0x13,
	FORM_ref8 = 0x14,
	FORM_ref_udata = 0x15,
	FORM_indirect = 0x16,
	FORM_sec_offset = 0x17,
	FORM_exprloc = 0x18,
	FORM_flag_present = 0x19,
	FORM_strx = 0x1a,
	FORM_addrx = 0x1b,
	FORM_ref_sup4 = 0x1c,
	FORM_strp_sup = 0x1d,
	FORM_data16 = 0x1e,
	FORM_line_strp = 0x1f,
	FORM_ref_sig8 = 0x20,
	FORM_implicit_const = 0x21,
	FORM_loclistx = 0x22,
	FORM_rnglistx = 0x23,
	FORM_ref_sup8 = 0x24,
	FORM_strx1 = 0x25,
	FORM_strx2 = 0x26,
	FORM_strx3 = 0x27,
	FORM_strx4 = 0x28,
	FORM_addrx1 = 0x29,
	FORM_addrx2 = 0x2a,
	FORM_addrx3 = 0x2b,
	FORM_addrx4 = 0x2c,
	FORM_GNU_addr_index = 0x1f01,
	FORM_GNU_str_index = 0x1f02,
	FORM_GNU_ref_alt = 0x1f20,
	FORM_GNU_strp_alt = 0x1f21,
};

uint32_t ep_dwarf_form_fixed(uint16_t form, uint8_t version, uint8_t addr_size,
			     uint8_t offset_size, bool *ret_is_fixed)
{
	*ret_is_fixed = true;
	switch (form) {
	case FORM_implicit_const:
	case FORM_flag_present:
		return 0;
	case FORM_data1:
	case FORM_flag:
	case FORM_ref1:
	case FORM_strx1:
	case FORM_addrx1:
		return 1;
	case FORM_data2:
	case FORM_ref2:
	case FORM_strx2:
	case FORM_addrx2:
		return 2;
	case FORM_strx3:
	case FORM_addrx3:
		return 3;
	case FORM_data4:
	case FORM_ref4:
	case FORM_ref_sup4:
	case FORM_strx4:
	case FORM_addrx4:
		return 4;
	case FORM_data8:
	case FORM_ref8:
	case FORM_ref_sig8:
	case FORM_ref_sup8:
		return 8;
	case FORM_data16:
		return 16;
	case FORM_addr:
		return addr_size;
	case FORM_ref_addr: /* of an address's size in DWARF 2 */
		return version <= 2 ? addr_size : offset_size;
	case FORM_strp:
	case FORM_sec_offset:
	case FORM_strp_sup:
	case FORM_line_strp:
	case FORM_GNU_ref_alt:
	case FORM_GNU_strp_alt:
		return offset_size;
	default:
		*ret_is_fixed = false;
		return 0;
	}
}

/* Forms whose size the value itself tells. */
static bool read_varying(struct ep_dwarf_at *a, struct ep_dwarf_value *v)
{
	switch (v->form) {
	case FORM_udata:
	case FORM_ref_udata:
	case FORM_strx:
	case FORM_addrx:
	case FORM_loclistx:
	case FORM_rnglistx:
	case FORM_GNU_addr_index:
	case FORM_GNU_str_index:
		v->u = ep_dwarf_uleb(a);
		break;
	case FORM_sdata:
		v->u = (uint64_t)ep_dwarf_sleb(a);
		break;
	case FORM_string:
		v->s = ep_dwarf_str(a);
		break;
	case FORM_block1:
		ep_dwarf_skip(a, ep_dwarf_u8(a));
		break;
	case FORM_block2:
		ep_dwarf_skip(a, ep_dwarf_u(a, 2));
		break;
	case FORM_block4:
		ep_dwarf_skip(a, ep_dwarf_u(a, 4));
		break;
	case FORM_block:
	case FORM_exprloc:
		ep_dwarf_skip(a, ep_dwarf_uleb(a));
		break;
	default:
		ep_dwarf_spoil(a);
	}
	return !a->bad;
}

bool ep_dwarf_form_read(struct ep_dwarf_at *a, struct ep_dwarf_unit *u,
			const struct ep_dwarf_attr *attr, struct ep_dwarf_value *ret_v)
{
	struct ep_dwarf_value v = {.form = attr->form};
	for (unsigned hops = 0; v.form == FORM_indirect; hops++) {
		v.form = (uint16_t)ep_dwarf_uleb(a);
		if (hops == 4)
			ep_dwarf_spoil(a);
		if (a->bad)
			return false;
	}
	bool is_fixed;
	uint32_t n = ep_dwarf_form_fixed(v.form, u->version, u->addr_size, u->offset_size,
					 &is_fixed);
	if (!is_fixed)
		read_varying(a, &v);
	else if (v.form == FORM_implicit_const)
		v.u = (uint64_t)attr->implicit;
	else if (v.form == FORM_flag_present)
		v.u = 1;
	else if (n > 8)
		ep_dwarf_skip(a, n);
	else
		v.u = ep_dwarf_u(a, n);
	*ret_v = v;
	return !a->bad;
}

static const char *string_at(struct ep_elffile_bytes s, uint64_t offset)
{
	struct ep_dwarf_at a = ep_dwarf_at(s.p, s.n, offset);
	const char *text = ep_dwarf_str(&a);
	return a.bad ? NULL : text;
}

/* An entry of a table of numbers. */
static bool entry_at(struct ep_elffile_bytes s, uint64_t base, uint64_t index, unsigned size,
		     uint64_t *ret)
{
	uint64_t at;
	if (__builtin_mul_overflow(index, (uint64_t)size, &at) ||
	    __builtin_add_overflow(at, base, &at))
		return false;
	struct ep_dwarf_at a = ep_dwarf_at(s.p, s.n, at);
	*ret = ep_dwarf_u(&a, size);
	return !a.bad;
}

static const char *indexed_string(struct ep_dwarf_unit *u, uint64_t index)
{
	/* A unit of a .dwo names no base: the table begins behind its header, which
	 * GNU's older form has not. */
	uint64_t base = u->root ? u->root->str_offsets_base : 0, offset;
	if (!base && u->version >= 5)
		base = u->offset_size == 8 ? 16 : 8;
	if (!entry_at(u->file->section[EP_DWARF_STR_OFFSETS], base, index, u->offset_size,
		      &offset))
		return NULL;
	return string_at(u->file->section[EP_DWARF_STR], offset);
}

const char *ep_dwarf_form_string(struct ep_dwarf_unit *u,
				 const struct ep_dwarf_value *v)
{
	struct ep_dwarf_file *alt;
	switch (v->form) {
	case FORM_string:
		return v->s;
	case FORM_strp:
		return string_at(u->file->section[EP_DWARF_STR], v->u);
	case FORM_line_strp:
		return string_at(u->file->section[EP_DWARF_LINE_STR], v->u);
	case FORM_strp_sup:
	case FORM_GNU_strp_alt:
		alt = ep_dwarf_file_alt(u->file);
		return alt ? string_at(alt->section[EP_DWARF_STR], v->u) : NULL;
	case FORM_strx:
	case FORM_strx1:
	case FORM_strx2:
	case FORM_strx3:
	case FORM_strx4:
	case FORM_GNU_str_index:
		return indexed_string(u, v->u);
	default:
		return NULL;
	}
}

static bool is_address_index(uint16_t form)
{
	return form == FORM_addrx || form == FORM_GNU_addr_index ||
	       (form >= FORM_addrx1 && form <= FORM_addrx4);
}

bool ep_dwarf_form_is_address(const struct ep_dwarf_value *v)
{
	return v->form == FORM_addr || is_address_index(v->form);
}

bool ep_dwarf_form_address(struct ep_dwarf_unit *u, const struct ep_dwarf_value *v,
			   uint64_t *ret_address)
{
	if (v->form == FORM_addr) {
		*ret_address = v->u;
		return true;
	}
	/* A unit of a .dwo has its addresses in the program's own file. */
	struct ep_dwarf_unit *owner = u->skeleton ? u->skeleton : u;
	return is_address_index(v->form) && owner->root &&
	       entry_at(owner->file->section[EP_DWARF_ADDR], owner->root->addr_base, v->u,
			u->addr_size, ret_address);
}

bool ep_dwarf_form_die(struct ep_dwarf_unit *u, const struct ep_dwarf_value *v,
		       struct ep_dwarf_die *ret_die)
{
	struct ep_dwarf_file *file = u->file;
	uint64_t offset = v->u;
	switch (v->form) {
	case FORM_ref1:
	case FORM_ref2:
	case FORM_ref4:
	case FORM_ref8:
	case FORM_ref_udata:
		if (offset >= u->end - u->start)
			return false;
		*ret_die = (struct ep_dwarf_die){u, u->start + offset};
		return offset >= u->dies - u->start;
	case FORM_ref_addr:
		break;
	case FORM_ref_sup4:
	case FORM_ref_sup8:
	case FORM_GNU_ref_alt:
		file = ep_dwarf_file_alt(file);
		break;
	default:
		return false;
	}
	struct ep_dwarf_unit *to = file ? ep_dwarf_file_unit(file, offset) : NULL;
	if (!to || offset < to->dies)
		return false;
	(void)ep_dwarf_file_root(to); /* its bases; it may do without */
	*ret_die = (struct ep_dwarf_die){to, offset};
	return true;
}
