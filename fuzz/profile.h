/*
 * profile.h - what every profile must survive, of whatever format: reading, within
 * bounds of memory and time, and three reports of what was read.
 */
#ifndef EP_FUZZ_PROFILE_H
#define EP_FUZZ_PROFILE_H

#include <stddef.h>
#include <stdint.h>

void fuzz_profile(const uint8_t *data, size_t n);

#endif
