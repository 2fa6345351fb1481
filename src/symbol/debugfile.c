/* debugfile.c - see debugfile.h. */
#include "symbol/debugfile.h"

#include "base/buf.h"
#include "codec/xz.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_MINI ((size_t)256 << 20)
#define DEBUG_ROOT "/usr/lib/debug"

/* ---- paths ---- */

/* false when it does not fit. */
__attribute__((format(printf, 2, 3))) static bool path(char out[PATH_MAX], const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(out, PATH_MAX, fmt, ap);
	va_end(ap);
	return n >= 0 && n < PATH_MAX;
}

/* The folder of a path, without the slash; "" for one of the root. */
static void dir_of(const char *file, char out[PATH_MAX])
{
	const char *slash = strrchr(file, '/');
	size_t n = slash ? (size_t)(slash - file) : 0;
	if (!slash || n >= PATH_MAX) {
		memcpy(out, ".", 2);
		return;
	}
	memcpy(out, file, n);
	out[n] = '\0';
}

static bool has(struct ep_elffile *f, const char *section)
{
	return ep_elffile_section(f, section).n > 0;
}

static bool is_useful(struct ep_elffile *f)
{
	return has(f, ".debug_info") || has(f, ".symtab");
}

/* ---- by build ID ---- */

static int take_if_same(const char *name, const char *id, const struct ep_notes *notes,
			struct ep_elffile **ret_f)
{
	ep_auto(ep_elffile) f = NULL;
	if (ep_elffile_open(name, &f, NULL) < 0)
		return -ENOENT;
	if (strcmp(ep_elffile_build_id(f), id) != 0) {
		ep_note(notes, "Ignoring local file %s: build-id mismatch (%s != %s)", name,
			id, ep_elffile_build_id(f));
		return -ENOENT;
	}
	if (!is_useful(f))
		return -ENOENT;
	*ret_f = ep_take(&f);
	return 0;
}

static bool is_id(const char *id)
{
	return strlen(id) > 2 && strspn(id, "0123456789abcdef") == strlen(id);
}

static int in_folders(const char *id, const struct ep_debugfile_places *pl,
		      struct ep_elffile **ret_f)
{
	char name[PATH_MAX];
	const char *root = pl->debug_root ? pl->debug_root : DEBUG_ROOT;
	if (path(name, "%s/.build-id/%.2s/%s.debug", root, id, id + 2) &&
	    take_if_same(name, id, pl->notes, ret_f) == 0)
		return 0;
	for (const char *p = pl->search_path; p && *p;) {
		int n = (int)strcspn(p, ":");
		if (n && ((path(name, "%.*s/%.2s/%s.debug", n, p, id, id + 2) &&
			   take_if_same(name, id, pl->notes, ret_f) == 0) ||
			  (path(name, "%.*s/.build-id/%.2s/%s.debug", n, p, id, id + 2) &&
			   take_if_same(name, id, pl->notes, ret_f) == 0)))
			return 0;
		p += n;
		p += *p == ':';
	}
	return -ENOENT;
}

/* ---- debuginfod ---- */

/* mkdir -p */
static void make_folders(char *dir)
{
	for (char *p = dir + 1; (p = strchr(p, '/')); p++) {
		*p = '\0';
		(void)mkdir(dir, 0700); /* there already, or the download fails */
		*p = '/';
	}
	(void)mkdir(dir, 0700);
}

static int download(const char *id, const char *kind, const struct ep_debugfile_places *pl,
		    const char *to)
{
	char url[PATH_MAX], part[PATH_MAX];
	if (!path(part, "%s.%d", to, (int)getpid()))
		return -ENOENT;
	for (const char *p = pl->servers; *p;) {
		p += strspn(p, " ");
		int n = (int)strcspn(p, " ");
		if (!n)
			break;
		int slash = p[n - 1] == '/';
		struct ep_err why = {0};
		int rc = !path(url, "%.*s/buildid/%s/%s", n - slash, p, id, kind)
				 ? -ENOENT
				 : pl->download->file(pl->download->ctx, url, part, &why);
		if (rc == 0 && rename(part, to) == 0)
			return 0;
		(void)unlink(part); /* if it is there */
		if (rc < 0 && rc != -ENOENT)
			ep_note(pl->notes, "%s: %s", url, why.text);
		p += n;
	}
	return -ENOENT;
}

