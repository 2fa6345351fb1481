// new.cpp - each form of operator new and delete; prints "FORM allocated live" a line, then
// what happens when there is no memory.
//
// -DREPLACED: the program brings its own, whose pointers are no pointers of malloc.
// -DLIBRARY: it has run() instead of main().  -DSTARTS: it starts the profiler itself.
#ifdef STARTS
#include <everprof.h>
#endif
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <new>

#ifdef REPLACED
static void *with_head(std::size_t n, std::size_t align)
{
	char *p = static_cast<char *>(std::aligned_alloc(align, (n + 2 * align - 1) / align * align));
	if (!p)
		throw std::bad_alloc();
	return p + align; // free() of it would end the program
}

void *operator new(std::size_t n)
{
	return with_head(n, 16);
}

void *operator new(std::size_t n, std::align_val_t align)
{
	return with_head(n, std::size_t(align));
}

void operator delete(void *p) noexcept
{
	if (p)
		std::free(static_cast<char *>(p) - 16);
}

void operator delete(void *p, std::align_val_t align) noexcept
{
	if (p)
		std::free(static_cast<char *>(p) - std::size_t(align));
}
#endif

static void *volatile kept[64];
static int n_kept;

// Two of a size: one stays, one goes.
#define FORM(name, n, make, drop)                                            \
	extern "C" __attribute__((noinline)) void form_##name()              \
	{                                                                    \
		const std::size_t size = n;                                  \
		for (int i = 0; i < 2; i++) {                                \
			void *volatile p = make;                             \
			void *q = p;                                         \
			static_cast<volatile char *>(q)[size - 1] = 1;       \
			if (i)                                               \
				drop;                                        \
			else                                                 \
				kept[n_kept++] = q;                          \
		}                                                            \
		std::printf("form_" #name " %zu %zu\n", 2 * size, size);     \
	}

static const std::align_val_t wide{256};

FORM(plain, 1000, ::operator new(size), ::operator delete(q))
FORM(sized, 1100, ::operator new(size), ::operator delete(q, size))
FORM(nothrow, 1200, ::operator new(size, std::nothrow), ::operator delete(q, std::nothrow))
FORM(aligned, 1280, ::operator new(size, wide), ::operator delete(q, wide))
FORM(aligned_sized, 1536, ::operator new(size, wide), ::operator delete(q, size, wide))
FORM(aligned_nothrow, 1792, ::operator new(size, wide, std::nothrow), ::operator delete(q, wide, std::nothrow))
FORM(array, 2000, ::operator new[](size), ::operator delete[](q))
FORM(array_sized, 2100, ::operator new[](size), ::operator delete[](q, size))
FORM(array_nothrow, 2200, ::operator new[](size, std::nothrow), ::operator delete[](q, std::nothrow))
FORM(array_aligned, 2304, ::operator new[](size, wide), ::operator delete[](q, wide))
FORM(array_aligned_sized, 2560, ::operator new[](size, wide), ::operator delete[](q, size, wide))
FORM(array_aligned_nothrow, 2816, ::operator new[](size, wide, std::nothrow), ::operator delete[](q, wide, std::nothrow))

static int n_asked;

static void make_room()
{
	if (++n_asked == 3)
		std::set_new_handler(nullptr);
}

static void too_much()
{
	volatile std::size_t huge = SIZE_MAX / 4;
	std::set_new_handler(make_room);
	try {
		kept[0] = ::operator new(huge);
	} catch (const std::bad_alloc &) {
#ifndef REPLACED
		std::printf("refused after %d calls\n", n_asked);
#else
		std::printf("refused\n");
#endif
	}
	std::set_new_handler(nullptr);
	std::printf("nothrow %d\n", ::operator new[](huge, std::nothrow) == nullptr);
	try {
		kept[0] = ::operator new(huge, wide);
	} catch (const std::bad_alloc &) {
		std::printf("aligned refused\n");
	}
	::operator delete(nullptr);
	delete[] static_cast<char *>(nullptr);
	delete new char; // an ordinary one after all
}

extern "C" int run()
{
	form_plain();
	form_sized();
	form_nothrow();
	form_aligned();
	form_aligned_sized();
	form_aligned_nothrow();
	form_array();
	form_array_sized();
	form_array_nothrow();
	form_array_aligned();
	form_array_aligned_sized();
	form_array_aligned_nothrow();
	too_much();
	return 0;
}

#ifndef LIBRARY
int main()
{
#ifdef STARTS
	if (everprof_start(nullptr) < 0)
		return 2;
#endif
	return run();
}
#endif
