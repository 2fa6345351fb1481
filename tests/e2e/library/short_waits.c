/* short_waits.c - many short waits for a semaphore; prints how many, and nanoseconds. */
#include <pthread.h>
#include <semaphore.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

static sem_t ask, answer;
static uint64_t waited;

static uint64_t now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static __attribute__((noinline, noclone)) void wait_shortly(void)
{
	uint64_t t = now();
	sem_wait(&answer);
	waited += now() - t;
}

static void *echo(void *arg)
{
	for (int i = 0; i < 2000; i++) {
		sem_wait(&ask);
		for (volatile int k = 0; k < 5000; k++)
			;
		sem_post(&answer);
	}
	return arg;
}

int main(void)
{
	pthread_t t;
	sem_init(&ask, 0, 0);
	sem_init(&answer, 0, 0);
	if (pthread_create(&t, NULL, echo, NULL))
		return 1;
	for (int i = 0; i < 2000; i++) {
		sem_post(&ask);
		wait_shortly();
	}
	pthread_join(t, NULL);
	printf("2000 %lu\n", waited);
	return 0;
}
