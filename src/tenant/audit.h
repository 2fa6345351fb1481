/*
 * audit.h - who did what to the server: one line of JSON an event, appended and never
 * changed.  Sign-ins, tokens made and revoked, what needs an admin, refused tokens, start,
 * stop, backup.
 *
 *     {"time":"2026-11-22T21:04:05.678Z","action":"sign-in","ok":true,"tenant":"acme",
 *      "token":"1a2b3c4d","peer":"10.0.0.7","detail":"…"}
 */
#ifndef EP_TENANT_AUDIT_H
#define EP_TENANT_AUDIT_H

#include <stdbool.h>

struct ep_audit_event {
	const char *action; /* "sign-in" */
	bool ok;
	const char *tenant, *token, *peer, *detail; /* "" or NULL: left out */
};

/*
 * ep_audit - append an event to the file at path, made with mode 0600 when it is not there.
 *
 * errors   -EIO: what could not be written is in the log at least
 * threads  any thread, any process: a line is one write
 */
int ep_audit(const char *path, const struct ep_audit_event *e);

#endif
