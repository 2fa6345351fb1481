/* linked.c - see linked.h. */
#include "proof/linked.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

static bool find(const char *name, void *ret, size_t n)
{
	void *f = dlsym(RTLD_DEFAULT, name);
	memcpy(ret, &f, n); /* C has no cast from an object's pointer to a function's */
	return f != NULL;
}

#define FIND(field, name) find("everprof_" name, &l.field, sizeof(l.field))

int ep_linked_find(struct ep_linked *ret_l)
{
	struct ep_linked l;
	bool all = FIND(labels_current, "labels_current") && FIND(derive_n, "labels_derive_n") &&
		   FIND(scope_begin, "scope_begin_") && FIND(scope_end, "scope_end_") &&
		   FIND(thread_create, "thread_create") && FIND(cpu_start, "cpu_start") &&
		   FIND(cpu_stop, "cpu_stop") && FIND(profile_new, "profile_new") &&
		   FIND(profile_add, "profile_add") && FIND(profile_remove, "profile_remove") &&
		   FIND(profile_lookup, "profile_lookup") && FIND(profile_count, "profile_count") &&
		   FIND(profile_write, "profile_write");
	if (!all)
		return -ENOENT;
	*ret_l = l;
	return 0;
}
