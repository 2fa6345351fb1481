/*
 * notes.h - remarks of a library on its way: what it could not do, and went on.
 *
 * An error ends the work; a note does not.  The program that called decides where the
 * line goes: standard error, a list on a page, nowhere.
 */
#ifndef EP_BASE_NOTES_H
#define EP_BASE_NOTES_H

struct ep_notes {
	/* One line without a newline.  Called on the thread that does the work. */
	void (*line)(void *ctx, const char *text);
	void *ctx;
	/* The few lines that `go tool pprof` puts among its output; NULL: line() gets
	 * them like all others. */
	void (*stray)(void *ctx, const char *text);
};

/* Hand a line over; `to` may be NULL, then it goes nowhere.  Lines over 1 KB are cut. */
void ep_note(const struct ep_notes *to, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* The same with a line that the reference puts among its output. */
void ep_note_stray(const struct ep_notes *to, const char *text);

#endif
