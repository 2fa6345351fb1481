#include "test.h"

#include "elf/elf.h"

#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct ep_elf *open_self(int *ret_fd)
{
	struct ep_elf *e = NULL;
	struct ep_err err = {0};
	*ret_fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	if (ep_elf_open(*ret_fd, &e, &err) < 0)
		fail_msg("%s", err.text);
	return e;
}

TEST(elf_knows_segments_and_sections_of_this_program)
{
	int fd;
	ep_auto(ep_elf) e = open_self(&fd);
	size_t n_segments, n_sections;
	const Elf64_Phdr *p = ep_elf_segments(e, &n_segments);
	assert_non_null(ep_elf_sections(e, &n_sections));
	assert_true(n_segments >= 4 && n_sections >= 10);
	bool code = false;
	for (size_t i = 0; i < n_segments; i++)
		code |= p[i].p_type == PT_LOAD && (p[i].p_flags & PF_X);
	assert_true(code);
	const Elf64_Shdr *text = ep_elf_find_section(e, ".text");
	assert_non_null(text);
	assert_int_equal(ep_elf_vaddr(e, text->sh_offset), text->sh_addr);
	assert_int_equal(ep_elf_offset(e, text->sh_addr), text->sh_offset);
	assert_null(ep_elf_find_section(e, ".no.such.section"));
	close(fd);
}

struct loaded {
	char hex[EP_ELF_HEX_MAX];
	char path[4096];
};

/* The build ID as the loader mapped it, of the first library that has one. */
static int visit(struct dl_phdr_info *info, size_t size, void *arg)
{
	struct loaded *l = arg;
	(void)size;
	for (int i = 0; info->dlpi_name[0] == '/' && i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];
		if (p->p_type == PT_NOTE &&
		    !ep_elf_note_build_id((void *)(info->dlpi_addr + p->p_vaddr),
					  p->p_memsz, l->hex)) {
			snprintf(l->path, sizeof(l->path), "%s", info->dlpi_name);
			return 1;
		}
	}
	return 0;
}

TEST(elf_build_id_in_the_file_is_the_one_in_memory)
{
	struct loaded l = {{0}, {0}};
	assert_int_equal(dl_iterate_phdr(visit, &l), 1);
	assert_int_equal(strlen(l.hex), 40);
	int fd = open(l.path, O_RDONLY | O_CLOEXEC);
	ep_auto(ep_elf) e = NULL;
	char hex[EP_ELF_HEX_MAX];
	assert_int_equal(ep_elf_open(fd, &e, NULL), 0);
	assert_int_equal(ep_elf_build_id(e, hex, NULL), 0);
	assert_string_equal(hex, l.hex);
	close(fd);
}

TEST(elf_notes_that_lie_about_their_size_have_no_build_id)
{
	char hex[EP_ELF_HEX_MAX];
	uint32_t n[] = {4, 20, NT_GNU_BUILD_ID, 0x00554e47, 1, 2, 3, 4, 5};
	assert_int_equal(ep_elf_note_build_id(n, sizeof(n), hex), 0);
	assert_string_equal(hex, "0100000002000000030000000400000005000000");
	assert_int_equal(ep_elf_note_build_id(n, sizeof(n) - 1, hex), -ENOENT);
	n[1] = 0xfffffffc;
	assert_int_equal(ep_elf_note_build_id(n, sizeof(n), hex), -ENOENT);
	n[0] = 0xffffffff;
	assert_int_equal(ep_elf_note_build_id(n, sizeof(n), hex), -ENOENT);
}

TEST(elf_names_the_fault_of_other_files)
{
	ep_auto(ep_elf) e = NULL;
	struct ep_err err = {0};
	assert_int_equal(ep_elf_open_bytes("#!/bin/sh\n", 10, &e, &err), -ENODATA);
	char text[100] = "#!/bin/sh\n";
	err = (struct ep_err){0};
	assert_int_equal(ep_elf_open_bytes(text, sizeof(text), &e, &err), -EBADMSG);
	assert_string_equal(err.text, "not an ELF file");
	memcpy(text, ELFMAG, SELFMAG);
	text[EI_CLASS] = ELFCLASS32;
	assert_int_equal(ep_elf_open_bytes(text, sizeof(text), &e, NULL), -ENOTSUP);
	assert_null(e);
}

/* Every truncation of a real file either opens or is refused; never read past. */
TEST(elf_survives_truncation_anywhere)
{
	int fd;
	ep_auto(ep_elf) whole = open_self(&fd);
	uint8_t *head = NULL;
	assert_int_equal(ep_elf_load(whole, 0, 4096, &head, NULL), 0);
	for (size_t n = 0; n < 4096; n += 7) {
		uint8_t *cut = malloc(n ? n : 1);
		memcpy(cut, head, n);
		ep_auto(ep_elf) e = NULL;
		char hex[EP_ELF_HEX_MAX];
		if (!ep_elf_open_bytes(cut, n, &e, NULL))
			(void)ep_elf_build_id(e, hex,
					      NULL); /* present only if it fits */
		free(cut);
	}
	ep_free(head);
	close(fd);
}