static int from_servers(const char *id, const char *kind, const struct ep_debugfile_places *pl,
			struct ep_elffile **ret_f)
{
	char dir[PATH_MAX], name[PATH_MAX];
	if (!pl->servers || !*pl->servers || !pl->cache ||
	    !path(dir, "%s/%s", pl->cache, id) || !path(name, "%s/%s", dir, kind))
		return -ENOENT;
	if (take_if_same(name, id, pl->notes, ret_f) == 0)
		return 0;
	if (!pl->download)
		return -ENOENT;
	make_folders(dir);
	if (download(id, kind, pl, name) < 0)
		return -ENOENT;
	return take_if_same(name, id, pl->notes, ret_f);
}

int ep_debugfile_by_id(const char *build_id, const char *kind,
		       const struct ep_debugfile_places *places, struct ep_elffile **ret_f,
		       struct ep_err *err)
{
	if (is_id(build_id)) {
		if (strcmp(kind, "debuginfo") == 0 && in_folders(build_id, places, ret_f) == 0)
			return 0;
		if (from_servers(build_id, kind, places, ret_f) == 0)
			return 0;
	}
	return ep_fail(err, -ENOENT, 0, "no %s file with build ID %s", kind, build_id);
}

/* ---- .gnu_debuglink ---- */

static uint32_t crc32_of(struct ep_elffile_bytes b)
{
	static uint32_t table[256];
	if (!table[1]) {
		/* The same content whoever writes it first; [1] last. */
		for (uint32_t i = 255; i > 0; i--) {
			uint32_t c = i;
			for (int k = 0; k < 8; k++)
				c = c & 1 ? 0xedb88320u ^ (c >> 1) : c >> 1;
			table[i] = c;
		}
	}
	uint32_t c = ~0u;
	for (size_t i = 0; i < b.n; i++)
		c = table[(c ^ b.p[i]) & 0xff] ^ (c >> 8);
	return ~c;
}

struct link {
	const char *name;
	uint32_t crc;
};

static bool read_link(struct ep_elffile *f, struct link *l)
{
	struct ep_elffile_bytes b = ep_elffile_section(f, ".gnu_debuglink");
	const uint8_t *nul = b.n ? memchr(b.p, 0, b.n) : NULL;
	if (!nul || nul == b.p || memchr(b.p, '/', (size_t)(nul - b.p)))
		return false;
	size_t at = ((size_t)(nul - b.p) + 4) & ~(size_t)3;
	if (at + 4 > b.n)
		return false;
	l->name = (const char *)b.p;
	memcpy(&l->crc, b.p + at, 4);
	return true;
}

static int take_if_crc(const char *name, const struct link *l, struct ep_elffile *of,
		       const struct ep_notes *notes, struct ep_elffile **ret_f)
{
	ep_auto(ep_elffile) f = NULL;
	if (ep_elffile_open(name, &f, NULL) < 0)
		return -ENOENT;
	/* An equal build ID says as much as the sum, without reading the file whole. */
	const char *a = ep_elffile_build_id(f), *b = ep_elffile_build_id(of);
	if ((!*a || strcmp(a, b) != 0) && crc32_of(ep_elffile_all(f)) != l->crc) {
		ep_note(notes, "Ignoring local file %s: its CRC is not that of %s", name,
			ep_elffile_path(of));
		return -ENOENT;
	}
	if (!is_useful(f))
		return -ENOENT;
	*ret_f = ep_take(&f);
	return 0;
}

static int beside(const char *dir, const struct link *l, struct ep_elffile *of,
		  const struct ep_debugfile_places *pl, struct ep_elffile **ret_f)
{
	const char *root = pl->debug_root ? pl->debug_root : DEBUG_ROOT;
	char name[PATH_MAX];
	if (path(name, "%s/%s", dir, l->name) &&
	    strcmp(name, ep_elffile_path(of)) != 0 &&
	    take_if_crc(name, l, of, pl->notes, ret_f) == 0)
		return 0;
	if (path(name, "%s/.debug/%s", dir, l->name) &&
	    take_if_crc(name, l, of, pl->notes, ret_f) == 0)
		return 0;
	if (path(name, "%s%s/%s", root, dir, l->name) &&
	    take_if_crc(name, l, of, pl->notes, ret_f) == 0)
		return 0;
	return -ENOENT;
}

