/* scriptline.c - see scriptline.h.  Source: perf-script(1), and what perf 6.1 prints.
 */
#include "legacy/scriptline.h"

#include "legacy/plaintext.h"

/* The next word of the line; empty at the end. */
static struct ep_slice next_word(struct ep_slice *line)
{
	while (line->n && ep_plaintext_is_space(*line->p)) {
		line->p++;
		line->n--;
	}
	struct ep_slice word = {line->p, 0};
	while (word.n < line->n && !ep_plaintext_is_space(word.p[word.n]))
		word.n++;
	line->p += word.n;
	line->n -= word.n;
	return word;
}

static bool all_digits(struct ep_slice s)
{
	size_t i = 0;
	while (i < s.n && ep_plaintext_is_digit(s.p[i]))
		i++;
	return s.n && i == s.n;
}

/* "27171", "27165/27171", "-1". */
static bool parse_ids(struct ep_slice word, struct ep_scripthead *ret)
{
	const char *slash = word.n ? memchr(word.p, '/', word.n) : NULL;
	struct ep_slice pid = {word.p, slash ? (size_t)(slash - word.p) : 0};
	struct ep_slice tid = word;
	if (slash)
		tid = (struct ep_slice){slash + 1, word.n - pid.n - 1};
	ret->pid = pid;
	ret->tid = tid;
	if (tid.n > 1 && tid.p[0] == '-')
		tid = (struct ep_slice){tid.p + 1, tid.n - 1};
	if (pid.n > 1 && pid.p[0] == '-')
		pid = (struct ep_slice){pid.p + 1, pid.n - 1};
	return all_digits(tid) && (!slash || all_digits(pid));
}

/* "2911.751437:", in seconds. */
static bool parse_time(struct ep_slice word, uint64_t *ret_ns)
{
	const char *at = word.p, *end = at + word.n;
	struct ep_slice whole, part;
	int64_t seconds, fraction;
	if (!ep_plaintext_take_digits(&at, end, &whole) ||
	    !ep_plaintext_take(&at, end, ".") ||
	    !ep_plaintext_take_digits(&at, end, &part) ||
	    !ep_plaintext_take(&at, end, ":") || at != end || part.n > 9 || whole.n > 9)
		return false;
	if (!ep_plaintext_int(whole, 10, &seconds) ||
	    !ep_plaintext_int(part, 10, &fraction))
		return false;
	for (size_t i = part.n; i < 9; i++)
		fraction *= 10;
	*ret_ns = (uint64_t)seconds * 1000000000 + (uint64_t)fraction;
	return true;
}

static bool is_modifier(struct ep_slice s)
{
	size_t i = 0;
	while (i < s.n && strchr("ukhIGHpPSDWeb", s.p[i]) && s.p[i])
		i++;
	return s.n && i == s.n;
}

/* "cpu-clock:ppp:". */
static bool parse_event(struct ep_slice word, struct ep_slice *ret)
{
	if (word.n < 2 || word.p[word.n - 1] != ':')
		return false;
	word.n--;
	bool letter = false;
	for (size_t i = 0; i < word.n; i++)
		letter |= (word.p[i] | 0x20) >= 'a' && (word.p[i] | 0x20) <= 'z';
	const char *colon = memrchr(word.p, ':', word.n);
	if (colon && colon > word.p &&
	    is_modifier((struct ep_slice){colon + 1,
					  (size_t)(word.p + word.n - colon - 1)}))
		word.n = (size_t)(colon - word.p);
	*ret = word;
	return letter;
}

/* [PERIOD] EVENT: */
static bool parse_measure(struct ep_slice *line, struct ep_scripthead *ret)
{
	struct ep_slice at = *line, word = next_word(&at);
	ret->period = 0;
	if (all_digits(word) && ep_plaintext_int(word, 10, &ret->period))
		word = next_word(&at);
	if (!parse_event(word, &ret->event)) {
		ret->event.n = 0;
		ret->period = 0;
		return false;
	}
	*line = at;
	return true;
}

