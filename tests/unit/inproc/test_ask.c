#include "inproc/sig/ask.h"

#include "../test.h"

#include "safe/sys.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

static void on_signal(int signo, siginfo_t *info, void *context)
{
	(void)signo;
	(void)ep_ask_answer(info, context);
}

static void prepare(void)
{
	static struct ep_ask asks[EP_ASKS];
	struct sigaction act = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO};
	ep_ask_init(asks);
	sigaction(SIGUSR2, &act, NULL);
}

static uint32_t my_tid(void)
{
	return (uint32_t)ep_sys6(SYS_gettid, 0, 0, 0, 0, 0, 0);
}

static void send_value(pthread_t t, int value)
{
	(void)pthread_sigqueue(t, SIGUSR2, (union sigval){.sival_int = value});
}

TEST(an_ask_is_answered_by_whom_it_was_put_to)
{
	int value;
	prepare();
	assert_true(ep_ask_post(7, my_tid(), &value));
	assert_null(ep_ask_answered(7));
	send_value(pthread_self(), value);
	assert_non_null(ep_ask_answered(7));
	assert_int_equal(ep_ask_answered(7)->tid, my_tid());
	assert_true(ep_ask_post(7, my_tid(), &value)); /* the answer is forgotten */
	assert_null(ep_ask_answered(7));
	assert_null(ep_ask_withdraw(7));
}

TEST(an_ask_to_another_thread_is_not_answered)
{
	int value;
	prepare();
	assert_true(ep_ask_post(0, my_tid() + 1, &value));
	send_value(pthread_self(), value);
	assert_null(ep_ask_withdraw(0));
}

TEST(an_ask_withdrawn_is_not_answered_later)
{
	int late, value;
	prepare();
	assert_true(ep_ask_post(1, my_tid(), &late));
	assert_null(ep_ask_withdraw(1));
	send_value(pthread_self(), late);
	assert_null(ep_ask_answered(1));
	assert_true(ep_ask_post(1, my_tid(), &value));
	send_value(pthread_self(), late); /* of the one before */
	assert_null(ep_ask_answered(1));
	send_value(pthread_self(), value);
	assert_non_null(ep_ask_withdraw(1));
}

TEST(a_signal_of_others_is_no_ask)
{
	siginfo_t info = {.si_code = SI_QUEUE};
	prepare();
	info.si_value.sival_int = 1 << 8;
	assert_false(ep_ask_answer(&info, NULL));
	info.si_value.sival_int = EP_ASK_VALUE_MARK;
	info.si_code = SI_USER;
	assert_false(ep_ask_answer(&info, NULL));
}

static _Atomic int stop;
static _Atomic uint32_t worker_tid;

static void *work(void *arg)
{
	worker_tid = my_tid();
	while (!stop)
		sched_yield();
	return arg;
}

/* The asker withdraws at any moment; what it sees is a whole answer or none. */
TEST(asks_and_answers_race_and_none_is_torn)
{
	pthread_t t;
	int n_answers = 0;
	prepare();
	stop = 0;
	worker_tid = 0;
	pthread_create(&t, NULL, work, NULL);
	while (!worker_tid)
		sched_yield();
	for (int i = 0; i < 2000; i++) {
		int value;
		uint32_t at = (uint32_t)i % 4;
		if (!ep_ask_post(at, worker_tid, &value))
			continue; /* still at work on the last one */
		send_value(t, value);
		for (int k = 0; k < i % 50 && !ep_ask_answered(at); k++)
			sched_yield();
		const struct ep_ask *a = ep_ask_withdraw(at);
		n_answers += a != NULL;
		if (a)
			assert_int_equal(a->tid, worker_tid);
	}
	stop = 1;
	pthread_join(t, NULL);
	assert_true(n_answers > 0);
}
