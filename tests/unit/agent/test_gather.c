#include "test.h"

#include "agent/gather.h"
#include "profile/ledger.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { GONE_PID = 0x7ffffff0 };

struct fixture {
	struct ep_images *images;
	struct ep_processes *processes;
	struct ep_run_names names;
	struct ep_gather *fold;
	struct {
		char service[128];
		struct ep_profile *p;
	} got[8];
	unsigned n;
};

static void setup(struct fixture *f, bool in_one)
{
	memset(f, 0, sizeof(*f));
	assert_int_equal(ep_images_new(&f->images), 0);
	assert_int_equal(ep_processes_new(f->images, &f->processes), 0);
	struct ep_gather_config config = {.processes = f->processes,
					  .images = f->images,
					  .names = &f->names,
					  .hz = 99,
					  .in_one = in_one};
	assert_int_equal(ep_gather_new(&config, &f->fold), 0);
}

static int on_profile(void *arg, const struct ep_service *s, struct ep_profile *p,
		      struct ep_err *err)
{
	struct fixture *f = arg;
	(void)err;
	snprintf(f->got[f->n].service, sizeof(f->got[0].service), "%s",
		 s ? s->name : "*");
	f->got[f->n++].p = p;
	return 0;
}

static void finish(struct fixture *f, uint64_t asked, uint64_t lost)
{
	struct ep_source_stats s = {.asked = asked, .lost = lost};
	assert_int_equal(ep_gather_finish(f->fold, &s, 1000, 6000, on_profile, f, NULL),
			 0);
}

static void teardown(struct fixture *f)
{
	for (unsigned i = 0; i < f->n; i++)
		ep_profile_free(f->got[i].p);
	ep_gather_free(f->fold);
	ep_processes_free(f->processes);
	ep_images_free(f->images);
}

static struct ep_raw raw_of(uint32_t pid, const char *comm, const uint64_t *user,
			    uint32_t n)
{
	return (struct ep_raw){.who = {.pid = pid},
			       .tid = pid,
			       .comm = comm,
			       .process_comm = comm,
			       .user = user,
			       .n_user = n,
			       .n = 1};
}

static const char *function_of(const struct ep_profile *p, uint32_t location)
{
	static char name[256];
	const struct ep_location *l = &p->locations[location];
	if (!l->n_lines)
		return "";
	ep_str s = p->functions[p->lines[l->first_line].function].name;
	snprintf(name, sizeof(name), "%.*s", EP_SLICE_ARG(ep_profile_str(p, s)));
	return name;
}

static struct ep_ledger ledger_of(const struct ep_profile *p)
{
	struct ep_ledger l = {0};
	assert_true(ep_ledger_of_profile(p, &l));
	return l;
}

__attribute__((noinline)) static void here(void)
{
	__asm__ volatile("");
}

TEST(gather_a_frame_of_a_file_is_build_id_and_file_offset_without_a_name)
{
	struct fixture f;
	setup(&f, false);
	uint64_t at = (uint64_t)(uintptr_t)here;
	struct ep_raw r = raw_of((uint32_t)getpid(), "unit", &at, 1);
	ep_gather_sample(f.fold, &r);
	finish(&f, 1, 0);
	assert_int_equal(f.n, 1);
	struct ep_profile *p = f.got[0].p;
	assert_int_equal(p->n_locations, 1);
	assert_int_equal(p->locations[0].n_lines, 0);
	struct ep_mapping *m = &p->mappings[p->locations[0].mapping];
	assert_true(ep_profile_str(p, m->build_id).n >= 16);
	assert_int_equal(m->start, m->file_offset);
	assert_in_range(p->locations[0].address, m->start, m->limit - 1);
	assert_true(p->locations[0].address !=
		    at); /* nothing of our address space gets out */
	teardown(&f);
}

TEST(gather_a_caller_is_placed_at_its_call)
{
	struct fixture f;
	setup(&f, false);
	uint64_t base = (uint64_t)(uintptr_t)here, at[2] = {base + 3, base + 3};
	struct ep_raw r = raw_of((uint32_t)getpid(), "unit", at, 2);
	ep_gather_sample(f.fold, &r);
	finish(&f, 1, 0);
	struct ep_profile *p = f.got[0].p;
	const uint32_t *stack = ep_profile_stack(p, &p->samples[0]);
	assert_int_equal(
		p->locations[stack[0]].address - p->locations[stack[1]].address, 1);
	teardown(&f);
}

TEST(gather_what_follows_a_broken_frame_is_cut_and_counted)
{
	struct fixture f;
	setup(&f, false);
	uint64_t at[3] = {(uint64_t)(uintptr_t)here, 0x1234, (uint64_t)(uintptr_t)here};
	struct ep_raw r = raw_of((uint32_t)getpid(), "unit", at, 3);
	ep_gather_sample(f.fold, &r);
	finish(&f, 1, 0);
	struct ep_profile *p = f.got[0].p;
	assert_int_equal(p->samples[0].n_locations, 1);
	assert_int_equal(ledger_of(p).truncated, 1);
	teardown(&f);
}

