/*
 * rust_v0.c - names that begin with _R.  See rust.h.
 *
 * A recursive descent over the grammar, printing as it goes.  A back reference
 * goes back in the name and prints from there, so a short name can stand for a
 * long one: depth, steps and output are all bounded.
 *
 * Source: RFC 2603; rustc book, "v0 Symbol Format".
 */
#include "symbol/rust.h"

#include <stdint.h>
#include <string.h>

enum { MAX_DEPTH = 100, MAX_STEPS = 20000, MAX_OUTPUT = 8192 };

struct parser {
	const char *start, *p, *end; /* behind "_R" */
	struct ep_buf *out;
	int depth, steps;
	bool bad, silent;
	bool no_generics; /* "<>" for generic arguments */
	uint64_t n_bound; /* lifetimes of the binders around */
};

static void print_path(struct parser *d, bool in_value);
static void print_type(struct parser *d);
static void print_const(struct parser *d);

static void add(struct parser *d, const char *s, size_t n)
{
	if (d->silent || d->bad)
		return;
	if (d->out->len + n > MAX_OUTPUT)
		d->bad = true;
	else
		ep_buf_add(d->out, s, n);
}

static void add_str(struct parser *d, const char *s)
{
	add(d, s, strlen(s));
}

static void add_number(struct parser *d, uint64_t n)
{
	char text[20];
	size_t at = sizeof(text);
	do
		text[--at] = (char)('0' + n % 10);
	while (n /= 10);
	add(d, text + at, sizeof(text) - at);
}

static bool enter(struct parser *d)
{
	if (++d->depth > MAX_DEPTH || ++d->steps > MAX_STEPS)
		d->bad = true;
	return !d->bad;
}

static char next(struct parser *d)
{
	if (d->bad || d->p == d->end) {
		d->bad = true;
		return '\0';
	}
	return *d->p++;
}

static bool eat(struct parser *d, char c)
{
	if (d->bad || d->p == d->end || *d->p != c)
		return false;
	d->p++;
	return true;
}

/* "_" is 0, "0_" is 1, … */
static uint64_t base62(struct parser *d)
{
	uint64_t v = 0;
	if (eat(d, '_'))
		return 0;
	for (;;) {
		char c = next(d);
		uint64_t digit;
		if (c == '_')
			break;
		if (c >= '0' && c <= '9')
			digit = (uint64_t)(c - '0');
		else if (c >= 'a' && c <= 'z')
			digit = (uint64_t)(c - 'a') + 10;
		else if (c >= 'A' && c <= 'Z')
			digit = (uint64_t)(c - 'A') + 36;
		else
			digit = UINT64_MAX;
		if (digit == UINT64_MAX ||
		    __builtin_mul_overflow(v, (uint64_t)62, &v) ||
		    __builtin_add_overflow(v, digit, &v))
			d->bad = true;
		if (d->bad)
			return 0;
	}
	if (v == UINT64_MAX)
		d->bad = true;
	return v + 1;
}

/* "s" base62, counted from 1; 0 when absent. */
static uint64_t optional62(struct parser *d, char tag)
{
	return eat(d, tag) ? base62(d) + 1 : 0;
}

struct ident {
	const char *p;
	size_t n;
	bool punycode;
};

static struct ident identifier(struct parser *d)
{
	struct ident id = {.punycode = eat(d, 'u')};
	size_t n = 0;
	char c = next(d);
	if (c < '0' || c > '9') {
		d->bad = true;
		return id;
	}
	n = (size_t)(c - '0');
	while (c != '0' && d->p < d->end && *d->p >= '0' && *d->p <= '9' && n < 100000)
		n = n * 10 + (size_t)(*d->p++ - '0');
	(void)eat(d, '_'); /* parts a name that begins with a digit */
	if (d->bad || n > (size_t)(d->end - d->p)) {
		d->bad = true;
		return id;
	}
	id.p = d->p;
	id.n = n;
	d->p += n;
	return id;
}

static void print_ident(struct parser *d, struct ident id)
{
	if (id.punycode)
		add_str(d, "punycode{");
	add(d, id.p, id.n);
	if (id.punycode)
		add_str(d, "}");
}

/* Print what lies further ahead in the name, then come back. */
static void print_back(struct parser *d, void (*print)(struct parser *d, bool),
		       bool arg)
{
	const char *tag = d->p - 1;
	uint64_t at = base62(d);
	const char *back = d->p;
	if (d->bad || at >= (uint64_t)(tag - d->start)) {
		d->bad = true;
		return;
	}
	if (d->silent)
		return;
	d->p = d->start + at;
	print(d, arg);
	d->p = back;
}

static void print_type_arg(struct parser *d, bool unused)
{
	(void)unused;
	print_type(d);
}

static void print_const_arg(struct parser *d, bool unused)
{
	(void)unused;
	print_const(d);
}

