/* elffile.c - see elffile.h. */
#include "symbol/elffile.h"

#include "codec/gzip.h"
#include "codec/zstd.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct unpacked {
	const Elf64_Shdr *of;
	uint8_t *data; /* owned; NULL: could not be unpacked */
	size_t n;
};

struct ep_elffile {
	char *path;    /* owned */
	struct ep_elf *elf;
	int fd;	       /* -1: bytes in memory */
	uint8_t *data; /* mapped, or owned when fd is -1 */
	size_t n;
	char build_id[EP_ELF_HEX_MAX];
	struct unpacked unpacked[EP_ELFFILE_MAX_UNPACKED];
	size_t n_unpacked;
	uint64_t n_unpacked_bytes;
};

void ep_elffile_free(struct ep_elffile *f)
{
	if (!f)
		return;
	for (size_t i = 0; i < f->n_unpacked; i++)
		ep_free(f->unpacked[i].data);
	ep_elf_free(f->elf);
	if (f->fd < 0)
		ep_free(f->data);
	else if (f->data)
		(void)munmap(f->data, f->n); /* can't fail for a mapping of ours */
	if (f->fd >= 0)
		(void)close(f->fd); /* was only read */
	ep_free(f->path);
	ep_free(f);
}

static struct ep_elffile *make(const char *path)
{
	struct ep_elffile *f = ep_zalloc(sizeof(*f));
	if (!f)
		return NULL;
	f->fd = -1;
	f->path = ep_strdup(path);
	if (!f->path) {
		ep_free(f);
		return NULL;
	}
	return f;
}

static int open_code(int e)
{
	return e == ENOENT || e == ENOTDIR ? -ENOENT : e == EACCES ? -EACCES : -EIO;
}

