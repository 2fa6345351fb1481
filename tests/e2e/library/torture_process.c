/*
 * torture_process.c - processes made and changed.  torture_process KIND SECONDS
 *
 *   fork     a storm of them, from two threads, with 4 GB mapped
 *   spawn    vfork, posix_spawn, system, and exec of itself in the end
 *   seccomp  a filter that comes in mid-flight and forbids what a profiler needs
 *   setuid   another user in mid-flight (as root only; else "skip")
 */
#include "torture.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;
static double seconds;
static char *self;
static atomic_int stop;

static void wait_for(pid_t p, int code)
{
	int status;
	CHECK(p > 0 && waitpid(p, &status, 0) == p);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == code);
}

static void *busy(void *unused)
{
	(void)unused;
	while (!atomic_load(&stop)) {
		allocate(100);
		burn(0.002);
	}
	return NULL;
}

static void *forks(void *unused)
{
	(void)unused;
	double end = end_after(seconds);
	for (int n = 0; before(end); n++) {
		pid_t p = fork();
		if (p == 0) {
			allocate(20);
			if (n % 4 == 0)
				burn(0.01);
			if (n % 8 == 0) { /* and one of its own */
				pid_t q = fork();
				if (q == 0)
					_exit(5);
				wait_for(q, 5);
			}
			n % 2 ? _exit(7) : exit(7);
		}
		wait_for(p, 7);
	}
	return NULL;
}

static void fork_storm(void)
{
	pthread_t t[2], other;
	size_t n = (size_t)4 << 30;
	char *big = mmap(NULL, n, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	CHECK(big != MAP_FAILED);
	memset(big, 1, 64 << 20);
	CHECK(!pthread_create(&other, NULL, busy, NULL));
	for (int i = 0; i < 2; i++)
		CHECK(!pthread_create(&t[i], NULL, forks, NULL));
	for (int i = 0; i < 2; i++)
		pthread_join(t[i], NULL);
	atomic_store(&stop, 1);
	pthread_join(other, NULL);
}

static void spawn(void)
{
	pthread_t other;
	char *argv[] = {(char *)"true", NULL};
	CHECK(!pthread_create(&other, NULL, busy, NULL));
	double end = end_after(seconds);
	while (before(end)) {
		pid_t p = vfork();
		if (p == 0)
			_exit(9);
		wait_for(p, 9);
		p = vfork();
		if (p == 0) {
			execv("/bin/true", argv);
			_exit(1);
		}
		wait_for(p, 0);
		CHECK(posix_spawn(&p, "/bin/true", NULL, NULL, argv, environ) == 0);
		wait_for(p, 0);
		CHECK(WEXITSTATUS(system("exit 3")) == 3);
	}
	/* With a thread at work and timers that run. */
	puts("done");
	fflush(stdout);
	execl(self, self, "end", "0", (char *)NULL);
	CHECK(0);
}

#define FORBID(nr)                                                                     \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (nr), 0, 1),                                \
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM)

static void forbid(void)
{
	struct sock_filter rules[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		FORBID(SYS_process_vm_readv),
		FORBID(SYS_timer_create),
		FORBID(SYS_timer_settime),
		FORBID(SYS_timer_delete),
		FORBID(SYS_perf_event_open),
		FORBID(SYS_openat),
		FORBID(SYS_socket),
		FORBID(SYS_mremap),
		FORBID(SYS_madvise),
		FORBID(SYS_getrandom),
		FORBID(SYS_prctl),
		FORBID(SYS_membarrier),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {sizeof(rules) / sizeof(*rules), rules};
	CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	CHECK(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program) == 0);
}

static void under_threads(void (*change)(void))
{
	pthread_t t[4];
	double end = end_after(seconds);
	CHECK(!pthread_create(&t[0], NULL, busy, NULL));
	burn(seconds / 4);
	change();
	while (before(end)) {
		for (int i = 1; i < 4; i++) {
			atomic_store(&stop, 0);
			CHECK(!pthread_create(&t[i], NULL, busy, NULL));
		}
		burn(0.02);
		allocate(1000);
		pid_t p = fork();
		if (p == 0) {
			burn(0.01);
			_exit(4);
		}
		wait_for(p, 4);
		atomic_store(&stop, 1);
		for (int i = 0; i < 4; i++)
			pthread_join(t[i], NULL);
		atomic_store(&stop, 0);
		CHECK(!pthread_create(&t[0], NULL, busy, NULL));
	}
	atomic_store(&stop, 1);
	pthread_join(t[0], NULL);
}

static void another_user(void)
{
	CHECK(setgid(65534) == 0 && setuid(65534) == 0);
	CHECK(getuid() == 65534 && geteuid() == 65534);
}

int main(int argc, char **argv)
{
	CHECK(argc > 2);
	seconds = atof(argv[2]);
	self = argv[0];
	if (!strcmp(argv[1], "setuid") && getuid() != 0)
		return 77;
	start_library();
	if (!strcmp(argv[1], "fork"))
		fork_storm();
	else if (!strcmp(argv[1], "spawn"))
		spawn();
	else if (!strcmp(argv[1], "seccomp"))
		under_threads(forbid);
	else if (!strcmp(argv[1], "setuid"))
		under_threads(another_user);
	else if (!strcmp(argv[1], "end"))
		return 0;
	else
		return 2;
	puts("done");
	return 0;
}
