/*
 * hooks_new.c - in front of operator new and delete, for allocators that bring their own.
 *
 * libstdc++'s and libc++'s call malloc and free, which hooks_heap.c sees: there these jump
 * on and count nothing.  Those of jemalloc, tcmalloc or mimalloc go around malloc; they are
 * known by lying in one file with the next malloc, and are counted here.  A program that
 * replaces operator new comes before us, and is seen at the malloc it calls.
 *
 * Where there is no next one (a program in C that opens a library in C++ which only that
 * library can see, or one that is linked statically as a whole) these are what C++ asks
 * for, over malloc and free.  The names are those of the Itanium C++ ABI.
 */
#include "inproc/hooks.h"
#include "inproc/real.h"
#include "inproc/sig/heap.h"

#include <dlfcn.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

#define EXPORTED __attribute__((visibility("default")))
#define CALLER __builtin_return_address(0)
#define WEAK __attribute__((weak))
#define RARE static __attribute__((noinline, cold))

typedef const void *nothrow; /* a reference */
typedef void *plain_new(size_t);
typedef void *nothrow_new(size_t, nothrow);
typedef void *aligned_new(size_t, size_t);
typedef void *aligned_nothrow_new(size_t, size_t, nothrow);
typedef void plain_delete(void *);
typedef void sized_delete(void *, size_t); /* or an alignment */
typedef void nothrow_delete(void *, nothrow);
typedef void sized_aligned_delete(void *, size_t, size_t);
typedef void aligned_nothrow_delete(void *, size_t, nothrow);

enum form {
	NEW, NEW_NOTHROW, NEW_ALIGNED, NEW_ALIGNED_NOTHROW,
	ARRAY, ARRAY_NOTHROW, ARRAY_ALIGNED, ARRAY_ALIGNED_NOTHROW,
	DELETE, DELETE_NOTHROW, DELETE_SIZED, DELETE_ALIGNED, DELETE_SIZED_ALIGNED,
	DELETE_ALIGNED_NOTHROW,
	DELETE_ARRAY, DELETE_ARRAY_NOTHROW, DELETE_ARRAY_SIZED, DELETE_ARRAY_ALIGNED,
	DELETE_ARRAY_SIZED_ALIGNED, DELETE_ARRAY_ALIGNED_NOTHROW,
	N_FORMS,
};

static const char *const names[N_FORMS] = {
	"_Znwm", "_ZnwmRKSt9nothrow_t", "_ZnwmSt11align_val_t",
	"_ZnwmSt11align_val_tRKSt9nothrow_t",
	"_Znam", "_ZnamRKSt9nothrow_t", "_ZnamSt11align_val_t",
	"_ZnamSt11align_val_tRKSt9nothrow_t",
	"_ZdlPv", "_ZdlPvRKSt9nothrow_t", "_ZdlPvm", "_ZdlPvSt11align_val_t",
	"_ZdlPvmSt11align_val_t", "_ZdlPvSt11align_val_tRKSt9nothrow_t",
	"_ZdaPv", "_ZdaPvRKSt9nothrow_t", "_ZdaPvm", "_ZdaPvSt11align_val_t",
	"_ZdaPvmSt11align_val_t", "_ZdaPvSt11align_val_tRKSt9nothrow_t",
};

/* Where to jump at once: a next one that calls malloc or free. */
static void *_Atomic jump[N_FORMS];
/* The next one, of an allocator with its own. */
static void *_Atomic own[N_FORMS];
static _Atomic bool looked;

static void *op_of(enum form form); /* ours */

/* ---- looking --------------------------------------------------------------------------- */

static const void *file_of(void *f)
{
	Dl_info info;
	return f && dladdr(f, &info) ? info.dli_fbase : NULL;
}

/* At the start already, when the loader's lock is nobody's: the first `new` of a thread may
 * come while another opens a library and waits for it. */
__attribute__((constructor)) static void look(void)
{
	if (atomic_load_explicit(&looked, memory_order_acquire) || ep_real_is_static())
		return;
	const void *allocator = file_of(dlsym(RTLD_NEXT, "malloc"));
	for (int i = 0; i < N_FORMS; i++) {
		void *f = dlsym(RTLD_NEXT, names[i]);
		if (!f)
			continue;
		bool around = file_of(f) == allocator;
		atomic_store_explicit(around ? &own[i] : &jump[i], f, memory_order_relaxed);
	}
	atomic_store_explicit(&looked, true, memory_order_release);
}

