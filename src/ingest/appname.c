/* appname.c - see appname.h. */
#include "ingest/appname.h"

#include "codec/json.h"

#include <string.h>

enum { MAX_APP = 1024 };

static struct ep_slice trim(struct ep_slice s)
{
	while (s.n && s.p[0] == ' ')
		s.p++, s.n--;
	while (s.n && s.p[s.n - 1] == ' ')
		s.n--;
	return s;
}

static bool is_key_char(unsigned char c)
{
	return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') ||
	       c == '_' || c == '.' || c == '-' || c == '/' || c >= 0x80;
}

static bool is_key(struct ep_slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!is_key_char((unsigned char)s.p[i]))
			return false;
	return s.n > 0;
}

static bool is_kept(struct ep_slice key, bool keep_name)
{
	if (key.n < 2 || memcmp(key.p, "__", 2) != 0)
		return true;
	return ep_slice_is(key, "__session_id__") ||
	       (keep_name && ep_slice_is(key, "__name__"));
}

static int check_app(struct ep_slice app, struct ep_err *err)
{
	bool bad = !app.n || app.n > MAX_APP || !ep_json_is_utf8(app);
	for (size_t i = 0; i < app.n; i++)
		bad |= (unsigned char)app.p[i] < ' ' || app.p[i] == '}' || app.p[i] == 0x7f;
	if (bad)
		return ep_fail(err, -EINVAL, 0,
			       "name: before { stands the application, 1 to %d bytes of "
			       "UTF-8 without control characters",
			       MAX_APP);
	return 0;
}

static int add_pair(struct ep_slice pair, size_t pos, bool keep_name,
		    struct ep_labelset_in *labels, struct ep_err *err)
{
	const char *eq = pair.n ? memchr(pair.p, '=', pair.n) : NULL;
	if (!eq)
		return ep_fail(err, -EINVAL, pos, "name: a label without = at offset %zu", pos);
	struct ep_slice key = trim((struct ep_slice){pair.p, (size_t)(eq - pair.p)});
	struct ep_slice value = trim((struct ep_slice){eq + 1, pair.n - (size_t)(eq + 1 - pair.p)});
	if (!is_key(key))
		return ep_fail(err, -EINVAL, pos,
			       "name: a label's key at offset %zu is not made of letters, "
			       "digits, _ . - /",
			       pos);
	return is_kept(key, keep_name) ? ep_accept_label(labels, key, value, err) : 0;
}

int ep_appname_parse(struct ep_slice text, bool keep_name, struct ep_slice *ret_app,
		     struct ep_labelset_in *labels, struct ep_err *err)
{
	const char *open = text.n ? memchr(text.p, '{', text.n) : NULL;
	struct ep_slice app = trim((struct ep_slice){text.p, open ? (size_t)(open - text.p) : text.n});
	EP_TRY(check_app(app, err));
	*ret_app = app;
	if (!open)
		return 0;
	const char *close = memchr(open, '}', text.n - (size_t)(open - text.p));
	if (!close)
		return ep_fail(err, -EINVAL, text.n, "name: the closing } is missing");
	for (const char *at = open + 1; at < close;) {
		const char *comma = memchr(at, ',', (size_t)(close - at));
		const char *stop = comma ? comma : close;
		struct ep_slice pair = trim((struct ep_slice){at, (size_t)(stop - at)});
		if (pair.n)
			EP_TRY(add_pair(pair, (size_t)(at - text.p), keep_name, labels, err));
		at = stop + 1;
	}
	return 0;
}
