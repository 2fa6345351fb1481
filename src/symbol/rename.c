/* rename.c - see rename.h. */
#include "symbol/rename.h"

#include "base/mem.h"
#include "symbol/cxxname.h"
#include "symbol/rust.h"

#include <stdlib.h>
#include <string.h>

#define MAX_TEXT ((size_t)2 << 20)

static struct ep_cxxname_style style_of(enum ep_demangle_mode mode)
{
	switch (mode) {
	case EP_DEMANGLE_FULL:
		return (struct ep_cxxname_style){
			.params = true, .templates = true, .enclosing = true};
	case EP_DEMANGLE_TEMPLATES:
		return (struct ep_cxxname_style){.templates = true};
	default:
		return (struct ep_cxxname_style){0};
	}
}

/* ---- names that are none of Rust's ---- */

/* ___Z…_block_invoke_2: clang's blocks. */
static bool rename_block(const char *name, enum ep_demangle_mode mode, struct ep_buf *out)
{
	static const char block[] = "_block_invoke";
	const char *at = NULL;
	for (const char *p = name; (p = strstr(p, block)); p++)
		at = p;
	if (!at || at < name + 4)
		return false;
	const char *rest = at + sizeof(block) - 1;
	rest += *rest == '_';
	rest += strspn(rest, "0123456789");
	if (*rest && *rest != '.')
		return false;
	char *inner = ep_strdup(name + 2);
	if (!inner)
		return false;
	inner[at - name - 2] = '\0';
	ep_auto_buf text;
	ep_buf_init(&text, MAX_TEXT);
	bool ok = ep_cxxname_demangle(inner, style_of(mode), &text);
	ep_free(inner);
	if (!ok)
		return false;
	ep_buf_add_str(out, "invocation function for block in ");
	ep_buf_add(out, text.data, text.len);
	return true;
}

/* _GLOBAL__I_x */
static bool rename_global(const char *name, enum ep_demangle_mode mode, struct ep_buf *out)
{
	const char *p = name + strlen("_GLOBAL_");
	struct ep_cxxname_style style = style_of(mode);
	style.params = true;
	if (strlen(p) < 4 || !strchr("._$", p[0]) || (p[1] != 'I' && p[1] != 'D') || p[2] != '_')
		return false;
	ep_auto_buf text;
	ep_buf_init(&text, MAX_TEXT);
	bool is_mangled = strncmp(p + 3, "_Z", 2) == 0;
	if (is_mangled && !ep_cxxname_demangle(p + 3, style, &text))
		return false;
	ep_buf_add_str(out, p[1] == 'I' ? "global constructors keyed to "
					: "global destructors keyed to ");
	if (is_mangled)
		ep_buf_add(out, text.data, text.len);
	else
		ep_buf_add_str(out, p);
	return true;
}

static bool demangle(const char *name, enum ep_demangle_mode mode, struct ep_buf *out)
{
	ep_buf_clear(out);
	if (strncmp(name, "_R", 2) == 0)
		return ep_rust_demangle_style(name, mode != EP_DEMANGLE_DEFAULT, out) &&
		       !ep_buf_failed(out);
	if (strncmp(name, "_ZN", 3) == 0) {
		if (ep_rust_demangle_old(name, out))
			return true;
		ep_buf_clear(out);
	}
	if (strncmp(name, "_Z", 2) == 0)
		return ep_cxxname_demangle(name, style_of(mode), out);
	if (strncmp(name, "___Z", 4) == 0)
		return rename_block(name, mode, out);
	return strncmp(name, "_GLOBAL_", 8) == 0 && rename_global(name, mode, out);
}

/* ---- names that somebody demangled already ---- */

static bool looks_demangled(const char *s)
{
	/* Java's "class.<init>" and Go's "foo.(*Bar[...]).Method" do not. */
	if (strstr(s, ".<") || strstr(s, "])."))
		return false;
	return strpbrk(s, "<>[]") || strstr(s, "::");
}

/* Take out what stands between matching open…close; nothing when they don't match. */
static void remove_matching(struct ep_buf *out, char open, char close)
{
	size_t nesting = 0, first = 0, k = 0;
	ep_auto_mem uint8_t *kept = ep_alloc(out->len + 1);
	if (!kept)
		return;
	for (size_t i = 0; i < out->len; i++) {
		char c = (char)out->data[i];
		kept[k++] = out->data[i];
		if (c == open && nesting++ == 0)
			first = k - 1;
		if (c != close)
			continue;
		if (!nesting) {
			/* The reference stops here, with what it took out so far. */
			memmove(out->data + k, out->data + i + 1, out->len - i - 1);
			memcpy(out->data, kept, k);
			out->len = k + (out->len - i - 1);
			return;
		}
		if (--nesting == 0)
			k = first;
	}
	memcpy(out->data, kept, k);
	out->len = k;
}

void ep_rename(const char *name, enum ep_demangle_mode mode, struct ep_buf *out)
{
	if (mode != EP_DEMANGLE_NONE &&
	    (demangle(name, mode, out) || (*name == '_' && demangle(name + 1, mode, out))))
		return;
	ep_buf_clear(out);
	ep_buf_add_str(out, name);
	if (mode == EP_DEMANGLE_NONE || mode == EP_DEMANGLE_FULL || !looks_demangled(name))
		return;
	remove_matching(out, '(', ')');
	if (mode == EP_DEMANGLE_DEFAULT)
		remove_matching(out, '<', '>');
}

/* ---- a profile ---- */

struct all {
	struct ep_relabel *r;
	enum ep_demangle_mode mode;
	struct ep_buf in, out;
	ep_str *known; /* owned; by system name: the readable one + 1 */
	size_t n_known;
};

static ep_str readable(struct all *a, ep_str system)
{
	struct ep_slice s = ep_relabel_text(a->r, system);
	if (!s.n || memchr(s.p, 0, s.n) || s.n > MAX_TEXT / 2)
		return system;
	if (system < a->n_known && a->known[system])
		return a->known[system] - 1;
	ep_buf_clear(&a->in);
	ep_buf_add(&a->in, s.p, s.n);
	ep_rename(ep_buf_cstr(&a->in), a->mode, &a->out);
	struct ep_slice t = {(const char *)a->out.data, a->out.len};
	ep_str name = ep_slice_eq(s, t) ? system : ep_relabel_string(a->r, t);
	if (system < a->n_known)
		a->known[system] = name + 1;
	return name;
}

static bool is_done(const struct all *a, const struct ep_function *f)
{
	return f->name && f->name != f->system_name &&
	       !ep_slice_eq(ep_relabel_text(a->r, f->name),
			    ep_relabel_text(a->r, f->system_name));
}

void ep_rename_all(struct ep_relabel *r, bool force, enum ep_demangle_mode mode)
{
	struct all a = {.r = r, .mode = mode};
	size_t n = ep_relabel_n_functions(r);
	a.n_known = r->p->n_strings + r->n_strings;
	a.known = ep_zalloc((a.n_known + 1) * sizeof(*a.known));
	if (!a.known) {
		r->failed = -ENOMEM;
		return;
	}
	ep_buf_init(&a.in, MAX_TEXT);
	ep_buf_init(&a.out, MAX_TEXT);
	for (size_t i = 0; i < n; i++) {
		struct ep_function *f = ep_relabel_function_at(r, (uint32_t)i);
		if (force && f->name && f->system_name)
			f->name = f->system_name;
		if (mode != EP_DEMANGLE_NONE && !is_done(&a, f))
			f->name = readable(&a, f->system_name);
	}
	ep_buf_fini(&a.in);
	ep_buf_fini(&a.out);
	ep_free(a.known);
}
