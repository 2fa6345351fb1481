/* Debian's own programs, none of which has frame pointers: stopped anywhere, their
 * stacks reach the outermost frame. */
#include "test.h"

#include "base/buf.h"
#include "base/mem.h"
#include "elf/maps.h"
#include "unwind/build/compile.h"
#include "unwind/walk.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MAX_MODULES = 500, MAX_FILES = 100, MAX_FRAMES = 500, STOPS = 150 };

struct file {
	char path[512];
	struct ep_buf table;
};

static struct program {
	pid_t pid;
	struct file files[MAX_FILES];
	unsigned n_files;
	struct ep_modules *ms;
	struct ep_stack stack;
	unsigned n, why[EP_STEP_N];
} program;

/* The vDSO's table is that of our own. */
static void compile_vdso(struct ep_buf *b)
{
	const Elf64_Ehdr *h = (const Elf64_Ehdr *)getauxval(AT_SYSINFO_EHDR);
	struct ep_elf *e = NULL;
	size_t n = h->e_shoff + (size_t)h->e_shnum * h->e_shentsize;
	if (ep_elf_open_bytes(h, n, &e, NULL) == 0)
		(void)ep_compile_elf(e, b, NULL); /* without it there is no table */
	ep_elf_free(e);
}

static const struct ep_table *table_of(const struct ep_map *m)
{
	struct program *p = &program;
	unsigned i = 0;
	while (i < p->n_files && !ep_slice_is(m->path, p->files[i].path))
		i++;
	if (i == p->n_files) {
		assert_true(p->n_files < MAX_FILES);
		struct file *f = &p->files[p->n_files++];
		snprintf(f->path, sizeof(f->path), "%.*s", EP_SLICE_ARG(m->path));
		ep_buf_init(&f->table, 64 << 20);
		int fd = open(f->path, O_RDONLY | O_CLOEXEC);
		if (fd >= 0)
			(void)ep_compile_file(fd, &f->table, NULL); /* likewise */
		else if (!strcmp(f->path, "[vdso]"))
			compile_vdso(&f->table);
		close(fd);
	}
	return (const struct ep_table *)p->files[i].table.data;
}

/* The file's bias: what these programs' first segment maps at offset 0. */
static uint64_t bias_of(const struct ep_map *m)
{
	if (ep_slice_is(m->path, "[vdso]"))
		return m->start;
	char path[512];
	snprintf(path, sizeof(path), "%.*s", EP_SLICE_ARG(m->path));
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct ep_elf *e = NULL;
	uint64_t bias = 0;
	if (fd >= 0 && ep_elf_open(fd, &e, NULL) == 0)
		bias = m->start - ep_elf_vaddr(e, m->offset);
	ep_elf_free(e);
	close(fd);
	return bias;
}

