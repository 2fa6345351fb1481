/*
 * dwarf.h - the numbers of call frame information.
 *
 * Source: DWARF 5, sections 6.4.2, 7.7.1 and 7.24; Linux Standard Base 5.0,
 * section 10.5 (pointer encodings, augmentations).
 */
#ifndef EP_UNWIND_BUILD_DWARF_H
#define EP_UNWIND_BUILD_DWARF_H

/* The two high bits hold these three, the low six an operand. */
#define EP_DW_CFA_advance_loc 0x40
#define EP_DW_CFA_offset 0x80
#define EP_DW_CFA_restore 0xc0

#define EP_DW_CFA_nop 0x00
#define EP_DW_CFA_set_loc 0x01
#define EP_DW_CFA_advance_loc1 0x02
#define EP_DW_CFA_advance_loc2 0x03
#define EP_DW_CFA_advance_loc4 0x04
#define EP_DW_CFA_offset_extended 0x05
#define EP_DW_CFA_restore_extended 0x06
#define EP_DW_CFA_undefined 0x07
#define EP_DW_CFA_same_value 0x08
#define EP_DW_CFA_register 0x09
#define EP_DW_CFA_remember_state 0x0a
#define EP_DW_CFA_restore_state 0x0b
#define EP_DW_CFA_def_cfa 0x0c
#define EP_DW_CFA_def_cfa_register 0x0d
#define EP_DW_CFA_def_cfa_offset 0x0e
#define EP_DW_CFA_def_cfa_expression 0x0f
#define EP_DW_CFA_expression 0x10
#define EP_DW_CFA_offset_extended_sf 0x11
#define EP_DW_CFA_def_cfa_sf 0x12
#define EP_DW_CFA_def_cfa_offset_sf 0x13
#define EP_DW_CFA_val_offset 0x14
#define EP_DW_CFA_val_offset_sf 0x15
#define EP_DW_CFA_val_expression 0x16
#define EP_DW_CFA_GNU_args_size 0x2e
#define EP_DW_CFA_GNU_negative_offset_extended 0x2f

#define EP_DW_OP_deref 0x06
#define EP_DW_OP_and 0x1a
#define EP_DW_OP_plus 0x22
#define EP_DW_OP_plus_uconst 0x23
#define EP_DW_OP_shl 0x24
#define EP_DW_OP_ge 0x2a
#define EP_DW_OP_lit0 0x30
#define EP_DW_OP_breg0 0x70

#define EP_DW_EH_PE_absptr 0x00
#define EP_DW_EH_PE_uleb128 0x01
#define EP_DW_EH_PE_udata2 0x02
#define EP_DW_EH_PE_udata4 0x03
#define EP_DW_EH_PE_udata8 0x04
#define EP_DW_EH_PE_sleb128 0x09
#define EP_DW_EH_PE_sdata2 0x0a
#define EP_DW_EH_PE_sdata4 0x0b
#define EP_DW_EH_PE_sdata8 0x0c
#define EP_DW_EH_PE_pcrel 0x10
#define EP_DW_EH_PE_datarel 0x30
#define EP_DW_EH_PE_aligned 0x50
#define EP_DW_EH_PE_indirect 0x80
#define EP_DW_EH_PE_omit 0xff

#endif