static int by_link(struct ep_elffile *f, const struct ep_debugfile_places *pl,
		   struct ep_elffile **ret_f)
{
	struct link l;
	char dir[PATH_MAX], real[PATH_MAX];
	if (!read_link(f, &l))
		return -ENOENT;
	dir_of(ep_elffile_path(f), dir);
	if (beside(dir, &l, f, pl, ret_f) == 0)
		return 0;
	if (!realpath(ep_elffile_path(f), real))
		return -ENOENT;
	char real_dir[PATH_MAX];
	dir_of(real, real_dir);
	return strcmp(dir, real_dir) == 0 ? -ENOENT : beside(real_dir, &l, f, pl, ret_f);
}

int ep_debugfile_find(struct ep_elffile *f, const struct ep_debugfile_places *places,
		      struct ep_elffile **ret_debug, struct ep_err *err)
{
	const char *id = ep_elffile_build_id(f);
	if (is_id(id) && in_folders(id, places, ret_debug) == 0)
		return 0;
	if (by_link(f, places, ret_debug) == 0)
		return 0;
	if (is_id(id) && from_servers(id, "debuginfo", places, ret_debug) == 0)
		return 0;
	return ep_fail(err, -ENOENT, 0, "no debug file of %s", ep_elffile_path(f));
}

/* ---- the others ---- */

int ep_debugfile_mini(struct ep_elffile *f, struct ep_elffile **ret_mini, struct ep_err *err)
{
	struct ep_elffile_bytes b = ep_elffile_section(f, ".gnu_debugdata");
	char name[PATH_MAX];
	ep_auto_buf out;
	ep_buf_init(&out, MAX_MINI);
	if (!b.n || !path(name, "%s(.gnu_debugdata)", ep_elffile_path(f)))
		return ep_fail(err, -ENOENT, 0, "no .gnu_debugdata");
	EP_TRY(ep_xz_unpack(b.p, b.n, &out, err));
	EP_TRY(ep_elffile_open_bytes(name, out.data, out.len, ret_mini, err));
	ep_buf_init(&out, 0); /* the file's now */
	return 0;
}

static bool open_alt(const char *name, const char *id, struct ep_elffile **ret_alt)
{
	ep_auto(ep_elffile) f = NULL;
	if (ep_elffile_open(name, &f, NULL) < 0 || strcmp(ep_elffile_build_id(f), id) != 0)
		return false;
	*ret_alt = ep_take(&f);
	return true;
}

int ep_debugfile_alt(struct ep_elffile *f, const struct ep_notes *notes,
		     struct ep_elffile **ret_alt)
{
	struct ep_elffile_bytes b = ep_elffile_section(f, ".gnu_debugaltlink");
	const uint8_t *nul = b.n ? memchr(b.p, 0, b.n) : NULL;
	char id[EP_ELF_HEX_MAX] = "", dir[PATH_MAX], name[PATH_MAX];
	if (!nul)
		return -ENOENT;
	const uint8_t *raw = nul + 1;
	for (size_t i = 0; i < EP_ELF_BUILD_ID_MAX && raw + i < b.p + b.n; i++)
		(void)snprintf(id + 2 * i, 3, "%02x", raw[i]); /* fits */
	const char *link = (const char *)b.p;
	dir_of(ep_elffile_path(f), dir);
	if (*link == '/' ? open_alt(link, id, ret_alt)
			 : path(name, "%s/%s", dir, link) && open_alt(name, id, ret_alt))
		return 0;
	/* Debian's links lead from /usr/lib/debug/.build-id/BB to ../../.dwz. */
	if (is_id(id) &&
	    path(name, DEBUG_ROOT "/.build-id/%.2s/%s.debug", id, id + 2) &&
	    open_alt(name, id, ret_alt))
		return 0;
	ep_note(notes, "%s: shared debug file %s not found", ep_elffile_path(f), link);
	return -ENOENT;
}

int ep_debugfile_dwo(struct ep_elffile *f, const char *comp_dir, const char *name,
		     struct ep_elffile **ret_dwo)
{
	char dir[PATH_MAX], full[PATH_MAX];
	const char *slash = strrchr(name, '/');
	bool fits = *name == '/' ? path(full, "%s", name)
				 : path(full, "%s/%s", comp_dir, name);
	if (fits && ep_elffile_open(full, ret_dwo, NULL) == 0)
		return 0;
	dir_of(ep_elffile_path(f), dir);
	if (path(full, "%s/%s", dir, slash ? slash + 1 : name) &&
	    ep_elffile_open(full, ret_dwo, NULL) == 0)
		return 0;
	return -ENOENT;
}
