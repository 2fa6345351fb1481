/*
 * sketch.h - small profiles as text, for tests of what changes profiles.
 *
 * A sample a line: its stack from the root, a value, labels.  `a;b+c@lib 5 k=v n#3kb` is
 * a, which called b, into which c is inlined, both in the mapping lib; a string label and
 * a numeric one with its unit.  A function's file is its name with .zz behind; a frame
 * that is `?` has no function; `-` is an empty stack.
 */
#ifndef EP_TEST_SKETCH_H
#define EP_TEST_SKETCH_H

#include "profile/profile.h"

/* The caller frees it with ep_profile_free(). */
struct ep_profile *sketch(const char *text);

/* The samples of a profile, as above; in a static buffer. */
const char *sketch_of(const struct ep_profile *p);

/* A view of it, which remembers what it looked like. */
struct ep_profile *sketch_view(const struct ep_profile *p);

/* The view shows this now, and its base what it always did; frees both. */
void sketch_expect(struct ep_profile *base, struct ep_profile *view, const char *text);

#endif
