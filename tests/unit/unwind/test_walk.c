/* The walk against two truths: libgcc's unwinder at random places, and every
 * single instruction against the calls and returns seen. */
#include "test.h"

#include "self.h"

#include <execinfo.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

enum { MAX = 128, MAX_STEPS = 60000 };

static struct ep_stack own_stack(void)
{
	pthread_attr_t a;
	void *at;
	size_t n;
	assert_int_equal(pthread_getattr_np(pthread_self(), &a), 0);
	assert_int_equal(pthread_attr_getstack(&a, &at, &n), 0);
	pthread_attr_destroy(&a);
	return (struct ep_stack){.lo = (uintptr_t)at, .hi = (uintptr_t)at + n};
}

/* The same walk with a memo of those before must find the same. */
static bool is_same_with_memo(struct ep_memo *memo, const struct ep_modules *ms,
			      const struct ep_regs *r, const struct ep_stack *s,
			      enum ep_step why, const uint64_t *pcs, uint32_t n)
{
	uint64_t again[MAX];
	enum ep_step why_again;
	struct ep_memo_walk w = ep_memo_begin(memo, 1);
	uint32_t n_again = ep_walk_with(&w, ms, r, s, again, MAX, &why_again);
	ep_memo_end(&w, 1);
	return n_again == n && why_again == why && !memcmp(again, pcs, n * sizeof(*pcs));
}

/* --- against libgcc -------------------------------------------------------- */

static struct {
	const struct ep_modules *ms;
	struct ep_stack stack;
	struct ep_memo memo;
	volatile unsigned n, n_equal, n_same_with_memo;
	volatile unsigned why[EP_STEP_N];
	uint64_t bad_ours[MAX];
	void *bad_theirs[MAX];
	unsigned n_bad_ours, n_bad_theirs;
} sampled;

static bool is_equal(const uint64_t *ours, uint32_t n, void **theirs, int n_theirs)
{
	int at = 0;
	while (at < n_theirs && (uint64_t)(uintptr_t)theirs[at] != ours[0])
		at++;
	if (n_theirs - at != (int)n)
		return false;
	for (uint32_t i = 1; i < n; i++) {
		uint64_t pc = (uintptr_t)theirs[at + (int)i];
		/* libgcc's list has no -1; what a signal interrupted is exact in both.
		 */
		if (ours[i] != pc - 1 && ours[i] != pc)
			return false;
	}
	return true;
}

static void on_prof(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)info;
	uint64_t ours[MAX];
	void *theirs[MAX];
	struct ep_regs r = EP_REGS_OF_UCONTEXT((ucontext_t *)context);
	enum ep_step why;
	uint32_t n = ep_walk(sampled.ms, &r, &sampled.stack, ours, MAX, &why);
	int n_theirs = backtrace(theirs, MAX);
	sampled.n_same_with_memo += is_same_with_memo(
		&sampled.memo, sampled.ms, &r, &sampled.stack, why, ours, n);
	sampled.n++;
	sampled.why[why]++;
	if (is_equal(ours, n, theirs, n_theirs)) {
		sampled.n_equal++;
	} else if (!sampled.n_bad_ours) {
		memcpy(sampled.bad_ours, ours, sizeof(ours));
		memcpy(sampled.bad_theirs, theirs, sizeof(theirs));
		sampled.n_bad_ours = n;
		sampled.n_bad_theirs = (unsigned)n_theirs;
	}
}

/* TSan holds signals back and runs their handlers from frames of its own. */
static void skip_under_tsan(void)
{
#ifdef __SANITIZE_THREAD__
	skip();
#endif
}

static void start_sampling(void (*handler)(int, siginfo_t *, void *))
{
	void *warm[4];
	(void)backtrace(warm, 4); /* loads libgcc */
	sampled.ms = self_modules();
	sampled.stack = own_stack();
	sampled.n = sampled.n_equal = sampled.n_same_with_memo = 0;
	struct sigaction sa = {.sa_sigaction = handler,
			       .sa_flags = SA_SIGINFO | SA_RESTART};
	sigaction(SIGPROF, &sa, NULL);
	struct itimerval it = {{0, 1000}, {0, 1000}};
	setitimer(ITIMER_PROF, &it, NULL);
}

static void stop_sampling(void)
{
	struct itimerval off = {{0, 0}, {0, 0}};
	setitimer(ITIMER_PROF, &off, NULL);
	signal(SIGPROF, SIG_IGN);
}

