/* sourcefile.c - see sourcefile.h. */
#include "report/sourcefile.h"

#include "base/buf.h"
#include "base/hash.h"
#include "base/index.h"
#include "report/text.h"

#include <ctype.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_FILE_BYTES (256u << 20)
#define MAX_FILES 65536

struct ep_sourcefile_reader {
	char *source_path, *trim_path;
	struct ep_sourcefile **files;
	uint32_t n_files, cap_files;
	struct ep_index by_path;
};

/* --- paths ------------------------------------------------------------------------ */

/* Where to begin with a list by colons: "" has no entry, "a:" has two. */
static const char *entries(const char *list)
{
	return *list ? list : NULL;
}

/* Cut the next entry off. */
static bool next_entry(const char **rest, struct ep_slice *ret_entry)
{
	if (!*rest)
		return false;
	const char *end = strchrnul(*rest, ':');
	*ret_entry = (struct ep_slice){*rest, (size_t)(end - *rest)};
	*rest = *end ? end + 1 : NULL;
	return true;
}

static struct ep_slice cut(struct ep_slice s, size_t n)
{
	return (struct ep_slice){s.p + n, s.n - n};
}

/* Where "/name/" ends in a path; 0: it is not in there. */
static size_t end_of_folder(struct ep_slice path, struct ep_slice name)
{
	for (size_t i = 0; i + name.n + 2 <= path.n; i++)
		if (path.p[i] == '/' && memcmp(path.p + i + 1, name.p, name.n) == 0 &&
		    path.p[i + 1 + name.n] == '/')
			return i + name.n + 2;
	return 0;
}

/* Does it begin with the folder?  *ret_n is the length with a slash behind it. */
static bool begins_with(struct ep_slice path, struct ep_slice folder, size_t *ret_n)
{
	bool has_slash = folder.n && folder.p[folder.n - 1] == '/';
	size_t n = folder.n + !has_slash;
	if (path.n < n || memcmp(path.p, folder.p, folder.n) != 0 ||
	    path.p[n - 1] != '/')
		return false;
	*ret_n = n;
	return true;
}

struct ep_slice ep_sourcefile_trim(struct ep_slice path, const char *trim_path,
				   const char *search_path)
{
	struct ep_slice entry;
	size_t n;
	for (const char *rest = entries(search_path);
	     !*trim_path && next_entry(&rest, &entry);)
		if ((n = end_of_folder(path, ep_text_base_name(entry))))
			return cut(path, n);
	for (const char *rest = entries(trim_path); next_entry(&rest, &entry);)
		if (begins_with(path, entry, &n))
			return cut(path, n);
	static const char *const always[] = {"/proc/self/cwd/./", "/proc/self/cwd/"};
	for (size_t i = 0; i < sizeof(always) / sizeof(*always); i++)
		if (begins_with(path, ep_slice_of(always[i]), &n))
			return cut(path, n);
	return path;
}

/* --- finding ---------------------------------------------------------------------- */

/* Descriptor of a file; a FIFO or a device must not hold us. */
static int open_path(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	return fd < 0 ? -errno : fd;
}

/* The parent of a clean path; false when there is none to go to. */
static bool go_up(struct ep_slice *dir)
{
	if (dir->n == 0 || ep_slice_is(*dir, "/") || ep_slice_is(*dir, "."))
		return false;
	const char *slash = memrchr(dir->p, '/', dir->n);
	dir->n = !slash ? 0 : slash == dir->p ? 1 : (size_t)(slash - dir->p);
	return true;
}

/* Go up from a folder until the file lies below. */
static int search_upwards(struct ep_slice folder, struct ep_slice file)
{
	ep_auto_buf start, path;
	ep_buf_init(&start, PATH_MAX);
	ep_buf_init(&path, 2 * PATH_MAX);
	if (folder.n)
		ep_text_add_clean_path(&start, folder);
	struct ep_slice dir = {(char *)start.data, start.len};
	int fd;
	do {
		struct ep_buf joined;
		ep_buf_init(&joined, 2 * PATH_MAX);
		ep_buf_printf(&joined, "%.*s%s%.*s", EP_SLICE_ARG(dir),
			      dir.n ? "/" : "", EP_SLICE_ARG(file));
		ep_buf_clear(&path);
		ep_text_add_clean_path(
			&path, (struct ep_slice){(char *)joined.data, joined.len});
		ep_buf_fini(&joined);
		fd = open_path(ep_buf_cstr(&path));
	} while (fd < 0 && go_up(&dir));
	return fd;
}

/* An absolute path is taken as it is; any other is searched for. */
static int find(const struct ep_sourcefile_reader *r, struct ep_slice path)
{
	char name[PATH_MAX];
	if (path.n >= sizeof(name))
		return -ENAMETOOLONG;
	if (memchr(path.p, '\0', path.n))
		return -EINVAL;
	memcpy(name, path.p, path.n);
	name[path.n] = '\0';
	if (name[0] == '/')
		return open_path(name);
	struct ep_slice folder;
	int fd = -ENOENT;
	for (const char *rest = entries(r->source_path);
	     fd < 0 && next_entry(&rest, &folder);)
		fd = search_upwards(folder, path);
	return fd;
}

/* Why a file was not found, in the words of the reference; NULL when memory is short.
 */
static char *why_not(const struct ep_sourcefile_reader *r, struct ep_slice path, int rc)
{
	char *text = NULL;
	if (path.n && path.p[0] == '/') {
		const char *reason = strerror(-rc);
		if (asprintf(&text, "open %.*s: %c%s", EP_SLICE_ARG(path),
			     tolower((unsigned char)reason[0]), reason + 1) < 0)
			return NULL;
	} else if (asprintf(&text, "could not find file %.*s on path %s",
			    EP_SLICE_ARG(path), r->source_path) < 0) {
		return NULL;
	}
	return text;
}

