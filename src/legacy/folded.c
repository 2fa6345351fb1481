/*
 * folded.c - folded stacks: "main;f;g 12", the root first, a line a stack.
 *
 * What the stackcollapse scripts, py-spy, async-profiler and others write for flame
 * graphs.  The number may have a fraction, which is rounded.  A frame is any text, so
 * the whole file must look so before it is taken for one: see looks_folded().
 */
#include "legacy/parsers.h"
#include "legacy/frame.h"
#include "legacy/making.h"
#include "legacy/plaintext.h"

struct folded {
	struct ep_plaintext t;
	struct ep_making m;
};

/* "STACK NUMBER[.FRACTION]". */
static bool split(struct ep_slice line, struct ep_slice *ret_stack, int64_t *ret_n)
{
	const char *end = line.p + line.n, *p = end;
	while (p > line.p && ep_plaintext_is_digit(p[-1]))
		p--;
	const char *dot = NULL;
	if (p > line.p + 1 && p[-1] == '.' && ep_plaintext_is_digit(p[-2])) {
		dot = p - 1;
		p = dot;
		while (p > line.p && ep_plaintext_is_digit(p[-1]))
			p--;
	}
	const char *whole_end = dot ? dot : end;
	if (p == whole_end || p < line.p + 2 || (p[-1] != ' ' && p[-1] != '\t'))
		return false;
	if (!ep_plaintext_int((struct ep_slice){p, (size_t)(whole_end - p)}, 10, ret_n))
		return false;
	if (dot && dot + 1 < end && dot[1] >= '5' && *ret_n < INT64_MAX)
		++*ret_n;
	*ret_stack = ep_plaintext_trim((struct ep_slice){line.p, (size_t)(p - line.p)});
	return ret_stack->n > 0;
}

/* Lines like these from the first on, and a stack of two frames among them. */
static bool looks_folded(struct ep_plaintext t)
{
	enum { LOOK_AT = 200 };
	struct ep_slice stack;
	int64_t n;
	bool deep = false;
	for (int i = 0; i < LOOK_AT && ep_plaintext_next(&t);) {
		if (ep_plaintext_is_blank(t.line))
			continue;
		if (memchr(t.line.p, '\0', t.line.n) ||
		    !split(ep_plaintext_trim(t.line), &stack, &n))
			return deep && i > 0;
		deep |= memchr(stack.p, ';', stack.n) != NULL;
		i++;
	}
	return deep;
}

/* From the leaf, which is the last. */
static void add_frames(struct folded *f, struct ep_slice stack)
{
	const char *end = stack.p + stack.n;
	while (end >= stack.p) {
		const char *semicolon =
			end > stack.p ? memrchr(stack.p, ';', (size_t)(end - stack.p))
				      : NULL;
		const char *from = semicolon ? semicolon + 1 : stack.p;
		struct ep_slice text = ep_plaintext_trim(
			(struct ep_slice){from, (size_t)(end - from)});
		if (text.n) {
			struct ep_frame frame = ep_frame_parse(text);
			ep_making_frame(&f->m, ep_frame_location(f->m.b, &frame));
		}
		if (!semicolon)
			break;
		end = semicolon;
	}
}

static int read_folded(struct folded *f, struct ep_profile **ret_p, struct ep_err *err)
{
	struct ep_slice stack;
	int64_t n;
	ep_build_sample_type(f->m.b, "samples", "count");
	while (ep_plaintext_next(&f->t)) {
		struct ep_slice line = ep_plaintext_trim(f->t.line);
		if (ep_plaintext_is_blank(line))
			continue;
		if (!split(line, &stack, &n))
			return ep_plaintext_fail(
				&f->t, err,
				"folded stacks: no number at the end of the line");
		add_frames(f, stack);
		ep_build_sample(f->m.b, f->m.stack, f->m.n, NULL, 0, &n);
		f->m.n = 0;
	}
	if (f->m.failed)
		return ep_fail(err, f->m.failed, 0, "no memory for a stack");
	return ep_build_finish(f->m.b, ret_p, err);
}

int ep_folded_parse(struct ep_slice bytes, size_t max_bytes, struct ep_profile **ret_p,
		    struct ep_err *err)
{
	struct folded f = {0};
	ep_plaintext_open(&f.t, bytes);
	if (!looks_folded(f.t))
		return EP_PARSER_OTHER;
	int rc = ep_making_init(&f.m, max_bytes, err);
	if (rc == 0)
		rc = read_folded(&f, ret_p, err);
	ep_making_fini(&f.m);
	return rc;
}