static void print_first_difference(void)
{
	for (unsigned i = 0; i < sampled.n_bad_ours; i++)
		fprintf(stderr, "  ours   %2u %#llx\n", i,
			(unsigned long long)sampled.bad_ours[i]);
	for (unsigned i = 0; i < sampled.n_bad_theirs; i++)
		fprintf(stderr, "  theirs %2u %p\n", i, sampled.bad_theirs[i]);
}

static void check_sampled(void)
{
	/* 995 in 1,000; in practice all of them. */
	if (sampled.n_equal * 1000ull < sampled.n * 995ull) {
		print_first_difference();
		fail_msg("%u of %u stacks equal to libgcc's", sampled.n_equal,
			 sampled.n);
	}
	assert_int_equal(sampled.n_same_with_memo, sampled.n);
	print_message("%u of %u stacks equal to libgcc's\n", sampled.n_equal,
		      sampled.n);
}

TEST(walk_finds_the_stacks_that_libgcc_finds)
{
	skip_under_tsan();
	start_sampling(on_prof);
	while (sampled.n < 400)
		(void)self_work(20);
	stop_sampling();
	check_sampled();
	assert_int_equal(sampled.why[EP_STEP_END] >= sampled.n * 995 / 1000, 1);
}

/* Work inside another signal's handler: the walk crosses its frame. */
static void on_usr1(int sig)
{
	(void)sig;
	(void)self_work(10);
}

TEST(walk_crosses_the_frame_of_a_signal)
{
	skip_under_tsan();
	signal(SIGUSR1, on_usr1);
	start_sampling(on_prof);
	while (sampled.n < 100)
		raise(SIGUSR1);
	stop_sampling();
	check_sampled();
	signal(SIGUSR1, SIG_DFL);
}

/* --- ends and dead ends ---------------------------------------------------- */

static void *walk_here(void *ret_n)
{
	uint64_t pcs[MAX];
	struct ep_regs r;
	enum ep_step why;
	struct ep_stack s = own_stack();
	EP_REGS_HERE(&r);
	*(uint32_t *)ret_n = ep_walk(self_modules(), &r, &s, pcs, MAX, &why);
	return (void *)(uintptr_t)why;
}

TEST(walk_of_a_thread_ends_where_it_was_started)
{
	pthread_t t;
	uint32_t n = 0;
	void *why = NULL;
	(void)self_modules();
	assert_int_equal(pthread_create(&t, NULL, walk_here, &n), 0);
	pthread_join(t, &why);
	assert_int_equal((uintptr_t)why, EP_STEP_END);
	assert_true(n >= 3); /* this function, start_thread, clone */
}

TEST(walk_says_why_it_stopped)
{
	uint64_t pcs[MAX];
	struct ep_regs r;
	enum ep_step why;
	const struct ep_modules *ms = self_modules();
	const struct ep_modules none = {.n = 0};
	struct ep_stack s = own_stack();
	EP_REGS_HERE(&r);
	assert_int_equal(ep_walk(ms, &r, &s, pcs, 2, &why), 2);
	assert_int_equal(why, EP_STEP_FULL);
	struct ep_stack little = {.lo = s.lo, .hi = r.sp + 8};
	assert_int_equal(ep_walk(ms, &r, &little, pcs, MAX, &why), 1);
	assert_int_equal(why, EP_STEP_OUTSIDE);
	struct ep_stack empty = {0};
	assert_int_equal(ep_walk(ms, &r, &empty, pcs, MAX, &why), 1);
	struct ep_regs odd = {.ip = 0x1234, .sp = r.sp, .bp = r.sp + 1};
	assert_int_equal(ep_walk(&none, &odd, &s, pcs, MAX, &why), 1);
	assert_int_equal(why, EP_STEP_NO_TABLE);
	assert_int_equal(pcs[0], 0x1234);
}