/* The words after "open PATH: " are those of the reference. */
static int map_file(struct ep_elffile *f, struct ep_err *err)
{
	f->fd = open(f->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (f->fd < 0) {
		int e = errno;
		const char *why = e == ENOENT	 ? "no such file or directory"
				  : e == EACCES	 ? "permission denied"
				  : e == ENOTDIR ? "not a directory"
						 : strerror(e);
		return ep_fail(err, open_code(e), 0, "open %s: %s", f->path, why);
	}
	struct stat st;
	if (fstat(f->fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size < EI_NIDENT)
		return ep_fail(err, -EBADMSG, 0, "open %s: unrecognized object file",
			       f->path);
	void *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, f->fd, 0);
	if (p == MAP_FAILED)
		return ep_fail(err, -ENOMEM, 0, "open %s: can't be mapped", f->path);
	f->data = p;
	f->n = (size_t)st.st_size;
	return 0;
}

static int read_headers(struct ep_elffile *f, struct ep_err *err)
{
	if (f->n < SELFMAG || memcmp(f->data, ELFMAG, SELFMAG) != 0)
		return ep_fail(err, -EBADMSG, 0, "open %s: unrecognized object file",
			       f->path);
	struct ep_err inner = {0};
	int rc = ep_elf_open_bytes(f->data, f->n, &f->elf, &inner);
	if (rc < 0)
		return ep_fail(err, rc, inner.pos, "open %s: %s", f->path, inner.text);
	if (ep_elf_build_id(f->elf, f->build_id, NULL) < 0)
		f->build_id[0] = '\0';
	return 0;
}

int ep_elffile_open(const char *path, struct ep_elffile **ret_f, struct ep_err *err)
{
	ep_auto(ep_elffile) f = make(path);
	if (!f)
		return ep_fail(err, -ENOMEM, 0, "no memory to open a file");
	EP_TRY(map_file(f, err));
	EP_TRY(read_headers(f, err));
	*ret_f = ep_take(&f);
	return 0;
}

int ep_elffile_open_bytes(const char *path, uint8_t *data, size_t n,
			  struct ep_elffile **ret_f, struct ep_err *err)
{
	ep_auto(ep_elffile) f = make(path);
	if (!f)
		return ep_fail(err, -ENOMEM, 0, "no memory to open a file");
	f->data = data;
	f->n = n;
	int rc = read_headers(f, err);
	if (rc < 0) {
		f->data = NULL; /* stays the caller's */
		return rc;
	}
	*ret_f = ep_take(&f);
	return 0;
}

const struct ep_elf *ep_elffile_elf(const struct ep_elffile *f)
{
	return f->elf;
}

const char *ep_elffile_path(const struct ep_elffile *f)
{
	return f->path;
}

const char *ep_elffile_build_id(const struct ep_elffile *f)
{
	return f->build_id;
}

struct ep_elffile_bytes ep_elffile_all(const struct ep_elffile *f)
{
	return (struct ep_elffile_bytes){f->data, f->n};
}

/* How a section is packed, and what of it is the stream. */
struct packed {
	enum { PLAIN, ZLIB, ZSTD, UNKNOWN } how;
	uint64_t n_out;
	struct ep_elffile_bytes stream;
};

static struct packed look(const Elf64_Shdr *s, const char *name, struct ep_elffile_bytes raw)
{
	if (s->sh_flags & SHF_COMPRESSED) {
		Elf64_Chdr h;
		if (raw.n < sizeof(h))
			return (struct packed){.how = UNKNOWN};
		memcpy(&h, raw.p, sizeof(h));
		return (struct packed){
			.how = h.ch_type == ELFCOMPRESS_ZLIB ? ZLIB
			       : h.ch_type == 2		     ? ZSTD
							     : UNKNOWN,
			.n_out = h.ch_size,
			.stream = {raw.p + sizeof(h), raw.n - sizeof(h)}};
	}
	if (strncmp(name, ".zdebug", 7) == 0 && raw.n > 12 && memcmp(raw.p, "ZLIB", 4) == 0) {
		uint64_t n;
		memcpy(&n, raw.p + 4, 8);
		return (struct packed){.how = ZLIB,
				       .n_out = __builtin_bswap64(n),
				       .stream = {raw.p + 12, raw.n - 12}};
	}
	return (struct packed){.how = PLAIN, .stream = raw};
}

static int unpack_zstd(struct ep_elffile_bytes in, uint8_t *out, size_t n)
{
	ep_auto(ep_zstd) z = ep_zstd_new();
	return z ? ep_zstd_unpack_with(z, in.p, in.n, out, n, NULL) : -ENOMEM;
}

static struct ep_elffile_bytes unpack(struct ep_elffile *f, const Elf64_Shdr *s,
				      const struct packed *k)
{
	struct ep_elffile_bytes none = {NULL, 0};
	if (f->n_unpacked == EP_ELFFILE_MAX_UNPACKED)
		return none;
	struct unpacked *u = &f->unpacked[f->n_unpacked++];
	*u = (struct unpacked){.of = s};
	if (k->how == UNKNOWN || !k->n_out || k->n_out / EP_ELFFILE_MAX_RATIO > k->stream.n ||
	    k->n_out > EP_ELFFILE_MAX_BYTES - f->n_unpacked_bytes)
		return none;
	ep_auto_mem uint8_t *out = ep_alloc(k->n_out);
	if (!out)
		return none;
	int rc = k->how == ZLIB ? ep_gzip_unpack_zlib(k->stream.p, k->stream.n, out,
						      k->n_out, NULL)
				: unpack_zstd(k->stream, out, k->n_out);
	if (rc < 0)
		return none;
	f->n_unpacked_bytes += k->n_out;
	u->data = ep_take(&out);
	u->n = k->n_out;
	return (struct ep_elffile_bytes){u->data, u->n};
}

struct ep_elffile_bytes ep_elffile_content(struct ep_elffile *f, const Elf64_Shdr *s)
{
	struct ep_elffile_bytes none = {NULL, 0};
	if (!s || s->sh_type == SHT_NOBITS || s->sh_offset > f->n ||
	    s->sh_size > f->n - s->sh_offset)
		return none;
	for (size_t i = 0; i < f->n_unpacked; i++)
		if (f->unpacked[i].of == s)
			return (struct ep_elffile_bytes){f->unpacked[i].data, f->unpacked[i].n};
	struct ep_elffile_bytes raw = {f->data + s->sh_offset, s->sh_size};
	struct packed k = look(s, ep_elf_section_name(f->elf, s), raw);
	return k.how == PLAIN ? raw : unpack(f, s, &k);
}

struct ep_elffile_bytes ep_elffile_section(struct ep_elffile *f, const char *name)
{
	const Elf64_Shdr *s = ep_elf_find_section(f->elf, name);
	if (!s && strncmp(name, ".debug", 6) == 0) {
		char old[64];
		(void)snprintf(old, sizeof(old), ".z%s", name + 1); /* our own names fit */
		s = ep_elf_find_section(f->elf, old);
	}
	return ep_elffile_content(f, s);
}
