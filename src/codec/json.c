/* json.c - jansson for reading, our own writer.  See json.h. */
#include "codec/json.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* --- reading ------------------------------------------------------------------ */

static const json_t *peel(const struct ep_json *v)
{
	return (const json_t *)v;
}

static struct ep_json *wrap(json_t *v)
{
	return (struct ep_json *)v;
}

int ep_json_parse(struct ep_slice text, struct ep_json **ret_root, struct ep_err *err)
{
	json_error_t why;
	json_t *root = json_loadb(text.p ? text.p : "", text.n, JSON_DECODE_ANY, &why);
	if (!root)
		return ep_fail(err, -EBADMSG, (uint64_t)(why.position > 0 ? why.position : 0),
			       "JSON: %s (line %d)", why.text, why.line);
	*ret_root = wrap(root);
	return 0;
}

void ep_json_free(struct ep_json *root)
{
	json_decref((json_t *)root);
}

bool ep_json_is_object(const struct ep_json *v)
{
	return json_is_object(peel(v));
}

bool ep_json_is_array(const struct ep_json *v)
{
	return json_is_array(peel(v));
}

bool ep_json_is_null(const struct ep_json *v)
{
	return json_is_null(peel(v));
}

const struct ep_json *ep_json_get(const struct ep_json *object, const char *key)
{
	return wrap(json_object_get(peel(object), key));
}

size_t ep_json_n(const struct ep_json *array)
{
	return json_array_size(peel(array));
}

const struct ep_json *ep_json_at(const struct ep_json *array, size_t i)
{
	return wrap(json_array_get(peel(array), i));
}

bool ep_json_str(const struct ep_json *v, struct ep_slice *ret_s)
{
	if (!json_is_string(peel(v)))
		return false;
	*ret_s = (struct ep_slice){json_string_value(peel(v)), json_string_length(peel(v))};
	return true;
}

/* Without libm's rounding: within most, a cast is exact. */
static bool is_whole(double d, double most)
{
	return d > -most && d < most && (double)(int64_t)d == d;
}

bool ep_json_int(const struct ep_json *v, int64_t *ret_n)
{
	const json_t *j = peel(v);
	if (json_is_integer(j)) {
		*ret_n = json_integer_value(j);
		return true;
	}
	if (json_is_real(j) && is_whole(json_real_value(j), 9e18)) {
		*ret_n = (int64_t)json_real_value(j);
		return true;
	}
	if (!json_is_string(j) || !json_string_length(j))
		return false;
	char *end;
	errno = 0;
	long long n = strtoll(json_string_value(j), &end, 10);
	if (errno || *end)
		return false;
	*ret_n = n;
	return true;
}

bool ep_json_double(const struct ep_json *v, double *ret_d)
{
	const json_t *j = peel(v);
	if (json_is_number(j)) {
		*ret_d = json_number_value(j);
		return true;
	}
	if (!json_is_string(j) || !json_string_length(j))
		return false;
	char *end;
	double d = strtod(json_string_value(j), &end);
	if (*end || !isfinite(d))
		return false;
	*ret_d = d;
	return true;
}

bool ep_json_bool(const struct ep_json *v, bool *ret_b)
{
	if (!json_is_boolean(peel(v)))
		return false;
	*ret_b = json_is_true(peel(v));
	return true;
}

static void *entry(void *it, const char **ret_key, const struct ep_json **ret_v)
{
	if (it) {
		*ret_key = json_object_iter_key(it);
		*ret_v = wrap(json_object_iter_value(it));
	}
	return it;
}

void *ep_json_first(const struct ep_json *object, const char **ret_key,
		    const struct ep_json **ret_v)
{
	return entry(json_object_iter((json_t *)object), ret_key, ret_v);
}

void *ep_json_next(const struct ep_json *object, void *it, const char **ret_key,
		   const struct ep_json **ret_v)
{
	return entry(json_object_iter_next((json_t *)object, it), ret_key, ret_v);
}

/* --- writing ------------------------------------------------------------------ */

/* Bytes of the UTF-8 character at p, 0 when there is none (RFC 3629). */
static size_t utf8_len(const unsigned char *p, size_t n)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t len = p[0] < 0x80 ? 1 : p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
	if (len == 1)
		return 1;
	if (p[0] < 0xc2 || p[0] > 0xf4 || len > n)
		return 0;
	uint32_t c = p[0] & (0x7fu >> len);
	for (size_t i = 1; i < len; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (p[i] & 0x3f);
	}
	bool is_ok = c >= least[len] && c <= 0x10ffff && (c < 0xd800 || c > 0xdfff);
	return is_ok ? len : 0;
}

