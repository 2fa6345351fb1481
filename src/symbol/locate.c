/* locate.c - see locate.h. */
#include "symbol/locate.h"

#include <glob.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Squeeze slashes and dots out, as Go's filepath.Join does, since the found name is
 * shown. */
static void clean(char *s)
{
	char *out = s;
	for (const char *p = s; *p;) {
		if (p[0] == '/' && (p[1] == '/' || (p[1] == '.' && (p[2] == '/' || !p[2])))) {
			p += p[1] == '/' ? 1 : 2;
			continue;
		}
		*out++ = *p++;
	}
	if (out > s + 1 && out[-1] == '/')
		out--;
	*out = '\0';
}

struct search {
	const struct ep_locate *l;
	struct ep_elffile **ret_f;
};

static bool try_file(const struct search *s, const char *name)
{
	ep_auto(ep_elffile) f = NULL;
	if (ep_elffile_open(name, &f, NULL) < 0)
		return false;
	const char *want = s->l->build_id, *is = ep_elffile_build_id(f);
	if (*want && strcmp(want, is) != 0) {
		ep_note(s->l->notes, "Ignoring local file %s: build-id mismatch (%s != %s)",
			name, want, is);
		return false;
	}
	*s->ret_f = ep_take(&f);
	return true;
}

__attribute__((format(printf, 2, 3))) static bool try(const struct search *s, const char *fmt,
						       ...)
{
	char name[PATH_MAX];
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(name, sizeof(name), fmt, ap);
	va_end(ap);
	if (n < 0 || n >= (int)sizeof(name))
		return false;
	clean(name);
	return try_file(s, name);
}

/* DIR/BUILDID/anything */
static bool try_all(const struct search *s, int n, const char *dir)
{
	char pattern[PATH_MAX];
	glob_t g;
	bool found = false;
	int len = snprintf(pattern, sizeof(pattern), "%.*s/%s/*", n, dir, s->l->build_id);
	if (len < 0 || len >= (int)sizeof(pattern) || glob(pattern, 0, NULL, &g) != 0)
		return false;
	for (size_t i = 0; i < g.gl_pathc && !found; i++) {
		clean(g.gl_pathv[i]);
		found = try_file(s, g.gl_pathv[i]);
	}
	globfree(&g);
	return found;
}

static bool by_id(const struct search *s, int n, const char *dir, const char *base)
{
	const char *id = s->l->build_id;
	if (strlen(id) < 3 || strchr(id, '/'))
		return false;
	return try(s, "%.*s/%s/%s", n, dir, id, base) || try_all(s, n, dir) ||
	       try(s, "%.*s/%s/%s", n, dir, s->l->file, id) ||
	       try(s, "%.*s/%.2s/%s.debug", n, dir, id, id + 2);
}

static bool by_name(const struct search *s, int n, const char *dir, const char *base)
{
	const char *file = s->l->file;
	int n_folder = (int)(base - file); /* with its slash */
	return try(s, "%.*s/%s", n, dir, base) || try(s, "%.*s/%s", n, dir, file) ||
	       try(s, "%.*s/%s.debug", n, dir, file) ||
	       try(s, "%.*s/%.*s/.debug/%s.debug", n, dir, n_folder, file, base) ||
	       try(s, "%.*s/usr/lib/debug/%.*s/%s.debug", n, dir, n_folder, file, base);
}

int ep_locate_find(const struct ep_locate *l, struct ep_elffile **ret_f)
{
	struct search s = {l, ret_f};
	const char *slash = strrchr(l->file, '/'), *base = slash ? slash + 1 : l->file;
	for (const char *p = l->search_path; p && *p;) {
		int n = (int)strcspn(p, ":");
		if (n && *l->build_id && by_id(&s, n, p, base))
			return 0;
		if (n && *l->file && by_name(&s, n, p, base))
			return 0;
		p += n;
		p += *p == ':';
	}
	return -ENOENT;
}
