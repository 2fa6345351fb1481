/*
 * elf.c - headers, pieces and the build ID of an ELF file.  See elf.h.
 */
#include "elf/elf.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct ep_elf {
	int fd;		    /* -1: the file lies in memory */
	const uint8_t *mem; /* borrowed */
	uint64_t n_bytes;
	Elf64_Ehdr head;
	Elf64_Phdr *segments;
	size_t n_segments;
	Elf64_Shdr *sections;
	size_t n_sections;
	char *names; /* of sections, NUL-terminated */
	size_t n_names;
};

static int read_fd(int fd, uint8_t *to, uint64_t n, uint64_t offset, struct ep_err *err)
{
	uint64_t done = 0;
	while (done < n) {
		ssize_t got = pread(fd, to + done, n - done, (off_t)(offset + done));
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return ep_fail(err, -EIO, offset + done, "read: %s",
				       strerror(errno));
		if (got == 0)
			return ep_fail(err, -ENODATA, offset + done,
				       "file ended early");
		done += (uint64_t)got;
	}
	return 0;
}

static int check_range(const struct ep_elf *e, uint64_t offset, uint64_t n,
		       struct ep_err *err)
{
	if (offset > e->n_bytes || n > e->n_bytes - offset)
		return ep_fail(err, -ENODATA, offset,
			       "%llu bytes at %llu, file has %llu",
			       (unsigned long long)n, (unsigned long long)offset,
			       (unsigned long long)e->n_bytes);
	return 0;
}

static int read_at(const struct ep_elf *e, void *to, uint64_t offset, uint64_t n,
		   struct ep_err *err)
{
	EP_TRY(check_range(e, offset, n, err));
	if (e->fd >= 0)
		return read_fd(e->fd, to, n, offset, err);
	if (n)
		memcpy(to, e->mem + offset, n);
	return 0;
}

int ep_elf_load(const struct ep_elf *e, uint64_t offset, uint64_t n, uint8_t **ret_data,
		struct ep_err *err)
{
	if (n > EP_ELF_MAX_LOAD)
		return ep_fail(err, -E2BIG, offset, "a piece of %llu bytes, limit %llu",
			       (unsigned long long)n,
			       (unsigned long long)EP_ELF_MAX_LOAD);
	EP_TRY(check_range(e, offset, n, err));
	uint8_t *data = ep_alloc(n + 1);
	if (!data)
		return ep_fail(err, -ENOMEM, offset, "no memory for %llu bytes",
			       (unsigned long long)n);
	int rc = read_at(e, data, offset, n, err);
	if (rc < 0) {
		ep_free(data);
		return rc;
	}
	data[n] = '\0';
	*ret_data = data;
	return 0;
}

static int read_head(struct ep_elf *e, struct ep_err *err)
{
	EP_TRY(read_at(e, &e->head, 0, sizeof(e->head), err));
	const Elf64_Ehdr *h = &e->head;
	if (memcmp(h->e_ident, ELFMAG, SELFMAG) != 0)
		return ep_fail(err, -EBADMSG, 0, "not an ELF file");
	if (h->e_ident[EI_CLASS] != ELFCLASS64 || h->e_ident[EI_DATA] != ELFDATA2LSB)
		return ep_fail(err, -ENOTSUP, EI_CLASS,
			       "not a 64-bit little-endian ELF file");
	if (h->e_phnum && h->e_phentsize != sizeof(Elf64_Phdr))
		return ep_fail(err, -EBADMSG, 0, "program header size %u",
			       h->e_phentsize);
	if (h->e_shoff && h->e_shentsize != sizeof(Elf64_Shdr))
		return ep_fail(err, -EBADMSG, 0, "section header size %u",
			       h->e_shentsize);
	return 0;
}

static int read_segments(struct ep_elf *e, struct ep_err *err)
{
	size_t n = e->head.e_phnum;
	if (n > EP_ELF_MAX_SEGMENTS)
		return ep_fail(err, -E2BIG, e->head.e_phoff, "%zu segments, limit %u",
			       n, EP_ELF_MAX_SEGMENTS);
	uint8_t *data = NULL;
	EP_TRY(ep_elf_load(e, e->head.e_phoff, n * sizeof(Elf64_Phdr), &data, err));
	e->segments = (Elf64_Phdr *)data;
	e->n_segments = n;
	return 0;
}

