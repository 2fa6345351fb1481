/* spots.c - see spots.h. */
#include "proof/spots.h"

#include <link.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The linker knows where a section begins and ends, if its name is an identifier. */
#define BOUNDS(name)                                                                   \
	extern const char __start_ep_spot_##name[] __attribute__((visibility("hidden"))); \
	extern const char __stop_ep_spot_##name[] __attribute__((visibility("hidden")));

#define EACH(f)                                                                        \
	f(heavy) f(middle) f(light) f(sleeper) f(waiter) f(holder) f(leak_a) f(leak_b) \
		f(churn) f(opener)

EACH(BOUNDS)

struct range {
	const char *start, *stop;
};

#define ROW(name) {__start_ep_spot_##name, __stop_ep_spot_##name},
static const struct range ranges[EP_SPOTS] = {EACH(ROW)};

/* What the program's own segments say: offset in the file = address - slide. */
struct self {
	uint64_t address, slide;
	bool found;
};

static int look(struct dl_phdr_info *info, size_t n, void *arg)
{
	struct self *s = arg;
	(void)n;
	for (int i = 0; i < info->dlpi_phnum && !s->found; i++) {
		const ElfW(Phdr) *h = &info->dlpi_phdr[i];
		uint64_t start = info->dlpi_addr + h->p_vaddr;
		if (h->p_type != PT_LOAD || s->address < start ||
		    s->address >= start + h->p_memsz)
			continue;
		s->slide = start - h->p_offset;
		s->found = true;
	}
	return s->found;
}

/* "everprof" of the program that runs; "" when nobody knows. */
static void own_name(char *ret, size_t n)
{
	char path[4096];
	ssize_t len = readlink("/proc/self/exe", path, sizeof(path) - 1);
	if (len <= 0) {
		*ret = '\0';
		return;
	}
	path[len] = '\0';
	char *gone = strstr(path, " (deleted)"); /* replaced by a newer one meanwhile */
	if (gone)
		*gone = '\0';
	snprintf(ret, n, "%.255s", strrchr(path, '/') ? strrchr(path, '/') + 1 : path);
}

static bool is_named(struct ep_slice path, const char *name)
{
	size_t n = strlen(name);
	return path.n >= n && !memcmp(path.p + path.n - n, name, n) &&
	       (path.n == n || path.p[path.n - n - 1] == '/');
}

static uint32_t mask_of(uint64_t offset, uint64_t slide)
{
	uint32_t mask = 0;
	for (int i = 0; i < EP_SPOTS; i++) {
		uint64_t start = (uintptr_t)ranges[i].start - slide;
		uint64_t stop = (uintptr_t)ranges[i].stop - slide;
		if (offset >= start && offset < stop)
			mask |= 1u << i;
	}
	return mask;
}

bool ep_spots_mark(const struct ep_profile *p, uint32_t *ret_mask)
{
	struct self self = {.address = (uintptr_t)ranges[0].start};
	char name[256];
	memset(ret_mask, 0, p->n_locations * sizeof(*ret_mask));
	dl_iterate_phdr(look, &self);
	own_name(name, sizeof(name));
	if (!self.found || !*name)
		return false;
	for (uint32_t i = 0; i < p->n_locations; i++) {
		const struct ep_location *l = &p->locations[i];
		if (l->mapping == EP_NONE)
			continue;
		const struct ep_mapping *m = &p->mappings[l->mapping];
		if (is_named(ep_profile_str(p, m->filename), name))
			ret_mask[i] = mask_of(l->address - m->start + m->file_offset, self.slide);
	}
	return true;
}

/* Labels are text in what we write; a number of another writer does as well. */
static bool is_of(const struct ep_profile *p, const struct ep_sample *s, int64_t pid)
{
	char text[24];
	int n = snprintf(text, sizeof(text), "%lld", (long long)pid);
	for (uint32_t i = 0; pid && i < s->n_labels; i++) {
		const struct ep_label *l = &p->labels[s->first_label + i];
		if (!ep_slice_is(ep_profile_str(p, l->key), "pid"))
			continue;
		struct ep_slice v = ep_profile_str(p, l->str);
		return l->str ? v.n == (size_t)n && !memcmp(v.p, text, v.n) : l->num == pid;
	}
	return !pid;
}

void ep_spots_sum(const struct ep_profile *p, const uint32_t *mask, uint32_t column,
		  int64_t pid, int64_t ret[EP_SPOTS], int64_t *ret_total)
{
	memset(ret, 0, EP_SPOTS * sizeof(*ret));
	*ret_total = 0;
	for (uint32_t i = 0; i < p->n_samples; i++) {
		const struct ep_sample *s = &p->samples[i];
		const uint32_t *stack = ep_profile_stack(p, s);
		int64_t v = ep_profile_values(p, i)[column];
		uint32_t in = 0;
		if (!is_of(p, s, pid))
			continue;
		for (uint32_t j = 0; j < s->n_locations; j++)
			in |= mask[stack[j]];
		for (int j = 0; j < EP_SPOTS; j++)
			ret[j] += in & 1u << j ? v : 0;
		*ret_total += v;
	}
}
