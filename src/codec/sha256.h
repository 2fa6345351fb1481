/*
 * sha256.h - SHA-256 of a short text, where no crypto library may come along.
 *
 * For tokens, in the library and the server.
 * Source: FIPS 180-4.
 */
#ifndef EP_CODEC_SHA256_H
#define EP_CODEC_SHA256_H

#include <stddef.h>
#include <stdint.h>

#define EP_SHA256_BYTES 32

/* Any thread; calls nothing but memcpy. */
void ep_sha256(const void *data, size_t n, uint8_t ret[EP_SHA256_BYTES]);

#endif
