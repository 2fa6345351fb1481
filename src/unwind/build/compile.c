/*
 * compile.c - finds .eh_frame and has it compiled.  See compile.h.
 *
 * A file's section header names it; without one, and in memory, the way leads
 * over PT_GNU_EH_FRAME, whose segment points at it and counts its functions.
 */
#include "unwind/build/compile.h"

#include "base/hash.h"
#include "unwind/build/cursor.h"
#include "unwind/build/dwarf.h"
#include "unwind/build/frames.h"
#include "unwind/regs.h"

#include <string.h>

enum { MAX_CODE = 64 };

static size_t find_code(const Elf64_Phdr *p, size_t n, struct ep_frames_code *code)
{
	size_t n_code = 0;
	for (size_t i = 0; i < n && n_code < MAX_CODE; i++)
		if (p[i].p_type == PT_LOAD && (p[i].p_flags & PF_X) &&
		    p[i].p_vaddr + p[i].p_memsz > p[i].p_vaddr)
			code[n_code++] = (struct ep_frames_code){
				p[i].p_vaddr, p[i].p_vaddr + p[i].p_memsz};
	return n_code;
}

static const Elf64_Phdr *find_segment(const Elf64_Phdr *p, size_t n, uint32_t type)
{
	for (size_t i = 0; i < n; i++)
		if (p[i].p_type == type)
			return &p[i];
	return NULL;
}

/* The readable PT_LOAD around [vaddr, vaddr + n_bytes). */
static const Elf64_Phdr *load_around(const Elf64_Phdr *p, size_t n, uint64_t vaddr,
				     uint64_t n_bytes)
{
	for (size_t i = 0; i < n; i++)
		if (p[i].p_type == PT_LOAD && (p[i].p_flags & PF_R) &&
		    vaddr >= p[i].p_vaddr && vaddr - p[i].p_vaddr < p[i].p_filesz &&
		    n_bytes <= p[i].p_filesz - (vaddr - p[i].p_vaddr))
			return &p[i];
	return NULL;
}

/* version, 3 encodings, the address of .eh_frame, the number of functions. */
static int read_hdr(struct ep_cursor c, uint64_t vaddr, uint64_t *ret_frames,
		    uint64_t *ret_count)
{
	const uint8_t *start = c.p;
	uint64_t version = ep_cursor_uint(&c, 1), ptr = ep_cursor_uint(&c, 1);
	uint64_t count = ep_cursor_uint(&c, 1);
	(void)ep_cursor_uint(&c, 1); /* the search table's encoding: not used */
	if (c.bad || version != 1 || ptr != (EP_DW_EH_PE_pcrel | EP_DW_EH_PE_sdata4))
		return -ENOENT;
	uint64_t at = vaddr + (uint64_t)(c.p - start);
	*ret_frames = at + (uint64_t)(int64_t)(int32_t)ep_cursor_uint(&c, 4);
	*ret_count = count == EP_DW_EH_PE_udata4 ? ep_cursor_uint(&c, 4) : 0;
	return c.bad ? -ENOENT : 0;
}

static int finish(const struct ep_frames_input *in, const struct ep_compile_key *key,
		  struct ep_buf *out, struct ep_err *err)
{
	struct ep_cfa_rows rows = {0};
	int rc = ep_frames_compile(in, &rows, err);
	if (rc == 0)
		rc = ep_cfa_rows_write(&rows, key->build_id, key->image, out, err);
	ep_cfa_rows_fini(&rows);
	return rc;
}

/* .eh_frame of a file that has section headers. */
static int load_section(const struct ep_elf *e, struct ep_frames_input *in,
			uint8_t **ret_data, struct ep_err *err)
{
	const Elf64_Shdr *s = ep_elf_find_section(e, ".eh_frame");
	const Elf64_Shdr *hdr = ep_elf_find_section(e, ".eh_frame_hdr");
	if (!s || !s->sh_size)
		return -ENOENT;
	EP_TRY(ep_elf_load(e, s->sh_offset, s->sh_size, ret_data, err));
	in->vaddr = s->sh_addr;
	in->n = s->sh_size;
	in->data_base = hdr ? hdr->sh_addr : 0;
	return 0;
}

/* .eh_frame by the segments: it ends where its PT_LOAD does, at the latest. */
static int load_segment(const struct ep_elf *e, struct ep_frames_input *in,
			uint8_t **ret_data, struct ep_err *err)
{
	size_t n;
	const Elf64_Phdr *p = ep_elf_segments(e, &n);
	const Elf64_Phdr *hdr = find_segment(p, n, PT_GNU_EH_FRAME);
	uint64_t frames, hdr_n = hdr && hdr->p_filesz < 12 ? hdr->p_filesz : 12;
	if (!hdr)
		return ep_fail(err, -ENOENT, 0, "no .eh_frame");
	uint8_t *data = NULL;
	EP_TRY(ep_elf_load(e, hdr->p_offset, hdr_n, &data, err));
	int rc = read_hdr((struct ep_cursor){.p = data, .end = data + hdr_n},
			  hdr->p_vaddr, &frames, &in->max_fdes);
	ep_free(data);
	const Elf64_Phdr *load = rc < 0 ? NULL : load_around(p, n, frames, 4);
	if (!load)
		return ep_fail(err, -ENOENT, hdr->p_offset,
			       ".eh_frame_hdr leads nowhere");
	uint64_t skip = frames - load->p_vaddr;
	in->vaddr = frames;
	in->n = load->p_filesz - skip;
	in->data_base = hdr->p_vaddr;
	return ep_elf_load(e, load->p_offset + skip, in->n, ret_data, err);
}

