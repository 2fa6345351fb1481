/*
 * draw.h - a graph as text to a picture, by Graphviz; and a hand to move the picture.
 */
#ifndef EP_PPROF_DRAW_H
#define EP_PPROF_DRAW_H

#include "base/buf.h"
#include "base/err.h"

/*
 * ep_draw_dot - run `dot -TFORMAT` on the text in b, and put the picture in its place.
 *
 * errors   -EIO "failed to execute dot. Is Graphviz installed? …"; -ENOMEM, -E2BIG
 * threads  any thread; starts a child process and waits for it
 */
int ep_draw_dot(const char *format, struct ep_buf *b, struct ep_err *err);

/*
 * ep_draw_add_pan - make dot's SVG fill the window, and follow mouse and wheel.
 *
 * The names of the parts (a group "viewport" around "graph0") are the reference's, as
 * scripts of others look for them; the script is ours.
 */
int ep_draw_add_pan(struct ep_buf *svg, struct ep_err *err);

#endif
