/*
 * cxxname.c - see cxxname.h.
 *
 * libiberty makes a tree of a name and prints it; it can leave out the parameters, but
 * not template arguments, and these can't be found in the text (operator<, a > b).  Nor
 * can they be cut off the tree, since T_ elsewhere is looked up in them.  So each
 * template in the tree is marked: its name gets a tag that prints as "[abi:\1]", and its
 * list of arguments a last one that prints as "\2"; what lies between in the text is
 * dropped.  The second mark stands in all styles, since the reference and libiberty do
 * not agree on "> >" behind an empty list.
 *
 * A short name can stand for gigabytes, each substitution repeating one that repeats
 * others; printing is stopped from its own callback when it is over the bound.
 *
 * Source: libiberty/demangle.h; Itanium C++ ABI, 5.1.
 */
#include "symbol/cxxname.h"

#include "base/mem.h"

#include <libiberty/demangle.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

static const char tag[] = "[abi:\1]";
#define VISITED 0x7e57 /* in d_counting, which the printer wants to be 0 again */

struct tree {
	struct ep_cxxname_style style;
	struct demangle_component **nodes; /* owned; all that were reached */
	size_t n, cap;
	struct demangle_component *added; /* owned; two a template */
	size_t n_added;
	struct demangle_component mark_start, mark_end;
	bool failed;
};

static void push(struct tree *t, struct demangle_component *c)
{
	if (!c || c->d_counting == VISITED)
		return;
	if (t->n == t->cap) {
		size_t cap = t->cap ? t->cap * 2 : 256;
		void *more = ep_realloc(t->nodes, cap * sizeof(struct demangle_component *));
		if (!more) {
			t->failed = true;
			return;
		}
		t->nodes = more;
		t->cap = cap;
	}
	c->d_counting = VISITED;
	t->nodes[t->n++] = c;
}

static void push_children(struct tree *t, const struct demangle_component *c)
{
	switch (c->type) {
	case DEMANGLE_COMPONENT_NAME:
	case DEMANGLE_COMPONENT_TEMPLATE_PARAM:
	case DEMANGLE_COMPONENT_FUNCTION_PARAM:
	case DEMANGLE_COMPONENT_SUB_STD:
	case DEMANGLE_COMPONENT_BUILTIN_TYPE:
	case DEMANGLE_COMPONENT_EXTENDED_BUILTIN_TYPE:
	case DEMANGLE_COMPONENT_OPERATOR:
	case DEMANGLE_COMPONENT_CHARACTER:
	case DEMANGLE_COMPONENT_NUMBER:
	case DEMANGLE_COMPONENT_UNNAMED_TYPE:
		return;
	case DEMANGLE_COMPONENT_FIXED_TYPE:
		push(t, c->u.s_fixed.length);
		return;
	case DEMANGLE_COMPONENT_EXTENDED_OPERATOR:
		push(t, c->u.s_extended_operator.name);
		return;
	case DEMANGLE_COMPONENT_CTOR:
		push(t, c->u.s_ctor.name);
		return;
	case DEMANGLE_COMPONENT_DTOR:
		push(t, c->u.s_dtor.name);
		return;
	case DEMANGLE_COMPONENT_LAMBDA:
	case DEMANGLE_COMPONENT_DEFAULT_ARG:
		push(t, c->u.s_unary_num.sub);
		return;
	default:
		push(t, c->u.s_binary.left);
		push(t, c->u.s_binary.right);
	}
}

static void walk(struct tree *t, struct demangle_component *top)
{
	push(t, top);
	for (size_t i = 0; i < t->n; i++)
		push_children(t, t->nodes[i]);
	for (size_t i = 0; i < t->n; i++)
		t->nodes[i]->d_counting = 0;
}

static struct demangle_component *add(struct tree *t, enum demangle_component_type type,
				      struct demangle_component *left,
				      struct demangle_component *right)
{
	struct demangle_component *c = &t->added[t->n_added++];
	c->type = type;
	c->u.s_binary.left = left;
	c->u.s_binary.right = right;
	return c;
}

/* The name that a class is called by itself; NULL: not known. */
static struct demangle_component *own_name(struct demangle_component *c)
{
	while (c && c->type != DEMANGLE_COMPONENT_NAME) {
		if (c->type == DEMANGLE_COMPONENT_TEMPLATE)
			c = c->u.s_binary.left;
		else if (c->type == DEMANGLE_COMPONENT_QUAL_NAME)
			c = c->u.s_binary.right;
		else
			return NULL;
	}
	return c;
}