static void *own_of(enum form form)
{
	look();
	return atomic_load_explicit(&own[form], memory_order_relaxed);
}

static void *jump_of(enum form form)
{
	return atomic_load_explicit(&jump[form], memory_order_relaxed);
}

/* ---- what C++ asks for, over malloc ------------------------------------------------------- */

RARE void *call_new(void *f, enum form form, size_t n, size_t align, nothrow tag)
{
	switch (form) {
	case NEW: case ARRAY:
		return ((plain_new *)f)(n);
	case NEW_NOTHROW: case ARRAY_NOTHROW:
		return ((nothrow_new *)f)(n, tag);
	case NEW_ALIGNED: case ARRAY_ALIGNED:
		return ((aligned_new *)f)(n, align);
	default:
		return ((aligned_nothrow_new *)f)(n, align, tag);
	}
}

extern void (*get_new_handler(void))(void) __asm__("_ZSt15get_new_handlerv") WEAK;
extern void throw_bad_alloc(void) __asm__("_ZSt17__throw_bad_allocv") WEAK;

/* The caller's own, which only it and what it was linked with can see. */
static void *of_caller(enum form form, const void *caller)
{
	Dl_info info;
	void *f = NULL;
	if (!ep_real_is_static() && dladdr(caller, &info) && info.dli_fname) {
		void *h = dlopen(info.dli_fname, RTLD_LAZY | RTLD_NOLOAD);
		f = h ? dlsym(h, names[form]) : NULL;
		if (h)
			dlclose(h);
	}
	return f == op_of(form) ? NULL : f;
}

/* Memory is short: true when the program's handler ran, and it is worth another try. */
static bool made_room(bool throws)
{
	void (*handler)(void) = get_new_handler ? get_new_handler() : NULL;
	if (handler)
		handler();
	else if (throws && throw_bad_alloc)
		throw_bad_alloc();
	else if (throws)
		abort(); /* a program without a word for it */
	return handler != NULL;
}

static void *allocate(enum form form, size_t n, size_t align, nothrow tag, const void *caller)
{
	bool throws = form == NEW || form == NEW_ALIGNED || form == ARRAY || form == ARRAY_ALIGNED;
	n += n == 0;
	align = align && align < sizeof(void *) ? sizeof(void *) : align;
	void *p = ep_hooks_malloc_for(n, align, caller);
	void *f = p ? NULL : of_caller(form, caller);
	if (f) /* knows what is done about it */
		return call_new(f, form, n, align, tag);
	while (!p && made_room(throws))
		p = ep_hooks_malloc_for(n, align, caller);
	return p;
}

/* ---- the rest of the way, where nothing may be jumped to ------------------------------------ */

/* Counted after the call, and only if nothing beneath has: an allocator whose array form
 * calls its plain one, or malloc after all. */
static void *make(enum form form, size_t n, size_t align, nothrow tag, const void *caller)
{
	void *f = own_of(form);
	if (!f) {
		f = jump_of(form); /* known only now */
		return f ? call_new(f, form, n, align, tag) : allocate(form, n, align, tag, caller);
	}
	uint64_t left = ep_heap_left;
	void *p = form == NEW || form == ARRAY ? ((plain_new *)f)(n)
					       : call_new(f, form, n, align, tag);
	if (ep_heap_left == left && ep_heap_passes(n))
		ep_heap_sample(p, n, caller);
	return p;
}

RARE void call_delete(void *f, enum form form, void *p, size_t a, size_t b)
{
	switch (form) {
	case DELETE: case DELETE_ARRAY:
		((plain_delete *)f)(p);
		return;
	case DELETE_SIZED: case DELETE_ARRAY_SIZED: case DELETE_ALIGNED: case DELETE_ARRAY_ALIGNED:
		((sized_delete *)f)(p, a);
		return;
	case DELETE_NOTHROW: case DELETE_ARRAY_NOTHROW:
		((nothrow_delete *)f)(p, (nothrow)a);
		return;
	default: /* size and alignment, or alignment and the tag */
		((sized_aligned_delete *)f)(p, a, b);
	}
}