/* Two frames by frame pointer, into code with rows; then bp is 0: the end. */
TEST(walk_goes_by_frame_pointer_where_there_are_no_rows)
{
	_Alignas(struct ep_modules) char room[EP_MODULES_BYTES(1)];
	struct ep_modules *ms = (struct ep_modules *)room;
	ms->n = 1;
	ms->m[0] = (struct ep_module){.start = 0x1000, .limit = 0x2000};
	uint64_t stack[8] = {0}, pcs[MAX];
	stack[0] = (uintptr_t)&stack[4];
	stack[1] = 0x1234;
	stack[5] = 0x1500;
	struct ep_stack s = {.lo = (uintptr_t)stack, .hi = (uintptr_t)&stack[8]};
	struct ep_regs r = {.ip = 0x1100, .sp = s.lo, .bp = s.lo};
	enum ep_step why;
	assert_int_equal(ep_walk(ms, &r, &s, pcs, MAX, &why), 3);
	assert_int_equal(why, EP_STEP_END);
	assert_int_equal(pcs[1], 0x1233);
	assert_int_equal(pcs[2], 0x14ff);
	stack[5] = 0x9999; /* no code */
	assert_int_equal(ep_walk(ms, &r, &s, pcs, MAX, &why), 2);
	assert_int_equal(why, EP_STEP_NOT_CODE);
	stack[0] = s.lo; /* a loop */
	assert_true(ep_walk(ms, &r, &s, pcs, MAX, &why) < 3);
	assert_int_equal(ep_fp_walk(&s, &r, pcs, MAX, &why), 2);
	assert_int_equal(why, EP_STEP_BAD_CFA);
}

/* The memo alone knows the last stack; of another map it knows nothing. */
TEST(walk_with_a_memo_needs_no_table_for_what_it_saw_before)
{
	uint64_t pcs[MAX], again[MAX];
	struct ep_memo memo = {0};
	struct ep_regs r;
	enum ep_step why;
	const struct ep_modules none = {.n = 0};
	struct ep_stack s = own_stack();
	EP_REGS_HERE(&r);
	struct ep_memo_walk w = ep_memo_begin(&memo, 7);
	uint32_t n = ep_walk_with(&w, self_modules(), &r, &s, pcs, MAX, &why);
	ep_memo_end(&w, 7);
	assert_int_equal(why, EP_STEP_END);
	assert_true(n > 3);
	w = ep_memo_begin(&memo, 7);
	assert_int_equal(ep_walk_with(&w, &none, &r, &s, again, MAX, &why), n);
	ep_memo_end(&w, 7);
	assert_memory_equal(pcs, again, n * sizeof(pcs[0]));
	w = ep_memo_begin(&memo, 8);
	r.bp = 0;
	assert_int_equal(ep_walk_with(&w, &none, &r, &s, again, MAX, &why), 1);
}

/* What lies at the edge of a range of one rule belongs to the next. */
TEST(walk_finds_no_wrong_rule_in_a_range)
{
	const struct ep_modules *ms = self_modules();
	unsigned n = 0;
	for (uint32_t i = 0; i < ms->n; i++) {
		const struct ep_table *t = ms->m[i].table;
		uint64_t from = 0, to = 0, a = t ? t->start : 0, end = t ? t->limit : 0;
		for (; a < end && n < 200000; n++) {
			const struct ep_rule *rule = ep_table_find_range(t, a, &from, &to);
			assert_non_null(rule);
			assert_true(from <= a && a < to && to <= end);
			assert_ptr_equal(ep_table_find(t, from), rule);
			assert_ptr_equal(ep_table_find(t, to - 1), rule);
			a = to;
		}
	}
	assert_true(n > 1000);
}

/* --- against every call and return ----------------------------------------- */

struct stepped {
	pid_t pid;
	uint64_t base[MAX]; /* callers where stepping began */
	uint32_t n_base;
	uint64_t shadow[MAX]; /* return addresses since, outermost first */
	uint32_t n_shadow;
	struct ep_memo memo;
	unsigned n, n_equal, n_same_with_memo;
	unsigned why[EP_STEP_N];
};

static bool read_child(void *arg, uint64_t addr, uint64_t *ret)
{
	struct stepped *s = arg;
	struct iovec to = {ret, 8}, from = {(void *)(uintptr_t)addr, 8};
	return process_vm_readv(s->pid, &to, 1, &from, 1, 0) == 8;
}

static void check_step(struct stepped *s, const struct ep_stack *stack,
		       const struct ep_regs *r)
{
	uint64_t pcs[MAX];
	enum ep_step why;
	uint32_t n = ep_walk(self_modules(), r, stack, pcs, MAX, &why);
	s->n_same_with_memo +=
		is_same_with_memo(&s->memo, self_modules(), r, stack, why, pcs, n);
	s->n++;
	s->why[why]++;
	bool ok = n == 1 + s->n_shadow + s->n_base;
	for (uint32_t i = 0; ok && i < s->n_shadow; i++)
		ok = pcs[1 + i] == s->shadow[s->n_shadow - 1 - i] - 1;
	for (uint32_t i = 0; ok && i < s->n_base; i++)
		ok = pcs[1 + s->n_shadow + i] == s->base[i];
	s->n_equal += ok;
	if (!ok && s->n - s->n_equal <= 5)
		print_message("  differs at %#llx: %u frames for %u, why %d\n",
			      (unsigned long long)r->ip, n, 1 + s->n_shadow + s->n_base,
			      why);
}

