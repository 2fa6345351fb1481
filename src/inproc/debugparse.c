/* debugparse.c - see debugparse.h. */
#include "inproc/debugparse.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Visible ASCII only, so that no line of ours can be split by what they sent. */
static bool is_clean(const char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			return false;
	return true;
}

static int parse_line(char *line, struct ep_debugparse *r)
{
	r->method = line;
	char *target = strchr(line, ' ');
	char *version = target ? strchr(target + 1, ' ') : NULL;
	if (!version)
		return -400;
	*target++ = '\0';
	*version++ = '\0';
	if (*target != '/' || !is_clean(target) || strlen(r->method) > 16)
		return -400;
	if (strcmp(version, "HTTP/1.1") && strcmp(version, "HTTP/1.0"))
		return -505;
	r->path = target;
	r->query = strchr(target, '?');
	if (r->query)
		*r->query++ = '\0';
	else
		r->query = target + strlen(target);
	return 0;
}

static int parse_header(char *line, struct ep_debugparse *r)
{
	char *value = strchr(line, ':'), *end;
	if (!value || value == line || strcspn(line, " \t") < (size_t)(value - line))
		return -400; /* no name, or a folded line */
	*value++ = '\0';
	value += strspn(value, " \t");
	for (size_t n = strlen(value); n && (value[n - 1] == ' ' || value[n - 1] == '\t'); n--)
		value[n - 1] = '\0';
	if (!strcasecmp(line, "host")) {
		if (r->host) /* two hosts: somebody plays */
			return -400;
		r->host = value;
	} else if (!strcasecmp(line, "authorization")) {
		r->authorization = value;
	} else if (!strcasecmp(line, "accept")) {
		r->accept = value;
	} else if (!strcasecmp(line, "transfer-encoding")) {
		return -400; /* nobody sends us a stream */
	} else if (!strcasecmp(line, "content-length")) {
		unsigned long long n = strtoull(value, &end, 10);
		if (*end || end == value || *value == '-' || *value == '+')
			return -400;
		if (n > EP_DEBUGPARSE_BODY)
			return -413;
		r->n_body = (size_t)n;
	}
	return 0;
}

int ep_debugparse(char *text, size_t n, struct ep_debugparse *ret)
{
	struct ep_debugparse r = {0};
	char *end = memmem(text, n, "\r\n\r\n", 4);
	if (!end)
		return n >= EP_DEBUGPARSE_HEAD ? -431 : 0;
	if (memchr(text, '\0', (size_t)(end - text)))
		return -400;
	int length = (int)(end - text) + 4;
	end[2] = '\0';
	bool first = true;
	for (char *line = text, *next; *line; line = next) {
		next = strstr(line, "\r\n");
		*next = '\0'; /* there is one: the line before the empty one ends so */
		next += 2;
		int rc = first ? parse_line(line, &r) : parse_header(line, &r);
		if (rc < 0)
			return rc;
		first = false;
	}
	if (first)
		return -400;
	*ret = r;
	return length;
}
