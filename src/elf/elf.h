/*
 * elf.h - what we need of an ELF file: segments, sections, the build ID.
 *
 * Reads 64-bit little-endian files with pread() and never maps them, since a
 * mapped file that somebody truncates kills its reader with SIGBUS, and the
 * reader may be a process we are a guest in.  Content may be hostile: every
 * offset and count is checked against the file and against the limits below.
 *
 * Source: System V ABI, chapters 4 and 5; elf(5).
 */
#ifndef EP_ELF_ELF_H
#define EP_ELF_ELF_H

#include "base/err.h"
#include "base/mem.h"
#include "base/slice.h"

#include <elf.h>
#include <stdint.h>

#define EP_ELF_MAX_SEGMENTS 256u
#define EP_ELF_MAX_SECTIONS 65536u
#define EP_ELF_MAX_LOAD ((uint64_t)1 << 30) /* one piece read at once, bytes */
#define EP_ELF_BUILD_ID_MAX 32u /* bytes of a build ID; longer ones are cut off */
#define EP_ELF_HEX_MAX (2 * EP_ELF_BUILD_ID_MAX + 1)

struct ep_elf;

/*
 * ep_elf_open - read the headers of a file.
 *
 * in       fd       borrowed; must stay open as long as the object
 * errors   -EBADMSG  not ELF or inconsistent; -ENODATA truncated; -ENOTSUP another
 *                    class or byte order; -E2BIG; -EIO; -ENOMEM
 * owns     the caller frees with ep_elf_free()
 * threads  one thread at a time per object
 */
int ep_elf_open(int fd, struct ep_elf **ret_e, struct ep_err *err);
/* The same for the bytes of a file that lie in memory; borrowed. */
int ep_elf_open_bytes(const void *data, size_t n, struct ep_elf **ret_e,
		      struct ep_err *err);
void ep_elf_free(struct ep_elf *e);
EP_DEFINE_AUTO(ep_elf);

/* ET_EXEC, ET_DYN, …; EM_X86_64, EM_AARCH64, … */
uint16_t ep_elf_type(const struct ep_elf *e);
uint16_t ep_elf_machine(const struct ep_elf *e);
/* Virtual address where a program begins; 0 in most libraries. */
uint64_t ep_elf_entry(const struct ep_elf *e);
/* Program headers as in the file; valid as long as the object. */
const Elf64_Phdr *ep_elf_segments(const struct ep_elf *e, size_t *ret_n);
/* Section headers as in the file; 0 of them when the file was stripped of them. */
const Elf64_Shdr *ep_elf_sections(const struct ep_elf *e, size_t *ret_n);
/* "" for a bad name. */
const char *ep_elf_section_name(const struct ep_elf *e, const Elf64_Shdr *s);
/* NULL when there is none.  The first of that name, with content in the file. */
const Elf64_Shdr *ep_elf_find_section(const struct ep_elf *e, const char *name);

/*
 * ep_elf_load - read n bytes at a file offset.
 *
 * out      ret_data  n bytes and a NUL behind them
 * errors   -ENODATA  beyond the end of the file; -E2BIG; -EIO; -ENOMEM
 * owns     the caller frees *ret_data with ep_free()
 */
int ep_elf_load(const struct ep_elf *e, uint64_t offset, uint64_t n, uint8_t **ret_data,
		struct ep_err *err);

/*
 * ep_elf_build_id - the GNU build ID as lower-case hex.
 *
 * out      ret_hex   at least EP_ELF_HEX_MAX bytes, NUL-terminated
 * errors   -ENOENT   the file has none
 */
int ep_elf_build_id(const struct ep_elf *e, char *ret_hex, struct ep_err *err);

/*
 * ep_elf_note_build_id - the same from the bytes of a PT_NOTE segment, as they
 * lie in a file or in a running process.
 *
 * errors   -ENOENT
 * threads  any; allocates nothing
 */
int ep_elf_note_build_id(const void *notes, size_t n, char *ret_hex);

/* Virtual address of a file offset by the PT_LOADs, and back; UINT64_MAX outside. */
uint64_t ep_elf_vaddr(const struct ep_elf *e, uint64_t file_offset);
uint64_t ep_elf_offset(const struct ep_elf *e, uint64_t vaddr);

#endif
