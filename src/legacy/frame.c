/* frame.c - see frame.h. */
#include "legacy/frame.h"

#include "legacy/plaintext.h"

uint32_t ep_frame_mapping(struct ep_build *b, struct ep_slice binary)
{
	struct ep_mapping m = {.limit = UINT64_MAX, .has_functions = true};
	if (!binary.n)
		return EP_NONE;
	m.filename = ep_build_string(b, binary);
	return ep_build_mapping(b, &m);
}

struct ep_line ep_frame_line(struct ep_build *b, const struct ep_frame *f)
{
	struct ep_function fn = {.name = ep_build_string(b, f->name),
				 .filename = ep_build_string(b, f->file)};
	fn.system_name = fn.name;
	return (struct ep_line){.function = ep_build_function(b, &fn), .line = f->line};
}

uint32_t ep_frame_location(struct ep_build *b, const struct ep_frame *f)
{
	uint32_t mapping = ep_frame_mapping(b, f->binary);
	if (!f->name.n)
		return ep_build_location(b, f->address, mapping, NULL, 0);
	struct ep_line line = ep_frame_line(b, f);
	return ep_build_location(b, f->address, mapping, &line, 1);
}

/* --- text --------------------------------------------------------------------- */

static bool all_hex(struct ep_slice s)
{
	size_t i = 0;
	while (i < s.n && ep_plaintext_is_xdigit(s.p[i]))
		i++;
	return s.n && i == s.n;
}

/* "[libc.so.6 <7f12ab>]", "[7f12ab]", "0x7f12ab". */
static bool parse_address(struct ep_slice s, struct ep_frame *ret)
{
	if (s.n > 2 && s.p[0] == '0' && s.p[1] == 'x')
		return ep_plaintext_hex((struct ep_slice){s.p + 2, s.n - 2},
					&ret->address);
	if (s.n < 3 || s.p[0] != '[' || s.p[s.n - 1] != ']')
		return false;
	struct ep_slice in = {s.p + 1, s.n - 2};
	const char *lt = memrchr(in.p, '<', in.n);
	if (!lt) /* words of three letters may be hex as well: [bad] */
		return in.n >= 6 && all_hex(in) && ep_plaintext_hex(in, &ret->address);
	if (in.p[in.n - 1] != '>' || lt < in.p + 2 || lt[-1] != ' ' ||
	    !ep_plaintext_hex(
		    (struct ep_slice){lt + 1, (size_t)(in.p + in.n - 1 - lt - 1)},
		    &ret->address))
		return false;
	ret->binary = (struct ep_slice){in.p, (size_t)(lt - 1 - in.p)};
	if (ep_slice_is(ret->binary, "unknown"))
		ret->binary.n = 0;
	return true;
}

/* "_[k]" and the like at the end of a name: of the kernel, made at run time, inlined.
 */
static void cut_mark(struct ep_frame *f)
{
	struct ep_slice s = f->name;
	if (s.n < 5 || s.p[s.n - 4] != '_' || s.p[s.n - 3] != '[' ||
	    s.p[s.n - 1] != ']')
		return;
	switch (s.p[s.n - 2]) {
	case 'k':
		f->binary = ep_slice_of("[kernel.kallsyms]");
		break;
	case 'j':
		f->binary = ep_slice_of("[jit]");
		break;
	case 'i':
		break;
	default:
		return;
	}
	f->name.n -= 4;
}

/* Is it a file, not the arguments of a function? */
static bool is_file(struct ep_slice s)
{
	const char *slash = memrchr(s.p, '/', s.n), *dot = memrchr(s.p, '.', s.n);
	if (!dot || dot == s.p + s.n - 1 || (slash && dot < slash))
		return slash == s.p;
	for (size_t i = 0; i < s.n; i++)
		if (strchr(",()*&", s.p[i]))
			return false;
	return true;
}

/* "name (file:line)", "name (file.ext)". */
static void cut_source(struct ep_frame *f)
{
	struct ep_slice s = f->name;
	if (s.n < 4 || s.p[s.n - 1] != ')')
		return;
	const char *open = memrchr(s.p, '(', s.n);
	if (!open || open < s.p + 2 || open[-1] != ' ')
		return;
	struct ep_slice in = {open + 1, (size_t)(s.p + s.n - 1 - open - 1)};
	const char *colon = in.n ? memrchr(in.p, ':', in.n) : NULL;
	if (colon && colon > in.p &&
	    ep_plaintext_int(
		    (struct ep_slice){colon + 1, (size_t)(in.p + in.n - colon - 1)}, 10,
		    &f->line))
		in.n = (size_t)(colon - in.p);
	else if (!in.n || !is_file(in))
		return;
	f->file = in;
	f->name.n = (size_t)(open - 1 - s.p);
}

struct ep_frame ep_frame_parse(struct ep_slice text)
{
	struct ep_frame f = {0};
	if (parse_address(text, &f))
		return f;
	f = (struct ep_frame){.name = text};
	cut_mark(&f);
	cut_source(&f);
	return f;
}