/* The input of a file; *ret_data and code[MAX_CODE] must live as long as it. */
static int load(const struct ep_elf *e, struct ep_frames_code *code,
		struct ep_frames_input *in, uint8_t **ret_data, struct ep_err *err)
{
	if (ep_elf_machine(e) != EP_REGS_MACHINE)
		return ep_fail(err, -ENOTSUP, 18, "ELF file of machine %u",
			       ep_elf_machine(e));
	size_t n;
	const Elf64_Phdr *p = ep_elf_segments(e, &n);
	*in = (struct ep_frames_input){.code = code};
	in->n_code = find_code(p, n, code);
	int rc = load_section(e, in, ret_data, err);
	if (rc == -ENOENT)
		rc = load_segment(e, in, ret_data, err);
	EP_TRY(rc);
	in->data = *ret_data;
	return 0;
}

uint64_t ep_compile_image_hash(const Elf64_Phdr *segments, size_t n)
{
	return ep_hash64(segments, n * sizeof(*segments));
}

/* Without a build ID nothing tells two builds of one layout apart but the frames. */
static void make_key(const struct ep_elf *e, const struct ep_frames_input *in,
		     struct ep_compile_key *key)
{
	size_t n;
	const Elf64_Phdr *p = ep_elf_segments(e, &n);
	key->build_id[0] = '\0';
	if (ep_elf_build_id(e, key->build_id, NULL) == 0)
		key->image = ep_compile_image_hash(p, n);
	else
		key->image = ep_hash64_two(p, n * sizeof(*p), in->data, in->n);
}

int ep_compile_key(const struct ep_elf *e, struct ep_compile_key *ret_key, struct ep_err *err)
{
	struct ep_frames_code code[MAX_CODE];
	struct ep_frames_input in = {.data = NULL};
	ep_auto_mem uint8_t *data = NULL;
	if (ep_elf_build_id(e, (char[EP_ELF_HEX_MAX]){0}, NULL) < 0)
		EP_TRY(load(e, code, &in, &data, err));
	make_key(e, &in, ret_key);
	return 0;
}

int ep_compile_elf(const struct ep_elf *e, struct ep_buf *out, struct ep_err *err)
{
	struct ep_frames_code code[MAX_CODE];
	struct ep_frames_input in;
	struct ep_compile_key key;
	ep_auto_mem uint8_t *data = NULL;
	EP_TRY(load(e, code, &in, &data, err));
	make_key(e, &in, &key);
	return finish(&in, &key, out, err);
}

int ep_compile_functions(const struct ep_elf *e, struct ep_frames_code **ret,
			 size_t *ret_n, struct ep_err *err)
{
	struct ep_frames_code code[MAX_CODE];
	struct ep_frames_input in;
	ep_auto_mem uint8_t *data = NULL;
	EP_TRY(load(e, code, &in, &data, err));
	return ep_frames_list(&in, ret, ret_n, err);
}

int ep_compile_file(int fd, struct ep_buf *out, struct ep_err *err)
{
	ep_auto(ep_elf) e = NULL;
	EP_TRY(ep_elf_open(fd, &e, err));
	return ep_compile_elf(e, out, err);
}

int ep_compile_loaded(const struct ep_compile_image *image, struct ep_buf *out,
		      struct ep_err *err)
{
	const Elf64_Phdr *p = image->segments;
	size_t n = image->n_segments;
	const Elf64_Phdr *hdr = find_segment(p, n, PT_GNU_EH_FRAME);
	if (!hdr || hdr->p_filesz < 12 || !load_around(p, n, hdr->p_vaddr, 12))
		return ep_fail(err, -ENOENT, 0, "no .eh_frame in memory");
	struct ep_frames_code code[MAX_CODE];
	struct ep_frames_input in = {.code = code,
				     .n_code = find_code(p, n, code),
				     .absolute_bias = image->bias};
	const uint8_t *at = (const uint8_t *)(uintptr_t)(image->bias + hdr->p_vaddr);
	uint64_t frames;
	if (read_hdr((struct ep_cursor){.p = at, .end = at + 12}, hdr->p_vaddr, &frames,
		     &in.max_fdes) < 0)
		return ep_fail(err, -ENOENT, 0, ".eh_frame_hdr of an unknown form");
	const Elf64_Phdr *load = load_around(p, n, frames, 4);
	if (!load)
		return ep_fail(err, -ENOENT, 0, ".eh_frame_hdr leads nowhere");
	in.data = (const uint8_t *)(uintptr_t)(image->bias + frames);
	in.n = load->p_filesz - (frames - load->p_vaddr);
	in.vaddr = frames;
	in.data_base = hdr->p_vaddr;
	struct ep_compile_key key = {.image = ep_compile_image_hash(p, n)};
	if (image->build_id)
		memcpy(key.build_id, image->build_id, strnlen(image->build_id, EP_ELF_HEX_MAX - 1));
	return finish(&in, &key, out, err);
}