TEST(gather_a_process_that_is_gone_is_kept_under_its_name)
{
	struct fixture f;
	setup(&f, false);
	uint64_t at[3] = {0x1000, 0x2000, 0x3000};
	struct ep_raw r = raw_of(GONE_PID, "shortlived", at, 3);
	ep_gather_sample(f.fold, &r);
	finish(&f, 1, 0);
	assert_string_equal(f.got[0].service, "shortlived");
	struct ep_profile *p = f.got[0].p;
	assert_int_equal(p->samples[0].n_locations,
			 1); /* a run of unknowns says it once */
	assert_string_equal(function_of(p, ep_profile_stack(p, &p->samples[0])[0]),
			    "[unknown mapping]");
	teardown(&f);
}

TEST(gather_the_outside_of_the_namespace_is_one_service)
{
	struct fixture f;
	setup(&f, false);
	struct ep_raw r = raw_of(0, "", NULL, 0);
	ep_gather_sample(f.fold, &r);
	ep_gather_sample(f.fold, &r);
	finish(&f, 2, 0);
	assert_int_equal(f.n, 1);
	assert_string_equal(f.got[0].service, "host-other");
	assert_int_equal(f.got[0].p->n_samples, 1);
	assert_int_equal(ep_profile_values(f.got[0].p, 0)[0], 2);
	teardown(&f);
}

TEST(gather_kernel_threads_are_the_service_kernel)
{
	struct fixture f;
	setup(&f, false);
	uint64_t at = 0xffffffff81000000ull;
	struct ep_raw r = {.who = {.pid = 2},
			   .tid = 2,
			   .is_kthread = true,
			   .comm = "kthreadd",
			   .process_comm = "kthreadd",
			   .kernel = &at,
			   .n_kernel = 1,
			   .n = 4};
	ep_gather_sample(f.fold, &r);
	finish(&f, 4, 0);
	assert_string_equal(f.got[0].service, "kernel");
	struct ep_profile *p = f.got[0].p;
	assert_string_equal(function_of(p, ep_profile_stack(p, &p->samples[0])[0]),
			    "[kernel]");
	assert_int_equal(p->locations[0].address,
			 0); /* where the kernel lies stays here */
	teardown(&f);
}

TEST(gather_code_without_a_file_is_jit)
{
	struct fixture f;
	setup(&f, false);
	void *page = mmap(NULL, 4096, PROT_READ | PROT_EXEC,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint64_t at = (uint64_t)(uintptr_t)page + 16;
	struct ep_raw r = raw_of((uint32_t)getpid(), "unit", &at, 1);
	ep_gather_sample(f.fold, &r);
	finish(&f, 1, 0);
	struct ep_profile *p = f.got[0].p;
	assert_string_equal(function_of(p, ep_profile_stack(p, &p->samples[0])[0]),
			    "[jit]");
	munmap(page, 4096);
	teardown(&f);
}

TEST(gather_shares_out_the_ledger_without_losing_a_sample)
{
	struct fixture f;
	setup(&f, false);
	static const char *const names[] = {"one", "two", "three"};
	for (unsigned i = 0; i < 3; i++) {
		struct ep_raw r = raw_of(GONE_PID + i, names[i], NULL, 0);
		r.n = 10 + i;
		ep_gather_sample(f.fold, &r);
	}
	finish(&f, 47, 7);
	uint64_t asked = 0, taken = 0, lost = 0;
	assert_int_equal(f.n, 3);
	for (unsigned i = 0; i < f.n; i++) {
		struct ep_ledger l = ledger_of(f.got[i].p);
		asked += l.asked;
		taken += l.taken;
		lost += l.lost;
		assert_true(l.asked >= l.taken + l.lost);
	}
	assert_int_equal(taken, 33);
	assert_int_equal(lost, 7);
	assert_in_range(asked, 47,
			49); /* rounded up where a share would be too small */
	teardown(&f);
}

TEST(gather_in_one_tells_services_apart_by_label)
{
	struct fixture f;
	setup(&f, true);
	struct ep_raw a = raw_of(GONE_PID, "one", NULL, 0),
		      b = raw_of(GONE_PID + 1, "two", NULL, 0);
	ep_gather_sample(f.fold, &a);
	ep_gather_sample(f.fold, &b);
	finish(&f, 2, 0);
	assert_int_equal(f.n, 1);
	struct ep_profile *p = f.got[0].p;
	assert_int_equal(p->n_samples, 2);
	assert_int_equal(p->samples[0].n_labels, 3); /* pid, comm, service_name */
	assert_int_equal(p->period, 1000000000 / 99);
	assert_int_equal(p->duration_ns, 5000);
	teardown(&f);
}

TEST(gather_in_one_gives_a_profile_even_without_samples)
{
	struct fixture f;
	setup(&f, true);
	finish(&f, 0, 0);
	assert_int_equal(f.n, 1);
	assert_int_equal(f.got[0].p->n_samples, 0);
	assert_int_equal(f.got[0].p->n_sample_types, 2);
	teardown(&f);
}
