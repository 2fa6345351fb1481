/*
 * caps.c - see caps.h.  The only file that knows libcap.
 */
#include "agent/caps.h"

#include <errno.h>
#include <sys/capability.h>
#include <sys/prctl.h>

bool ep_caps_have(int cap)
{
	cap_flag_value_t v = CAP_CLEAR;
	cap_t c = cap_get_proc();
	if (c)
		(void)cap_get_flag(c, cap, CAP_EFFECTIVE,
				   &v); /* unknown there: not had */
	cap_free(c);
	return v == CAP_SET;
}

uint64_t ep_caps_effective(void)
{
	uint64_t bits = 0;
	for (int cap = 0; cap < cap_max_bits() && cap < 64; cap++)
		bits |= (uint64_t)ep_caps_have(cap) << cap;
	return bits;
}

int ep_caps_set(int cap, bool on)
{
	cap_t c = cap_get_proc();
	cap_value_t v = cap;
	int rc = c ? 0 : -1;
	if (rc == 0)
		rc = cap_set_flag(c, CAP_EFFECTIVE, 1, &v, on ? CAP_SET : CAP_CLEAR);
	if (rc == 0)
		rc = cap_set_proc(c);
	cap_free(c);
	return rc ? -EACCES : 0;
}

static void keep_one(cap_t to, cap_t had, cap_value_t cap)
{
	cap_flag_value_t v = CAP_CLEAR;
	if (cap_get_flag(had, cap, CAP_PERMITTED, &v) < 0 || v != CAP_SET)
		return;
	(void)cap_set_flag(to, CAP_PERMITTED, 1, &cap, CAP_SET);
	(void)cap_set_flag(to, CAP_EFFECTIVE, 1, &cap, CAP_SET);
}

int ep_caps_keep_only(const int *caps, unsigned n)
{
	cap_t had = cap_get_proc(), to = cap_init();
	/* The bounding set needs CAP_SETPCAP, so it goes first; without it, exec
	 * gives nothing back because of no_new_privs. */
	for (int cap = 0; cap < cap_max_bits(); cap++)
		(void)cap_drop_bound(cap);
	(void)cap_reset_ambient();
	int rc = had && to ? prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) : -1;
	for (unsigned i = 0; rc == 0 && i < n; i++)
		keep_one(to, had, caps[i]);
	if (rc == 0)
		rc = cap_set_proc(to);
	cap_free(had);
	cap_free(to);
	return rc ? -EACCES : 0;
}
