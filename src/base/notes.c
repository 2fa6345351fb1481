/* notes.c - see notes.h. */
#include "base/notes.h"

#include <stdarg.h>
#include <stdio.h>

void ep_note(const struct ep_notes *to, const char *fmt, ...)
{
	if (!to || !to->line)
		return;
	char text[1024];
	va_list ap;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap); /* cut, as the header says */
	va_end(ap);
	to->line(to->ctx, text);
}

void ep_note_stray(const struct ep_notes *to, const char *text)
{
	if (to && to->stray)
		to->stray(to->ctx, text);
	else
		ep_note(to, "%s", text);
}
