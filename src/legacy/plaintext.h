/*
 * plaintext.h - lines and numbers of the older text formats.
 *
 * What counts as a line, a space or a number is what the reference takes for one, since
 * its choices decide which format a file is.
 */
#ifndef EP_LEGACY_PLAINTEXT_H
#define EP_LEGACY_PLAINTEXT_H

#include "base/err.h"
#include "base/slice.h"

#include <stdint.h>

struct ep_plaintext {
	const char *base, *at, *end;
	struct ep_slice
		line; /* without its end; empty before the first and behind the last */
	uint32_t n_lines; /* of `line`, from 1 */
};

/* Any thread, here and below. */
void ep_plaintext_open(struct ep_plaintext *t, struct ep_slice bytes);
/* The next line; false behind the last. */
bool ep_plaintext_next(struct ep_plaintext *t);
/* A fault of the current line: its offset, and its number behind the text. */
int ep_plaintext_fail(const struct ep_plaintext *t, struct ep_err *err, const char *fmt,
		      ...) __attribute__((format(printf, 3, 4)));

/* Without white space around it, that of Unicode too. */
struct ep_slice ep_plaintext_trim(struct ep_slice s);
/* Nothing but space, or a comment? */
bool ep_plaintext_is_blank(struct ep_slice line);
bool ep_plaintext_begins(struct ep_slice s, const char *with);
bool ep_plaintext_has(struct ep_slice s, const char *what);
/* Is it the line above a memory map? */
bool ep_plaintext_is_map_title(struct ep_slice line);

static inline bool ep_plaintext_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static inline bool ep_plaintext_is_xdigit(char c)
{
	return ep_plaintext_is_digit(c) || (c >= 'a' && c <= 'f') ||
	       (c >= 'A' && c <= 'F');
}

/* The white space of a regular expression. */
static inline bool ep_plaintext_is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r' && c != '\v');
}

/*
 * Parsers at a place: each takes what it names, moves *at behind it and says whether it
 * was there; on false *at stays.
 */
bool ep_plaintext_take(const char **at, const char *end, const char *word);
bool ep_plaintext_take_digits(const char **at, const char *end, struct ep_slice *ret);
/* The "0x12 0x34 ..." that begins at p, perhaps empty. */
struct ep_slice ep_plaintext_addresses(const char *p, const char *end);
void ep_plaintext_skip_blanks(const char **at, const char *end); /* ' ' only */

/* Whole slices as numbers; false when they are none or too large.  Base 0 reads 0x, 0b,
 * 0o and 0 before a number, and '_' between digits. */
bool ep_plaintext_int(struct ep_slice s, int base, int64_t *ret);
bool ep_plaintext_hex(struct ep_slice s, uint64_t *ret);

/* The next 0x… of small letters at or behind *at: 1; 0 when there is none; -ERANGE when
 * it has more than 64 bits. */
int ep_plaintext_next_address(const char **at, const char *end, uint64_t *ret);

#endif