static void print_lifetime(struct parser *d, uint64_t index)
{
	if (index == 0) {
		add_str(d, "'_");
		return;
	}
	if (index > d->n_bound) {
		d->bad = true;
		return;
	}
	uint64_t depth = d->n_bound - index;
	char name[3] = {'\'', (char)('a' + depth % 26), '\0'};
	add_str(d, name);
	if (depth >= 26)
		add_number(d, depth / 26);
}

static void print_generic_arg(struct parser *d)
{
	if (eat(d, 'L'))
		print_lifetime(d, base62(d));
	else if (eat(d, 'K'))
		print_const(d);
	else
		print_type(d);
}

static unsigned print_list(struct parser *d, void (*print)(struct parser *d))
{
	unsigned n = 0;
	while (!d->bad && !eat(d, 'E')) {
		if (n++)
			add_str(d, ", ");
		print(d);
	}
	return n;
}

static void skip_impl_path(struct parser *d)
{
	bool was = d->silent;
	(void)optional62(d, 's');
	d->silent = true;
	print_path(d, false);
	d->silent = was;
}

static void print_nested(struct parser *d, bool in_value)
{
	char ns = next(d);
	print_path(d, in_value);
	uint64_t disambiguator = optional62(d, 's');
	struct ident id = identifier(d);
	if (ns >= 'A' && ns <= 'Z') {
		add_str(d, "::{");
		if (ns == 'C')
			add_str(d, "closure");
		else if (ns == 'S')
			add_str(d, "shim");
		else
			add(d, &ns, 1);
		if (id.n) {
			add_str(d, ":");
			print_ident(d, id);
		}
		add_str(d, "#");
		add_number(d, disambiguator);
		add_str(d, "}");
	} else if (ns >= 'a' && ns <= 'z') {
		if (id.n) {
			add_str(d, "::");
			print_ident(d, id);
		}
	} else {
		d->bad = true;
	}
}

static void print_generic_args(struct parser *d)
{
	bool silent = d->silent;
	d->silent |= d->no_generics;
	(void)print_list(d, print_generic_arg);
	d->silent = silent;
}

static void print_path_tagged(struct parser *d, char tag, bool in_value)
{
	switch (tag) {
	case 'C':
		(void)optional62(d, 's');
		print_ident(d, identifier(d));
		break;
	case 'M':
	case 'X':
		skip_impl_path(d);
		/* fall through */
	case 'Y':
		add_str(d, "<");
		print_type(d);
		if (tag != 'M') {
			add_str(d, " as ");
			print_path(d, false);
		}
		add_str(d, ">");
		break;
	case 'N':
		print_nested(d, in_value);
		break;
	case 'I':
		print_path(d, in_value);
		add_str(d, in_value ? "::<" : "<");
		print_generic_args(d);
		add_str(d, ">");
		break;
	case 'B':
		print_back(d, print_path, in_value);
		break;
	default:
		d->bad = true;
	}
}

static void print_path(struct parser *d, bool in_value)
{
	if (enter(d))
		print_path_tagged(d, next(d), in_value);
	d->depth--;
}

static const char *basic_type(char c)
{
	static const char *const names[26] = {
		['a' - 'a'] = "i8",   ['b' - 'a'] = "bool",  ['c' - 'a'] = "char",
		['d' - 'a'] = "f64",  ['e' - 'a'] = "str",   ['f' - 'a'] = "f32",
		['h' - 'a'] = "u8",   ['i' - 'a'] = "isize", ['j' - 'a'] = "usize",
		['l' - 'a'] = "i32",  ['m' - 'a'] = "u32",   ['n' - 'a'] = "i128",
		['o' - 'a'] = "u128", ['p' - 'a'] = "_",     ['s' - 'a'] = "i16",
		['t' - 'a'] = "u16",  ['u' - 'a'] = "()",    ['v' - 'a'] = "...",
		['x' - 'a'] = "i64",  ['y' - 'a'] = "u64",   ['z' - 'a'] = "!",
	};
	return c >= 'a' && c <= 'z' ? names[c - 'a'] : NULL;
}

/* "for<'a, 'b> "; the caller takes the returned number of lifetimes off again. */
static uint64_t print_binder(struct parser *d)
{
	uint64_t n = optional62(d, 'G');
	if (n > 100) {
		d->bad = true;
		return 0;
	}
	if (n)
		add_str(d, "for<");
	for (uint64_t i = 0; i < n; i++) {
		if (i)
			add_str(d, ", ");
		d->n_bound++;
		print_lifetime(d, 1);
	}
	if (n)
		add_str(d, "> ");
	return n;
}

static void print_abi(struct parser *d)
{
	add_str(d, "extern \"");
	if (eat(d, 'C')) {
		add_str(d, "C");
	} else {
		struct ident id = identifier(d);
		for (size_t i = 0; !d->bad && i < id.n; i++)
			add(d, id.p[i] == '_' ? "-" : &id.p[i], 1);
	}
	add_str(d, "\" ");
}

