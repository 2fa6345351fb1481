/*
 * compile.h - from an ELF file, or a loaded one, to its unwind table.
 */
#ifndef EP_UNWIND_BUILD_COMPILE_H
#define EP_UNWIND_BUILD_COMPILE_H

#include "base/buf.h"
#include "base/err.h"
#include "elf/elf.h"
#include "unwind/table.h"

/*
 * ep_compile_file - the table of an ELF file.
 *
 * in       fd        borrowed; hostile content is fine
 * out      out       the table is appended; its build ID is the file's
 * errors   -ENOENT   no .eh_frame, or no rows in it (Go, some JITs): walk by frame
 *                    pointer
 *          -ENOTSUP  another CPU; -EBADMSG, -ENODATA not an ELF file;
 *          -E2BIG, -EIO, -ENOMEM
 * threads  any thread; never in a handler
 * cost     1 ms for libc (3,700 functions, 23,000 rows, 107 KB), 28 ms for LLVM
 */
int ep_compile_file(int fd, struct ep_buf *out, struct ep_err *err);
/* The same for a file opened already. */
int ep_compile_elf(const struct ep_elf *e, struct ep_buf *out, struct ep_err *err);

/*
 * What a table was made for.  A build ID alone may name more than one: tools that move
 * code keep it, and some builds set one by hand.  So the program headers, which say what
 * lies where, have to be the same too: in a file and in a process they are at hand.
 */
struct ep_compile_key {
	char build_id[EP_ELF_HEX_MAX]; /* hex; "": there is none */
	/* Hash of the program headers; without a build ID of these and .eh_frame. */
	uint64_t image;
};
/* The key of the table that ep_compile_elf() would make.  Reads .eh_frame only when there
 * is no build ID.  Errors as ep_compile_file(). */
int ep_compile_key(const struct ep_elf *e, struct ep_compile_key *ret_key, struct ep_err *err);
/* `image` of code with a build ID. */
uint64_t ep_compile_image_hash(const Elf64_Phdr *segments, size_t n);

/*
 * ep_compile_functions - where an ELF file's functions begin and end.
 *
 * Also of a stripped file, since unwinding needs .eh_frame.  A function that the
 * compiler has split (foo.cold) shows up as two.
 * out      ret      as ep_frames_list()
 * errors   as ep_compile_file()
 */
struct ep_frames_code;
int ep_compile_functions(const struct ep_elf *e, struct ep_frames_code **ret,
			 size_t *ret_n, struct ep_err *err);

/* An ELF file as the loader mapped it, e.g. from dl_iterate_phdr(); the vDSO. */
struct ep_compile_image {
	uint64_t bias;		    /* dlpi_addr: address - virtual address */
	const Elf64_Phdr *segments; /* dlpi_phdr */
	size_t n_segments;
	const char *build_id; /* hex, or NULL */
};

/*
 * ep_compile_loaded - the table of a mapped file, from memory alone.
 *
 * The mapping must stay while this runs.  Reads only inside its PT_LOADs.
 * errors   as ep_compile_file()
 */
int ep_compile_loaded(const struct ep_compile_image *image, struct ep_buf *out,
		      struct ep_err *err);

#endif