/* With 65,280 sections or more, their count and the index of the name table
 * stand in section 0. */
static int count_sections(const struct ep_elf *e, size_t *ret_n, size_t *ret_names,
			  struct ep_err *err)
{
	Elf64_Shdr first;
	size_t n = e->head.e_shnum, names = e->head.e_shstrndx;
	if (n == 0 || names == SHN_XINDEX) {
		EP_TRY(read_at(e, &first, e->head.e_shoff, sizeof(first), err));
		if (n == 0)
			n = first.sh_size;
		if (names == SHN_XINDEX)
			names = first.sh_link;
	}
	if (n > EP_ELF_MAX_SECTIONS)
		return ep_fail(err, -E2BIG, e->head.e_shoff, "%zu sections, limit %u",
			       n, EP_ELF_MAX_SECTIONS);
	*ret_n = n;
	*ret_names = names;
	return 0;
}

static int read_sections(struct ep_elf *e, struct ep_err *err)
{
	if (!e->head.e_shoff)
		return 0;
	size_t n = 0, names = 0;
	EP_TRY(count_sections(e, &n, &names, err));
	uint8_t *data = NULL;
	EP_TRY(ep_elf_load(e, e->head.e_shoff, n * sizeof(Elf64_Shdr), &data, err));
	e->sections = (Elf64_Shdr *)data;
	e->n_sections = n;
	if (names >= n || e->sections[names].sh_type == SHT_NOBITS)
		return 0;
	const Elf64_Shdr *s = &e->sections[names];
	EP_TRY(ep_elf_load(e, s->sh_offset, s->sh_size, &data, err));
	e->names = (char *)data;
	e->n_names = s->sh_size;
	return 0;
}

static int open_any(int fd, const void *mem, uint64_t n, struct ep_elf **ret_e,
		    struct ep_err *err)
{
	ep_auto(ep_elf) e = ep_zalloc(sizeof(*e));
	if (!e)
		return ep_fail(err, -ENOMEM, 0, "no memory");
	e->fd = fd;
	e->mem = mem;
	e->n_bytes = n;
	EP_TRY(read_head(e, err));
	EP_TRY(read_segments(e, err));
	/* Section headers are a plus: without them there are no symbols, but the
	 * segments alone are enough to unwind. */
	struct ep_err ignored = {0};
	if (read_sections(e, &ignored) < 0) {
		ep_free(e->sections);
		e->sections = NULL;
		e->n_sections = 0;
	}
	*ret_e = ep_take(&e);
	return 0;
}

int ep_elf_open(int fd, struct ep_elf **ret_e, struct ep_err *err)
{
	struct stat st;
	if (fstat(fd, &st) < 0)
		return ep_fail(err, -EIO, 0, "fstat: %s", strerror(errno));
	if (!S_ISREG(st.st_mode))
		return ep_fail(err, -EBADMSG, 0, "not a regular file");
	return open_any(fd, NULL, (uint64_t)st.st_size, ret_e, err);
}

int ep_elf_open_bytes(const void *data, size_t n, struct ep_elf **ret_e,
		      struct ep_err *err)
{
	return open_any(-1, data, n, ret_e, err);
}

void ep_elf_free(struct ep_elf *e)
{
	if (!e)
		return;
	ep_free(e->segments);
	ep_free(e->sections);
	ep_free(e->names);
	ep_free(e);
}

uint16_t ep_elf_type(const struct ep_elf *e)
{
	return e->head.e_type;
}

uint16_t ep_elf_machine(const struct ep_elf *e)
{
	return e->head.e_machine;
}

uint64_t ep_elf_entry(const struct ep_elf *e)
{
	return e->head.e_entry;
}

const Elf64_Phdr *ep_elf_segments(const struct ep_elf *e, size_t *ret_n)
{
	*ret_n = e->n_segments;
	return e->segments;
}

const Elf64_Shdr *ep_elf_sections(const struct ep_elf *e, size_t *ret_n)
{
	*ret_n = e->n_sections;
	return e->sections;
}

