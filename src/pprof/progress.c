/* progress.c - see progress.h. */
#include "pprof/progress.h"

#include "base/clock.h"
#include "pprof/ui.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>

enum { BAR = 30, BLOCK = 6 };

static const uint64_t first_ns = EP_NS_PER_S, every_ns = EP_NS_PER_S / 10;

static struct {
	pthread_mutex_t lock;
	pthread_cond_t stopped;
	pthread_t thread;
	bool is_running, is_drawn;
	const char *what;
	size_t n_steps, done;
	uint64_t started_ns;
} progress = {.lock = PTHREAD_MUTEX_INITIALIZER, .what = ""};

/* The part that is done; without steps, a block that wanders to and fro. */
static void fill_bar(char bar[BAR + 1], unsigned tick)
{
	size_t from = 0, to = 0;
	if (progress.n_steps) {
		to = BAR * progress.done / progress.n_steps;
	} else {
		unsigned at = tick % (2 * (BAR - BLOCK));
		from = at < BAR - BLOCK ? at : 2 * (BAR - BLOCK) - at;
		to = from + BLOCK;
	}
	for (size_t i = 0; i < BAR; i++)
		bar[i] = i >= from && i < to ? '#' : '-';
	bar[BAR] = '\0';
}

static void draw(unsigned tick)
{
	char bar[BAR + 1], steps[48] = "";
	fill_bar(bar, tick);
	if (progress.n_steps)
		snprintf(steps, sizeof(steps), " %zu of %zu", progress.done,
			 progress.n_steps);
	fprintf(stderr, "\r\033[K[%s] %s%s, %.1f s", bar, progress.what, steps,
		(double)(ep_clock_mono_ns() - progress.started_ns) / 1e9);
	progress.is_drawn = true;
}

static void erase(void)
{
	if (progress.is_drawn)
		fputs("\r\033[K", stderr);
	progress.is_drawn = false;
}

/* Wait for the end of the work until a moment; false: it has come. */
static bool wait_until(uint64_t ns)
{
	const struct timespec t = {(time_t)(ns / EP_NS_PER_S),
				   (long)(ns % EP_NS_PER_S)};
	while (progress.is_running && ep_clock_mono_ns() < ns)
		pthread_cond_timedwait(&progress.stopped, &progress.lock, &t);
	return progress.is_running;
}

static void *run(void *arg)
{
	(void)arg;
	pthread_mutex_lock(&progress.lock);
	uint64_t next = progress.started_ns + first_ns;
	for (unsigned tick = 0; wait_until(next); tick++) {
		draw(tick);
		next = ep_clock_mono_ns() + every_ns;
	}
	erase();
	pthread_mutex_unlock(&progress.lock);
	return NULL;
}

void ep_progress_start(void)
{
	if (!ep_ui_is_terminal(2))
		return;
	pthread_condattr_t attr;
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&progress.stopped, &attr);
	pthread_condattr_destroy(&attr);
	progress.started_ns = ep_clock_mono_ns();
	progress.is_running = true;
	if (pthread_create(&progress.thread, NULL, run, NULL) != 0)
		progress.is_running = false; /* then without a bar */
}

void ep_progress_stop(void)
{
	pthread_mutex_lock(&progress.lock);
	bool was_running = progress.is_running;
	progress.is_running = false;
	if (was_running)
		pthread_cond_signal(&progress.stopped);
	pthread_mutex_unlock(&progress.lock);
	if (!was_running)
		return;
	pthread_join(progress.thread, NULL);
	pthread_cond_destroy(&progress.stopped);
}

void ep_progress_phase(const char *what, size_t n_steps)
{
	pthread_mutex_lock(&progress.lock);
	progress.what = what;
	progress.n_steps = n_steps;
	progress.done = 0;
	pthread_mutex_unlock(&progress.lock);
}

void ep_progress_step(void)
{
	pthread_mutex_lock(&progress.lock);
	progress.done += progress.done < progress.n_steps;
	pthread_mutex_unlock(&progress.lock);
}

void ep_progress_hide(void)
{
	pthread_mutex_lock(&progress.lock);
	erase();
	pthread_mutex_unlock(&progress.lock);
}
