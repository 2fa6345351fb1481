/* load_none.c - built without eBPF (-Dagent=false). */
#include "agent/load.h"

int ep_load_open(unsigned hz, uint64_t interval_ns, struct ep_source **ret_s,
		 struct ep_err *err)
{
	(void)hz;
	(void)interval_ns;
	(void)ret_s;
	bool by_tables;
	return ep_load_try(&by_tables, err);
}

int ep_load_try(bool *ret_by_tables, struct ep_err *err)
{
	(void)ret_by_tables;
	return ep_fail(err, -ENOTSUP, 0, "this everprof was built without eBPF");
}

bool ep_load_works(struct ep_source *s)
{
	(void)s;
	return false;
}
