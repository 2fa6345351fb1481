/*
 * pprof_json.h - a profile as protobuf's JSON of google.v1.Profile.
 */
#ifndef EP_API_PPROF_JSON_H
#define EP_API_PPROF_JSON_H

#include "codec/json.h"
#include "profile/profile.h"

/* Append the fields of the message; the caller opens and closes the object. */
void ep_pprof_json_write(struct ep_jsonw *w, const struct ep_profile *p);

#endif
