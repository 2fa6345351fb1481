/*
 * shorten.c - which part of a function's name says most.
 *
 * The three languages are told apart by the shape of the name alone.
 */
#include "report/shorten.h"

#include <stdbool.h>

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_';
}

static bool is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

static bool is_upper(char c)
{
	return c >= 'A' && c <= 'Z';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* The byte at i, 0 behind the end. */
static char at(struct ep_slice s, size_t i)
{
	return i < s.n ? s.p[i] : 0;
}

static struct ep_slice part(struct ep_slice s, size_t start, size_t end)
{
	return (struct ep_slice){s.p + start, end - start};
}

/* The length of "v2" at i when a module's version stands there, else 0. */
static size_t version_length(struct ep_slice s, size_t i)
{
	size_t n = 1;
	if (at(s, i) != 'v')
		return 0;
	while (is_digit(at(s, i + n)))
		n++;
	char first = at(s, i + 1), behind = at(s, i + n);
	bool is_version = n == 2 ? first >= '2' : n > 2 && first != '0';
	return is_version && (behind == '.' || behind == '/') ? n : 0;
}

static struct ep_slice without_version(struct ep_slice s, char *room)
{
	if (memchr(s.p, '\n', s.n))
		return s;
	for (size_t i = 0; i + 1 < s.n; i++) {
		size_t n = s.p[i] == '/' ? version_length(s, i + 1) : 0;
		if (!n)
			continue;
		memcpy(room, s.p, i);
		memcpy(room + i, s.p + i + 1 + n, s.n - i - 1 - n);
		return (struct ep_slice){room, s.n - 1 - n};
	}
	return s;
}

/* "pkg.Name", to the end of the line; false without something on both sides of the
 * first point. */
static bool go_package(struct ep_slice s, struct ep_slice *ret)
{
	const char *dot = s.n ? memchr(s.p, '.', s.n) : NULL;
	if (!dot || dot == s.p || dot + 1 == s.p + s.n || dot[1] == '\n')
		return false;
	const char *end = memchr(dot, '\n', s.n - (size_t)(dot - s.p));
	*ret = (struct ep_slice){s.p, end ? (size_t)(end - s.p) : s.n};
	return true;
}

/* "a/b/pkg.Name": behind the last slash that only a path stands before. */
static bool go_name(struct ep_slice s, struct ep_slice *ret)
{
	bool found = false;
	for (size_t i = 0, start = 0; i < s.n; i++) {
		if (s.p[i] == '/' && i > start) {
			start = i + 1;
			found |= go_package(part(s, start, s.n), ret);
		} else if (!is_word(s.p[i]) && s.p[i] != '-' && s.p[i] != '.') {
			break;
		}
	}
	return found;
}

/* "com.example.Class.method(": from the class to the method. */
static bool java_name(struct ep_slice s, struct ep_slice *ret)
{
	size_t i = 0;
	for (;;) {
		size_t end = i;
		if (!is_lower(at(s, i)))
			break;
		while (is_word(at(s, end)))
			end++;
		if (at(s, end) != '.')
			return false;
		i = end + 1;
	}
	size_t start = i;
	if (!is_upper(at(s, i)))
		return false;
	while (is_word(at(s, i)) || at(s, i) == '$')
		i++;
	if (at(s, i++) != '.')
		return false;
	if (s.n - i >= 6 && !memcmp(s.p + i, "<init>", 6)) {
		i += 6;
	} else {
		if (!is_lower(at(s, i)))
			return false;
		while (is_word(at(s, i)) || at(s, i) == '$')
			i++;
	}
	if (i < s.n && s.p[i] != '(')
		return false;
	*ret = part(s, start, i);
	return true;
}

static size_t word_end(struct ep_slice s, size_t i)
{
	if (is_digit(at(s, i)))
		return i;
	while (is_word(at(s, i)))
		i++;
	return i;
}

/* The end of "Class::method<...>" at i; 0 when there is none. */
static size_t cpp_method_end(struct ep_slice s, size_t i)
{
	size_t first = i, end;
	while (at(s, first) == '_')
		first++;
	if (!is_upper(at(s, first)))
		return 0;
	end = word_end(s, i);
	if (at(s, end) != ':' || at(s, end + 1) != ':')
		return 0;
	i = end + 2;
	if (at(s, i) == '~')
		i++;
	end = word_end(s, i);
	if (end == i)
		return 0;
	if (at(s, end) != '<')
		return end;
	size_t line = end, close = 0; /* templates: to the last '>' of the line */
	for (; line < s.n && s.p[line] != '\n'; line++)
		if (s.p[line] == '>')
			close = line + 1;
	return close ? close : end;
}

static bool cpp_name(struct ep_slice s, struct ep_slice *ret)
{
	bool found = false;
	for (size_t i = 0, end;; i = end + 2) {
		end = word_end(s, i);
		if (end == i || at(s, end) != ':' || at(s, end + 1) != ':')
			return found;
		size_t method_end = cpp_method_end(s, end + 2);
		if (method_end) {
			*ret = part(s, end + 2, method_end);
			found = true;
		}
	}
}

struct ep_slice ep_shorten_function(struct ep_slice name, char *room)
{
	static const char anonymous[] = "(anonymous namespace)::";
	const size_t n = sizeof(anonymous) - 1;
	if (name.n >= n && !memcmp(name.p, anonymous, n))
		name = part(name, n, name.n);
	if (!name.n)
		return name;
	name = without_version(name, room);
	struct ep_slice found;
	if (go_name(name, &found) || java_name(name, &found) || cpp_name(name, &found))
		return found;
	return name;
}