/* What stands behind the ids: marks of the CPU, the time, the measure. */
static bool parse_behind_ids(struct ep_slice line, struct ep_scripthead *ret)
{
	enum { MOST_MARKS = 3 };
	struct ep_slice at = line;
	for (int i = 0; i <= MOST_MARKS; i++) {
		struct ep_slice word = next_word(&at);
		if (all_digits(word)) /* then the ids were part of the name */
			break;
		if (!parse_time(word, &ret->time_ns))
			continue;
		(void)parse_measure(&at, ret); /* it may have been left out */
		ret->rest = ep_plaintext_trim(at);
		return true;
	}
	at = line;
	ret->time_ns = 0;
	struct ep_slice before = at, mark = next_word(&at);
	if (mark.n < 2 || mark.p[0] != '[')
		at = before;
	if (!parse_measure(&at, ret))
		return false;
	ret->rest = ep_plaintext_trim(at);
	return true;
}

bool ep_scriptline_head(struct ep_slice line, struct ep_scripthead *ret)
{
	enum { MOST_WORDS = 16 }; /* in the name of a thread: it has 15 characters */
	struct ep_slice at = line;
	if (!line.n || ep_plaintext_is_space(line.p[0]))
		return false;
	*ret = (struct ep_scripthead){0};
	(void)next_word(&at); /* of the name */
	for (int i = 0; i < MOST_WORDS; i++) {
		struct ep_slice word = next_word(&at);
		if (!word.n)
			break;
		if (!parse_ids(word, ret) || !parse_behind_ids(at, ret))
			continue;
		ret->comm = ep_plaintext_trim(
			(struct ep_slice){line.p, (size_t)(word.p - line.p)});
		return true;
	}
	return false;
}

/* --- frames ------------------------------------------------------------------- */

/* The " (" that belongs to the ')' at the end. */
static const char *find_open(struct ep_slice s)
{
	size_t depth = 0;
	for (const char *p = s.p + s.n; p > s.p; p--) {
		if (p[-1] == ')')
			depth++;
		else if (p[-1] == '(' && --depth == 0)
			return p - 1 == s.p || p[-2] == ' ' ? p - 1 : NULL;
	}
	return NULL;
}

/* Without "+0x1c". */
static struct ep_slice without_offset(struct ep_slice name)
{
	const char *plus = name.n ? memrchr(name.p, '+', name.n) : NULL;
	if (!plus || name.p + name.n - plus < 4 || plus[1] != '0' || plus[2] != 'x')
		return name;
	for (const char *p = plus + 3; p < name.p + name.n; p++)
		if (!ep_plaintext_is_xdigit(*p))
			return name;
	name.n = (size_t)(plus - name.p);
	return name;
}

static void drop_unknown(struct ep_slice *s)
{
	if (ep_slice_is(*s, "[unknown]"))
		s->n = 0;
}

/* "cmp+0x4 (/usr/bin/shop)". */
static void parse_symbol(struct ep_slice s, struct ep_frame *ret, bool *ret_inlined)
{
	*ret_inlined = false;
	if (s.n && s.p[s.n - 1] == ')') {
		const char *open = find_open(s);
		if (open) {
			ret->binary = (struct ep_slice){open + 1,
							(size_t)(s.p + s.n - open - 2)};
			s = ep_plaintext_trim(
				(struct ep_slice){s.p, (size_t)(open - s.p)});
		}
	}
	if (ep_slice_is(ret->binary, "inlined")) {
		*ret_inlined = true;
		ret->binary.n = 0;
	}
	drop_unknown(&ret->binary);
	drop_unknown(&s);
	ret->name = without_offset(s);
}

bool ep_scriptline_frame(struct ep_slice line, struct ep_frame *ret, bool *ret_inlined)
{
	struct ep_slice address;
	if (!ep_scriptline_is_indented(line))
		return false;
	*ret = (struct ep_frame){0};
	address = next_word(&line);
	if (!ep_plaintext_hex(address, &ret->address))
		return false;
	parse_symbol(ep_plaintext_trim(line), ret, ret_inlined);
	return true;
}

bool ep_scriptline_source(struct ep_slice line, struct ep_slice *ret_file,
			  int64_t *ret_line)
{
	if (!ep_scriptline_is_indented(line))
		return false;
	line = ep_plaintext_trim(line);
	const char *colon = line.n ? memrchr(line.p, ':', line.n) : NULL;
	struct ep_slice file = {line.p, colon ? (size_t)(colon - line.p) : 0};
	if (!file.n || memchr(line.p, ' ', line.n) ||
	    !ep_plaintext_int((struct ep_slice){colon + 1, line.n - file.n - 1}, 10,
			      ret_line))
		return false;
	*ret_file = file;
	return true;
}
