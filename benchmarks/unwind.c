/*
 * unwind.c - what a table costs to make and a stack to walk.
 *
 *     bench-unwind [FILE...]
 *
 * Compiles the table of each file and prints rows, bytes and time; then walks
 * a stack of 33 frames without frame pointers, warm and with cold caches.
 */
#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "elf/elf.h"
#include "unwind/build/check.h"
#include "unwind/build/compile.h"
#include "unwind/walk.h"
#include "unwind_chain.h"

#include <execinfo.h>
#include <fcntl.h>
#include <link.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_FRAMES = 128, WALKS = 200000, COLD_WALKS = 300, COLD_BYTES = 64 << 20 };

static void compile(const char *path)
{
	struct ep_err err = {0};
	ep_auto_buf b;
	ep_buf_init(&b, 1 << 30);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	uint64_t t = ep_clock_read_ns(CLOCK_THREAD_CPUTIME_ID);
	int rc = fd < 0 ? -ENOENT : ep_compile_file(fd, &b, &err);
	double ms = (double)(ep_clock_read_ns(CLOCK_THREAD_CPUTIME_ID) - t) / 1e6;
	if (fd >= 0)
		close(fd);
	if (rc < 0) {
		printf("%-60s %s\n", path, fd < 0 ? "not there" : err.text);
		return;
	}
	const struct ep_table *h;
	t = ep_clock_read_ns(CLOCK_THREAD_CPUTIME_ID);
	rc = ep_check_table(b.data, b.len, &h, &err);
	double check_ms = (double)(ep_clock_read_ns(CLOCK_THREAD_CPUTIME_ID) - t) / 1e6;
	printf("%-52s %7u functions %8u rows %5u rules %9zu bytes %5.1f/row shift %2u "
	       "%u unsupported  compile %.1f ms  check %.2f ms%s\n",
	       path, h->n_functions, h->n_rows, h->n_rules, b.len,
	       (double)b.len / h->n_rows, h->shift, h->n_unsupported, ms, check_ms,
	       rc ? " BAD" : "");
}

static struct ep_modules *modules;

static int add_module(struct dl_phdr_info *info, size_t size, void *arg)
{
	(void)size;
	(void)arg;
	struct ep_compile_image image = {.bias = info->dlpi_addr,
					 .segments = info->dlpi_phdr,
					 .n_segments = info->dlpi_phnum};
	struct ep_buf b;
	ep_buf_init(&b, 64 << 20);
	int rc = ep_compile_loaded(&image, &b, NULL);
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];
		if (p->p_type == PT_LOAD && (p->p_flags & PF_X))
			modules->m[modules->n++] = (struct ep_module){
				.start = info->dlpi_addr + p->p_vaddr,
				.limit = info->dlpi_addr + p->p_vaddr + p->p_memsz,
				.bias = info->dlpi_addr,
				.table = rc < 0 ? NULL
						: (const struct ep_table *)b.data};
	}
	return 0;
}

static int by_start(const void *a, const void *b)
{
	const struct ep_module *x = a, *y = b;
	return (x->start > y->start) - (x->start < y->start);
}

static struct ep_stack own_stack(void)
{
	pthread_attr_t a;
	void *at;
	size_t n;
	pthread_getattr_np(pthread_self(), &a);
	pthread_attr_getstack(&a, &at, &n);
	pthread_attr_destroy(&a);
	return (struct ep_stack){.lo = (uintptr_t)at, .hi = (uintptr_t)at + n};
}

static uint64_t walk(const struct ep_stack *s, uint32_t *ret_n)
{
	uint64_t pcs[MAX_FRAMES];
	struct ep_regs r;
	enum ep_step why;
	EP_REGS_HERE(&r);
	*ret_n = ep_walk(modules, &r, s, pcs, MAX_FRAMES, &why);
	if (why != EP_STEP_END)
		printf("the walk ended early: %d\n", why);
	return pcs[*ret_n - 1];
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

/* The median of ours, ns a frame. */
static double warm(const struct ep_stack *s)
{
	enum { ROUNDS = 9 };
	double ns[ROUNDS];
	uint32_t n = 0;
	for (int i = 0; i < ROUNDS; i++) {
		uint64_t t = ep_clock_read_ns(CLOCK_THREAD_CPUTIME_ID);
		for (int j = 0; j < WALKS / ROUNDS; j++)
			(void)walk(s, &n);
		ns[i] = (double)(ep_clock_read_ns(CLOCK_THREAD_CPUTIME_ID) - t) /
			(WALKS / ROUNDS);
	}
	qsort(ns, ROUNDS, sizeof(ns[0]), by_value);
	printf("warm: %u frames, median %.0f ns a stack, %.1f ns a frame (best %.0f)\n",
	       n, ns[ROUNDS / 2], ns[ROUNDS / 2] / n, ns[0]);
	return ns[ROUNDS / 2] / n;
}

static void cold(const struct ep_stack *s)
{
	static double ns[COLD_WALKS];
	uint32_t n = 0;
	char *wash = malloc(COLD_BYTES);
	if (!wash)
		return;
	for (int i = 0; i < COLD_WALKS; i++) {
		/* Plain stores: memset() of so much goes around the caches. */
		for (size_t at = 0; at < COLD_BYTES; at += 64)
			((volatile char *)wash)[at] = (char)i;
		uint64_t t = ep_clock_mono_ns();
		(void)walk(s, &n);
		ns[i] = (double)(ep_clock_mono_ns() - t);
	}
	free(wash);
	qsort(ns, COLD_WALKS, sizeof(ns[0]), by_value);
	printf("cold: %u frames, median %.0f ns a stack, %.1f ns a frame\n", n,
	       ns[COLD_WALKS / 2], ns[COLD_WALKS / 2] / n);
}

static void libgcc(double ours_ns)
{
	void *pcs[MAX_FRAMES];
	int n = backtrace(pcs, MAX_FRAMES);
	uint64_t t = ep_clock_read_ns(CLOCK_THREAD_CPUTIME_ID);
	for (int i = 0; i < WALKS / 20; i++)
		n = backtrace(pcs, MAX_FRAMES);
	double ns =
		(double)(ep_clock_read_ns(CLOCK_THREAD_CPUTIME_ID) - t) / (WALKS / 20);
	printf("libgcc's backtrace(): %d frames, %.0f ns a stack, %.1f ns a frame: %.1fx ours, warm\n",
	       n, ns, ns / n, ns / n / ours_ns);
}

static void measure(void *arg)
{
	double ns = warm(arg);
	cold(arg);
	libgcc(ns);
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		compile(argv[i]);
	modules = ep_zalloc(EP_MODULES_BYTES(1000));
	if (!modules)
		return 1;
	dl_iterate_phdr(add_module, NULL);
	qsort(modules->m, modules->n, sizeof(modules->m[0]), by_start);
	struct ep_stack s = own_stack();
	(void)chain_call(measure, &s);
	return 0;
}
