/* tasks.c - see tasks.h. */
#include "inproc/tasks.h"

#include "base/clock.h"
#include "safe/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { PAGE = 4096, MAX_PAGES = 8, MAX_CALLS = 1024 };

struct dirent64 {
	uint64_t ino;
	int64_t off;
	uint16_t reclen;
	uint8_t type;
	char name[];
};

static uint32_t parse_tid(const char *s)
{
	uint32_t v = 0;
	for (; *s >= '0' && *s <= '9'; s++)
		v = v * 10 + (uint32_t)(*s - '0');
	return *s ? 0 : v;
}

int ep_tasks_open(void)
{
	int fd = open("/proc/self/task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* readdir() would take memory from the host's malloc. */
int ep_tasks_each(void (*fn)(uint32_t tid, void *arg), void *arg)
{
	int fd = ep_tasks_open();
	if (fd < 0)
		return fd;
	_Alignas(8) char buf[4096];
	long n;
	while ((n = ep_sys6(SYS_getdents64, fd, (long)buf, sizeof(buf), 0, 0, 0)) > 0) {
		for (long at = 0; at < n;) {
			const struct dirent64 *d = (const struct dirent64 *)(buf + at);
			uint32_t tid = parse_tid(d->name);
			if (tid)
				fn(tid, arg);
			at += d->reclen;
		}
	}
	close(fd);
	return (int)n;
}

static int open_file(int dir, uint32_t tid, const char *name)
{
	char path[32];
	snprintf(path, sizeof(path), "%u/%s", tid, name);
	int fd = openat(dir, path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* A small file of a thread, as a string; its length, or -errno. */
static int read_text(int fd, char *to, size_t size)
{
	ssize_t n = pread(fd, to, size - 1, 0);
	if (n < 0)
		return -errno;
	to[n] = '\0';
	return (int)n;
}

static enum ep_tasks_state why_not(int error)
{
	return error == -ENOENT || error == -ESRCH ? EP_TASKS_GONE : EP_TASKS_UNKNOWN;
}

/* "running", or "CALL ARGUMENT… SP PC", without arguments where the call is -1. */
enum ep_tasks_state ep_tasks_look_again(int fd, struct ep_tasks_at *ret_at)
{
	char text[256], *p;
	int n = read_text(fd, text, sizeof(text));
	if (n <= 0)
		return why_not(n);
	if (!strncmp(text, "running", 7))
		return EP_TASKS_RUNNING;
	struct ep_tasks_at at = {.call = strtol(text, &p, 10)};
	uint64_t words = 0;
	for (char *end; *p == ' '; p = end, words++) {
		uint64_t v = strtoull(p, &end, 16);
		if (end == p)
			break;
		at.sp = at.pc;
		at.pc = v;
	}
	if (words < 2 || !at.sp || !at.pc)
		return EP_TASKS_UNKNOWN;
	*ret_at = at;
	return EP_TASKS_BLOCKED;
}

enum ep_tasks_state ep_tasks_look(int dir, uint32_t tid, struct ep_tasks_at *ret_at, int *ret_fd)
{
	int fd = open_file(dir, tid, "syscall");
	if (ret_fd)
		*ret_fd = fd < 0 ? -1 : fd;
	if (fd < 0)
		return why_not(fd);
	enum ep_tasks_state state = ep_tasks_look_again(fd, ret_at);
	if (!ret_fd)
		close(fd);
	return state;
}

/* "CPU WAITED SLICES" */
bool ep_tasks_queued_ns(int dir, uint32_t tid, uint64_t *ret_ns)
{
	char text[96], *p;
	int fd = open_file(dir, tid, "schedstat");
	int n = fd < 0 ? fd : read_text(fd, text, sizeof(text));
	if (fd >= 0)
		close(fd);
	if (n <= 0)
		return false;
	(void)strtoull(text, &p, 10); /* CPU time, which its clock tells better */
	*ret_ns = strtoull(p, NULL, 10);
	return true;
}

void ep_tasks_name(int dir, uint32_t tid, char ret[EP_TASKS_NAME])
{
	char text[EP_TASKS_NAME + 1];
	int fd = open_file(dir, tid, "comm");
	int n = fd < 0 ? fd : read_text(fd, text, sizeof(text));
	if (fd >= 0)
		close(fd);
	ret[0] = '\0';
	if (n < 1)
		return;
	text[n - (text[n - 1] == '\n')] = '\0';
	snprintf(ret, EP_TASKS_NAME, "%.15s", text);
}

static uint64_t number_behind(const char *text, const char *key, int base)
{
	const char *at = strstr(text, key);
	return at ? strtoull(at + strlen(key), NULL, base) : 0;
}

bool ep_tasks_status(uint32_t tid, uint64_t *ret_blocked, uint64_t *ret_n_waits)
{
	char text[4096];
	int dir = ep_tasks_open(), fd = dir < 0 ? dir : open_file(dir, tid, "status");
	int n = fd < 0 ? fd : read_text(fd, text, sizeof(text));
	if (fd >= 0)
		close(fd);
	if (dir >= 0)
		close(dir);
	if (n <= 0)
		return false;
	*ret_blocked = number_behind(text, "\nSigBlk:", 16);
	*ret_n_waits = number_behind(text, "\nvoluntary_ctxt_switches:", 10);
	return true;
}

uint64_t ep_tasks_cpu_ns(uint32_t tid)
{
	struct timespec t;
	if (clock_gettime((clockid_t)EP_TASKS_CLOCK(tid), &t) < 0)
		return 0;
	return (uint64_t)t.tv_sec * EP_NS_PER_S + (uint64_t)t.tv_nsec;
}

/* A piece for each page: the kernel copies whole pieces. */
static unsigned long cut_at_pages(uint64_t at, uint64_t n, struct iovec to[MAX_PAGES + 1])
{
	unsigned long pieces = 0;
	for (uint64_t done = 0; done < n && pieces <= MAX_PAGES; pieces++) {
		uint64_t k = PAGE - (at + done) % PAGE;
		k = k < n - done ? k : n - done;
		to[pieces] = (struct iovec){(void *)(uintptr_t)(at + done), k};
		done += k;
	}
	return pieces;
}

static uint64_t read_pieces(const struct iovec *local, unsigned long n_local,
			    const struct iovec *remote, unsigned long n_remote)
{
	long pid = ep_sys6(SYS_getpid, 0, 0, 0, 0, 0, 0);
	long got = ep_sys6(SYS_process_vm_readv, pid, (long)local, (long)n_local, (long)remote,
			   (long)n_remote, 0);
	return got > 0 ? (uint64_t)got : 0;
}

uint64_t ep_tasks_read(uint64_t at, void *to, uint64_t n)
{
	struct iovec local = {to, n}, remote[MAX_PAGES + 1];
	return read_pieces(&local, 1, remote, cut_at_pages(at, n, remote));
}

uint64_t ep_tasks_read_with(uint64_t word_at, uint64_t *ret_word, uint64_t at, void *to,
			    uint64_t n)
{
	uint64_t word = 0;
	struct iovec local[2] = {{&word, sizeof(word)}, {to, n}}, remote[MAX_PAGES + 2];
	remote[0] = (struct iovec){(void *)(uintptr_t)word_at, sizeof(word)};
	uint64_t got = read_pieces(local, 2, remote, 1 + cut_at_pages(at, n, remote + 1));
	if (got < sizeof(word))
		return 0;
	*ret_word = word;
	return got - sizeof(word);
}

/* ---- names of calls ------------------------------------------------------------------- */

/* What threads wait in.  A call that this CPU does not have is not in its table. */
static const struct {
	long call;
	const char *name;
} names[] = {
	{-1, "page fault"},
	{SYS_futex, "futex"},
	{SYS_read, "read"},
	{SYS_write, "write"},
	{SYS_readv, "readv"},
	{SYS_writev, "writev"},
	{SYS_pread64, "pread64"},
	{SYS_pwrite64, "pwrite64"},
	{SYS_nanosleep, "nanosleep"},
	{SYS_clock_nanosleep, "clock_nanosleep"},
	{SYS_ppoll, "ppoll"},
	{SYS_pselect6, "pselect6"},
	{SYS_epoll_pwait, "epoll_pwait"},
	{SYS_accept, "accept"},
	{SYS_accept4, "accept4"},
	{SYS_connect, "connect"},
	{SYS_recvfrom, "recvfrom"},
	{SYS_recvmsg, "recvmsg"},
	{SYS_recvmmsg, "recvmmsg"},
	{SYS_sendto, "sendto"},
	{SYS_sendmsg, "sendmsg"},
	{SYS_wait4, "wait4"},
	{SYS_waitid, "waitid"},
	{SYS_rt_sigsuspend, "rt_sigsuspend"},
	{SYS_rt_sigtimedwait, "rt_sigtimedwait"},
	{SYS_fsync, "fsync"},
	{SYS_fdatasync, "fdatasync"},
	{SYS_flock, "flock"},
	{SYS_fcntl, "fcntl"},
	{SYS_ioctl, "ioctl"},
	{SYS_openat, "openat"},
	{SYS_splice, "splice"},
	{SYS_sendfile, "sendfile"},
	{SYS_io_getevents, "io_getevents"},
	{SYS_mmap, "mmap"},
	{SYS_munmap, "munmap"},
	{SYS_mprotect, "mprotect"},
	{SYS_madvise, "madvise"},
	{SYS_msgrcv, "msgrcv"},
	{SYS_msgsnd, "msgsnd"},
	{SYS_semtimedop, "semtimedop"},
	{SYS_mq_timedreceive, "mq_timedreceive"},
	{SYS_restart_syscall, "restart_syscall"},
#ifdef SYS_io_uring_enter
	{SYS_io_uring_enter, "io_uring_enter"},
#endif
#ifdef SYS_poll
	{SYS_poll, "poll"},
	{SYS_select, "select"},
	{SYS_epoll_wait, "epoll_wait"},
	{SYS_pause, "pause"},
#endif
};

const char *ep_tasks_call_name(long call)
{
	static char numbers[MAX_CALLS][16];
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].call == call)
			return names[i].name;
	if (call < 0 || call >= MAX_CALLS)
		return "syscall";
	if (!*numbers[call])
		snprintf(numbers[call], sizeof(numbers[call]), "syscall %ld", call);
	return numbers[call];
}
