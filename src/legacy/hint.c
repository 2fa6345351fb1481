/* hint.c - see hint.h. */
#include "legacy/hint.h"

#include "base/mem.h"

#include <ctype.h>

struct magic {
	const char *bytes, *hint;
	size_t n;
};

#define MAGIC(bytes, hint)                                                             \
	{                                                                              \
		bytes, hint, sizeof(bytes) - 1                                         \
	}

static const struct magic magics[] = {
	MAGIC("PERFILE2", "perf.data: pipe in what `perf script` prints of it"),
	MAGIC("\x7f"
	      "ELF",
	      "a program, not a profile of one"),
	MAGIC("FLR\0", "a Java Flight Recorder file"),
	MAGIC("PK\x03\x04", "a zip file: unpack it first"),
	MAGIC("\xfd"
	      "7zXZ",
	      "an xz file: unpack it first"),
	MAGIC("BZh", "a bzip2 file: unpack it first"),
	MAGIC("go 1.", "a Go execution trace: `go tool trace` opens it"),
	MAGIC("goroutine ", "Go's goroutine dump of debug=2: fetch it without debug"),
};

/* Text whose first words tell. */
static const struct magic texts[] = {
	MAGIC("<!doctype html", "a web page, perhaps an error of the server"),
	MAGIC("<html", "a web page, perhaps an error of the server"),
	MAGIC("<svg", "a picture, not the profile it was made of"),
	MAGIC("<?xml", "XML"),
	MAGIC("{", "JSON"),
	MAGIC("[", "JSON"),
};

static struct ep_slice skip_space(struct ep_slice s)
{
	while (s.n && isspace((unsigned char)*s.p)) {
		s.p++;
		s.n--;
	}
	return s;
}

static bool begins(struct ep_slice s, const struct magic *m, bool any_case)
{
	if (s.n < m->n)
		return false;
	return any_case ? !strncasecmp(s.p, m->bytes, m->n)
			: !memcmp(s.p, m->bytes, m->n);
}

const char *ep_hint_of(struct ep_slice bytes)
{
	for (size_t i = 0; i < sizeof(magics) / sizeof(*magics); i++)
		if (begins(bytes, &magics[i], false))
			return magics[i].hint;
	struct ep_slice text = skip_space(bytes);
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		if (begins(text, &texts[i], true))
			return texts[i].hint;
	return NULL;
}
