/* kallsyms.c - see kallsyms.h. */
#include "symbol/kallsyms.h"

#include "base/buf.h"
#include "base/sort.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define MAX_TEXT ((size_t)128 << 20)
#define MAX_SYMBOLS (1u << 22)
/* Code is shorter than that, so an address further behind a symbol is not its own. */
#define MAX_SIZE ((uint64_t)1 << 20)

struct symbol {
	uint64_t start;
	uint32_t name, module; /* in text */
	uint16_t n_name, n_module;
	uint8_t rank;
};

struct ep_kallsyms {
	char *text;
	struct symbol *s;
	size_t n, cap;
};

static bool take_address(struct ep_slice *line, uint64_t *ret)
{
	uint64_t v = 0;
	size_t i = 0;
	for (; i < line->n && i < 16; i++) {
		char c = line->p[i];
		if (c >= '0' && c <= '9')
			v = v << 4 | (uint64_t)(c - '0');
		else if (c >= 'a' && c <= 'f')
			v = v << 4 | (uint64_t)(c - 'a' + 10);
		else
			break;
	}
	if (!i || i + 3 >= line->n || line->p[i] != ' ' || line->p[i + 2] != ' ')
		return false;
	line->p += i + 1;
	line->n -= i + 1;
	*ret = v;
	return true;
}

static uint8_t rank_of(char type, struct ep_slice name)
{
	unsigned underscores = 0;
	while (underscores < 3 && underscores < name.n && name.p[underscores] == '_')
		underscores++;
	return (uint8_t)((3 - underscores) | (type == 'T' || type == 'W' ? 4 : 0));
}

static int add(struct ep_kallsyms *k, struct symbol s)
{
	if (k->n == MAX_SYMBOLS)
		return -E2BIG;
	if (k->n == k->cap) {
		size_t cap = k->cap ? k->cap * 2 : 4096;
		void *moved = ep_realloc(k->s, cap * sizeof(*k->s));
		if (!moved)
			return -ENOMEM;
		k->s = moved;
		k->cap = cap;
	}
	k->s[k->n++] = s;
	return 0;
}

static int add_line(struct ep_kallsyms *k, struct ep_slice line)
{
	uint64_t start;
	if (!take_address(&line, &start))
		return 0;
	char type = line.p[0];
	struct ep_slice name = {line.p + 2, line.n - 2}, module = {NULL, 0};
	const char *tab = memchr(name.p, '\t', name.n);
	if (tab) {
		module =
			(struct ep_slice){tab + 1, name.n - (size_t)(tab + 1 - name.p)};
		name.n = (size_t)(tab - name.p);
		if (module.n >= 2 && module.p[0] == '[' &&
		    module.p[module.n - 1] == ']')
			module = (struct ep_slice){module.p + 1, module.n - 2};
	}
	if ((type != 't' && type != 'T' && type != 'w' && type != 'W') || !start ||
	    !name.n || name.n > UINT16_MAX || module.n > UINT16_MAX)
		return 0;
	return add(k, (struct symbol){
			      .start = start,
			      .name = (uint32_t)(name.p - k->text),
			      .n_name = (uint16_t)name.n,
			      .module = module.n ? (uint32_t)(module.p - k->text) : 0,
			      .n_module = (uint16_t)module.n,
			      .rank = rank_of(type, name)});
}

static bool before(const void *x, const void *y, void *arg)
{
	const struct ep_kallsyms *k = arg;
	const struct symbol *a = x, *b = y;
	if (a->start != b->start)
		return a->start < b->start;
	if (a->rank != b->rank)
		return a->rank > b->rank;
	if (a->n_name != b->n_name)
		return a->n_name < b->n_name;
	return memcmp(k->text + a->name, k->text + b->name, a->n_name) < 0;
}

/* Keep the best of each address. */
static void settle(struct ep_kallsyms *k)
{
	ep_sort(k->s, k->n, sizeof(*k->s), before, k);
	size_t n = 0;
	for (size_t i = 0; i < k->n; i++)
		if (!n || k->s[n - 1].start != k->s[i].start)
			k->s[n++] = k->s[i];
	k->n = n;
}

static uint32_t copy_name(char *to, size_t *at, const char *from, size_t n)
{
	uint32_t where = (uint32_t)*at;
	memcpy(to + *at, from, n);
	*at += n;
	return where;
}

/* The file is mostly addresses, data and aliases: keep the names in use only.
 * Neighbours are mostly of one module, whose name is kept once for them. */
