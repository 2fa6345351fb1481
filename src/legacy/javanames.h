/*
 * javanames.h - the names at the end of Java's older profiles.
 */
#ifndef EP_LEGACY_JAVANAMES_H
#define EP_LEGACY_JAVANAMES_H

#include "base/err.h"
#include "legacy/plaintext.h"
#include "profile/build.h"

/*
 * ep_javanames_read - lines "0xADDRESS FUNCTION (FILE:LINE)" to the locations of those
 * addresses, which lose them: they mean nothing outside of the process.
 *
 * in       t  stands before the first such line; read to its end
 *          b  all locations are made
 * errors   -EBADMSG, -E2BIG, -ENOMEM
 * threads  one thread at a time per builder
 */
int ep_javanames_read(struct ep_plaintext *t, struct ep_build *b, struct ep_err *err);

#endif
