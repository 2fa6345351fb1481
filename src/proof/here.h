/*
 * here.h - the processes of a service on this machine, and where they listen.
 */
#ifndef EP_PROOF_HERE_H
#define EP_PROOF_HERE_H

#include "proof/knock.h"

#include <stdbool.h>
#include <stdint.h>

#define EP_HERE_PIDS 64
#define EP_HERE_ADDRESSES 16

struct ep_here {
	int64_t pids[EP_HERE_PIDS]; /* the first ones */
	unsigned n_pids;	    /* all of them */
	/* What its EVERPROF_HTTP says, of the first that has one; "": none has. */
	char http[160];
	struct ep_knock_address addresses[EP_HERE_ADDRESSES]; /* that they listen at */
	unsigned n_addresses;
	bool hidden; /* of some, descriptors or environment can't be read */
	bool apart;  /* of some, the network is not ours (a container) */
};

/*
 * ep_here_find - ask /proc.
 *
 * in       service  by the agent's rules (agent/service.h)
 *          pids     besides, if libeverprof is in them: known by the server for this host
 * threads  any; takes milliseconds
 */
void ep_here_find(const char *service, const int64_t *pids, unsigned n_pids,
		  struct ep_here *ret);

#endif
