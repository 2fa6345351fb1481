#include "test.h"

#include "agent/bpf/probe.h"
#include "agent/areas.h"
#include "unwind/regs.h"
#include "unwind/table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

/* A probe's memory, and what it was told of the one image here. */
struct fixture {
	struct ep_source_memory memory;
	struct ep_images *images;
	struct ep_processes *processes;
	struct ep_areas *code;
	uint32_t areas, n_areas;
};

static int on_set(void *arg, const struct ep_who *who, uint32_t areas, uint32_t n)
{
	struct fixture *f = arg;
	assert_int_equal(who->pid, getpid());
	f->areas = areas;
	f->n_areas = n;
	return 0;
}

static void on_drop(void *arg, const struct ep_who *who)
{
	struct fixture *f = arg;
	(void)who;
	f->areas = f->n_areas = 0;
}

static void on_areas(void *arg, struct ep_process *p)
{
	struct fixture *f = arg;
	ep_areas_tell(f->code, p);
}

static void on_forgotten(void *arg, struct ep_process *p)
{
	struct fixture *f = arg;
	ep_areas_forget(f->code, p);
}

static void setup(struct fixture *f, uint32_t n_words)
{
	memset(f, 0, sizeof(*f));
	const struct ep_process_watch watch = {on_areas, on_forgotten, f};
	f->memory = (struct ep_source_memory){aligned_alloc(8, n_words * 4), n_words,
					      on_set, on_drop, f};
	assert_non_null(f->memory.words);
	assert_int_equal(ep_images_new(&f->images), 0);
	assert_int_equal(ep_processes_new(f->images, &f->processes), 0);
	assert_int_equal(ep_areas_new(&f->memory, f->images, &f->code), 0);
	ep_processes_watch(f->processes, &watch);
}

static void teardown(struct fixture *f)
{
	ep_processes_free(f->processes);
	ep_areas_free(f->code);
	ep_images_free(f->images);
	free(f->memory.words);
}

/* Our own areas are told, under the image the kernel says we are. */
static struct ep_process *get_self(struct fixture *f)
{
	/* start_ns 0: not known, which is fine; the image must be one. */
	char buf[1024];
	FILE *stat = fopen("/proc/self/stat", "re");
	assert_non_null(stat);
	assert_non_null(fgets(buf, sizeof(buf), stat));
	fclose(stat);
	char *p = strrchr(buf, ')');
	for (int field = 2; field < 28; field++)
		p = strchr(p + 1, ' ');
	struct ep_who who = {.pid = (uint32_t)getpid(),
			     .image = EP_BPF_IMAGE(strtoull(p, NULL, 10))};
	return ep_processes_get(f->processes, &who, who.pid, "unit", false);
}

__attribute__((noinline)) static void here(void)
{
	__asm__ volatile("");
}

TEST(areas_an_address_of_ours_finds_its_row)
{
	struct fixture f;
	setup(&f, 1u << 22);
	assert_non_null(get_self(&f));
	assert_true(f.n_areas > 1);
	const struct ep_bpf_area *a = (const void *)(f.memory.words + f.areas);
	uint64_t at = (uint64_t)(uintptr_t)here;
	uint32_t i = 0;
	while (i < f.n_areas && !(a[i].start <= at && at < a[i].limit))
		i++;
	assert_true(i < f.n_areas);
	const struct ep_table *t = (const void *)(f.memory.words + a[i].table);
	assert_true(t->magic == EP_TABLE_MAGIC);
	const struct ep_rule *rule = ep_table_find(t, at - a[i].bias);
	assert_non_null(rule);
	assert_int_equal(ep_table_cfa(rule), EP_CFA_SP); /* at the first instruction */
	assert_int_equal(rule->cfa_off, 8);
	teardown(&f);
}

TEST(areas_what_finds_no_room_is_counted_and_told_as_without_rows)
{
	struct fixture f;
	struct ep_areas_stats s;
	/* Areas fit, and not all tables do: how much that is depends on what is mapped here. */
	for (uint32_t n_words = 1024;; n_words *= 2) {
		assert_true(n_words < 1u << 22);
		setup(&f, n_words);
		assert_non_null(get_self(&f));
		ep_areas_stats(f.code, &s);
		if (f.n_areas > 1 && s.n_no_room)
			break;
		teardown(&f);
	}
	const struct ep_bpf_area *a = (const void *)(f.memory.words + f.areas);
	uint32_t n_without = 0;
	for (uint32_t i = 0; i < f.n_areas; i++) {
		assert_true(a[i].table < f.memory.n_words);
		n_without += !a[i].table;
	}
	assert_true(n_without > 0);
	teardown(&f);
}

TEST(areas_all_room_is_back_when_the_process_is_forgotten_but_for_idle_tables)
{
	struct fixture f;
	struct ep_areas_stats before, after;
	setup(&f, 1u << 22);
	struct ep_process *p = get_self(&f);
	assert_non_null(p);
	ep_areas_stats(f.code, &before);
	uint32_t n_areas = f.n_areas;
	ep_areas_forget(f.code, p);
	assert_int_equal(f.n_areas, 0);
	ep_areas_turn(f.code);
	ep_areas_stats(f.code, &after);
	assert_int_equal(after.n_free, before.n_free); /* a probe may still read it */
	ep_areas_turn(f.code);
	ep_areas_stats(f.code, &after);
	assert_int_equal(after.n_free, before.n_free + n_areas * EP_BPF_AREA_WORDS);
	assert_int_equal(after.n_tables, before.n_tables);
	teardown(&f);
}

/* The frames of this very function, by a copy of its stack made in it. */
__attribute__((noinline)) static void walk_here(struct fixture *f, struct ep_process *p,
						enum ep_step *ret_why)
{
	static uint8_t bytes[4 * 4096];
	static uint64_t frames[EP_AREAS_MAX_FRAMES];
	struct ep_stack_copy copy = {.bytes = bytes};
	EP_REGS_HERE(&copy.regs);
	copy.at = copy.regs.sp & ~(uint64_t)4095;
	for (; copy.n_bytes < sizeof(bytes); copy.n_bytes += 4096) {
		struct iovec to = {bytes + copy.n_bytes, 4096};
		struct iovec from = {(void *)(uintptr_t)(copy.at + copy.n_bytes), 4096};
		if (process_vm_readv(getpid(), &to, 1, &from, 1, 0) != 4096)
			break;
	}
	uint32_t n = ep_areas_walk(f->code, p, &copy, frames, ret_why);
	assert_true(n >= 3);
	assert_true(frames[0] == copy.regs.ip);
	assert_true(frames[1] == (uint64_t)(uintptr_t)__builtin_return_address(0));
}

TEST(areas_the_copy_of_a_stack_is_walked_to_its_start)
{
	struct fixture f;
	enum ep_step why;
	setup(&f, 1u << 22);
	struct ep_process *p = get_self(&f);
	assert_non_null(p);
	walk_here(&f, p, &why);
	assert_int_equal(why, EP_STEP_END);
	teardown(&f);
}
