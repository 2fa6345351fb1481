/*
 * sourcefile.h - source files by the names that profiles give them: found, read, cut
 * into lines.
 *
 * A name in a profile is that of the machine where the program was built.  Prefixes are
 * trimmed from it, then what is left is looked for below the folders of source_path and
 * all their parents.  Names are a stranger's: only regular files are read, and no more
 * than a limit.
 */
#ifndef EP_REPORT_SOURCEFILE_H
#define EP_REPORT_SOURCEFILE_H

#include "base/err.h"
#include "base/mem.h"
#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>

struct ep_sourcefile {
	struct ep_slice path; /* as it was asked for */
	bool found;	      /* else error says why not */
	char *error;
	struct ep_slice text;
	struct ep_slice *lines; /* of the text, without their ends */
	uint32_t n_lines;
};

/* Line `number`, from 1; false past the end. */
static inline bool ep_sourcefile_line(const struct ep_sourcefile *f, int64_t number,
				      struct ep_slice *ret_line)
{
	if (number < 1 || number > f->n_lines)
		return false;
	*ret_line = f->lines[number - 1];
	return true;
}

struct ep_sourcefile_reader; /* keeps what it read */

/*
 * ep_sourcefile_reader_new
 *
 * in       source_path  folders by colons; "": the working folder
 *          trim_path    prefixes by colons; ""
 * errors   -ENOMEM; -EIO the working folder is gone
 * threads  one thread at a time per reader
 */
int ep_sourcefile_reader_new(const char *source_path, const char *trim_path,
			     struct ep_sourcefile_reader **ret_r, struct ep_err *err);
void ep_sourcefile_reader_free(struct ep_sourcefile_reader *r);
EP_DEFINE_AUTO(ep_sourcefile_reader);

/*
 * ep_sourcefile_open - a file by its name in a profile.
 *
 * out      *ret_f is kept until the reader is freed; found is false when there is none
 * errors   -ENOMEM
 */
int ep_sourcefile_open(struct ep_sourcefile_reader *r, struct ep_slice path,
		       const struct ep_sourcefile **ret_f);

/* A file if it was opened before; NULL if not. */
const struct ep_sourcefile *ep_sourcefile_opened(const struct ep_sourcefile_reader *r,
						 struct ep_slice path);

/*
 * ep_sourcefile_trim - a path without the prefix that the options take away.
 *
 * trim_path "": all before and with a folder that is named as one of search_path is.
 * Reports show file names trimmed so; returns a slice of path.
 */
struct ep_slice ep_sourcefile_trim(struct ep_slice path, const char *trim_path,
				   const char *search_path);

#endif