static void drop(enum form form, void *p, size_t a, size_t b)
{
	void *f = own_of(form);
	if (!f) {
		f = jump_of(form);
		f ? call_delete(f, form, p, a, b) : free(p);
		return;
	}
	if (ep_live_maybe(p))
		ep_heap_freed(p);
	if (form == DELETE)
		((plain_delete *)f)(p);
	else if (form == DELETE_SIZED)
		((sized_delete *)f)(p, a);
	else
		call_delete(f, form, p, a, b);
}

/* ---- the operators ---------------------------------------------------------------------------- */

#define OPERATOR(form, result, type, name, arguments, passed, otherwise)               \
	EXPORTED result op_##form arguments __asm__(name);                              \
	EXPORTED result op_##form arguments                                             \
	{                                                                               \
		type *f = (type *)jump_of(form);                                        \
		if (__builtin_expect(f != NULL, 1))                                     \
			return f passed;                                                \
		return otherwise;                                                       \
	}

#define NEWS(form, m)                                                                   \
	OPERATOR(form, void *, plain_new, "_Zn" m "m", (size_t n), (n),                 \
		 make(form, n, 0, NULL, CALLER))                                        \
	OPERATOR(form##_NOTHROW, void *, nothrow_new, "_Zn" m "mRKSt9nothrow_t",        \
		 (size_t n, nothrow t), (n, t), make(form##_NOTHROW, n, 0, t, CALLER))  \
	OPERATOR(form##_ALIGNED, void *, aligned_new, "_Zn" m "mSt11align_val_t",       \
		 (size_t n, size_t align), (n, align),                                  \
		 make(form##_ALIGNED, n, align, NULL, CALLER))                          \
	OPERATOR(form##_ALIGNED_NOTHROW, void *, aligned_nothrow_new,                   \
		 "_Zn" m "mSt11align_val_tRKSt9nothrow_t",                              \
		 (size_t n, size_t align, nothrow t), (n, align, t),                    \
		 make(form##_ALIGNED_NOTHROW, n, align, t, CALLER))

#define DELETES(form, m)                                                                \
	OPERATOR(form, void, plain_delete, "_Zd" m "Pv", (void *p), (p),                \
		 drop(form, p, 0, 0))                                                   \
	OPERATOR(form##_NOTHROW, void, nothrow_delete, "_Zd" m "PvRKSt9nothrow_t",      \
		 (void *p, nothrow t), (p, t), drop(form##_NOTHROW, p, (size_t)t, 0))   \
	OPERATOR(form##_SIZED, void, sized_delete, "_Zd" m "Pvm", (void *p, size_t n),  \
		 (p, n), drop(form##_SIZED, p, n, 0))                                   \
	OPERATOR(form##_ALIGNED, void, sized_delete, "_Zd" m "PvSt11align_val_t",       \
		 (void *p, size_t align), (p, align), drop(form##_ALIGNED, p, align, 0)) \
	OPERATOR(form##_SIZED_ALIGNED, void, sized_aligned_delete,                      \
		 "_Zd" m "PvmSt11align_val_t", (void *p, size_t n, size_t align),       \
		 (p, n, align), drop(form##_SIZED_ALIGNED, p, n, align))                \
	OPERATOR(form##_ALIGNED_NOTHROW, void, aligned_nothrow_delete,                  \
		 "_Zd" m "PvSt11align_val_tRKSt9nothrow_t",                             \
		 (void *p, size_t align, nothrow t), (p, align, t),                     \
		 drop(form##_ALIGNED_NOTHROW, p, align, (size_t)t))

NEWS(NEW, "w")
NEWS(ARRAY, "a")
DELETES(DELETE, "l")
DELETES(DELETE_ARRAY, "a")

static void *op_of(enum form form)
{
	static void *const ops[N_FORMS] = {
		[NEW] = op_NEW, [NEW_NOTHROW] = op_NEW_NOTHROW,
		[NEW_ALIGNED] = op_NEW_ALIGNED, [NEW_ALIGNED_NOTHROW] = op_NEW_ALIGNED_NOTHROW,
		[ARRAY] = op_ARRAY, [ARRAY_NOTHROW] = op_ARRAY_NOTHROW,
		[ARRAY_ALIGNED] = op_ARRAY_ALIGNED,
		[ARRAY_ALIGNED_NOTHROW] = op_ARRAY_ALIGNED_NOTHROW,
	};
	return ops[form];
}
