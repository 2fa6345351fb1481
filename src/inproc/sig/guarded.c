/* guarded.c - see guarded.h. */
#include "inproc/sig/guarded.h"

#include "safe/sys.h"

#include <sys/uio.h>

bool ep_guarded_read(void *arg, uint64_t addr, uint64_t *ret)
{
	struct ep_guarded *g = arg;
	if (addr - g->at + 8 > g->n || addr < g->at) {
		struct iovec local = {g->window, EP_GUARDED_BYTES};
		struct iovec remote = {(void *)(uintptr_t)addr, EP_GUARDED_BYTES};
		/* Not across a page: the read is whole or nothing within a page. */
		uint64_t to_page_end = 4096 - addr % 4096;
		if (to_page_end < 8)
			remote.iov_len = local.iov_len = 8;
		else if (to_page_end < EP_GUARDED_BYTES)
			remote.iov_len = local.iov_len = to_page_end & ~7ull;
		long pid = ep_sys6(SYS_getpid, 0, 0, 0, 0, 0, 0);
		long n = ep_sys6(SYS_process_vm_readv, pid, (long)&local, 1, (long)&remote, 1, 0);
		g->at = addr;
		g->n = n > 0 ? (uint64_t)n : 0;
		if (g->n < 8)
			return false;
	}
	__builtin_memcpy(ret, (const char *)g->window + (addr - g->at), 8);
	return true;
}