static int shrink(struct ep_kallsyms *k, struct ep_err *err)
{
	size_t n = 0, at = 0;
	for (size_t i = 0; i < k->n; i++)
		n += (size_t)k->s[i].n_name + k->s[i].n_module;
	char *names = ep_alloc(n);
	if (!names)
		return ep_fail(err, -ENOMEM, 0, "no memory for kernel symbols");
	uint32_t module = 0, n_module = 0;
	for (size_t i = 0; i < k->n; i++) {
		struct symbol *s = &k->s[i];
		s->name = copy_name(names, &at, k->text + s->name, s->n_name);
		if (s->n_module &&
		    (s->n_module != n_module ||
		     memcmp(names + module, k->text + s->module, n_module))) {
			n_module = s->n_module;
			module = copy_name(names, &at, k->text + s->module, n_module);
		}
		s->module = s->n_module ? module : 0;
	}
	ep_free(k->text);
	k->text = names;
	char *exact = ep_realloc(names, at);
	if (exact)
		k->text = exact;
	struct symbol *fewer = ep_realloc(k->s, k->n * sizeof(*k->s));
	if (fewer)
		k->s = fewer;
	return 0;
}

/* Takes text, which has a NUL behind it. */
static int parse(char *text, size_t n, struct ep_kallsyms **ret_k, struct ep_err *err)
{
	ep_auto(ep_kallsyms) k = ep_zalloc(sizeof(*k));
	if (!k) {
		ep_free(text);
		return ep_fail(err, -ENOMEM, 0, "no memory for kernel symbols");
	}
	k->text = text;
	size_t n_lines = 0;
	for (const char *p = text, *end = text + n; p < end; n_lines++) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));
		size_t len = nl ? (size_t)(nl - p) : (size_t)(end - p);
		int rc = add_line(k, (struct ep_slice){p, len});
		if (rc < 0)
			return ep_fail(err, rc, 0, "too many kernel symbols");
		p += len + 1;
	}
	if (!k->n && n_lines && text[0] == '0' &&
	    !strncmp(text, "0000000000000000 ", 17))
		return ep_fail(
			err, -EACCES, 0,
			"the kernel hides its addresses (kernel.kptr_restrict, or "
			"CAP_SYSLOG is missing)");
	if (!k->n)
		return ep_fail(err, -ENOENT, 0, "no kernel symbols");
	settle(k);
	EP_TRY(shrink(k, err));
	*ret_k = ep_take(&k);
	return 0;
}

int ep_kallsyms_parse(struct ep_slice text, struct ep_kallsyms **ret_k,
		      struct ep_err *err)
{
	if (text.n > MAX_TEXT)
		return ep_fail(err, -E2BIG, 0, "%zu bytes of kernel symbols", text.n);
	char *copy = ep_alloc(text.n + 1);
	if (!copy)
		return ep_fail(err, -ENOMEM, 0, "no memory for kernel symbols");
	if (text.n)
		memcpy(copy, text.p, text.n);
	copy[text.n] = '\0';
	return parse(copy, text.n, ret_k, err);
}

int ep_kallsyms_read(const char *path, struct ep_kallsyms **ret_k, struct ep_err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return ep_fail(err, errno == ENOENT ? -ENOENT : -EACCES, 0, "%s: %s",
			       path, strerror(errno));
	ep_auto_buf b;
	ep_buf_init(&b, MAX_TEXT);
	ssize_t got = 1;
	while (got > 0) {
		uint8_t *to = ep_buf_reserve(&b, 65536);
		got = to ? read(fd, to, 65536) : -1;
		if (got > 0)
			b.len += (size_t)got;
		else if (got < 0 && to && errno == EINTR)
			got = 1;
	}
	close(fd);
	if (got < 0)
		return ep_fail(err, ep_buf_failed(&b) ? ep_buf_failed(&b) : -EIO, 0,
			       "%s can't be read", path);
	return ep_kallsyms_parse((struct ep_slice){(char *)b.data, b.len}, ret_k, err);
}

void ep_kallsyms_free(struct ep_kallsyms *k)
{
	if (!k)
		return;
	ep_free(k->text);
	ep_free(k->s);
	ep_free(k);
}

int ep_kallsyms_find(const struct ep_kallsyms *k, uint64_t address,
		     struct ep_slice *ret_name, struct ep_slice *ret_module)
{
	size_t lo = 0, n = k->n;
	while (n > 0) {
		size_t half = n / 2;
		if (k->s[lo + half].start <= address) {
			lo += half + 1;
			n -= half + 1;
		} else {
			n = half;
		}
	}
	if (!lo || address - k->s[lo - 1].start > MAX_SIZE)
		return -ENOENT;
	const struct symbol *s = &k->s[lo - 1];
	*ret_name = (struct ep_slice){k->text + s->name, s->n_name};
	if (ret_module)
		*ret_module = (struct ep_slice){k->text + s->module, s->n_module};
	return 0;
}

uint32_t ep_kallsyms_count(const struct ep_kallsyms *k)
{
	return (uint32_t)k->n;
}
