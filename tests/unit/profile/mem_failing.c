/*
 * mem_failing.c - see mem_failing.h.
 *
 * Stands in for src/base/mem.c: which of them is linked is the program's choice.
 */
#include "mem_failing.h"

#include "base/mem.h"

#include <stdlib.h>

static size_t left, live;
static bool failed;

void mem_fail_at(size_t nth)
{
	left = nth;
	failed = false;
}

bool mem_failed(void)
{
	left = 0;
	return failed;
}

size_t mem_n_live(void)
{
	return live;
}

static bool fails(void)
{
	if (!left || --left)
		return false;
	return failed = true;
}

static void *counted(void *p)
{
	live += p != NULL;
	return p;
}

void *ep_alloc(size_t n_bytes)
{
	return fails() ? NULL : counted(malloc(n_bytes ? n_bytes : 1));
}

void *ep_zalloc(size_t n_bytes)
{
	return fails() ? NULL : counted(calloc(1, n_bytes ? n_bytes : 1));
}

void *ep_realloc(void *p, size_t n_bytes)
{
	if (!p)
		return ep_alloc(n_bytes);
	return fails() ? NULL : realloc(p, n_bytes ? n_bytes : 1);
}

void ep_free(void *p)
{
	live -= p != NULL;
	free(p);
}