static void print_function(struct parser *d)
{
	uint64_t bound = print_binder(d);
	if (eat(d, 'U'))
		add_str(d, "unsafe ");
	if (eat(d, 'K'))
		print_abi(d);
	add_str(d, "fn(");
	(void)print_list(d, print_type);
	add_str(d, ")");
	if (!eat(d, 'u')) {
		add_str(d, " -> ");
		print_type(d);
	}
	d->n_bound -= bound;
}

/* A trait whose generic arguments may be followed by bindings, Name = Type. */
static void print_dyn_trait(struct parser *d)
{
	bool open = false;
	if (d->p < d->end && *d->p == 'I') {
		d->p++;
		print_path(d, false);
		add_str(d, "<");
		print_generic_args(d);
		open = true;
	} else {
		print_path(d, false);
	}
	while (eat(d, 'p')) {
		add_str(d, open ? ", " : "<");
		open = true;
		print_ident(d, identifier(d));
		add_str(d, " = ");
		print_type(d);
	}
	if (open)
		add_str(d, ">");
}

static void print_dyn(struct parser *d)
{
	add_str(d, "dyn ");
	uint64_t bound = print_binder(d);
	for (unsigned n = 0; !d->bad && !eat(d, 'E'); n++) {
		if (n)
			add_str(d, " + ");
		print_dyn_trait(d);
	}
	d->n_bound -= bound;
	if (!eat(d, 'L')) {
		d->bad = true;
		return;
	}
	uint64_t lifetime = base62(d);
	if (lifetime) {
		add_str(d, " + ");
		print_lifetime(d, lifetime);
	}
}

static void print_reference(struct parser *d, const char *sigil)
{
	add_str(d, "&");
	if (eat(d, 'L')) {
		uint64_t lifetime = base62(d);
		if (lifetime) {
			print_lifetime(d, lifetime);
			add_str(d, " ");
		}
	}
	add_str(d, sigil);
	print_type(d);
}

static void print_type_tagged(struct parser *d, char tag)
{
	switch (tag) {
	case 'R':
		print_reference(d, "");
		break;
	case 'Q':
		print_reference(d, "mut ");
		break;
	case 'P':
		add_str(d, "*const ");
		print_type(d);
		break;
	case 'O':
		add_str(d, "*mut ");
		print_type(d);
		break;
	case 'A':
	case 'S':
		add_str(d, "[");
		print_type(d);
		if (tag == 'A') {
			add_str(d, "; ");
			print_const(d);
		}
		add_str(d, "]");
		break;
	case 'T':
		add_str(d, "(");
		if (print_list(d, print_type) == 1)
			add_str(d, ",");
		add_str(d, ")");
		break;
	case 'F':
		print_function(d);
		break;
	case 'D':
		print_dyn(d);
		break;
	case 'B':
		print_back(d, print_type_arg, false);
		break;
	default:
		print_path_tagged(d, tag, false);
	}
}

static void print_type(struct parser *d)
{
	if (enter(d)) {
		char tag = next(d);
		const char *basic = basic_type(tag);
		if (basic)
			add_str(d, basic);
		else
			print_type_tagged(d, tag);
	}
	d->depth--;
}

static void print_const_number(struct parser *d)
{
	uint64_t v = 0;
	const char *start = d->p;
	char c;
	while ((c = next(d)) != '_' && !d->bad) {
		if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
			d->bad = true;
		v = v << 4 | (uint64_t)(c <= '9' ? c - '0' : c - 'a' + 10);
	}
	if (d->bad)
		return;
	if (d->p - start <= 17) {
		add_number(d, v);
	} else {
		add_str(d, "0x");
		add(d, start, (size_t)(d->p - start) - 1);
	}
}

static void print_const(struct parser *d)
{
	if (enter(d)) {
		char tag = next(d);
		if (tag == 'B') {
			print_back(d, print_const_arg, false);
		} else if (tag == 'p') {
			add_str(d, "_");
		} else if (tag == 'b') {
			char v = next(d);
			add_str(d, v == '1' ? "true" : "false");
			d->bad |= (v != '0' && v != '1') || !eat(d, '_');
		} else if (basic_type(tag)) {
			if (eat(d, 'n'))
				add_str(d, "-");
			print_const_number(d);
		} else {
			d->bad = true;
		}
	}
	d->depth--;
}

bool ep_rust_demangle(const char *name, struct ep_buf *out)
{
	return ep_rust_demangle_style(name, true, out);
}

bool ep_rust_demangle_style(const char *name, bool generics, struct ep_buf *out)
{
	if (strncmp(name, "_R", 2))
		return false;
	/* A suffix such as .llvm.123 does not belong to it. */
	size_t n = strcspn(name + 2, ".$");
	struct parser d = {
		.start = name + 2, .p = name + 2, .end = name + 2 + n, .out = out,
		.no_generics = !generics};
	print_path(&d, true);
	if (!d.bad && d.p < d.end) { /* the crate that asked for it: not shown */
		d.silent = true;
		print_path(&d, false);
	}
	return !d.bad && d.p == d.end;
}
