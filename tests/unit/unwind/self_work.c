/* self_work.c - code to be unwound from, built -O2 -fomit-frame-pointer.  See self.h.
 */
#include "self.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOINLINE __attribute__((noinline))

static volatile unsigned sink;

static NOINLINE unsigned leaf(unsigned n)
{
	unsigned x = n;
	for (unsigned i = 0; i < 4; i++)
		x = x * 1103515245 + 12345;
	return x;
}

static NOINLINE unsigned recurse(unsigned depth, unsigned n)
{
	if (!depth)
		return leaf(n);
	return recurse(depth - 1, n + depth) + depth;
}

static int compare(const void *a, const void *b)
{
	unsigned x = leaf(*(const unsigned *)a), y = leaf(*(const unsigned *)b);
	return (x > y) - (x < y);
}

/* Small enough for qsort() to stay off the heap. */
static NOINLINE unsigned callbacks(unsigned n)
{
	unsigned a[40];
	for (unsigned i = 0; i < 40; i++)
		a[i] = i * 7 + n;
	qsort(a, 40, sizeof(a[0]), compare);
	unsigned key = a[17];
	unsigned *found = bsearch(&key, a, 40, sizeof(a[0]), compare);
	return found ? *found : 0;
}

static NOINLINE unsigned variable_frame(unsigned n)
{
	char *p = __builtin_alloca(16 + n % 200);
	memset(p, (int)n, 16 + n % 200);
	return leaf((unsigned)p[n % 16]) + recurse(3, n);
}

static NOINLINE unsigned large_frame(unsigned n)
{
	char a[70000];
	a[n % 70000] = (char)n;
	sink += (unsigned)a[n % 70000];
	__asm__ volatile("" : : "r"(a) : "memory");
	return recurse(2, n);
}

/* The compiler keeps the old stack in rbp or behind an expression. */
static NOINLINE unsigned realigned(unsigned n, ...)
{
	char a[64] __attribute__((aligned(64)));
	va_list ap;
	va_start(ap, n);
	unsigned x = va_arg(ap, unsigned);
	va_end(ap);
	memset(a, (int)x, sizeof(a));
	__asm__ volatile("" : : "r"(a) : "memory");
	return leaf((unsigned)a[n % 64]) + recurse(1, x);
}

static NOINLINE unsigned formats(unsigned n)
{
	char text[200], more[200];
	int len = snprintf(text, sizeof(text), "%u %s %x %.3f %5d", n, "some text", n,
			   n / 3.0, (int)n);
	memcpy(more, text, (size_t)len + 1);
	return (unsigned)(strtod(more, NULL) + strlen(more) +
			  (strstr(more, "text") - more));
}

static NOINLINE unsigned tail(unsigned n)
{
	return leaf(n + 1);
}

typedef unsigned work_fn(unsigned);

static NOINLINE unsigned indirect(work_fn *volatile *f, unsigned n)
{
	return (*f)(n) + (*f)(n + 1);
}

unsigned self_work(unsigned rounds)
{
	work_fn *volatile f = tail;
	unsigned x = 1;
	for (unsigned i = 0; i < rounds; i++) {
		x += recurse(20, x);
		x += callbacks(x);
		x += variable_frame(x);
		x += large_frame(x);
		x += realigned(x, i);
		x += formats(x);
		x += indirect(&f, x);
	}
	sink += x;
	return x;
}
