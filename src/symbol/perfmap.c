/* perfmap.c - see perfmap.h. */
#include "symbol/perfmap.h"

#include "base/sort.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct symbol {
	uint64_t start, limit;
	uint32_t name, n_name; /* in text */
	uint32_t line;	       /* later wins */
};

struct ep_perfmap {
	char *text;
	struct symbol *s;
	size_t n, cap;
};

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* A hex number, "0x" allowed, and the blanks behind it. */
static bool take_hex(struct ep_slice *s, uint64_t *ret)
{
	if (s->n > 2 && s->p[0] == '0' && (s->p[1] == 'x' || s->p[1] == 'X')) {
		s->p += 2;
		s->n -= 2;
	}
	uint64_t v = 0;
	size_t i = 0;
	for (; i < s->n && digit(s->p[i]) >= 0; i++) {
		if (i == 16)
			return false;
		v = v << 4 | (uint64_t)digit(s->p[i]);
	}
	if (i == 0 || i == s->n || s->p[i] != ' ')
		return false;
	while (i < s->n && s->p[i] == ' ')
		i++;
	s->p += i;
	s->n -= i;
	*ret = v;
	return true;
}

static int add(struct ep_perfmap *m, struct symbol s)
{
	if (m->n == EP_PERFMAP_MAX_SYMBOLS)
		return -E2BIG;
	if (m->n == m->cap) {
		size_t cap = m->cap ? m->cap * 2 : 256;
		void *moved = ep_realloc(m->s, cap * sizeof(*m->s));
		if (!moved)
			return -ENOMEM;
		m->s = moved;
		m->cap = cap;
	}
	m->s[m->n++] = s;
	return 0;
}

static int add_line(struct ep_perfmap *m, struct ep_slice line, uint32_t number)
{
	uint64_t start, size;
	while (line.n && line.p[line.n - 1] == '\r')
		line.n--;
	if (!take_hex(&line, &start) || !take_hex(&line, &size) || !line.n || !size ||
	    start + size < start)
		return 0;
	return add(m, (struct symbol){start, start + size, (uint32_t)(line.p - m->text),
				      (uint32_t)line.n, number});
}

static bool before(const void *x, const void *y, void *arg)
{
	const struct symbol *a = x, *b = y;
	(void)arg;
	return a->start != b->start ? a->start < b->start : a->line < b->line;
}

/*
 * Make the ranges disjoint.  Rising starts, and where two overlap the later line
 * keeps all of its own and the earlier one what lies before it: a JIT reuses
 * memory from some address on.
 */
static void settle(struct ep_perfmap *m)
{
	size_t n = 0;
	for (size_t i = 0; i < m->n; i++) {
		struct symbol s = m->s[i];
		while (n && m->s[n - 1].limit > s.start && m->s[n - 1].line < s.line) {
			m->s[n - 1].limit = s.start;
			if (m->s[n - 1].limit > m->s[n - 1].start)
				break;
			n--;
		}
		if (n && m->s[n - 1].limit > s.start) { /* a later line lies over it */
			s.start = m->s[n - 1].limit;
			if (s.start >= s.limit)
				continue;
		}
		m->s[n++] = s;
	}
	m->n = n;
}

int ep_perfmap_parse(struct ep_slice text, struct ep_perfmap **ret_m,
		     struct ep_err *err)
{
	if (text.n > EP_PERFMAP_MAX_BYTES)
		return ep_fail(err, -E2BIG, 0, "a perf map of %zu bytes, limit %zu",
			       text.n, EP_PERFMAP_MAX_BYTES);
	ep_auto(ep_perfmap) m = ep_zalloc(sizeof(*m));
	if (!m || !(m->text = ep_alloc(text.n + 1)))
		return ep_fail(err, -ENOMEM, 0, "no memory for a perf map");
	if (text.n)
		memcpy(m->text, text.p, text.n);
	m->text[text.n] = '\0';
	uint32_t number = 0;
	for (const char *p = m->text, *end = p + text.n; p < end; number++) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));
		if (!nl)
			break; /* the last line is still being written */
		int rc = add_line(m, (struct ep_slice){p, (size_t)(nl - p)}, number);
		if (rc < 0)
			return ep_fail(err, rc, number,
				       "a perf map with too many symbols");
		p = nl + 1;
	}
	if (!m->n)
		return ep_fail(err, -ENOENT, 0, "no symbol in the perf map");
	ep_sort(m->s, m->n, sizeof(*m->s), before, NULL);
	settle(m);
	*ret_m = ep_take(&m);
	return 0;
}

void ep_perfmap_free(struct ep_perfmap *m)
{
	if (!m)
		return;
	ep_free(m->text);
	ep_free(m->s);
	ep_free(m);
}

static int read_all(int fd, char *to, size_t cap, size_t *ret_n, struct ep_err *err)
{
	size_t n = 0;
	while (n < cap) {
		ssize_t got = pread(fd, to + n, cap - n, (off_t)n);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return ep_fail(err, -EIO, n, "read: %s", strerror(errno));
		if (got == 0)
			break;
		n += (size_t)got;
	}
	*ret_n = n;
	return 0;
}

int ep_perfmap_read(int fd, uint32_t owner, struct ep_perfmap **ret_m,
		    struct ep_err *err)
{
	struct stat st;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return ep_fail(err, -EACCES, 0, "the perf map is not a regular file");
	if (st.st_uid != owner && st.st_uid != 0)
		return ep_fail(err, -EACCES, 0,
			       "the perf map belongs to uid %u, not to %u", st.st_uid,
			       owner);
	size_t cap = (uint64_t)st.st_size < EP_PERFMAP_MAX_BYTES ? (size_t)st.st_size
								 : EP_PERFMAP_MAX_BYTES;
	char *text = ep_alloc(cap);
	size_t n = 0;
	if (!text)
		return ep_fail(err, -ENOMEM, 0, "no memory for a perf map of %zu bytes",
			       cap);
	int rc = read_all(fd, text, cap, &n, err);
	if (rc == 0)
		rc = ep_perfmap_parse((struct ep_slice){text, n}, ret_m, err);
	ep_free(text);
	return rc;
}

int ep_perfmap_find(const struct ep_perfmap *m, uint64_t address,
		    struct ep_slice *ret_name)
{
	size_t lo = 0, n = m->n;
	while (n > 0) {
		size_t half = n / 2;
		if (m->s[lo + half].start <= address) {
			lo += half + 1;
			n -= half + 1;
		} else {
			n = half;
		}
	}
	if (!lo || address >= m->s[lo - 1].limit)
		return -ENOENT;
	*ret_name = (struct ep_slice){m->text + m->s[lo - 1].name, m->s[lo - 1].n_name};
	return 0;
}

uint32_t ep_perfmap_count(const struct ep_perfmap *m)
{
	return (uint32_t)m->n;
}
