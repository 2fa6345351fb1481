/*
 * duty.h - when CPU is sampled, if not always: so long in each so long.
 *
 * The beginning of the first cycle is random, so that a fleet started together does
 * not sample together, and no process always in step with its own work.
 */
#ifndef EP_INPROC_DUTY_H
#define EP_INPROC_DUTY_H

#include <stdbool.h>
#include <stdint.h>

struct ep_duty {
	uint64_t on_ns, every_ns; /* 0, 0: always */
	uint64_t from_ns;	  /* some cycle began here, of CLOCK_MONOTONIC */
};

/*
 * ep_duty_parse - "10s/60s": numbers with ms, s, m, or h.
 *
 * errors   -EINVAL  anything else, less than 1 s of sampling, as much as the cycle or
 *                   more, or a cycle of more than a day
 */
int ep_duty_parse(const char *text, struct ep_duty *ret);

/* Cycles are counted from a random moment of the last one. */
void ep_duty_start(struct ep_duty *d, uint64_t now_ns, uint64_t dice);
bool ep_duty_is_on(const struct ep_duty *d, uint64_t now_ns);
/* Until it changes; UINT64_MAX: never. */
uint64_t ep_duty_left_ns(const struct ep_duty *d, uint64_t now_ns);

#endif
