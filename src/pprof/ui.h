/*
 * ui.h - words to the user, on standard error; standard output carries reports only.
 */
#ifndef EP_PPROF_UI_H
#define EP_PPROF_UI_H

#include "base/notes.h"

#include <stdbool.h>

/* Notes that go to standard error, a line each. */
struct ep_notes ep_ui_notes(void);

/* Lines are red from now on, as the reference's shell has them on a terminal. */
void ep_ui_set_red(bool on);

/* A line to standard error; one with a newline at its end gets no second one. */
void ep_ui_print(const char *text);
void ep_ui_error(const char *text);

/* strerror() as Go writes it: "no such file or directory". */
const char *ep_ui_errno(int code, char buf[80]);

/* May standard output (1) or error (2) be drawn on: a terminal, and not a dumb one? */
bool ep_ui_is_terminal(int fd);
/* Its columns; 0 unknown. */
int ep_ui_width(int fd);

#endif
