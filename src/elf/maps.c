/*
 * maps.c - /proc/PID/maps without allocation.  See maps.h.
 */
#include "elf/maps.h"

#include <errno.h>
#include <unistd.h>

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

/* A number, at most 16 hex or 20 decimal digits, and the character behind it. */
static bool take_number(struct ep_slice *s, int base, char behind, uint64_t *ret)
{
	uint64_t v = 0;
	size_t i = 0;
	for (; i < s->n; i++) {
		int d = digit(s->p[i]);
		if (d < 0 || d >= base)
			break;
		if (__builtin_mul_overflow(v, (uint64_t)base, &v) ||
		    __builtin_add_overflow(v, (uint64_t)d, &v))
			return false;
	}
	if (i == 0 || i == s->n || s->p[i] != behind)
		return false;
	s->p += i + 1;
	s->n -= i + 1;
	*ret = v;
	return true;
}

static bool take_permissions(struct ep_slice *s, struct ep_map *m)
{
	if (s->n < 5 || s->p[4] != ' ')
		return false;
	m->read = s->p[0] == 'r';
	m->write = s->p[1] == 'w';
	m->exec = s->p[2] == 'x';
	m->shared = s->p[3] == 's';
	s->p += 5;
	s->n -= 5;
	return true;
}

/* The inode ends the line when there is no path; older kernels leave blanks. */
static bool take_inode(struct ep_slice *s, uint64_t *ret)
{
	uint64_t v = 0;
	size_t i = 0;
	for (; i < s->n && s->p[i] >= '0' && s->p[i] <= '9'; i++)
		if (__builtin_mul_overflow(v, (uint64_t)10, &v) ||
		    __builtin_add_overflow(v, (uint64_t)(s->p[i] - '0'), &v))
			return false;
	if (i == 0 || (i < s->n && s->p[i] != ' '))
		return false;
	*ret = v;
	while (i < s->n && s->p[i] == ' ')
		i++;
	s->p += i;
	s->n -= i;
	return true;
}

static void take_path(struct ep_slice s, struct ep_map *m)
{
	static const char gone[] = " (deleted)";
	const size_t n_gone = sizeof(gone) - 1;
	m->path = s;
	if (s.n > n_gone && !memcmp(s.p + s.n - n_gone, gone, n_gone)) {
		m->deleted = true;
		m->path.n -= n_gone;
	}
}

bool ep_maps_parse(struct ep_slice line, struct ep_map *ret_m)
{
	struct ep_map m = {0};
	uint64_t major, minor;
	if (!take_number(&line, 16, '-', &m.start) ||
	    !take_number(&line, 16, ' ', &m.limit) || !take_permissions(&line, &m) ||
	    !take_number(&line, 16, ' ', &m.offset) ||
	    !take_number(&line, 16, ':', &major) ||
	    !take_number(&line, 16, ' ', &minor) || !take_inode(&line, &m.inode))
		return false;
	if (m.start >= m.limit || major > UINT32_MAX || minor > UINT32_MAX)
		return false;
	m.dev_major = (uint32_t)major;
	m.dev_minor = (uint32_t)minor;
	take_path(line, &m);
	*ret_m = m;
	return true;
}

void ep_maps_init(struct ep_maps *m, int fd, char *buf, size_t cap)
{
	*m = (struct ep_maps){.fd = fd, .buf = buf, .cap = cap};
}

/* Move what is unread to the front and read more behind it. */
static void fill(struct ep_maps *m)
{
	if (m->at) {
		memmove(m->buf, m->buf + m->at, m->n - m->at);
		m->n -= m->at;
		m->at = 0;
	}
	ssize_t got;
	do
		got = read(m->fd, m->buf + m->n, m->cap - m->n);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		m->error = -EIO;
	if (got <= 0)
		m->ended = true;
	else
		m->n += (size_t)got;
}

/* A line longer than the buffer comes out in pieces, none of which parses but
 * by chance the last; so the pieces are counted as one and dropped. */
static bool next_line(struct ep_maps *m, struct ep_slice *ret)
{
	bool overlong = false;
	for (;;) {
		char *at = m->buf + m->at;
		char *end = m->n > m->at ? memchr(at, '\n', m->n - m->at) : NULL;
		if (end) {
			m->at = (size_t)(end - m->buf) + 1;
			*ret = overlong ? (struct ep_slice){0}
					: (struct ep_slice){at, (size_t)(end - at)};
			return true;
		}
		if (m->ended)
			return false;
		if (m->n - m->at == m->cap) {
			overlong = true;
			m->at = m->n;
		}
		fill(m);
	}
}

bool ep_maps_next(struct ep_maps *m, struct ep_map *ret_m)
{
	struct ep_slice line;
	while (next_line(m, &line))
		if (ep_maps_parse(line, ret_m))
			return true;
	return false;
}
