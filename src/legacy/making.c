/* making.c - see making.h. */
#include "legacy/making.h"

#include "legacy/plaintext.h"

int ep_making_init(struct ep_making *m, size_t max_bytes, struct ep_err *err)
{
	*m = (struct ep_making){0};
	int rc = ep_build_new(max_bytes, &m->b);
	return rc < 0 ? ep_fail(err, rc, 0, "no memory for the profile") : 0;
}

void ep_making_fini(struct ep_making *m)
{
	ep_build_free(m->b);
	ep_free(m->stack);
}

void ep_making_frame(struct ep_making *m, uint32_t location)
{
	if (m->n == m->cap) {
		uint32_t cap = m->cap ? m->cap * 2 : 256;
		uint32_t *now = ep_realloc(m->stack, (size_t)cap * sizeof(*now));
		if (!now) {
			m->failed = -ENOMEM;
			return;
		}
		m->stack = now;
		m->cap = cap;
	}
	m->stack[m->n++] = location;
}

void ep_making_address(struct ep_making *m, uint64_t address)
{
	ep_making_frame(m, ep_build_location(m->b, address, EP_NONE, NULL, 0));
}

int ep_making_addresses(struct ep_making *m, struct ep_slice text, int by)
{
	const char *at = text.p, *end = at + text.n;
	uint64_t a;
	int rc;
	while ((rc = ep_plaintext_next_address(&at, end, &a)) > 0)
		ep_making_address(m, a + (uint64_t)(int64_t)by);
	return rc;
}

void ep_making_sample(struct ep_making *m, const int64_t *values, const int64_t *size)
{
	struct ep_label label = {0};
	if (size) {
		label.key = ep_build_cstr(m->b, "bytes");
		label.num = *size;
	}
	ep_build_sample_apart(m->b, m->stack, m->n, &label, size != NULL, values);
	m->n = 0;
}

/* --- patterns ----------------------------------------------------------------- */

static const char of_heap[] =
	"calloc|cfree|malloc|free|memalign|do_memalign|(__)?posix_memalign|pvalloc|"
	"valloc|"
	"realloc|tcmalloc::.*|tc_calloc|tc_cfree|tc_malloc|tc_free|tc_memalign|"
	"tc_posix_memalign|tc_pvalloc|tc_valloc|tc_realloc|tc_new|tc_delete|tc_"
	"newarray|"
	"tc_deletearray|tc_new_nothrow|tc_newarray_nothrow|malloc_zone_malloc|"
	"malloc_zone_calloc|malloc_zone_valloc|malloc_zone_realloc|malloc_zone_"
	"memalign|"
	"malloc_zone_free|runtime\\..*|BaseArena::.*|(::)?do_malloc_no_errno|"
	"(::)?do_malloc_pages|(::)?do_malloc|DoSampledAllocation|"
	"MallocedMemBlock::MallocedMemBlock|_M_allocate|__builtin_(vec_)?delete|"
	"__builtin_(vec_)?new|__gnu_cxx::new_allocator::allocate|__libc_malloc|"
	"__malloc_alloc_template::allocate|allocate|cpp_alloc|operator new(\\[\\])?|"
	"simple_alloc::allocate";

/* Go's, where they stand in the middle of a stack. */
static const char kept_of_heap[] =
	"runtime\\.panic|runtime\\.reflectcall|runtime\\.call[0-9]*";

static const char of_locks[] =
	"RecordLockProfileData|(base::)?RecordLockProfileData.*|"
	"(base::)?SubmitMutexProfileData.*|(base::)?SubmitSpinLockProfileData.*|"
	"(base::Mutex::)?AwaitCommon.*|(base::Mutex::)?Unlock.*|(base::Mutex::)?"
	"UnlockSlow.*|"
	"(base::Mutex::)?ReaderUnlock.*|(base::MutexLock::)?~MutexLock.*|"
	"(Mutex::)?AwaitCommon.*|(Mutex::)?Unlock.*|(Mutex::)?UnlockSlow.*|"
	"(Mutex::)?ReaderUnlock.*|(MutexLock::)?~MutexLock.*|(SpinLock::)?Unlock.*|"
	"(SpinLock::)?SlowUnlock.*|(SpinLockHolder::)?~SpinLockHolder.*";

static const char of_cpu[] = "ProfileData::Add|ProfileData::prof_handler|"
			     "CpuProfiler::prof_handler|__pthread_sighandler|__restore";

static const char *const heap_types[][4] = {
	{"allocations", "size"},
	{"objects", "space"},
	{"inuse_objects", "inuse_space"},
	{"alloc_objects", "alloc_space"},
	{"alloc_objects", "alloc_space", "inuse_objects", "inuse_space"},
};
static const char *const lock_types[4] = {"contentions", "delay"};

static bool has_types(const struct ep_profile *p, const char *const types[4])
{
	uint32_t i = 0;
	for (; i < 4 && types[i]; i++)
		if (i >= p->n_sample_types ||
		    !ep_slice_is(ep_profile_str(p, p->sample_types[i].type), types[i]))
			return false;
	return i == p->n_sample_types;
}

void ep_making_drop_frames(struct ep_build *b)
{
	struct ep_profile *p = ep_build_profile(b);
	const char *drop = has_types(p, lock_types) ? of_locks : of_cpu, *keep = "";
	for (size_t i = 0; i < sizeof(heap_types) / sizeof(*heap_types); i++) {
		if (has_types(p, heap_types[i])) {
			drop = of_heap;
			keep = kept_of_heap;
		}
	}
	ep_str d = ep_build_cstr(b, drop), k = ep_build_cstr(b, keep);
	p->drop_frames = d;
	p->keep_frames = k;
}

int ep_making_finish(struct ep_making *m, struct ep_profile **ret_p, struct ep_err *err)
{
	if (m->failed)
		return ep_fail(err, m->failed, 0, "no memory for a stack");
	ep_making_drop_frames(m->b);
	return ep_build_finish(m->b, ret_p, err);
}
