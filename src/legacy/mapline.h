/*
 * mapline.h - one line of a memory map.
 */
#ifndef EP_LEGACY_MAPLINE_H
#define EP_LEGACY_MAPLINE_H

#include "base/slice.h"

#include <stdint.h>

struct ep_mapline {
	uint64_t start, limit, offset;
	struct ep_slice file, build_id; /* slices of the line */
};

enum ep_mapline_kind {
	EP_MAPLINE_NONE, /* no mapping, or numbers over 64 bits */
	EP_MAPLINE_DATA, /* a mapping that holds no code */
	EP_MAPLINE_CODE, /* *ret is filled */
};

/*
 * ep_mapline_parse - /proc/PID/maps, and the short form of other tools:
 *
 *     START-END PERM OFFSET MAJOR:MINOR INODE [FILE]
 *     START-END[:] [PERM] [FILE] [(@OFFSET)] [BUILDID]
 *
 * The rest of a line is ignored, and so are missing parts; the reference's patterns are
 * that wide, so any line with two hex digits at its start is a mapping.  Any thread.
 */
enum ep_mapline_kind ep_mapline_parse(struct ep_slice line, struct ep_mapline *ret);

/* The line without the prefix of Google's logs, "… file.cc:12] ". */
struct ep_slice ep_mapline_without_log(struct ep_slice line);

#endif
