/*
 * binary.h - one file with all that is known of it: its own debug information, that of
 * a separate file, its symbols.  Each is read when it is first asked for.
 */
#ifndef EP_SYMBOL_BINARY_H
#define EP_SYMBOL_BINARY_H

#include "symbol/debugfile.h"
#include "symbol/debuginfo.h"
#include "symbol/elfsym.h"
#include "symbol/gopcln.h"

struct ep_binary;

/*
 * ep_binary_open - by path.
 *
 * in       places  where separate files lie; borrowed, must outlive the binary
 * errors   as ep_elffile_open()
 * owns     the caller frees with ep_binary_free()
 * threads  one thread at a time per object
 */
int ep_binary_open(const char *path, const struct ep_debugfile_places *places,
		   struct ep_binary **ret_b, struct ep_err *err);
/* A file that is open already; owned on success. */
int ep_binary_wrap(struct ep_elffile *f, const struct ep_debugfile_places *places,
		   struct ep_binary **ret_b, struct ep_err *err);
void ep_binary_free(struct ep_binary *b);
EP_DEFINE_AUTO(ep_binary);

struct ep_elffile *ep_binary_file(const struct ep_binary *b);

/* As ep_debuginfo_frames(). */
size_t ep_binary_frames(struct ep_binary *b, uint64_t address,
			struct ep_debuginfo_frame *ret_frames, size_t max);
/* The symbol at an address, by the rules of elfsym.h; NULL: none. */
const struct ep_elfsym_symbol *ep_binary_symbol(struct ep_binary *b, uint64_t address);
/* The same of the file's own tables, without those of a separate file. */
const struct ep_elfsym_symbol *ep_binary_own_symbol(struct ep_binary *b, uint64_t address);
const struct ep_elfsym_symbol *ep_binary_before(struct ep_binary *b, uint64_t address);
/* What Go's own table says, stripped or not. */
bool ep_binary_go_line(struct ep_binary *b, uint64_t address, struct ep_gopcln_line *ret_l);
/* All symbols; NULL: there are none.  Their addresses are the file's own less *ret_bias. */
const struct ep_elfsym *ep_binary_names(struct ep_binary *b, uint64_t *ret_bias);

#endif