/* --- reading ---------------------------------------------------------------------- */

/* All of a regular file; a folder, a device or what can't be read has no text. */
static int read_text(int fd, struct ep_slice *ret_text)
{
	struct stat st;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size > MAX_FILE_BYTES)
		return 0;
	char *text = ep_alloc((size_t)st.st_size);
	if (!text)
		return -ENOMEM;
	size_t n = 0;
	while (n < (size_t)st.st_size) {
		ssize_t got = read(fd, text + n, (size_t)st.st_size - n);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		n += (size_t)got;
	}
	*ret_text = (struct ep_slice){text, n};
	return 0;
}

static uint32_t count_lines(struct ep_slice text)
{
	uint32_t n = 0;
	for (size_t i = 0; i < text.n; n++) {
		const char *end = memchr(text.p + i, '\n', text.n - i);
		i = end ? (size_t)(end - text.p) + 1 : text.n;
	}
	return n;
}

/* A line ends before "\n" or "\r\n", and the last one where the text does. */
static int split(struct ep_sourcefile *f)
{
	uint32_t n = count_lines(f->text);
	f->lines = ep_alloc(n * sizeof(*f->lines));
	if (!f->lines)
		return -ENOMEM;
	for (size_t i = 0; i < f->text.n;) {
		const char *p = f->text.p + i;
		const char *end = memchr(p, '\n', f->text.n - i);
		size_t len = end ? (size_t)(end - p) : f->text.n - i;
		i += len + 1;
		if (len && p[len - 1] == '\r')
			len--;
		f->lines[f->n_lines++] = (struct ep_slice){p, len};
	}
	return 0;
}

static void file_free(struct ep_sourcefile *f)
{
	if (!f)
		return;
	ep_free((char *)f->path.p);
	ep_free((char *)f->text.p);
	ep_free(f->lines);
	free(f->error); /* asprintf() made it */
	ep_free(f);
}

static int load(const struct ep_sourcefile_reader *r, struct ep_sourcefile *f)
{
	struct ep_slice trimmed =
		ep_sourcefile_trim(f->path, r->trim_path, r->source_path);
	int fd = find(r, trimmed);
	if (fd < 0) {
		f->error = why_not(r, trimmed, fd);
		return f->error ? 0 : -ENOMEM;
	}
	f->found = true;
	int rc = read_text(fd, &f->text);
	close(fd);
	return rc < 0 ? rc : split(f);
}

/* --- the reader ------------------------------------------------------------------- */

int ep_sourcefile_reader_new(const char *source_path, const char *trim_path,
			     struct ep_sourcefile_reader **ret_r, struct ep_err *err)
{
	char here[PATH_MAX];
	if (!*source_path) {
		if (!getcwd(here, sizeof(here)))
			return ep_fail(err, -EIO, 0, "could not stat current dir: %s",
				       strerror(errno));
		source_path = here;
	}
	ep_auto(ep_sourcefile_reader) r = ep_zalloc(sizeof(*r));
	if (r) {
		r->source_path = ep_strdup(source_path);
		r->trim_path = ep_strdup(trim_path);
	}
	if (!r || !r->source_path || !r->trim_path)
		return ep_fail(err, -ENOMEM, 0, "out of memory");
	*ret_r = ep_take(&r);
	return 0;
}

void ep_sourcefile_reader_free(struct ep_sourcefile_reader *r)
{
	if (!r)
		return;
	for (uint32_t i = 0; i < r->n_files; i++)
		file_free(r->files[i]);
	ep_free(r->files);
	ep_index_fini(&r->by_path);
	ep_free(r->source_path);
	ep_free(r->trim_path);
	ep_free(r);
}

static int keep(struct ep_sourcefile_reader *r, uint64_t hash, struct ep_sourcefile *f)
{
	if (r->n_files == r->cap_files) {
		uint32_t cap = r->cap_files ? r->cap_files * 2 : 16;
		struct ep_sourcefile **files =
			ep_realloc(r->files, cap * sizeof(*files));
		if (!files)
			return -ENOMEM;
		r->files = files;
		r->cap_files = cap;
	}
	EP_TRY(ep_index_add(&r->by_path, hash, r->n_files));
	r->files[r->n_files++] = f;
	return 0;
}

const struct ep_sourcefile *ep_sourcefile_opened(const struct ep_sourcefile_reader *r,
						 struct ep_slice path)
{
	struct ep_index_iter it;
	for (uint32_t i = ep_index_first(&r->by_path, ep_hash64(path.p, path.n), &it);
	     i != EP_INDEX_NONE; i = ep_index_next(&r->by_path, &it))
		if (ep_slice_eq(r->files[i]->path, path))
			return r->files[i];
	return NULL;
}

int ep_sourcefile_open(struct ep_sourcefile_reader *r, struct ep_slice path,
		       const struct ep_sourcefile **ret_f)
{
	const struct ep_sourcefile *before = ep_sourcefile_opened(r, path);
	if (before) {
		*ret_f = before;
		return 0;
	}
	if (r->n_files >= MAX_FILES)
		return -E2BIG;
	struct ep_sourcefile *f = ep_zalloc(sizeof(*f));
	char *name = ep_alloc(path.n + 1);
	if (f && name) {
		memcpy(name, path.n ? path.p : "", path.n);
		f->path = (struct ep_slice){name, path.n};
	} else {
		ep_free(name);
	}
	int rc = f && name ? load(r, f) : -ENOMEM;
	rc = rc < 0 ? rc : keep(r, ep_hash64(path.p, path.n), f);
	if (rc < 0) {
		file_free(f);
		return rc;
	}
	*ret_f = f;
	return 0;
}
