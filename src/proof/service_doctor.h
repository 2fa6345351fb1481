/*
 * service_doctor.h - `everprof doctor --service`: the evidence gathered, the nine answered.
 */
#ifndef EP_PROOF_SERVICE_DOCTOR_H
#define EP_PROOF_SERVICE_DOCTOR_H

#include "base/err.h"
#include "proof/nine.h"

struct ep_service_doctor {
	const char *service, *server;
	const char *server_token_file; /* NULL: none */
	const char *debug_token_file;  /* for /debug/pprof; NULL: none */
	uint64_t last_ns;
};

/*
 * ep_service_doctor_look - ask the server and the process; answer.
 *
 * errors   -EINVAL  a token file that can't be used; all else is among the answers
 * threads  any
 */
int ep_service_doctor_look(const struct ep_service_doctor *d, struct ep_nines *ret,
			   struct ep_err *err);

#endif