bool ep_json_is_utf8(struct ep_slice s)
{
	const unsigned char *p = (const unsigned char *)s.p;
	for (size_t i = 0, len; i < s.n; i += len)
		if (!(len = utf8_len(p + i, s.n - i)))
			return false;
	return true;
}

static void add_char(struct ep_buf *b, unsigned char c)
{
	static const char named[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt";
	const char *at = c ? strchr(named, c) : NULL;
	if (at) {
		ep_buf_add_char(b, '\\');
		ep_buf_add_char(b, letters[at - named]);
	} else {
		ep_buf_printf(b, "\\u%04x", c);
	}
}

static bool is_plain(unsigned char c)
{
	/* <, > and & escaped too: harmless, and safe inside a page. */
	return c >= ' ' && c < 0x7f && c != '"' && c != '\\' && c != '<' && c != '>' &&
	       c != '&';
}

static void add_text(struct ep_buf *b, struct ep_slice s)
{
	const unsigned char *p = (const unsigned char *)s.p;
	ep_buf_add_char(b, '"');
	for (size_t i = 0; i < s.n;) {
		size_t run = i;
		while (run < s.n && is_plain(p[run]))
			run++;
		ep_buf_add(b, p + i, run - i);
		i = run;
		if (i == s.n)
			break;
		size_t len = utf8_len(p + i, s.n - i);
		if (len > 1)
			ep_buf_add(b, p + i, len);
		else if (len == 1)
			add_char(b, p[i]);
		else
			ep_buf_add_str(b, "\xef\xbf\xbd");
		i += len ? len : 1;
	}
	ep_buf_add_char(b, '"');
}

static void before(struct ep_jsonw *w, const char *key)
{
	if (w->needs_comma)
		ep_buf_add_char(w->out, ',');
	w->needs_comma = true;
	if (key) {
		add_text(w->out, ep_slice_of(key));
		ep_buf_add_char(w->out, ':');
	}
}

void ep_jsonw_key(struct ep_jsonw *w, struct ep_slice key)
{
	if (w->needs_comma)
		ep_buf_add_char(w->out, ',');
	add_text(w->out, key);
	ep_buf_add_char(w->out, ':');
	w->needs_comma = false;
}

void ep_jsonw_open(struct ep_jsonw *w, const char *key, char bracket)
{
	before(w, key);
	ep_buf_add_char(w->out, bracket);
	w->needs_comma = false;
}

void ep_jsonw_close(struct ep_jsonw *w, char bracket)
{
	ep_buf_add_char(w->out, bracket);
	w->needs_comma = true;
}

void ep_jsonw_slice(struct ep_jsonw *w, const char *key, struct ep_slice s)
{
	before(w, key);
	add_text(w->out, s);
}

void ep_jsonw_str(struct ep_jsonw *w, const char *key, const char *s)
{
	ep_jsonw_slice(w, key, ep_slice_of(s));
}

static void add_uint(struct ep_buf *b, uint64_t n, bool is_negative)
{
	char digits[24];
	char *p = digits + sizeof(digits);
	do {
		*--p = (char)('0' + n % 10);
		n /= 10;
	} while (n);
	if (is_negative)
		*--p = '-';
	ep_buf_add(b, p, (size_t)(digits + sizeof(digits) - p));
}

static void add_int(struct ep_buf *b, int64_t n)
{
	add_uint(b, n < 0 ? 0 - (uint64_t)n : (uint64_t)n, n < 0);
}

void ep_jsonw_int(struct ep_jsonw *w, const char *key, int64_t n)
{
	before(w, key);
	add_int(w->out, n);
}

void ep_jsonw_uint(struct ep_jsonw *w, const char *key, uint64_t n)
{
	before(w, key);
	add_uint(w->out, n, false);
}

void ep_jsonw_int_str(struct ep_jsonw *w, const char *key, int64_t n)
{
	before(w, key);
	ep_buf_add_char(w->out, '"');
	add_int(w->out, n);
	ep_buf_add_char(w->out, '"');
}

void ep_jsonw_double(struct ep_jsonw *w, const char *key, double d)
{
	before(w, key);
	if (!isfinite(d))
		d = 0;
	if (is_whole(d, 1e15))
		add_int(w->out, (int64_t)d);
	else
		ep_buf_printf(w->out, "%.17g", d);
}

void ep_jsonw_bool(struct ep_jsonw *w, const char *key, bool b)
{
	before(w, key);
	ep_buf_add_str(w->out, b ? "true" : "false");
}

void ep_jsonw_null(struct ep_jsonw *w, const char *key)
{
	before(w, key);
	ep_buf_add_str(w->out, "null");
}