/* libiberty calls an inherited constructor by the base's name. */
static void name_constructor(struct demangle_component *c)
{
	struct demangle_component *ctor = c->u.s_binary.right;
	struct demangle_component *name = own_name(c->u.s_binary.left);
	if (ctor && ctor->type == DEMANGLE_COMPONENT_TEMPLATE)
		ctor = ctor->u.s_binary.left;
	if (name && ctor && ctor->type == DEMANGLE_COMPONENT_CTOR)
		ctor->u.s_ctor.name = name;
}

static void mark_template(struct tree *t, struct demangle_component *c)
{
	struct demangle_component *last = c->u.s_binary.right;
	if (!c->u.s_binary.left || !last || last->type != DEMANGLE_COMPONENT_TEMPLATE_ARGLIST)
		return;
	while (last->u.s_binary.right &&
	       last->u.s_binary.right->type == DEMANGLE_COMPONENT_TEMPLATE_ARGLIST)
		last = last->u.s_binary.right;
	last->u.s_binary.right =
		add(t, DEMANGLE_COMPONENT_TEMPLATE_ARGLIST, &t->mark_end, NULL);
	if (!t->style.templates)
		c->u.s_binary.left = add(t, DEMANGLE_COMPONENT_TAGGED_NAME,
					 c->u.s_binary.left, &t->mark_start);
}

/* std::basic_ostream<char, …>, as a class of the standard library is called where its
 * constructor follows. */
static void shorten(struct demangle_component *c)
{
	const char *s = c->u.s_string.string;
	const char *open = s ? memchr(s, '<', (size_t)c->u.s_string.len) : NULL;
	if (open)
		c->u.s_string.len = (int)(open - s);
}

/* f(int)::x becomes f()::x. */
static void strip_enclosing(struct demangle_component *c)
{
	struct demangle_component *f = c->u.s_binary.left;
	if (f && f->type == DEMANGLE_COMPONENT_TYPED_NAME && f->u.s_binary.right &&
	    f->u.s_binary.right->type == DEMANGLE_COMPONENT_FUNCTION_TYPE)
		f->u.s_binary.right->u.s_binary.right = NULL;
}

/* &(f<int>(int)) becomes &(f<int>): libiberty does it for names without arguments. */
static void strip_address_of(struct demangle_component *c)
{
	struct demangle_component *f = c->u.s_binary.right;
	if (f && f->type == DEMANGLE_COMPONENT_TYPED_NAME && f->u.s_binary.right &&
	    f->u.s_binary.right->type == DEMANGLE_COMPONENT_FUNCTION_TYPE)
		c->u.s_binary.right = f->u.s_binary.left;
}

static void mark(struct demangle_component *c, char *text)
{
	*c = (struct demangle_component){.type = DEMANGLE_COMPONENT_NAME};
	c->u.s_name.s = text;
	c->u.s_name.len = 1;
}

static void change(struct tree *t)
{
	static char start[] = "\1", end[] = "\2";
	mark(&t->mark_start, start);
	mark(&t->mark_end, end);
	t->added = ep_zalloc((2 * t->n + 1) * sizeof(*t->added));
	if (!t->added) {
		t->failed = true;
		return;
	}
	for (size_t i = 0; i < t->n; i++)
		if (t->nodes[i]->type == DEMANGLE_COMPONENT_QUAL_NAME)
			name_constructor(t->nodes[i]);
	for (size_t i = 0; i < t->n; i++) {
		struct demangle_component *c = t->nodes[i];
		if (c->type == DEMANGLE_COMPONENT_TEMPLATE)
			mark_template(t, c);
		if (c->type == DEMANGLE_COMPONENT_SUB_STD && !t->style.templates)
			shorten(c);
		if (c->type == DEMANGLE_COMPONENT_LOCAL_NAME && !t->style.enclosing)
			strip_enclosing(c);
		if (c->type == DEMANGLE_COMPONENT_UNARY)
			strip_address_of(c);
	}
}

/* ---- printing ---- */

struct printing {
	struct ep_buf *out;
	size_t n; /* printed in all */
	jmp_buf too_much;
};

