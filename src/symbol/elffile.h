/*
 * elffile.h - an ELF file on disk with its sections in memory.
 *
 * Sections that the file holds as they are get mapped, compressed ones unpacked.  A
 * mapping dies with the file's truncation, so this is for the programs, never for a
 * library in somebody's process (elf/elf.h reads instead).
 */
#ifndef EP_SYMBOL_ELFFILE_H
#define EP_SYMBOL_ELFFILE_H

#include "base/err.h"
#include "base/mem.h"
#include "elf/elf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	EP_ELFFILE_MAX_UNPACKED = 64,		 /* sections */
	EP_ELFFILE_MAX_RATIO = 1032,		 /* deflate's; a larger claim is a lie */
};
#define EP_ELFFILE_MAX_BYTES ((uint64_t)2 << 30) /* unpacked, in all */

struct ep_elffile_bytes {
	const uint8_t *p;
	size_t n;
};

struct ep_elffile;

/*
 * ep_elffile_open - map a file and read its headers.
 *
 * errors   as ep_elf_open(), and -ENOENT, -EACCES, -EIO when it can't be opened
 * owns     the caller frees with ep_elffile_free()
 * threads  one thread at a time per object
 */
int ep_elffile_open(const char *path, struct ep_elffile **ret_f, struct ep_err *err);
/* The same for a file in memory; `data` from ep_alloc() is owned on success. */
int ep_elffile_open_bytes(const char *path, uint8_t *data, size_t n,
			  struct ep_elffile **ret_f, struct ep_err *err);
void ep_elffile_free(struct ep_elffile *f);
EP_DEFINE_AUTO(ep_elffile);

const struct ep_elf *ep_elffile_elf(const struct ep_elffile *f);
const char *ep_elffile_path(const struct ep_elffile *f);
const char *ep_elffile_build_id(const struct ep_elffile *f); /* hex; "" without one */
/* The whole file. */
struct ep_elffile_bytes ep_elffile_all(const struct ep_elffile *f);

/*
 * ep_elffile_section - the content of a section by name, unpacked.
 *
 * ".debug_X" is also looked for as ".zdebug_X", the old form of compression.
 * returns  bytes that live as long as the file; {NULL, 0}: there is none, or it is
 *          inconsistent, or can't be unpacked
 */
struct ep_elffile_bytes ep_elffile_section(struct ep_elffile *f, const char *name);
/* The same of a header of this file. */
struct ep_elffile_bytes ep_elffile_content(struct ep_elffile *f, const Elf64_Shdr *s);

#endif
