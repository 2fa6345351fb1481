/* workload.c - see workload.h. */
#include "proof/workload.h"

#include "proof/truth.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#define LIBRARY_THREAD "everprof"

static bool is_library_thread(const char *tid)
{
	char path[300], name[32] = "";
	snprintf(path, sizeof(path), "/proc/self/task/%.20s/comm", tid);
	FILE *f = fopen(path, "re");
	if (!f)
		return false;
	bool is = fgets(name, sizeof(name), f) &&
		  !strncmp(name, LIBRARY_THREAD, strlen(LIBRARY_THREAD));
	fclose(f);
	return is;
}

static uint64_t thread_cpu_ns(const char *tid)
{
	char path[300];
	unsigned long long ns = 0;
	snprintf(path, sizeof(path), "/proc/self/task/%.20s/schedstat", tid);
	FILE *f = fopen(path, "re");
	if (!f)
		return 0;
	(void)!fscanf(f, "%llu", &ns); /* without it, 0 */
	fclose(f);
	return ns;
}

uint64_t ep_work_library_cpu_ns(void)
{
	uint64_t sum = 0;
	DIR *d = opendir("/proc/self/task");
	if (!d)
		return 0;
	for (struct dirent *e; (e = readdir(d));)
		if (e->d_name[0] != '.' && is_library_thread(e->d_name))
			sum += thread_cpu_ns(e->d_name);
	closedir(d);
	return sum;
}

static const char *const names[EP_WORK_PROFILES] = {
	[EP_WORK_HEAP] = "heap",     [EP_WORK_BLOCK] = "block",
	[EP_WORK_MUTEX] = "mutex",   [EP_WORK_SCOPES] = "scopes",
	[EP_WORK_CUSTOM] = EP_WORK_CUSTOM_NAME,
};

static int write_profiles(const struct ep_work *w)
{
	ep_truth_tell_phase(w->truth, "profiles");
	for (int i = 0; i < EP_WORK_PROFILES; i++) {
		everprof_profile *p = names[i] ? w->lib.profile_lookup(names[i]) : NULL;
		if (names[i] && !p)
			return -ENOENT;
		int rc = p ? w->lib.profile_write(p, w->profiles[i], 0) : 0;
		if (rc < 0)
			return rc;
		if (i == EP_WORK_CUSTOM)
			ep_truth_tell(w->truth, "counted", (int64_t)w->lib.profile_count(p));
	}
	return 0;
}

static int run_truth(struct ep_work *w)
{
	double all = w->seconds;
	int rc = ep_work_keep(w);
	w->seconds = all * 0.8;
	rc = rc < 0 ? rc : ep_work_spin(w);
	w->seconds = all * 0.2;
	rc = rc < 0 ? rc : ep_work_wait(w);
	return rc < 0 ? rc : write_profiles(w);
}

static bool parse(const char *what, struct ep_work *w, bool *ret_cost)
{
	int at = 0;
	*ret_cost = !strncmp(what, "cost:", 5);
	if (!*ret_cost && strncmp(what, "truth:", 6) != 0)
		return false;
	if (sscanf(strchr(what, ':'), ":%lf:%d%n", &w->seconds, &w->truth, &at) != 2)
		return false;
	what = strchr(what, ':') + at;
	for (int i = 0; !*ret_cost && i < EP_WORK_PROFILES; i++) {
		if (sscanf(what, "%*1[:,]%d%n", &w->profiles[i], &at) != 1)
			return false;
		what += at;
	}
	return true;
}

int ep_workload_main(const char *what)
{
	struct ep_work w;
	bool cost;
	prctl(PR_SET_PDEATHSIG, SIGKILL); /* who asked is gone: nobody wants to know */
	prctl(PR_SET_NAME, "verify"); /* what we start is told from the library's thread */
	if (!parse(what, &w, &cost))
		return 2;
	int rc = ep_linked_find(&w.lib);
	if (rc == 0)
		rc = cost ? ep_work_cost(&w) : run_truth(&w);
	ep_truth_tell(w.truth, "result", rc);
	return rc < 0;
}