static void take(const char *s, size_t n, void *opaque)
{
	struct printing *p = opaque;
	p->n += n;
	if (p->n > EP_CXXNAME_MAX_TEXT)
		longjmp(p->too_much, 1); /* the printer holds nothing but its stack */
	ep_buf_add(p->out, s, n);
}

static bool print(struct demangle_component *c, int options, struct ep_buf *out)
{
	struct printing p = {.out = out};
	if (setjmp(p.too_much))
		return false;
	return cplus_demangle_print_callback(options, c, take, &p) != 0 &&
	       !ep_buf_failed(out);
}

/* Drop what lies between the marks. */
static void cut(struct ep_buf *out)
{
	size_t depth = 0, k = 0, n_tag = sizeof(tag) - 1;
	uint8_t *s = out->data;
	for (size_t i = 0; i < out->len; i++) {
		if (out->len - i > n_tag && memcmp(s + i, tag, n_tag) == 0) {
			i += n_tag - 1;
			depth += s[i + 1] == '<';
		} else if (s[i] == '\2') {
			i += i + 1 < out->len && s[i + 1] == '>';
			depth -= depth > 0;
		} else if (!depth) {
			s[k++] = s[i];
		}
	}
	out->len = k;
}

/* Take the marks out, and the commas of arguments that are empty. */
static void tidy(struct ep_buf *out)
{
	size_t k = 0;
	uint8_t *s = out->data;
	for (size_t i = 0; i < out->len; i++) {
		if (s[i] == '\2') {
			while (k > 1 && s[k - 1] == ' ' && s[k - 2] == ',')
				k -= 2;
			if (k && s[k - 1] == '>')
				s[k++] = ' ';
		} else if (s[i] == ',' && i + 1 < out->len && s[i + 1] == ' ' && k &&
			   (s[k - 1] == '(' || s[k - 1] == '<' ||
			    (k > 1 && s[k - 1] == ' ' && s[k - 2] == ','))) {
			i++;
		} else {
			s[k++] = s[i];
		}
	}
	out->len = k;
}

static bool print_tree(struct demangle_component *top, struct ep_cxxname_style style,
		       int options, struct ep_buf *out)
{
	struct tree t = {.style = style};
	while (!style.clones && top->type == DEMANGLE_COMPONENT_CLONE && top->u.s_binary.left)
		top = top->u.s_binary.left;
	walk(&t, top);
	change(&t);
	bool ok = !t.failed && print(top, options, out);
	if (ok && !style.templates)
		cut(out);
	if (ok)
		tidy(out);
	ep_free(t.nodes);
	ep_free(t.added);
	return ok;
}

/* libiberty tries an older reading of some expressions only when it is asked for the
 * text. */
static bool print_whole(const char *name, int options, struct ep_buf *out)
{
	struct printing p = {.out = out};
	if (setjmp(p.too_much))
		return false;
	return cplus_demangle_v3_callback(name, options, take, &p) != 0 && out->len > 0 &&
	       !ep_buf_failed(out);
}

static bool demangle(const char *name, struct ep_cxxname_style style, struct ep_buf *out)
{
	int options = DMGL_ANSI | (style.params ? DMGL_PARAMS : 0);
	void *memory = NULL;
	ep_buf_clear(out);
	struct demangle_component *top = cplus_demangle_v3_components(name, options, &memory);
	if (!top)
		return style.params && print_whole(name, options, out);
	bool ok = print_tree(top, style, options, out);
	free(memory);
	return ok && out->len > 0;
}

bool ep_cxxname_demangle(const char *name, struct ep_cxxname_style style, struct ep_buf *out)
{
	ep_buf_clear(out);
	if (strncmp(name, "_Z", 2) != 0 ||
	    strnlen(name, EP_CXXNAME_MAX + 1) > EP_CXXNAME_MAX || strpbrk(name, "\1\2"))
		return false;
	if (demangle(name, style, out))
		return true;
	/* With parameters, the demangler takes nothing behind the name but a clone's. */
	size_t n = strcspn(name, ".@");
	if (style.clones || !style.params || !name[n])
		return false;
	char *cut_off = ep_strdup(name);
	if (!cut_off)
		return false;
	cut_off[n] = '\0';
	bool ok = demangle(cut_off, style, out);
	ep_free(cut_off);
	return ok;
}