static void read_maps(uint64_t sp)
{
	struct program *p = &program;
	char path[64], buf[8192];
	struct ep_maps r;
	struct ep_map m;
	snprintf(path, sizeof(path), "/proc/%d/maps", (int)p->pid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ep_maps_init(&r, fd, buf, sizeof(buf));
	p->ms->n = 0;
	while (ep_maps_next(&r, &m)) {
		if (sp >= m.start && sp < m.limit)
			p->stack.lo = sp, p->stack.hi = m.limit;
		if (!m.exec || p->ms->n == MAX_MODULES)
			continue;
		bool named = m.path.n > 0;
		p->ms->m[p->ms->n++] =
			(struct ep_module){.start = m.start,
					   .limit = m.limit,
					   .bias = named ? bias_of(&m) : 0,
					   .table = named ? table_of(&m) : NULL};
	}
	close(fd);
}

static bool read_word(void *arg, uint64_t addr, uint64_t *ret)
{
	struct iovec to = {ret, 8}, from = {(void *)(uintptr_t)addr, 8};
	(void)arg;
	return process_vm_readv(program.pid, &to, 1, &from, 1, 0) == 8;
}

static void look(void)
{
	struct program *p = &program;
	struct user_regs_struct u;
	if (ptrace(PTRACE_GETREGS, p->pid, NULL, &u) < 0)
		return;
	struct ep_regs r = {.ip = u.rip, .sp = u.rsp, .bp = u.rbp};
	uint64_t pcs[MAX_FRAMES];
	enum ep_step why;
	read_maps(u.rsp);
	p->stack.read = read_word;
	uint32_t n = ep_walk(p->ms, &r, &p->stack, pcs, MAX_FRAMES, &why);
	p->n++;
	p->why[why]++;
	if (why != EP_STEP_END && p->n - p->why[EP_STEP_END] <= 3)
		for (uint32_t i = 0; i < n; i++)
			print_message("  why %d: %2u %#llx\n", why, i,
				      (unsigned long long)pcs[i]);
}

/* false when the program has ended. */
static bool stop_and_look(void)
{
	int status;
	if (ptrace(PTRACE_INTERRUPT, program.pid, NULL, NULL) < 0 ||
	    waitpid(program.pid, &status, 0) < 0 || !WIFSTOPPED(status))
		return false;
	look();
	ptrace(PTRACE_CONT, program.pid, NULL, NULL);
	return true;
}

static void exec_quietly(const char *const *argv)
{
	int null = open("/dev/null", O_RDWR);
	dup2(null, 0);
	dup2(null, 1);
	dup2(null, 2);
	/* Sanitizers' settings are not theirs. */
	char *const env[] = {"PATH=/usr/bin:/bin", NULL};
	execve(argv[0], (char *const *)argv, env);
	_exit(127);
}

/* Past the loader, whose trampoline keeps its CFA in a register that rows lack. */
static void wait_for_work(pid_t pid)
{
	clockid_t clock;
	struct timespec used = {0};
	if (clock_getcpuclockid(pid, &clock) != 0)
		return;
	for (int i = 0; i < 3000 && used.tv_sec == 0 && used.tv_nsec < 100000000; i++) {
		usleep(10000);
		if (clock_gettime(clock, &used) < 0)
			return;
	}
}

static void run(const char *const *argv)
{
	struct program *p = &program;
	int status;
	if (access(argv[0], X_OK) != 0) {
		print_message("%s is not here\n", argv[0]);
		skip();
	}
	*p = (struct program){.ms = calloc(1, EP_MODULES_BYTES(MAX_MODULES))};
	p->pid = fork();
	if (p->pid == 0)
		exec_quietly(argv);
	if (ptrace(PTRACE_SEIZE, p->pid, NULL, NULL) < 0) {
		kill(p->pid, SIGKILL);
		waitpid(p->pid, &status, 0);
		print_message("ptrace is not allowed here\n");
		skip();
	}
	wait_for_work(p->pid);
	bool alive = true;
	for (int i = 0; alive && i < STOPS; i++) {
		alive = stop_and_look();
		usleep(2000);
	}
	if (alive) {
		kill(p->pid, SIGKILL);
		waitpid(p->pid, &status, 0);
	}
	for (unsigned i = 0; i < p->n_files; i++)
		ep_buf_fini(&p->files[i].table);
	free(p->ms);
	print_message("%s: %u of %u stacks are whole\n", argv[0], p->why[EP_STEP_END],
		      p->n);
	assert_true(p->n > STOPS / 2);
	/* All of them, but for the few instructions whose rows need other registers. */
	assert_true(p->n - p->why[EP_STEP_END] <= 2);
}

TEST(walk_reaches_the_start_of_sqlite)
{
	const char *const argv[] = {"/usr/bin/sqlite3", ":memory:",
				    "with recursive c(x) as (select 1 union all select "
				    "x+1 from c limit 9000000)"
				    " select count(*), sum(length(printf('%d', x))) "
				    "from c order by random();",
				    NULL};
	run(argv);
}

TEST(walk_reaches_the_start_of_openssl)
{
	const char *const argv[] = {"/usr/bin/openssl", "speed", "-seconds", "30",
				    "sha256",		NULL};
	run(argv);
}

TEST(walk_reaches_the_start_of_python)
{
	const char *const argv[] = {"/usr/bin/python3", "-S", "-c",
				    "while True: sorted(str(i) for i in range(1000))",
				    NULL};
	run(argv);
}

TEST(walk_reaches_the_start_of_gzip)
{
	const char *const argv[] = {
		"/bin/sh", "-c", "exec /usr/bin/gzip -9 </dev/zero >/dev/null", NULL};
	run(argv);
}
