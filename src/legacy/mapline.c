/*
 * mapline.c - see mapline.h.
 *
 * The reference's patterns are not anchored at their end and all separators between the
 * two addresses are optional, so the first address may give digits to the second. There
 * are two ways to cut the addresses, tried in the order of the patterns.
 */
#include "legacy/mapline.h"

#include "legacy/plaintext.h"

struct place {
	const char *at, *end;
};

struct range {
	struct ep_slice start, limit;
	struct place rest;
};

static void skip_space(struct place *p)
{
	while (p->at < p->end && ep_plaintext_is_space(*p->at))
		p->at++;
}

static struct ep_slice hex_run(struct place *p)
{
	struct ep_slice s = {p->at, 0};
	while (p->at < p->end && ep_plaintext_is_xdigit(*p->at))
		p->at++;
	s.n = (size_t)(p->at - s.p);
	return s;
}

/* A hex number, perhaps with 0x before it; false when there is none. */
static bool take_hex(struct place *p, struct ep_slice *ret)
{
	struct place q = *p;
	if (q.end - q.at > 2 && q.at[0] == '0' && q.at[1] == 'x' &&
	    ep_plaintext_is_xdigit(q.at[2]))
		q.at += 2;
	*ret = hex_run(&q);
	*p = q;
	return ret->n > 0;
}

/* The ways to cut "START-END:", by number; false when this one is none. */
static bool cut_range(struct ep_slice line, int way, struct range *ret)
{
	struct place p = {line.p, line.p + line.n};
	skip_space(&p);
	if (!take_hex(&p, &ret->start))
		return false;
	if (way == 0) {
		if (p.at < p.end && (*p.at == '-' || ep_plaintext_is_space(*p.at)))
			p.at++;
		skip_space(&p);
	} else {
		/* The last digit is the second address, or the 0 of its 0x. */
		if (ret->start.n < 2)
			return false;
		ret->start.n--;
		p.at--;
	}
	if (!take_hex(&p, &ret->limit))
		return false;
	if (p.at < p.end && *p.at == ':')
		p.at++;
	ret->rest = p;
	return true;
}

enum { WAYS = 2 };

/* White space and then at least one of what `is` takes; p stays on false. */
static bool take_word(struct place *p, bool (*is)(char), struct ep_slice *ret)
{
	struct place q = *p;
	skip_space(&q);
	const char *from = q.at;
	if (from == p->at)
		return false;
	while (q.at < q.end && is(*q.at))
		q.at++;
	if (q.at == from)
		return false;
	*ret = (struct ep_slice){from, (size_t)(q.at - from)};
	*p = q;
	return true;
}

static bool is_perm(char c)
{
	return c == '-' || c == 'r' || c == 'w' || c == 'x' || c == 'p';
}

static bool is_ink(char c)
{
	return !ep_plaintext_is_space(c);
}

/* MAJOR:MINOR and INODE. */
static bool take_device(struct place *p)
{
	struct ep_slice ignored;
	struct place q = *p;
	if (!take_word(&q, ep_plaintext_is_xdigit, &ignored) || q.at == q.end ||
	    *q.at++ != ':' || !hex_run(&q).n ||
	    !take_word(&q, ep_plaintext_is_digit, &ignored))
		return false;
	*p = q;
	return true;
}

struct parts {
	struct ep_slice perm, file, offset, build_id;
};

static bool parse_proc(struct place p, struct parts *ret)
{
	*ret = (struct parts){0};
	(void)take_word(&p, is_perm, &ret->perm); /* it may be missing */
	struct place before = p;
	if (!take_word(&p, ep_plaintext_is_xdigit, &ret->offset) || !take_device(&p)) {
		ret->offset.n = 0;
		p = before;
		if (!take_device(&p))
			return false;
	}
	(void)take_word(&p, is_ink, &ret->file); /* the same */
	return true;
}

static bool take_offset(struct place *p, struct ep_slice *ret)
{
	struct place q = *p;
	skip_space(&q);
	if (q.at == p->at || q.end - q.at < 2 || q.at[0] != '(' || q.at[1] != '@')
		return false;
	q.at += 2;
	*ret = hex_run(&q);
	if (!ret->n || q.at == q.end || *q.at != ')')
		return false;
	q.at++;
	*p = q;
	return true;
}

static void parse_short(struct place p, struct parts *ret)
{
	*ret = (struct parts){0};
	(void)take_word(&p, is_perm, &ret->perm); /* each part may be missing */
	(void)take_word(&p, is_ink, &ret->file);
	if (!take_offset(&p, &ret->offset))
		ret->offset = (struct ep_slice){0};
	(void)take_word(&p, ep_plaintext_is_xdigit, &ret->build_id);
}

static bool match(struct ep_slice line, struct range *range, struct parts *parts)
{
	for (int way = 0; way < WAYS; way++)
		if (cut_range(line, way, range) && parse_proc(range->rest, parts))
			return true;
	for (int way = 0; way < WAYS; way++) {
		if (!cut_range(line, way, range))
			continue;
		parse_short(range->rest, parts);
		return true;
	}
	return false;
}

enum ep_mapline_kind ep_mapline_parse(struct ep_slice line, struct ep_mapline *ret)
{
	struct range range;
	struct parts parts;
	if (!match(line, &range, &parts))
		return EP_MAPLINE_NONE;
	if (parts.perm.n && !memchr(parts.perm.p, 'x', parts.perm.n))
		return EP_MAPLINE_DATA;
	struct ep_mapline m = {.file = parts.file, .build_id = parts.build_id};
	if (!ep_plaintext_hex(range.start, &m.start) ||
	    !ep_plaintext_hex(range.limit, &m.limit) ||
	    (parts.offset.n && !ep_plaintext_hex(parts.offset, &m.offset)))
		return EP_MAPLINE_NONE;
	*ret = m;
	return EP_MAPLINE_CODE;
}

struct ep_slice ep_mapline_without_log(struct ep_slice line)
{
	size_t i = 0;
	while (i < line.n && line.p[i] != '[' && line.p[i] != ']')
		i++;
	if (i + 1 >= line.n || line.p[i] != ']' ||
	    !ep_plaintext_is_space(line.p[i + 1]))
		return line;
	size_t digits = i;
	while (digits && ep_plaintext_is_digit(line.p[digits - 1]))
		digits--;
	if (digits == i || digits < 2 || line.p[digits - 1] != ':')
		return line;
	return (struct ep_slice){line.p + i + 2, line.n - i - 2};
}
