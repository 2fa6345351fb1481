/* multipart.c - see multipart.h. */
#include "net/multipart.h"

#include <string.h>
#include <strings.h>

enum { MAX_BOUNDARY = 70 }; /* RFC 2046 5.1.1 */

/*
 * A parameter of a header value: `form-data; name="x"; filename=y`.  Quotes come
 * off; a backslash stays, since browsers and curl write %22 instead.
 */
static struct ep_slice parameter(struct ep_slice value, const char *name)
{
	size_t n_name = strlen(name);
	const char *at = value.p, *end = value.p + value.n;
	while (at && (at = memchr(at, ';', (size_t)(end - at)))) {
		for (at++; at < end && (*at == ' ' || *at == '\t'); at++)
			continue;
		bool is_it = (size_t)(end - at) > n_name && at[n_name] == '=' &&
			     !strncasecmp(at, name, n_name);
		const char *eq = memchr(at, '=', (size_t)(end - at));
		if (!eq)
			break;
		const char *from = eq + 1, *to;
		if (from < end && *from == '"') {
			from++;
			to = memchr(from, '"', (size_t)(end - from));
			if (!to)
				break;
			at = to + 1;
		} else {
			to = memchr(from, ';', (size_t)(end - from));
			to = to ? to : end;
			at = to;
		}
		if (is_it)
			return (struct ep_slice){from, (size_t)(to - from)};
	}
	return (struct ep_slice){0};
}

static void read_header(struct ep_part *part, struct ep_slice line)
{
	static const char disposition[] = "content-disposition:", type[] = "content-type:";
	size_t n = sizeof(disposition) - 1, n_type = sizeof(type) - 1;
	if (line.n > n && !strncasecmp(line.p, disposition, n)) {
		struct ep_slice value = {line.p + n, line.n - n};
		part->name = parameter(value, "name");
		part->filename = parameter(value, "filename");
	} else if (line.n > n_type && !strncasecmp(line.p, type, n_type)) {
		part->content_type = (struct ep_slice){line.p + n_type, line.n - n_type};
		while (part->content_type.n && part->content_type.p[0] == ' ')
			part->content_type.p++, part->content_type.n--;
	}
}

/* The headers of one part and its body; s reaches up to the next delimiter. */
static int read_part(struct ep_slice s, uint64_t pos, struct ep_part *ret, struct ep_err *err)
{
	struct ep_part part = {0};
	for (;;) {
		const char *nl = s.n ? memmem(s.p, s.n, "\r\n", 2) : NULL;
		if (!nl)
			return ep_fail(err, -EBADMSG, pos,
				       "multipart: a part's headers do not end");
		struct ep_slice line = {s.p, (size_t)(nl - s.p)};
		s = (struct ep_slice){nl + 2, s.n - line.n - 2};
		if (!line.n)
			break;
		read_header(&part, line);
	}
	if (!part.name.n)
		return ep_fail(err, -EBADMSG, pos, "multipart: a part has no name");
	part.body = s;
	*ret = part;
	return 0;
}

int ep_multipart_parse(struct ep_slice content_type, struct ep_slice body,
		       struct ep_part *ret_parts, uint32_t max, uint32_t *ret_n,
		       struct ep_err *err)
{
	struct ep_slice boundary = parameter(content_type, "boundary");
	char mark[MAX_BOUNDARY + 5] = "\r\n--";
	if (!boundary.n || boundary.n > MAX_BOUNDARY)
		return ep_fail(err, -EBADMSG, 0,
			       "multipart: Content-Type has no boundary of 1 to 70 bytes");
	memcpy(mark + 4, boundary.p, boundary.n);
	size_t n_mark = boundary.n + 4;
	const char *at = body.p, *end = body.p + body.n;
	if (body.n < n_mark - 2 || memcmp(at, mark + 2, n_mark - 2) != 0)
		at = body.n ? memmem(body.p, body.n, mark, n_mark) : NULL;
	else
		at -= 2; /* as if a CRLF stood before the first one; never read */
	for (uint32_t n = 0; at; n++) {
		const char *from = at + n_mark;
		if (end - from >= 2 && !memcmp(from, "--", 2)) {
			*ret_n = n;
			return 0;
		}
		while (from < end && (*from == ' ' || *from == '\t'))
			from++;
		if (end - from < 2 || memcmp(from, "\r\n", 2) != 0)
			break;
		from += 2;
		at = memmem(from, (size_t)(end - from), mark, n_mark);
		if (!at)
			break;
		if (n == max)
			return ep_fail(err, -E2BIG, (uint64_t)(from - body.p),
				       "multipart: more than %u parts", max);
		EP_TRY(read_part((struct ep_slice){from, (size_t)(at - from)},
				 (uint64_t)(from - body.p), &ret_parts[n], err));
	}
	return ep_fail(err, -EBADMSG, body.n, "multipart: the closing boundary is missing");
}
