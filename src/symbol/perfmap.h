/*
 * perfmap.h - /tmp/perf-PID.map: the names a JIT gives to its code.
 *
 * Lines of "START SIZE NAME", hex without 0x, the name to the end of the line;
 * later lines win where they overlap earlier ones.  Anybody may write such a file,
 * so its content is hostile.
 *
 * Source: tools/perf/Documentation/jit-interface.txt of the kernel.
 */
#ifndef EP_SYMBOL_PERFMAP_H
#define EP_SYMBOL_PERFMAP_H

#include "base/err.h"
#include "base/mem.h"
#include "base/slice.h"

#include <stdint.h>

#define EP_PERFMAP_MAX_BYTES ((size_t)256 << 20)
#define EP_PERFMAP_MAX_SYMBOLS (1u << 22)

struct ep_perfmap;

/*
 * ep_perfmap_parse - from the file's text.
 *
 * in       text   copied; lines of another form are passed over
 * errors   -ENOENT  not one line made sense; -E2BIG; -ENOMEM
 * owns     the caller frees with ep_perfmap_free()
 * threads  one thread parses; any may read
 */
int ep_perfmap_parse(struct ep_slice text, struct ep_perfmap **ret_m,
		     struct ep_err *err);
void ep_perfmap_free(struct ep_perfmap *m);
EP_DEFINE_AUTO(ep_perfmap);

/*
 * ep_perfmap_read - of an open file.
 *
 * in       fd      borrowed; what is behind EP_PERFMAP_MAX_BYTES is not read
 *          owner   the uid that the file must belong to (root's are fine as well);
 *                  otherwise a stranger could name somebody's code
 * errors   -EACCES another owner, or not a regular file; else as parse; -EIO
 */
int ep_perfmap_read(int fd, uint32_t owner, struct ep_perfmap **ret_m,
		    struct ep_err *err);

/* The name of the code at an address of the process; 0 or -ENOENT.  The slice
 * lives as long as the map. */
int ep_perfmap_find(const struct ep_perfmap *m, uint64_t address,
		    struct ep_slice *ret_name);
uint32_t ep_perfmap_count(const struct ep_perfmap *m);

#endif
