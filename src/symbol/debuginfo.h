/*
 * debuginfo.h - from an address to file, line and the chain of inlined functions.
 *
 * DWARF 2 to 5, read by ourselves: units are found by .debug_aranges or by their own
 * ranges, and a unit's lines and functions are read, into sorted tables, only when an
 * address of it is asked for.  Types, variables and expressions are never looked at.
 * A unit split off into a .dwo file, and what dwz moved into a shared file, is
 * followed.  64-bit little-endian ELF only; content may be hostile.
 *
 * Source: the DWARF 5 standard; GNU's extensions as in GCC's and LLVM's output.
 */
#ifndef EP_SYMBOL_DEBUGINFO_H
#define EP_SYMBOL_DEBUGINFO_H

#include "base/err.h"
#include "base/mem.h"
#include "base/notes.h"
#include "symbol/elffile.h"

struct ep_debuginfo;

/*
 * ep_debuginfo_new - debug information of a file.  Reads nothing yet.
 *
 * in       f        borrowed; must outlive the object
 *          notes    what was looked for and not found; may be NULL; borrowed
 * errors   -ENOENT  there is none; -ENOMEM
 * threads  one thread at a time per object
 */
int ep_debuginfo_new(struct ep_elffile *f, const struct ep_notes *notes,
		 struct ep_debuginfo **ret_d, struct ep_err *err);
void ep_debuginfo_free(struct ep_debuginfo *d);
EP_DEFINE_AUTO(ep_debuginfo);

struct ep_debuginfo_frame {
	const char *linkage_name; /* "" unknown, or a language without */
	const char *name;	  /* "" unknown */
	const char *file;	  /* with its folders where they are known; "" unknown */
	uint32_t line, column;	  /* 0 unknown */
	uint32_t discriminator;	  /* which of a line's blocks; 0: the only one */
	uint32_t start_line;	  /* where the function begins; 0 unknown */
	bool is_inlined;	  /* in the frame behind it */
	uint64_t start;		  /* of the function's or inlined code's first range */
};

/*
 * ep_debuginfo_frames - what is known of an address in the file's own numbering.
 *
 * in       max         room in ret_frames, at least 1
 * out      ret_frames  innermost first; strings live as long as the object
 * returns  how many; 0: no unit holds the address, or has no line and no function
 *          there, or memory is short
 * cost     a unit is read at the first address in it (about 100 MB/s); then two
 *          binary searches
 */
size_t ep_debuginfo_frames(struct ep_debuginfo *d, uint64_t address,
		       struct ep_debuginfo_frame *ret_frames, size_t max);

#endif