static bool is_return(uint64_t code)
{
	uint8_t first = code & 0xff, second = code >> 8 & 0xff;
	if (first == 0xf2 || first == 0xf3) /* a prefix */
		first = second;
	return first == 0xc3 || first == 0xc2;
}

/* What the instruction just run did to the stack of calls. */
static void follow(struct stepped *s, const struct ep_regs *before,
		   const struct ep_regs *after, uint64_t code)
{
	uint64_t top;
	if (is_return(code)) {
		if (s->n_shadow)
			s->n_shadow--;
	} else if (after->sp == before->sp - 8 && read_child(s, after->sp, &top) &&
		   top > before->ip && top <= before->ip + 8 && after->ip != top) {
		assert_true(s->n_shadow < MAX);
		s->shadow[s->n_shadow++] = top;
	}
}

static struct ep_regs child_regs(pid_t pid)
{
	struct user_regs_struct u;
	assert_int_equal(ptrace(PTRACE_GETREGS, pid, NULL, &u), 0);
	return (struct ep_regs){.ip = u.rip, .sp = u.rsp, .bp = u.rbp};
}

static __attribute__((noinline)) void child(void)
{
	(void)self_work(1); /* binds what is bound lazily */
	ptrace(PTRACE_TRACEME, 0, NULL, NULL);
	raise(SIGSTOP);
	(void)self_work(1);
	_exit(0);
}

/* Runs to the first instruction of self_work(), where the shadow begins. */
static void run_to_work(struct stepped *s, const struct ep_stack *stack)
{
	struct ep_regs r = child_regs(s->pid);
	int status;
	for (int i = 0; i < 100000 && r.ip != (uintptr_t)&self_work; i++) {
		assert_int_equal(ptrace(PTRACE_SINGLESTEP, s->pid, NULL, NULL), 0);
		assert_int_equal(waitpid(s->pid, &status, 0), s->pid);
		r = child_regs(s->pid);
	}
	assert_int_equal(r.ip, (uintptr_t)&self_work);
	uint64_t pcs[MAX];
	enum ep_step why;
	uint32_t n = ep_walk(self_modules(), &r, stack, pcs, MAX, &why);
	assert_int_equal(why, EP_STEP_END);
	s->n_base = n - 1;
	memcpy(s->base, pcs + 1, s->n_base * sizeof(pcs[0]));
}

static void step_through(struct stepped *s, const struct ep_stack *stack)
{
	struct ep_regs before = child_regs(s->pid), after;
	int status;
	for (int i = 0; i < MAX_STEPS; i++) {
		uint64_t code = 0;
		assert_true(read_child(s, before.ip, &code));
		assert_int_equal(ptrace(PTRACE_SINGLESTEP, s->pid, NULL, NULL), 0);
		assert_int_equal(waitpid(s->pid, &status, 0), s->pid);
		if (!WIFSTOPPED(status))
			return;
		after = child_regs(s->pid);
		follow(s, &before, &after, code);
		if (is_return(code) && !s->n_shadow && after.sp > before.sp &&
		    after.ip == s->base[0] + 1)
			break; /* self_work() returned */
		check_step(s, stack, &after);
		before = after;
	}
	kill(s->pid, SIGKILL);
	waitpid(s->pid, &status, 0);
}

TEST(walk_is_right_at_every_instruction)
{
	(void)self_modules();
	struct stepped s = {.pid = fork()};
	struct ep_stack stack = own_stack();
	int status;
	if (s.pid == 0)
		child();
	assert_int_equal(waitpid(s.pid, &status, 0), s.pid);
	if (!WIFSTOPPED(status) || WSTOPSIG(status) != SIGSTOP) {
		print_message("ptrace is not allowed here\n");
		skip();
	}
	stack.read = read_child;
	stack.arg = &s;
	run_to_work(&s, &stack);
	step_through(&s, &stack);
	print_message("%u of %u instructions%s\n", s.n_equal, s.n,
		      s.n < MAX_STEPS ? ", to the end" : "");
	assert_true(s.n > 10000);
	assert_int_equal(s.n_same_with_memo, s.n);
	assert_true(s.n_equal * 1000ull >= s.n * 999ull);
}
