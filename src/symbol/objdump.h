/*
 * objdump.h - machine code as text, by objdump as a child process.
 *
 * The work behind ep_object_disasm().  The child may be GNU's or LLVM's objdump; what
 * it prints about a hostile file is read as hostile: bounded in size and in time.
 *
 * Source: google/pprof's internal/binutils for the command line and the rules of what
 * a line of output says; docs/pprof-compat.md.
 */
#ifndef EP_SYMBOL_OBJDUMP_H
#define EP_SYMBOL_OBJDUMP_H

#include "base/err.h"
#include "base/mem.h"
#include "base/slice.h"
#include "symbol/object.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ep_objdump; /* an objdump, and what it said last */

/*
 * ep_objdump_new - nothing is looked for or started before the first run.
 *
 * in       tools  as in struct ep_objects_options; copied; NULL or "": $PATH
 * errors   -ENOMEM
 * threads  one thread at a time per object
 */
int ep_objdump_new(const char *tools, struct ep_objdump **ret_d, struct ep_err *err);
void ep_objdump_free(struct ep_objdump *d);
EP_DEFINE_AUTO(ep_objdump);

/*
 * ep_objdump_run - the instructions of [start, end) of a file.
 *
 * in       start, end  the file's own numbering
 * out      ret_insts   live until the next run or ep_objdump_free(); may be none
 * errors   -ENOENT     there is no objdump; -EBADMSG it failed, and err says its
 * reason; -ETIMEDOUT, -E2BIG over 512 MiB of text; -EIO, -ENOMEM cost     a process;
 * tens of milliseconds and more
 */
int ep_objdump_run(struct ep_objdump *d, const char *path, uint64_t start, uint64_t end,
		   bool intel, const struct ep_object_inst **ret_insts, size_t *ret_n,
		   struct ep_err *err);

/*
 * ep_objdump_parse - instructions of the text that objdump printed.
 *
 * in       text  n bytes and a NUL; strings are cut out of it in place
 * out      ret_insts  ep_free() it; its strings are those of `text`
 * errors   -ENOMEM
 */
int ep_objdump_parse(char *text, size_t n, struct ep_object_inst **ret_insts,
		     size_t *ret_n);

/*
 * ep_objdump_find_tool - where objdump stands.
 *
 * in       tools  entries by commas, each a folder or "objdump:FOLDER"; "": $PATH
 *          name   "objdump"
 * out      ret_path  ep_free() it
 * returns  0, -ENOENT, -ENOMEM
 */
int ep_objdump_find_tool(const char *tools, const char *name, char **ret_path);

#endif
