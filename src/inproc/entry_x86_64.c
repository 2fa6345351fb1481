/*
 * entry_x86_64.c - see entry.h.
 *
 * Source: glibc sysdeps/x86_64/start.S: the first argument of __libc_start_main,
 * main, is put into rdi shortly before the call; LSB 5.0, .eh_frame_hdr.
 */
#include "inproc/entry.h"

#include <elf.h>
#include <link.h>
#include <string.h>
#include <sys/auxv.h>

enum {
	MAX_START_BYTES = 64,
	ENC_UDATA4 = 0x03,
	ENC_DATAREL_SDATA4 = 0x3b,
};

static int32_t load32(const uint8_t *p)
{
	int32_t v;
	memcpy(&v, p, sizeof(v));
	return v;
}

/* lea main(%rip),%rdi in position-independent programs, mov $main,%rdi in others. */
static uint64_t find_main(const uint8_t *entry)
{
	for (int i = 0; i < MAX_START_BYTES; i++) {
		if (memcmp(entry + i, "\x48\x8d\x3d", 3) == 0)
			return (uint64_t)entry + (uint64_t)i + 7 +
			       (uint64_t)(int64_t)load32(entry + i + 3);
		if (memcmp(entry + i, "\x48\xc7\xc7", 3) == 0)
			return (uint64_t)(int64_t)load32(entry + i + 3);
	}
	return 0;
}

struct search {
	uint64_t at, limit;
};

/* Header: version, three encodings, eh_frame pointer, count, (address, FDE) pairs. */
static void search_header(const uint8_t *hdr, struct search *s)
{
	if (hdr[0] != 1 || hdr[2] != ENC_UDATA4 || hdr[3] != ENC_DATAREL_SDATA4)
		return;
	uint32_t n = (uint32_t)load32(hdr + 8);
	for (uint32_t i = 0; i + 1 < n; i++) {
		uint64_t a = (uint64_t)hdr + (uint64_t)(int64_t)load32(hdr + 12 + 8 * i);
		if (a == s->at) {
			s->limit = (uint64_t)hdr +
				   (uint64_t)(int64_t)load32(hdr + 12 + 8 * (i + 1));
			return;
		}
	}
}

static int on_object(struct dl_phdr_info *info, size_t size, void *arg)
{
	(void)size;
	for (int i = 0; i < info->dlpi_phnum; i++)
		if (info->dlpi_phdr[i].p_type == PT_GNU_EH_FRAME)
			search_header((const uint8_t *)(info->dlpi_addr +
							info->dlpi_phdr[i].p_vaddr),
				      arg);
	return 1; /* the program itself comes first */
}

bool ep_entry_main(uint64_t *ret_start, uint64_t *ret_limit)
{
	const uint8_t *entry = (const uint8_t *)getauxval(AT_ENTRY);
	struct search s = {.at = entry ? find_main(entry) : 0};
	if (s.at)
		(void)dl_iterate_phdr(on_object, &s); /* returns what on_object did */
	if (s.limit <= s.at)
		return false;
	*ret_start = s.at;
	*ret_limit = s.limit;
	return true;
}