const char *ep_elf_section_name(const struct ep_elf *e, const Elf64_Shdr *s)
{
	return e->names && s->sh_name < e->n_names ? e->names + s->sh_name : "";
}

const Elf64_Shdr *ep_elf_find_section(const struct ep_elf *e, const char *name)
{
	for (size_t i = 0; i < e->n_sections; i++)
		if (e->sections[i].sh_type != SHT_NOBITS &&
		    !strcmp(ep_elf_section_name(e, &e->sections[i]), name))
			return &e->sections[i];
	return NULL;
}

static uint64_t align4(uint64_t n)
{
	return (n + 3) & ~(uint64_t)3;
}

static void format_hex(const uint8_t *id, size_t n, char *ret_hex)
{
	static const char digit[] = "0123456789abcdef";
	if (n > EP_ELF_BUILD_ID_MAX)
		n = EP_ELF_BUILD_ID_MAX;
	for (size_t i = 0; i < n; i++) {
		*ret_hex++ = digit[id[i] >> 4];
		*ret_hex++ = digit[id[i] & 15];
	}
	*ret_hex = '\0';
}

int ep_elf_note_build_id(const void *notes, size_t n, char *ret_hex)
{
	const uint8_t *p = notes;
	Elf64_Nhdr h;
	while (n >= sizeof(h)) {
		memcpy(&h, p, sizeof(h));
		uint64_t name = sizeof(h), desc = name + align4(h.n_namesz);
		uint64_t end = desc + align4(h.n_descsz);
		if (desc + h.n_descsz > n)
			return -ENOENT;
		if (h.n_type == NT_GNU_BUILD_ID && h.n_namesz == 4 && h.n_descsz > 0 &&
		    !memcmp(p + name, "GNU", 4)) {
			format_hex(p + desc, h.n_descsz, ret_hex);
			return 0;
		}
		if (end >= n)
			return -ENOENT;
		p += end;
		n -= end;
	}
	return -ENOENT;
}

static int build_id_at(const struct ep_elf *e, uint64_t offset, uint64_t n,
		       char *ret_hex)
{
	uint8_t *data = NULL;
	struct ep_err ignored = {0};
	if (n > (1 << 20) || ep_elf_load(e, offset, n, &data, &ignored) < 0)
		return -ENOENT;
	int rc = ep_elf_note_build_id(data, n, ret_hex);
	ep_free(data);
	return rc;
}

int ep_elf_build_id(const struct ep_elf *e, char *ret_hex, struct ep_err *err)
{
	for (size_t i = 0; i < e->n_segments; i++) {
		const Elf64_Phdr *p = &e->segments[i];
		if (p->p_type == PT_NOTE &&
		    !build_id_at(e, p->p_offset, p->p_filesz, ret_hex))
			return 0;
	}
	for (size_t i = 0; i < e->n_sections; i++) {
		const Elf64_Shdr *s = &e->sections[i];
		if (s->sh_type == SHT_NOTE &&
		    !build_id_at(e, s->sh_offset, s->sh_size, ret_hex))
			return 0;
	}
	return ep_fail(err, -ENOENT, 0, "no build ID");
}

uint64_t ep_elf_vaddr(const struct ep_elf *e, uint64_t file_offset)
{
	for (size_t i = 0; i < e->n_segments; i++) {
		const Elf64_Phdr *p = &e->segments[i];
		if (p->p_type == PT_LOAD && file_offset >= p->p_offset &&
		    file_offset - p->p_offset < p->p_filesz)
			return file_offset - p->p_offset + p->p_vaddr;
	}
	return UINT64_MAX;
}

uint64_t ep_elf_offset(const struct ep_elf *e, uint64_t vaddr)
{
	for (size_t i = 0; i < e->n_segments; i++) {
		const Elf64_Phdr *p = &e->segments[i];
		if (p->p_type == PT_LOAD && vaddr >= p->p_vaddr &&
		    vaddr - p->p_vaddr < p->p_filesz)
			return vaddr - p->p_vaddr + p->p_offset;
	}
	return UINT64_MAX;
}
