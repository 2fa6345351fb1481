/*
 * floor_cpu.c - the least a CPU profiler can do, preloaded: a timer, a signal handler that
 * follows the frame pointers, one store of the stack.  Nothing reads it.
 */
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/time.h>
#include <ucontext.h>

enum { STACKS = 4096, FRAMES = 62 };

static struct {
	uint64_t n, pcs[FRAMES];
} stacks[STACKS];
static _Atomic uint32_t n_stacks;

static void handler(int signo, siginfo_t *info, void *context)
{
	const greg_t *regs = ((ucontext_t *)context)->uc_mcontext.gregs;
	uint32_t at = atomic_fetch_add_explicit(&n_stacks, 1, memory_order_relaxed) % STACKS;
	uint64_t *to = stacks[at].pcs, n = 0, bp = (uint64_t)regs[REG_RBP];
	uint64_t lo = (uint64_t)regs[REG_RSP], hi = lo + (256 << 10);
	(void)signo, (void)info;
	to[n++] = (uint64_t)regs[REG_RIP];
	while (n < FRAMES && bp >= lo && bp < hi && bp % 8 == 0) {
		const uint64_t *frame = (const uint64_t *)bp;
		if (!frame[1])
			break;
		to[n++] = frame[1];
		if (frame[0] <= bp)
			break;
		bp = frame[0];
	}
	stacks[at].n = n;
}

__attribute__((constructor)) static void start(void)
{
	const char *hz = getenv("FLOOR_HZ");
	struct sigaction sa = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_RESTART};
	struct timeval every = {0, 1000000 / (hz ? atoi(hz) : 100)};
	(void)sigaction(SIGPROF, &sa, NULL);
	(void)setitimer(ITIMER_PROF, &(struct itimerval){every, every}, NULL);
}
